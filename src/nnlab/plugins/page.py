"""What is known of one option, read from its files: none of its code is imported."""

import ast
import re
from pathlib import Path

from nnlab.plugins.plugin import LIST_GROUPS, Plugin


def option_page(plugin: Plugin, group: str, option: str) -> str:
    """Return how an option is chosen, its numbers, and what its code says of itself."""
    file = plugin.conf / group / f"{option}.yaml"
    text = file.read_text("utf-8", errors="replace")
    off = f"\noff       {plugin.broken}" if plugin.broken else ""
    lines = [
        f"option    {chosen(group, option)}",
        f"plugin    {plugin.title}{off}",
        f"file      {file}",
        "",
        *(f"    {line}" for line in text.rstrip().splitlines()),
    ]
    explained = _explained(plugin, text)
    if explained:
        lines += ["", *explained.splitlines()]
    return "".join(f"{line}\n".replace("    \n", "\n") for line in lines)


def chosen(group: str, option: str) -> str:
    """Return the words that choose an option: `regularizer=[l1]`."""
    return f"{group}={f'[{option}]' if group in LIST_GROUPS else option}"


def _explained(plugin: Plugin, text: str) -> str:
    """Return the docstrings of the module and class that `_target_` names."""
    target = re.search(r"^\s*_target_:\s*([\w.]+)\s*(?:#.*)?$", text, re.MULTILINE)
    if target is None:
        return ""
    module, _, name = target[1].rpartition(".")
    file = _file(plugin, module)
    if file is None or not file.is_file():
        return ""
    try:
        tree = ast.parse(file.read_text("utf-8", errors="replace"))
    except SyntaxError:
        return ""
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    found: list[ast.Module | ast.ClassDef] = [tree]
    found += [node for node in classes if node.name == name]
    return "\n\n".join(filter(None, map(ast.get_docstring, found)))


def _file(plugin: Plugin, module: str) -> Path | None:
    if module.startswith(f"nnlab.ext.{plugin.name}."):
        inside = module.split(".")[3:]
    elif module.partition(".")[0] in plugin.packages:
        inside = module.split(".")[1:]
    else:
        return None
    return plugin.folder.joinpath(*inside).with_suffix(".py")
