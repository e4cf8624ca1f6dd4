"""A key that nothing reads, and which one was probably meant."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from nnlab.compose import LIST_GROUPS, Composer, plain
from nnlab.errors import did_you_mean
from nnlab.synonyms import ELSEWHERE, KEYS, NAMES, NEEDLESS

# Sections of which every key is in the YAML, with null where nothing is chosen.
WHOLE = ("monitor", "sweep", "transfer")


def unknown_key(
    path: str, depth: int, known: Collection[str], config: Any, composer: Composer
) -> str:
    """Return that there is no such key, and which was meant.

    Args:
        path: the key, as it was given.
        depth: of its names, how many are right.
        known: what may stand there instead of the first that is wrong.
        config: of the run.
        composer: knows the groups.
    """
    names = path.split(".")
    parents, key = names[:depth], names[depth]
    if parents and parents[-1] in LIST_GROUPS and key in composer.options(parents[-1]):
        group = parents[-1]
        return f"{path} sets a {group} that is not chosen; choose it: {group}=[{key}]"
    if depth == 0 and key in ELSEWHERE:
        return f"no key {path!r}; did you mean {ELSEWHERE[key]}?"
    if depth == 1 and key in NAMES and composer.options(parents[0]):
        return f"no key {path!r}; did you mean {parents[0]}=...?"
    if key in NEEDLESS:
        return f"no key {path!r}; {NEEDLESS[key]}"
    meant = likely_keys(path, config)
    if meant:
        return f"no key {path!r}; did you mean {' or '.join(meant)}?"
    prefix = ".".join([*parents, ""])
    listed = {name for name in known if not name.startswith("_")}
    return f"no key {path!r}{did_you_mean(key, listed, prefix)}"


def likely_keys(path: str, config: Any) -> list[str]:
    """Return the keys of other sections that are called so, here or elsewhere."""
    last = path.split(".")[-1].replace("-", "_")
    settings = {name: node for name, node in plain(config).items() if name != "widths"}
    leaves = [*_leaves(settings)]
    same = [leaf for leaf in leaves if leaf.split(".")[-1] == last]
    if same:
        return [] if path in same else same[:2]
    longer = [leaf for leaf in leaves if leaf.split(".")[-1].startswith(f"{last}_")]
    meant = KEYS.get(path) or KEYS.get(last)
    if longer and len(last) > 3 and meant is None:  # hidden for hidden_sizes
        return longer[:2]
    is_there = meant is not None and (
        meant in settings or meant in leaves or meant.startswith("trainer.")
    )
    return [meant] if meant is not None and is_there and meant != path else []


def added_for_nothing(path: str, words: Sequence[str], config: Any) -> str | None:
    """Return why a key that `+` adds is a mistake; None where it may be a note.

    Of a key of one's own, that another word refers to, nothing is said.
    """
    if any(f"${{{path}" in word for word in words):
        return None
    section, dot, name = path.partition(".")
    read = plain(config).get(section)
    if dot and section in WHOLE and isinstance(read, Mapping):
        if name.partition(".")[0] in read:
            return None
        return (
            f"+{path} adds what nothing reads{did_you_mean(name, read, f'{section}.')}"
        )
    if dot or path in plain(config):
        return None
    meant = likely_keys(path, config)
    if not meant:
        return None
    return f"+{path} adds what nothing reads; did you mean {' or '.join(meant)}?"


def _leaves(node: Any, prefix: str = "") -> Iterator[str]:
    if not isinstance(node, Mapping):
        yield prefix
        return
    for key, value in node.items():
        yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
