"""The stages, in their order; each is a function of the plan and what came before."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from nnlab.corpus.commit import Output
from nnlab.corpus.plan import Plan

# (plan, unit, output, source) -> counts for the marker. The source is the unit's
# archive where it lies on this machine; stages after the first have none.
Work = Callable[[Plan, int, Output, Path | None], dict[str, Any]]


@dataclass(frozen=True)
class Stage:
    """One step of the preparation.

    Args:
        name: of its folder, its key in the plan, and its line in the progress.
        work: where its function is, imported only in the process that needs it.
        units: where the function is that says how many units there are; None: as
            many as the plan has files.
        reads: whether it reads the archives.
    """

    name: str
    work: str
    units: str | None = None
    reads: bool = False

    def count(self, plan: Plan) -> int:
        """Return how many units there are; those before must be done."""
        return len(plan.files) if self.units is None else imported(self.units)(plan)


SCORE = Stage("score", "nnlab.corpus.filtering:score_file", reads=True)
FILTER = Stage("filter", "nnlab.corpus.filtering:filter_file", reads=True)
FILTER_SCORED = Stage("filter", "nnlab.corpus.filtering:filter_scored")
DEDUPLICATE = Stage(
    "deduplicate",
    "nnlab.corpus.deduplicate:deduplicate",
    units="nnlab.corpus.deduplicate:one",
)
TOKENISE = Stage("tokenise", "nnlab.corpus.tokenise:tokenise_file")
SHARD = Stage(
    "shard", "nnlab.corpus.shard:write_shard", units="nnlab.corpus.shard:shards"
)


def stages(plan: Plan) -> list[Stage]:
    """Return the stages of a plan, the first one first."""
    reading = [SCORE, FILTER_SCORED] if plan.config["keeps_scores"] else [FILTER]
    return [*reading, DEDUPLICATE, TOKENISE, SHARD]


def stage_named(plan: Plan, name: str) -> Stage:
    """Return the stage of that name."""
    return next(stage for stage in stages(plan) if stage.name == name)


def imported(place: str) -> Any:
    """Return the function at `module:name`."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
