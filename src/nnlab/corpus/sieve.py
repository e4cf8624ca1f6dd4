"""Decides about documents by the rules, and counts and samples what they drop."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Sequence
from typing import Any

from nnlab.corpus.commit import Output, to_json
from nnlab.corpus.document import Document
from nnlab.corpus.filter.rule import Rule, Step

SAMPLES = 6  # of the documents that each rule drops, and of those that stay
SAMPLE_CHARACTERS = 2_000
HOSTS_TOLD = 500
LENGTHS = 28  # powers of two of characters: up to 134 million
KEPT = "kept"


class Sieve:
    """Every document is kept, or dropped by the first rule that it fails."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        self.dropped = {step.name: 0 for step in steps if isinstance(step, Rule)}
        self.changed = {
            step.name: {"documents": 0, "characters": 0}
            for step in steps
            if not isinstance(step, Rule)
        }
        self.kept = self.kept_bytes = self.broken = 0
        self.languages: dict[str, Counter[str]] = {"all": Counter(), KEPT: Counter()}
        self.lengths = {"all": [0] * LENGTHS, KEPT: [0] * LENGTHS}
        self.hosts: Counter[str] = Counter()
        self._samples: dict[str, list[tuple[int, int, dict[str, Any]]]] = {}

    def passes(self, document: Document, scores: Sequence[float] | None = None) -> bool:
        """Return whether a document stays.

        Args:
            scores: of the rules in their order, where they are known.
        """
        at, score = 0, 0.0
        failed: str | None = None
        for step in self.steps:
            if isinstance(step, Rule):
                score = step.score(document) if scores is None else scores[at]
                at += 1
                if not step.keeps(score):
                    failed = step.name
                    break
            else:
                self._change(step.name, document, step.change(document.text))
        self._count(document, failed, score)
        return failed is None

    def counts(self) -> dict[str, Any]:
        """Return plain counts, for the marker."""
        return {
            "kept": self.kept,
            "kept_bytes": self.kept_bytes,
            "dropped": self.dropped,
            "changed": self.changed,
            "broken_characters": self.broken,
            "languages": {name: dict(each) for name, each in self.languages.items()},
            "lengths": self.lengths,
            "hosts": dict(most_frequent(self.hosts, HOSTS_TOLD)),
        }

    def write_samples(self, output: Output) -> None:
        """Write `samples.json`: rule -> documents that it dropped, and `kept`."""
        samples = {
            name: [[-key, sample] for key, _, sample in sorted(heap, reverse=True)]
            for name, heap in self._samples.items()
        }
        output.open("samples.json").write(to_json(samples).encode())

    def _change(self, name: str, document: Document, text: str) -> None:
        if text != document.text:
            self.changed[name]["documents"] += 1
            self.changed[name]["characters"] += len(document.text) - len(text)
            document.rewrite(text)

    def _count(self, document: Document, failed: str | None, score: float) -> None:
        language = document.language or next(iter(document.languages), "")
        length = min(len(document.content).bit_length(), LENGTHS - 1)
        self.broken += document.broken > 0
        self.languages["all"][language] += 1
        self.lengths["all"][length] += 1
        if failed is None:
            self.kept += 1
            self.kept_bytes += len(document.text.encode())
            self.languages[KEPT][language] += 1
            self.lengths[KEPT][length] += 1
            self.hosts[document.host] += 1
        else:
            self.dropped[failed] += 1
        self._sample(document, failed or KEPT, None if failed is None else score)

    def _sample(self, document: Document, name: str, score: float | None) -> None:
        """Keep the few documents whose hash is least: a draw that anyone can repeat."""
        key = _draw(document)
        heap = self._samples.setdefault(name, [])
        if len(heap) == SAMPLES and -key <= heap[0][0]:
            return
        sample = {
            "url": document.url,
            "offset": document.offset,
            "score": score,
            "text": document.text[:SAMPLE_CHARACTERS],
            "characters": len(document.text),
        }
        item = (-key, document.offset, sample)
        (heapq.heappush if len(heap) < SAMPLES else heapq.heapreplace)(heap, item)


def most_frequent(counts: Counter[str], most: int) -> list[tuple[str, int]]:
    """Return the most frequent names; equal counts in the order of their names."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ordered[:most]


def _draw(document: Document) -> int:
    text = f"{document.url} {document.offset}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest())
