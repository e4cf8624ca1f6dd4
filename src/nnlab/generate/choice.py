"""From logits to the next token: what each way of choosing does to them.

Every function takes logits and returns logits (-inf: never), so that they compose, in
the order of `drawing_logits`; `draw` ends the chain.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nnlab.generate.options import Options

Logits = Float[Tensor, "rows vocabulary"]


def penalise(
    logits: Logits, text: Int[Tensor, "rows length"], penalty: float
) -> Logits:
    """Make the tokens that a text has already less probable, for a penalty above 1.

    Keskar et al. (2019), "CTRL", section 4.1, where all logits are divided; a negative
    one would gain by that, so it is multiplied, as in the implementations since.
    """
    if penalty == 1:
        return logits
    seen = torch.zeros_like(logits, dtype=torch.bool).scatter(1, text, value=True)
    penalised = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(seen, penalised, logits)


def keep_top_k(logits: Logits, k: int) -> Logits:
    """Keep the k largest, exactly k of them where several are equal."""
    if k >= logits.shape[-1]:
        return logits
    values, places = logits.topk(k)
    return torch.full_like(logits, -torch.inf).scatter(-1, places, values)


def keep_top_p(logits: Logits, p: float) -> Logits:
    """Keep the fewest tokens whose probabilities add up to p or more.

    Holtzman et al. (2020), "The Curious Case of Neural Text Degeneration", section 3.1.
    """
    if p == 1:
        return logits
    ordered, places = logits.sort(descending=True)
    probability = ordered.softmax(-1)
    before = probability.cumsum(-1) - probability  # what the more probable ones hold
    ordered = ordered.masked_fill(before >= p, -torch.inf)
    return torch.empty_like(logits).scatter(-1, places, ordered)


def drawing_logits(logits: Logits, options: Options) -> Logits:
    """Return the logits that are drawn from: temperature, then top-k, then top-p."""
    logits = logits / options.temperature
    if options.top_k is not None:
        logits = keep_top_k(logits, options.top_k)
    return keep_top_p(logits, options.top_p)


def draw(logits: Logits, chance: Float[Tensor, " rows"]) -> Int[Tensor, " rows"]:
    """Draw a token from each row, by a number in [0, 1) a row.

    The cumulative distribution, inverted: one number a token, so a text depends on its
    own numbers and not on its neighbours in the batch (`torch.multinomial`'s would).
    """
    cumulative = logits.softmax(-1).cumsum(-1)
    mark = chance[:, None] * cumulative[:, -1:]  # rounded sums end near 1, not at it
    return torch.searchsorted(cumulative, mark, right=True)[:, 0]


def chances(seeds: range, count: int) -> Float[Tensor, "count rows"]:
    """Return the numbers in [0, 1) that texts are drawn by, a column a seed.

    Drawn on the CPU, so a seed means the same on every device.
    """
    columns = [
        torch.rand(count, generator=torch.Generator().manual_seed(seed))
        for seed in seeds
    ]
    # A product with the largest float below 1 may round to 1: a place after the last.
    return torch.stack(columns, dim=1).clamp(max=1 - 2**-20)
