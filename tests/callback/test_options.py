"""The options as a whole: they compose together, and `default` repeats no number."""

import json
from pathlib import Path

import pytest
import yaml

from nnlab.home import bundled_plugins_folder, conf_folder
from nnlab.plugins import find_plugins

PLUGIN = bundled_plugins_folder() / "callback/conf/callback"
FILES = sorted([*PLUGIN.glob("*.yaml"), *(conf_folder() / "callback").glob("*.yaml")])
ONE = [file for file in FILES if file.stem != "default"]


def test_the_plugin_is_whole():
    [plugin] = [each for each in find_plugins() if each.name == "callback"]
    assert plugin.broken is None


@pytest.mark.parametrize("file", ONE, ids=lambda file: file.stem)
def test_an_option_is_headed_by_its_name(file):
    first, second, *_ = file.read_text().splitlines()
    assert first == f"# @package callback.{file.stem}"
    assert second.startswith("# ")
    assert len(second) <= 67


def test_default_is_made_of_options_as_they_are():
    parts = yaml.safe_load((PLUGIN / "default.yaml").read_text())
    files = {file.stem: file for file in FILES}
    for name, part in parts.items():
        assert part == yaml.safe_load(files[name].read_text()), name


def test_default_goes_with_its_own_parts_and_others(nnlab):
    words = ("data.repeats=5", "trainer.max_epochs=1", "pictures=0", "logger=[]")
    chosen = "callback=[default,ema,lr_monitor,memory]"
    more = ("callback.memory._target_=nnlab.ext.callback.memory.Memory", "folder=run")
    answer = nnlab(*words, chosen, "callback.nan_guard.gradients=false", *more)
    assert answer.status == 0, answer.err
    config = yaml.safe_load(Path("run/config.yaml").read_text())
    assert {"nan_guard", "throughput", "memory", "ema"} <= {*config["callback"]}
    used = json.loads(Path("run/environment.json").read_text())["plugins"]
    assert [plugin["name"] for plugin in used] == ["callback"]
