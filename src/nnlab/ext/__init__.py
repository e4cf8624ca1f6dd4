"""The code of local plugins: `nnlab.ext.<plugin>.<module>`, with `sys.path` untouched.

Importing this package installs the finder, so that a process started later unpickles a
plugin's classes as the first one did.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType

from nnlab.errors import did_you_mean
from nnlab.plugins import Plugin, discover


class PluginFinder(MetaPathFinder):
    """Finds `nnlab.ext.<plugin>` in its folder; what lies below, Python finds."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        parent, _, name = fullname.rpartition(".")
        if parent != __name__:
            return None
        folder = _plugin(name, fullname).folder
        code = folder / "__init__.py"
        if code.is_file():
            return spec_from_file_location(
                fullname, code, submodule_search_locations=[str(folder)]
            )
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        return spec


def _plugin(name: str, module: str) -> Plugin:
    plugins = discover()
    for plugin in plugins:
        if plugin.name == name and not plugin.broken and plugin.origin != "installed":
            return plugin
    local = [plugin.name for plugin in plugins if plugin.origin != "installed"]
    hint = did_you_mean(name, local).split("; there is")[0]
    hint = hint or f"; NNLAB_PLUGINS names its folder, or the one that {name}/ lies in"
    why = f"no plugin called {name!r}{hint}"
    for plugin in plugins:
        if plugin.name == name:
            why = f"the plugin {name} is off: {plugin.broken}"
            if not plugin.broken:
                code = ", ".join(plugin.packages)
                why = f"the plugin {name} is installed; its code is imported as {code}"
    raise ModuleNotFoundError(why, name=module)


if not any(type(finder).__name__ == PluginFinder.__name__ for finder in sys.meta_path):
    sys.meta_path.append(PluginFinder())
