"""The two lines of a plugin's author: what they give, and what pytest shows of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnlab.errors import UserError
from nnlab.plugins.new import write_plugin
from nnlab.testing import conformance
from nnlab.testing.case import plugin_at
from nnlab.testing.kit import CHECKS

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests/sample_plugin"


def ids(tests: type) -> set[str]:
    [mark] = tests.test_option.pytestmark
    return set(mark.kwargs["ids"])


def test_there_is_a_test_for_each_check_of_each_option():
    tests = conformance(SAMPLES / "local_lab")
    assert {"resumes-model=adaline", "ranks-data=moons"} <= ids(tests)
    of_experiment = {each for each in ids(tests) if "experiment" in each}
    assert {each.partition("-")[0] for each in of_experiment} == {
        "composes",
        "targets",
        "fits",
    }


def test_only_a_regularizer_must_log():
    assert "logs-regularizer=silent" in ids(conformance(SAMPLES / "faulty_lab"))
    assert "logs-callback=good" not in ids(conformance(SAMPLES / "faulty_lab"))


def test_a_plugin_is_named_by_its_folder_or_a_file_in_it():
    code = SAMPLES / "pip_lab/src/pip_lab/line.py"
    assert plugin_at(code).name == plugin_at(code.parent).name == "pip_lab"
    with pytest.raises(UserError, match=r"is no plugin: it has no nnlab-plugin.toml"):
        conformance(__file__)


def test_a_plugin_is_named_by_its_name(monkeypatch):
    monkeypatch.setenv("NNLAB_PLUGINS", str(SAMPLES / "local_lab"))
    assert plugin_at("local_lab").folder == SAMPLES / "local_lab"


def pytest_of(plugin: Path) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-rfs", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, str(plugin)],
        cwd=plugin.parent,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["regularizer", "callback", "model", "data"])
def test_a_new_plugin_passes_its_own_tests(tmp_path, kind):
    write_plugin(tmp_path / "my_idea", kind)
    out = pytest_of(tmp_path / "my_idea")
    # manifest and every check but logs (regularizers only); fsdp2 is not declared
    passing = len(CHECKS) - 1 - (kind != "regularizer")
    assert f"{passing} passed, 1 skipped" in out, out


@pytest.mark.slow
def test_a_fault_is_one_sentence_without_a_trace(tmp_path):
    write_plugin(tmp_path / "my_idea")
    code = tmp_path / "my_idea/my_idea.py"
    code.write_text(code.read_text().replace("    def penalty", "    def penaltee"))
    out = pytest_of(tmp_path / "my_idea")
    assert 'logs nothing under "regularizer/…"' in out
    assert "Traceback" not in out
