"""Addition: two binary numbers, a bit of each at a time, and their sum.

A pair of numbers is held out whole: where (9, 60) is tested, neither (9, 60) nor
(60, 9) was trained on, and no pair is drawn twice. Sums are Python's own, which do not
overflow.
"""

import re
from itertools import combinations_with_replacement
from random import Random
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Interval
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from typing_extensions import Doc

from nnlab.batches import mix
from nnlab.data_module import DataModule, Splits
from nnlab.errors import UserError
from nnlab.given.given import Examples, Given, Texts
from nnlab.limits import Count, Natural

Bits = Annotated[
    int,
    Interval(ge=1, le=4096),
    Doc(
        "each bit is a step, gone through after the one before; train on few, and "
        "test on longer numbers by data.test_bits"
    ),
]
Pairs = list[tuple[int, int]]
MOST_BYTES = 2**30  # of all the bits held in memory
MOST_DIGITS = 1233  # of a number that is given: 4,096 bits


class Addition(DataModule):
    """Sums as (addends, total): float32 (batch, time, 2) and int64 (batch, time).

    Time counts the bits and one step more, in which only the carry is left: the sum of
    two numbers of 8 bits has 9.

    Args:
        bits: of the numbers that are trained on.
        test_bits: of longer numbers, which are tested only; those that are not longer
            than `bits` are left out.
        first_bit: the one that comes first in time. Carries go from the least
            significant to the most: the other way round they come from the future.
        train_pairs, validation_pairs: how many pairs of numbers, in an order drawn.
        test_pairs: at most; fewer where no more are left; each in both orders.
        long_test_pairs: of each of `test_bits`.
    """

    gives: ClassVar[str] = "sums of two numbers, a bit at a time"

    def __init__(
        self,
        *,
        bits: Bits,
        test_bits: list[Bits],
        first_bit: Literal["least", "most"],
        train_pairs: Count,
        validation_pairs: Count,
        test_pairs: Count,
        long_test_pairs: Count,
        batch_size: Count,
        evaluation_batch_size: Count,
        seed: Natural,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            evaluation_batch_size=evaluation_batch_size,
            seed=seed,
        )
        self.bits = bits
        self.test_bits = sorted({length for length in test_bits if length > bits})
        self.first_bit: Literal["least", "most"] = first_bit
        self.train_pairs, self.validation_pairs = train_pairs, validation_pairs
        self.test_pairs, self.long_test_pairs = test_pairs, long_test_pairs
        self._check_pairs()
        self._check_memory()

    def facts(self) -> dict[str, int]:
        return {"least_significant_first": self.first_bit == "least"}

    def load(self) -> Splits:
        kept = self.train_pairs + self.validation_pairs
        random = Random(mix(self.seed, self.bits))
        pairs = draw_pairs(self.bits, kept + self.test_pairs, random)
        test = pairs[kept:]
        test += [(b, a) for a, b in test if a != b]
        return Splits(
            self._as_bits(pairs[: self.train_pairs], self.bits),
            self._as_bits(pairs[self.train_pairs : kept], self.bits),
            self._as_bits(test, self.bits),
        )

    def prepare(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        addends, total = batch
        return addends.float(), total.long()

    def longer(
        self,
    ) -> dict[int, tuple[Float[Tensor, "pairs time 2"], Int[Tensor, "pairs time"]]]:
        """Return a batch of longer numbers for each of `test_bits`."""
        batches: dict[int, tuple[Tensor, Tensor]] = {}
        for bits in self.test_bits:
            random = Random(mix(self.seed, bits))
            drawn = draw_pairs(bits, self.long_test_pairs, random)
            # a pair of short numbers might have been trained on
            pairs = [pair for pair in drawn if max(pair) >= 2**self.bits]
            addends, total = self.prepare(self._as_bits(pairs, bits))
            batches[bits] = addends, total
        return batches

    def read(self, given: Given) -> Examples:
        """Return sums, a line each (`9 + 60`), of numbers of any length."""
        if not isinstance(given, Texts):
            raise UserError(f"input={given.names[0]} is a picture; this run reads sums")
        lines = list(given.lines())
        if not lines:
            raise UserError(f"input={given.names[0]} has no sum; give one: 9 + 60")
        pairs = [_addends(line, place) for place, line in lines]
        batches = [self._as_bits([pair], max(*pair, 1).bit_length()) for pair in pairs]
        return Examples([place for place, _ in lines], batches)

    def _as_bits(
        self, pairs: Pairs, bits: int
    ) -> tuple[UInt8[Tensor, "pairs time 2"], UInt8[Tensor, "pairs time"]]:
        time = bits + 1
        addends = [to_bits([pair[side] for pair in pairs], time) for side in (0, 1)]
        total = to_bits([a + b for a, b in pairs], time)
        example = torch.stack(addends, dim=2), total
        if self.first_bit == "least":
            return example
        return example[0].flip(1), example[1].flip(1)

    def _check_pairs(self) -> None:
        possible, kept = (
            count_pairs(self.bits),
            self.train_pairs + self.validation_pairs,
        )
        if kept >= possible:
            raise ValueError(
                f"data.train_pairs={self.train_pairs} and data.validation_pairs="
                f"{self.validation_pairs} leave none of the {possible:,} pairs of "
                f"data.bits={self.bits} to test; give fewer in all, or more bits"
            )

    def _check_memory(self) -> None:
        pairs = self.train_pairs + self.validation_pairs + 2 * self.test_pairs
        pairs = min(pairs, 2 * count_pairs(self.bits))
        longest = max(self.test_bits, default=0)
        # three bytes a step as they are stored, sixteen as a model takes them
        size = max(3 * self.bits * pairs, 16 * longest * self.long_test_pairs)
        if size > MOST_BYTES:
            raise ValueError(
                f"data.bits={self.bits} and data.test_bits={self.test_bits} take "
                f"{size / 2**30:,.1f} GiB for so many pairs, more than the "
                f"{MOST_BYTES / 2**30:.0f} they may; give fewer bits or pairs"
            )


def _addends(line: str, place: str) -> tuple[int, int]:
    """Return the two numbers of `9 + 60`, or of a row of a table."""
    numbers = re.fullmatch(r"\s*(\d+)\s*[+,;\s]\s*(\d+)\s*", line, re.ASCII)
    if numbers is None:
        raise UserError(
            f"input={place[:60]} is no sum of two whole numbers; give one as 9 + 60"
        )
    if max(map(len, numbers.groups())) > MOST_DIGITS:
        raise UserError(f"input={place[:60]}… has more than {MOST_DIGITS:,} digits")
    first, second = map(int, numbers.groups())
    return first, second


def count_pairs(bits: int) -> int:
    """Return how many pairs of numbers there are, (a, b) and (b, a) being one."""
    numbers = 2**bits
    return numbers * (numbers + 1) // 2


def draw_pairs(bits: int, count: int, random: Random) -> Pairs:
    """Return pairs in an order drawn, none twice, nor as (b, a); all if too few."""
    if 2 * count > count_pairs(bits):
        every = list(combinations_with_replacement(range(2**bits), 2))
        drawn = random.sample(every, min(count, len(every)))
        return [(a, b) if random.random() < 0.5 else (b, a) for a, b in drawn]
    pairs: dict[tuple[int, int], tuple[int, int]] = {}
    while len(pairs) < count:
        a, b = random.getrandbits(bits), random.getrandbits(bits)
        pairs[min(a, b), max(a, b)] = a, b
    return list(pairs.values())


def to_bits(numbers: list[int], bits: int) -> UInt8[Tensor, "numbers bits"]:
    """Return the lowest bits of each number, the least significant first."""
    size = -(-bits // 8)
    raw = b"".join(number.to_bytes(size, "little") for number in numbers)
    rows = np.frombuffer(raw, np.uint8).reshape(len(numbers), size)
    return torch.from_numpy(np.unpackbits(rows, axis=1, count=bits, bitorder="little"))
