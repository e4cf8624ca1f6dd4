"""What a person sees at the end: how many came in, what dropped them, what is left."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from nnlab.numerals import counted

DAMAGE_SHOWN = 5


def show_summary(console: Console, folder: Path, manifest: Mapping[str, Any]) -> None:
    """Print the books of a preparation, and where its page lies."""
    counts = manifest["counts"]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("")
    table.add_column("documents", justify="right")
    table.add_column("of all", justify="right")
    rows = [("read", counts["documents"])]
    rows += [
        (f"dropped: {name.replace('_', ' ')}", n)
        for name, n in counts["dropped"].items()
    ]
    rows += [("kept", counts["kept"])]
    for name, number in rows:
        if number or not name.startswith("dropped"):
            table.add_row(name, f"{number:,}", share(number, counts["documents"]))
    console.print()
    console.print(table)
    sums, text = token_sums(manifest), counts["kept_bytes"] / 1e6
    console.print(
        f"\n{counted(sums['train'], 'token')} to train, {sums['validation']:,} to "
        f"validate, in {counted(len(manifest['shards']), 'shard')}; {text:,.1f} MB of "
        "text",
    )
    if not counts["kept"]:
        console.print("no document was kept: the table says which rule dropped them")
    elif not sums["validation"]:
        said = f"training wants validation too: {few_hosts(manifest)}"
        console.print(said, soft_wrap=False)
    if said := unread(counts):
        console.print(f"not read: {said}")
        for each in manifest["damage"][:DAMAGE_SHOWN]:
            place = f"{Path(each['file']).name}, offset {each['offset']:,}"
            console.print(f"  {place}: {each['reason']}")
        if len(manifest["damage"]) > DAMAGE_SHOWN:
            console.print("  … report.html has more of them")
    console.print(str(folder / "report.html"))


def share(part: int, whole: int) -> str:
    """Return a percentage; of nothing there is none."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def unread(counts: Mapping[str, Any]) -> str:
    """Return what was not read: `3 damaged, 1 oversized`, or nothing."""
    kinds = ("damaged", "oversized", "missing")
    return ", ".join(f"{counts[kind]:,} {kind}" for kind in kinds if counts[kind])


def few_hosts(manifest: Mapping[str, Any]) -> str:
    """Return why there is little to validate, and what to do."""
    shard = manifest["config"]["shard"]
    hosts = counted(len(manifest["hosts"]), "host")
    share = f"data.shard.validation_share above {shard['validation_share']}"
    if shard["keeps_together"] == "page":
        return f"prepare more files, or with {share}, in another data.folder"
    return (
        f"a host stays on one side, and all pages are of {hosts}; prepare more files, "
        f"or with {share}, or data.shard.keeps_together=page, in another data.folder"
    )


def token_sums(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Return how many tokens each split has."""
    sums = {"train": 0, "validation": 0}
    for shard in manifest["shards"]:
        sums[shard["split"]] += shard["tokens"]
    return sums
