"""GPT-2's own tokens: 50,257, as OpenAI trained them.

Radford, Wu, Child, Luan, Amodei & Sutskever (2019), "Language Models are Unsupervised
Multitask Learners", section 2.2. Ids equal tiktoken's "gpt2" and Hugging Face's.
"""

from collections.abc import Iterable

from typing_extensions import override

from nnlab.download import data_folder, obtain
from nnlab.tokenizer._byte_pairs import BytePairs

URL = "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/vocab.bpe"
SHA256 = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"
SIZE = 456_318  # bytes


class Gpt2(BytePairs):
    """Any text, no unknown. Nothing is trained: the merges are read from a file.

    Args:
        data_dir: holds gpt2/vocab.bpe, or is where it is downloaded to; None:
            $NNLAB_DATA, else the user's cache folder.
    """

    kind = "gpt2"

    def __init__(self, *, data_dir: str | None) -> None:
        super().__init__(special=("end_of_text",))
        self.data_dir = data_dir

    @override
    def train(self, texts: Iterable[str]) -> None:
        """Read the merges; the texts change nothing.

        Raises:
            UserError: where the file is missing and there is no network (URL, place),
                or is another one.
        """
        path = data_folder(self.data_dir) / "gpt2" / "vocab.bpe"
        content = obtain((URL,), path, sha256=SHA256, size=SIZE)
        _version, *merges = content.decode().splitlines()
        self._take(merges)
