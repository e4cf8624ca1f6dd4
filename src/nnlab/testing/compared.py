"""Checks of two trainings that must end with the same weights."""

import socket
from dataclasses import replace
from typing import Any

from nnlab.testing.bench import Bench, Failed, Skipped
from nnlab.testing.case import Case, Words
from nnlab.testing.fit import BATCHES, KILLED_AFTER, Fit, far
from nnlab.testing.probe import Outcome

CLOSE = 1e-6  # of weights near 1 in 32-bit floats, after a few steps
SCALES = (2.0**6, 2.0**14)


def repeats(bench: Bench, case: Case) -> str:
    """The same seed gives the same bits."""
    fit = Fit(bench.words(case))
    first, second = bench.outcome(fit), bench.outcome(replace(fit, is_again=True))
    gap = far(first.weights, second.weights)
    if gap != 0:
        raise Failed(
            f"two runs of one seed end with weights {gap:.2g} apart; draw from a "
            "torch.Generator seeded with (seed, step)"
        )
    return f"{first.steps} steps twice, the same bits"


def resumes(bench: Bench, case: Case) -> str:
    """A run that is killed in mid-epoch goes on to the same bits."""
    words = bench.words(case)
    straight = bench.outcome(Fit(words))
    folder = bench.folder / f"resume-{case.group}-{case.option}"
    killed = Fit(words, checkpoints=folder, is_killed=True)
    try:
        bench.outcome(killed)
    except Failed as verdict:
        if "exit -9" not in str(verdict):
            raise
    else:
        raise Skipped(f"its run ends before step {KILLED_AFTER}")
    resumed = bench.outcome(Fit(words, checkpoints=folder, resumes=True))
    gap = far(straight.weights, resumed.weights)
    if gap != 0:
        raise Failed(
            f"killed after {KILLED_AFTER + 1} steps and resumed, its weights end "
            f"{gap:.2g} from those of a run that was not; keep what it needs in "
            "state_dict, and draw by (seed, step)"
        )
    return f"killed after {KILLED_AFTER + 1} of {straight.steps} steps, the same bits"


def accumulates(bench: Bench, case: Case) -> str:
    """Two half batches accumulated are the batch."""
    small, large = _batchings(bench, bench.words(case))
    first, second = bench.outcome(small), bench.outcome(large)
    if first.has_batch_norm:
        raise Skipped("the model's batch norm reads whole batches")
    gap = far(first.weights, second.weights)
    if gap <= _tolerance(bench, case):
        return f"weights within {gap:.1g}"
    if _draws(bench, small):
        raise Skipped("draws numbers for each batch, so two halves are not the whole")
    raise Failed(
        f"two half batches accumulated and one whole batch end {gap:.2g} apart; the "
        "gradient is whole in on_before_optimizer_step only"
    )


def ignores_loss_scale(bench: Bench, case: Case) -> str:
    """What a GradScaler multiplies the loss with changes nothing."""
    words = bench.words(case)
    first, second = (
        bench.outcome(Fit(words, loss_scale=scale)).weights for scale in SCALES
    )
    gap = far(first, second)
    if gap > CLOSE:
        raise Failed(
            f"loss scales 2^6 and 2^14 end {gap:.2g} apart; gradients are unscaled in "
            "on_before_optimizer_step only"
        )
    return f"scales 2^6 and 2^14: weights within {gap:.1g}"


def agrees_over_ranks(bench: Bench, case: Case) -> str:
    """Two ranks hold the same weights at the end."""
    first, second = _on_two_ranks(bench, case, "ddp_find_unused_parameters_true")
    gap = far(first.weights, second.weights)
    if gap != 0:
        raise Failed(
            f"two ranks end with weights {gap:.2g} apart; what is drawn or decided "
            "must be the same on each: seed it with (seed, step), not the rank"
        )
    return f"{first.steps} steps of DDP on two processes, the same bits"


def fsdp2_is_ddp(bench: Bench, case: Case) -> str:
    """Where the manifest declares it: weights in shards train as whole ones do."""
    if not case.fsdp2:
        raise Skipped("not declared in the manifest")
    first, _ = _on_two_ranks(bench, case, "ddp_find_unused_parameters_true")
    second, _ = _on_two_ranks(bench, case, None)
    gap = far(first.weights, second.weights)
    if gap > 10 * CLOSE:
        raise Failed(f"FSDP2 ends {gap:.2g} from DDP; see a whole weight, not a shard")
    return f"weights within {gap:.1g} of DDP's"


def _on_two_ranks(bench: Bench, case: Case, strategy: str | None) -> list[Outcome]:
    words = bench.words(case)
    settings: tuple[tuple[str, Any], ...] = (("trainer.devices", 2),)
    if strategy is None:
        words = (*words, "strategy=fsdp2")
    else:
        settings += (("trainer.strategy", strategy),)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return bench.ranks(Fit(words, settings), 2, port)


def _batchings(bench: Bench, words: Words) -> tuple[Fit, Fit]:
    """Return a fit whose batches are halves, and one with whole batches."""
    size = bench.outcome(Fit(words)).batch_size
    if not isinstance(size, int):
        raise Skipped("its data have no batch_size")
    halves = (("data.batch_size", size), ("trainer.accumulate_grad_batches", 2))
    wholes = (
        ("data.batch_size", 2 * size),
        ("trainer.limit_train_batches", BATCHES // 2),
    )
    return Fit(words, halves), Fit(words, wholes)


def _tolerance(bench: Bench, case: Case) -> float:
    """Return what rounding alone makes of the same comparison without the option."""
    if case.group not in ("regularizer", "callback"):
        return 1e-4
    small, large = _batchings(bench, bench.words(case, without=True))
    rounding = far(bench.outcome(small).weights, bench.outcome(large).weights)
    return max(CLOSE, 10 * rounding)


def _draws(bench: Bench, fit: Fit) -> bool:
    """Return whether another seed of what is drawn while training changes weights."""
    other = bench.outcome(replace(fit, noise_seed=123))
    return far(bench.outcome(fit).weights, other.weights) > CLOSE
