"""The learning curves of a run as drawings to put into a page."""

from collections.abc import Iterable

from nnlab.picture.curves import Series
from nnlab.report.curve_drawing import curve_drawing
from nnlab.report.run_reading import Row

MOST_POINTS = 600  # a series; more cannot be told apart at this size
FAMILY = 4  # so many metrics of one first name share a frame
MOST_LINES = 6  # of which so many are drawn, evenly chosen
Points = tuple[list[float], list[float]]  # steps, values
_STAGES = ("train", "val")
_NAMES = {"val": "validation"}


def learning_curves(rows: Iterable[Row]) -> dict[str, str]:
    """Return one SVG for each metric, train and validation in one frame.

    The loss is first, the accuracy second, the learning rate last.
    """
    groups = _groups(rows)
    order = sorted(groups, key=lambda name: (_place(name), name))
    return {name: curve_drawing(name.replace("_", " "), groups[name]) for name in order}


def _groups(rows: Iterable[Row]) -> dict[str, dict[str, Series]]:
    points: dict[str, dict[str, Points]] = {}
    for row in rows:
        for name, value in row.items():
            stage, _, short = name.partition("/")
            if name in ("step", "epoch") or stage == "test":
                continue
            if not isinstance(value, int | float) or "step" not in row:
                continue
            group, line = (short, stage) if stage in _STAGES else (name, name)
            line = _NAMES.get(line, line)
            steps, values = points.setdefault(group, {}).setdefault(line, ([], []))
            steps.append(row["step"])
            values.append(value)
    _settle_epoch_means(points)
    _gather_families(points)
    return {
        group: {name: _thinned(*lines[name]) for name in sorted(lines)}
        for group, lines in points.items()
    }


def _gather_families(points: dict[str, dict[str, Points]]) -> None:
    """Draw `gradient/conv1`, `gradient/conv2`, ... in one frame, some of very many."""
    families: dict[str, list[str]] = {}
    for group, lines in points.items():
        family, slash, _ = group.partition("/")
        if slash and list(lines) == [group]:
            families.setdefault(family, []).append(group)
    for family, members in families.items():
        if len(members) < FAMILY:
            continue
        last = len(members) - 1
        kept = {round(i * last / (MOST_LINES - 1)) for i in range(MOST_LINES)}
        series = {m.partition("/")[2]: points.pop(m)[m] for m in members}
        names = [name for i, name in enumerate(series) if i in kept]
        points[family] = {name: series[name] for name in names}


def _settle_epoch_means(points: dict[str, dict[str, Points]]) -> None:
    """Means over an epoch stand in for the curve where there is no finer one."""
    for group in [name for name in points if name.endswith("_epoch")]:
        for line, series in points.pop(group).items():
            points.setdefault(group.removesuffix("_epoch"), {}).setdefault(line, series)


def _thinned(steps: list[float], values: list[float]) -> Series:
    stride = -(-len(steps) // MOST_POINTS)
    if stride <= 1:
        return steps, values
    # The last point is where the training ended: it stays
    kept = sorted({*range(0, len(steps), stride), len(steps) - 1})
    return [steps[i] for i in kept], [values[i] for i in kept]


def _place(name: str) -> int:
    return {"loss": 0, "accuracy": 1, "learning_rate": 3}.get(name, 2)
