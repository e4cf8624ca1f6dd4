"""torch's compiler is imported when something is compiled, and is then as ever."""

import subprocess
import sys

import pytest

LATE = """
import sys
from nnlab.late_compiler import is_late
from nnlab.stand_in import leave_out_unused
leave_out_unused()
import torch, lightning
from lightning.fabric.wrappers import OptimizedModule
assert is_late()
"""

CLAIMS = {
    "every optimizer steps without it": """
for kind in (torch.optim.Adam, torch.optim.SGD, torch.optim.RMSprop, torch.optim.Muon):
    weight = torch.nn.Parameter(torch.ones(2, 2))
    optimizer = kind([weight], lr=0.1)
    optimizer.load_state_dict(optimizer.state_dict())
    weight.sum().backward()
    optimizer.step()
    assert (weight < 1).all(), kind
    optimizer.zero_grad()
    assert weight.grad is None
assert is_late() and "sympy" not in sys.modules
""",
    "a look at all modules does not need it": """
import inspect
for module in list(sys.modules.values()):
    hasattr(module, "__nothing__")
inspect.getmodule(inspect.currentframe())
assert not isinstance(torch.nn.Linear(1, 1), OptimizedModule)
assert not issubclass(torch.nn.Linear, OptimizedModule)
assert is_late()
""",
    "what is compiled is compiled, and known as such": """
model = torch.nn.Linear(2, 2)
compiled = torch.compile(model, backend="eager")
assert not is_late()
x = torch.ones(1, 2)
torch.testing.assert_close(compiled(x), model(x))
assert isinstance(compiled, OptimizedModule)
assert issubclass(type(compiled), OptimizedModule)
assert not isinstance(model, OptimizedModule)
assert isinstance(OptimizedModule(model, torch._dynamo.optimize("eager")),
                  torch._dynamo.OptimizedModule)
from lightning.fabric.wrappers import _unwrap_compiled
assert _unwrap_compiled(compiled)[0] is model
""",
    "its modules are its own, and once there": """
import torch._dynamo.config as config
assert not is_late()
assert torch._dynamo.config is config is sys.modules["torch._dynamo.config"]
assert config.__spec__.origin == config.__file__
import torch._dynamo.variables.builder as builder
assert torch._dynamo.variables.builder is builder
assert sys.modules["torch._dynamo"].__file__
""",
    "a module that it does not bring itself is found": """
import importlib
testing = importlib.import_module("torch._dynamo.testing")
assert not is_late()
assert testing is torch._dynamo.testing
""",
    "what was taken down is not compiled": """
@torch.compiler.disable
def taken_down(x):
    return x + 1
assert taken_down(torch.ones(1)) == 2 and is_late()
import torch._dynamo.utils
for fullgraph in (False, True):
    torch._dynamo.reset()
    def outer(x):
        return taken_down(x) * 2
    compiled = torch.compile(outer, backend="eager", fullgraph=fullgraph)
    try:
        assert compiled(torch.ones(1)) == 4
    except torch._dynamo.exc.Unsupported as error:
        assert fullgraph and "`torch.compiler.disable()`d" in str(error)
    else:
        assert not fullgraph
assert taken_down(torch.ones(1)) == 2 and taken_down.__name__ == "taken_down"
""",
    "an import that fails can be tried again": """
class Broken:
    def find_spec(self, name, path, target=None):
        if name == "torch._dynamo.eval_frame":
            raise KeyboardInterrupt
broken = Broken()
sys.meta_path.insert(0, broken)
try:
    torch._dynamo.reset
except KeyboardInterrupt:
    assert is_late()
sys.meta_path.remove(broken)
assert torch._dynamo.reset and not is_late()
""",
    "threads do not wait for one whose import failed": """
import threading
class Broken:
    times = 0
    def find_spec(self, name, path, target=None):
        if name == "torch._dynamo.eval_frame" and not Broken.times:
            Broken.times += 1
            raise ImportError("once")
sys.meta_path.insert(0, Broken())
found, start = [], threading.Barrier(4)
def want():
    start.wait()
    try:
        found.append(torch._dynamo.reset)
    except ImportError as error:
        found.append(str(error))
threads = [threading.Thread(target=want, daemon=True) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join(60)
assert len(found) == 4 and found.count("once") == 1, found
""",
    "what was taken down may be forgotten": """
import gc, weakref
def made():
    @torch.compiler.disable
    def taken_down(): pass
    return weakref.ref(taken_down)
forgotten = made()
gc.collect()
assert forgotten() is None and is_late()
""",
    "threads that want it at once all get it": """
import threading
found, start = [], threading.Barrier(8)
def want():
    start.wait()
    found.append(torch._dynamo.reset)
threads = [threading.Thread(target=want) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(found) == 8 and set(found) == {torch._dynamo.reset}
""",
    "an exported program runs": """
program = torch.export.export(torch.nn.Linear(2, 1), (torch.ones(1, 2),))
assert not is_late()
assert program.module()(torch.ones(1, 2)).shape == (1, 1)
""",
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_late(claim):
    code = LATE + CLAIMS[claim]
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_is_there_already_stays():
    code = (
        "import torch._dynamo as compiler\n"
        "from nnlab.late_compiler import is_late, put_off, the_compiler\n"
        "put_off()\n"
        "assert not is_late() and the_compiler() is compiler\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
