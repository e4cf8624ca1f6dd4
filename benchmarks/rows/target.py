"""From the shell to a target and back: LeNet-5 to 99 %, a GPT to 1.91."""

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rows.nanogpt import prepared, train
from rows.row import HERE, NNLAB, Given, Row, Spent, compared, of_time, spent
from rows.steps import BAR, MKL_BAR, TOKENS, is_onednn, shown

LENET5 = "experiment=lenet5_quick"
LIGHTNING = "plain Lightning, torchvision's DataLoader"
SHAKESPEARE = "experiment=shakespeare_char_cpu"
FEW = 300  # steps, where only their time is asked
MKL = "callback=[throughput]"  # without onednn, as on other processors than AMD's


def lenet5(given: Given) -> Iterator[Row]:
    """Yield LeNet-5's time to 99 % of MNIST's test set: one recipe, twice."""
    if given.quick or not given.has_mnist:
        return
    pairs: list[tuple[Spent, Spent]] = []
    reached: list[tuple[float, float]] = []
    for seed in range(3):
        ours, accuracy = tested("test/accuracy", LENET5, f"seed={seed}")
        theirs = spent(*lightning(given.data, epochs=3, seed=seed))
        pairs.append((ours, theirs))
        reached.append((accuracy, float(theirs.output.split()[-1])))
    row = of_time("", f"the same recipe in {LIGHTNING}", pairs, 1 / 3)
    least, peers_least = (min(each) for each in zip(*reached, strict=True))
    yield row._replace(
        what=f"LeNet-5 to 99 % of MNIST (`{LENET5}`), shell to exit, three seeds",
        ours=f"{row.ours}, at least {least:.2%}",
        theirs=f"{row.theirs}, at least {peers_least:.2%}",
    )


def lightning(data: Path, *, epochs: int, seed: int) -> tuple[str, ...]:
    """Return the command that trains LeNet-5 in plain Lightning."""
    peer = HERE / "peers/plain_lightning.py"
    return (sys.executable, str(peer), str(data), str(epochs), str(seed))


def shakespeare(given: Given) -> Iterator[Row]:
    """Yield a GPT's time to a loss of 1.91, and its step's, beside nanoGPT's."""
    if given.quick or not given.has_shakespeare or given.nanogpt is None:
        return
    with tempfile.TemporaryDirectory() as own:
        folder = prepared(given.nanogpt, given.data, Path(own))
        if is_onednn():
            yield beside_train(folder, "step, gpt", BAR)
        yield beside_train(folder, "step, gpt through MKL", MKL_BAR, MKL)
        ours, loss = tested("test/loss", SHAKESPEARE)
        other = train(folder, 2000)
    row = of_time("", "", [(ours, other.spent)], None)
    yield row._replace(
        what=f"GPT to val 1.91 on Shakespeare (`{SHAKESPEARE}`), shell to exit",
        peer="nanoGPT's own train.py",
        ours=f"{row.ours}, val {loss:.4f}",
        theirs=f"{row.theirs}, val {other.loss:.4f}",
    )


def beside_train(folder: Path, what: str, bar: float, *words: str) -> Row:
    """Compare a step's time by the clock with the one that train.py prints."""
    turns = [(step_seconds(FEW, *words), train(folder, FEW).step) for _ in range(5)]
    row = compared(f"{what}, {TOKENS} tokens, by the clock", "", turns, "{}", bar)
    return row._replace(
        peer="nanoGPT's own train.py",
        ours=shown(float(row.ours), TOKENS, "tokens"),
        theirs=shown(float(row.theirs), TOKENS, "tokens"),
    )


def tested(metric: str, *words: str) -> tuple[Spent, float]:
    """Run nnlab; return what it took, and a metric of its test."""
    with tempfile.TemporaryDirectory() as folder:
        took = spent(*NNLAB, *words, f"folder={folder}/run")
        result = json.loads((Path(folder) / "run/result.json").read_text())
    return took, result["metrics"][metric]


def step_seconds(steps: int, *words: str) -> float:
    """Return the median of the seconds that a GPT's step took, by the clock."""
    with tempfile.TemporaryDirectory() as folder:
        words = (SHAKESPEARE, "pictures=0", f"trainer.max_steps={steps}", *words)
        spent(*NNLAB, *words, f"folder={folder}/run")
        text = (Path(folder) / "run/metrics.jsonl").read_text()
    rates = re.findall(r'"throughput/tokens_per_second": ([0-9.]+)', text)
    return TOKENS / sorted(map(float, rates))[len(rates) // 2]
