"""What tokenizers of merged bytes share: from merges to ids, through tiktoken."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import NDArray
from typing_extensions import override

from nnlab.tokenizer.tokenizer import SHOWN, Special, Tokenizer, numbered

if TYPE_CHECKING:
    from tiktoken import Encoding

# GPT-2's: no merge crosses from one of these to the next. Its possessive marks (++)
# change no match, only the time that it takes.
PATTERN = (
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
)


class BytePairs(Tokenizer):
    """Bytes, and what merges of two neighbours make of them, the earliest first.

    Ids as GPT-2 numbers them: 256 bytes, a token a merge, then the special ones. A
    merge is written as in GPT-2's vocab.bpe, two words of letters that stand for bytes.

    tiktoken merges any two neighbours that make a token, training's BPE only the pair
    that made it. They give the same ids where every token, encoded alone, is itself.
    """

    def __init__(self, *, special: tuple[Special, ...]) -> None:
        super().__init__()
        self.names = special
        self.merges: list[str] = []

    @property
    @override
    def vocabulary_size(self) -> int:
        return 256 + len(self.merges) + len(self.special)

    @override
    def decode(self, ids: Sequence[int]) -> str:
        return self._encoding.decode_bytes(ids).decode(errors="replace")

    @override
    def state(self) -> dict[str, Any]:
        merges = "\n".join(self.merges)  # as one word: a list of 50,000 loads slowly
        return {"kind": self.kind, "merges": merges, "special": list(self.special)}

    @classmethod
    @override
    def restore(cls, state: dict[str, Any]) -> Self:
        tokenizer = cls.__new__(cls)
        BytePairs.__init__(tokenizer, special=tuple(state["special"]))
        tokenizer._take(state["merges"].splitlines())
        return tokenizer

    @override
    def _ids(self, text: str) -> NDArray[Any]:
        return self._encoding.encode_to_numpy(text, disallowed_special=())

    def _take(self, merges: Iterable[str]) -> None:
        self.merges = list(merges)
        self.special = numbered(self.names, start=256 + len(self.merges))
        self.is_trained = True

    @cached_property
    def _encoding(self) -> "Encoding":
        from tiktoken import Encoding

        assert self.is_trained
        letters = byte_letters()
        ranks = {bytes([byte]): rank for rank, byte in enumerate(letters.values())}
        for merge in self.merges:
            token = bytes(letters[letter] for letter in merge.replace(" ", ""))
            ranks[token] = len(ranks)
        return Encoding(
            self.kind,
            pat_str=PATTERN,
            mergeable_ranks=ranks,
            special_tokens={SHOWN[name]: self.special[name] for name in self.names},
            explicit_n_vocab=self.vocabulary_size,
        )


def byte_letters() -> dict[str, int]:
    """Return the letter that GPT-2 writes for each byte, in the order of their ids.

    Printable bytes stand for themselves; the others get letters from U+0100 on.
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {chr(byte): byte for byte in printable}
    return letters | {chr(256 + index): byte for index, byte in enumerate(others)}
