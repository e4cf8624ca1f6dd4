"""Truth tables: XOR and the other functions of a few bits.

The table is all there is of such a function: nothing is held out, because there is
nothing else. Training, validation and test are the same rows, and an accuracy of 100 %
says that the model can represent and learn the function, not that it generalises.
"""

from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Interval
from jaxtyping import Float, Int
from torch import Tensor

from nnlab.data_module import DataModule, Splits
from nnlab.limits import Count, Natural

Function = Literal[
    "and", "or", "not", "nand", "nor", "xor", "majority", "parity", "three_input_table"
]
MOST_BITS = 16
OWN_BITS = {"not": 1, "majority": 3, "parity": 3, "three_input_table": 3}
THREE_INPUT_TABLE = {(1, 0, 0): 0, (0, 0, 1): 1, (0, 1, 0): 0, (1, 0, 1): 1}


class TruthTable(DataModule):
    """Rows as (bits, truth): float32 (batch, bits) of 0 and 1, and int64 (batch).

    Args:
        function: of any number of bits, except for `not` (one) and `three_input_table`
            (three, of whose eight rows it holds four). `majority`: more than half of
            the bits are 1. `xor` of more than two bits is their parity: an odd number
            of them is 1.
        bits: None: as many as the function is mostly drawn with.
        repeats: how often an epoch goes through the table.
    """

    gives: ClassVar[str] = "rows of numbers"

    def __init__(
        self,
        *,
        function: Function,
        bits: Annotated[int, Interval(ge=1, le=MOST_BITS)] | None,
        batch_size: Count,
        evaluation_batch_size: Count,
        repeats: Count,
        seed: Natural,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            evaluation_batch_size=evaluation_batch_size,
            seed=seed,
            repeats=repeats,
        )
        self.function: Function = function
        self.bits = _check_bits(function, bits)

    def facts(self) -> dict[str, int]:
        return {"input_size": self.bits, "classes": 2, "outputs": 1}

    def load(self) -> Splits:
        table = truth_table(self.function, self.bits)
        return Splits(train=table, validation=table, test=table)


def truth_table(
    function: Function, bits: int
) -> tuple[Float[Tensor, "rows bits"], Int[Tensor, " rows"]]:
    """Return every input, counting up in binary, and the function's value for it."""
    if function == "three_input_table":
        rows = torch.tensor(list(THREE_INPUT_TABLE))
        return rows.float(), torch.tensor(list(THREE_INPUT_TABLE.values()))
    places = torch.arange(bits - 1, -1, -1)
    rows = (torch.arange(2**bits)[:, None] >> places) & 1  # (rows, bits)
    ones = rows.sum(dim=1)
    truths = {
        "and": ones == bits,
        "or": ones > 0,
        "not": ones == 0,
        "nand": ones < bits,
        "nor": ones == 0,
        "xor": ones % 2 == 1,
        "majority": ones > bits / 2,
        "parity": ones % 2 == 1,
    }
    return rows.float(), truths[function].long()


def _check_bits(function: Function, bits: int | None) -> int:
    own = OWN_BITS.get(function, 2)
    if bits is None or bits == own:
        return own
    if function in ("not", "three_input_table"):
        raise ValueError(
            f"data.function={function} needs data.bits={own}; "
            f"leave data.bits={bits} out"
        )
    if bits < 2:
        raise ValueError(
            f"data.function={function} needs more than data.bits={bits}; "
            f"give 2 to {MOST_BITS}"
        )
    return bits
