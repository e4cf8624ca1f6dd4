"""What a run's metrics.jsonl says of a trial, while it runs and when it is over."""

import json
import math
from pathlib import Path
from typing import Any

from nnlab.folder import RunFolder
from nnlab.sweep.search.options import OF_RESULT


class Watch:
    """Reads a metric's new values from a growing metrics.jsonl.

    Args:
        file: it need not be there yet.
        metric: one value each validation.
    """

    def __init__(self, file: Path, metric: str) -> None:
        self.file, self.metric = file, metric
        self._offset = self._count = 0

    def news(self) -> list[tuple[int, float]]:
        """Return what was measured since: the number of the validation, and the value.

        A run that continues drops lines after its checkpoint, and writes them again.
        """
        try:
            size = self.file.stat().st_size
            if size == self._offset:
                return []
            if size < self._offset:
                self._offset = self._count = 0
            with self.file.open("rb") as stream:
                stream.seek(self._offset)
                text = stream.read()
        except FileNotFoundError:
            return []
        whole, newline, _ = text.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        found: list[tuple[int, float]] = []
        for row in _rows(whole):
            if self.metric in row:
                self._count += 1
                found.append((self._count, row[self.metric]))
        return found


def final_values(run: RunFolder, metrics: tuple[str, ...]) -> list[float]:
    """Return a finished run's metrics, of the weights that it kept.

    Args:
        run: its folder.
        metrics: of validation or training, or what result.json says of it.

    Returns:
        The values; NaN where nothing was measured.
    """
    result, monitor = run.read_json("result.json"), run.config()["monitor"]
    file = run.path / "metrics.jsonl"
    rows = _rows(file.read_bytes()) if file.is_file() else []
    kept = _kept(rows, monitor)
    values: list[float] = []
    for name in metrics:
        if name in OF_RESULT:
            values.append(float(result.get(name, math.nan)))
            continue
        until = [row for row in rows if name in row]
        if kept is not None:
            until = [row for row in until if row["step"] <= kept["step"]] or until
        values.append(float(until[-1][name]) if until else math.nan)
    return values


def _kept(rows: list[dict[str, Any]], monitor: dict[str, str]) -> dict[str, Any] | None:
    """Return the row of the weights that the run has kept."""
    metric, sign = monitor["metric"], 1 if monitor["mode"] == "min" else -1
    told = [row for row in rows if metric in row and math.isfinite(row[metric])]
    return min(told, key=lambda row: sign * row[metric], default=None)


def _rows(text: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for line in text.splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:  # a kill has cut it
            continue
    return rows
