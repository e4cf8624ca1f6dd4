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


def test_the_collector_rests_while_torch_is_imported_and_only_then():
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
