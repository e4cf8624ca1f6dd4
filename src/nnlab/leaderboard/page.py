"""The comparison as one self-contained page: sorted, filtered, looked into."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

import nnlab.report
from nnlab.folder import write
from nnlab.leaderboard.curves import page_entry
from nnlab.leaderboard.entries import Entry
from nnlab.leaderboard.table import mean_text, short_number, verdict_sentence
from nnlab.report.run_reading import RunReading
from nnlab.report.wording import duration_text
from nnlab.template import template

_ROOM = Path(__file__).parent
_LOOK = Path(nnlab.report.__file__).parent / "page.css"


def write_comparison(
    file: Path, entries: Sequence[Entry], metric: str, *, more: bool, title: str
) -> Path:
    """Write the page of ranked entries, and return its path."""
    content = {
        "metric": metric,
        "more": more,
        "entries": [
            _row(rank, entry, metric, file.parent)
            for rank, entry in enumerate(entries, start=1)
        ],
    }
    text = template(_ROOM / "page.html.j2").render(
        title=title,
        metric=metric,
        verdict=verdict_sentence(entries, metric),
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
    mean, seconds = entry.mean, entry.of("seconds")
    return {
        "rank": rank,
        "name": entry.name,
        "value": mean.value if mean else None,
        "half": mean.half_width if mean else None,
        "shown": mean_text(metric, mean),
        "seeds": len(entry.runs),
        "parameters": entry.of("parameters"),
        "parameters_shown": short_number(entry.of("parameters")),
        "flops": entry.of("flops"),
        "flops_shown": short_number(entry.of("flops")),
        "seconds": seconds,
        "seconds_shown": "" if seconds is None else duration_text(seconds),
        "best_epoch": entry.of("best_epoch"),
        "folders": [_link(run, folder) for _, run in sorted(entry.runs.items())],
        "failed": [{**_link(run, folder), "cause": run.cause} for run in entry.others],
        **page_entry(entry),
    }


def _link(run: RunReading, folder: Path) -> dict[str, str]:
    path = os.path.relpath(run.path.resolve(), folder.resolve())
    return {"folder": path, "status": run.status, "seed": str(run.config.get("seed"))}
