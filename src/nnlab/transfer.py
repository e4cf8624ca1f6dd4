"""Transfer: a run begins with the body of a finished one, and may keep it frozen.

What body, head and layers are, `layer/division.py` says.

Yosinski et al. (2014), "How transferable are features in deep neural networks?",
arXiv:1411.1792.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from nnlab.build import Config, Parts, facts_of
from nnlab.checkpoint import read_checkpoint
from nnlab.errors import UserError
from nnlab.folder import RunFolder
from nnlab.layer.division import Division, divide, freeze, layer_of, layers_of
from nnlab.target import check_arguments
from nnlab.weights import frozen_by


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """The section `transfer` of a run's config.

    Attributes:
        run: a finished run's folder, or a checkpoint; None: begin with random weights.
        freeze, head: as `divide` takes them.
    """

    run: str | None
    freeze: int | Literal["all", "none"]
    head: list[str] | None


def transfer(parts: Parts, *, is_begun: bool) -> str | None:
    """Give the model its body, and freeze what is to stay; return a line about it.

    A run that `is_begun` has the body in its own checkpoint: the other is not read.

    Raises:
        UserError: where the other run is not there, not finished, or does not fit.
    """
    settings = _asked(parts.config)
    if settings is None or settings.run is None:
        return None
    division = divide(parts.model, freeze=settings.freeze, head=settings.head)
    said = [f"the body of {settings.run}: {', '.join(division.body)}"]
    said.append(f"frozen: {', '.join(_frozen(parts, division)) or 'nothing'}")
    said.append(f"new: {', '.join(division.head) or 'nothing'}")
    if not is_begun:
        said += take_body(parts, division, settings.run)
    freeze(division)
    return "; ".join(said)


def _frozen(parts: Parts, division: Division) -> list[str]:
    """Return the frozen layers, and of others the frozen weights."""
    names = frozen_by(parts.callbacks, parts.model)
    found: list[str] = []
    for layer, module in layers_of(parts.model).items():
        own = [f"{layer}.{n}" for n, _ in module.named_parameters(recurse=False)]
        held = [name for name in own if name in names]
        found += [layer] if layer in division.frozen or held == own else held
    return found


def check_transfer(config: Config) -> None:
    """Check what needs no model: that the other run is there, and finished.

    Raises:
        UserError: where it is not, or the section is not accepted.
    """
    settings = _asked(config)
    if settings is not None and settings.run is not None:
        _finished(settings.run, f"transfer.run={settings.run}")


def _asked(config: Config) -> Transfer | None:
    given = config.get("transfer")
    if given is None:  # a run from before there was transfer
        return None
    settings = Transfer(**check_arguments(Transfer, given, "transfer"))
    if settings.run is None:
        _check_nothing_to_do(settings)
    return settings


@torch.no_grad()
def take_body(parts: Parts, division: Division, place: str) -> list[str]:
    """Copy the body's weights and buffers out of another run.

    Return the settings in which that run's model was another function of its weights.

    Raises:
        UserError: where a layer is missing or has another shape; it is named.
    """
    where = f"transfer.run={place}"
    content = read_checkpoint(_finished(place, where))
    differences = _differences(content["nnlab"]["config"], parts, where)
    source: Mapping[str, Tensor] = content["state_dict"]
    target = parts.model.state_dict()
    body = {key: weight for key, weight in target.items() if division.has_in_body(key)}
    for key, weight in body.items():
        _check_fits(key, source, weight, where)
    for key in source:
        if division.has_in_body(key) and key not in target:
            raise UserError(
                f"{where} does not fit: it has a layer {layer_of(key)}, and this model "
                f"none of that name (it has {', '.join(division.body)})"
            )
    for key, weight in body.items():
        weight.copy_(source[key])
    return differences


def _check_nothing_to_do(settings: Transfer) -> None:
    for name, neutral in (("freeze", "none"), ("head", None)):
        value = getattr(settings, name)
        if value != neutral:
            raise UserError(
                f"transfer.{name}={value} is about the body of a finished run; name it "
                "by transfer.run="
            )


def _finished(place: str, where: str) -> Path:
    """Return the checkpoint with a run's best weights, or the file that is named."""
    if Path(place).is_file():
        return Path(place)
    folder = RunFolder.open(place, "transfer.run")
    status = folder.read_json("status.json").get("status", "not begun")
    if status != "complete":
        raise UserError(
            f"{where} is {status}, not complete; finish it with resume={place}, or "
            "name one of its checkpoints"
        )
    best = folder.checkpoints / "best.ckpt"
    return best if best.is_file() else folder.checkpoints / "last.ckpt"


def _differences(theirs: Config, parts: Parts, where: str) -> list[str]:
    choices, model = parts.config["choices"], parts.config["model"]
    if theirs["model"]["_target_"] != model["_target_"]:
        other = theirs["choices"]["model"]
        raise UserError(
            f"{where} is a run of {other}, and this is model={choices['model']}; a "
            f"body fits its own model: model={other}"
        )
    if model.get("pretrained") is not None:
        raise UserError(
            f"{where} and model.pretrained={model['pretrained']} both bring the "
            "weights to begin with; give one of them"
        )
    facts = facts_of(parts.data)
    return [
        f"model.{name} is {model[name]} here and was {value} there"
        for name, value in theirs["model"].items()
        if name in model and name not in facts and model[name] != value
    ]


def _check_fits(
    key: str, source: Mapping[str, Tensor], weight: Tensor, where: str
) -> None:
    layer, _, part = key.rpartition(".")
    if key not in source:
        raise UserError(
            f"{where} does not fit: it has no {part} of the layer {layer}, which this "
            "model has"
        )
    if source[key].shape != weight.shape:
        raise UserError(
            f"{where} does not fit: the {part} of its layer {layer} has the shape "
            f"{tuple(source[key].shape)}, and this model's {tuple(weight.shape)}"
        )
