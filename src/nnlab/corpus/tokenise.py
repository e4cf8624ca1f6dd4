"""Stages *vocabulary* and *tokenise*: unique documents become rows of token ids."""

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nnlab.corpus.commit import (
    Output,
    committed,
    lines,
    to_json,
    unit_file,
    write_whole,
)
from nnlab.corpus.deduplicate import verdicts_of
from nnlab.corpus.filtering import restored
from nnlab.corpus.plan import Plan
from nnlab.corpus.shard_settings import ShardSettings
from nnlab.errors import UserError
from nnlab.tokenizer.restore import tokenizer_from_state
from nnlab.tokenizer.tokenizer import Tokenizer

# One a document: its tokens with the end of text, its text in bytes.
INDEX = np.dtype([("tokens", "<i8"), ("bytes", "<i8"), ("is_validation", "?")])


def write_vocabulary(plan: Plan, tokenizer: Tokenizer) -> None:
    """Write `tokenizer.json`, once: the trained tokenizer's state.

    Trained on documents for training alone, as many from each file.

    Raises:
        UserError: where there is no document to train on.
    """
    file = plan.folder / "tokenizer.json"
    key = plan.keys["tokenise"]
    units = range(len(plan.files))
    is_used = any(committed(plan.folder, "tokenise", unit, key) for unit in units)
    if file.is_file() and is_used:
        return
    if not tokenizer.is_trained:
        _check_any(plan)
        tokenizer.train(_texts(plan))
    write_whole(file, to_json(tokenizer.state()))


def tokenise_file(
    plan: Plan, unit: int, output: Output, source: Path | None
) -> dict[str, Any]:
    """Write the tokens of a file's unique documents, each followed by end-of-text."""
    del source
    tokenizer = trained(plan)
    end = tokenizer.special["end_of_text"]
    tokens, index = output.open("tokens.bin"), output.open("index.bin")
    counts = {"documents": 0, "tokens": 0, "validation_tokens": 0}
    for line, is_validation in _unique(plan, unit):
        ids = np.append(tokenizer.encode_array(line["text"]), end)
        tokens.write(ids.astype(little_endian(tokenizer)).tobytes())
        size = len(line["text"].encode())
        index.write(np.array((len(ids), size, is_validation), INDEX).tobytes())
        counts["documents"] += 1
        counts["validation_tokens" if is_validation else "tokens"] += len(ids)
    return counts


def trained(plan: Plan) -> Tokenizer:
    """Return the plan's tokenizer as `write_vocabulary` left it."""
    file = plan.folder / "tokenizer.json"
    return _restored(file, file.stat().st_mtime_ns)


def little_endian(tokenizer: Tokenizer) -> np.dtype[Any]:
    """Return the type of ids on disk, the same on every machine."""
    return tokenizer.dtype.newbyteorder("<")


@lru_cache(maxsize=1)
def _restored(file: Path, version: int) -> Tokenizer:
    del version  # of the same path, written anew
    return tokenizer_from_state(json.loads(file.read_text("utf-8")))


def _unique(plan: Plan, unit: int) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield a file's documents that are no copies, and which are for validation."""
    settings = ShardSettings(**plan.config["shard"])
    documents = lines(unit_file(plan.folder / "filter", unit, "documents.jsonl"))
    for line, verdict in zip(documents, verdicts_of(plan, unit), strict=True):
        if not verdict:
            yield line, _is_validation(line, settings)


def _is_validation(line: dict[str, Any], settings: ShardSettings) -> bool:
    """Return which side of the split a document's host, or page, is on."""
    host = restored(line).host if settings.keeps_together == "host" else ""
    name = host or line["url"] or line["text"]
    draw = hashlib.blake2b(name.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(draw, "little") < settings.validation_share * 2**64


def _texts(plan: Plan) -> Iterator[str]:
    """Yield texts for training, from each file up to its part of the sample."""
    sample = ShardSettings(**plan.config["shard"]).vocabulary_characters
    for unit in range(len(plan.files)):
        left = -(-sample // len(plan.files))
        for line, is_validation in _unique(plan, unit):
            if left <= 0:
                break
            if not is_validation:
                left -= len(line["text"])
                yield line["text"]


def _check_any(plan: Plan) -> None:
    if next(_texts(plan), None) is None:
        raise UserError(
            "no document is left to train the tokenizer on; read more files, or give "
            "tokenizer=gpt2, which needs none"
        )
