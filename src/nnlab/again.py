"""A run's folder taken up again: continued, or tested on its own or other data."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import QuotedString
from lightning import Trainer
from rich.console import Console
from rich.table import Table

from nnlab import run
from nnlab.build import Config, build_model, facts_of, make, prepared
from nnlab.checkpoint import read_checkpoint
from nnlab.compose import Composer, plain
from nnlab.errors import UserError, did_you_mean
from nnlab.folder import RunFolder
from nnlab.messages import quiet_lightning
from nnlab.overrides import checked, parse, with_places_quoted
from nnlab.plugins import Plugins
from nnlab.process import prepare_process
from nnlab.settings import check_complete, check_settings
from nnlab.target import parameters_of
from nnlab.tokenizer.restore import tokenizer_from_state

# What a continued run may change without becoming another run.
CHANGEABLE = ("trainer", "threads", "pictures", "checkpoint_seconds")


def resume(words: Sequence[str], composer: Composer) -> int:
    """Continue the run in a folder: from its last checkpoint, else from its beginning.

    Raises:
        UserError: where there is nothing to continue, or it would be another run.
    """
    given = {override.key_or_group: override.value() for override in parse(words)}
    with RunFolder.open(str(given.pop("resume"))).acquire() as folder:
        return _resume(folder, given, words, composer)


def _resume(
    folder: RunFolder, given: dict[str, Any], words: Sequence[str], composer: Composer
) -> int:
    config = folder.config()
    for path, value in given.items():
        _change(config, path, value, composer.plugins)
    check_complete(config)
    check_settings(config)
    prepared(config["trainer"], "trainer", composer.plugins)
    last = folder.checkpoints / "last.ckpt"
    if last.is_file():
        _check_unfinished(config, read_checkpoint(last), folder)
    elif (folder.checkpoints / "best.ckpt").is_file():
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
        console=Console(highlight=False),
        resumed=folder,
    )


def test(words: Sequence[str]) -> int:
    """Test the weights of run=<folder or checkpoint>, on its own or other data.

    Writes nothing.

    Raises:
        UserError: where there is no such run, or the data are not for its model.
    """
    quiet_lightning()
    words, composer = with_places_quoted(words), Composer()
    own = {"run", "checkpoint"}
    parsed = {override.key_or_group: override for override in parse(words)}
    if "run" not in parsed:
        raise UserError("test needs a run: nnlab test run=<a folder in outputs>")
    place = str(parsed["run"].value())
    which = str(parsed["checkpoint"].value()) if "checkpoint" in parsed else "best"
    if which not in ("best", "last"):
        raise UserError(f"checkpoint={which} must be best or last")
    file = checkpoint_file(place, which)
    content = read_checkpoint(file)
    config: Config = content["nnlab"]["config"]
    rest = [w for w, key in zip(words, parsed, strict=True) if key not in own]
    config = _with_data(config, rest, composer)
    prepare_process(config)
    data = make(config["data"], "data", composer.plugins)
    if "tokenizer" in content["nnlab"]:
        # The run's own, not what other text would make: weights go by its numbers.
        data.tokenizer = tokenizer_from_state(content["nnlab"]["tokenizer"])
    _check_facts(config, facts_of(data))
    model = build_model(config, composer.plugins)
    model.load_state_dict(content["state_dict"])
    settings = config["trainer"]
    trainer = Trainer(
        accelerator=settings["accelerator"],
        devices=1,
        precision=settings.get("precision"),
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    trainer.test(model, datamodule=data, verbose=False)
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    _show(metrics, config["choices"], file)
    return 0


def _change(config: Config, path: str, value: Any, plugins: Plugins) -> None:
    keys = path.split(".")
    if keys[0] not in CHANGEABLE:
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
    node[keys[-1]] = value.text if isinstance(value, QuotedString) else value


def _check_unfinished(config: Config, content: Config, folder: RunFolder) -> None:
    epochs, steps = (
        config["trainer"].get("max_epochs"),
        config["trainer"].get("max_steps"),
    )
    done = content["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    is_complete = folder.read_json("status.json").get("status") == "complete"
    if is_complete and epochs not in (None, -1) and done >= epochs:
        raise UserError(
            f"resume={folder.path} is complete after {done} epochs; to train longer "
            f"add trainer.max_epochs={2 * done}"
        )
    if is_complete and steps not in (None, -1) and content["global_step"] >= steps:
        raise UserError(
            f"resume={folder.path} is complete after {steps} steps; to train longer "
            f"add trainer.max_steps={2 * steps}"
        )


def checkpoint_file(place: str, which: str) -> Path:
    """Return the best or last checkpoint of a run's folder, or the file itself.

    Raises:
        UserError: where there is none.
    """
    if Path(place).is_file():
        return Path(place)
    folder = RunFolder.open(place)
    file = folder.checkpoints / f"{which}.ckpt"
    other = folder.checkpoints / "last.ckpt"
    if not file.is_file() and not other.is_file():
        raise UserError(
            f"run={place} has no checkpoint yet; continue it: resume={place}"
        )
    return file if file.is_file() else other


def _with_data(config: Config, words: list[str], composer: Composer) -> Config:
    """Return the config with other data, or other numbers of its own data."""
    if not words:
        return config
    for word in words:
        key = word.lstrip("+~").partition("=")[0]
        if key != "data" and not key.startswith("data."):
            raise UserError(
                f"{word} means nothing to test; it takes run=, checkpoint= and data="
            )
    own = f"data={config['choices']['data']}"
    chosen = words if any(word.startswith("data=") for word in words) else [own, *words]
    composed = plain(composer.compose(checked(chosen, composer)))
    data = composed["data"]
    if chosen is not words:
        data = copy.deepcopy(config["data"])
        for override in parse(words):
            *path, last = override.key_or_group.split(".")[1:]
            theirs, ours = composed["data"], data
            for key in path:
                theirs, ours = theirs[key], ours[key]
            ours[last] = theirs[last]
    choices = {**config["choices"], "data": composed["choices"]["data"]}
    return {**config, "data": data, "choices": choices}


def _check_facts(config: Config, facts: dict[str, int]) -> None:
    for name, made_for in config["model"].items():
        if name in facts and facts[name] != made_for:
            choices = config["choices"]
            raise UserError(
                f"data={choices['data']} has {name}={facts[name]}, and this run's "
                f"{choices['model']} was made for {name}={made_for}"
            )


def _show(metrics: dict[str, float], choices: Config, file: Path) -> None:
    table = Table(title=f"{choices['model']} on {choices['data']}", box=None)
    table.add_column("metric")
    table.add_column("value", justify="right")
    for name, value in metrics.items():
        table.add_row(name, f"{value:.6g}")
    console = Console(highlight=False)
    console.print(table)
    console.print(f"the weights of {file}", soft_wrap=True)
