"""The comparison as one self-contained page: sorted, filtered, looked into."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

import nnlab.report
from nnlab.folder import write
from nnlab.leaderboard.curves import page_entry
from nnlab.leaderboard.entries import Entry
from nnlab.leaderboard.table import TAKEN, mean_text, taken_text
from nnlab.leaderboard.verdict import TIES, verdict_sentence
from nnlab.report.run_reading import RunReading
from nnlab.template import template

_ROOM = Path(__file__).parent
_LOOK = Path(nnlab.report.__file__).parent / "page.css"


def write_comparison(
    file: Path,
    entries: Sequence[Entry],
    metric: str,
    *,
    more: bool,
    title: str,
    facts: Mapping[str, str],
) -> Path:
    """Write the page of ranked entries, and return its path.

    Its table is in the file itself, and read without JavaScript, which sorts and draws.
    """
    rows = [_row(*pair, metric, file.parent) for pair in enumerate(entries, start=1)]
    content = {
        "metric": metric,
        "more": more,
        "entries": rows,
    }
    text = template(_ROOM / "page.html.j2").render(
        title=title,
        metric=metric,
        verdict=verdict_sentence(entries, metric),
        facts=facts,
        ties=TIES,
        columns={
            "rank": "#",
            "name": "entry",
            "value": metric,
            "seeds": "seeds",
            **{name: heading for heading, name in TAKEN.items()},
        },
        rows=rows,
        css=Markup(_LOOK.read_text("utf-8") + (_ROOM / "page.css").read_text("utf-8")),
        script=Markup((_ROOM / "page.js").read_text(encoding="utf-8")),
        content=Markup(_embedded(content)),
        written=time.strftime("%Y-%m-%d %H:%M"),
    )
    write(file, text)
    return file


def _embedded(content: Any) -> str:
    # Within <script>, where `</script>` in a name would end it.
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c")


def _row(rank: int, entry: Entry, metric: str, folder: Path) -> dict[str, Any]:
    mean = entry.mean
    failed = f" ({len(entry.others)} failed)" if entry.others else ""
    return {
        "rank": rank,
        "name": entry.name,
        "value": mean.value if mean else None,
        "half": mean.half_width if mean else None,
        "seeds": len(entry.runs),
        **{name: entry.of(name) for name in TAKEN.values()},
        "cells": [
            str(rank) if mean else "",
            entry.name,
            mean_text(metric, mean),
            f"{len(entry.runs)}{failed}",
            *(taken_text(entry, heading) for heading in TAKEN),
        ],
        "folders": [_link(run, folder) for _, run in sorted(entry.runs.items())],
        "failed": [{**_link(run, folder), "cause": run.cause} for run in entry.others],
        **page_entry(entry),
    }


def _link(run: RunReading, folder: Path) -> dict[str, str]:
    path = os.path.relpath(run.path.resolve(), folder.resolve())
    return {"folder": path, "status": run.status, "seed": str(run.config.get("seed"))}
