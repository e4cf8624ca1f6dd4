"""The verb `export`: a run's model in another library's form, or LoRA's part."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import nn

from nnlab.adapter import changes_of, save_adapter
from nnlab.build import build_model
from nnlab.checkpoint import read_checkpoint
from nnlab.errors import UserError, did_you_mean
from nnlab.folder import checkpoint_file
from nnlab.messages import quiet_lightning
from nnlab.older import MODEL, completed
from nnlab.overrides import parse
from nnlab.plugins import find_plugins


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
    """Write the model of run=<folder or checkpoint> into to=<a new folder>.

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
        raise UserError("export needs run=<a folder in outputs> and to=<a new folder>")
    which = given.get("checkpoint", "best")
    adapter = given.get("adapter", "False").lower()
    if adapter not in ("true", "false"):
        raise UserError(f"adapter={given['adapter']} must be true or false")
    folder = Path(given["to"]).expanduser()
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise UserError(f"to={folder} is there already; name a new folder")
    content = read_checkpoint(checkpoint_file(given["run"], which))
    place = f"run={given['run']}"
    config = completed(content["nnlab"]["config"], place, MODEL)
    model = build_model(config, find_plugins())
    model.load_state_dict(content["state_dict"])
    try:
        if adapter == "true":
            said = _adapter(model, folder)
        elif isinstance(model, Exportable):
            folder.mkdir(parents=True, exist_ok=True)
            said = f"loads in {model.export(config['model'], folder)}"
        else:
            raise UserError(
                f"run={given['run']} holds model={config['choices']['model']}, which "
                "no other library's form is known for; name a run of a GPT"
            )
    except OSError as error:
        raise UserError(f"to={folder} cannot be written: {error.strerror}") from error
    sys.stdout.write(f"{folder}: {said}\n")
    return 0


def _adapter(model: nn.Module, folder: Path) -> str:
    changes = changes_of(model)
    folder.mkdir(parents=True, exist_ok=True)
    save_adapter(changes, folder)
    return (
        f"goes onto a run of the model it changes by generate run=... adapter={folder}"
    )
