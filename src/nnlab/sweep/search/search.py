"""The search itself: asks Optuna for trials, and tells it how their jobs ended."""

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nnlab.folder import RunFolder
from nnlab.report.mask import masked_override
from nnlab.sweep.job import Job, folder_name, identity
from nnlab.sweep.ledger import Ledger
from nnlab.sweep.search.options import SearchOptions
from nnlab.sweep.search.space import Space
from nnlab.sweep.search.study import (
    Study,
    Trial,
    TrialState,
    make_sampler,
    open_study,
    suggest_all,
)
from nnlab.sweep.search.values import Watch, final_values

WATCH_SECONDS = 0.2


@dataclass(frozen=True)
class Plan:
    """What a command wants searched, checked."""

    space: Space
    options: SearchOptions


class Search:
    """A study and the jobs of its trials.

    Two trials with the same values are one job, whose result both are told.

    Args:
        plan: what is searched.
        ledger: of the sweep whose folder the study lies in.
    """

    def __init__(self, plan: Plan, ledger: Ledger) -> None:
        self.space, self.options, self.ledger = plan.space, plan.options, ledger
        self.study: Study = open_study(ledger.folder, plan.options)
        self._points = self.space.grid() if self.options.sampler == "grid" else None
        ledger.planned = self.trials
        states = (TrialState.RUNNING,)
        # Of a search that was killed: those it had asked for and not told.
        self._begun = self.study.get_trials(deepcopy=False, states=states)
        self._trials: dict[int, list[Trial]] = {}  # by the number of their job
        self._watches: dict[int, Watch] = {}
        self._watched_at = 0.0

    @property
    def trials(self) -> int:
        """How many there will be in all."""
        if self._points is None:
            return self.options.trials
        return min(self.options.trials, len(self._points))

    @property
    def left(self) -> int:
        """How many trials have not been asked for."""
        trials = self.study.get_trials(deepcopy=False)
        return max(0, self.trials - sum(t.state != TrialState.WAITING for t in trials))

    def next_job(self) -> Job | None:
        """Return the next trial's job; None where all trials have been asked for."""
        while (trial := self._next_trial()) is not None:
            job = self._enrol(trial)
            trials = self._trials.setdefault(job.number, [])
            trials.append(trial)
            if len(trials) > 1:
                continue  # at work already
            if job.status in ("waiting", "interrupted"):
                self._watch(job, trial)
                return job
            self.end(job)  # it was run before
        return None

    def hopeless(self, numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Yield the running jobs that the pruner gives up, and why."""
        if time.monotonic() - self._watched_at < WATCH_SECONDS:
            return
        self._watched_at = time.monotonic()
        for number in numbers:
            cause = self._judge(number)
            if cause is not None:
                del self._watches[number]
                yield number, cause

    def end(self, job: Job) -> None:
        """Tell how a job ended; one that was interrupted still runs, for the study."""
        self._judge(job.number)  # what was measured last, for the others' sake
        self._watches.pop(job.number, None)
        for trial in self._trials.pop(job.number, []):
            if job.status == "complete":
                self._tell(trial, job)
            elif job.status == "pruned":
                self.study.tell(trial, state=TrialState.PRUNED)
            elif job.status == "failed":
                trial.set_user_attr("cause", job.cause)
                self.study.tell(trial, state=TrialState.FAIL)

    def _next_trial(self) -> Trial | None:
        if self._begun:
            begun = self._begun.pop(0)
            self.study.sampler = make_sampler(self.options, begun.number)
            return Trial(self.study, begun._trial_id)  # pyright: ignore[reportPrivateUsage]
        trials = self.study.get_trials(deepcopy=False)
        waiting = [trial for trial in trials if trial.state == TrialState.WAITING]
        number = len(trials) - len(waiting)
        if number >= self.trials:
            return None
        self.study.sampler = make_sampler(self.options, number)
        if self._points is not None and not waiting:
            self.study.enqueue_trial(self._points[number])
        return self.study.ask()

    def _enrol(self, trial: Trial) -> Job:
        values = suggest_all(trial, self.space.dimensions)
        words = self.space.job(values)
        key, ledger = identity(words), self.ledger
        name = " ".join(d.word(values[d.name]) for d in self.space.dimensions)
        if key not in ledger.jobs:
            shown = [masked_override(word) for word in words]
            number = len(ledger.jobs)
            ledger.jobs[key] = Job(
                number=number, overrides=shown, folder=folder_name(number, name)
            )
        [job] = ledger.enrol([words])
        job.name = name
        trial.set_user_attr("job", job.number)
        return job

    def _watch(self, job: Job, trial: Trial) -> None:
        if self.options.pruner != "none":
            file = self.ledger.path(job) / "metrics.jsonl"
            self._watches[job.number] = Watch(file, self.options.metrics[0])

    def _judge(self, number: int) -> str | None:
        """Report what a job has measured since; return why it should end, if so."""
        if number not in self._watches:
            return None
        metric, [trial, *_] = self.options.metrics[0], self._trials[number]
        known = self.study.get_trials(deepcopy=False)[trial.number].intermediate_values
        for step, value in self._watches[number].news():
            if step in known:  # before it was interrupted
                continue
            trial.report(value, step)
            if trial.should_prune():
                return f"{metric} {value:.4g} after validation {step} promised little"
        return None

    def _tell(self, trial: Trial, job: Job) -> None:
        run = RunFolder(self.ledger.path(job))
        values = final_values(run, self.options.metrics)
        if all(math.isfinite(value) for value in values):
            self.study.tell(trial, values)
        else:
            trial.set_user_attr("cause", f"{self.options.metrics} is no number")
            self.study.tell(trial, state=TrialState.FAIL)
