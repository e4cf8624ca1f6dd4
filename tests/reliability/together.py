"""Several at once: starts, two in one folder, two that prepare the same data."""

import hashlib
import re
from pathlib import Path

from corpus.conftest import page

from reliability.lives import holder, wait_for
from reliability.models import MODELS, QUIET
from reliability.row import Bench

AT_ONCE = 8


def starts_at_once(bench: Bench, times: int) -> list[str]:
    """Start several in the same moment: each has a folder of its own, whole."""
    outputs = bench.folder / "outputs"
    words = ("data.repeats=2", "trainer.max_epochs=1", f"output_dir={outputs}", *QUIET)
    jobs = [bench.lives.begin(*words) for _ in range(times)]
    ended = [bench.lives.end_of(job, 120) for job in jobs]
    whole = {file.parent.name for file in outputs.glob("*/*/result.json")}
    missing = times - len(whole)
    lines = [f"ended with {status}" if status else "" for status in ended]
    return [f"{missing} folders are missing", *lines[1:]] if missing else lines


def two_in_one_folder(bench: Bench, times: int) -> list[str]:
    """Continue a run that is alive: refused, and its process is named."""
    lines: list[str] = []
    for trial in range(times):
        place = bench.folder / f"held{trial}"
        job = bench.lives.begin(*MODELS[0].words, *QUIET, f"folder={place}")
        wait_for(place / "environment.json")
        owner = holder(place)
        ended = bench.lives.run(f"resume={place}")
        wanted = f"nnlab: {place} is in use by process {owner}; wait for it, or end it"
        said = bench.lives.said.strip()
        first = bench.lives.end_of(job, 120)
        good = ended == 2 and said == wanted and first == 0
        lines.append("" if good else f"{ended}, {first}: {said[-300:]}")
    return lines


def prepared_at_once(bench: Bench, times: int) -> list[str]:
    """Prepare the same text twice at once: one does, the other waits or is refused.

    What is left is what one alone leaves.
    """
    text = bench.folder / "text"
    text.mkdir()
    for number in range(40):
        (text / f"{number}.txt").write_text(page(number, words=200))
    words = ("prepare", "data=webtext", f"data.source={text}", "tokenizer=byte")
    words += ("data.language=null",)
    alone = bench.folder / "alone"
    if bench.lives.run(*words, f"data.folder={alone}"):
        return [bench.lives.said[-300:]]
    lines: list[str] = []
    for trial in range(times):
        both = bench.folder / f"both{trial}"
        jobs = [bench.lives.begin(*words, f"data.folder={both}") for _ in range(2)]
        ended = sorted(bench.lives.end_of(job, 120) or 0 for job in jobs)
        good = ended in ([0, 0], [0, 2]) and _bytes(both) == _bytes(alone)
        lines.append("" if good else f"{ended}: {bench.lives.said[-300:]}")
    return lines


def _bytes(folder: Path) -> dict[str, str]:
    """Return what the shards hold; the report has the time and the folder in it."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and re.search(r"\.(bin|npy|txt)$", path.name)
    }
