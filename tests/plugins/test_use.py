import importlib

import pytest

from nnlab.errors import UserError
from nnlab.plugins import (
    explain_broken,
    explain_code,
    find_plugins,
    in_use,
    owner,
    trusted_roots,
)


@pytest.fixture
def broken_lab(make_plugin, monkeypatch):
    folder = make_plugin(api=7, packages=["my_package"])
    monkeypatch.setenv("NNLAB_PLUGINS", str(folder))
    return folder


def test_the_owner_of_an_option_is_known(local_lab, pip_lab):
    plugins = find_plugins()
    owners = [
        plugin.name if plugin else None
        for plugin in (
            owner("model", "adaline", plugins),
            owner("data", "line", plugins),
            owner("model", "mlp", plugins),
            owner("data", "adaline", plugins),
        )
    ]
    assert owners == ["local_lab", "pip_lab", None, None]


def test_an_option_of_a_broken_plugin_names_plugin_version_file_and_cause(broken_lab):
    error = explain_broken("model", "tiny", find_plugins())
    assert isinstance(error, UserError)
    assert str(error) == (
        "model=tiny belongs to the plugin my_lab 0.3, which is off: "
        f"api = 7, but nnlab 0.1.0 speaks api = 1 ({broken_lab}/nnlab-plugin.toml)"
    )


def test_other_options_are_not_explained_by_a_broken_plugin(broken_lab):
    (broken_lab / "conf/model/mlp.yaml").write_text("key: 1\n")
    plugins = find_plugins()
    assert explain_broken("model", "nothing", plugins) is None
    assert explain_broken("model", "mlp", plugins) is None


def test_an_option_that_a_working_plugin_offers_too_is_not_broken(
    broken_lab, make_plugin, monkeypatch
):
    working = make_plugin("working", name="working")
    monkeypatch.setenv("NNLAB_PLUGINS", f"{broken_lab}:{working}")
    assert explain_broken("model", "tiny", find_plugins()) is None


def test_only_libraries_of_the_stack_and_working_plugins_are_trusted(
    broken_lab, pip_lab
):
    stack = {"nnlab", "torch", "torchvision", "lightning", "torchmetrics"}
    assert trusted_roots(find_plugins()) == stack | {"pip_lab"}


def test_the_plugins_in_use_are_those_whose_options_were_chosen(local_lab, pip_lab):
    plugins = find_plugins()
    choices = {"model": "mlp", "data@_global_.data": "line", "experiment": None}
    [used] = in_use(plugins, choices)
    assert (used["name"], used["version"]) == ("pip_lab", "2.0")
    assert len(used["hash"]) == 64
    assert in_use(plugins, {"model": "mlp", "data": "xor", "regularizer": []}) == []


def test_an_option_among_several_counts_as_chosen(make_plugin, monkeypatch):
    folder = make_plugin(files=("conf/regularizer/shrink.yaml",))
    monkeypatch.setenv("NNLAB_PLUGINS", str(folder))
    used = in_use(find_plugins(), {"regularizer": ["l1", "shrink"]})
    assert [each["name"] for each in used] == ["my_lab"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 +", "SyntaxError: invalid syntax"),
        (
            "import no_such_thing",
            "ModuleNotFoundError: No module named 'no_such_thing'",
        ),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_code_that_fails_names_the_plugin_and_its_line(
    make_plugin, monkeypatch, code, said
):
    folder = make_plugin()
    (folder / "code.py").write_text(f"\n{code}\n")
    monkeypatch.setenv("NNLAB_PLUGINS", str(folder))
    with pytest.raises((SyntaxError, ImportError, ZeroDivisionError)) as caught:
        importlib.import_module("nnlab.ext.my_lab.code")
    error = explain_code("nnlab.ext.my_lab.code.Net", caught.value, find_plugins())
    assert str(error).startswith(
        "nnlab.ext.my_lab.code.Net of the plugin my_lab 0.3 cannot be imported: "
    )
    assert said in str(error)
    assert f"({folder}/code.py:2)" in str(error)


def test_code_of_nnlabs_own_is_not_blamed_on_a_plugin(local_lab):
    cause = ImportError("cause")
    assert explain_code("nnlab.ext.local_lab_2.Net", cause, find_plugins()) is None
    assert explain_code("nnlab.model.mlp.MLP", cause, find_plugins()) is None
