"""The page to judge a preparation by: one file, from the manifest and the samples."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from nnlab.corpus.commit import unit_file, write_whole
from nnlab.corpus.plan import Plan
from nnlab.corpus.sieve import KEPT, SAMPLES
from nnlab.corpus.summary import share, token_sums, unread
from nnlab.numerals import counted
from nnlab.template import template

LANGUAGES_SHOWN, HOSTS_SHOWN, DAMAGE_SHOWN = 16, 24, 100
NAMES = {"wet": "Common Crawl", "wikipedia": "Wikipedia", "webtext": "Web text"}
_ROOM = Path(__file__).parent


def write_report(plan: Plan, manifest: Mapping[str, Any]) -> None:
    """Write `report.html` beside the shards."""
    counts = manifest["counts"]
    samples = _samples(plan)
    page = template(_ROOM / "report.html.j2").render(
        title=NAMES[plan.config["reader"]],
        css=Markup((_ROOM / "report.css").read_text(encoding="utf-8")),
        share=share,
        counted=counted,
        counts=counts,
        tokens=token_sums(manifest),
        unread=unread(counts),
        facts=_facts(plan, manifest),
        funnel=_funnel(counts),
        balance=_balance(counts),
        languages=_languages(manifest["languages"]),
        lengths=Markup(lengths_picture(manifest["lengths"])),
        samples=samples,
        summaries={name: _summary(name, counts) for name in samples},
        hosts=list(manifest["hosts"].items())[:HOSTS_SHOWN],
        passed=sum(each["kept"] for each in manifest["files"]),
        shards=[_shard(each) for each in manifest["shards"]],
        changed=manifest["changed"],
        damage=manifest["damage"][:DAMAGE_SHOWN],
        more_damage=max(0, len(manifest["damage"]) - DAMAGE_SHOWN),
        files=manifest["files"],
        config=json.dumps(manifest["config"], indent=2, ensure_ascii=False),
        versions="\n".join(f"{k} {v}" for k, v in manifest["versions"].items()),
    )
    write_whole(plan.folder / "report.html", page)


def lengths_picture(lengths: Mapping[str, list[int]]) -> str:
    """Return columns as SVG: one a power of two of bytes, read behind passed."""
    used = [index for index, number in enumerate(lengths["all"]) if number]
    if not used:
        return "<p>no document</p>"
    first, last = used[0], used[-1]
    most, width = max(lengths["all"]), 460 / (last - first + 1)
    parts: list[str] = []
    for column, index in enumerate(range(first, last + 1)):
        x = column * width
        for name in ("all", KEPT):
            height = 150 * lengths[name][index] / most
            parts.append(
                f'<rect class="{name}" x="{x + 1:.1f}" y="{160 - height:.1f}" '
                f'width="{width - 2:.1f}" height="{height:.1f}"><title>'
                f"{_bytes(index)}: {lengths[name][index]:,}</title></rect>"
            )
        parts.append(f'<text x="{x + 1:.1f}" y="176">{_bytes(index)}</text>')
    label = "Documents by length, read and passed"
    body = "".join(parts)
    return f'<svg viewBox="0 0 460 182" role="img" aria-label="{label}">{body}</svg>'


def _bytes(power: int) -> str:
    """Return the least length of a column: 512, 1k, 64k, 1M."""
    size = 1 << (power - 1) if power else 0
    for unit, letter in ((1 << 20, "M"), (1 << 10, "k")):
        if size >= unit:
            return f"{size // unit}{letter}"
    return str(size)


def _facts(plan: Plan, manifest: Mapping[str, Any]) -> dict[str, str]:
    config, counts = plan.config, manifest["counts"]
    return {
        "from": str(config["crawl"] or config["source"]),
        "files": f"{len(plan.files):,}",
        "language": config["language"] or "any",
        "text read": f"{counts['text_bytes'] / 1e6:,.1f} MB",
        "text that passed": f"{counts['kept_bytes'] / 1e6:,.1f} MB",
        "tokenizer": plan.tokenizer["kind"],
        "with broken characters": f"{counts['broken_characters']:,}",
    }


def _funnel(counts: Mapping[str, Any]) -> list[dict[str, Any]]:
    whole = max(1, counts["documents"])
    rows = [_funnel_row("read", counts["documents"], 0, whole)]
    came = counts["documents"]
    for name, gone in counts["dropped"].items():
        rows.append(_funnel_row(name.replace("_", " "), came, gone, whole))
        came -= gone
    return [*rows, _funnel_row("kept", came, 0, whole)]


def _funnel_row(name: str, came: int, gone: int, whole: int) -> dict[str, Any]:
    return {
        "name": name,
        "gone": f"{gone:,}" if gone else "",
        "share": share(gone, came) if gone else "",
        "left": f"{came - gone:,}",
        "left_width": f"{100 * (came - gone) / whole:.2f}",
        "gone_width": f"{100 * gone / whole:.2f}",
    }


def _balance(counts: Mapping[str, Any]) -> str:
    dropped = sum(counts["dropped"].values())
    return (
        f"{counts['documents']:,} read = {counts['kept']:,} kept + {dropped:,} "
        "dropped; a document counts for the first rule that it fails."
    )


def _languages(languages: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    rows = list(languages["all"].items())[:LANGUAGES_SHOWN]
    most = max((number for _, number in rows), default=1)
    return [
        {
            "name": name or "not known",
            "all": f"{number:,}",
            "kept": f"{languages[KEPT].get(name, 0):,}",
            "all_width": f"{100 * number / most:.2f}",
            "kept_width": f"{100 * languages[KEPT].get(name, 0) / most:.2f}",
        }
        for name, number in rows
    ]


def _samples(plan: Plan) -> dict[str, list[dict[str, Any]]]:
    """Return the documents with the least hashes of all files, by rule."""
    drawn: dict[str, list[Any]] = {}
    for unit in range(len(plan.files)):
        file = unit_file(plan.folder / "filter", unit, "samples.json")
        for name, each in json.loads(file.read_text(encoding="utf-8")).items():
            drawn.setdefault(name, []).extend(
                (key, unit, sample) for key, sample in each
            )
    return {
        name.replace("_", " "): [
            {**sample, "said": _said(sample)}
            for _, _, sample in sorted(drawn[name], key=lambda each: each[:2])[:SAMPLES]
        ]
        for name in _rules_in_order(plan, drawn)
    }


def _rules_in_order(plan: Plan, drawn: Iterable[str]) -> list[str]:
    marker = unit_file(plan.folder / "filter", 0, "done.json").read_text("utf-8")
    order = [KEPT, *json.loads(marker)["counts"]["dropped"]]
    return [name for name in order if name in set(drawn)]


def _said(sample: Mapping[str, Any]) -> str:
    length = counted(sample["characters"], "character")
    return (
        length if sample["score"] is None else f"score {sample['score']:.4g}, {length}"
    )


def _summary(name: str, counts: Mapping[str, Any]) -> str:
    if name == KEPT:
        return "passed every rule"
    return f"dropped {counts['dropped'][name.replace(' ', '_')]:,}"


def _shard(shard: Mapping[str, Any]) -> dict[str, Any]:
    [file] = [
        name for name in shard["files"] if name.endswith(f".{shard['split']}.bin")
    ]
    return {**{name: shard[name] for name in ("tokens", "documents")}, "file": file}
