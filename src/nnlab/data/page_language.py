"""Page language: pieces of text, each with the language it is in.

Read from files of yours, and served as hashed n-grams of characters, so that a small
network learns what `nnlab prepare` asks of a page: data.filter.classifier=<run folder>.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from annotated_types import Interval
from torch import Tensor
from typing_extensions import override

from nnlab.corpus.filter.page_vector import page_codes, page_vectors
from nnlab.data._images import stratified_split
from nnlab.data_module import DataModule, Splits
from nnlab.errors import UserError
from nnlab.given.given import UNKNOWN, Examples, Given, Texts
from nnlab.limits import Count, Natural, Share
from nnlab.numerals import counted
from nnlab.unreadable import why

Characters = Annotated[int, Interval(ge=16, le=100_000)]


class PageLanguage(DataModule):
    """Pages as (vector, language): float32 (batch, features) and int64 (batch).

    Args:
        source: a folder of texts named by their language, en.txt, a sentence a line; or
            a file of lines of JSON, each with `text` and `language`.
        languages: only these; None: all that the source has.
        lines_per_page: lines of a text that are one page.
        characters: from the start of a page, that are looked at.
        features: numbers of a vector, over which the n-grams are hashed.
        validation_share, test_share: of the pages, each language by its share.
        repeats: how often an epoch goes through the training pages.
    """

    gives: ClassVar[str] = "rows of numbers"

    def __init__(
        self,
        *,
        source: str | None,
        languages: list[str] | None,
        lines_per_page: Count,
        characters: Characters,
        features: Count,
        validation_share: Share,
        test_share: Share,
        batch_size: Count,
        evaluation_batch_size: Count,
        repeats: Count,
        seed: Natural,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            evaluation_batch_size=evaluation_batch_size,
            repeats=repeats,
            seed=seed,
        )
        if source is None:
            raise UserError(
                "data.source has no value; name a folder of texts called by their "
                "language, en.txt, or a file of JSON lines with text and language"
            )
        if not validation_share or not test_share or validation_share + test_share >= 1:
            raise UserError(
                f"data.validation_share={validation_share} and data.test_share="
                f"{test_share} must be above 0 and leave something to train on"
            )
        self.source = Path(source).expanduser()
        self.lines_per_page = lines_per_page
        self.characters, self.features = characters, features
        self.validation_share, self.test_share = validation_share, test_share
        self.pages = _chosen(self._read(), languages, source)
        self.class_names = list(self.pages)

    @override
    def facts(self) -> dict[str, int]:
        return {"input_size": self.features, "classes": len(self.class_names)}

    @override
    def load(self) -> Splits:
        pages = [page for each in self.pages.values() for page in each]
        codes = self._codes(pages)
        counts = torch.tensor([len(each) for each in self.pages.values()])
        label = torch.arange(len(counts)).repeat_interleave(counts)
        rest, test = self._split(label, "test_share")
        kept, held_out = self._split(label[rest], "validation_share", len(label))
        train, validation = rest[kept], rest[held_out]
        return Splits(
            *((codes[each], label[each]) for each in (train, validation, test))
        )

    @override
    def prepare(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        codes, label = batch
        vectors = page_vectors(codes.cpu().numpy(), self.features)
        return torch.from_numpy(vectors).to(label.device), label

    @override
    def read(self, given: Given) -> Examples:
        """Return each text as a page whose language is not known.

        Raises:
            UserError: where it is a picture.
        """
        if not isinstance(given, Texts):
            raise UserError(f"input={given.names[0]} is a picture; this run reads text")
        label = torch.full((len(given.texts),), UNKNOWN)
        return Examples(given.names, [(self._codes(given.texts), label)])

    # The filter of `nnlab prepare` needs to know what the classes are.
    @override
    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "languages": list(self.class_names)}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        place = {name: state_dict[name] for name in state_dict if name != "languages"}
        super().load_state_dict(place)

    def _codes(self, pages: Sequence[str]) -> Tensor:
        rows = [page_codes(page, self.characters) for page in pages]
        return torch.from_numpy(np.stack(rows))

    def _split(self, label: Tensor, key: str, whole: int = 0) -> tuple[Tensor, Tensor]:
        size = round(getattr(self, key) * (whole or len(label)))
        return stratified_split(label, size, seed=self.seed, key=f"data.{key}")

    def _read(self) -> dict[str, list[str]]:
        """Return the pages of each language, none of them twice."""
        try:
            if self.source.is_dir():
                files = sorted(self.source.glob("*.txt"))
                return {
                    file.stem: self._paged(file.read_text("utf-8").splitlines())
                    for file in files
                }
            return _from_json(self.source)
        except (OSError, UnicodeDecodeError) as cause:
            raise UserError(
                f"data.source={self.source} cannot be read: {why(cause)}"
            ) from cause

    def _paged(self, lines: Iterable[str]) -> list[str]:
        once = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
        size = self.lines_per_page
        return ["\n".join(once[at : at + size]) for at in range(0, len(once), size)]


def _from_json(file: Path) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                content = json.loads(line)
                found[str(content["language"])][str(content["text"])] = None
            except (ValueError, KeyError, TypeError) as cause:
                raise UserError(
                    f"data.source={file}, line {number} is no JSON object with text "
                    "and language"
                ) from cause
    return {language: list(found[language]) for language in sorted(found)}


def _chosen(
    pages: dict[str, list[str]], languages: list[str] | None, source: str
) -> dict[str, list[str]]:
    """Return the pages of the languages that are wanted, in their order."""
    if missing := set(languages or ()) - pages.keys():
        there = ", ".join(pages) or "no text"
        raise UserError(
            f"data.languages names {', '.join(sorted(missing))}, but data.source="
            f"{source} has {there}"
        )
    chosen = {name: pages[name] for name in languages or pages if pages[name]}
    if len(chosen) < 2:
        raise UserError(
            f"data.source={source} has texts in {counted(len(chosen), 'language')}; a "
            "classifier needs two"
        )
    return chosen
