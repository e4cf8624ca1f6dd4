"""What a sweep's jobs have in common, done once before they are forked.

Nothing here starts a thread, draws a random number, or asks a GPU; no code of a plugin,
a model or a data set is imported.
"""

import gc
import importlib
import io
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

from nnlab.late_compiler import the_compiler
from nnlab.stand_in import leave_out_unused

# What runs use, and import only when they do.
IMPORTED = (
    "torch",
    "torch.utils._device",
    "numpy.random",
    "nnlab.cli",
    "nnlab.run",
    "nnlab.again",
    "nnlab.hardware",
    "nnlab.tensorboard",
    "matplotlib.backends.backend_svg",
    "contourpy",
    "nnlab.picture.confusion_matrix",
    "nnlab.picture.decision_boundary",
    "nnlab.picture.image_grid",
    "nnlab.picture.worst_classified",
    "nnlab.report.png",
    "pydantic.type_adapter",
    "threadpoolctl",
    "fsspec.implementations.chained",
    "rich._emoji_codes",
    "tensorboard.summary",
    "tensorboard.plugins.hparams.api_pb2",
    "tensorboard.plugins.hparams.metadata",
    "torch.utils.serialization.config",
    "torch.utils.tensorboard",
)

# What a job is made of that nobody works at while a sweep runs: a model's file, or a
# data set's, may do anything when it is imported, and is for the job alone.
STEADY = ("lightning.", "nnlab.optimizer.", "nnlab.schedule.", "nnlab.tensorboard.")


# Keys without a dot, of values that most often differ from job to job.
PLAIN = ("folder", "seed")


def import_once() -> None:
    """Import what runs use."""
    with _kept():
        leave_out_unused()
        for module in IMPORTED:
            importlib.import_module(module)


@lru_cache(maxsize=1)
def fill_caches() -> None:
    """Fill, once, what only caches: Hydra's grammar, versions, templates, letters."""
    from nnlab.compose import Composer
    from nnlab.environment import software
    from nnlab.report.page import TEMPLATE
    from nnlab.template import template
    from nnlab.trainer import find_callbacks

    with _kept():
        Composer.ready = Composer.ready or Composer()
        prepare_for(["seed=1"])
        software()
        template(TEMPLATE)
        find_callbacks(group="lightning.pytorch.callbacks_factory")
        _draw()


@contextmanager
def _kept() -> Generator[None]:
    """Let no collection look through what is made here: in a job it would copy it."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


_prepared: set[frozenset[str]] = set()  # kinds of jobs


def prepare_for(words: Sequence[str]) -> None:
    """Compose what a job shares with others, and make what checks its values."""
    from nnlab.compose import Composer, plain

    if Composer.ready is None:  # a test's process has other things to do
        return
    alike = frozenset(_choice(word) for word in words)
    if alike in _prepared:
        return
    _prepared.add(alike)
    from nnlab.settings import check_settings
    from nnlab.target import prepare_checks, resolve

    # What is wrong with its words, the job itself will say.
    with suppress(KeyError, TypeError, ValueError):
        config = plain(Composer.ready.compose([w for w in words if "=" in w]))
        check_settings(config, is_here=False)
        if _needs_compiler(config):
            with _kept():
                the_compiler()
                importlib.import_module("torch._inductor.config")
        for node in _objects(config):
            if node["_target_"].startswith(STEADY):
                target = resolve(node["_target_"], "", Composer.ready.plugins)
                prepare_checks(target, node)


def _needs_compiler(config: Mapping[str, Any]) -> bool:
    """Whether a job imports torch's compiler: if deterministic, for DDP, to compile."""
    trainer, callbacks = config["trainer"], config["callback"]
    is_on_cpu = trainer.get("accelerator") == "cpu"
    compiles = "compile" in callbacks or ("compile_gpu" in callbacks and not is_on_cpu)
    is_group = trainer.get("strategy", "auto") != "auto"
    return bool(config["deterministic"]) or is_group or compiles


def _choice(word: str) -> str:
    """Return the word, or only its key where jobs with other values are alike."""
    key = word.partition("=")[0]
    return key if "." in key or key in PLAIN else word


def _objects(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        if isinstance(node.get("_target_"), str):
            yield node
        for inner in node.values():
            yield from _objects(inner)


def _draw() -> None:
    """Draw what comes with a first picture: letters, and XOR's plane."""
    import torch

    from nnlab.picture.decision_boundary import decision_boundary

    points = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    picture = decision_boundary(lambda x: x[:, 0], points, torch.tensor([0, 1, 1, 0]))
    picture.save(io.BytesIO(), format="png")
