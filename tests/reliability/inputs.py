"""What a hasty hand types: one sentence, exit status 2, nothing written."""

import test_errors
import test_fuzz
import test_issue3_mistakes
import test_newcomer

from nnlab.cli import main
from reliability.forked import ended_fork
from reliability.row import Bench
from reliability.typos import SWEEPS

MISTAKES = [
    words
    for table in (test_errors, test_newcomer, test_issue3_mistakes)
    for words in table.MISTAKES.values()
] + [*SWEEPS.values()]


def bad_inputs(bench: Bench, times: int) -> list[str]:
    """Type what the tests know of: names, types, ranges, pairings, folders, hardware.

    The sentence must hold what the test of it asks for: key, value, what is accepted.
    """
    lines: list[str] = []
    for number, (words, wanted) in enumerate(MISTAKES[:times]):
        folder = bench.folder / str(number)
        folder.mkdir()
        ended = ended_fork(lambda words=words: main(words.split()), folder)
        good = ended.status == 2 and ended.errors.count("\n") == 1
        good = good and ended.errors.startswith("nnlab: ") and wanted in ended.errors
        good = good and not list(folder.iterdir())
        lines.append("" if good else f"{words}: {ended.status} {ended.errors[-300:]}")
    return lines


def fuzzed(bench: Bench, times: int) -> list[str]:
    """Draw overrides of every key in conf/, most of them wrong (hypothesis)."""
    ended = test_fuzz.endings(times, bench.folder)
    return [
        "" if each.is_well else f"{words}: {each.status} {each.said[-300:]}"
        for words, each in ended
    ]
