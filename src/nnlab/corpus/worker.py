"""Does one task, wherever an engine put it: a function of three plain values."""

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from nnlab.corpus.commit import Output, committed
from nnlab.corpus.plan import Plan, read_plan
from nnlab.corpus.stages import imported, stage_named


class Task(NamedTuple):
    """One unit of one stage; plain values, so that any engine can carry it."""

    folder: str
    stage: str
    unit: int
    source: str | None = None  # the unit's archive, for the stage that reads it


class Done(NamedTuple):
    """What a task left: its marker."""

    task: Task
    marker: dict[str, Any]


def perform(task: Task) -> Done:
    """Do a task, unless it is done already, and return its marker."""
    folder = Path(task.folder)
    plan = _plan(folder, (folder / "plan.json").stat().st_mtime_ns)
    key = plan.keys[task.stage]
    if (marker := committed(folder, task.stage, task.unit, key)) is not None:
        return Done(task, marker)
    work = imported(stage_named(plan, task.stage).work)
    source = None if task.source is None else Path(task.source)
    with Output(folder, task.stage, task.unit, key) as output:
        return Done(task, output.commit(work(plan, task.unit, output, source)))


@lru_cache(maxsize=1)
def _plan(folder: Path, version: int) -> Plan:
    del version  # a plan of the same folder that was written anew
    return read_plan(folder)
