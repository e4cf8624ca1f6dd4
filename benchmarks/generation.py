"""Tokens a second with the cache, against nanoGPT's sample.py, in the same process.

    python benchmarks/generation.py --nanogpt <folder of nanoGPT's model.py>

sample.py calls `GPT.generate`, once for each sample, which reads the whole context for
each token; here both draw 256 tokens from a network of the same size (nanoGPT's CPU
setting: 4 layers, 4 heads, 128 wide, 65 characters), at sample.py's temperature of 0.8
and top-k of 200, in turns. Printed are the medians over the turns and of one's tokens a
second over the other's. Exit status 1 where a bar is missed.
"""

import argparse
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from nnlab.build import build_model
from nnlab.compose import Composer, plain
from nnlab.generate.options import Options
from nnlab.generate.sample import sample
from nnlab.generate.speech import evaluating

TOKENS, TEMPERATURE, TOP_K, VOCABULARY_SIZE = 256, 0.8, 200, 65
SIZES = {"layers": 4, "heads": 4, "embedding_size": 128}
# context_size, samples at once -> how many times nanoGPT's tokens a second
BARS = {(64, 1): 3.0, (256, 1): 8.0, (64, 16): 8.0}


def their_model(folder: Path, context_size: int) -> Any:
    """Make nanoGPT's network from the model.py in a folder."""
    file = folder / "model.py"
    spec = importlib.util.spec_from_file_location("nanogpt_model", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise SystemExit(f"there is no {file}; clone github.com/karpathy/nanoGPT")
    module = importlib.util.module_from_spec(spec)
    sys.modules["nanogpt_model"] = module
    spec.loader.exec_module(module)
    config = module.GPTConfig(
        block_size=context_size,
        vocab_size=VOCABULARY_SIZE,
        n_layer=SIZES["layers"],
        n_head=SIZES["heads"],
        n_embd=SIZES["embedding_size"],
        dropout=0.0,
        bias=False,
    )
    return module.GPT(config).eval()


def our_model(context_size: int) -> Any:
    """Build nnlab's network of the same size."""
    numbers = {
        **SIZES,
        "vocabulary_size": VOCABULARY_SIZE,
        "context_size": context_size,
        "dropout": 0.0,
        "use_bias": "false",
    }
    composer = Composer()
    words = [f"model.{name}={value}" for name, value in numbers.items()]
    return build_model(plain(composer.compose(["model=gpt", *words])), composer.plugins)


def turns(
    ours: Any, theirs: Any, samples: int, count: int
) -> list[tuple[float, float]]:
    """Return the seconds that each took to give all samples, a pair a turn."""
    options = Options(max_tokens=TOKENS, temperature=TEMPERATURE, top_k=TOP_K)

    def speak() -> None:
        prompt = torch.zeros(samples, 1, dtype=torch.long)
        with evaluating(ours):
            for _ in sample(ours, prompt, options, end=None):
                pass

    def sample_py() -> None:
        with torch.no_grad():
            for _ in range(samples):
                prompt = torch.zeros(1, 1, dtype=torch.long)
                theirs.generate(prompt, TOKENS, temperature=TEMPERATURE, top_k=TOP_K)

    return [(seconds(speak), seconds(sample_py)) for _ in range(count)]


def seconds(work: Callable[[], None]) -> float:
    """Return how long a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> int:
    """Measure, print a line a setting; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nanogpt", type=Path, required=True)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    missed = False
    print("context  samples   nnlab tok/s   nanoGPT tok/s   times   bar")
    for (context_size, samples), bar in BARS.items():
        ours, theirs = our_model(context_size), their_model(given.nanogpt, context_size)
        turns(ours, theirs, 1, 1)  # nobody's first time counts
        rows = turns(ours, theirs, samples, given.turns)
        fast, slow = (
            TOKENS * samples / statistics.median(row[column] for row in rows)
            for column in (0, 1)
        )
        times = statistics.median(row[1] / row[0] for row in rows)
        missed |= times < bar
        print(
            f"{context_size:7}  {samples:7}   {fast:11.0f}   {slow:13.0f}"
            f"   {times:5.1f}   {bar:3.0f}",
            flush=True,
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
