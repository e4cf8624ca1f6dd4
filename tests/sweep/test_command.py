"""The command of a sweep leaves torch to the process that its jobs come from."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_a_sweep_imports_no_torch_from_its_start_to_its_end(tmp_path):
    code = (
        "import json, sys\n"
        "from nnlab.cli import main\n"
        "status = main(sys.argv[1:])\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "sys.stderr.write(json.dumps([status, sorted(names)]))\n"
    )
    words = ("-m", "trainer.max_epochs=1", "pictures=0", "logger=[]", "seed=1,2")
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    status, names = json.loads(done.stderr.splitlines()[-1])
    assert status == 0
    heavy = {"torch", "lightning", "matplotlib", "PIL"}
    assert heavy & set(names) == set()


def test_a_mistake_about_the_hardware_is_told_before_anything_is_written(
    forked, nnlab, tmp_path
):
    answer = nnlab("-m", "trainer.devices=1,1000000")
    assert answer.status == 2
    assert "trainer.devices=1000000 is more than there are here" in answer.err
    assert answer.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_heavy_is_imported_before_the_server_starts():
    code = "import sys, nnlab.sweep.command; print({'torch'} & set(sys.modules))"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout == "set()\n"
