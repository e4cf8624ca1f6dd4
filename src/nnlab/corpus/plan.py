"""The plan of a preparation: which files, in which order, made how. Never changed.

`plan.json` is all that a worker needs to know. A stage's key is a hash of everything
that its bytes depend on, and stands in the marker of each of its units.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nnlab.corpus.commit import to_json, write_whole
from nnlab.errors import UserError
from nnlab.numerals import counted

FORMAT = 1  # to be raised where the same config would give other bytes
BOUNDS = ("minimum", "maximum")  # of a rule: what may change where scores were kept


@dataclass(frozen=True)
class ArchiveFile:
    """One file to read, the unit of work.

    Args:
        name: its path on the crawl's server, or on this machine.
        size: in bytes, as it was when the plan was made; None: on the server.
    """

    name: str
    size: int | None


@dataclass(frozen=True)
class Plan:
    """What is to be done, in a folder.

    Args:
        files: in their order, which is the order of documents too.
        config: what `data=` says that decides about bytes.
        tokenizer: `fingerprint` and `kind`.
        keys: of each stage, by its name.
    """

    folder: Path
    files: tuple[ArchiveFile, ...]
    config: Mapping[str, Any]
    tokenizer: Mapping[str, str]
    keys: Mapping[str, str]


def make_plan(
    folder: Path,
    files: Sequence[ArchiveFile],
    config: Mapping[str, Any],
    tokenizer: Mapping[str, str],
) -> Plan:
    """Return the plan for these files; nothing is written yet."""
    keys = stage_keys(files, config, tokenizer)
    return Plan(folder, tuple(files), dict(config), dict(tokenizer), keys)


def stage_keys(
    files: Sequence[ArchiveFile],
    config: Mapping[str, Any],
    tokenizer: Mapping[str, str],
) -> dict[str, str]:
    """Return a hash for each stage of all that its bytes depend on."""
    others = ("deduplicate", "shard", "seed", "crawl", "source", "files")
    reading = {name: value for name, value in config.items() if name not in others}
    names = [(Path(file.name).name, file.size) for file in files]
    score = _hash(FORMAT, names, without_bounds(reading))
    first = _hash(score, reading)
    deduplicate = _hash(first, config["deduplicate"])
    tokenise = _hash(deduplicate, tokenizer["fingerprint"], config["shard"])
    return {
        "score": score,
        "filter": first,
        "deduplicate": deduplicate,
        "tokenise": tokenise,
        "shard": _hash(tokenise, config["seed"]),
    }


def without_bounds(reading: Mapping[str, Any]) -> dict[str, Any]:
    """Return what scores depend on: the config without the bounds of the rules."""
    rules = {
        name: {key: value for key, value in rule.items() if key not in BOUNDS}
        if isinstance(rule, Mapping)
        else rule
        for name, rule in reading["filter"].items()
    }
    bounds = {f"{bound}_characters" for bound in BOUNDS}
    kept = {name: value for name, value in reading.items() if name not in bounds}
    return {**kept, "filter": rules}


def write_plan(plan: Plan) -> None:
    """Write `plan.json`, whole."""
    content = {
        "files": [asdict(file) for file in plan.files],
        "config": plan.config,
        "tokenizer": plan.tokenizer,
        "keys": plan.keys,
    }
    plan.folder.mkdir(parents=True, exist_ok=True)
    write_whole(plan.folder / "plan.json", to_json(content))


def read_plan(folder: Path) -> Plan:
    """Return the plan of a folder.

    Raises:
        UserError: where there is none, or it is not what `write_plan` writes.
    """
    file = folder / "plan.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        files = tuple(ArchiveFile(**each) for each in content["files"])
        return Plan(
            folder, files, content["config"], content["tokenizer"], content["keys"]
        )
    except OSError as cause:
        raise UserError(f"{file} cannot be read ({cause.strerror})") from cause
    except (ValueError, KeyError, TypeError) as cause:
        raise UserError(
            f"{file} is damaged; delete the folder, and prepare anew"
        ) from cause


def settled(plan: Plan) -> Plan:
    """Return the plan that holds in its folder: one that is there, or this new one.

    Where the folder keeps scores, other bounds of the rules make a new one.

    Raises:
        UserError: where the folder was begun with another config, or by others.
    """
    if not (plan.folder / "plan.json").is_file():
        if any(plan.folder.iterdir()):
            raise UserError(
                f"data.folder={plan.folder} holds something else; name another folder"
            )
        return plan
    before = read_plan(plan.folder)
    if before.keys == plan.keys:
        return before
    if before.config["keeps_scores"] and before.keys["score"] == plan.keys["score"]:
        return plan
    raise UserError(_difference(before, plan))


def _difference(before: Plan, now: Plan) -> str:
    remedy = f"name another data.folder, or delete {now.folder}"
    place = f"data.folder={now.folder} was prepared"
    old, new = _flat(before.config), _flat(now.config)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            had, has = (json.dumps(each.get(name)).strip('"') for each in (old, new))
            return f"{place} with data.{name}={had}, not {has}; {remedy}"
    if before.tokenizer["fingerprint"] != now.tokenizer["fingerprint"]:
        had, has = before.tokenizer["kind"], now.tokenizer["kind"]
        other = f"another {has}" if had == has else has
        return f"{place} with tokenizer={had}, not {other}; {remedy}"
    had, has = len(before.files), len(now.files)
    what = (
        f"{counted(had, 'file')}, not {has}"
        if had != has
        else "other files of these names"
    )
    return f"{place} from {what}; {remedy}"


def _flat(node: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(node, Mapping):
        return {prefix: node}
    flat: dict[str, Any] = {}
    for key, value in node.items():
        flat |= _flat(value, f"{prefix}.{key}" if prefix else str(key))
    return flat


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
