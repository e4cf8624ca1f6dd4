"""What a plugin's constructor refuses is told with its key, value and plugin."""

import pytest

from nnlab.objection import objection

PLUGIN = {
    "nnlab-plugin.toml": 'api = 1\nname = "lab"\nversion = "0.1"\nsummary = "A lab."\n',
    "conf/callback/waits.yaml": "# @package callback.waits\n# Waits.\n"
    "_target_: nnlab.ext.lab.waits.Waits\nrounds: 3\nsaid: steps\n",
    "waits.py": "from lightning import Callback\n\n\nclass Waits(Callback):\n"
    "    def __init__(self, *, rounds, said):\n        if rounds > 5:\n"
    "            raise ValueError(f'{said} must be at most 5')\n",
}


@pytest.fixture(autouse=True)
def lab(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("plugins") / "lab"
    for name, content in PLUGIN.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    monkeypatch.setenv("NNLAB_PLUGINS", str(folder))


def test_the_key_that_the_plugin_names_is_told_with_its_value(refused):
    given = "callback=[waits] callback.waits.said=rounds callback.waits.rounds=7"
    refused(
        given,
        "callback.waits.rounds=7 of the plugin lab 0.1: rounds must be at most 5",
    )


def test_without_a_key_the_option_and_the_plugin_are_told(refused):
    given = "callback=[waits] callback.waits.rounds=7"
    refused(given, "callback.waits of the plugin lab 0.1: steps must be at most 5")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("model.heads=3 does not divide", "model.heads=3 does not divide"),
        ("heads must divide it\nor so", "model.heads=3: heads must divide it"),
        ("heads and size disagree", "model: heads and size disagree"),
        ("Invalid value", "model: Invalid value"),
        ("", "model: is not accepted"),
    ],
)
def test_of_our_own_the_key_is_told_once(said, wanted):
    told = objection(ValueError(said), dict, {"heads": 3, "size": 4}, "model", [])
    assert told == wanted
