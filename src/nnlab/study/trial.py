"""Whether a study can be done here, found out before its first run."""

from collections.abc import Sequence

from rich.console import Console

from nnlab.build import build, make
from nnlab.compose import Composer, plain
from nnlab.errors import UserError
from nnlab.layer.division import divide
from nnlab.overrides import checked
from nnlab.settings import check_settings
from nnlab.study.study import SCRATCH, Study
from nnlab.transfer import take_body


def possible(
    name: str, study: Study, words: Sequence[str], console: Console
) -> list[str]:
    """Return a target's overrides, or those instead of them: tried, both of them."""
    wanted = study.targets[name]
    try:
        _try(study, [*words, *wanted])
    except UserError as error:
        if name not in study.instead:
            raise
        other = study.instead[name]
        console.print(
            f"{name}: {' '.join(wanted)} cannot be had here ({error}); "
            f"{' '.join(other)} takes its place",
            markup=False,
            soft_wrap=True,
        )
        _try(study, [*words, *other])
        return other
    return wanted


def _try(study: Study, words: Sequence[str]) -> None:
    """Read a target's data, and divide the model that would be given the body.

    Raises:
        UserError: where the data cannot be had, or the body would not fit.
    """
    composer = Composer()
    config = plain(composer.compose(checked(words, composer)))
    check_settings(config)
    for size in study.sizes.values():
        data = make({**config["data"], "train_size": size}, "data", composer.plugins)
        data.setup("fit")
        data.train_dataloader()
    parts = build(config, composer.plugins)
    for way in study.ways:
        if way != SCRATCH:
            division = divide(parts.model, freeze=way, head=study.head)
            if study.run is not None:
                take_body(parts, division, study.run)
