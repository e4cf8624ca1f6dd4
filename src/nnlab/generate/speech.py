"""A prompt in, texts out: a model, its tokenizer and the options put together."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol, TypedDict

import torch

from nnlab.errors import UserError
from nnlab.generate.beam_search import beam_search
from nnlab.generate.language_model import LanguageModel
from nnlab.generate.options import Options
from nnlab.generate.sample import sample
from nnlab.generate.text_stream import TextStream
from nnlab.generate.window import same_prompt

# So many texts side by side, at most; more are generated in turns, to the same end.
AT_ONCE = 32


class Tokenizer(Protocol):
    """What generation needs of a tokenizer."""

    special: dict[str, int]

    def encode(self, text: str, /) -> list[int]: ...

    def decode(self, ids: Sequence[int], /) -> str: ...


@dataclass(frozen=True)
class Text:
    """A generated text, without its prompt.

    Attributes:
        origin: what made it this one of several: its seed, or its log probability.
    """

    text: str
    origin: str


def stream(
    model: LanguageModel, tokenizer: Tokenizer, prompt: str | None, options: Options
) -> Iterator[str]:
    """Yield what follows a prompt, piece by piece, as it is drawn.

    Raises:
        UserError: where the prompt is no text that the tokenizer knows.
    """
    before = prompt_tokens(tokenizer, prompt)
    ends = ending(tokenizer)
    pieces = TextStream(tokenizer.decode, before)
    with evaluating(model):
        start = same_prompt(before, 1, model.device)
        for drawn in sample(model, start, options, **ends):
            token = int(drawn)
            if token == ends["end"]:
                break
            if piece := pieces.add(token):
                yield piece
    if piece := pieces.end():
        yield piece


def texts(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompt: str | list[int] | None,
    options: Options,
) -> list[Text]:
    """Return `options.samples` texts that follow a prompt, or the tokens of one.

    Raises:
        UserError: where the prompt is no text that the tokenizer knows.
    """
    before = prompt if isinstance(prompt, list) else prompt_tokens(tokenizer, prompt)
    ends = ending(tokenizer)
    with evaluating(model):
        tell = _searched if options.beams is not None else _drawn
        found = list(tell(model, before, options, ends))
    shown = len(tokenizer.decode(before))
    return [
        Text(tokenizer.decode(before + _until(ends["end"], row))[shown:], origin)
        for row, origin in found
    ]


class Ending(TypedDict):
    """The token that ends a text, where there is one, and those that are no text."""

    end: int | None
    never: list[int]


def ending(tokenizer: Tokenizer) -> Ending:
    """Return what a tokenizer's special tokens mean to a text that is generated."""
    never = [id for name, id in tokenizer.special.items() if name != "end_of_text"]
    return {"end": tokenizer.special.get("end_of_text"), "never": never}


def prompt_tokens(tokenizer: Tokenizer, prompt: str | None) -> list[int]:
    """Return a prompt's tokens; for None what begins a text: its end, or a new line.

    Raises:
        UserError: where the prompt is empty, or has no token.
    """
    if prompt is None:
        end = tokenizer.special.get("end_of_text")
        try:
            tokens = tokenizer.encode("\n") if end is None else [end]
        except UserError:
            tokens = []
        if not tokens:
            raise UserError("this model needs a first word: give prompt=")
        return tokens
    try:
        tokens = tokenizer.encode(prompt)
    except UserError as error:
        raise UserError(f"prompt={prompt[:40]!r}: {error}") from error
    if not tokens:
        raise UserError(f"prompt={prompt!r} holds no token; give a word at least")
    return tokens


@contextmanager
def evaluating(model: LanguageModel) -> Generator[None]:
    """Switch dropout off meanwhile."""
    was_training = model.training
    model.train(False)
    try:
        yield
    finally:
        model.train(was_training)


def _drawn(
    model: LanguageModel, before: list[int], options: Options, ends: Ending
) -> Iterator[tuple[list[int], str]]:
    for first in range(0, options.samples, AT_ONCE):
        rows = min(AT_ONCE, options.samples - first)
        turn = replace(options, seed=options.seed + first)
        start = same_prompt(before, rows, model.device)
        tokens = torch.stack(list(sample(model, start, turn, **ends)), dim=1)
        for row, ids in enumerate(tokens.tolist()):
            yield ids, f"seed {turn.seed + row}"


def _searched(
    model: LanguageModel, before: list[int], options: Options, ends: Ending
) -> Iterator[tuple[list[int], str]]:
    assert options.beams is not None
    prompt = same_prompt(before, 1, model.device)[0]
    tokens, scores = beam_search(model, prompt, options, beams=options.beams, **ends)
    found = zip(tokens.tolist(), scores.tolist(), strict=True)
    for ids, score in list(found)[: options.samples]:
        yield ids, f"log probability {score:.3f}"


def _until(end: int | None, tokens: list[int]) -> list[int]:
    return tokens[: tokens.index(end)] if end in tokens else tokens
