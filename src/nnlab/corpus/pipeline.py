"""Runs the stages of a plan one after the other, on any engine.

stale files away -> for each stage: what is not done yet to the engine -> manifest
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from nnlab.corpus.archives import Archives
from nnlab.corpus.commit import committed, sweep
from nnlab.corpus.executor import Executor
from nnlab.corpus.plan import Plan
from nnlab.corpus.progress import Progress
from nnlab.corpus.stages import TOKENISE, Stage, stages
from nnlab.corpus.tokenise import write_vocabulary
from nnlab.corpus.worker import Task
from nnlab.tokenizer.tokenizer import Tokenizer

SECONDS_TO_WAIT = 0.25
IN_ADVANCE = 10_000  # tasks that an engine holds at most

# From the units that are to be read to where they come from.
Supply = Callable[[list[int]], Archives]


class Pipeline:
    """A plan on its way.

    Args:
        check: called between tasks; raises where the person wants it to stop.
    """

    def __init__(
        self,
        plan: Plan,
        tokenizer: Tokenizer,
        engine: Executor,
        supply: Supply,
        progress: Progress,
        check: Callable[[], None],
    ) -> None:
        self.plan, self.tokenizer = plan, tokenizer
        self.engine, self.supply = engine, supply
        self.progress, self.check = progress, check

    def run(self) -> None:
        """Do what is not done yet; leaves the folder ready for the manifest."""
        sweep(self.plan.folder)
        remove_stale(self.plan)
        for stage in stages(self.plan):
            if stage.name == TOKENISE.name:
                write_vocabulary(self.plan, self.tokenizer)
            self._run_stage(stage)
        sweep(self.plan.folder)

    def _run_stage(self, stage: Stage) -> None:
        folder, key = self.plan.folder, self.plan.keys[stage.name]
        units = range(stage.count(self.plan))
        todo = [each for each in units if not committed(folder, stage.name, each, key)]
        archives = self.supply(todo) if stage.reads else _Nothing(todo)
        self.progress.begin(stage, units=len(units), todo=todo)
        running = 0
        try:
            while todo:
                self.check()
                if running < IN_ADVANCE:
                    for unit, path in archives.ready():
                        source = None if path is None else str(path)
                        self.engine.submit(Task(str(folder), stage.name, unit, source))
                        running += 1
                for done in self.engine.finished(SECONDS_TO_WAIT):
                    running -= 1
                    todo.remove(done.task.unit)
                    archives.release(done.task.unit)
                    self.progress.done(done)
                self.progress.show()
        finally:
            archives.close()
            self.progress.end()


class _Nothing:
    """Archives for a stage that reads none."""

    def __init__(self, units: list[int]) -> None:
        self._waiting = list(units)

    def ready(self) -> "list[tuple[int, Path | None]]":
        units, self._waiting = self._waiting, []
        return [(unit, None) for unit in units]

    def release(self, unit: int) -> None: ...

    def close(self) -> None: ...


def remove_stale(plan: Plan) -> None:
    """Delete what stages left under other keys, after a change of the plan."""
    names = {stage.name for stage in stages(plan)}
    for name in plan.keys:
        place = plan.folder / name
        for marker in sorted(place.glob("*.done.json")):
            unit = int(marker.name.partition(".")[0])
            if not committed(plan.folder, name, unit, plan.keys[name]):
                marker.unlink()  # first: what no marker vouches for is nothing
                for file in place.glob(f"{unit:05}.*"):
                    file.unlink()
        if name not in names and place.is_dir():
            shutil.rmtree(place)


def remove_intermediate(plan: Plan) -> None:
    """Delete what only later stages needed, once the manifest is written."""
    for name in ("filter", "deduplicate", "tokenise"):
        place = plan.folder / name
        for marker in place.glob("*.done.json"):
            marker.unlink()
        if place.is_dir():
            shutil.rmtree(place)
