"""What is imported is not searched for garbage, and everything else is."""

import subprocess
import sys

CODE = """
import gc, sys, types
from nnlab.importing import imports
frozen = gc.get_freeze_count()
with imports():
    import json.tool
    assert not gc.isenabled()
assert gc.isenabled()
assert gc.get_freeze_count() == frozen, "torch was not imported"
try:
    with imports():
        raise ImportError
except ImportError:
    assert gc.isenabled()
with imports():
    sys.modules["torch"] = types.ModuleType("torch")
assert gc.isenabled()
assert gc.get_freeze_count() > frozen
frozen = gc.get_freeze_count()
with imports():
    assert gc.isenabled(), "torch is there already"
assert gc.get_freeze_count() == frozen
gc.disable()
del sys.modules["torch"]
with imports():
    pass
assert not gc.isenabled(), "somebody wants it so"
"""


INTERRUPTED = """
import os, signal, sys, time
from nnlab.importing import imports
before = signal.getsignal(signal.SIGINT)
done = []
try:
    with imports():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        done.append("imported whole")
    done.append("went on")
except KeyboardInterrupt:
    assert done == ["imported whole"], done
    assert signal.getsignal(signal.SIGINT) is before
    print("stopped")
"""


def test_ctrl_c_waits_until_an_import_is_whole():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False
    )
    assert done.stdout == "stopped\n", done.stderr


def test_the_collector_rests_while_torch_is_imported_and_only_then():
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
