"""The verb `prepare`: archives of text become shards of tokens, in data.folder.

words -> config -> checked settings -> plan -> stages on an engine -> report, manifest
"""

import hashlib
import json
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from rich.console import Console

from nnlab.compose import Composer, parse_arguments, plain
from nnlab.corpus.archives import Archives
from nnlab.corpus.commit import sweep
from nnlab.corpus.deduplicate import Copies
from nnlab.corpus.filter import check_filter
from nnlab.corpus.libraries import check_libraries
from nnlab.corpus.lock import locked
from nnlab.corpus.manifest import made_manifest, read_manifest, write_manifest
from nnlab.corpus.pipeline import Pipeline, remove_intermediate
from nnlab.corpus.plan import Plan, make_plan, settled, write_plan
from nnlab.corpus.preparation import Fetching, Preparation
from nnlab.corpus.preview import show_preview
from nnlab.corpus.progress import Progress
from nnlab.corpus.report import write_report
from nnlab.corpus.shard_settings import ShardSettings
from nnlab.corpus.source import Source
from nnlab.corpus.summary import show_summary
from nnlab.errors import UserError
from nnlab.interrupt import Interrupt, Interrupted
from nnlab.limits import Count
from nnlab.overrides import checked, with_places_quoted
from nnlab.plugins import Plugins
from nnlab.screen import screen
from nnlab.target import check_arguments, check_value, resolve
from nnlab.tokenizer.char import Char
from nnlab.tokenizer.gpt2 import Gpt2
from nnlab.tokenizer.tokenizer import Tokenizer

GROUPS = ("data", "tokenizer", "executor")
DAMAGED = 3  # the exit status where all is done and something could not be read


def prepare(words: Sequence[str]) -> int:
    """Do what the words ask for; return 3 where something could not be read.

    Raises:
        UserError: a mistake, in one sentence, before anything is written.
        RunFailed: where it cannot go on; what is done stays.
    """
    arguments = parse_arguments(words)
    composer = Composer(config_name="prepare", config_dir=arguments.config_dir)
    arguments.overrides = checked_words(arguments, composer)
    if composer.answer(arguments):
        return 0
    check_libraries()
    config = plain(composer.compose(arguments.overrides))
    settings = checked_settings(config)
    source = checked_source(settings)
    if config["preview"] is not None:
        documents = check_value(config["preview"], Count, "preview")
        return show_preview(settings, source, documents)
    tokenizer = checked_tokenizer(config, composer.plugins)
    identity = {"kind": tokenizer.kind, "fingerprint": _identity(config["tokenizer"])}
    plan = make_plan(settings.place, source.files(), settings.deciding(), identity)
    console = screen(soft_wrap=True)
    with locked(plan.folder):
        plan = settled(plan)
        manifest = read_manifest(plan.folder)
        if manifest is None or manifest["keys"] != plan.keys:
            run_stages(plan, config, composer.plugins, source, tokenizer, console)
            manifest = made_manifest(plan)
            write_report(plan, manifest)
            write_manifest(plan, manifest)
        sweep(plan.folder)
        remove_intermediate(plan)
    show_summary(console, plan.folder, manifest)
    counts = manifest["counts"]
    return DAMAGED if counts["damaged"] or counts["missing"] else 0


def checked_words(arguments: Namespace, composer: Composer) -> list[str]:
    """Return the overrides, each known to name something that prepare takes.

    Raises:
        UserError: with what was probably meant.
    """
    if arguments.multirun:
        raise UserError("prepare makes one folder at a time; leave out -m")
    for word in arguments.overrides:
        key = word.lstrip("+~").partition("=")[0].partition(".")[0]
        if key in composer.groups() and key not in GROUPS:
            raise UserError(
                f"{word} means nothing to prepare; it takes data=, tokenizer= and "
                "executor="
            )
    return checked(with_places_quoted(arguments.overrides), composer)


def checked_settings(config: dict[str, Any]) -> Preparation:
    """Return what `data=` says of the preparation.

    Raises:
        UserError: where the data are of another kind, or a value is not accepted.
    """
    data = config["data"]
    if "reader" not in data:
        raise UserError(
            f"data={config['choices']['data']} needs no preparation; prepare takes "
            "data=common_crawl, wikipedia or webtext"
        )
    named = {name: data[name] for name in Preparation.__annotations__ if name in data}
    for name, value in named.items():
        if value == "???":
            raise UserError(f"data.{name} has no value; give one")
    settings = Preparation(**check_arguments(Preparation, named, "data"))
    check_filter(settings.deciding())
    check_arguments(ShardSettings, settings.shard, "data.shard")
    check_arguments(Copies, settings.deduplicate, "data.deduplicate")
    return settings


def checked_source(settings: Preparation) -> Source:
    """Return where the archives come from."""
    fetching = check_arguments(Fetching, settings.fetch, "data.fetch")
    return Source(settings, Fetching(**fetching))


def checked_tokenizer(config: dict[str, Any], plugins: Plugins) -> Tokenizer:
    """Return the tokenizer; GPT-2's has its file read, so that it fails early.

    Raises:
        UserError: where there is none, or it cannot keep documents apart.
    """
    node = config["tokenizer"]
    if node is None:
        raise UserError("text needs a tokenizer; give tokenizer=gpt2")
    tokenizer = made(node, "tokenizer", plugins)
    assert isinstance(tokenizer, Tokenizer)
    if isinstance(tokenizer, Gpt2):
        tokenizer.train([])
    elif "end_of_text" not in node.get("special", ()):
        raise UserError(
            f"tokenizer={tokenizer.kind} has nothing between two documents; give "
            "tokenizer.special=[end_of_text]"
        )
    elif isinstance(tokenizer, Char) and "unknown" not in node["special"]:
        raise UserError(
            "tokenizer=char meets characters that its training did not bring; give "
            "tokenizer.special=[unknown,end_of_text]"
        )
    return tokenizer


def run_stages(
    plan: Plan,
    config: dict[str, Any],
    plugins: Plugins,
    source: Source,
    tokenizer: Tokenizer,
    console: Console,
) -> None:
    """Do every stage of the plan on the engine that `executor=` names."""
    interrupt = Interrupt()
    progress = Progress(console, plan.folder, plan.files)

    def supply(units: list[int]) -> Archives:
        return source.archives(plan, units, progress.fetch)

    with ExitStack() as stack:
        stack.enter_context(interrupt.listen())
        stack.callback(sweep, plan.folder)  # once the workers are gone
        engine = made(config["executor"], "executor", plugins)
        stack.callback(engine.close)
        write_plan(plan)
        pipeline = Pipeline(plan, tokenizer, engine, supply, progress, interrupt.check)
        try:
            pipeline.run()
        except Interrupted as interrupted:
            console.print(f"stopped by {interrupted}; the same command goes on")
            raise


def made(node: dict[str, Any], where: str, plugins: Plugins) -> Any:
    """Return the object that a config node describes; `build` would import torch."""
    numbers = {name: value for name, value in node.items() if name != "_target_"}
    cls = resolve(node["_target_"], where, plugins)
    return cls(**check_arguments(cls, numbers, where))


def _identity(node: dict[str, Any]) -> str:
    """Return a hash of what a tokenizer is, wherever its files lie."""
    deciding = {name: value for name, value in node.items() if name != "data_dir"}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()
