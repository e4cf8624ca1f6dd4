"""Says in one sentence what is wrong with an override, before Hydra says it in many."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString
from hydra.errors import HydraException
from omegaconf import DictConfig

from nnlab.compose import LIST_GROUPS, NO_EXPERIMENT, Composer, plain
from nnlab.errors import UserError, did_you_mean
from nnlab.home import conf_folder
from nnlab.plugins import explain_broken
from nnlab.report.commands import override_value
from nnlab.slips import why_unreadable
from nnlab.synonyms import OPTIONS
from nnlab.target import parameters_of
from nnlab.unknown_key import added_for_nothing, unknown_key

PLACES = {
    "run",
    "resume",
    "folder",
    "output_dir",
    "data.path",
    "data.source",
    "data.folder",
    "transfer.run",
    "study.run",
}
# What a run itself gives an optimizer and a schedule.
NOT_SET = {"params", "parameters", "optimizer", "steps"}
NO_OPTION = ("none", "no", "off", "false", "empty")
# Groups that are another verb's.
ELSEWHERE = {"executor": "it is the engine of nnlab prepare"}


def with_places_quoted(words: Sequence[str]) -> list[str]:
    """Return the words, a path that Hydra's grammar cannot read in its quotes.

    A shell gives `run=/home/jürgen/my runs` as one word; Hydra wants it quoted again.
    It leaves the `~` of `output_dir=~/runs`, by which no folder of that name is meant.
    """
    parser = OverridesParser.create()
    readable: list[str] = []
    for word in words:
        key, equals, value = word.partition("=")
        if key in PLACES and value.startswith("~/"):
            value = str(Path(value).expanduser())
            word = f"{key}={value}"
        try:
            if equals and key in PLACES:
                parser.parse_override(word)
        except HydraException:
            word = f"{key}={override_value(value)}"
        readable.append(word)
    return readable


def parse(
    overrides: Sequence[str], loader: ConfigLoader | None = None
) -> list[Override]:
    """Parse overrides; a key given twice is refused.

    Args:
        overrides: the words.
        loader: knows what `model=glob(*)` stands for.

    Raises:
        UserError: naming the word that is no override.
    """
    parser = OverridesParser.create(config_loader=loader)
    parsed: list[Override] = []
    seen: dict[str, str] = {}
    for word in overrides:
        if not word.lstrip("+~").partition("=")[0]:
            raise UserError(f"cannot read {word!r}; a setting is written key=value")
        try:
            override = parser.parse_override(word)
        except HydraException as error:
            why = why_unreadable(word, str(error), seen)
            raise UserError(f"cannot read {word!r}{why}") from error
        key = override.key_or_group + (
            f"@{override.package}" if override.package else ""
        )
        if key in seen:
            raise UserError(f"{key} is given twice: {seen[key]} and {word}; keep one")
        seen[key] = word
        override.config_loader = loader
        parsed.append(override)
    return parsed


def checked(overrides: Sequence[str], composer: Composer) -> list[str]:
    """Return the overrides of one run, each known to name something that exists.

    A key that the config leaves at its default, but that the chosen class takes
    (`trainer.gradient_clip_val=1`), may be given plainly: it gets Hydra's `+` here.

    Raises:
        UserError: with what was probably meant.
    """
    parsed = parse(overrides)
    groups: list[str] = []
    values: list[tuple[Override, str]] = []
    mistakes: list[str] = []  # all are told at once
    for override, word in zip(parsed, overrides, strict=True):
        key = override.key_or_group
        if override.is_sweep_override():
            raise UserError(f"{word} asks for several runs: {_instead(override, word)}")
        if override.package is not None or key.startswith("hydra."):
            groups.append(word)
        elif composer.options(key) or key in LIST_GROUPS:
            try:
                groups.append(_checked_group(override, word, composer))
            except UserError as error:
                mistakes.append(str(error))
        else:
            values.append((override, word))
    if values and not mistakes:  # else what they may set is not known
        config = composer.compose(groups)
        for override, word in values:
            try:
                word = _checked_value(override, word, config, composer, overrides)
                groups.append(word)
            except UserError as error:
                mistakes.append(str(error))
    if mistakes:
        raise UserError("; ".join(mistakes))
    return groups


def _instead(override: Override, word: str) -> str:
    key, _, values = word.partition("=")
    if override.key_or_group in LIST_GROUPS:
        return f"add -m, or for all in one {key}=[{values}]"
    listed = " (a list stands in brackets)" if "." in key else ""
    return f"add -m, or give one value{listed}"


def _checked_group(override: Override, word: str, composer: Composer) -> str:
    group = override.key_or_group
    value: Any = override.value()
    if group in ELSEWHERE and composer.config_name == "config":
        raise UserError(f"{word} means nothing to a run; {ELSEWHERE[group]}")
    if override.is_add() and (conf_folder() / group).is_dir():  # chosen already
        raise UserError(f"{word} chooses a second {group}; leave out the +")
    if value is None and group in LIST_GROUPS:
        return f"{group}=[]"
    if word == NO_EXPERIMENT:
        return word
    if value is None:
        known = ", ".join(composer.options(group))
        raise UserError(f"{word} chooses nothing; there is {known}")
    if isinstance(value, list) and group not in LIST_GROUPS:
        raise UserError(
            f"{word} gives several and {group} takes one; to compare them: -m "
            f"{group}={','.join(str(each) for each in value)}"
        )
    chosen = [_text(each) for each in (value if isinstance(value, list) else [value])]
    for option in chosen:
        _check_option(group, option, composer)
        if chosen.count(option) > 1:
            raise UserError(f"{word} names {option} twice; keep one")
    return word


def _check_option(group: str, option: str, composer: Composer) -> None:
    known = composer.options(group)
    if option in known:
        return
    broken = explain_broken(group, option, composer.plugins)
    if broken is not None:
        raise broken
    if group in LIST_GROUPS and option.lower() in NO_OPTION:
        raise UserError(f"no {group} called {option!r}; {group}=[] chooses none")
    meant = OPTIONS.get(group, {}).get(option.lower(), option.removesuffix(".yaml"))
    hint = (
        f"; did you mean {meant}?"
        if meant in known
        else did_you_mean(option, known, more=f"nnlab list {group}")
    )
    raise UserError(f"no {group} called {option!r}{hint}")


def _checked_value(
    override: Override,
    word: str,
    config: DictConfig,
    composer: Composer,
    words: Sequence[str],
) -> str:
    path = override.key_or_group
    if override.is_add() and not override.is_force_add() and _is_there(path, config):
        raise UserError(f"{word} adds what is there; leave out the +")
    if override.is_add() or override.is_force_add():
        mistake = added_for_nothing(path, words, config)
        if mistake is not None:
            raise UserError(mistake)
        return word
    node: Any = plain(config)
    keys = path.split(".")
    for depth, key in enumerate(keys):
        if isinstance(node, Mapping) and key in node:
            node = node[key]
            continue
        known = set(node) if isinstance(node, Mapping) else set[str]()
        if isinstance(node, Mapping) and "_target_" in node:
            taken = parameters_of(node["_target_"], composer.plugins) - NOT_SET
            if key in taken and depth == len(keys) - 1 and not override.is_delete():
                return f"+{word}"
            known |= taken
        if depth == 0:
            known |= set(composer.groups())
        raise UserError(unknown_key(path, depth, known, config, composer))
    return word


def _is_there(path: str, config: DictConfig) -> bool:
    node: Any = plain(config)
    for key in path.split("."):
        if not isinstance(node, Mapping) or key not in node:
            return False
        node = node[key]
    return True


def _text(value: Any) -> str:
    return value.text if isinstance(value, QuotedString) else str(value)
