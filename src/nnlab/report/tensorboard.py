"""The end of a run in TensorBoard: settings with final metrics, graph, pictures."""

import io
import json
import logging
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from nnlab.report.run_reading import RunReading

if TYPE_CHECKING:  # a run without the logger does not import it
    from torch.utils.tensorboard import SummaryWriter

log = logging.getLogger(__name__)

Setting = bool | int | float | str


def write_summary(
    folder: Path, *, model: nn.Module | None = None, example: Any = None
) -> None:
    """Write the end of the run in `folder` beside what its logger wrote.

    The final metrics are written under `result/` (`result/test/accuracy`): the curves
    of training keep their own last points.

    Args:
        folder: the run's, with its config, result and pictures already in place.
        model: drawn as a graph, traced in evaluation mode.
        example: a batch as `model.forward` takes it: a tensor or a tuple of them.
    """
    from torch.utils.tensorboard import SummaryWriter

    run = RunReading(folder)
    step = int(run.result.get("steps") or 0)
    with SummaryWriter(log_dir=str(folder / "tensorboard")) as writer:
        metrics = {
            f"result/{name}": value
            for name, value in run.metrics.items()
            if value is not None
        }
        for name, value in metrics.items():
            writer.add_scalar(name, value, step)
        _write_hyper_parameters(writer, settings(run.config), metrics)
        for name, file in run.figures.items():
            show(writer, f"figures/{name}", file, step)
        if model is not None and example is not None:
            _write_graph(writer, model, example)


def show(writer: "SummaryWriter", tag: str, file: Path, step: int) -> None:
    """Write a picture (PNG) or a text of a run's figures."""
    if file.suffix == ".txt":
        # TensorBoard reads Markdown: four spaces keep lines and spaces as they are
        lines = file.read_text(encoding="utf-8").splitlines()
        writer.add_text(tag, "\n".join(f"    {line}" for line in lines), step)
    else:
        _write_picture(writer, tag, file, step)


def settings(config: dict[str, Any], prefix: str = "") -> dict[str, Setting]:
    """Flatten a config to `optimizer.lr`: numbers, truths, words, and lists of those.

    What is not set (None), and what is made of anything else, is left out.
    """
    flat: dict[str, Setting] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat |= settings(value, f"{name}.")
        elif isinstance(value, Setting):
            flat[name] = value
        elif isinstance(value, list) and all(isinstance(v, Setting) for v in value):
            flat[name] = json.dumps(value)
    return flat


def _write_hyper_parameters(
    writer: "SummaryWriter", config: dict[str, Setting], metrics: dict[str, float]
) -> None:
    # `SummaryWriter.add_hparams` makes a run of its own below this one, and Lightning's
    # `hp_metric` stays at -1: the summaries go into this run, at its end. Without the
    # first one, which lists the columns: TensorBoard takes one run's list for all, and
    # the settings only other models have would not be shown. It finds them itself.
    from torch.utils.tensorboard.summary import hparams

    _, start, end = hparams(config, metrics)
    for summary in (start, end):
        _add(writer, summary)


def _write_picture(writer: "SummaryWriter", tag: str, picture: Path, step: int) -> None:
    from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore

    # as it is: `add_image` would decode and encode again
    encoded = picture.read_bytes()
    width, height = (int.from_bytes(encoded[i : i + 4], "big") for i in (16, 20))
    image = Summary.Image(
        encoded_image_string=encoded, width=width, height=height, colorspace=4
    )
    summary = Summary(value=[Summary.Value(tag=tag, image=image)])
    _add(writer, summary, step)


def _add(writer: "SummaryWriter", summary: Any, step: int | None = None) -> None:
    assert writer.file_writer is not None  # it is open
    writer.file_writer.add_summary(summary, step)


def _write_graph(writer: "SummaryWriter", model: nn.Module, example: Any) -> None:
    said = io.StringIO()  # the tracer prints its failures before it raises them
    try:
        with torch.no_grad(), redirect_stdout(said), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tracing: the graph is but a picture
            writer.add_graph(_traced(model, example), example)
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        # What a forward with branches, dicts or custom operators raises when traced
        reason = str(error).strip().partition("\n")[0]
        log.warning(
            "no graph in TensorBoard: %s cannot be traced: %s", _name(model), reason
        )


def _traced(model: nn.Module, example: Any) -> nn.Module:
    """Trace a model once; `add_graph` by itself would do so twice, and compare."""
    was_training = model.training
    model.eval()
    try:
        return torch.jit.trace(model, example, check_trace=False)  # pyright: ignore
    finally:
        model.train(was_training)


def _name(model: nn.Module) -> str:
    return type(model).__name__
