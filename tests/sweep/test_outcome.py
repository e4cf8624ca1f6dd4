"""How a job ended is told from what is left of it."""

import pytest

from nnlab.folder import RunFolder
from nnlab.sweep.outcome import outcome, tail

PRINTED = "epoch 1/2  loss 0.5\n"
TRACE = f"{PRINTED}Traceback (most recent call last):\n  here\nKeyError: 'x'\n"
CASES = {
    "a mistake": (2, None, "nnlab: no key 'x'\n", "failed", "no key 'x'"),
    "a failure": (1, "failed", PRINTED, "failed", "ValueError: it"),
    "a traceback": (1, "running", TRACE, "failed", "KeyError: 'x'"),
    "two tracebacks, two lines": (
        *(1, "running", f"{TRACE}\nDuring handling of it\n{TRACE}and more\n"),
        *("failed", "KeyError: 'x'"),
    ),
    "an exit": (
        *(3, "running", PRINTED),
        *("failed", "exited with status 3 before it was complete"),
    ),
    "an exit without a reason": (
        *(0, "running", PRINTED),
        *("failed", "exited with status 0 before it was complete"),
    ),
    "a kill": (-9, "running", PRINTED, "interrupted", "killed by SIGKILL"),
    "a stop": (143, "interrupted", PRINTED, "interrupted", "stopped by SIGTERM"),
    "Ctrl-C": (130, "interrupted", PRINTED, "interrupted", "stopped by SIGINT"),
    "a crash": (-11, "running", PRINTED, "failed", "killed by SIGSEGV"),
    "a kill after the end": (-9, "complete", PRINTED, "complete", None),
}


@pytest.mark.parametrize(
    ("status", "found", "printed", "said", "cause"), CASES.values(), ids=CASES
)
def test_each_end_has_its_name(status, found, printed, said, cause, tmp_path):
    if found:
        RunFolder(tmp_path).write_status(found, "ValueError: it")
    assert outcome(tmp_path, status, printed) == (said, cause)


def test_only_the_last_attempts_words_are_read(tmp_path):
    log = tmp_path / "log.txt"
    assert tail(log) == ""
    log.write_text("nnlab: old\nnew\n")
    assert tail(log, start=11) == "new\n"
    assert tail(log, most=4) == "new\n"
