"""A run that was killed continues to the very bits of one that was not."""

import signal
from pathlib import Path

import pytest
import torch
from reliability.bits import checkpoint, differences, run_differences, status
from reliability.deadly import BATCHES, STATEFUL, run_and_end, run_and_end_in

from nnlab.cli import main

SLOW = pytest.mark.slow


def assert_same_run(one: str, other: str) -> None:
    assert run_differences(one, other) == []


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> str:
    folder = str(tmp_path_factory.mktemp("runs") / "undisturbed")
    assert main([*STATEFUL, f"folder={folder}"]) == 0
    return folder


# Inside an accumulation window, after one, at the last batch of an epoch, at the first
# of the next, in the last epoch, at the very last batch.
@pytest.mark.parametrize(
    "batch",
    [
        5,
        BATCHES + 1,
        37,
        *(pytest.param(n, marks=SLOW) for n in (2, 6, BATCHES, 3 * BATCHES)),
    ],
)
def test_a_killed_run_continues_to_the_same_bits(batch, undisturbed, nnlab):
    ended = run_and_end(signal.SIGKILL, batch, *STATEFUL, "folder=killed")
    assert ended == -signal.SIGKILL
    assert status("killed") == "running"
    assert nnlab("resume=killed").status == 0
    assert status("killed") == "complete"
    assert_same_run("killed", undisturbed)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_saves_its_place_and_continues(number, undisturbed, nnlab):
    calm = [word for word in STATEFUL if not word.startswith("checkpoint_seconds")]
    batch = BATCHES + 5  # an accumulation window is open: it is finished first
    assert run_and_end(number, batch, *calm, "folder=stopped") == 128 + number
    assert status("stopped") == "interrupted"
    assert checkpoint("stopped")["global_step"] == (batch + 1) // 2
    assert nnlab("resume=stopped", "checkpoint_seconds=0").status == 0
    assert_same_run("stopped", undisturbed)


def test_a_run_killed_three_times_ends_as_one_that_was_not(undisturbed, nnlab):
    run_and_end(signal.SIGKILL, 9, *STATEFUL, "folder=killed")
    assert run_and_end(signal.SIGINT, 20, "resume=killed") == 130
    assert run_and_end(signal.SIGKILL, 33, "resume=killed") == -signal.SIGKILL
    assert nnlab("resume=killed").status == 0
    assert_same_run("killed", undisturbed)


def test_a_run_killed_before_its_first_checkpoint_starts_over(undisturbed, nnlab):
    run_and_end(signal.SIGKILL, 1, *STATEFUL, "folder=killed")
    assert not Path("killed/checkpoints/last.ckpt").exists()
    assert nnlab("resume=killed").status == 0
    assert_same_run("killed", undisturbed)


def test_a_kill_in_validation_costs_nothing(undisturbed, nnlab):
    ended = run_and_end_in(
        "on_validation_end", signal.SIGKILL, *STATEFUL, "folder=killed"
    )
    assert ended == -signal.SIGKILL
    assert nnlab("resume=killed").status == 0
    assert_same_run("killed", undisturbed)


@pytest.mark.parametrize(
    ("hook", "number"),
    [
        ("on_validation_start", signal.SIGTERM),
        pytest.param("on_validation_batch_end", signal.SIGTERM, marks=SLOW),
        pytest.param("on_validation_start", signal.SIGINT, marks=SLOW),
        pytest.param("on_validation_batch_end", signal.SIGINT, marks=SLOW),
    ],
)
def test_a_run_stopped_in_validation_ends_it_and_saves(
    hook, number, undisturbed, nnlab
):
    words = [*STATEFUL, "checkpoint_seconds=1000", "folder=stopped"]
    words.remove("checkpoint_seconds=0")
    assert run_and_end_in(hook, number, *words) == 128 + number
    assert status("stopped") == "interrupted"
    assert checkpoint("stopped")["global_step"] == BATCHES // 2
    assert nnlab("resume=stopped", "checkpoint_seconds=0").status == 0
    assert_same_run("stopped", undisturbed)


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=SLOW),
        pytest.param(signal.SIGKILL, marks=SLOW),
    ],
)
def test_a_run_stopped_in_its_test_only_tests_again(number, undisturbed, nnlab):
    ended = run_and_end_in("on_test_batch_end", number, *STATEFUL, "folder=stopped")
    assert ended == (-number if number == signal.SIGKILL else 128 + number)
    assert status("stopped") == (
        "running" if number == signal.SIGKILL else "interrupted"
    )
    assert nnlab("resume=stopped").status == 0
    assert status("stopped") == "complete"
    assert_same_run("stopped", undisturbed)


def test_a_finished_run_that_goes_on_ends_as_one_that_was_longer(nnlab):
    # A schedule that depends on the length would make another run of it.
    steady = [word for word in STATEFUL if not word.startswith("schedule")]
    longer = [word for word in steady if not word.startswith("trainer.max_epochs")]
    assert nnlab(*steady, "folder=short").status == 0
    assert nnlab("resume=short", "trainer.max_epochs=5").status == 0
    assert nnlab(*longer, "trainer.max_epochs=5", "folder=straight").status == 0
    for name in ("last", "best"):
        assert (
            differences(checkpoint("short", name), checkpoint("straight", name)) == []
        )
    rows = [Path(f, "metrics.jsonl").read_text() for f in ("short", "straight")]
    in_training = [[x for x in text.splitlines() if "test/" not in x] for text in rows]
    assert in_training[0] == in_training[1]


def test_a_finished_run_is_not_done_again(nnlab):
    words = ("data.repeats=1", "trainer.max_epochs=2", "pictures=0", "logger=[]")
    assert nnlab(*words, "folder=done").status == 0
    answer = nnlab("resume=done")
    assert answer.status == 2
    assert "complete after 2 epochs" in answer.err
    assert "trainer.max_epochs=4" in answer.err


def test_a_continued_run_takes_no_other_model(nnlab):
    words = ("data.repeats=1", "trainer.max_epochs=2", "pictures=0", "logger=[]")
    assert nnlab(*words, "folder=done").status == 0
    before = Path("done/config.yaml").read_bytes()
    for word in ("model.dropout=0.5", "optimizer.lr=0.5", "seed=3", "data=digits"):
        answer = nnlab("resume=done", word)
        assert answer.status == 2
        assert "would make another run" in answer.err
        assert answer.err.count("\n") == 1
    answer = nnlab("resume=done", "trainer.max_epoch=5")
    assert "did you mean max_epochs" in answer.err
    assert Path("done/config.yaml").read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("kill", range(30))
def test_thirty_random_kills_cost_no_bit(kill, undisturbed, nnlab):
    generator = torch.Generator().manual_seed(kill)
    batch = int(torch.randint(1, 3 * BATCHES, (), generator=generator))
    run_and_end(signal.SIGKILL, batch, *STATEFUL, "folder=killed")
    assert nnlab("resume=killed").status == 0
    assert_same_run("killed", undisturbed)


def test_lenet5_on_digits_continues_to_the_same_bits(nnlab):
    words = (
        "model=lenet5",
        "data=digits",
        "data.shift=1",
        "trainer.max_epochs=2",
        "+trainer.limit_train_batches=8",
        "pictures=0",
        "logger=[]",
        "checkpoint_seconds=0",
    )
    assert nnlab(*words, "folder=undisturbed").status == 0
    assert run_and_end(signal.SIGKILL, 11, *words, "folder=killed") < 0
    assert nnlab("resume=killed").status == 0
    assert_same_run("killed", "undisturbed")


def test_a_run_killed_after_its_best_and_before_its_last_starts_over(
    undisturbed, nnlab
):
    rare = [word for word in STATEFUL if not word.startswith("checkpoint_seconds")]
    run_and_end(
        signal.SIGKILL, BATCHES + 3, *rare, "checkpoint_seconds=1000", "folder=killed"
    )
    files = sorted(file.name for file in Path("killed/checkpoints").iterdir())
    assert files == ["best.ckpt"]
    assert nnlab("resume=killed").status == 0
    assert_same_run("killed", undisturbed)


# The batch that a validation follows, within an epoch, and the one after it.
@pytest.mark.parametrize("batch", [9, pytest.param(7, marks=SLOW), 15])
def test_a_validation_within_an_epoch_is_neither_lost_nor_done_twice(batch, nnlab):
    words = (*STATEFUL, "trainer.val_check_interval=4")
    assert nnlab(*words, "folder=calm").status == 0
    run_and_end(signal.SIGKILL, batch, *words, "folder=killed")
    assert nnlab("resume=killed").status == 0
    assert_same_run("killed", "calm")
