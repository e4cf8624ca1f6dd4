"""What can be chosen, as lines of text: `nnlab list` and `nnlab plugins`.

Reads file names and first comments only: no torch, no Hydra.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from nnlab.errors import UserError, did_you_mean
from nnlab.home import conf_folder
from nnlab.plugins import GROUPS, Plugin, find_plugins, left_alone
from nnlab.plugins.page import option_page
from nnlab.plugins.plugin import options_in

INTERNAL = ("hydra",)


@dataclass(frozen=True)
class Option:
    """One option of a group: `model=lenet5`."""

    name: str
    summary: str
    owner: str | None  # the plugin's name; None where nnlab brings it


def list_groups() -> dict[str, list[Option]]:
    """Return the options of every config group, plugins' included."""
    plugins = find_plugins()
    own = [path.name for path in conf_folder().iterdir() if path.is_dir()]
    offered = [group for plugin in _working(plugins) for group in plugin.options()]
    known = [group for group in GROUPS if group in own or group in offered]
    others = sorted(set(own) - set(GROUPS) - set(INTERNAL))
    return {group: _options(group, plugins) for group in (*known, *others)}


def options(group: str) -> list[Option]:
    """Return the options of one group, sorted by name."""
    return _options(group, find_plugins())


def describe(path: Path) -> str:
    """Return a YAML file's first comment that is not a `@package` header, or ''."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            text = line.strip()
            if text and not text.startswith("#"):
                return ""
            comment = text.lstrip("#").strip()
            if comment and not comment.startswith("@package"):
                return comment
    return ""


def catalog(word: str | None = None) -> str:
    """Return all groups with their counts, or one group's options, a line each.

    Raises `UserError` for a word that is no group, singular or plural.
    """
    groups = list_groups()
    if word is None:
        counts = [
            (group, f"{len(found):3}  {', '.join(option.name for option in found)}", "")
            for group, found in groups.items()
        ]
        hint = "nnlab list models: one group, a line an option"
        return _lines([*_columns(counts), *_off(), "", hint])
    spellings = {name: group for group in groups for name in (*_plurals(group), group)}
    if word not in spellings:
        hint = did_you_mean(word, groups)
        raise UserError(f"list {word}: no config group called {word!r}{hint}")
    found = groups[spellings[word]]
    if not found:
        return _lines([f"no {spellings[word]} yet"])
    rows = [
        (option.name, option.summary, f" [{option.owner}]" if option.owner else "")
        for option in found
    ]
    return _lines([*_columns(rows), *_off()])


def plugins_table() -> str:
    """Return one line a plugin: name, version, origin, summary or why it is off."""
    plugins = [*find_plugins(), *left_alone()]
    if not plugins:
        return _lines(["no plugins; NNLAB_PLUGINS=<folder> names one"])
    rows = [
        (plugin.name, plugin.version or "?", plugin.origin, _state(plugin))
        for plugin in plugins
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines: list[str] = []
    for *cells, state in rows:
        start = "  ".join(
            cell.ljust(width) for cell, width in zip(cells, widths, strict=True)
        )
        lines.append(_cut(f"{start}  {state}"))
    return _lines(lines)


def plugin_info(name: str) -> str:
    """Return all that is known of one plugin, or of an option that a plugin offers.

    Raises `UserError` if there is none.
    """
    plugins = [*find_plugins(), *left_alone()]
    found = [plugin for plugin in plugins if plugin.name == name]
    if found:
        return "\n".join(map(_info, found))
    offered = [
        (plugin, group, option)
        for plugin in plugins
        for group, options in plugin.options().items()
        for option in options
    ]
    pages = [option_page(*each) for each in offered if each[2] == name]
    if not pages:
        known = [plugin.name for plugin in plugins] + [each[2] for each in offered]
        raise UserError(f"no plugin called {name!r}{did_you_mean(name, known)}")
    return "\n".join(pages)


def _info(plugin: Plugin) -> str:
    offers = [f"{group}={','.join(names)}" for group, names in plugin.options().items()]
    facts = {
        "plugin": plugin.title,
        "summary": plugin.summary,
        "off": f"{plugin.broken} ({plugin.broken_file})" if plugin.broken else "",
        "found": f"{plugin.origin}, {plugin.folder}",
        "offers": "\n".join(offers),
        "trusted": ", ".join(plugin.packages),
        "requires": ", ".join(plugin.requires),
        "hash": plugin.hash if plugin.folder.is_dir() else "",
    }
    rows = [
        f"{key if first else '':8}  {line}"
        for key, text in facts.items()
        for first, line in ((n == 0, line) for n, line in enumerate(text.splitlines()))
    ]
    return _lines(rows)  # not cut: paths and hashes are there to be copied


def _options(group: str, plugins: list[Plugin]) -> list[Option]:
    places = [(conf_folder(), None)]
    places += [(plugin.conf, plugin.name) for plugin in _working(plugins)]
    found = [
        Option(name, describe(conf / group / f"{name}.yaml"), owner)
        for conf, owner in places
        for name in options_in(conf / group)
    ]
    return sorted(found, key=lambda option: option.name)


def _working(plugins: list[Plugin]) -> list[Plugin]:
    return [plugin for plugin in plugins if not plugin.broken]


def _plurals(group: str) -> tuple[str, ...]:
    irregular = {"data": ("datas", "dataset", "datasets"), "strategy": ("strategies",)}
    return irregular.get(group, (f"{group}s",))


def _state(plugin: Plugin) -> str:
    return f"off: {plugin.broken}" if plugin.broken else plugin.summary


def _off() -> list[str]:
    broken = [plugin for plugin in find_plugins() if plugin.broken]
    return ["", *(_cut(f"off: {p.name}: {p.broken}") for p in broken)] if broken else []


def _columns(rows: list[tuple[str, str, str]]) -> list[str]:
    """Align names and texts; what does not fit is cut from the text, not the tail."""
    width = max(len(name) for name, _, _ in rows)
    return [_cut(f"{name:{width}}  {text}", tail) for name, text, tail in rows]


def _lines(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _cut(line: str, tail: str = "") -> str:
    width = max(80, shutil.get_terminal_size().columns)  # 80 where it is not a terminal
    room = width - len(tail)
    line = line.rstrip()
    return (line if len(line) <= room else f"{line[: room - 1]}…") + tail
