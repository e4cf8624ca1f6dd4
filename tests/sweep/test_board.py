"""What a terminal shows of a sweep."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from nnlab.sweep.board import Board, chosen, last_line
from nnlab.sweep.job import Job
from nnlab.sweep.ledger import Ledger


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    (tmp_path / "night/logs").mkdir(parents=True)
    ledger = Ledger(tmp_path / "night", [])
    jobs = ledger.enrol([[f"trainer.max_epochs={n}", "seed=1"] for n in range(30)])
    for job in jobs[:20]:
        job.status = "complete"
    jobs[20].status, jobs[21].status = "failed", "running"
    jobs[20].cause = "the run failed: RuntimeError"
    jobs[0].metrics = {"test/loss": 0.25, "test/accuracy": 0.5}
    ledger.log(jobs[21]).write_text("epoch 1/9\nepoch 2/9  loss 0.5\n\n")
    return ledger


def terminal(height: int) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=80, height=height)


def drawn(ledger: Ledger, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=80, height=height)
    board = Board(ledger, terminal(height))
    console.print(board.table({21: 5.0}, now=12.5))
    return console.file.getvalue().rstrip().splitlines()  # pyright: ignore


def test_the_table_fits_the_terminal(ledger):
    lines = drawn(ledger, 12)
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 80
    assert lines[0] == "night: 30 jobs, 1 running, 1 failed, 8 waiting, 20 complete"


def test_it_shows_what_runs_what_failed_and_what_comes_next(ledger):
    text = "\n".join(drawn(ledger, 12))
    assert "max_epochs=21" in text
    [row] = [line for line in text.splitlines() if " 21" in line or line[:2] == "21"]
    shown = ["21", "max_epochs=21", "running", "7.5", "s", "epoch", "2/9", "loss"]
    assert row.split()[:-1] == shown
    assert "the run failed: Runtime" in text
    assert "max_epochs=22" in text
    assert "max_epochs=1 " not in text


def test_a_short_sweep_is_shown_whole_in_its_order(ledger):
    text = "\n".join(drawn(ledger, 60))
    assert [f"max_epochs={n} " in text for n in range(30)] == 30 * [True]
    assert "test/accuracy 50.00 %  test/l" in text, "the loss last"


def test_the_newest_of_what_is_over_are_shown():
    jobs = [Job(number, [], "", status="complete") for number in range(9)]
    assert [job.number for job in chosen(jobs, 3)] == [6, 7, 8]


def test_elsewhere_a_job_is_a_line_and_nothing_moves(ledger):
    file = io.StringIO()
    board = Board(ledger, Console(file=file, width=80))
    jobs = list(ledger.jobs.values())
    with board:
        board.show({21: 0.0})
        board.tell(jobs[0])
        board.tell(jobs[20])
    assert file.getvalue() == (
        "21/30  trainer.max_epochs=0  complete  "
        "test/accuracy 50.00 %  test/loss 0.25  0.0 s\n"
        "21/30  trainer.max_epochs=20  failed  the run failed: RuntimeError  0.0 s\n"
    )


def test_a_log_that_is_not_there_yet_says_nothing():
    assert last_line(Path("nowhere.txt")) == ""
