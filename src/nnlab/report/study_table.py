"""The end of a study: a row a case, a column a way, what came out."""

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

from rich import box
from rich.table import Table
from rich.text import Text

from nnlab.numerals import below_one, hundredths
from nnlab.report.wording import metric_text

Cells = Mapping[str, Mapping[str, Sequence[float]]]  # case -> way -> a value a seed


def study_table(cells: Cells, metric: str) -> Table:
    """Return the table for a terminal; the best ways of each case stand out."""
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column(metric)
    for way in _ways(cells):
        table.add_column(way, justify="right", no_wrap=True)
    for case, row in cells.items():
        best = best_ways(row)
        texts = [
            Text(cell_text(metric, row[way]), style="bold" if way in best else "")
            for way in _ways(cells)
        ]
        table.add_row(Text(case), *texts)
    return table


def study_markdown(cells: Cells, metric: str) -> str:
    """Return the table in Markdown, to be copied into a page."""
    ways = _ways(cells)
    lines = [f"| {metric} | {' | '.join(ways)} |", f"| --- |{' ---: |' * len(ways)}"]
    for case, row in cells.items():
        best = best_ways(row)
        texts = [
            f"**{cell_text(metric, row[way])}**"
            if way in best
            else cell_text(metric, row[way])
            for way in ways
        ]
        lines.append(f"| {case} | {' | '.join(texts)} |")
    return "\n".join(lines) + "\n"


def best_ways(row: Mapping[str, Sequence[float]]) -> list[str]:
    """Return the ways with the highest mean: several where they are equal."""
    means = {way: mean(values) for way, values in row.items() if values}
    return [way for way in means if means[way] == max(means.values())]


def cell_text(metric: str, values: Sequence[float]) -> str:
    """Return the mean, and with several seeds the standard deviation."""
    if not values:
        return "none"
    if len(values) == 1:
        return metric_text(metric, values[0])
    middle, spread = mean(values), stdev(values)
    if metric_text(metric, middle).endswith("%"):
        said = hundredths(middle, 1 if spread > 0.0025 else 2)
        digits = len(said.partition(".")[2])
        return f"{said} ± {100 * spread:.{digits}f} %"
    return f"{below_one(middle, '.4g')} ± {spread:.2g}"


def _ways(cells: Cells) -> list[str]:
    return list(next(iter(cells.values()), {}))
