"""Byte-level byte-pair encoding: the most frequent neighbours become one token.

Sennrich, Haddow & Birch (2016), "Neural Machine Translation of Rare Words with Subword
Units", https://arxiv.org/abs/1508.07909; on bytes, as in Radford et al. (2019),
"Language Models are Unsupervised Multitask Learners", section 2.2.
"""

import json
from collections.abc import Iterable

from typing_extensions import override

from nnlab.errors import UserError
from nnlab.limits import Count
from nnlab.tokenizer._byte_pairs import BytePairs, byte_letters
from nnlab.tokenizer._library import tokenizers_library
from nnlab.tokenizer.tokenizer import Special


class Bpe(BytePairs):
    """Any text, no unknown: what no merge covers stays bytes.

    Args:
        vocabulary_size: bytes, merges and special tokens together; fewer where no two
            neighbours are left that come twice.
        special: tokens that no text is encoded to.
    """

    kind = "bpe"

    def __init__(self, *, vocabulary_size: Count, special: tuple[Special, ...]) -> None:
        super().__init__(special=special)
        least = 256 + len(set(special))
        if vocabulary_size < least:
            raise UserError(
                f"tokenizer.vocabulary_size={vocabulary_size} leaves no room for the "
                f"256 bytes and the special tokens; give at least {least}"
            )
        self.asked = vocabulary_size

    @override
    def train(self, texts: Iterable[str]) -> None:
        library = tokenizers_library()
        trained = library.Tokenizer(library.models.BPE())
        trained.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = library.trainers.BpeTrainer(
            vocab_size=self.asked - len(set(self.names)),
            min_frequency=2,
            initial_alphabet=list(byte_letters()),
            show_progress=False,
        )
        trained.train_from_iterator(texts, trainer)
        merges = json.loads(trained.to_str())["model"]["merges"]
        # two merges may make one token: the first is the one that decides
        first: dict[str, str] = {}
        for left, right in merges:
            first.setdefault(left + right, f"{left} {right}")
        self._take(first.values())
