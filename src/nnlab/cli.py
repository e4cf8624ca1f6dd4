"""The command line: a verb, then Hydra's overrides; a mistake is one sentence.

Nothing heavy is imported before it is known that a run begins: `--help` and `list`
answer without torch.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence

from nnlab import __version__
from nnlab.errors import RunFailed, UserError, did_you_mean
from nnlab.home import conf_folder
from nnlab.interrupt import Interrupted

USAGE, FAILURE = 2, 1
EXPLAINED = ("test", "export", "list", "plugins")  # others have more to say


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 2 for a mistake, 1 for a failure."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        verb, rest = split_verb(words)
        if verb in EXPLAINED and rest in (["--help"], ["-h"]):
            sys.stdout.write(f"nnlab {verb}: {VERBS[verb].__doc__}\n")
            return 0
        return VERBS[verb](rest)
    except UserError as error:
        if os.environ.get("NNLAB_TRACEBACK") == "1":
            traceback.print_exc()
        sys.stderr.write(f"nnlab: {error}\n")
        return USAGE
    except RunFailed as failure:
        if os.environ.get("NNLAB_TRACEBACK") == "1":
            traceback.print_exc()
        sys.stderr.write(f"nnlab: {failure}\n")
        return FAILURE
    except Interrupted as interrupted:
        return interrupted.exit_status
    except BrokenPipeError:  # `nnlab list | head`
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("nnlab: stopped before anything was written\n")
        return 130


def split_verb(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the verb, `train` where none is said, and the words after it.

    Raises:
        UserError: where the first word is neither a verb nor a setting.
    """
    if not words or words[0].startswith("-") or "=" in words[0]:
        return "train", list(words)
    if words[0].startswith("~"):
        return "train", list(words)
    if words[0] not in VERBS:
        hint = _as_setting(words[0]) or did_you_mean(words[0], VERBS)
        raise UserError(f"no verb called {words[0]!r}{hint}")
    return words[0], list(words[1:])


def _as_setting(word: str) -> str:
    """Return the setting that was probably meant: `mlp` for `model=mlp`."""
    if not word.isidentifier():
        return ""
    if word == "resume":
        return "; did you mean resume=<a folder in outputs>?"
    if (conf_folder() / word).is_dir():
        return f"; a setting is written {word}=..., and list {word} shows the choices"
    for group in ("model", "data", "experiment"):
        if (conf_folder() / group / f"{word}.yaml").is_file():
            return f"; did you mean {group}={word}?"
    return ""


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


def test(words: list[str]) -> int:
    """Evaluate a finished run from its folder: run=<folder> [data=...]."""
    from nnlab.again import test_run
    from nnlab.compose import Composer
    from nnlab.overrides import with_places_quoted

    return test_run(with_places_quoted(words), Composer())


def generate(words: list[str]) -> int:
    """Let a finished run speak: run=<folder> prompt="ROMEO:" [temperature=...]."""
    from nnlab.speak import generate

    return generate(words)


def export(words: list[str]) -> int:
    """Write a run's model as another library loads it: run=<folder> to=<new folder>."""
    from nnlab.export import export

    return export(words)


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


VERBS: dict[str, Callable[[list[str]], int]] = {
    "train": train,
    "test": test,
    "generate": generate,
    "export": export,
    "list": list_options,
    "plugins": plugins,
}
