"""Runs into entries: the same settings with other seeds are one entry."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from typing import Any

from nnlab.leaderboard.statistics import Mean, mean_of
from nnlab.report.past_runs import flat
from nnlab.report.run_reading import RunReading

# What does not make a run another experiment.
ASIDE = ("folder", "output_dir", "sweep", "choices", "reference", "threads", "pictures")
# Names of metrics of which less is better, unless the run's monitor says.
LESS = ("loss", "error", "fid", "perplexity", "bits", "wrong")


@dataclass
class Entry:
    """The runs of one setting, over seeds; of a seed that was run twice, the newest.

    Attributes:
        name: in what it differs from the other entries: `model=lenet5`.
        metric: what is compared: `test/accuracy`.
        runs: complete ones with the metric, by seed.
        others: failed, interrupted, or without the metric.
    """

    name: str
    metric: str
    runs: dict[int, RunReading] = field(default_factory=dict[int, RunReading])
    others: list[RunReading] = field(default_factory=list[RunReading])

    @cached_property
    def values(self) -> dict[int, float]:
        """The metric by seed."""
        return {s: float(run.metrics[self.metric] or 0) for s, run in self.runs.items()}

    @cached_property
    def mean(self) -> Mean | None:
        """The metric's mean over the seeds; None without a complete run."""
        return mean_of(list(self.values.values())) if self.runs else None

    @cached_property
    def data(self) -> str:
        """The data that its runs were tested on, by name."""
        runs = [*self.runs.values(), *self.others]
        choices = runs[0].config.get("choices") or {} if runs else {}
        return str(choices.get("data"))

    def of(self, name: str) -> float | None:
        """Return the median of what the runs took: seconds, parameters, best_epoch."""
        found = [run.result.get(name) for run in self.runs.values()]
        numbers = [float(x) for x in found if isinstance(x, int | float)]
        return median(numbers) if numbers else None


def entries_of(runs: Iterable[RunReading], metric: str) -> list[Entry]:
    """Group runs by their settings, seeds aside; name each by what differs.

    The runs come newest first, as `past_runs` gives them.
    """
    groups: dict[str, list[RunReading]] = {}
    for run in runs:
        groups.setdefault(_identity(run), []).append(run)
    names = names_of([group[0] for group in groups.values()])
    return [
        _entry(name, metric, group)
        for name, group in zip(names, groups.values(), strict=True)
    ]


def _entry(name: str, metric: str, group: list[RunReading]) -> Entry:
    entry = Entry(name, metric)
    for run in group:
        value = run.metrics.get(metric)
        is_number = isinstance(value, int | float) and math.isfinite(value)
        seed = int(run.config.get("seed", 0))
        if run.status != "complete" or not is_number:
            entry.others.append(run)
        elif seed not in entry.runs:
            entry.runs[seed] = run
    return entry


def settings_of(run: RunReading) -> dict[str, Any]:
    """Return what makes a run the experiment it is: all settings but the seed."""
    kept = {key: value for key, value in run.config.items() if key not in ASIDE}
    seed = run.config.get("seed")
    return {
        key: value
        for key, value in flat(kept).items()
        if key != "seed" and not (key.endswith(".seed") and value == seed)
    }


def _identity(run: RunReading) -> str:
    return json.dumps(settings_of(run), sort_keys=True, default=str)


def names_of(runs: Sequence[RunReading]) -> list[str]:
    """Return for each run, in words, in what it differs from the others.

    The words it was started with, where they tell all runs apart; else its settings.
    """
    words = [
        [w.lstrip("+") for w in run.overrides if _key(w) not in (*ASIDE, "seed")]
        for run in runs
    ]
    common = set.intersection(*(set(own) for own in words)) if words else set[str]()
    names = [" ".join(w for w in own if w not in common) for own in words]
    if len(runs) > 1 and len(set(names)) == len(names) and all(names):
        return names
    return _names_by_settings(runs)


def _key(word: str) -> str:
    return word.lstrip("+~").partition("=")[0].partition(".")[0]


def _names_by_settings(runs: Sequence[RunReading]) -> list[str]:
    """Name runs by their choices, then by settings in which equal choices differ."""
    chosen = [dict(run.config.get("choices") or {}) for run in runs]
    groups = [
        g for g in dict.fromkeys(k for c in chosen for k in c) if _differ(g, chosen)
    ]
    groups = [g for g in groups if g != "experiment"] or groups
    settings = [settings_of(run) for run in runs]
    keys = list(dict.fromkeys(k for s in settings for k in s))
    names: list[str] = []
    for mine, choice in zip(settings, chosen, strict=True):
        words = [f"{group}={_said(choice.get(group))}" for group in groups]
        same = [
            other
            for other, its in zip(settings, chosen, strict=True)
            if all(its.get(g) == choice.get(g) for g in groups)
        ]
        words += [
            f"{k}={_said(mine.get(k))}" for k in keys if _differ(k, same) and k in mine
        ]
        names.append(" ".join(words) or f"model={_said(choice.get('model'))}")
    return names


def _differ(key: str, nodes: Sequence[dict[str, Any]]) -> bool:
    return len({json.dumps(node.get(key), default=str) for node in nodes}) > 1


def _said(value: Any) -> str:
    return f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)


def more_is_better(metric: str, runs: Iterable[RunReading]) -> bool:
    """Tell whether the larger value wins: as the runs' monitors and references say.

    Of an accuracy it does, though an experiment may show how low one stays; and where
    the runs say this and that, the metric's name decides.
    """
    short = metric.rpartition("/")[2]
    said: set[bool] = set()
    for run in runs:
        reference = run.config.get("reference") or {}
        monitor = run.config.get("monitor") or {}
        if reference.get("metric") == metric:
            said.add(reference.get("better") == "higher")
        elif str(monitor.get("metric", "")).rpartition("/")[2] == short:
            said.add(monitor.get("mode") == "max")
    if len(said) == 1 and not short.startswith("accuracy"):
        return said.pop()
    return not any(word in short for word in LESS)


def common_metric(runs: Sequence[RunReading]) -> str | None:
    """Return the metric to compare: the runs' reference's, else accuracy, else loss."""
    names = [set(run.metrics) for run in runs if run.status == "complete"]
    if not names:
        return None
    shared = set.intersection(*names)
    wanted = {(run.config.get("reference") or {}).get("metric") for run in runs}
    monitors = {str((run.config.get("monitor") or {}).get("metric")) for run in runs}
    twins = [name.replace("val/", "test/", 1) for name in sorted(monitors)]
    order = [*sorted(filter(None, wanted)), "test/accuracy", *twins, "test/loss"]
    found = [name for name in order if name in shared]
    rest = sorted(name for name in shared if name.startswith("test/")) or sorted(shared)
    return next(iter([*found, *rest]), None)
