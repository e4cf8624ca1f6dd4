"""How fast text becomes tokens, and tokens become batches, on one core.

    NNLAB_DATA=<folder> python benchmarks/tokenizer.py

Printed is the best of five passes over Tiny Shakespeare, in MB of UTF-8 a second on the
processor (not by the clock: other programs run too), GPT-2's beside Hugging Face's; and
the tokens a second of random windows from a memory-mapped file. Exit status 1 where a
bar is missed.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tokenizers
import torch

from nnlab.data.shakespeare import SHA256, SIZE, URL
from nnlab.download import data_folder, obtain
from nnlab.tokenizer.bpe import Bpe
from nnlab.tokenizer.byte import Byte
from nnlab.tokenizer.char import Char
from nnlab.tokenizer.gpt2 import Gpt2
from nnlab.tokenizer.tokenizer import Tokenizer
from nnlab.tokenizer.unigram import Unigram
from nnlab.tokenizer.word import Word
from nnlab.tokenizer.wordpiece import WordPiece
from nnlab.windows import RandomWindows

BARS = {"gpt2": 15.0}  # MB/s
WINDOWS_BAR = 200.0  # Mtok/s
ROUNDS = 5


def rate(work: Callable[[], object], amount: float) -> float:
    """Return the best of the rounds, in `amount` a second."""
    best = 0.0
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        best = max(best, amount / (time.process_time() - started))
    return best


def hugging_face(vocabulary: Path, merges: list[str]) -> tokenizers.Tokenizer:
    """Return GPT-2's tokens as Hugging Face encodes them."""
    pairs = [tuple(merge.split(" ")) for merge in merges]
    model = tokenizers.models.BPE(json.loads(vocabulary.read_bytes()), pairs)
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    return made


def windows_rate(batch_size: int = 64, context_size: int = 1024) -> float:
    """Return millions of tokens a second, from a file of 100 million."""
    batches = 200
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ids.npy"
        drawn = np.random.default_rng(0).integers(0, 50_000, 100_000_000, np.uint16)
        np.save(file, drawn)
        ids = torch.from_numpy(np.asarray(np.load(file, mmap_mode="c")))
        windows = RandomWindows(
            ids,
            context_size=context_size,
            batch_size=batch_size,
            batches=batches,
            seed=0,
        )

        def epoch() -> None:
            for (window,) in windows:
                assert window.dtype == torch.int64

        return rate(epoch, batches * batch_size * context_size / 1e6)


def main() -> int:
    """Measure, print a line each; return the exit status."""
    torch.set_num_threads(1)
    path = data_folder(None) / "shakespeare" / "input.txt"
    text = obtain((URL,), path, sha256=SHA256, size=SIZE).decode()
    size = {"vocabulary_size": 2048, "special": ("unknown",)}
    kinds: list[Tokenizer] = [
        Char(special=()),
        Byte(special=()),
        Word(**size),
        Bpe(vocabulary_size=2048, special=()),
        WordPiece(**size),
        Unigram(**size),
        Gpt2(data_dir=None),
    ]
    missed = False
    print("tokenizer    MB/s      bar")
    for tokenizer in kinds:
        tokenizer.train([text])
        tokenizer.encode_array(text[:1000])  # what is made once
        reached = rate(lambda t=tokenizer: t.encode_array(text), SIZE / 1e6)
        bar = BARS.get(tokenizer.kind)
        print(f"{tokenizer.kind:10} {reached:6.1f} {bar or '':>8}")
        missed |= bar is not None and reached < bar
    vocabulary = data_folder(None) / "gpt2" / "encoder.json"
    if vocabulary.is_file():
        other = hugging_face(vocabulary, kinds[-1].merges)  # pyright: ignore
        reached = rate(lambda: other.encode(text), SIZE / 1e6)
        same = other.encode(text).ids == kinds[-1].encode(text)
        print(f"Hugging Face's gpt2 {reached:.1f} MB/s, same ids: {same}")
        missed |= not same
    reached = windows_rate()
    print(f"windows of 1,024, 64 a batch: {reached:.0f} Mtok/s (bar {WINDOWS_BAR:.0f})")
    return int(missed or reached < WINDOWS_BAR)


if __name__ == "__main__":
    sys.exit(main())
