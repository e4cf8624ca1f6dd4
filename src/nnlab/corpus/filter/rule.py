"""What the filter is made of: rules that score a document, changes of its text."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from nnlab.corpus.document import Document


@dataclass(frozen=True)
class Rule:
    """A document stays where `minimum <= score(document) <= maximum`.

    The score must be a function of the document alone. NaN never stays.
    """

    name: str
    score: Callable[[Document], float]
    minimum: float = -math.inf
    maximum: float = math.inf

    def keeps(self, score: float) -> bool:
        return self.minimum <= score <= self.maximum


@dataclass(frozen=True)
class Change:
    """Rewrites a text: lines taken out, addresses masked."""

    name: str
    change: Callable[[str], str]


Step = Rule | Change
