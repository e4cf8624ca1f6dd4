"""Tiny Shakespeare: 1,115,394 characters of plays, 65 different ones.

Karpathy (2015), "The Unreasonable Effectiveness of Recurrent Neural Networks",
https://karpathy.github.io/2015/05/21/rnn-effectiveness/

The split is nanoGPT's, 90/10 by position: 1,003,854 and 111,540 characters. It has no
third part, so that losses can be compared with published ones: the test is on the
validation split, and its number is the validation's at the best epoch. With
`test_share: 0.05` the last half of it is held out.
"""

from typing_extensions import override

from nnlab.data._text import Part, TextData
from nnlab.data._text_files import decoded
from nnlab.download import data_folder, obtain
from nnlab.limits import Count, Natural, Share
from nnlab.tokenizer.tokenizer import Tokenizer

URL = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/"
    "data/tinyshakespeare/input.txt"
)
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
SIZE = 1_115_394  # bytes


class Shakespeare(TextData):
    """Plays as (tokens, targets), both int64 (batch, context).

    Args:
        data_dir: holds shakespeare/input.txt, or is where it is downloaded to; None:
            $NNLAB_DATA, else the user's cache folder.
    """

    def __init__(
        self,
        *,
        data_dir: str | None,
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
        self.data_dir = data_dir

    @override
    def documents(self) -> list[str]:
        path = data_folder(self.data_dir) / "shakespeare" / "input.txt"
        content = obtain((URL,), path, sha256=SHA256, size=SIZE)
        return [decoded(content, name=str(path))]
