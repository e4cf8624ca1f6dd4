"""Any text: a UTF-8 file, or a folder of them."""

from typing_extensions import override

from nnlab.data._text import Part, TextData
from nnlab.data._text_files import read_texts
from nnlab.limits import Count, Natural, Share
from nnlab.tokenizer.tokenizer import Tokenizer


class Text(TextData):
    """A user's text as (tokens, targets), both int64 (batch, context).

    Args:
        path: of a file, or of a folder: each file in it is a document, those of the
            folders inside it too, in the order of their paths.
    """

    def __init__(
        self,
        *,
        path: str,
        tokenizer: Tokenizer | None,
        context_size: Count,
        batch_size: Count,
        evaluation_batch_size: Count,
        batches_per_epoch: Count,
        validation_share: Part,
        test_share: Share,
        seed: Natural,
    ) -> None:
        super().__init__(
            tokenizer=tokenizer,
            context_size=context_size,
            batch_size=batch_size,
            evaluation_batch_size=evaluation_batch_size,
            batches_per_epoch=batches_per_epoch,
            validation_share=validation_share,
            test_share=test_share,
            seed=seed,
        )
        self.path = path

    @override
    def documents(self) -> list[str]:
        return read_texts(self.path, key="data.path")
