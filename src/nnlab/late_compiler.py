"""torch's compiler, imported when something is compiled.

Lightning and torch's optimizers import `torch._dynamo`, and with it SymPy, Triton and
half of torch.distributed: a third of a start. They only ask it whether a module is a
compiled one, and tell it what it shall not compile. A stand-in answers and takes that
down. Whatever else is asked of it, or imported from it, is the compiler's own, which is
imported then, and told what was taken down: to compile, to be deterministic, for DDP.
"""

import functools
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import FunctionType, ModuleType
from typing import Any
from weakref import WeakSet

COMPILER = "torch._dynamo"


class LateCompiler(ModuleType):
    """Stands for `torch._dynamo` until it is needed."""

    def __init__(self) -> None:
        super().__init__(COMPILER)
        self.OptimizedModule = OptimizedModule
        self.told: WeakSet[Any] = WeakSet()  # what it shall not compile
        self.turn = threading.Lock()  # of one thread to replace it

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # of a look at all modules, not of a use
        return getattr(the_compiler(), name)

    def graph_break(self, *_: Any, **__: Any) -> None:
        """Nothing is traced, so nothing is broken."""

    def disable(self, function: Any = None, *arguments: Any, **named: Any) -> Any:
        """Return what calls a function, and is hidden from the compiler once it is."""
        if not is_late() or not isinstance(function, FunctionType):
            return the_compiler().disable(function, *arguments, **named)
        hidden: Any = None

        def hide() -> Callable[..., Any]:
            nonlocal hidden
            if hidden is None:
                hidden = the_compiler().disable(function, *arguments, **named)
                vars(called).update(vars(hidden))  # the compiler's marks
            return hidden

        @functools.wraps(function)
        def called(*its: Any, **own: Any) -> Any:
            return (function if is_late() else hide())(*its, **own)

        vars(called)["hide"] = hide
        self.told.add(called)
        return called


class _OfCompiled(type):
    """Answers as the compiler's class does, once there is one."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return not is_late() and isinstance(instance, the_compiler().OptimizedModule)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return not is_late() and issubclass(subclass, the_compiler().OptimizedModule)


class OptimizedModule(metaclass=_OfCompiled):
    """What `torch.compile` makes of a module: nothing is one before it has."""

    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        """Make one of the compiler's."""
        return the_compiler().OptimizedModule(*arguments, **named)


class _Waker(MetaPathFinder, Loader):
    """Finds the stand-in, and wakes the compiler where a module of it is imported."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname == COMPILER:
            return ModuleSpec(fullname, self, is_package=True)
        if not fullname.startswith(f"{COMPILER}."):
            return None
        path = list(the_compiler().__path__)
        if fullname in sys.modules:
            return ModuleSpec(fullname, self)
        return PathFinder.find_spec(fullname, path)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        if spec.name == COMPILER:
            return LateCompiler()
        module = sys.modules[spec.name]
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: a module ran with its package. Python has replaced its own spec."""
        if not isinstance(module, LateCompiler):
            assert module.__spec__ is not None
            module.__spec__ = module.__spec__.loader_state


def put_off() -> None:
    """Let the compiler wait, where it has not been imported."""
    if COMPILER not in sys.modules and not _wakers():
        sys.meta_path.insert(0, _Waker())


def is_late() -> bool:
    """Whether the compiler waits."""
    return isinstance(sys.modules.get(COMPILER), LateCompiler)


def the_compiler() -> ModuleType:
    """Return the compiler, which is imported if it waited."""
    while isinstance(late := sys.modules.get(COMPILER), LateCompiler):
        if late.turn.acquire(blocking=False):
            _replace(late)
        time.sleep(0.001)  # until the thread whose turn it is has begun
    return import_module(COMPILER)


def _replace(late: LateCompiler) -> None:
    [waker] = _wakers()
    sys.meta_path.remove(waker)
    vars(sys.modules["torch"]).pop("_dynamo", None)
    del sys.modules[COMPILER]
    try:
        import_module(COMPILER)
    except BaseException:
        sys.modules[COMPILER] = late
        sys.meta_path.insert(0, waker)
        late.turn.release()
        raise
    for called in list(late.told):
        vars(called)["hide"]()


def _wakers() -> list[_Waker]:
    return [finder for finder in sys.meta_path if isinstance(finder, _Waker)]
