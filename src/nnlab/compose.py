"""Hydra behind one door: overrides -> a composed config, help, completion.

Everything here that touches `hydra._internal` is what `hydra.main` itself does in 1.3
and 1.4; it stays in this one file, and in loader.py. Runs do not go through
`hydra.main`, because that makes folders and log files before the task can say that its
input is wrong.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Self

from hydra._internal.callbacks import Callbacks
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path, get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.plugin import Plugin
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from nnlab.errors import UserError, did_you_mean
from nnlab.home import conf_folder
from nnlab.loader import Loader
from nnlab.plugins import find_plugins, search_path
from nnlab.plugins.plugin import LIST_GROUPS as LIST_GROUPS
from nnlab.report.commands import override_value

# What decides which plugins there are.
PLUGIN_VARIABLES = ("NNLAB_PLUGINS", "NNLAB_DISABLE", "NNLAB_PLUGINS_AUTOLOAD")
# Hydra's, which mean nothing here.
NOT_OURS = {
    "--config-path": "conf/ is nnlab's own; --config-dir adds a folder of yours",
    "-cp": "conf/ is nnlab's own; --config-dir adds a folder of yours",
    "--experimental-rerun": "nnlab rerun run=... makes a run again",
}
COMPLETION = ("install=", "uninstall=", "query=")
NO_EXPERIMENT = "experiment=null"  # is what stands there; Hydra cannot read it


def parse_arguments(arguments: Sequence[str]) -> Namespace:
    """Parse Hydra's flags; what is left over are overrides.

    Raises:
        UserError: where a word begins like a flag and is none.
    """
    parser = get_args_parser()
    parser.error = _refuse
    parser.allow_abbrev = False  # else --config is told of argparse's three guesses
    known = parser._option_string_actions  # pyright: ignore[reportPrivateUsage]
    flags = [flag for flag in known if flag not in NOT_OURS]
    for word in arguments:  # which argparse takes for -m and its value
        key, equals, _ = word.partition("=")
        if key in NOT_OURS:
            raise UserError(f"no option called {key!r}; {NOT_OURS[key]}")
        if equals and key[:1] == "-" and key[:2] != "--" and key not in flags:
            raise UserError(
                f"cannot read {word!r}; a setting has no dash: {word.lstrip('-')}"
            )
    parsed, unknown = parser.parse_known_args(list(arguments))
    # argparse takes none that come after a flag between them
    parsed.overrides += [word for word in unknown if word[:1] != "-"]
    unknown = [word for word in unknown if word[:1] == "-"]
    if unknown:
        word = unknown[0].partition("=")[0]
        bare = word.lstrip("-")
        near = [flag for flag in flags if flag.startswith(word)] or flags
        long = [flag.removeprefix("--") for flag in near if flag.startswith("--")]
        hint = did_you_mean(bare, long, "--").split("; there is")[0]
        said = hint or f"; a setting has no dashes: {bare}=..."
        raise UserError(f"no option called {word!r}{said}")
    if parsed.resolve and not parsed.cfg:
        raise UserError("--resolve is for --cfg job, whose values it fills in")
    return parsed


class Composer:
    """Composes conf/ and the plugins' conf/ for one command.

    Attributes:
        ready: one that has composed already, for this process's forks.
    """

    ready: ClassVar[Self | None] = None

    def __init__(
        self, *, config_name: str = "config", config_dir: str | None = None
    ) -> None:
        paths = create_config_search_path(str(conf_folder()))
        self.plugins = find_plugins()
        for provider, path in search_path(self.plugins):
            paths.prepend(provider, path, anchor="schema")  # which must stay the last
        if config_dir is not None:
            if not Path(config_dir).is_dir():
                raise UserError(f"--config-dir {config_dir} is not a folder")
            folder = Path(config_dir).absolute().as_uri()
            paths.prepend("command-line", folder, anchor="schema")
        GlobalHydra.instance().clear()
        self.hydra = Hydra("nnlab", Loader(paths))
        self.config_name = config_name
        self.origin = (config_name, config_dir, *_surroundings())
        self._known: dict[str, list[str]] = {}
        name, known = config_name.removesuffix(".yaml"), self.options("")
        if "/" not in name and name not in known:
            hint = did_you_mean(name, [n for n in known if not n.startswith("_")])
            raise UserError(f"--config-name {config_name} is not there{hint}")

    @classmethod
    def at_hand(cls, config_name: str, config_dir: str | None) -> Self:
        """Return the one that is ready, or a new one where that is of other files."""
        origin = (config_name, config_dir, *_surroundings())
        if cls.ready is not None and cls.ready.origin == origin:
            return cls.ready
        return cls(config_name=config_name, config_dir=config_dir)

    def options(self, group: str) -> list[str]:
        """Return the options of a config group, none where there is no such group."""
        if group not in self._known:
            loader = self.hydra.config_loader
            self._known[group] = loader.get_group_options(group, ObjectType.CONFIG)
        return self._known[group]

    def groups(self) -> list[str]:
        """Return the names of the groups that make a run: not Hydra's nor a sweep's."""
        names = self.hydra.config_loader.list_groups("")
        return [name for name in names if name not in ("hydra", "sweep")]

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """Return the config of one run, with the chosen options under `choices`.

        Raises:
            UserError: in one sentence what Hydra says in many.
        """
        try:
            words = [word for word in overrides if word != NO_EXPERIMENT]
            config, chosen = self.loader.compose_run(self.config_name, words)
        except (HydraException, OmegaConfBaseException) as error:
            raise UserError(_first_line(error)) from error
        groups = self.groups()
        choices: dict[str, Any] = {
            name: chosen[name] for name in sorted(chosen) if name in groups
        }
        for group in LIST_GROUPS:  # of which Hydra keeps no record
            choices[group] = list(config.get(group) or {})
        with open_dict(config):
            config["choices"] = choices
        return config

    def answer(self, arguments: Namespace) -> bool:
        """Answer Hydra's own questions (help, cfg, info, completion), if asked."""
        hydra, name = self.hydra, self.config_name
        overrides = [word for word in arguments.overrides if word != NO_EXPERIMENT]
        arguments.overrides = overrides
        if arguments.help:
            hydra.app_help(name, get_args_parser(), arguments)
        elif arguments.hydra_help:
            hydra.hydra_help(name, get_args_parser(), arguments)
        elif arguments.cfg:
            hydra.show_cfg(
                name, overrides, arguments.cfg, arguments.package, arguments.resolve
            )
        elif arguments.info:
            mode = RunMode.MULTIRUN if arguments.multirun else RunMode.RUN
            hydra.show_info(arguments.info, name, overrides, run_mode=mode)
        elif arguments.shell_completion:
            if not any(word.startswith(COMPLETION) for word in overrides):
                raise UserError(f"-sc takes one of {', '.join(COMPLETION)}, of a shell")
            hydra.shell_completion(name, overrides)
        else:
            return False
        sys.stdout.flush()
        return True

    def compose_multirun(self, overrides: Sequence[str]) -> DictConfig:
        """Return the config of a sweep, Hydra's own section and all."""
        return self.hydra.compose_config(
            self.config_name, list(overrides), RunMode.MULTIRUN
        )

    def multirun(
        self,
        config: DictConfig,
        folder: Path,
        plugins: Mapping[str, Callable[..., Plugin]],
    ) -> Any:
        """Hand a sweep to Hydra's sweeper, and its jobs to Hydra's launcher.

        Args:
            config: of `compose_multirun`.
            folder: the sweep's, where a sweeper may write what it found.
            plugins: launchers and sweepers of nnlab's own, by name: in conf/hydra/
                their `_target_` is `hydra_plugins.nnlab.<name>`.
        """
        # Hydra takes plugins by this name only. A real `hydra_plugins` package would be
        # one for every Hydra program of the environment; this is one for this process.
        names: dict[str, Any] = Plugins.instance().class_name_to_class
        names |= {f"hydra_plugins.nnlab.{name}": made for name, made in plugins.items()}
        with open_dict(config):
            config.hydra.sweep.dir = str(folder)
            # from which Hydra's own launchers compose each job anew
            place = f"hydra.sweep.dir={override_value(str(folder))}"
            config.hydra.overrides.hydra.append(place)
        # as Hydra.multirun does, which composes in the same breath
        callbacks = Callbacks(config)
        callbacks.on_multirun_start(config=config, config_name=self.config_name)
        sweeper = Plugins.instance().instantiate_sweeper(
            config=config,
            hydra_context=HydraContext(config_loader=self.loader, callbacks=callbacks),
            task_function=_in_this_process,
        )
        words: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
        returned: Any = sweeper.sweep(arguments=words)
        callbacks.on_multirun_end(config=config, config_name=self.config_name)
        return returned

    @property
    def loader(self) -> Loader:
        loader = self.hydra.config_loader
        assert isinstance(loader, Loader)
        return loader


def grid(overrides: Sequence[Override]) -> list[list[str]] | None:
    """Return each job's words, as Hydra's grid makes them; None where a search will."""
    if any(o.is_sweep_override() and not o.is_discrete_sweep() for o in overrides):
        return None
    [jobs] = BasicSweeper.split_arguments(list(overrides), None)
    return jobs


def plain(config: Any) -> Any:
    """Return a config as plain containers, interpolations resolved, `???` kept.

    Raises:
        UserError: where a value refers to one that is not there, or to itself.
    """
    try:
        return OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException as error:
        key = f"{error.full_key}: " if error.full_key else ""
        raise UserError(f"{key}{_first_line(error)}") from error


def _surroundings() -> tuple[str | None, ...]:
    return tuple(os.environ.get(name) for name in PLUGIN_VARIABLES)


def _refuse(message: str) -> NoReturn:
    raise UserError(message.removeprefix("argument "))


def _in_this_process(config: DictConfig) -> None:
    raise UserError(
        "hydra/launcher=basic would run all jobs in one process, where each leaves its "
        "state to the next; use hydra/launcher=local"
    )


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
