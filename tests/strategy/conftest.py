"""Runs of two processes, and what they are compared by."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

QUICK = ("pictures=0", "logger=[]", "trainer.log_every_n_steps=1")


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing at the end of a run, here and in its processes: seconds each."""
    monkeypatch.setattr("nnlab.fit.draw", lambda *_: {})
    monkeypatch.setattr("nnlab.fit.write_page", lambda _: None)


@pytest.fixture
def train(nnlab, no_pictures) -> Callable[..., Path]:
    """Train with these words into a folder of that name; return it."""

    def train(folder: str, *words: str) -> Path:
        answer = nnlab(*QUICK, *words, f"folder={folder}")
        assert answer.status == 0, answer.out + answer.err
        return Path(folder)

    return train


@pytest.fixture
def distance() -> Callable[[Path, Path], float]:
    """Return how far apart two runs' measured values are, at most."""

    def distance(one: Path, other: Path) -> float:
        first, second = curve(one), curve(other)
        assert first.keys() == second.keys()
        assert len(first) > 5
        return max(abs(first[key] - second[key]) for key in first)

    return distance


def curve(folder: Path) -> dict[tuple[int, str], float]:
    """Return every measured value by step and name."""
    values: dict[tuple[int, str], float] = {}
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        values |= {(row["step"], name): row[name] for name in row if "/" in name}
    return values
