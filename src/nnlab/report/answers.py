"""Answers of a model: a line each for the terminal, a table, a picture."""

import csv
import io
import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import torch

from nnlab.answer import Answer
from nnlab.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, SHOWN = 80, 20  # of the terminal; answers there
DRAWN, COLUMNS = 40, 10  # answers in a picture


def shown(names: Sequence[str], answers: Sequence[Answer], *, is_one: bool) -> str:
    """Return the first answers, each beside its example's name or below a long one."""
    if is_one:  # the person has just named it
        return textwrap.fill(answers[0].said, WIDTH) + "\n"
    lines: list[str] = []
    column = min(max(map(len, names[:SHOWN])), 24)
    for name, answer in zip(names[:SHOWN], answers, strict=False):
        first = f"{name:{column}}  "
        if len(name) > column:
            lines.append(name)
            first = " " * (column + 2)
        lines += textwrap.wrap(
            answer.said,
            WIDTH,
            initial_indent=first,
            subsequent_indent=" " * (column + 2),
        )
    if len(answers) > SHOWN:
        lines.append(
            f"… and {len(answers) - SHOWN:,} more; to=answers.csv has them all"
        )
    rights = [a.values["right"] for a in answers if "right" in a.values]
    if len(rights) > 1:
        verb = "is" if sum(rights) == 1 else "are"
        lines.append(f"{sum(rights):,} of {len(rights):,} {verb} right")
    return "\n".join(lines) + "\n"


def as_lines(names: Sequence[str], answers: Sequence[Answer]) -> str:
    """Return every answer as a line of JSON."""
    rows = _rows(names, answers)
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def as_table(names: Sequence[str], answers: Sequence[Answer]) -> str:
    """Return every answer as a row of CSV, a list's numbers in columns of their own."""
    flat = [dict(_flat(row)) for row in _rows(names, answers)]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(flat)
    return text.getvalue()


def as_picture(answers: Sequence[Answer]) -> "Figure":
    """Draw each answer's images below one another, ten answers side by side.

    Raises:
        UserError: where the answers have none.
    """
    from nnlab.picture.mosaic import mosaic

    kinds = list(answers[0].images)
    if not kinds:
        raise UserError("this run's answers hold no picture; try .csv or .jsonl")
    some = answers[:DRAWN]
    columns = min(COLUMNS, len(some))
    blank = torch.zeros_like(some[0].images[kinds[0]])
    tiles: list[torch.Tensor] = []
    for block in zip_longest(*[iter(some)] * columns):
        for kind in kinds:
            tiles += [blank if each is None else each.images[kind] for each in block]
    return mosaic(torch.stack(tiles), columns=columns)


def _rows(names: Sequence[str], answers: Sequence[Answer]) -> list[dict[str, Any]]:
    return [
        {"input": name, **answer.values}
        for name, answer in zip(names, answers, strict=True)
    ]


def _flat(row: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, list):
            yield from ((f"{name}_{place}", each) for place, each in enumerate(value))
        elif isinstance(value, dict):
            yield from ((f"{name}_{key}", each) for key, each in value.items())
        else:
            yield name, value
