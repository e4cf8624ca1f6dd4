"""A network trained by nnlab keeps or drops a page: a run of data=page_language.

    python -m nnlab model=mlp data=page_language data.source=<folder>
    nnlab prepare data=common_crawl data.filter.classifier=<that run's folder> …

It needs torch in each worker, which the other rules do not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nnlab.corpus.document import Document
from nnlab.corpus.filter.rule import Rule
from nnlab.errors import UserError

MINIMUM = 0.5  # where the YAML names a run's folder alone
KIND = "PageLanguage"  # the data's state in a checkpoint
MODEL = "nnlab.model.mlp.MLP"


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
        weights: tensors by name.
    """

    run: str
    languages: list[str]
    data: Mapping[str, Any]
    model: Mapping[str, Any]
    weights: Mapping[str, Any]

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
        import torch

        from nnlab.corpus.filter.page_vector import page_codes, page_vectors

        place = self.languages.index(wanted)
        characters, features = self.data["characters"], self.data["features"]

        @torch.inference_mode()
        def score(document: Document) -> float:
            codes = torch.from_numpy(page_codes(document.text, characters))[None]
            logits = self._logits(page_vectors(codes, features))
            return float(logits.softmax(dim=1)[0, place])

        return score

    def _logits(self, x: Any) -> Any:
        """Compute what `nnlab.model.mlp.MLP` does, which lies above this room."""
        import torch

        bend = getattr(torch.nn.functional, self.model["activation"])
        names = [name.removesuffix(".weight") for name in self.weights]
        layers = [name for name in dict.fromkeys(names) if not name.endswith(".bias")]
        for name in layers:
            weight, bias = (
                self.weights[f"{name}.{part}"] for part in ("weight", "bias")
            )
            x = torch.nn.functional.linear(x, weight, bias)
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
    content = _loaded(file, where)
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
    return PageRun(run, list(names["languages"]), data, model, state)


def _loaded(file: Path, where: str) -> Any:
    import pickle

    import torch

    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as cause:
        raise UserError(f"{where}: {file.name} is damaged or no checkpoint") from cause
