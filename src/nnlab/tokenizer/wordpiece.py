"""WordPiece: words are cut from the left into the longest pieces there are.

Schuster & Nakajima (2012), "Japanese and Korean Voice Search"; cut as in BERT (Devlin,
Chang, Lee & Toutanova 2019, https://arxiv.org/abs/1810.04805), a piece that continues a
word being written with ## before it.

Departs from BERT: upper case, accents and white space are kept, so that text comes back
as it was. Training is Hugging Face's, which merges as byte-pair encoding does: the most
frequent pair, not the likeliest.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from typing_extensions import override

from nnlab.tokenizer._pieces import UNKNOWN, Pieces

INSIDE = "##"  # no word holds two of these signs, so none is mistaken for it


class WordPiece(Pieces):
    """Pieces of words; a word with a character that training did not bring is unknown.

    Decoding gives the text, where nothing is unknown.
    """

    kind = "wordpiece"

    @override
    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.pieces[index].removeprefix(INSIDE) for index in ids)

    @override
    def _learn(self, words: Iterator[list[str]], library: Any) -> None:
        batches = list(words)
        characters = sorted(set(chain.from_iterable(chain.from_iterable(batches))))
        self._check_room(len(self.shown) + 2 * len(characters))
        # The library would number these in the order of a hash table, another one in
        # each process, and ties between pairs are broken by number.
        inside = [f"{INSIDE}{character}" for character in characters]
        trained = library.Tokenizer(library.models.WordPiece(unk_token=UNKNOWN))
        trainer = library.trainers.WordPieceTrainer(
            vocab_size=self.asked,
            special_tokens=[*self.shown, *inside],
            show_progress=False,
        )
        trained.train_from_iterator(batches, trainer)
        vocabulary = trained.get_vocab()
        self.pieces = sorted(vocabulary, key=vocabulary.__getitem__)

    @override
    def _model(self, library: Any) -> Any:
        return library.models.WordPiece(
            {piece: index for index, piece in enumerate(self.pieces)},
            unk_token=UNKNOWN,
            max_input_chars_per_word=1 << 30,
            continuing_subword_prefix=INSIDE,
        )
