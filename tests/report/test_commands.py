import json

import pytest
import yaml

from nnlab.report.commands import next_commands
from nnlab.report.run_reading import RunReading


def test_a_folder_below_here_is_named_from_here(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = next_commands(RunReading(folder))
    place = "outputs/mlp_xor/2026-01-02_03-04-05-000006"
    assert commands["test it again"] == f"nnlab test run={place}"
    assert commands["train it longer"] == f"nnlab resume={place} trainer.max_epochs=20"
    assert commands["watch its curves"] == f"tensorboard --logdir {place}"


def test_what_ended_by_its_steps_gets_more_of_them(folder):
    config = folder / "config.yaml"
    content = yaml.safe_load(config.read_text())
    content["trainer"] |= {"max_steps": 800}
    config.write_text(yaml.safe_dump(content))
    result = folder / "result.json"
    for steps, more in ((800, "max_steps=1600"), (60, "max_epochs=20")):
        told = json.loads(result.read_text()) | {"steps": steps}
        result.write_text(json.dumps(told))
        said = next_commands(RunReading(folder))["train it longer"]
        assert said.endswith(f" trainer.{more}")


def test_a_model_of_text_is_heard(folder):
    assert "let it speak" not in next_commands(RunReading(folder))
    with (folder / "config.yaml").open("a") as config:
        config.write("tokenizer: {_target_: nnlab.tokenizer.char.Char}\n")
    said = next_commands(RunReading(folder))["let it speak"]
    assert said.startswith("nnlab generate run=")


def test_a_run_that_was_interrupted_goes_on(folder):
    (folder / "status.json").write_text(json.dumps({"status": "interrupted"}))
    assert next_commands(RunReading(folder))["go on with it"].startswith(
        "nnlab resume="
    )


def test_a_run_without_a_checkpoint_can_only_be_run_again(failed_folder):
    assert next_commands(RunReading(failed_folder)) == {"run the same again": "nnlab"}


@pytest.mark.parametrize("name", ["two words", "a=b,c", "it's"])
def test_a_name_with_a_meaning_is_quoted_for_shell_and_hydra(tmp_path, name):
    import shlex

    from hydra.core.override_parser.overrides_parser import OverridesParser

    folder = tmp_path / name
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints/last.ckpt").touch()
    command = next_commands(RunReading(folder))["go on with it"]
    _, override = shlex.split(command)
    parsed = OverridesParser.create().parse_override(override)
    assert parsed.value() == str(folder)
