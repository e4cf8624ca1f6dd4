"""The verbs: what `nnlab <verb>` does, a line each, and where it is done.

A verb's module is imported only when it is called, so that `--help` and `list` answer
without torch.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from nnlab import __version__
from nnlab.errors import UserError
from nnlab.importing import imports
from nnlab.interrupt import ended_at_once
from nnlab.place import place

if TYPE_CHECKING:
    from nnlab.sweep.job_server import JobServer


class Verb(NamedTuple):
    """One verb: the function that takes its words, and one line of help."""

    target: str  # module:function; it takes the words, and returns the exit status
    does: str
    explains_itself: bool = False  # answers --help with more than this line
    help: str = ""  # module:function that returns it, where that needs fewer imports

    def __call__(self, words: list[str]) -> int:
        """Do it; return the exit status."""
        if self.help and ("--help" in words or "-h" in words):
            sys.stdout.write(_named(self.help)())
            return 0
        return _named(self.target)(words)


def _named(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


VERBS: dict[str, Verb] = {
    "train": Verb(
        "nnlab.verbs:train",
        "train and test a model, continue a run, or sweep over several",
        explains_itself=True,
    ),
    "test": Verb(
        "nnlab.evaluate:test",
        "evaluate a finished run: run=<its folder>, or run=latest",
    ),
    "generate": Verb(
        "nnlab.speak:generate",
        'let a finished run speak: run=<folder> prompt="ROMEO:"',
        explains_itself=True,
        help="nnlab.request:help_text",
    ),
    "predict": Verb(
        "nnlab.predict:predict",
        "ask a finished run about your own examples: run=<folder> input=<file or text>",
        explains_itself=True,
        help="nnlab.question:help_on_predict",
    ),
    "export": Verb(
        "nnlab.export:export",
        "write a run's model as another library loads it: run=<folder>, or run=latest, "
        "to=<new folder>, or any model as a program of torch.export: to=<new>.pt2",
    ),
    "prepare": Verb(
        "nnlab.prepare:prepare",
        "make archives of text into tokens: data=common_crawl data.source=<files>",
        explains_itself=True,
    ),
    "compare": Verb(
        "nnlab.compare.command:compare",
        "which is better? run=<folders>, or model=mlp,lenet5 budget.parameters=50k",
        explains_itself=True,
        help="nnlab.compare.explained:help_text",
    ),
    "reproduce": Verb(
        "nnlab.compare.reproduce:reproduce",
        "run experiments beside their published results: [NAME ...] [--check]",
    ),
    "runs": Verb(
        "nnlab.past.runs:runs",
        "list runs: [status=failed] [model=gpt] [sort=test/loss] [below=outputs]",
    ),
    "diff": Verb(
        "nnlab.past.diff:diff", "show in what two runs differ: run=<A> run=<B>"
    ),
    "rerun": Verb(
        "nnlab.past.rerun:rerun",
        "make a run again, and say whether the same bits came out: run=<folder>",
    ),
    "list": Verb(
        "nnlab.verbs:list_options",
        "show what can be chosen: list [models|data|experiments|...]",
    ),
    "plugins": Verb(
        "nnlab.plugin_verbs:plugins",
        "show, write or check plugins: list | info NAME | new NAME | check PATH",
        explains_itself=True,
    ),
}


def train(words: list[str]) -> int:
    """Train and test a model, continue a run, or sweep over several."""
    if words == ["--version"]:
        return _version()
    if not {"-m", "--multirun"} & {*words}:
        with ended_at_once("stopped before anything was written"):
            return _train(words, None)
    from nnlab.sweep.ahead import server_ahead

    with server_ahead(words) as server, ended_at_once("stopped before a job began"):
        return _train(words, server)


def _train(words: list[str], server: "JobServer | None") -> int:
    from nnlab.compose import Composer, parse_arguments, plain
    from nnlab.latest import with_latest_named
    from nnlab.overrides import checked, with_places_quoted
    from nnlab.plugins import complaints

    arguments = parse_arguments(words)
    words = with_places_quoted(arguments.overrides)
    arguments.overrides = with_latest_named(words, is_sweep=arguments.multirun)
    composer = Composer.at_hand(arguments.config_name or "config", arguments.config_dir)
    if arguments.shell_completion:
        composer.answer(arguments)
        return 0
    for line in complaints(composer.plugins):
        sys.stderr.write(f"nnlab: {line}\n")
    if arguments.multirun:
        check_alone()
        from nnlab.sweep import sweep
        from nnlab.sweep.preview import preview

        if preview(arguments, composer):
            return 0
        return sweep(arguments.overrides, composer, server)
    if any(word.startswith("resume=") for word in arguments.overrides):
        with imports():
            from nnlab.again import resume

        return resume(arguments.overrides, composer)
    arguments.overrides = checked(arguments.overrides, composer)
    if composer.answer(arguments):
        return 0
    config = plain(composer.compose(arguments.overrides))
    if config.get("study"):
        from nnlab.study.command import run_study

        with ended_at_once("stopped"):  # it writes, and listens only to its jobs
            return run_study(config, arguments.overrides, composer)
    from nnlab.effect import check_read
    from nnlab.screen import screen

    check_read(arguments.overrides, config)
    with imports():
        from nnlab import run

    return run.train(
        config,
        overrides=arguments.overrides,
        plugins=composer.plugins,
        console=screen(),
        typed=arguments.overrides,
    )


def check_alone() -> None:
    """Raise `UserError` where each process of a group would sweep the same jobs."""
    ranks = place().ranks
    if ranks > 1:
        raise UserError(
            f"-m within torchrun or srun would be {ranks} sweeps over the same jobs; "
            f"start it by itself, its jobs with trainer.devices={ranks}"
        )


def list_options(words: list[str]) -> int:
    """Show what can be chosen: list [models|data|experiments|...]."""
    from nnlab.catalog import catalog

    if len(words) > 1:
        raise UserError(f"list takes one group, and {' '.join(words)!r} names several")
    sys.stdout.write(catalog(*words))
    return 0


def _version() -> int:
    sys.stdout.write(f"nnlab {__version__}\n")
    return 0
