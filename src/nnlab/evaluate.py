"""The verb `test`: a finished run's weights, on its own data or on other."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from nnlab.build import Config, build_model, facts_of, make, prepared
from nnlab.checkpoint import read_checkpoint
from nnlab.compose import Composer, plain
from nnlab.errors import UserError
from nnlab.folder import checkpoint_file
from nnlab.messages import quiet_lightning
from nnlab.numerals import below_one
from nnlab.older import completed
from nnlab.overrides import checked, parse, with_places_quoted
from nnlab.process import prepare_process
from nnlab.screen import screen
from nnlab.tokenizer.restore import tokenizer_from_state
from nnlab.trainer import make_trial

# Of the run's trainer: so that the number comes out that the run itself has told.
KEPT = ("accelerator", "precision", "limit_test_batches")


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
    file = checkpoint_file(place, which)
    content = read_checkpoint(file)
    config = completed(content["nnlab"]["config"], f"run={place}")
    rest = [w for w, key in zip(words, parsed, strict=True) if key not in own]
    own_data = config["data"]
    config = _with_data(config, rest, composer)
    prepare_process(config)
    data = make(config["data"], "data", composer.plugins)
    if rest:
        _check_classes(make(own_data, "data", composer.plugins), data, config)
    if "tokenizer" in content["nnlab"]:
        # The run's own, not what other text would make: weights go by its numbers.
        data.tokenizer = tokenizer_from_state(content["nnlab"]["tokenizer"])
    _check_facts(config, facts_of(data))
    model = build_model(config, composer.plugins)
    model.load_state_dict(content["state_dict"])
    _, settings = prepared(config["trainer"], "trainer", composer.plugins)
    trainer = make_trial({key: settings.get(key) for key in KEPT})
    try:
        trainer.test(model, datamodule=data, verbose=False)
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError) as error:
        if not rest:  # its own data: no mistake of the user's
            raise
        line = (str(error).strip().splitlines() or [""])[0]
        raise UserError(
            f"data={config['choices']['data']} are not for the "
            f"{config['choices']['model']} of run={place}: {type(error).__name__}: "
            f"{line} (NNLAB_TRACEBACK=1 shows where)"
        ) from error
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    _show(metrics, config["choices"], file)
    return 0


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


def _check_classes(own: Any, other: Any, config: Config) -> None:
    """Refuse data whose labels stand for something else than what was learned."""
    learned, asked = (list(getattr(data, "class_names", ())) for data in (own, other))
    if learned and asked and learned != asked:
        raise UserError(
            f"this run learned to tell {', '.join(learned)} apart, and the classes of "
            f"data={config['choices']['data']} are {', '.join(asked)}"
        )


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
        table.add_row(name, below_one(value, ".6g"))
    console = screen()
    console.print(table)
    console.print(f"the weights of {file}", soft_wrap=True)
