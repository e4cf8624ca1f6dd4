"""What a model says while it still learns."""

from jaxtyping import Int
from torch import Tensor

from nnlab.errors import UserError
from nnlab.generate.language_model import LanguageModel
from nnlab.generate.options import Options
from nnlab.generate.speech import Tokenizer, prompt_tokens, texts

LENGTH = 300  # tokens


def specimen(
    model: LanguageModel, tokenizer: Tokenizer, first: Int[Tensor, " time"]
) -> str:
    """Return a text from its beginning; `first` begins it where nothing else does."""
    shown = ""
    try:
        before = prompt_tokens(tokenizer, None)
    except UserError:  # a text of one line has taught its tokenizer no new line
        before = first.tolist()
        shown = tokenizer.decode(before)
    [said] = texts(model, tokenizer, before, Options(max_tokens=LENGTH))
    return shown + said.text
