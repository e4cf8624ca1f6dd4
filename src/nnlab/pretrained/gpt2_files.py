"""Where GPT-2's weights lie: in a folder that transformers wrote, or on the network."""

import json
from pathlib import Path
from typing import Any

from torch import Tensor

from nnlab.download import data_folder, download
from nnlab.errors import UserError
from nnlab.pretrained.safetensors import read_safetensors

WEIGHTS, CONFIG = "model.safetensors", "config.json"
NAME = "gpt2"  # the smallest, 124M; the others come as a folder
URL = "https://huggingface.co/openai-community/gpt2/resolve/main/model.safetensors"
SHA256 = "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707"
SIZE = 548_105_171  # bytes
SETTINGS = {"n_layer": 12, "n_embd": 768, "n_head": 12, "vocab_size": 50_257}
USUAL = {
    "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
}


def find_gpt2(place: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the settings and the weights of a folder, or of `gpt2`, the published one.

    That is downloaded once (548 MB) into the folder gpt2 of $NNLAB_DATA, else of the
    user's cache.

    Raises:
        UserError: where a file is missing, damaged, or not of a GPT-2.
    """
    if place == NAME and not Path(place).is_dir():
        file = data_folder(None) / NAME / WEIGHTS
        if not file.is_file():
            download([URL], file, sha256=SHA256, size=SIZE, is_packed=False)
        return SETTINGS, _bare(read_safetensors(file))
    folder = Path(place).expanduser()
    settings = _settings(folder, f"model.pretrained={place}")
    return settings, _bare(read_safetensors(folder / WEIGHTS))


def _bare(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix("transformer."): weights[name] for name in weights}


def _settings(folder: Path, where: str) -> dict[str, Any]:
    file = folder / CONFIG
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"{where} must be {NAME}, or a folder with {CONFIG} and {WEIGHTS}; "
            f"there is no {file}"
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read: {error}") from error
    if not isinstance(settings, dict) or settings.get("model_type") != "gpt2":
        raise UserError(f"{where} holds no GPT-2: {CONFIG} has another model_type")
    missing = SETTINGS.keys() - settings.keys()
    if missing:
        raise UserError(f"{file} does not say {', '.join(sorted(missing))}")
    for key, value in USUAL.items():
        if settings.get(key, value) != value:
            raise UserError(f"{where} has {key}={settings[key]}; GPT-2 has {value}")
    return settings
