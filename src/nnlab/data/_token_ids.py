"""Token ids on disk: written once for a text and a tokenizer, memory-mapped after."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnlab.download import cache_folder
from nnlab.errors import UserError
from nnlab.part import part_of
from nnlab.tokenizer.tokenizer import Tokenizer


def token_ids(texts: Sequence[str], tokenizer: Tokenizer) -> Tensor:
    """Return the ids (tokens) of texts put together: uint16, or uint32 for many.

    Between two texts stands the end of text, where the tokenizer has one. The file lies
    in the user's cache folder under a hash of texts and tokenizer; it is made again
    where it is missing or damaged.

    Raises:
        UserError: where it cannot be written, or a text cannot be encoded.
    """
    file = cache_folder() / "tokens" / f"{_key(texts, tokenizer)}.npy"
    ids = _mapped(file)
    if ids is None:
        _write(_encoded(texts, tokenizer), file)
        ids = _mapped(file)
        assert ids is not None
    return torch.from_numpy(ids)


def _key(texts: Sequence[str], tokenizer: Tokenizer) -> str:
    digest = hashlib.sha256(tokenizer.fingerprint().encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()


def _encoded(texts: Sequence[str], tokenizer: Tokenizer) -> NDArray[Any]:
    end = tokenizer.special.get("end_of_text")
    between = np.array([] if end is None else [end], dtype=tokenizer.dtype)
    rows: list[NDArray[Any]] = []
    for text in texts:
        rows += [tokenizer.encode_array(text), between]
    return np.concatenate(rows[:-1])


def _mapped(file: Path) -> NDArray[Any] | None:
    """Return the file's ids, or None where it does not hold them."""
    try:
        # "c": nothing is written back, and torch takes it for writable, as it wants
        return np.asarray(np.load(file, mmap_mode="c", allow_pickle=False))
    except FileNotFoundError:
        return None
    except (ValueError, EOFError, OSError):  # cut off, or something else: made again
        return None


def _write(ids: NDArray[Any], file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part_of(file) as part:
            np.save(part, ids)
    except OSError as cause:
        raise UserError(
            f"token ids cannot be written to {file.parent} ({cause.strerror}); name "
            "another folder by XDG_CACHE_HOME"
        ) from cause
