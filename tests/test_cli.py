"""The command line: quick answers, the same from anywhere, plugins included."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnlab.cli import split_verb
from nnlab.errors import UserError
from nnlab.verbs import VERBS

SAMPLES = Path(__file__).parent / "sample_plugin"
QUICK = ("trainer.max_epochs=1", "pictures=0", "logger=[]")

# One process for all of them: each answers without what only a run needs.
LIGHT = """\
import sys
from nnlab.cli import main
commands = [["--help"], ["list"], ["list", "models"], ["plugins"], ["--version"],
            ["--cfg", "job"], ["model=lenet5", "--help"], ["--info", "searchpath"],
            ["optimizer=adma"]]
for words in commands:
    assert main(words) == (2 if words == ["optimizer=adma"] else 0), words
    heavy = {"torch", "lightning", "matplotlib", "torchvision"} & sys.modules.keys()
    assert not heavy, (words, heavy)
"""


def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_no_run_imports_nothing_heavy():
    done = call(sys.executable, "-c", LIGHT)
    assert done.returncode == 0, done.stderr


def test_the_module_and_the_script_are_one_command():
    script = Path(sys.executable).with_name("nnlab")
    if not script.is_file():
        pytest.skip("nnlab is not installed here, its source is on the path")
    answers = [call(*c, "list") for c in ([script], [sys.executable, "-m", "nnlab"])]
    assert answers[0].returncode == answers[1].returncode == 0
    assert answers[0].stdout == answers[1].stdout != ""


def test_completion_answers_what_can_follow():
    asked = {"COMP_LINE": "nnlab model=l", "COMP_POINT": "13"}
    done = call(sys.executable, "-m", "nnlab", "-sc", "query=bash", **asked)
    assert done.returncode == 0, done.stderr
    assert "model=lenet5" in done.stdout.split()


def test_cfg_shows_the_composed_job(nnlab, tmp_path):
    answer = nnlab("model=lenet5", "--cfg", "job")
    assert answer.status == 0
    assert "_target_: nnlab.model.lenet5.LeNet5" in answer.out
    assert "_target_: nnlab.data.mnist.MNIST" in answer.out, "the model brings it"
    part = nnlab("--cfg", "job", "--package", "optimizer", "optimizer.lr=0.25")
    assert "lr: 0.25" in part.out
    assert "hidden_sizes" not in part.out
    assert list(tmp_path.iterdir()) == []


def test_help_names_every_group_and_verb(nnlab):
    answer = nnlab("--help")
    assert answer.status == 0
    for word in ("model", "data", "optimizer", "experiment", "resume=", "test run="):
        assert word in answer.out


def test_a_key_left_at_its_default_needs_no_plus(nnlab):
    answer = nnlab("trainer.gradient_clip_val=1", "folder=run", *QUICK)
    assert answer.status == 0, answer.err
    config = Path("run/config.yaml").read_text()
    assert "gradient_clip_val: 1\n" in config


def test_a_group_that_takes_several_may_have_none(nnlab):
    answer = nnlab("callback=null", "folder=run", *QUICK)
    assert answer.status == 0, answer.err


def test_the_trace_of_a_mistake_is_shown_on_demand(nnlab, monkeypatch):
    assert "Traceback" not in nnlab("optimizer.lr=nan").err
    monkeypatch.setenv("NNLAB_TRACEBACK", "1")
    answer = nnlab("optimizer.lr=nan")
    assert answer.status == 2
    assert "Traceback" in answer.err
    assert "check_value" in answer.err


def test_a_command_works_in_a_folder_full_of_other_things(nnlab, tmp_path):
    for name in ("conf", "model", "outputs"):
        (tmp_path / name).mkdir()
    (tmp_path / "conf/config.yaml").write_text("nonsense: 1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    answer = nnlab("folder=run", *QUICK)
    assert answer.status == 0, answer.err


@pytest.mark.parametrize(
    "words", [[], ["model=mlp"], ["-m", "seed=1,2"], ["~reference"]]
)
def test_without_a_verb_it_trains(words):
    assert split_verb(words) == ("train", words)


def test_the_first_word_may_be_a_verb():
    assert split_verb(["test", "run=x"]) == ("test", ["run=x"])
    with pytest.raises(UserError, match="did you mean list"):
        split_verb(["lists"])


@pytest.fixture
def local_lab(monkeypatch) -> None:
    monkeypatch.setenv("NNLAB_PLUGINS", str(SAMPLES / "local_lab"))


def result() -> dict:
    return json.loads(Path("run/result.json").read_text())


def used() -> list[str]:
    plugins = json.loads(Path("run/environment.json").read_text())["plugins"]
    return [plugin["name"] for plugin in plugins]


def test_a_plugins_model_and_data_run_and_are_on_record(local_lab, nnlab):
    answer = nnlab("experiment=adaline_moons", "folder=run", "pictures=0", "logger=[]")
    assert answer.status == 0, answer.err
    assert (result()["model"], result()["data"]) == ("adaline", "moons")
    assert result()["metrics"]["test/accuracy"] > 0.8, "a line tells most moons apart"
    assert used() == ["local_lab"]
    again = nnlab("test", "run=run")
    assert again.status == 0, again.err


def test_a_plugins_data_serve_a_model_of_ours(local_lab, nnlab):
    answer = nnlab("data=moons", "folder=run", *QUICK)
    assert answer.status == 0, answer.err
    assert (result()["model"], result()["data"]) == ("mlp", "moons")
    assert used() == ["local_lab"]


def test_an_unused_plugin_is_on_no_record(local_lab, nnlab):
    assert nnlab("folder=run", *QUICK).status == 0
    assert used() == []


def test_a_regularizer_of_a_list_is_on_record(nnlab, monkeypatch, tmp_path_factory):
    lab = tmp_path_factory.mktemp("plugin") / "quiet_lab"
    (lab / "conf/callback").mkdir(parents=True)
    (lab / "nnlab-plugin.toml").write_text(
        'api = 1\nname = "quiet_lab"\nversion = "1"\nsummary = "A timer."\n'
    )
    (lab / "conf/callback/timer.yaml").write_text(
        "# @package callback.timer\n# Times.\n"
        "_target_: lightning.pytorch.callbacks.Timer\n"
    )
    monkeypatch.setenv("NNLAB_PLUGINS", str(lab))
    answer = nnlab("callback=[timer]", "folder=run", *QUICK)
    assert answer.status == 0, answer.err
    assert used() == ["quiet_lab"]


def test_a_plugin_that_pip_installed_runs(nnlab, tmp_path):
    site = tmp_path / "site"
    information = site / "pip_lab-2.0.dist-info"
    information.mkdir(parents=True)
    (site / "pip_lab").symlink_to(SAMPLES / "pip_lab/src/pip_lab")
    metadata = "Metadata-Version: 2.1\nName: pip-lab\nVersion: 2.0\n"
    (information / "METADATA").write_text(metadata)
    (information / "entry_points.txt").write_text(
        "[nnlab.plugins]\npip_lab = pip_lab\n"
    )
    process = os.fork()  # which imports it, so that this process does not
    if process == 0:
        status = 99
        try:
            sys.path.append(str(site))
            from nnlab.cli import main

            words = ("experiment=regression_line", "pictures=0", "logger=[]")
            status = main([*words, "folder=run"])
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert result()["model"] == "regression"
    assert used() == ["pip_lab"]


def test_the_help_names_every_verb(nnlab):
    said = nnlab("--help").out
    for verb in VERBS:
        assert f"nnlab {verb}" in said or f"nnlab [{verb}]" in said
    lines = said.partition("callback: ")[0].splitlines()
    lines += [line for line in said.splitlines() if line.startswith("==")]
    assert all(len(line) <= 80 for line in lines)


def test_the_help_does_not_read_as_if_its_examples_were_chosen(nnlab):
    said = nnlab("model=gpt", "--help").out
    assert "add what you want, as in nnlab model=lenet5 data=digits" in said
    assert "(model=lenet5" not in said
