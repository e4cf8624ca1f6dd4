"""A run whose output nobody reads any more goes on."""

import json
import subprocess
import sys
from pathlib import Path

RUN = ("data=xor", "trainer.max_epochs=1", "data.repeats=5", "pictures=0")


def test_a_run_piped_to_a_reader_that_leaves_trains_to_its_end(tmp_path):
    command = [sys.executable, "-m", "nnlab", *RUN, f"folder={tmp_path}/run"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
    assert process.returncode == 0
    assert said == ""
    status = json.loads(Path(tmp_path, "run/status.json").read_text())
    assert status["status"] == "complete"
