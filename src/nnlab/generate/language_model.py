"""What a model must offer to be spoken with."""

from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Cache(Protocol):
    """What a model remembers of the tokens that it has read."""

    def select(self, rows: Int[Tensor, " rows"]) -> None:
        """Go on with these rows of the batch, in this order."""
        ...


@runtime_checkable
class LanguageModel(Protocol):
    """A network that scores every token of its vocabulary for the next place.

    Attributes:
        context_size: the most positions it takes at once; None: any number.
        device, training, train: as every learner has them.
    """

    context_size: int | None
    training: bool

    @property
    def device(self) -> torch.device: ...

    def train(self, mode: bool = True, /) -> Any: ...

    def new_cache(
        self, batch_size: int, /, *, stride: int | None = None
    ) -> Cache | None:
        """Return an empty cache for so many texts, None where the model keeps none.

        Beyond context_size what the model sees begins at the first multiple of `stride`
        for which the text fits.
        """
        ...

    def __call__(
        self, tokens: Int[Tensor, "batch time"], cache: Any = None, /
    ) -> Float[Tensor, "batch time vocabulary"]:
        """Score the token after each position, those in the cache before them."""
        ...
