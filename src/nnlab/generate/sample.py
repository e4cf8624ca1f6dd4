"""Texts drawn token after token, each by its own seed."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from nnlab.generate.choice import chances, draw, drawing_logits, penalise
from nnlab.generate.language_model import LanguageModel
from nnlab.generate.options import Options
from nnlab.generate.window import Window

# Asking whether all texts have ended waits for the device: not after every token.
LOOK_EVERY = 16


@torch.inference_mode()
def sample(
    model: LanguageModel,
    prompt: Int[Tensor, "rows time"],
    options: Options,
    *,
    end: int | None,
    never: Sequence[int] = (),
    is_cached: bool = True,
) -> Iterator[Int[Tensor, " rows"]]:
    """Yield the next token of every text until all have ended, or max_tokens times.

    Row i is drawn by the seed `options.seed + i`. A text that has ended goes on with
    end tokens; the last few yielded may be nothing else.

    Args:
        end: the token that ends a text, None where there is none.
        never: tokens that are not drawn: what is no text.
    """
    rows, count = len(prompt), options.max_tokens
    window = Window(
        model,
        prompt,
        room=count,
        stride=options.stride,
        never=never,
        is_cached=is_cached,
    )
    seeds = range(options.seed, options.seed + rows)
    chance = chances(seeds, count).to(prompt.device)
    ended = torch.zeros(rows, dtype=torch.bool, device=prompt.device)
    for step in range(count):
        logits = window.logits()
        token = _choose(logits, window.text, chance[step], options)
        if end is not None:
            token = token.masked_fill(ended, end)
            ended |= token == end
        window.append(token)
        yield token
        if end is not None and step % LOOK_EVERY == LOOK_EVERY - 1 and ended.all():
            return


def _choose(
    logits: Tensor, text: Tensor, chance: Tensor, options: Options
) -> Int[Tensor, " rows"]:
    logits = penalise(logits, text, options.repetition_penalty)
    if options.is_greedy:
        return logits.argmax(-1)
    return draw(drawing_logits(logits, options), chance)
