"""A network trained by nnlab keeps or drops a page: a run of data=page_language.

    python -m nnlab model=mlp data=page_language data.source=<folder>
    nnlab prepare data=common_crawl data.filter.classifier=<that run's folder> …

It is computed with NumPy: torch would cost each worker half a gigabyte.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from nnlab.corpus.document import Document
from nnlab.corpus.filter.checkpoint_arrays import BROKEN, Checkpoint
from nnlab.corpus.filter.page_vector import page_codes, page_vectors
from nnlab.corpus.filter.rule import Rule
from nnlab.errors import UserError

MINIMUM = 0.5  # where the YAML names a run's folder alone
KIND = "PageLanguage"  # the data's state in a checkpoint
MODEL = "nnlab.model.mlp.MLP"
Numbers = NDArray[np.floating]
_WEIGHTS = re.compile(r"(hidden\.\d+|output)\.(weight|bias)")
_SELU = 1.0507009873554805, 1.6732632423543772  # scale, alpha: Klambauer et al. 2017
_ERROR_FUNCTION = np.vectorize(math.erf, otypes=[np.float32])

# What `activation` of `nnlab.model.mlp.MLP`, which lies above this room, stands for.
ACTIVATIONS: Mapping[str, Callable[[Numbers], Any]] = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "selu": lambda x: (
        _SELU[0] * np.where(x > 0, x, _SELU[1] * np.expm1(np.minimum(x, 0)))
    ),
    "gelu": lambda x: x * (1 + _ERROR_FUNCTION(x / math.sqrt(2))) / 2,
}


def classifier(*, run: str, minimum: float, wanted: str | None) -> Rule:
    """The network's probability that a page is in the wanted language.

    Args:
        run: the folder of a run, with checkpoints/best.ckpt.
        minimum: of the probability.
    """
    assert wanted is not None  # `check_filter` tells the user
    found = read_run(run)
    return Rule("classifier", found.scorer(wanted), minimum=minimum)


@dataclass(frozen=True)
class PageRun:
    """A trained network of `model=mlp data=page_language`.

    Args:
        run: its folder.
        languages: one a class.
        data, model: what the run's config says of them.
        weights: arrays by name.
    """

    run: str
    languages: list[str]
    data: Mapping[str, Any]
    model: Mapping[str, Any]
    weights: Mapping[str, Numbers]

    def check(self, wanted: str | None) -> None:
        """Raise `UserError` where it cannot tell the wanted language."""
        where = f"data.filter.classifier={self.run}"
        if wanted is None:
            raise UserError(f"{where} needs a language to keep; give data.language=en")
        if wanted not in self.languages:
            known = ", ".join(self.languages[:12])
            raise UserError(f"{where} never saw data.language={wanted}, but {known}")

    def scorer(self, wanted: str) -> Callable[[Document], float]:
        """Return what gives a document's probability."""
        place = self.languages.index(wanted)
        characters, features = self.data["characters"], self.data["features"]

        def score(document: Document) -> float:
            codes = page_codes(document.text, characters)[None]
            logits = self.logits(page_vectors(codes, features))[0]
            shares = np.exp(logits - logits.max())
            return float(shares[place] / shares.sum())

        return score

    def logits(self, x: Numbers) -> Numbers:
        """Return what the network says of vectors, (pages, languages)."""
        bend = ACTIVATIONS[self.model["activation"]]
        for name in dict.fromkeys(each.rpartition(".")[0] for each in self.weights):
            weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
            x = x @ weight.T + bias
            x = x if name == "output" else bend(x)
        return x


@cache
def read_run(run: str) -> PageRun:
    """Return the network of a run's folder.

    Raises:
        UserError: where there is none, or it was trained on something else.
    """
    where = f"data.filter.classifier={run}"
    file = Path(run).expanduser() / "checkpoints" / "best.ckpt"
    if not file.is_file():
        raise UserError(f"{where} is no run's folder: there is no {file}")
    try:
        checkpoint = Checkpoint(file)
    except (*BROKEN, BadZipFile) as cause:
        raise UserError(f"{where}: {file.name} is damaged or no checkpoint") from cause
    content = checkpoint.content
    try:
        config, state = content["nnlab"]["config"], content["state_dict"]
        data, model, names = config["data"], config["model"], content.get(KIND)
    except (KeyError, TypeError) as cause:
        raise UserError(f"{where} holds no checkpoint of nnlab's") from cause
    if names is None or model["_target_"] != MODEL or model["loss"] != "cross_entropy":
        raise UserError(
            f"{where} is a run of model={config['choices']['model']} "
            f"data={config['choices']['data']}; a page is read by model=mlp "
            "data=page_language"
        )
    if not all(map(_WEIGHTS.fullmatch, state)):
        raise UserError(f"{where} has weights that model=mlp alone has not")
    try:
        weights = checkpoint.arrays(state)
    except (*BROKEN, BadZipFile) as cause:
        raise UserError(f"{where}: {file.name} is damaged") from cause
    return PageRun(run, list(names["languages"]), data, model, weights)
