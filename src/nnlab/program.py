"""A run's model as a program: a file of `torch.export`, which torch loads alone."""

import io
import logging
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim
from typing_extensions import override

from nnlab.data_module import DataModule
from nnlab.errors import UserError
from nnlab.loaded import LoadedRun
from nnlab.numerals import counted


class Program(nn.Module):
    """The model, and before it the data's own scaling."""

    def __init__(self, model: nn.Module, scaled: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.model, self.scaled = model, scaled

    @override
    def forward(self, x: Tensor) -> Any:
        return self.model(self.scaled(x))


@torch.no_grad()
def save_program(run: LoadedRun, file: Path) -> str:
    """Write the model for any number of inputs; return what it takes and gives.

    The file is loaded again and must say of test examples what the model says.

    Raises:
        UserError: where the model takes more than one tensor, or cannot be exported.
    """
    name = run.config["choices"]["model"]
    prepared = next(run.batches("test"))
    x = prepared[0] if isinstance(prepared, tuple | list) else prepared
    wanted = run.model(x) if _inputs(run.model) == 1 else None
    if not isinstance(x, Tensor) or not isinstance(wanted, Tensor):
        raise UserError(
            f"model={name} does not make one tensor of one tensor, as what is written "
            f"to={file} must"
        )
    given, scaled = _stored(run, x)
    content = _exported(Program(run.model, scaled), given, name)
    loaded = torch.export.load(io.BytesIO(content)).module()
    for some in (slice(None), slice(1)):  # all, and one by itself
        if not torch.allclose(loaded(given[some]), wanted[some], rtol=1e-4, atol=1e-5):
            raise UserError(
                f"model={name} as a program says something else than the model, so "
                f"to={file} was not written"
            )
    part = file.with_name(f"{file.name}.part")
    part.write_bytes(content)
    part.replace(file)
    said = "as run.batches gives it" if given is x else "as the data store it, unscaled"
    return (
        f"torch.export.load(file).module() takes {_shape(given)}, {said}, and gives "
        f"{_shape(wanted)}; checked on {counted(len(x), 'test example')}"
    )


def _inputs(model: nn.Module) -> int:
    """Return how many inputs `forward` cannot do without."""
    parameters = signature(model.forward).parameters.values()
    return sum(each.default is each.empty for each in parameters)


def _stored(run: LoadedRun, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Any]]:
    """Return inputs as the data store them, and what scales them; x where none does."""
    if isinstance(run.data, DataModule):
        raw = next(iter(run.data.test_dataloader()))[0]
        if run.data.scaled(raw) is not None:
            return raw, run.data.scaled
    return x, nn.Identity()


def _exported(program: Program, given: Tensor, name: str) -> bytes:
    buffer = io.BytesIO()
    torch._logging.set_logs(all=logging.ERROR)  # pyright: ignore
    some = torch.cat([given[:2], given[:2]])  # one alone would be held to be always one
    shapes = ({0: Dim.DYNAMIC},)  # a batch is of any size
    # Of a model that it cannot trace torch prints all that it has.
    with redirect_stderr(io.StringIO()), warnings.catch_warnings():
        # of recurrent cells, which set their weights anew in each call
        warnings.filterwarnings("ignore", message=".*were assigned during export.*")
        try:
            exported = torch.export.export(program, (some,), dynamic_shapes=shapes)
            torch.export.save(exported, buffer)
        except (RuntimeError, ValueError) as error:
            line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(
                f"model={name} cannot be written as a program: {line}"
            ) from error
    return buffer.getvalue()


def _shape(tensor: Tensor) -> str:
    """Return `uint8 (batch, 28, 28)`."""
    sizes = ", ".join(["batch", *map(str, tensor.shape[1:])])
    return f"{str(tensor.dtype).removeprefix('torch.')} ({sizes})"
