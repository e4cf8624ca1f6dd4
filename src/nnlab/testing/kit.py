"""The conformance kit: every check by name, and the verdict on one option."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from nnlab.errors import UserError
from nnlab.plugins import Plugin
from nnlab.testing import compared, fixed, watched
from nnlab.testing.bench import Bench, Failed, Skipped
from nnlab.testing.case import TRAINED, Case, cases_of

State = Literal["passes", "FAILS", "skipped", "waived"]
Function = Callable[[Bench, Case], str]

# In this order: a check relies on those before it.
OF_EVERY_OPTION: dict[str, Function] = {
    "composes": fixed.composes,
    "targets": fixed.targets,
    "fits": watched.fits,
}
OF_WHAT_TRAINS: dict[str, Function] = {
    "logs": watched.logs,
    "task_loss": watched.task_loss,
    "optimized": watched.optimized,
    "cleans_up": watched.cleans_up,
    "repeats": compared.repeats,
    "resumes": compared.resumes,
    "pickles": watched.pickles,
    "accumulates": compared.accumulates,
    "loss_scale": compared.ignores_loss_scale,
    "ranks": compared.agrees_over_ranks,
    "fsdp2": compared.fsdp2_is_ddp,
}
CHECKS = ("manifest", *OF_EVERY_OPTION, *OF_WHAT_TRAINS)


@dataclass(frozen=True)
class Verdict:
    """What a check says of an option, or of the whole plugin."""

    check: str
    option: str  # `regularizer=l1`; the plugin's name where it is about all of it
    state: State
    sentence: str


def cases(plugin: Plugin) -> list[Case]:
    """Return the options to check; none where the manifest cannot be read."""
    try:
        return cases_of(plugin, CHECKS)
    except UserError:
        return []  # said by the check of the manifest


def judge_manifest(bench: Bench) -> Verdict:
    """Check what holds for the plugin as a whole."""
    try:
        sentence = fixed.manifest(bench)
        cases_of(bench.plugin, CHECKS)
    except (Failed, UserError) as fault:
        return Verdict("manifest", bench.plugin.name, "FAILS", str(fault))
    return Verdict("manifest", bench.plugin.name, "passes", sentence)


def judge(check: str, bench: Bench, case: Case) -> Verdict:
    """Make one check of one option."""
    function = (OF_EVERY_OPTION | OF_WHAT_TRAINS)[check]
    if check in case.waived:
        return Verdict(check, case.name, "waived", case.waived[check])
    try:
        return Verdict(check, case.name, "passes", function(bench, case))
    except Failed as fault:
        return Verdict(check, case.name, "FAILS", str(fault))
    except Skipped as reason:
        return Verdict(check, case.name, "skipped", str(reason))


def checks_of(case: Case) -> list[str]:
    """Return the names of the checks that an option of this group must pass."""
    trains = OF_WHAT_TRAINS if case.group in TRAINED else {}
    names = [*OF_EVERY_OPTION, *trains]
    return [name for name in names if name != "logs" or case.group == "regularizer"]


def judge_all(plugin: Plugin) -> Iterator[Verdict]:
    """Make every check of every option, check by check."""
    with Bench(plugin) as bench:
        whole = judge_manifest(bench)
        yield whole
        if whole.state == "FAILS":
            return
        options = cases(plugin)
        for check in CHECKS[1:]:
            for case in options:
                if check in checks_of(case):
                    yield judge(check, bench, case)
