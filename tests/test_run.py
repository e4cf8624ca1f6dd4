"""The main job: from one command to a finished run's folder."""

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from nnlab.build import build_model
from nnlab.cli import main

QUICK = ("trainer.max_epochs=2", "data.repeats=5", "pictures=0", "logger=[]")
FILES = {  # of design.md, "A run's folder"
    "config.yaml",
    "overrides.txt",
    "status.json",
    "environment.json",
    "metrics.jsonl",
    "result.json",
    "checkpoints/best.ckpt",
    "checkpoints/last.ckpt",
    "figures/decision_boundary.png",
    "report.html",
    "log.txt",
}


def load(folder: str | Path, name: str = "result.json"):
    return json.loads(Path(folder, name).read_text(encoding="utf-8"))


def weights(folder: str) -> dict[str, torch.Tensor]:
    file = Path(folder, "checkpoints/last.ckpt")
    return torch.load(file, weights_only=True)["state_dict"]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one | other)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """Return the folder of the experiment that a newcomer is shown first."""
    folder = tmp_path_factory.mktemp("runs") / "mlp_xor"
    assert main(["experiment=mlp_xor", "pictures=2", f"folder={folder}"]) == 0
    return folder


def test_the_folder_holds_what_the_design_promises_and_no_more(finished):
    found = {str(f.relative_to(finished)) for f in finished.rglob("*") if f.is_file()}
    board = {name for name in found if name.startswith("tensorboard/")}
    pictures = {name for name in found if name.startswith("figures/over_training/")}
    assert found - board - pictures - {".lock"} == FILES
    assert any("tfevents" in name for name in board)
    assert len(pictures) == 2, "pictures=2"


def test_xor_is_learned_and_the_reference_is_judged(finished):
    result = load(finished)
    assert result["metrics"]["test/accuracy"] == 1.0
    reference = result["reference"]
    assert reference["reached"] == 1.0
    assert reference["met"] is True
    assert reference["published"] == 1.0


def test_the_result_says_what_was_run(finished):
    result = load(finished)
    assert (result["model"], result["data"]) == ("mlp", "xor")
    assert result["experiment"] == "mlp_xor"
    assert result["seed"] == 0
    assert result["parameters"] == (2 + 1) * 8 + (8 + 1) * 2
    assert result["steps"] == 5 * 100
    assert result["epochs"] == 5
    assert load(finished, "status.json") == {"status": "complete", "cause": None}
    assert finished.joinpath("overrides.txt").read_text().splitlines() == [
        "experiment=mlp_xor",
        "pictures=2",
        f"folder={finished}",
    ]


def test_the_environment_is_on_record(finished):
    environment = load(finished, "environment.json")
    assert environment["torch"] == torch.__version__.split("+")[0]
    assert environment["python"] == sys.version.split()[0]
    assert environment["hardware"]["cpus"] >= 1
    assert environment["plugins"] == []


def test_the_config_is_resolved_and_its_facts_are_filled(finished):
    text = finished.joinpath("config.yaml").read_text()
    assert "???" not in text
    assert "${" not in text
    config = yaml.safe_load(text)
    assert config["model"]["input_size"] == 2
    assert config["model"]["classes"] == 2
    assert config["choices"]["optimizer"] == "adam"


def test_metrics_are_written_at_true_steps(finished):
    lines = finished.joinpath("metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    trained = [row["step"] for row in rows if "train/loss" in row]
    validated = [row["step"] for row in rows if "val/loss" in row]
    tested = [row["step"] for row in rows if "test/loss" in row]
    assert trained == list(range(50, 501, 50)), "every 50 steps, of 100 an epoch"
    assert validated == [100, 200, 300, 400, 500]
    assert tested == [500]
    assert rows[-1]["test/accuracy"] == load(finished)["metrics"]["test/accuracy"]


def test_checkpoints_are_tensors_and_plain_data_with_the_model_inside(finished):
    for name in ("best", "last"):
        file = finished / f"checkpoints/{name}.ckpt"
        content = torch.load(file, weights_only=True)
        model = build_model(content["nnlab"]["config"], ())
        model.load_state_dict(content["state_dict"])
        table = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
        assert model(table).argmax(dim=1).tolist() == [0, 1, 1, 0]


def test_a_test_says_the_very_metrics_of_the_end(finished, nnlab, tmp_path):
    answer = nnlab("test", f"run={finished}")
    assert answer.status == 0, answer.err
    words = answer.out.split()
    for name, value in load(finished)["metrics"].items():
        assert words[words.index(name) + 1] == f"{value:.6g}"
    assert list(tmp_path.iterdir()) == [], "a test writes nothing"


def test_a_part_that_was_tested_is_tested_again(nnlab):
    words = ("model=mlp", "data=digits", "trainer.max_epochs=1", "pictures=0")
    words += ("data.evaluation_batch_size=100",)
    assert nnlab(*words, "folder=whole").status == 0
    limit = "trainer.limit_test_batches=1"
    assert nnlab(*words, limit, "folder=part").status == 0
    loss = load("part")["metrics"]["test/loss"]
    assert loss != load("whole")["metrics"]["test/loss"]
    said = nnlab("test", "run=part").out.split()
    assert said[said.index("test/loss") + 1] == f"{loss:.6g}"


def test_a_test_takes_other_data_of_the_same_kind(finished, nnlab):
    answer = nnlab("test", f"run={finished}", "data.function=nand")
    assert answer.status == 0, answer.err
    words = answer.out.split()
    accuracy = float(words[words.index("test/accuracy") + 1])
    assert accuracy == 0.75, "xor and nand differ in one row of four: 0, 0"


def test_a_test_refuses_data_that_the_model_was_not_made_for(finished, nnlab):
    for word in ("data=digits", "data.bits=3"):
        answer = nnlab("test", f"run={finished}", word)
        assert answer.status == 2
        assert "was made for" in answer.err
        assert answer.err.count("\n") == 1


def test_the_terminal_shows_the_result_and_what_to_do_next(nnlab):
    answer = nnlab("experiment=mlp_xor", "pictures=0", "logger=[]", "folder=run")
    assert answer.status == 0
    assert "accuracy" in answer.out
    for word in ("100.00 %", "published", "target", "reached", "nnlab test run=run"):
        assert word in answer.out
    assert answer.err == ""


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(nnlab):
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        words = (*QUICK, "model.dropout=0.3", f"seed={seed}", f"folder={folder}")
        assert nnlab(*words).status == 0
    assert same(weights("a"), weights("b"))
    assert not same(weights("a"), weights("c"))
    texts = [Path(folder, "metrics.jsonl").read_text() for folder in "abc"]
    assert texts[0] == texts[1] != texts[2]
    assert load("a")["seed"] == 0, "0 is a seed like any other"


def test_deterministic_gives_the_bits_of_itself_and_does_not_stay(nnlab):
    words = (*QUICK, "deterministic=true")
    assert nnlab(*words, "folder=a").status == 0
    assert nnlab(*words, "folder=b").status == 0
    assert same(weights("a"), weights("b"))


def test_a_folder_is_named_by_model_data_and_time(nnlab, tmp_path):
    assert nnlab(*QUICK).status == 0
    assert nnlab(*QUICK).status == 0
    runs = sorted((tmp_path / "outputs/mlp_xor").iterdir())
    assert len(runs) == 2
    assert all(len(run.name) == len("2026-01-02_03-04-05.000006") for run in runs)


BROKEN_MODEL = """\
from nnlab.model.mlp import MLP


class Broken(MLP):
    seen = 0

    def training_step(self, batch, batch_idx):
        self.seen += 1
        if self.seen == 3:
            raise RuntimeError("the third batch was one too many\\nfor this model")
        return super().training_step(batch, batch_idx)
"""


@pytest.fixture
def broken_model(tmp_path_factory, monkeypatch) -> None:
    """Offer model=broken, which passes every check and fails at the third batch."""
    plugin = tmp_path_factory.mktemp("plugin") / "broken_lab"
    (plugin / "conf/model").mkdir(parents=True)
    (plugin / "broken_model.py").write_text(BROKEN_MODEL)
    (plugin / "__init__.py").write_text("")
    manifest = 'api = 1\nname = "broken_lab"\nversion = "1"\nsummary = "It breaks."\n'
    (plugin / "nnlab-plugin.toml").write_text(manifest)
    (plugin / "conf/model/broken.yaml").write_text(
        "# @package _global_\n# Breaks at the third batch.\n"
        "model:\n"
        "  _target_: nnlab.ext.broken_lab.broken_model.Broken\n"
        "  input_size: ???\n"
        "  classes: ???\n"
        "  hidden_sizes: [2]\n"
        "  activation: tanh\n"
        "  dropout: 0.0\n"
        "  loss: cross_entropy\n"
        "  initial_weights: default\n"
    )
    monkeypatch.setenv("NNLAB_PLUGINS", str(plugin))


def test_a_failing_run_says_so_in_one_line_and_keeps_the_story(broken_model, nnlab):
    answer = nnlab("model=broken", *QUICK, "folder=run")
    assert answer.status == 1
    cause = "RuntimeError: the third batch was one too many"
    assert answer.err == (f"nnlab: the run failed: {cause}; run/log.txt tells where\n")
    assert load("run", "status.json") == {"status": "failed", "cause": cause}
    story = Path("run/log.txt").read_text()
    assert "Traceback" in story
    assert "self.seen == 3" in story or "broken_model.py" in story
    assert not Path("run/result.json").exists()
    [plugin] = load("run", "environment.json")["plugins"]
    assert plugin["name"] == "broken_lab"


def test_the_trace_of_a_failing_run_is_shown_on_demand(
    broken_model, nnlab, monkeypatch
):
    monkeypatch.setenv("NNLAB_TRACEBACK", "1")
    answer = nnlab("model=broken", *QUICK, "folder=run")
    assert answer.status == 1
    assert "Traceback" in answer.err
    assert "broken_model.py" in answer.err


def test_a_secret_given_to_a_run_is_on_no_record(nnlab, monkeypatch, tmp_path):
    monkeypatch.setenv("NNLAB_TEST_TOKEN", "sesame-open")
    words = (*QUICK, "+api_key=${oc.env:NNLAB_TEST_TOKEN}", "folder=run")
    assert nnlab(*words).status == 0
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"sesame-open" not in file.read_bytes(), file


def test_the_processors_time_is_counted_once_and_over_all_parts_of_a_run(
    nnlab, monkeypatch
):
    ticks = itertools.count()  # a second each time that the clock is looked at
    monkeypatch.setattr(time, "process_time", lambda: float(next(ticks)))
    assert nnlab("folder=run", *QUICK).status == 0
    first = load("run")["processor_seconds"]
    assert 2 <= first <= next(ticks)
    assert nnlab("resume=run", "trainer.max_epochs=3").status == 0
    assert first < load("run")["processor_seconds"] <= next(ticks)


def test_max_steps_counts_optimizer_steps(nnlab):
    words = ("trainer.max_steps=7", "trainer.max_epochs=-1", "data.repeats=5")
    more = ("trainer.accumulate_grad_batches=2", "pictures=0", "logger=[]")
    assert nnlab(*words, *more, "folder=run").status == 0
    assert load("run")["steps"] == 7


@pytest.mark.slow
def test_the_first_command_takes_seconds(tmp_path):
    command = [sys.executable, "-m", "nnlab"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    [run] = (tmp_path / "outputs/mlp_xor").iterdir()
    assert load(run)["metrics"]["test/accuracy"] == 1.0
    assert load(run)["seconds"] < 10
