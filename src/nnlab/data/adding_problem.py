"""The adding problem: two marked numbers, far apart in a long sequence, and their sum.

Hochreiter & Schmidhuber (1997), "Long Short-Term Memory", Neural Computation 9(8),
section 5.4. https://doi.org/10.1162/neco.1997.9.8.1735

Departs from the paper: all sequences have one length, where the paper's go up to a
tenth beyond it; the first number, which has the marker of the beginning, is never one
of the two.
"""

from typing import Annotated, ClassVar

import torch
from annotated_types import Interval
from jaxtyping import Float, Int
from torch import Tensor

from nnlab.batches import mix
from nnlab.data_module import DataModule, Splits
from nnlab.errors import UserError
from nnlab.given.given import Examples, Given, Texts
from nnlab.given.rows import read_rows
from nnlab.limits import Count, Natural
from nnlab.numerals import counted

EARLY = 10  # the first of the two is among so many numbers
READ = "2 numbers a row, a number and its mark; a sequence a file"
MOST_BYTES = 2**30  # of all the sequences held in memory


class AddingProblem(DataModule):
    """Sequences as (sequence, target): float32 (batch, steps, 2) and (batch, 1).

    A step is a number, uniform in [-1, 1], and its marker: 1 for the two to add, -1 for
    the first and the last, else 0. Both stand in the first half, so that the shorter of
    the two memories spans half the sequence. The target is 0.5 + their sum / 4.

    Args:
        steps: of a sequence.
        train_sequences, validation_sequences, test_sequences: how many, all different.
    """

    gives: ClassVar[str] = "sequences of numbers"

    def __init__(
        self,
        *,
        steps: Annotated[int, Interval(ge=10, le=10_000)],
        train_sequences: Count,
        validation_sequences: Count,
        test_sequences: Count,
        batch_size: Count,
        evaluation_batch_size: Count,
        seed: Natural,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            evaluation_batch_size=evaluation_batch_size,
            seed=seed,
        )
        self.steps = steps
        self.sizes = (train_sequences, validation_sequences, test_sequences)
        if 4 * steps * sum(self.sizes) > MOST_BYTES:
            most = MOST_BYTES // (4 * steps)
            raise ValueError(
                f"data.steps={steps} of {sum(self.sizes):,} sequences take more than "
                f"{MOST_BYTES // 2**30} GiB; give at most {most:,} sequences in all"
            )

    def facts(self) -> dict[str, int]:
        return {"classes": 0, "outputs": 1, "height": self.steps, "width": 2}

    def load(self) -> Splits:
        generator = torch.Generator().manual_seed(mix(self.seed, -1))
        drawn = (draw(size, self.steps, generator) for size in self.sizes)
        return Splits(*drawn)

    def read(self, given: Given) -> Examples:
        """Return a sequence a file, a row a step: the number, and 1 where it counts."""
        if not isinstance(given, Texts):
            name = given.names[0]
            raise UserError(f"input={name} is a picture; this run reads {READ}")
        batches: list[tuple[Tensor, ...]] = []
        for name, text in zip(given.names, given.texts, strict=True):
            rows = read_rows(Texts([name], [text]), columns=2, takes=READ)
            marked = (rows.numbers[:, 1] == 1).nonzero().T
            if marked.shape[1] != 2:
                raise UserError(
                    f"input={name} marks "
                    f"{counted(marked.shape[1], 'number')} by 1 in its second "
                    "column; mark the two that are added"
                )
            batches.append((rows.numbers[None, :, 0], marked))
        return Examples(given.names, batches)

    def prepare(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        numbers, marked = batch
        markers = torch.zeros_like(numbers).scatter_(1, marked, 1.0)
        markers[:, 0] = markers[:, -1] = -1.0  # a list of both would wait for a GPU
        total = numbers.gather(1, marked).sum(dim=1, keepdim=True)
        return torch.stack([numbers, markers], dim=2), 0.5 + total / 4


def draw(
    size: int, steps: int, generator: torch.Generator
) -> tuple[Float[Tensor, "size steps"], Int[Tensor, "size 2"]]:
    """Return numbers and the two places that are marked in each row, in any order."""
    numbers = 2 * torch.rand(size, steps, generator=generator) - 1
    half = steps // 2 - 1  # the paper: among the first T/2 - 1 still unmarked
    first = torch.randint(1, min(EARLY, half), (size,), generator=generator)
    second = torch.randint(1, half - 1, (size,), generator=generator)
    second += second >= first  # any place but the first's
    return numbers, torch.stack([first, second], dim=1)
