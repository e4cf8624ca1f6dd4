"""What a sweep's jobs have in common, done once before they are forked.

Nothing here starts a thread, draws a random number, or asks a GPU; no code of a plugin,
a model or a data set is imported.
"""

import gc
import importlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from nnlab.stand_in import leave_out_unused

# What runs use, and import only when they do.
IMPORTED = (
    "torch",
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


def import_once() -> None:
    """Import what runs use, and fill what only caches: Hydra's grammar, fonts."""
    gc.disable()  # as `nnlab.importing` does
    leave_out_unused()
    for module in IMPORTED:
        importlib.import_module(module)
    from nnlab.compose import Composer
    from nnlab.environment import software
    from nnlab.report.page import TEMPLATE
    from nnlab.template import template

    Composer.ready = Composer.ready or Composer()
    prepare_for(["seed=1"])
    software()
    template(TEMPLATE)
    _draw()
    gc.freeze()  # a collection in a job would write to, and so copy, all of this
    gc.enable()


def prepare_for(words: Sequence[str]) -> None:
    """Compose what a job shares with others, and make what checks its values."""
    from nnlab.compose import Composer, plain

    if Composer.ready is None:  # a test's process has other things to do
        return
    from nnlab.settings import check_settings
    from nnlab.target import prepare_checks, resolve

    # What is wrong with its words, the job itself will say.
    with suppress(KeyError, TypeError, ValueError):
        config = plain(Composer.ready.compose([w for w in words if "=" in w]))
        check_settings(config, is_here=False)
        for node in _objects(config):
            if node["_target_"].startswith(STEADY):
                target = resolve(node["_target_"], "", Composer.ready.plugins)
                prepare_checks(target, node)


def _objects(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        if isinstance(node.get("_target_"), str):
            yield node
        for inner in node.values():
            yield from _objects(inner)


def _draw() -> None:
    """Write a word: fonts are found, and what else comes with the first picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 2))
    figure.text(0, 0, "x")
    figure.savefig(io.BytesIO(), format="png")
