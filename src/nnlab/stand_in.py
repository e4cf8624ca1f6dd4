"""What Lightning imports, without what no run uses of it.

torchmetrics imports torchvision, transformers and SciPy for metrics that nobody asked
for, a second of each start; torch's counter of operations imports Triton for kernels
that nobody wrote. While they are imported, stand-ins take those places, each of which
imports what it stands for when it is first used; such a metric works as ever.
"""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

from nnlab.late_compiler import put_off

UNUSED = {  # by what imports it
    "torchmetrics": ("torchvision", "transformers", "scipy"),
    "torch.utils.flop_counter": ("triton",),
}


class Later:
    """Stands for a name of a module; is asked, called or compared as that is."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def _real(self) -> Any:
        return getattr(import_module(self._module), self._name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._real()(*arguments, **named)

    def __instancecheck__(self, instance: Any) -> bool:
        module = sys.modules.get(self._module)
        is_there = module is not None and not isinstance(module, StandIn)
        return is_there and isinstance(instance, self._real())  # else nothing is one


class StandIn(ModuleType):
    """Stands for a module while another is imported."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Later(self.__name__, name)


class _StandIns(MetaPathFinder, Loader):
    """Finds a stand-in for each module of some packages."""

    def __init__(self, packages: Sequence[str]) -> None:
        self.packages = packages

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname.split(".")[0] not in self.packages:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: it is empty."""


class _AmidStandIns(SourceFileLoader):
    """Runs a module's code as ever, but amid stand-ins."""

    def exec_module(self, module: ModuleType) -> None:
        with stand_ins(UNUSED[module.__name__]):
            super().exec_module(module)


class _Trigger(MetaPathFinder):
    """Finds an importer as Python does, and lets it be imported amid stand-ins."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname not in UNUSED:
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _AmidStandIns(fullname, spec.loader.path)
        return spec


def leave_out_unused() -> None:
    """Let what Lightning imports come without what no run uses, from now on."""
    put_off()
    if not any(isinstance(finder, _Trigger) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Trigger())


@contextmanager
def stand_ins(packages: Sequence[str]) -> Generator[None]:
    """Put stand-ins where the packages are not imported yet; take them away again."""
    finder = _StandIns([name for name in packages if name not in sys.modules])
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [n for n, m in sys.modules.items() if isinstance(m, StandIn)]:
            del sys.modules[name]
