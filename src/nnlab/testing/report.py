"""The kit on the command line: `nnlab plugins check PATH`, a line a check."""

from collections.abc import Callable, Iterator
from itertools import groupby

from nnlab.plugins import Plugin
from nnlab.testing.kit import CHECKS, Verdict, judge_all

STATES = ("passes", "FAILS", "skipped", "waived")
WIDTH = max(map(len, CHECKS))


def check(plugin: Plugin, write: Callable[[str], object]) -> int:
    """Check a plugin, writing each line as it is known; return the exit status."""
    write(f"{plugin.title}  {plugin.folder}\n")
    counts = dict.fromkeys(STATES, 0)
    for _, verdicts in groupby(judge_all(plugin), key=lambda each: each.check):
        found = list(verdicts)
        for verdict in found:
            counts[verdict.state] += 1
        for line in _lines(found):
            write(f"{line}\n")
    said = [f"{counts['passes']} pass", f"{counts['FAILS']} fail"]
    said += [f"{counts[state]} {state}" for state in STATES[2:] if counts[state]]
    write(f"{', '.join(said)}\n")
    return 1 if counts["FAILS"] else 0


def _lines(verdicts: list[Verdict]) -> Iterator[str]:
    """Yield one line for all that pass, and one for each reason why others do not."""
    for state in STATES:
        found = [verdict for verdict in verdicts if verdict.state == state]
        if state == "passes" and len(found) > 1:
            yield _line(found[0], f"{len(found)} options")
            continue
        for sentence in dict.fromkeys(verdict.sentence for verdict in found):
            same = [verdict for verdict in found if verdict.sentence == sentence]
            name = f"{same[0].option}: " if len(same) == 1 else f"{len(same)} options: "
            is_alone = same[0].check == "manifest" or len(verdicts) == 1
            yield _line(same[0], f"{'' if is_alone else name}{sentence}")


def _line(verdict: Verdict, sentence: str) -> str:
    return f"{verdict.state:7}  {verdict.check:{WIDTH}}  {sentence}"
