"""Words: the most frequent ones are the tokens; any other word is unknown."""

from collections.abc import Iterator
from typing import Any

from typing_extensions import override

from nnlab.tokenizer._pieces import UNKNOWN, Pieces


class Word(Pieces):
    """A token a word, with the space before it."""

    kind = "word"

    @override
    def _learn(self, words: Iterator[list[str]], library: Any) -> None:
        trained = library.Tokenizer(library.models.WordLevel(unk_token=UNKNOWN))
        trainer = library.trainers.WordLevelTrainer(
            vocab_size=self.asked, special_tokens=self.shown, show_progress=False
        )
        trained.train_from_iterator(words, trainer)
        vocabulary = trained.get_vocab()
        self.pieces = sorted(vocabulary, key=vocabulary.__getitem__)

    @override
    def _model(self, library: Any) -> Any:
        vocabulary = {piece: index for index, piece in enumerate(self.pieces)}
        return library.models.WordLevel(vocabulary, unk_token=UNKNOWN)
