"""What is off: because the user says so, or because it is broken."""

import os

import pytest

from nnlab.catalog import plugin_info, plugins_table
from nnlab.errors import UserError
from nnlab.plugins import complaints, explain_broken, find_plugins
from nnlab.verbs import VERBS


def test_a_chosen_option_of_a_disabled_plugin_is_one_sentence(local_lab, monkeypatch):
    monkeypatch.setenv("NNLAB_DISABLE", "local_lab")
    error = explain_broken("model", "adaline", find_plugins())
    assert str(error) == (
        "model=adaline belongs to the plugin local_lab 1.0, which is off: "
        "NNLAB_DISABLE names it"
    )


def test_a_chosen_option_that_autoload_leaves_alone_is_one_sentence(
    pip_lab, monkeypatch
):
    monkeypatch.setenv("NNLAB_PLUGINS_AUTOLOAD", "0")
    plugins = find_plugins()
    assert plugins == []
    assert str(explain_broken("model", "regression", plugins)) == (
        "model=regression belongs to the plugin pip_lab 2.0, which is off: "
        "NNLAB_PLUGINS_AUTOLOAD=0 leaves installed plugins alone"
    )
    assert "off: NNLAB_PLUGINS_AUTOLOAD=0 leaves" in plugins_table()
    assert "NNLAB_PLUGINS_AUTOLOAD=0" in plugin_info("pip_lab")


def test_without_autoload_bundled_and_named_plugins_stay(
    local_lab, pip_lab, make_plugin, monkeypatch, tmp_path
):
    make_plugin("no_plugins/bundled", name="bundled")
    monkeypatch.setenv("NNLAB_PLUGINS_AUTOLOAD", "0")
    assert [plugin.name for plugin in find_plugins()] == ["bundled", "local_lab"]


@pytest.mark.parametrize("value", ["no", "off", "false", "2"])
def test_autoload_is_yes_or_no(monkeypatch, value):
    monkeypatch.setenv("NNLAB_PLUGINS_AUTOLOAD", value)
    with pytest.raises(UserError, match=f"NNLAB_PLUGINS_AUTOLOAD={value} must be 0 or"):
        find_plugins()


def test_a_broken_plugin_complains_in_one_line_and_a_disabled_one_does_not(
    make_plugin, local_lab, monkeypatch
):
    broken = make_plugin(api=7)
    monkeypatch.setenv("NNLAB_PLUGINS", f"{local_lab}{os.pathsep}{broken}")
    monkeypatch.setenv("NNLAB_DISABLE", "local_lab")
    assert complaints(find_plugins()) == [
        "the plugin my_lab 0.3 is off: api = 7, but nnlab 0.1.0 speaks api = 1 "
        f"({broken}/nnlab-plugin.toml)"
    ]


def test_disabling_what_is_not_there_is_a_line(local_lab, monkeypatch):
    monkeypatch.setenv("NNLAB_DISABLE", "local_lap,")
    assert complaints(find_plugins()) == [
        "NNLAB_DISABLE names 'local_lap', which is no plugin; did you mean local_lab?"
    ]


def test_a_run_says_which_plugin_is_off_and_goes_on(make_plugin, monkeypatch, capfd):
    monkeypatch.setenv("NNLAB_PLUGINS", str(make_plugin(api=7)))
    assert VERBS["train"](["--cfg", "job"]) == 0
    out, err = capfd.readouterr()
    assert err.startswith("nnlab: the plugin my_lab 0.3 is off: api = 7")
    assert err.count("\n") == 1
    assert "_target_: nnlab.model.mlp.MLP" in out
