"""Tokens that are drawn from a GPT."""

from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO

import torch
from generation import BARS, TOKENS, our_model, their_model, turns

from rows.row import Given, Row, compared


def generate(given: Given) -> Iterator[Row]:
    """Yield what 256 tokens take, by the clock, beside nanoGPT's sample.py."""
    if given.nanogpt is None:
        return
    torch.set_num_threads(1)
    for (context_size, samples), times in BARS.items():
        ours = our_model(context_size)
        with redirect_stdout(StringIO()):  # it tells how many weights it has
            theirs = their_model(given.nanogpt, context_size)
        turns(ours, theirs, 1, 1)  # nobody's first time counts
        pairs = turns(ours, theirs, samples, 2 if given.quick else 5)
        row = compared("", "", pairs, "{}", 1 / times)
        count = TOKENS * samples
        yield row._replace(
            what=f"generate by the clock, context {context_size}, {samples} at once",
            peer="nanoGPT's sample.py",
            ours=f"{count / float(row.ours):,.0f} tokens/s",
            theirs=f"{count / float(row.theirs):,.0f} tokens/s",
        )
