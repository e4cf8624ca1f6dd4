"""One self-contained page for a run: result, curves, pictures, config, environment."""

import base64
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from nnlab.report.commands import next_commands
from nnlab.report.learning_curves import learning_curves
from nnlab.report.run_reading import RunReading
from nnlab.report.wording import facts, metric_text, natural_order, reference, verdict
from nnlab.template import template

MOST_FRAMES = 24  # of one picture over training: each adds its bytes to the page
_STAGES = ("test", "val", "train", "")
_ROOM = Path(__file__).parent
TEMPLATE = _ROOM / "page.html.j2"


@dataclass(frozen=True)
class Frame:
    """A picture at one moment of the training, as a data URI; or a text."""

    moment: str
    source: str | None
    text: str | None = None


def write_page(folder: Path) -> Path:
    """Write `report.html` from the files in `folder`, and return its path.

    Whatever the folder lacks, the page leaves out, so that a failed run has one too.
    """
    run = RunReading(folder)
    metrics = _metrics_by_stage(run)
    page = template(TEMPLATE).render(
        run=run,
        css=Markup((_ROOM / "page.css").read_text(encoding="utf-8")),
        script=Markup((_ROOM / "page.js").read_text(encoding="utf-8")),
        verdict=verdict(run),
        facts=facts(run),
        reference=reference(run),
        metrics=metrics,
        stages=[s for s in _STAGES if any(s in row for row in metrics.values())],
        curves={name: Markup(svg) for name, svg in learning_curves(run.rows).items()},
        pictures=_pictures(run),
        config=yaml.safe_dump(run.config, sort_keys=False, allow_unicode=True),
        environment=_flat(run.environment),
        commands=next_commands(run),
        written=time.strftime("%Y-%m-%d %H:%M"),
    )
    path = folder / "report.html"
    unfinished = path.with_suffix(".html.part")
    unfinished.write_text(page, encoding="utf-8")
    os.replace(unfinished, path)  # noqa: PTH105  # atomic on Windows as well
    return path


def _metrics_by_stage(run: RunReading) -> dict[str, dict[str, str]]:
    """The final metrics as they are shown: name -> stage -> value; test first."""
    table: dict[str, dict[str, str]] = {}
    for name in sorted(run.metrics, key=natural_order):
        stage, _, short = name.partition("/")
        if stage not in _STAGES:
            stage, short = "", name
        table.setdefault(short, {})[stage] = metric_text(name, run.metrics[name])
    return table


def _pictures(run: RunReading) -> dict[str, list[Frame]]:
    """Every picture by its name: over training, then the one of the end."""
    pictures: dict[str, list[Frame]] = {}
    for name in sorted({*run.figures, *run.over_training}):
        frames = _evenly(list(run.over_training.get(name, {}).items()))
        moments = [_frame(f"step {step:,}", path) for step, path in frames]
        if name in run.figures:
            moments.append(_frame("the end, on test data", run.figures[name]))
        pictures[name.replace("_", " ")] = moments
    return pictures


def _evenly(frames: list[Any]) -> list[Any]:
    if len(frames) <= MOST_FRAMES:
        return frames
    last = len(frames) - 1
    kept = sorted({round(i * last / (MOST_FRAMES - 1)) for i in range(MOST_FRAMES)})
    return [frames[position] for position in kept]


def _frame(moment: str, file: Path) -> Frame:
    if file.suffix == ".txt":
        return Frame(moment, None, file.read_text(encoding="utf-8"))
    return Frame(moment, _data_uri(file))


def _data_uri(picture: Path) -> str:
    encoded = base64.b64encode(picture.read_bytes()).decode("ascii")
    return f"data:image/png;base64,{encoded}"


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key} · ")
        elif isinstance(value, list):
            flat[f"{prefix}{key}"] = ", ".join(map(str, value)) or "none"
        else:
            words = {None: "none", True: "yes", False: "no"}
            is_word = value is None or isinstance(value, bool)
            flat[f"{prefix}{key}"] = words[value] if is_word else str(value)
    return flat
