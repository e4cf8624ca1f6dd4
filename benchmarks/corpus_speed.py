"""CPU seconds of the stages of `nnlab prepare`, and of the reader of its shards.

    python benchmarks/corpus_speed.py data=common_crawl data.source=<file.warc.wet.gz>

One process does everything, its start left out; the words are those of `prepare`.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from nnlab.compose import Composer, plain
from nnlab.corpus.fingerprint import fingerprint
from nnlab.corpus.plan import make_plan, write_plan
from nnlab.corpus.stages import stages
from nnlab.corpus.tokenise import write_vocabulary
from nnlab.corpus.worker import Task, perform
from nnlab.data._shard_windows import Shards, ShuffledWindows
from nnlab.prepare import checked_settings, checked_source, checked_tokenizer

TOKENS, CONTEXT, BATCH = 100_000_000, 1_024, 64


def time_stages(words: list[str], folder: str) -> None:
    """Print the seconds of each stage, and the text read a second of all."""
    composer = Composer(config_name="prepare")
    config = plain(composer.compose([*words, f"data.folder={folder}/corpus"]))
    settings = checked_settings(config)
    tokenizer = checked_tokenizer(config, composer.plugins)
    files = checked_source(settings).files()
    identity = {"kind": tokenizer.kind, "fingerprint": "benchmark"}
    plan = make_plan(settings.place, files, settings.deciding(), identity)
    write_plan(plan)
    fingerprint("its library is loaded now")
    total = size = 0.0
    for stage in stages(plan):
        if stage.name == "tokenise":
            write_vocabulary(plan, tokenizer)
        start = time.process_time()
        for unit in range(stage.count(plan)):
            source = files[unit].name if stage.reads else None
            done = perform(Task(str(plan.folder), stage.name, unit, source))
            size += done.marker["counts"].get("text_bytes", 0) if stage.reads else 0
        seconds = time.process_time() - start
        total += seconds
        print(f"{stage.name:12} {seconds:8.2f} s")
    print(f"{size / 1e6:.1f} MB of text, {size / 1e6 / total:.1f} MB/s")


def time_reader(folder: str) -> None:
    """Print how many tokens a second come in batches from two shards."""
    draw = np.random.default_rng(0)
    rows = []
    for number in range(2):
        file = Path(folder) / f"{number}.bin"
        draw.integers(0, 50_257, TOKENS // 2, np.uint16).tofile(file)
        rows.append(np.asarray(np.memmap(file, np.uint16, "c")))
    loader = ShuffledWindows(
        Shards(rows, CONTEXT), batch_size=BATCH, batches=None, seed=0
    )
    start = time.process_time()
    tokens = sum(BATCH * CONTEXT for _ in loader)
    print(f"reader: {tokens / 1e6 / (time.process_time() - start):.0f} Mtok/s")


if __name__ == "__main__":
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        time_stages(sys.argv[1:], place)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{peak:.0f} MB with torch, which a worker does not load")
        time_reader(place)
