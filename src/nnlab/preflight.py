"""One batch through training and validation, on a copy, before anything is written."""

import copy
from typing import Any, get_type_hints

from lightning import Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor

from nnlab.build import Parts
from nnlab.errors import UserError, did_you_mean

KEPT = ("accelerator", "precision", "gradient_clip_val", "gradient_clip_algorithm")


def preflight(parts: Parts) -> None:
    """Try the pairing, and check every monitored name against what is really logged.

    Raises:
        UserError: where the model cannot take the data's batches, or nothing of a
            monitored name is measured.
    """
    choices = parts.config["choices"]
    _check_trainer(parts.config["trainer"])
    parts.data.setup("fit")
    _check_shape(parts)
    settings = {key: parts.config["trainer"].get(key) for key in KEPT}
    trainer = Trainer(
        **settings,
        devices=1,
        fast_dev_run=1,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    reference = parts.config["reference"]
    model = copy.deepcopy(parts.model)
    try:
        trainer.fit(model, datamodule=parts.data)
        measured = {*trainer.callback_metrics}
        if (
            reference
            and reference["metric"].replace("test/", "val/", 1) not in measured
        ):
            trainer.test(model, datamodule=parts.data, verbose=False)
            measured |= {*trainer.callback_metrics}
    except UserError:
        raise
    except Exception as error:  # whatever a model that does not fit leads to
        line = (str(error).strip().splitlines() or [""])[0]
        raise UserError(
            f"model={choices['model']} cannot learn from a batch of "
            f"data={choices['data']}: {type(error).__name__}: {line} "
            "(NNLAB_TRACEBACK=1 shows where)"
        ) from error
    check_monitors(parts.config, measured)


def _check_trainer(settings: dict[str, Any]) -> None:
    """Make a trainer of these settings, which Lightning judges as it is made."""
    given = {name: value for name, value in settings.items() if name != "_target_"}
    if any(isinstance(value, dict) for value in given.values()):
        return  # a strategy of its own class, which run.py makes
    try:
        Trainer(
            **given,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
        )
    except (ImportError, MisconfigurationException, TypeError, ValueError) as error:
        line = (str(error).strip().splitlines() or [""])[0]
        raise UserError(f"the trainer refuses its settings: {line}") from error


def check_monitors(config: dict[str, Any], measured: set[str]) -> None:
    """Check the names of metrics that decide something.

    Raises:
        UserError: naming the key, and the metrics there are.
    """
    wanted = {"monitor.metric": config["monitor"]["metric"]}
    for group in ("regularizer", "callback"):
        for name, node in (config[group] or {}).items():
            if isinstance(node, dict) and isinstance(node.get("monitor"), str):
                wanted[f"{group}.{name}.monitor"] = node["monitor"]
    # What validation measures by batches, the test measures as well.
    known = measured | {name.replace("val/", "test/", 1) for name in measured}
    if config["reference"]:
        wanted["reference.metric"] = config["reference"]["metric"]
    for key, metric in wanted.items():
        if metric not in (known if key == "reference.metric" else measured):
            hint = did_you_mean(metric, known)
            raise UserError(f"{key}={metric} is not measured by this model{hint}")


def _check_shape(parts: Parts) -> None:
    """Compare a batch's first part with the shape that `forward` is annotated with."""
    hints = get_type_hints(type(parts.model).forward)
    hints.pop("return", None)
    wanted = next(iter(hints.values()), None)
    batch = next(iter(parts.data.train_dataloader()))
    batch = parts.data.on_after_batch_transfer(batch, 0)
    first = batch[0] if isinstance(batch, tuple | list) else batch
    if (
        wanted is None
        or not isinstance(first, Tensor)
        or not hasattr(wanted, "dim_str")
    ):
        return
    if not isinstance(first, wanted):  # pyright: ignore[reportArgumentType]
        choices = parts.config["choices"]
        sizes = " ".join(str(size) for size in first.shape)
        kind = str(first.dtype).removeprefix("torch.")
        raise UserError(
            f"model={choices['model']} takes {wanted.dtype.__name__} "
            f"({wanted.dim_str.strip()}) and data={choices['data']} gives {kind} "
            f"({sizes})"
        )
