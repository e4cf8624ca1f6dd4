"""A run's folder taken up again: it goes on, to the bits of one never stopped."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import QuotedString

from nnlab import run
from nnlab.build import Config, prepared
from nnlab.checkpoint import read_checkpoint
from nnlab.compose import Composer
from nnlab.errors import UserError, did_you_mean
from nnlab.folder import RunFolder
from nnlab.numerals import counted
from nnlab.older import refuse_older
from nnlab.overrides import parse
from nnlab.plugins import Plugins
from nnlab.report.past_runs import matches, past_runs
from nnlab.screen import screen
from nnlab.settings import check_complete, check_settings
from nnlab.target import parameters_of

# What a continued run may change without becoming another run.
CHANGEABLE = ("trainer", "threads", "pictures", "checkpoint_seconds")


def resume(words: Sequence[str], composer: Composer) -> int:
    """Continue the run in a folder: from its last checkpoint, else from its beginning.

    Raises:
        UserError: where there is nothing to continue, or it would be another run.
    """
    given = {override.key_or_group: override.value() for override in parse(words)}
    place = str(given.pop("resume"))
    if place == "latest":
        wanted = {k: given.pop(k) for k in [*given] if not _is_changeable(k)}
        words = [w for w in words if _is_changeable(w.lstrip("+").partition("=")[0])]
        place = str(latest(wanted))
    with RunFolder.open(place, "resume").acquire() as folder:
        return _resume(folder, given, words, composer)


def latest(wanted: Mapping[str, Any]) -> Path:
    """Return the folder of the run started last of those as wanted: model is gpt.

    Raises:
        UserError: where there is none.
    """
    chosen = {key: _bare(value) for key, value in wanted.items()}
    below = Path(str(chosen.pop("output_dir", "outputs")))
    for past in past_runs(below):
        if matches(past, chosen):
            return past.path
    said = ", ".join(f"{key}={value}" for key, value in chosen.items())
    raise UserError(
        f"resume=latest finds no run{f' of {said}' if said else ''} below {below}; "
        "nnlab runs lists what is there"
    )


def _is_changeable(key: str) -> bool:
    return key.partition(".")[0] in CHANGEABLE


def _resume(
    folder: RunFolder, given: dict[str, Any], words: Sequence[str], composer: Composer
) -> int:
    config = folder.config()
    for path, value in given.items():
        _change(config, path, value, composer.plugins)
    check_complete(config)
    refuse_older(config, f"resume={folder.path}")
    check_settings(config)
    prepared(config["trainer"], "trainer", composer.plugins)
    last = folder.checkpoints / "last.ckpt"
    if last.is_file():
        _check_unfinished(config, read_checkpoint(last), folder)
    elif _was_complete(folder):  # else it was killed before its first save: from 0
        raise UserError(
            f"resume={folder.path} has lost its checkpoints/last.ckpt; start a new run"
        )
    before = folder.overrides()
    overrides = [
        *(word for word in before if word.lstrip("+").partition("=")[0] not in given),
        *(word for word in words if not word.startswith("resume=")),
    ]
    return run.train(
        config,
        overrides=overrides,
        plugins=composer.plugins,
        console=screen(),
        resumed=folder,
    )


def _change(config: Config, path: str, value: Any, plugins: Plugins) -> None:
    keys = path.split(".")
    if not _is_changeable(path):
        raise UserError(
            f"{path}={value} would make another run of it; resume= changes only "
            f"{', '.join(CHANGEABLE)} (to try {path}, start a new run)"
        )
    node, known = config, set(config)
    if keys[0] == "trainer" and len(keys) == 2:
        node = config["trainer"]
        known = {*node, *parameters_of(node["_target_"], plugins)}
    elif len(keys) > 1:
        raise UserError(f"no key {path!r}; {keys[0]} takes one value")
    if keys[-1] not in known:
        raise UserError(f"no key {path!r}{did_you_mean(keys[-1], known)}")
    node[keys[-1]] = _bare(value)


def _bare(value: Any) -> Any:
    return value.text if isinstance(value, QuotedString) else value


def _was_complete(folder: RunFolder) -> bool:
    is_complete = folder.read_json("status.json").get("status") == "complete"
    return is_complete and (folder.path / "report.html").is_file()  # written last


def _check_unfinished(config: Config, content: Config, folder: RunFolder) -> None:
    epochs, steps = (
        config["trainer"].get("max_epochs"),
        config["trainer"].get("max_steps"),
    )
    done = content["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    is_complete = _was_complete(folder)
    if is_complete and epochs not in (None, -1) and done >= epochs:
        raise UserError(
            f"resume={folder.path} is complete after {counted(done, 'epoch')}; to "
            f"train longer add trainer.max_epochs={2 * done}"
        )
    if is_complete and steps not in (None, -1) and content["global_step"] >= steps:
        raise UserError(
            f"resume={folder.path} is complete after {counted(steps, 'step')}; to "
            f"train longer add trainer.max_steps={2 * steps}"
        )
