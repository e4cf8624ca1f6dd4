"""Rows of numbers in text: a .csv, with or without a header, or what was typed."""

import csv
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nnlab.errors import UserError
from nnlab.given.given import UNKNOWN, Given, Texts
from nnlab.numerals import counted

LABELS = ("label", "class", "target")  # the header of the column with the right answer


class Rows(NamedTuple):
    """Rows by name; a label is -1 where there is no column of labels."""

    names: list[str]
    numbers: Float[Tensor, "rows columns"]
    labels: Int[Tensor, " rows"]


def read_rows(
    given: Given, *, columns: int, classes: int | None = None, takes: str | None = None
) -> Rows:
    """Return all rows that were given, checked.

    Args:
        columns: how many numbers a row has, without its label.
        classes: how many labels there are; None: any.
        takes: what to say that this run reads, where it is nothing of the kind.

    Raises:
        UserError: naming the line that is no row of so many finite numbers.
    """
    takes = takes or f"rows of {counted(columns, 'number')}"
    if not isinstance(given, Texts):
        raise UserError(f"input={given.names[0]} is a picture; this run reads {takes}")
    names: list[str] = []
    numbers: list[list[float]] = []
    labels: list[int] = []
    for text in _each(given):
        label_at: int | None = None
        for number, (place, line) in enumerate(text.lines()):
            cells = _cells(line)
            if number == 0 and not given.is_typed and not all(map(_is_number, cells)):
                label_at = _label_column(cells)
                continue
            row = [_number(cell, place, takes) for cell in cells]
            label = (
                UNKNOWN
                if label_at is None or label_at >= len(row)
                else row.pop(label_at)
            )
            if len(row) != columns:
                raise UserError(
                    f"input={place}: {counted(len(row), 'number')}, where "
                    f"this run reads {takes}"
                )
            names.append(place)
            numbers.append(row)
            labels.append(_label(label, classes, place))
    if not numbers:
        raise UserError(f"input={given.names[0]} has no row; this run reads {takes}")
    return Rows(names, torch.tensor(numbers), torch.tensor(labels))


def _each(given: Texts) -> Sequence[Texts]:
    pairs = zip(given.names, given.texts, strict=True)
    return [Texts([name], [text], given.is_typed) for name, text in pairs]


def _cells(line: str) -> list[str]:
    delimiter = next((mark for mark in ",;\t" if mark in line), None)
    if delimiter is None:
        return line.split()
    [cells] = csv.reader([line], delimiter=delimiter)
    return [cell.strip() for cell in cells]


def _label_column(header: list[str]) -> int | None:
    named = [name.lower() for name in header]
    return next((named.index(name) for name in LABELS if name in named), None)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(cell: str, place: str, takes: str) -> float:
    if not _is_number(cell) or not math.isfinite(float(cell)):
        raise UserError(
            f"input={place}: {cell!r} is no finite number (nor a file's name); this "
            f"run reads {takes}"
        )
    return float(cell)


def _label(label: float, classes: int | None, place: str) -> int:
    beyond = classes is not None and label >= classes
    if label != UNKNOWN and (beyond or label < 0 or label != int(label)):
        most = "" if classes is None else f"; they go from 0 to {classes - 1}"
        raise UserError(f"input={place}: there is no class {label:g}{most}")
    return int(label)
