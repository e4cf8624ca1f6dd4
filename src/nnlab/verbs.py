"""The verbs: what `nnlab <verb>` does, a line each, and where it is done.

A verb's module is imported only when it is called, so that `--help` and `list` answer
without torch.
"""

import sys
from importlib import import_module
from typing import NamedTuple

from nnlab import __version__
from nnlab.errors import UserError, did_you_mean


class Verb(NamedTuple):
    """One verb: the function that takes its words, and one line of help."""

    target: str  # module:function; it takes the words, and returns the exit status
    does: str
    explains_itself: bool = False  # answers --help with more than this line

    def __call__(self, words: list[str]) -> int:
        """Do it; return the exit status."""
        module, _, name = self.target.partition(":")
        return getattr(import_module(module), name)(words)


VERBS: dict[str, Verb] = {
    "train": Verb(
        "nnlab.verbs:train",
        "train and test a model, continue a run, or sweep over several",
        explains_itself=True,
    ),
    "test": Verb(
        "nnlab.evaluate:test", "evaluate a finished run from its folder: run=<folder>"
    ),
    "generate": Verb(
        "nnlab.speak:generate",
        'let a finished run speak: run=<folder> prompt="ROMEO:"',
        explains_itself=True,
    ),
    "export": Verb(
        "nnlab.export:export",
        "write a run's model as another library loads it: run=<folder> to=<new folder>",
    ),
    "list": Verb(
        "nnlab.verbs:list_options",
        "show what can be chosen: list [models|data|experiments|...]",
    ),
    "plugins": Verb(
        "nnlab.verbs:plugins", "show the plugins that were found: list | info NAME"
    ),
}


def train(words: list[str]) -> int:
    """Train and test a model, continue a run, or sweep over several."""
    if words == ["--version"]:
        return _version()
    from nnlab.compose import Composer, parse_arguments, plain
    from nnlab.overrides import checked, with_places_quoted

    arguments = parse_arguments(words)
    arguments.overrides = with_places_quoted(arguments.overrides)
    composer = Composer(
        config_name=arguments.config_name or "config", config_dir=arguments.config_dir
    )
    if arguments.shell_completion:
        composer.answer(arguments)
        return 0
    if arguments.multirun:
        from nnlab.sweep import sweep

        return sweep(arguments.overrides, composer)
    if any(word.startswith("resume=") for word in arguments.overrides):
        from nnlab.again import resume

        return resume(arguments.overrides, composer)
    arguments.overrides = checked(arguments.overrides, composer)
    if composer.answer(arguments):
        return 0
    config = plain(composer.compose(arguments.overrides))
    from rich.console import Console

    from nnlab import run

    return run.train(
        config,
        overrides=arguments.overrides,
        plugins=composer.plugins,
        console=Console(highlight=False),
    )


def list_options(words: list[str]) -> int:
    """Show what can be chosen: list [models|data|experiments|...]."""
    from nnlab.catalog import catalog

    if len(words) > 1:
        raise UserError(f"list takes one group, and {' '.join(words)!r} names several")
    sys.stdout.write(catalog(*words))
    return 0


def plugins(words: list[str]) -> int:
    """Show the plugins that were found: plugins list | info NAME."""
    from nnlab.catalog import plugin_info, plugins_table

    match words:
        case [] | ["list"]:
            sys.stdout.write(plugins_table())
        case ["info", name]:
            sys.stdout.write(plugin_info(name))
        case ["info"]:
            raise UserError(
                "plugins info needs a plugin's name; plugins list shows them"
            )
        case _:
            hint = did_you_mean(words[0], ["list", "info"])
            raise UserError(f"no verb called 'plugins {' '.join(words)}'{hint}")
    return 0


def _version() -> int:
    sys.stdout.write(f"nnlab {__version__}\n")
    return 0
