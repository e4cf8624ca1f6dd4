"""Checks of one training: what the plugin does in it, and leaves behind."""

import math
import pickle
from functools import partial
from typing import Any

from nnlab.build import build, facts_of, fill_facts, make
from nnlab.compose import Composer
from nnlab.testing.bench import Bench, Failed, Skipped
from nnlab.testing.case import Case, Words
from nnlab.testing.child import Crashed, Refused
from nnlab.testing.fit import Fit, config_of, far


def fits(bench: Bench, case: Case) -> str:
    """A whole run with it trains, tests, and is on record."""
    found = bench.run(case)
    losses = [
        value for row in found.rows for key, value in row.items() if key == "train/loss"
    ]
    bad = [value for value in losses if not math.isfinite(value)]
    if bad:
        raise Failed(f"the training loss became {bad[0]}")
    names = [each["name"] for each in found.plugins]
    if bench.plugin.name not in names:
        raise Failed(
            f"the run's environment.json names the plugins {names}, not this one"
        )
    on = f"{found.config['choices']['model']} on {found.config['choices']['data']}"
    return f"{found.result['steps']} steps of {on}"


def logs(bench: Bench, case: Case) -> str:
    """A regularizer tells how strong it is, under its own name."""
    prefix = f"{case.group}/"
    if case.group != "regularizer":
        raise Skipped("only a regularizer must log")
    found = {key for row in bench.run(case).rows for key in row}
    names = sorted(key for key in found if key.startswith(prefix))
    if not names:
        raise Failed(
            f'logs nothing under "{prefix}…"; self.log("{prefix}{case.option}", value)'
        )
    return ", ".join(names)


def task_loss(bench: Bench, case: Case) -> str:
    """The loss that is logged and handed to others is the task's own."""
    changed = bench.outcome(Fit(bench.words(case))).changed_loss
    if changed is not None:
        raise Failed(
            f"changes the loss in on_before_backward ({changed[0]:.6g} -> "
            f"{changed[1]:.6g}); add the penalty's gradient in on_before_optimizer_step"
        )
    return "on_before_backward leaves it alone"


def optimized(bench: Bench, case: Case) -> str:
    """Every weight that learns was there when the optimizer was made."""
    outcome = bench.outcome(Fit(bench.words(case)))
    if outcome.late:
        raise Failed(
            f"changes the parameters after the optimizer was made "
            f"({_few(outcome.late)}); do it in setup"
        )
    if outcome.not_optimized:
        raise Failed(f"the optimizer does not hold {_few(outcome.not_optimized)}")
    return f"{len(outcome.weights)} parameters"


def cleans_up(bench: Bench, case: Case) -> str:
    """After teardown the model is as it was before setup."""
    words = bench.words(case)
    left = bench.outcome(Fit(words)).left_behind
    if case.group in ("regularizer", "callback"):
        usual = bench.outcome(Fit(bench.words(case, without=True))).left_behind
        left = [each for each in left if each not in usual]
    if left:
        raise Failed(f"leaves behind {_few(left)}; take it away in teardown")
    return "no hook, method or parametrization stays"


def pickles(bench: Bench, case: Case) -> str:
    """It can be sent to a process that is spawned."""
    words = bench.words(case)
    if case.group in ("regularizer", "callback"):
        plain = bench.outcome(Fit(words))
        copied = bench.outcome(Fit(words, is_pickled=True))
        gap = far(plain.weights, copied.weights)
        if gap != 0:
            raise Failed(f"its unpickled copy trains to weights {gap:.2g} apart")
        return "its copy trains to the same bits"
    try:
        return bench.call(partial(_pickled, words, case.group))
    except (Refused, Crashed) as error:
        raise Failed(str(error)) from error


def _pickled(words: Words, group: str) -> str:
    composer = Composer()
    config = config_of(words)
    if group == "data":
        whole: Any = make(config["data"], "data", composer.plugins)
    elif group == "model":
        facts = facts_of(make(config["data"], "data", composer.plugins))
        whole = make(fill_facts(config, facts), "model", composer.plugins)
    else:
        model = build(config, composer.plugins).model
        optimizer = model.make_optimizer(model.parameters())
        whole = (
            optimizer if group == "optimizer" else model.make_schedule(optimizer, 10)
        )
    copy = pickle.loads(pickle.dumps(whole))  # our own
    if type(copy) is not type(whole):
        raise Failed(f"its copy is a {type(copy).__name__}")
    return f"{type(whole).__name__} comes back"


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (
        f" and {len(names) - 3} more" if len(names) > 3 else ""
    )
