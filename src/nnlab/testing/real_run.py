"""A whole run, as a user starts it: from overrides to the files it leaves."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from nnlab import run
from nnlab.compose import Composer, plain
from nnlab.overrides import checked


@dataclass(frozen=True)
class RealRun:
    """What a run's folder tells."""

    config: dict[str, Any]
    result: dict[str, Any]
    rows: list[dict[str, Any]]  # of metrics.jsonl
    plugins: list[dict[str, str]]  # those in use


def real_run(words: Sequence[str]) -> RealRun:
    """Train and test as the command line does; return what was written.

    Raises:
        UserError: where the run is refused before it begins.
        RunFailed: where it fails later.
    """
    composer = Composer()
    overrides = checked([*words], composer)
    config = plain(composer.compose(overrides))
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        run.train(
            config,
            overrides=overrides,
            plugins=composer.plugins,
            console=Console(file=nowhere),
        )
    folder = Path(config["folder"])
    lines = (folder / "metrics.jsonl").read_text("utf-8").splitlines()
    return RealRun(
        config=config,
        result=json.loads((folder / "result.json").read_text("utf-8")),
        rows=[json.loads(line) for line in lines],
        plugins=json.loads((folder / "environment.json").read_text("utf-8"))["plugins"],
    )
