"""What `data=` says of a preparation; its types and ranges are checked by the verb."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Interval
from typing_extensions import Doc

from nnlab.limits import Natural, Positive

Connections = Annotated[int, Interval(ge=1, le=4)]
Pause = Annotated[float, Interval(ge=1, le=3600)]  # seconds; Common Crawl asks for one
Bytes = Annotated[int, Interval(ge=1 << 10, le=1 << 28)]
Number = Annotated[int, Interval(ge=1, le=10_000_000)]
Place = Annotated[str, Doc("a file, a folder, or a pattern of files in quotes")]


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """The keys of `data=` that `nnlab prepare` reads.

    Args:
        reader: of the archives: wet, wikipedia or webtext.
        folder: to prepare in; its plan is never changed.
        crawl: a name as CC-MAIN-2023-06; None: `source` says what to read.
        source: a file, a folder or a pattern of files on this machine.
        files: the first so many of them; None: all.
        language: of the documents to keep, ISO 639-1; None: any.
        minimum_characters, maximum_characters: of a document; None: no bound.
        maximum_record_bytes: what is longer is left out, and never in memory.
        keeps_scores: whether every document stays on disk with its scores.
        keeps_archives: whether what was fetched stays on disk once it is read.
        data_dir: where archives are fetched to; None: $NNLAB_DATA, or a cache.
        fetch: `server`, `contact`, `connections`, `seconds_between`,
            `stall_seconds`, `attempts`.
        filter: rule -> its numbers, in the order in which they are applied.
        deduplicate, shard: those stages' numbers.
        seed: of the shuffle.
    """

    reader: Literal["wet", "wikipedia", "webtext"]
    folder: str
    crawl: str | None
    source: Place | None
    files: Number | None
    language: str | None
    minimum_characters: Natural | None
    maximum_characters: Natural | None
    maximum_record_bytes: Bytes
    keeps_scores: bool
    keeps_archives: bool
    data_dir: str | None
    fetch: dict[str, Any]
    filter: dict[str, Any]
    deduplicate: dict[str, Any]
    shard: dict[str, Any]
    seed: Natural

    @property
    def place(self) -> Path:
        return Path(self.folder).expanduser()

    def deciding(self) -> dict[str, Any]:
        """Return what decides about bytes, as plain containers, for the plan."""
        indifferent = ("folder", "keeps_archives", "data_dir", "fetch")
        return {
            name: value for name, value in vars(self).items() if name not in indifferent
        }


@dataclass(frozen=True, kw_only=True)
class Fetching:
    """How archives are fetched: `data.fetch`."""

    server: str
    contact: str | None
    connections: Connections
    seconds_between: Pause
    stall_seconds: Positive
    attempts: Annotated[int, Interval(ge=1, le=100)]
