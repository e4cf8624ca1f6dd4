"""Which weights and layers: by patterns on their names, as a shell has for files."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from torch import nn

from nnlab.errors import UserError, did_you_mean

# What torch renames a parametrized `weight` to; weight norm makes two of it.
FIRST = re.compile(r"parametrizations\.(\w+)\.original0?$")
SECOND = re.compile(r"parametrizations\.(\w+)\.original1$")


def named_weights(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return what the model trains, under the names it has without parametrizations.

    One that several layers share appears once. Weight norm's directions follow its
    lengths, as `c1.weight` and `c1.weight_direction`.
    """
    return {
        SECOND.sub(r"\1_direction", FIRST.sub(r"\1", name)): parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def named_layers(
    model: nn.Module, kinds: tuple[type[nn.Module], ...] = (nn.Module,)
) -> dict[str, nn.Module]:
    """Return the modules of some kinds by name, the model itself left out."""
    return {
        name: layer
        for name, layer in model.named_modules()
        if name and isinstance(layer, kinds)
    }


def choose(
    names: Iterable[str],
    *,
    include: Sequence[str],
    exclude: Sequence[str] = (),
    where: str,
    kind: str,
) -> list[str]:
    """Return the names that one of `include` matches and none of `exclude`.

    Args:
        names: to choose from.
        include, exclude: patterns: `*` is anything, also a dot.
        where: the section that holds the patterns: `regularizer.l1`.
        kind: what the names are names of, in the plural.

    Raises:
        UserError: where a pattern of `include` matches nothing, or nothing is left.
    """
    names = list(names)
    for pattern in include:
        if not any(fnmatchcase(name, pattern) for name in names):
            hint = did_you_mean(pattern, names)
            raise UserError(
                f"{where}.include={pattern} matches none of the model's {kind}{hint}"
            )
    chosen = [
        name
        for name in names
        if any(fnmatchcase(name, pattern) for pattern in include)
        and not any(fnmatchcase(name, pattern) for pattern in exclude)
    ]
    if not chosen:
        raise UserError(
            f"{where}.exclude={_listed(exclude)} leaves none of the model's {kind} "
            f"that include={_listed(include)} matches"
        )
    return chosen


def _listed(patterns: Sequence[str]) -> str:
    return f"[{','.join(patterns)}]"
