"""The verb `export`: a run's model in another library's form, or LoRA's part.

to=<a new folder> is the model's own form; to=<new>.pt2 a program, whatever the model.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import nn

from nnlab.adapter import changes_of, save_adapter
from nnlab.errors import UserError, did_you_mean
from nnlab.loaded import LoadedRun, load
from nnlab.messages import quiet_lightning
from nnlab.overrides import parse
from nnlab.request import check_target


@runtime_checkable
class Exportable(Protocol):
    """A model that knows a form in which another library loads it."""

    def export(self, numbers: Mapping[str, Any], folder: Path) -> str:
        """Write the files into an existing folder; return which library loads them.

        Args:
            numbers: the model's section of its run's config.

        Raises:
            UserError: where that form cannot say what this model is.
        """
        ...


def export(words: Sequence[str]) -> int:
    """Write the model of run=<folder or checkpoint> into to=<a new folder, or .pt2>.

    With adapter=true only what LoRA changed, in a file of its own.

    Raises:
        UserError: naming the option, its value and what would be accepted.
    """
    quiet_lightning()
    given = {override.key_or_group: str(override.value()) for override in parse(words)}
    known = ("run", "to", "checkpoint", "adapter")
    for name in given:
        if name not in known:
            raise UserError(f"no option called {name!r}{did_you_mean(name, known)}")
    if not {"run", "to"} <= given.keys():
        raise UserError(
            "export needs run=<a folder in outputs> and to=<a new folder, or .pt2>"
        )
    which = given.get("checkpoint", "best")
    adapter = given.get("adapter", "False").lower()
    if adapter not in ("true", "false"):
        raise UserError(f"adapter={given['adapter']} must be true or false")
    target = Path(given["to"]).expanduser()
    if adapter == "false" and target.suffix == ".pt2":
        check_target(str(target))
    elif target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise UserError(f"to={target} is there already; name a new folder")
    run = load(given["run"], checkpoint=which)
    try:
        said = _adapter(run.model, target) if adapter == "true" else _form(run, target)
    except OSError as error:
        raise UserError(f"to={target} cannot be written: {error.strerror}") from error
    sys.stdout.write(f"{target}: {said}\n")
    return 0


def _form(run: LoadedRun, target: Path) -> str:
    if target.suffix == ".pt2":
        from nnlab.program import save_program  # and torch's compiler

        return save_program(run, target)
    if not isinstance(run.model, Exportable):
        raise UserError(
            f"run={run.path} holds model={run.config['choices']['model']}, which no "
            f"other library's form is known for; to={target}.pt2 writes a program that "
            "torch alone loads"
        )
    target.mkdir(parents=True, exist_ok=True)
    return f"loads in {run.model.export(run.config['model'], target)}"


def _adapter(model: nn.Module, folder: Path) -> str:
    changes = changes_of(model)
    folder.mkdir(parents=True, exist_ok=True)
    save_adapter(changes, folder)
    return (
        f"goes onto a run of the model it changes by generate run=... adapter={folder}"
    )
