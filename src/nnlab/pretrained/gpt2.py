"""GPT-2's weights in the form of Hugging Face's transformers, in and out.

There a folder holds config.json and model.safetensors; matrices are stored as (inputs,
outputs), and tied embeddings once.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nnlab.errors import UserError
from nnlab.pretrained.gpt2_files import CONFIG, WEIGHTS, find_gpt2
from nnlab.pretrained.safetensors import write_safetensors

LAYERS = {  # of a block: nnlab's name -> theirs
    "attention_norm": "ln_1",
    "attention.query_key_value": "attn.c_attn",
    "attention.output": "attn.c_proj",
    "feed_forward_norm": "ln_2",
    "feed_forward.expand": "mlp.c_fc",
    "feed_forward.output": "mlp.c_proj",
}
# What GPT-2 is, in the words of GPT's own keys; nothing else can be said in its format.
FIXED = {
    "positions": "learned",
    "norm": "layer",
    "feed_forward": "gelu",
    "normalizes_queries": False,
    "logit_softcap": None,
}


def names(layers: int) -> Iterator[tuple[str, str]]:
    """Yield each layer's name here and there, without `.weight` and `.bias`."""
    yield "token_embedding", "wte"
    yield "position_embedding", "wpe"
    for block in range(layers):
        for ours, theirs in LAYERS.items():
            yield f"blocks.{block}.{ours}", f"h.{block}.{theirs}"
    yield "final_norm", "ln_f"
    yield "unembedding", "lm_head"


@torch.no_grad()
def load_gpt2(model: nn.Module, place: str) -> None:
    """Set the weights of a GPT to those of a folder, or of the published `gpt2`.

    The context may be shorter than theirs: it gets the first positions.

    Raises:
        UserError: where a file is missing or damaged, or a layer has another shape.
    """
    where = f"model.pretrained={place}"
    settings, stored = find_gpt2(place)
    _check_sizes(model, settings, where)
    weights = dict(model.named_parameters(remove_duplicate=False))
    is_tied = weights["unembedding.weight"] is weights["token_embedding.weight"]
    if "lm_head.weight" not in stored or is_tied:
        stored["lm_head.weight"] = stored["wte.weight"]
    for ours, theirs in names(settings["n_layer"]):
        for kind in ("weight", "bias"):
            source, target = f"{theirs}.{kind}", weights.get(f"{ours}.{kind}")
            if target is None and source not in stored:
                continue
            if target is None:
                raise UserError(f"{where} has {source}; give model.use_bias=true")
            if source not in stored:
                raise UserError(f"{where} has no {source}")
            _copy(stored[source], target, source, f"{ours}.{kind}", where)


def save_gpt2(model: nn.Module, config: Mapping[str, Any], folder: Path) -> None:
    """Write a folder that transformers loads as GPT2LMHeadModel.

    Args:
        model: a GPT whose low-rank changes are merged.
        config: its constructor's arguments, as its run records them.

    Raises:
        UserError: where the model is not of GPT-2's form; names the key.
    """
    fixed = {**FIXED, "key_value_heads": config["heads"]}
    for key, value in fixed.items():
        if config[key] not in (value, None):
            raise UserError(
                f"model.{key}={config[key]} cannot be said in GPT-2's format, "
                f"which knows only {value}"
            )
    weights = model.state_dict()
    written: dict[str, Tensor] = {}
    for ours, theirs in names(config["layers"]):
        if theirs == "lm_head" and config["ties_embeddings"]:
            continue
        weight = weights[f"{ours}.weight"]
        if theirs in ("wte", "lm_head"):
            weight = weight[: config["vocabulary_size"]]
        is_matrix = ".c_" in theirs
        prefix = "" if theirs == "lm_head" else "transformer."
        written[f"{prefix}{theirs}.weight"] = weight.T if is_matrix else weight
        if is_matrix or ".ln_" in theirs or theirs == "ln_f":
            bias = weights.get(f"{ours}.bias", torch.zeros(len(weight)))
            written[f"{prefix}{theirs}.bias"] = bias
    write_safetensors(folder / WEIGHTS, written)
    said = json.dumps(_said(config), indent=2) + "\n"
    (folder / CONFIG).write_text(said, encoding="utf-8")


def _said(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "activation_function": "gelu_new",
        "vocab_size": config["vocabulary_size"],
        "n_positions": config["context_size"],
        "n_embd": config["embedding_size"],
        "n_layer": config["layers"],
        "n_head": config["heads"],
        "n_inner": None,
        "layer_norm_epsilon": 1e-5,
        "attn_pdrop": config["dropout"],
        "embd_pdrop": config["dropout"],
        "resid_pdrop": config["dropout"],
        "tie_word_embeddings": config["ties_embeddings"],
        "bos_token_id": None,
        "eos_token_id": None,
    }


def _check_sizes(model: Any, settings: dict[str, Any], where: str) -> None:
    block = model.blocks[0]
    form = {
        "positions": model.positions,
        "norm": "layer" if isinstance(block.attention_norm, nn.LayerNorm) else "rms",
        "feed_forward": block.feed_forward.kind,
        "normalizes_queries": block.attention.normalizes,
        "logit_softcap": model.logit_softcap,
    }
    for key, value in FIXED.items():
        if form[key] != value:
            raise UserError(
                f"{where} is GPT-2, which has {key}={value}; "
                f"model.{key}={form[key]} does not go with it"
            )
    sizes = {
        "layers": (settings["n_layer"], len(model.blocks)),
        "embedding_size": (settings["n_embd"], block.attention.output.in_features),
        "heads": (settings["n_head"], block.attention.heads[0]),
        "vocabulary_size": (settings["vocab_size"], model.vocabulary_size),
    }
    for key, (theirs, ours) in sizes.items():
        if theirs != ours:
            hint = (
                "tokenizer=gpt2"
                if key == "vocabulary_size"
                else f"model.{key}={theirs}"
            )
            raise UserError(f"{where} has {key}={theirs}, and the model {ours}; {hint}")


def _copy(source: Tensor, target: Tensor, theirs: str, ours: str, where: str) -> None:
    if ".c_" in theirs and source.ndim == 2:
        source = source.T
    wanted = tuple(target.shape)
    if theirs.startswith(("wte", "lm_head")):
        # nnlab's vocabulary is padded; what no token stands for stays at zero
        target.zero_()
        target = target[: len(source)]
    elif theirs.startswith("wpe"):
        source = source[: len(target)]
    if source.shape != target.shape:
        raise UserError(
            f"{where}: {theirs} has the shape {tuple(source.shape)}, and the model's "
            f"{ours} {wanted}"
        )
    target.copy_(source)
