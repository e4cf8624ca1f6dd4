"""The tokenizer of a checkpoint, whatever its kind."""

from collections.abc import Iterator
from typing import Any

from nnlab.errors import UserError, did_you_mean
from nnlab.tokenizer.bpe import Bpe
from nnlab.tokenizer.byte import Byte
from nnlab.tokenizer.char import Char
from nnlab.tokenizer.gpt2 import Gpt2
from nnlab.tokenizer.tokenizer import Tokenizer
from nnlab.tokenizer.unigram import Unigram
from nnlab.tokenizer.word import Word
from nnlab.tokenizer.wordpiece import WordPiece

OURS: tuple[type[Tokenizer], ...] = (Char, Byte, Word, Bpe, WordPiece, Unigram, Gpt2)


def tokenizer_from_state(state: dict[str, Any]) -> Tokenizer:
    """Return the tokenizer whose `state` this was, a plugin's where it is imported.

    Raises:
        UserError: where there is no such kind.
    """
    kinds = {cls.kind: cls for cls in _kinds(Tokenizer) if hasattr(cls, "kind")}
    kind = state.get("kind")
    if kind not in kinds:
        raise UserError(f"no tokenizer called {kind!r}{did_you_mean(str(kind), kinds)}")
    return kinds[kind].restore(state)


def _kinds(base: type[Tokenizer]) -> Iterator[type[Tokenizer]]:
    for cls in base.__subclasses__():
        yield cls
        yield from _kinds(cls)
