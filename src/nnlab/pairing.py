"""Which data a model is made for, said where it meets others.

A model's YAML names the data that it belongs to, and a data set says what it gives
(`DataModule.gives`): others that give the same would do as well. A model that takes
more has a list of it, `takes`.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nnlab.catalog import options
from nnlab.errors import UserError
from nnlab.home import conf_folder
from nnlab.plugins import Plugins, find_plugins
from nnlab.target import resolve, takes

Config = Mapping[str, Any]
# Which group's YAML sets keys of which section.
SETS = (("experiment", "data"), ("model", "data"), ("experiment", "model"))
OURS = ("nnlab.model.", "nnlab.data.")


def misfit(config: Config, plugins: "Plugins | None" = None) -> str | None:
    """Return that the model is made for other data than these, and for which.

    None where nobody says so. Plugins that are not given are looked for.
    """
    choices = config["choices"]
    plugins = find_plugins() if plugins is None else plugins
    wanted = _taken(config, plugins)
    given = _gives(config["data"]["_target_"], plugins)
    if not given or not wanted or given in wanted:
        return None
    fitting = [
        f"data={option.name}"
        for option in options("data")
        if _gives(_target("data", option.name, plugins), plugins) in wanted
    ]
    verb = "gives" if len(fitting) == 1 else "give"
    return (
        f"model={choices['model']} is made for {_listed(wanted, 'or')}, which "
        f"{_listed(fitting, 'and')} {verb}, and data={choices['data']} gives {given}"
    )


def check_pairing(config: Config, plugins: Plugins) -> None:
    """Check that model and data are for each other, as far as they say so.

    The data take what the chosen model, or experiment, sets of them. Of nnlab's own
    models and data it is known what goes together, before anything is downloaded; a
    plugin's may do with more than they say.

    Raises:
        UserError: in the user's words, who has not written that key.
    """
    data = config["data"]
    if not isinstance(data.get("_target_"), str):
        return  # which `build` says
    if _are_ours(config) and (said := misfit(config, plugins)):
        raise UserError(said)
    for group, section in SETS:
        _check_taken(config, group, section, plugins)


def _check_taken(config: Config, group: str, section: str, plugins: Plugins) -> None:
    """Check that a section takes what the YAML of another group's option sets of it."""
    node, chosen = config[section], config["choices"].get(group)
    own = _read(group, chosen, plugins).get(section) if chosen else None
    if not isinstance(own, Mapping) or not isinstance(node.get("_target_"), str):
        return
    for name in sorted((own.keys() & node.keys()) - {"_target_"}):
        if not takes(name, node["_target_"], section, plugins):
            raise UserError(
                misfit(config, plugins)
                or f"{group}={chosen} sets {section}.{name}, which {section}="
                f"{config['choices'][section]} does not have; leave one of them out"
            )


def _are_ours(config: Config) -> bool:
    targets = [str(config[section].get("_target_")) for section in ("model", "data")]
    return all(target.startswith(OURS) for target in targets)


def _taken(config: Config, plugins: Plugins) -> Sequence[str]:
    """Return what the model takes: its own list, else what its own data give."""
    cls = resolve(config["model"]["_target_"], "model", plugins)
    takes: Sequence[str] = getattr(cls, "takes", ())
    if takes:
        return takes
    chosen = config["choices"]["model"]
    own = _own_data(_read("model", chosen, plugins)) or _own_data(_default())
    if own == config["choices"]["data"]:  # whose YAML has been read
        given = _gives(config["data"]["_target_"], plugins)
    else:
        given = _gives(_target("data", own, plugins), plugins) if own else ""
    return [given] if given else []


def _own_data(content: Config) -> str | None:
    """Return the data that a YAML's defaults list chooses."""
    for entry in content.get("defaults", ()):
        for key, option in entry.items() if isinstance(entry, Mapping) else ():
            if key.removeprefix("override ").split("@")[0].strip("/") == "data":
                return option
    return None


def _target(group: str, option: str, plugins: Plugins) -> str:
    content = _read(group, option, plugins)
    section = content if "_target_" in content else content.get(group) or {}
    return str(section.get("_target_", ""))


def _gives(target: str, plugins: Plugins) -> str:
    try:
        return str(getattr(resolve(target, "data", plugins), "gives", ""))
    except UserError:  # a plugin's that is broken, or that nobody has chosen
        return ""


def _read(group: str, option: str, plugins: Plugins) -> Config:
    """Return what the YAML of an option says, nothing where there is none."""
    folders = (conf_folder(), *(plugin.conf for plugin in plugins))
    files = (folder / group / f"{option}.yaml" for folder in folders)
    return next((_parsed(file) for file in files if file.is_file()), {})


def _default() -> Config:
    return _parsed(conf_folder() / "config.yaml")


def _parsed(file: Path) -> Config:
    content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content if isinstance(content, Mapping) else {}


def _listed(words: Iterable[str], last: str) -> str:
    *others, end = words
    return f"{', '.join(others)} {last} {end}" if others else end
