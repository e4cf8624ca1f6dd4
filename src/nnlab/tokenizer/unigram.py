"""Unigram: words are cut into the pieces whose probabilities multiply to the most.

Kudo (2018), "Subword Regularization", section 3.2, https://arxiv.org/abs/1804.10959;
without the sampling.
"""

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

from typing_extensions import override

from nnlab.tokenizer._pieces import UNKNOWN, Pieces

_STEP = 1e-4  # between the scores that the library makes up for characters
_DIGITS = 3  # of a score that are kept, in nats


class Unigram(Pieces):
    """Pieces of words with log probabilities; a character that is none is unknown."""

    kind = "unigram"

    @override
    def _learn(self, words: Iterator[list[str]], library: Any) -> None:
        batches = list(words)
        characters = set(chain.from_iterable(chain.from_iterable(batches)))
        # one more: the library raises below the first, and gives too many at it
        self._check_room(len(characters) + len(self.shown) + 1)
        trained = library.Tokenizer(library.models.Unigram())
        trainer = library.trainers.UnigramTrainer(
            vocab_size=self.asked,
            special_tokens=self.shown,
            unk_token=UNKNOWN,
            show_progress=False,
        )
        trained.train_from_iterator(batches, trainer)
        vocabulary = json.loads(trained.to_str())["model"]["vocab"]
        scores = settled(dict(vocabulary[len(self.shown) :]))
        self.pieces = [*self.shown, *scores]
        self.scores = [0.0 for _ in self.shown] + list(scores.values())

    @override
    def _model(self, library: Any) -> Any:
        scored = list(zip(self.pieces, self.scores, strict=True))
        return library.models.Unigram(
            scored, unk_id=self.special["unknown"], byte_fallback=False
        )


def settled(scores: dict[str, float]) -> dict[str, float]:
    """Return what is the same whenever the same text was trained on, best first.

    The library goes through words in the order of a hash table, another one in each
    process: the last digits of its sums differ, and so do the scores, a step apart,
    that it makes up for characters which lost theirs. Those get the lowest score here.
    """
    lowest = min(scores.values())
    single = sum(len(piece) == 1 for piece in scores)

    def score(piece: str) -> float:
        above = scores[piece] - lowest
        is_made_up = len(piece) == 1 and above < _STEP * (single + 0.5)
        return round(lowest if is_made_up else scores[piece], _DIGITS)

    found = {piece: score(piece) for piece in scores}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
