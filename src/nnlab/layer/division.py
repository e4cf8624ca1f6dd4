"""A model's layers, divided: the body, of which some may be frozen, and the head.

A *layer* is a module with weights of its own; layers stand in the order in which the
model names them. The *head* begins anew: the last layer, unless others are named. The
*body* is all the rest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import nn

from nnlab.errors import UserError, did_you_mean
from nnlab.numerals import counted


@dataclass(frozen=True)
class Division:
    """Layers by name, in order: each in body or head; the frozen are of the body."""

    body: dict[str, nn.Module]
    frozen: dict[str, nn.Module]
    head: dict[str, nn.Module]

    def has_in_body(self, key: str) -> bool:
        """Return whether a weight or buffer of that name is of the body.

        A buffer of the model itself is what its run has counted or measured.
        """
        layer = layer_of(key)
        return layer in self.body or (layer != "" and layer not in self.head)


def layer_of(key: str) -> str:
    """Return the layer that a weight is of: `c1` of `c1.weight`."""
    return key.rpartition(".")[0]


def layers_of(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules that hold weights themselves, by name, in their order."""
    return {
        name: module
        for name, module in model.named_modules()
        if any(True for _ in module.parameters(recurse=False))
    }


def divide(
    model: nn.Module, *, freeze: int | Literal["all", "none"], head: list[str] | None
) -> Division:
    """Return which layers of a model are body, frozen and head.

    Args:
        model: with two layers at least.
        freeze: how much of the body never changes: all, none, that many of its first
            layers; below 0, all but that many of the last, which go on learning.
        head: layers, or modules with layers inside, that begin anew; None: the last.

    Raises:
        UserError: where there is no such layer, or no body, or nothing would learn.
    """
    layers = layers_of(model)
    names = _head_names(model, layers, head)
    new = {name: layer for name, layer in layers.items() if name in names}
    body = {name: layer for name, layer in layers.items() if name not in names}
    if not body:
        raise UserError(
            f"{type(model).__name__} is all head ({', '.join(layers)}), so no body is "
            "left to take; transfer.head= names fewer of its layers, or [] none"
        )
    for name, other in _shared(new, body):
        raise UserError(
            f"the head {name} shares its weights with {other} of the body, so it "
            "cannot begin anew; transfer.head=[] takes over every layer"
        )
    count = _frozen_count(freeze, body)
    if count == len(body) and not new:
        raise UserError(
            f"transfer.freeze={freeze} with transfer.head=[] leaves nothing to learn; "
            "give transfer.freeze=none"
        )
    return Division(body, dict(list(body.items())[:count]), new)


def freeze(division: Division) -> None:
    """Make the frozen layers compute as they do when tested, and never change.

    A batch norm keeps its means as well: Lightning leaves a layer in the mode in which
    training found it.
    """
    for layer in division.frozen.values():
        layer.eval()
        for weight in layer.parameters(recurse=False):
            weight.requires_grad_(False)


def _head_names(
    model: nn.Module, layers: Iterable[str], chosen: list[str] | None
) -> set[str]:
    layers = list(layers)
    if chosen is None:
        return set(layers[-1:])
    names: set[str] = set()
    for word in chosen:
        inside = {n for n in layers if n == word or n.startswith(f"{word}.")}
        if not inside:
            known = {*layers, *(name.split(".")[0] for name in layers)}
            raise UserError(
                f"transfer.head={chosen}: {type(model).__name__} has no layer "
                f"{word!r}{did_you_mean(word, known)}"
            )
        names |= inside
    return names


def _shared(
    head: Mapping[str, nn.Module], body: Mapping[str, nn.Module]
) -> Iterable[tuple[str, str]]:
    owners = {
        id(w): name for name, m in body.items() for w in m.parameters(recurse=False)
    }
    for name, module in head.items():
        for weight in module.parameters(recurse=False):
            if id(weight) in owners:
                yield name, owners[id(weight)]


def _frozen_count(freeze: int | str, body: Mapping[str, nn.Module]) -> int:
    layers = len(body)
    if isinstance(freeze, str):
        return layers if freeze == "all" else 0
    if not -layers <= freeze <= layers:
        raise UserError(
            f"transfer.freeze={freeze} is more than the {counted(layers, 'layer')} of "
            f"the body ({', '.join(body)}); give {-layers} to {layers}, all or none"
        )
    return freeze if freeze >= 0 else layers + freeze
