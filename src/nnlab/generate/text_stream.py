"""From tokens to text while they come: nothing is shown that the next may change."""

from collections.abc import Callable, Sequence

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class TextStream:
    """Turns tokens into the text that each adds.

    A token may hold a part of a character's bytes, and may or may not begin with a
    space where it does not begin the text: so each is decoded behind those before it,
    and kept back until its characters are whole.

    Args:
        decode: the tokenizer's.
        before: the tokens of the prompt.
    """

    def __init__(
        self, decode: Callable[[Sequence[int]], str], before: Sequence[int]
    ) -> None:
        self.decode = decode
        self.shown = list(before)[-8:]  # enough to know what a token follows
        self.kept: list[int] = []

    def add(self, token: int) -> str:
        """Return what may be shown, now that this token is there."""
        self.kept.append(token)
        # Four bytes are a character at most: whatever is longer is no beginning of one.
        return self._text(may_wait=len(self.kept) < 4)

    def end(self) -> str:
        """Return what was kept back, whole or not."""
        return self._text(may_wait=False) if self.kept else ""

    def _text(self, *, may_wait: bool) -> str:
        before = self.decode(self.shown)
        text = self.decode([*self.shown, *self.kept])
        if may_wait and text.endswith(REPLACEMENT):
            return ""
        self.shown, self.kept = self.kept, []
        return text[len(before) :]
