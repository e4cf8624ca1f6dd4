"""What came out of a study: its cells' results, as a table and a picture."""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from nnlab.folder import RunFolder, write, write_json
from nnlab.picture.compared import compared
from nnlab.report.commands import seen_from_here
from nnlab.report.png import write_picture
from nnlab.report.study_table import Cells, study_markdown, study_table
from nnlab.study.study import Study, said


def report(
    folder: Path, study: Study, targets: Mapping[str, list[str]], console: Console
) -> None:
    """Print the table, and write it and its picture into the study's folder."""
    cells = cells_of(folder, study)
    console.print(study_table(cells, study.metric))
    meant = [f"{name}: {' '.join(words)}" for name, words in targets.items()]
    for line in meant:
        console.print(line, markup=False, soft_wrap=True)
    table = study_markdown(cells, study.metric)
    write(folder / "table.md", table + "".join(f"\n- {line}" for line in meant) + "\n")
    write_json(folder / "table.json", cells)
    picture = folder / "figures" / "cases.png"
    picture.parent.mkdir(exist_ok=True)
    figure = compared(cells, columns=len(study.sizes), title=study.metric)
    write_picture(figure, picture)
    for file in (folder / "table.md", picture):
        console.print(seen_from_here(file), soft_wrap=True)


def cells_of(folder: Path, study: Study) -> Cells:
    """Return what came out by case and by way, a value for each seed that is done."""
    rows = {
        (target, size): f"{target}, {size} ({_images(study.sizes[size])})"
        for target in study.targets
        for size in study.sizes
    }
    ways = {way: said(way) for way in study.ways}
    cells: dict[str, dict[str, list[float]]] = {
        row: {way: [] for way in ways.values()} for row in rows.values()
    }
    for file in sorted(folder.rglob("result.json")):
        job = RunFolder(file.parent)
        cell, metrics = job.config()["study"], job.read_json("result.json")["metrics"]
        if cell is not None:  # the source is no cell
            row = rows[cell["target"], cell["size"]]
            cells[row][ways[cell["way"]]].append(metrics[study.metric])
    return cells


def _images(size: int | None) -> str:
    return "all" if size is None else f"{size:,}"
