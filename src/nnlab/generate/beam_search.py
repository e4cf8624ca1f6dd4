"""The most probable text that is found with a few candidates, instead of a drawn one.

Lowerre (1976), "The Harpy Speech Recognition System"; with as many beams as there are
texts it is the exhaustive search, with one it is greedy.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nnlab.generate.choice import penalise
from nnlab.generate.language_model import LanguageModel
from nnlab.generate.options import Options
from nnlab.generate.sample import LOOK_EVERY
from nnlab.generate.window import Window


@torch.inference_mode()
def beam_search(
    model: LanguageModel,
    prompt: Int[Tensor, " time"],
    options: Options,
    *,
    beams: int,
    end: int | None,
    never: Sequence[int] = (),
) -> tuple[Int[Tensor, "beams length"], Float[Tensor, " beams"]]:
    """Return the texts found, the most probable first, and their log probabilities.

    The texts lack the prompt. One that has ended keeps its place among the beams and
    its probability, and is filled up with end tokens. Lengths are compared as they
    are: a short text is more probable than a long one. Where there are fewer texts
    than beams, the rest have log probability -inf.
    """
    window = Window(
        model,
        prompt.expand(beams, -1),
        room=options.max_tokens,
        stride=options.stride,
        never=never,
    )
    # All beams are the prompt: only the first may have children.
    scores = torch.full((beams,), -torch.inf, device=prompt.device)
    scores[0] = 0
    ended = torch.zeros(beams, dtype=torch.bool, device=prompt.device)
    for step in range(options.max_tokens):
        gains = _gains(window, options, ended, end)  # (beams, vocabulary)
        vocabulary_size = gains.shape[1]
        scores, best = (scores[:, None] + gains).flatten().topk(beams)
        parents, token = best // vocabulary_size, best % vocabulary_size
        window.select(parents)
        window.append(token)
        if end is not None:
            ended = token == end  # whose parent had ended has no other child
            if step % LOOK_EVERY == LOOK_EVERY - 1 and ended.all():
                break
    return window.text[:, len(prompt) :], scores


def _gains(
    window: Window, options: Options, ended: Tensor, end: int | None
) -> Float[Tensor, "beams vocabulary"]:
    logits = window.logits()
    logits = penalise(logits, window.text, options.repetition_penalty)
    gains = logits.log_softmax(-1)
    if end is None:
        return gains
    only_end = torch.full_like(gains, -torch.inf)
    only_end[:, end] = 0
    return torch.where(ended[:, None], only_end, gains)
