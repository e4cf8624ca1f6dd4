"""A study from its command to its table.

check -> train the run whose body is taken -> one sweep over data, sizes, ways and
seeds, each job a cell of the table -> table and picture
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from nnlab import run
from nnlab.again import resume
from nnlab.build import Config
from nnlab.compose import Composer, plain
from nnlab.folder import RunFolder
from nnlab.overrides import checked
from nnlab.report.commands import override_value, seen_from_here
from nnlab.screen import screen
from nnlab.study.outcome import report
from nnlab.study.study import Study, key_of
from nnlab.study.trial import possible
from nnlab.sweep import sweep


def run_study(config: Config, words: Sequence[str], composer: Composer) -> int:
    """Run a study, or one cell of it; return the exit status.

    The same command with `folder=` of a study that was killed goes on with it.

    Raises:
        UserError: before anything is written.
    """
    study = Study.of(config["study"])
    console = screen()
    study.check_free(words)
    if study.is_cell:
        return _run_cell(study, words, composer, console)
    own = [word for word in words if key_of(word) not in ("folder", "output_dir")]
    targets = {name: possible(name, study, own, console) for name in study.targets}
    with _folder(config) as folder:
        grid = _grid(study, targets, config["seed"])
        if study.run is None:
            source = folder.path / "source"
            _train(source, [*own, *study.source], composer, console)
            grid.append(f"study.run={override_value(str(source))}")
        given = {key_of(word) for word in grid} | {"study.seeds", "sweep.name"}
        jobs = [word for word in own if key_of(word) not in given]
        place = f"output_dir={override_value(str(folder.path))}"
        words = [*jobs, *grid, place, "sweep.name=cells"]
        status = sweep(words, Composer(), is_part=True)
        report(folder.path, study, targets, console)
    if status:
        again = override_value(seen_from_here(folder.path))
        console.print(f"the same command with folder={again} goes on", soft_wrap=True)
    return status


def _folder(config: Config) -> RunFolder:
    path = _place(config)
    if (path / "source").is_dir() or (path / "sweep").is_dir():
        return RunFolder(path).acquire()
    return RunFolder.make({**config, "folder": str(path)})


def _place(config: Config) -> Path:
    if config["folder"] is not None:
        return Path(config["folder"])
    time = datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")
    return Path(config["output_dir"]) / str(config["choices"]["experiment"]) / time


def _run_cell(
    study: Study, words: Sequence[str], composer: Composer, console: Console
) -> int:
    """Run one cell; its record has the words that were given."""
    meant = checked([*words, *study.cell_words()], composer)
    return run.train(
        plain(composer.compose(meant)),
        overrides=list(words),
        plugins=composer.plugins,
        console=console,
    )


def _train(
    folder: Path, words: list[str], composer: Composer, console: Console
) -> None:
    """Train the run whose body is taken, or as much of it as is missing."""
    if RunFolder(folder).read_json("status.json").get("status") == "complete":
        return
    if (folder / "config.yaml").is_file():
        resume([f"resume={override_value(str(folder))}"], composer)
        return
    words = [word for word in words if key_of(word).split(".")[0] != "study"]
    words += ["study=null", f"folder={override_value(str(folder))}"]
    words = checked(words, composer)
    config = plain(composer.compose(words))
    run.train(config, overrides=words, plugins=composer.plugins, console=console)


def _grid(study: Study, targets: Mapping[str, list[str]], seed: int) -> list[str]:
    """Return the words of the sweep: what each target is, and the axes."""
    axes: dict[str, Sequence[Any]] = {
        "study.target": list(targets),
        "study.size": list(study.sizes),
        "study.way": study.ways,
        "seed": study.seeds or [seed],
    }
    meant = [
        f"study.targets.{name}=[{','.join(map(_quoted, overrides))}]"
        for name, overrides in targets.items()
        if overrides != study.targets[name]
    ]
    return meant + [f"{key}={','.join(map(str, axes[key]))}" for key in axes]


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"
