"""The first stage: an archive becomes its kept documents, and a count of all others.

`filter` reads an archive and decides at once. Where scores are kept, `score` reads it
and writes every document with the scores of all rules, and `filter` decides by those.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from nnlab.corpus.commit import Output, lines, unit_file
from nnlab.corpus.document import Damage, Document
from nnlab.corpus.filter import steps
from nnlab.corpus.filter.rule import Rule
from nnlab.corpus.fingerprint import fingerprint
from nnlab.corpus.plan import Plan
from nnlab.corpus.reader import reader
from nnlab.corpus.sieve import Sieve

DAMAGE_TOLD = 100  # of one file, each with its offset; all are counted


class Reading:
    """Goes through one archive, counting what it meets.

    Iterates over the documents; what could not be read is in `counts`.
    """

    def __init__(self, plan: Plan, output: Output, source: Path | None) -> None:
        self.plan, self.output, self.source = plan, output, source
        self.documents = self.text_bytes = 0
        self.damage: list[Damage] = []
        self.kinds = {"damaged": 0, "oversized": 0, "missing": 0}

    def __iter__(self) -> Iterator[Document]:
        for item in self._items():
            if isinstance(item, Damage):
                self.kinds[item.kind] += 1
                if len(self.damage) < DAMAGE_TOLD:
                    self.damage.append(item)
                continue
            self.documents += 1
            self.text_bytes += len(item.content)
            self.output.tell(item.offset, self.text_bytes, self.documents)
            yield item

    def counts(self) -> dict[str, Any]:
        """Return what was read, for the marker."""
        return {
            "archive": _identity(self.source),
            "documents": self.documents,
            "text_bytes": self.text_bytes,
            **self.kinds,
            "damage": [vars(each) for each in self.damage],
        }

    def _items(self) -> Iterator[Document | Damage]:
        config = self.plan.config
        if self.source is None:
            yield Damage(0, "missing", "the server has no such file")
            return
        read = reader(config["reader"])
        try:
            yield from read(self.source, maximum_bytes=config["maximum_record_bytes"])
        except OSError as error:  # of the archive, not of what is written
            if error.filename != str(self.source):
                raise
            yield Damage(0, "missing", f"it cannot be read: {error.strerror}")


def filter_file(
    plan: Plan, unit: int, output: Output, source: Path | None
) -> dict[str, Any]:
    """Stage *filter*: read an archive and keep what passes every rule."""
    del unit
    reading, sieve = Reading(plan, output, source), Sieve(steps(dict(plan.config)))
    with Kept(output) as kept:
        for document in reading:
            if sieve.passes(document):
                kept.add(document)
    sieve.write_samples(output)
    return {**reading.counts(), **sieve.counts()}


def score_file(
    plan: Plan, unit: int, output: Output, source: Path | None
) -> dict[str, Any]:
    """Stage *score*: read an archive and write each document with all its scores."""
    del unit
    reading, rules = Reading(plan, output, source), steps(dict(plan.config))
    file = output.open("documents.jsonl")
    for document in reading:
        scores: list[float] = []
        for step in rules:
            if isinstance(step, Rule):
                scores.append(float(step.score(document)))
            else:
                document.rewrite(step.change(document.text))
        _write(file, {**_fields(document), "scores": scores})
    return reading.counts()


def filter_scored(
    plan: Plan, unit: int, output: Output, source: Path | None
) -> dict[str, Any]:
    """Stage *filter* where scores were kept: decide without reading again."""
    del source
    rules = [step for step in steps(dict(plan.config)) if isinstance(step, Rule)]
    sieve = Sieve(list(rules))
    place = plan.folder / "score"
    with Kept(output) as kept:
        for line in lines(unit_file(place, unit, "documents.jsonl")):
            scores = line.pop("scores")
            document = restored(line)
            if sieve.passes(document, scores):
                kept.add(document)
    sieve.write_samples(output)
    marker = json.loads(unit_file(place, unit, "done.json").read_text("utf-8"))
    return {**marker["counts"], **sieve.counts()}


class Kept:
    """Writes the documents that stay: `documents.jsonl`, and a fingerprint of each."""

    def __init__(self, output: Output) -> None:
        self._documents = output.open("documents.jsonl")
        self._fingerprints = output.open("fingerprints.bin")

    def __enter__(self) -> "Kept":
        return self

    def __exit__(self, *exception: object) -> None:
        pass  # `output` closes its files

    def add(self, document: Document) -> None:
        _write(self._documents, _fields(document))
        self._fingerprints.write(fingerprint(document.text).tobytes())


def restored(line: dict[str, Any]) -> Document:
    """Return a document from its line in `documents.jsonl`."""
    document = Document(line["text"].encode(), url=line["url"], offset=line["offset"])
    document.language = line["language"]
    return document


def _fields(document: Document) -> dict[str, Any]:
    return {
        "text": document.text,
        "url": document.url,
        "offset": document.offset,
        "language": document.language,
    }


def _write(file: IO[bytes], content: dict[str, Any]) -> None:
    file.write(json.dumps(content, ensure_ascii=False).encode() + b"\n")


def _identity(source: Path | None) -> dict[str, Any]:
    """Return what an archive is by its bytes: size and SHA-256."""
    if source is None:
        return {"size": 0, "sha256": None}
    try:
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return {"size": file.tell(), "sha256": digest}
    except OSError:
        return {"size": 0, "sha256": None}  # said as damage
