"""`nnlab prepare` beside datatrove: the same steps, in turns, on one core.

    python -m venv peer
    peer/bin/pip install 'datatrove[io,processing]' spacy xxhash
    python benchmarks/corpus.py <file.warc.wet.gz> --datatrove peer/bin/python

Each turn is a whole command in processes of its own, start-up and all, on one core:
ours with the archive's language headers and without, then theirs. Printed are processor
and wall seconds, MB of text read a second of both, and how much longer the others take.
Bars: 8 MB a second, 8 times datatrove. docs/common_crawl.md: what is alike, and what
is not. Before it, our reader beside fastwarc's own loop.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import tokenizers
from fastwarc.warc import ArchiveIterator

from nnlab.corpus.document import Document
from nnlab.corpus.filter.language import model_file
from nnlab.corpus.reader.wet import read
from nnlab.tokenizer.gpt2 import Gpt2

RATE_BAR, RATIO_BAR = 8.0, 8.0  # MB a second; times datatrove
PEER = Path(__file__).parent / "corpus" / "peer.py"
CAP = 1 << 24  # bytes of a record
READINGS = 5
VARIANTS = {
    "nnlab": [],
    "nnlab, headers ignored": ["data.filter.language.trusts_header=false"],
}


class Cost(NamedTuple):
    """What a command took: seconds on the processor and by the clock; its output."""

    processor: float
    wall: float
    said: str


def cost(command: list[str], folder: str) -> Cost:
    """Run a command, and return what it and its children took."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        sys.exit(f"{' '.join(command)}\n{ended.stderr[-2_000:]}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(spent, wall, ended.stdout)


def ours(archive: Path, words: list[str]) -> Cost:
    """Run `nnlab prepare` with one worker; it says its documents and tokens."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nnlab", "prepare", "data=common_crawl"]
        command += [f"data.source={archive}", f"data.folder={folder}/out"]
        spent = cost([*command, "executor.workers=1", *words], folder)
        books = json.loads(Path(folder, "out/manifest.json").read_text())
    tokens = sum(each["tokens"] for each in books["shards"])
    said = f"{books['counts']['kept']:,} documents, {tokens:,} tokens"
    return spent._replace(said=said)


def theirs(python: str, archive: Path, vocabulary: Path) -> Cost:
    """Run the same steps in datatrove; it says its documents and tokens."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "archives")
        place.mkdir()
        (place / archive.name).symlink_to(archive)
        command = [python, str(PEER), str(place), f"{folder}/out", str(model_file())]
        spent = cost([*command, str(vocabulary)], folder)
    return spent._replace(said=spent.said.splitlines()[-1])


def write_vocabulary(file: Path) -> None:
    """Write GPT-2's tokenizer as Hugging Face's library reads it."""
    gpt2 = Gpt2(data_dir=None)
    gpt2.train([])
    pairs = [tuple(merge.split(" ")) for merge in gpt2.merges]
    single = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    pieces = [*single, *map("".join, pairs), "<|endoftext|>"]
    numbered = {piece: number for number, piece in enumerate(pieces)}
    made = tokenizers.Tokenizer(tokenizers.models.BPE(numbered, pairs))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.add_special_tokens(["<|endoftext|>"])
    made.save(str(file))


def read_ours(archive: Path) -> int:
    """Return the bytes of text that our reader finds."""
    items = read(archive, maximum_bytes=CAP)
    return sum(len(item.content) for item in items if isinstance(item, Document))


def read_bare(archive: Path) -> int:
    """Return the bytes of content that fastwarc alone finds."""
    with archive.open("rb") as file:
        records = ArchiveIterator(file, parse_http=False)
        return sum(len(record.reader.read()) for record in records)


def time_reading(archive: Path) -> float:
    """Print how fast both read, the best of some turns; return the MB of text."""
    best = {read_ours: 0.0, read_bare: 0.0}
    size: dict[Callable[[Path], int], int] = {}
    for _ in range(READINGS):
        for way in best:
            started = time.process_time()
            size[way] = way(archive)
            rate = size[way] / 1e6 / (time.process_time() - started)
            best[way] = max(best[way], rate)
    print(
        f"reading alone: {best[read_ours]:.0f} MB/s; fastwarc bare "
        f"{best[read_bare]:.0f} MB/s; {best[read_ours] / best[read_bare]:.2f} of it"
    )
    return size[read_ours] / 1e6


def judged(found: dict[str, list[Cost]], megabytes: float) -> int:
    """Print the medians of all turns; return 1 where a bar is missed."""
    print(f"{megabytes:.1f} MB of text, medians of {len(found['nnlab'])} turns\n")
    print(f"{'':24}{'processor':>10}{'wall':>8}{'MB/s':>7}{'wall':>6}   kept")
    middle = {
        name: [
            median(column) for column in zip(*(each[:2] for each in costs), strict=True)
        ]
        for name, costs in found.items()
    }
    for name, (processor, wall) in middle.items():
        rates = f"{megabytes / processor:7.1f}{megabytes / wall:6.1f}"
        said = found[name][-1].said
        print(f"{name:24}{processor:8.1f} s{wall:6.1f} s{rates}   {said}")
    missed = megabytes / middle["nnlab"][0] < RATE_BAR
    if "datatrove" in middle:
        for name in VARIANTS:
            by = [b / a for a, b in zip(middle[name], middle["datatrove"], strict=True)]
            print(f"datatrove takes {by[0]:.1f} times as long as {name} "
                  f"({by[1]:.1f} by the clock)")  # fmt: skip
            missed |= by[0] < RATIO_BAR
    return int(missed)


def main() -> int:
    """Measure in turns; return the exit status."""
    parser = argparse.ArgumentParser(description="nnlab prepare beside datatrove")
    parser.add_argument("archive", type=lambda name: Path(name).absolute())
    parser.add_argument("--datatrove", help="a Python that has datatrove")
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    megabytes = time_reading(asked.archive)
    if asked.datatrove is None:
        print("datatrove is left out: no --datatrove says which Python has it")
    found: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = Path(folder, "tokenizer.json")
        write_vocabulary(vocabulary)
        for _ in range(asked.turns):
            for name, words in VARIANTS.items():
                found.setdefault(name, []).append(ours(asked.archive, words))
            if asked.datatrove:
                peer = theirs(asked.datatrove, asked.archive, vocabulary)
                found.setdefault("datatrove", []).append(peer)
    return judged(found, megabytes)


if __name__ == "__main__":
    sys.exit(main())
