"""The end of a run on the terminal: what came out, and what to do next."""

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nnlab.report.commands import next_commands, seen_from_here
from nnlab.report.run_reading import RunReading
from nnlab.report.wording import duration_text, metric_text, natural_order, reference
from nnlab.weights import Weights

_STATUS_STYLES = {"complete": "bold green", "failed": "bold red"}


def print_result(console: Console, folder: Path) -> None:
    """Print the result of the run in `folder`, and the commands that go on from it."""
    run = RunReading(folder)
    console.print()
    console.print(_headline(run))
    if run.cause:
        console.print(Text(run.cause, style="red"))
    if run.metrics:
        console.print(_metrics_table(run))
    comparison = _reference_table(run)
    if comparison:
        console.print(comparison)
        console.print(Text(_source(run), style="dim"))
        console.print()
    if run.result.get("remark"):
        console.print(Text(str(run.result["remark"]), style="italic"))
        console.print()
    console.print(Text("Next", style="bold"))
    for purpose, command in next_commands(run).items():
        console.print(Text(f"  # {purpose}", style="dim"))
        _print_whole(console, f"  {command}")
    report = folder / "report.html"
    if report.is_file():
        console.print(
            Text("  # look at the page of this run, in a browser", style="dim")
        )
        _print_whole(console, f"  {seen_from_here(report)}")


def _headline(run: RunReading) -> Text:
    line = Text(run.title, style="bold")
    line.append(f"  {run.status}", style=_STATUS_STYLES.get(run.status, "bold yellow"))
    if run.result.get("seconds") is not None:
        line.append(f" in {duration_text(run.result['seconds'])}", style="default")
    if (parameters := run.result.get("parameters")) is not None:
        weights = Weights(parameters, run.result.get("trainable", parameters))
        line.append(f", {weights}", style="default")
    return line


def _metrics_table(run: RunReading) -> Table:
    """One row a metric, one column a stage: test beside validation beside train."""
    stages = [s for s in ("test", "val", "train") if any(_of(run, s))]
    others = sorted(
        name for name in run.metrics if name.partition("/")[0] not in stages
    )
    found = {name for stage in stages for name in _of(run, stage)}
    names = sorted(found, key=natural_order)
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("")
    for stage in stages:
        table.add_column(
            stage, justify="right", style="bold" if stage == "test" else None
        )
    for name in names:
        values = (run.metrics.get(f"{stage}/{name}") for stage in stages)
        shown = ("" if value is None else metric_text(name, value) for value in values)
        table.add_row(Text(name), *map(Text, shown))
    for name in others:
        table.add_row(Text(name), Text(metric_text(name, run.metrics[name])))
    return table


def _of(run: RunReading, stage: str) -> list[str]:
    """The metrics of a stage by their short names."""
    prefix = f"{stage}/"
    return [
        name.removeprefix(prefix) for name in run.metrics if name.startswith(prefix)
    ]


def _reference_table(run: RunReading) -> Table | None:
    given = reference(run)
    if not given:
        return None
    table = Table(box=box.SIMPLE, pad_edge=False, title_justify="left")
    for heading in (given.metric, "published", "target", "reached"):
        table.add_column(
            Text(heading), justify="right" if heading != given.metric else "left"
        )
    style = "bold green" if given.is_met else "bold yellow"
    table.add_row(
        Text(given.verdict, style=style),
        Text(given.published),
        Text(given.target),
        Text(given.reached, style=style),
    )
    return table


def _source(run: RunReading) -> str:
    given = reference(run)
    return f"published: {given.source}" if given and given.source else ""


def _print_whole(console: Console, line: str) -> None:
    """Print a line that is to be copied: never broken, never shortened."""
    console.print(Text(line), soft_wrap=True)
