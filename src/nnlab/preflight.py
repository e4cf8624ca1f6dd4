"""One batch through training and validation, on a copy, before anything is written."""

import copy
from collections.abc import Sequence
from typing import Any, get_args, get_type_hints

from lightning import Callback, LightningModule, Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch import Tensor
from typing_extensions import override

from nnlab.build import Parts
from nnlab.data_module import DataModule
from nnlab.errors import UserError
from nnlab.memory import is_out_of_memory, what_to_lower
from nnlab.monitors import check_monitors
from nnlab.numerals import counted
from nnlab.pairing import misfit
from nnlab.place import place
from nnlab.regularizer import Regularizer
from nnlab.trainer import QUIET, Settings, make_trainer, make_trial

KEPT = (
    *("accelerator", "precision", "accumulate_grad_batches"),
    *("gradient_clip_val", "gradient_clip_algorithm"),
)


def preflight(parts: Parts, settings: Settings) -> int:
    """Try the pairing, and check every monitored name against what is really logged.

    Args:
        parts: of the run; they stay as they are.
        settings: of `trainer`, its objects made.

    Returns:
        How many processes of this machine train.

    Raises:
        UserError: where the model cannot take the data's batches, or nothing of a
            monitored name is measured.
    """
    choices = parts.config["choices"]
    real = check_trainer(settings)
    _check_callbacks(parts)
    parts.data.setup("fit")
    ranks = real.num_devices * real.num_nodes
    if ranks > 1 and isinstance(parts.data, DataModule):
        parts.data.check_ranks(ranks)
    _check_shape(parts)
    unused = Unused()
    reference = parts.config["reference"]
    wanted = reference["metric"] if reference else None
    measured = measured_of(parts, settings, wanted=wanted, watch=[unused])
    check_monitors(parts.config, measured)
    if ranks > 1:
        _check_unused(unused.names, real.strategy, choices["model"])
    return real.num_devices


def measured_of(
    parts: Parts,
    settings: Settings,
    *,
    wanted: str | None,
    watch: Sequence[Callback] = (),
) -> set[str]:
    """Return the names of all that a batch of training and validation measures.

    Args:
        parts: of the run; a copy of the model is tried.
        settings: of `trainer`, its objects made.
        wanted: a metric for which a batch is tested too, where validation has not it.
        watch: callbacks besides the run's regularizers.

    Raises:
        UserError: where the model cannot take the data's batches.
    """
    kept = {key: settings[key] for key in KEPT if settings.get(key) is not None}
    regularizers = [each for each in parts.callbacks if isinstance(each, Regularizer)]
    trainer = make_trial(
        kept, fast_dev_run=1, callbacks=[*copy.deepcopy(regularizers), *watch]
    )
    model, choices = copy.deepcopy(parts.model), parts.config["choices"]
    try:
        trainer.fit(model, datamodule=parts.data)
        measured = {*trainer.callback_metrics}
        if wanted and wanted.replace("test/", "val/", 1) not in measured:
            trainer.test(model, datamodule=parts.data, verbose=False)
            measured |= {*trainer.callback_metrics}
    except UserError:
        raise
    except Exception as error:  # whatever a model that does not fit leads to
        if is_out_of_memory(error):
            raise UserError(what_to_lower(parts.config)) from error
        if said := misfit(parts.config):
            raise UserError(said) from error
        line = (str(error).strip().splitlines() or [""])[0]
        raise UserError(
            f"model={choices['model']} cannot learn from a batch of "
            f"data={choices['data']}: {type(error).__name__}: {line} "
            "(NNLAB_TRACEBACK=1 shows where)"
        ) from error
    return measured


class Unused(Callback):
    """Notes which weights a step leaves without a gradient."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @override
    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Any
    ) -> None:
        named = pl_module.named_parameters()
        self.names = [name for name, p in named if p.requires_grad and p.grad is None]


def _check_unused(names: list[str], strategy: Strategy, model: str) -> None:
    """Refuse what would end in ranks that wait for gradients which never come."""
    if not names or not isinstance(strategy, DDPStrategy):
        return
    if not strategy._ddp_kwargs.get("find_unused_parameters"):  # pyright: ignore
        raise UserError(
            f"model={model} has steps that give {names[0]} no gradient, for which "
            "other processes would wait; use strategy=ddp "
            "trainer.strategy.find_unused_parameters=true"
        )


def check_trainer(settings: Settings) -> Trainer:
    """Make a trainer of these settings, which Lightning judges as it is made."""
    try:
        return make_trainer(settings, place(), **QUIET)
    except (
        ImportError,
        MisconfigurationException,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        line = (str(error).strip().splitlines() or [""])[0]
        raise UserError(f"the trainer refuses its settings: {line}") from error


def _check_callbacks(parts: Parts) -> None:
    """Let each callback that has a `check(learner, config)` refuse, in its own words.

    It raises ValueError, or UserError, with one sentence.
    """
    for callback in parts.callbacks:
        check = getattr(callback, "check", None)
        if check is None:
            continue
        try:
            check(parts.model, parts.config)
        except ValueError as error:
            raise UserError(str(error)) from error


def _check_shape(parts: Parts) -> None:
    """Compare a batch with what `measure` and `forward` are annotated with.

    Raises:
        UserError: where it has more or fewer parts, or its first is of another shape.
    """
    batch = next(iter(parts.data.train_dataloader()))
    batch = parts.data.on_after_batch_transfer(batch, 0)
    tensors = batch if isinstance(batch, tuple | list) else [batch]
    wanted = get_args(get_type_hints(type(parts.model).measure).get("batch"))
    if wanted and Ellipsis not in wanted and len(tensors) != len(wanted):
        takes = f"{counted(len(wanted), 'tensor')} a batch"
        raise _unfit(parts, takes, str(len(tensors)))
    hints = get_type_hints(type(parts.model).forward)
    hints.pop("return", None)
    hint, first = next(iter(hints.values()), None), tensors[0]
    if hint is None or not isinstance(first, Tensor) or not hasattr(hint, "dim_str"):
        return
    if not isinstance(first, hint):  # pyright: ignore[reportArgumentType]
        sizes = " ".join(str(size) for size in first.shape)
        kind = str(first.dtype).removeprefix("torch.")
        takes = f"{hint.dtype.__name__} ({hint.dim_str.strip()})"
        raise _unfit(parts, takes, f"{kind} ({sizes})")


def _unfit(parts: Parts, takes: str, gives: str) -> UserError:
    """Return what to say of data of another kind, or of the same and another shape."""
    choices = parts.config["choices"]
    return UserError(
        misfit(parts.config)
        or f"model={choices['model']} takes {takes} and data={choices['data']} "
        f"gives {gives}"
    )
