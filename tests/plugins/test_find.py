import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nnlab
from nnlab.errors import UserError
from nnlab.plugins import find_plugins, search_path

SAMPLES = Path(__file__).parents[1] / "sample_plugin"


def found() -> dict[str, str | None]:
    return {plugin.name: plugin.broken for plugin in find_plugins()}


def in_new_process(code: str, folder: Path) -> str:
    """Run code as `python -m` in that folder, which that puts first in `sys.path`."""
    (folder / "probe.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "probe"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(nnlab.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_without_plugins_none_is_found():
    assert find_plugins() == []


def test_bundled_plugins_are_found(make_plugin, monkeypatch, tmp_path):
    make_plugin("house/my_lab")
    monkeypatch.setattr(
        "nnlab.plugins.find.bundled_plugins_folder", lambda: tmp_path / "house"
    )
    assert [plugin.origin for plugin in find_plugins()] == ["bundled"]


def test_a_named_folder_is_a_plugin_or_holds_plugins(
    make_plugin, monkeypatch, tmp_path
):
    alone = make_plugin("alone", name="alone")
    make_plugin("shelf/one", name="one", files=("conf/data/one.yaml",))
    make_plugin("shelf/two", name="two", files=("conf/data/two.yaml",))
    (tmp_path / "shelf/not_a_plugin").mkdir()
    shelf = tmp_path / "shelf"
    monkeypatch.setenv(
        "NNLAB_PLUGINS", f"{alone}{os.pathsep}{shelf}{os.pathsep}{alone}"
    )
    assert found() == {"alone": None, "one": None, "two": None}
    assert search_path(find_plugins())[0] == ("plugin alone", f"file://{alone}/conf")


def test_a_folder_that_is_not_there_is_a_broken_plugin(monkeypatch, tmp_path):
    monkeypatch.setenv("NNLAB_PLUGINS", str(tmp_path / "gone"))
    assert found() == {
        "gone": f"NNLAB_PLUGINS names {tmp_path}/gone, which is no folder"
    }


def test_a_folder_without_a_plugin_is_a_broken_plugin(monkeypatch, tmp_path):
    (tmp_path / "bare").mkdir()
    monkeypatch.setenv("NNLAB_PLUGINS", str(tmp_path / "bare"))
    line = f"NNLAB_PLUGINS names {tmp_path}/bare, which holds no nnlab-plugin.toml"
    assert found() == {"bare": line}


def test_an_installed_plugin_is_found_without_being_imported(pip_lab):
    assert found() == {"pip_lab": None}
    [plugin] = find_plugins()
    assert (plugin.origin, plugin.folder) == ("installed", pip_lab / "pip_lab")
    assert "pip_lab" not in sys.modules


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("gone_lab", "'gone_lab', and there is no package 'gone_lab'"),
        ("pip_lab.conf", "'pip_lab.conf', a package without nnlab-plugin.toml"),
        ("pip_lab.line", "'pip_lab.line', a package without nnlab-plugin.toml"),
    ],
)
def test_an_entry_point_into_nothing_is_a_broken_plugin(pip_lab, value, line):
    entry = pip_lab / "pip_lab-2.0.dist-info/entry_points.txt"
    entry.write_text(f"[nnlab.plugins]\nmine = {value}\n")
    assert found() == {"mine": f"its entry point names {line}"}
    assert "pip_lab" not in sys.modules


def test_a_plugin_deeper_in_a_package_is_found_without_importing_it(pip_lab):
    (pip_lab / "outer").mkdir()
    (pip_lab / "pip_lab").rename(pip_lab / "outer/pip_lab")
    (pip_lab / "outer/__init__.py").write_text("raise RuntimeError('imported')")
    entry = pip_lab / "pip_lab-2.0.dist-info/entry_points.txt"
    entry.write_text("[nnlab.plugins]\npip_lab = outer.pip_lab\n")
    assert found() == {"pip_lab": None}


def test_installed_plugins_can_be_left_alone(pip_lab, monkeypatch):
    monkeypatch.setenv("NNLAB_PLUGINS_AUTOLOAD", "0")
    assert found() == {}


def test_a_disabled_plugin_is_off(local_lab, pip_lab, monkeypatch):
    monkeypatch.setenv("NNLAB_DISABLE", "pip_lab, other")
    assert found() == {"local_lab": None, "pip_lab": "NNLAB_DISABLE names it"}
    assert [provider for provider, _ in search_path(find_plugins())] == [
        "plugin local_lab"
    ]


def test_the_second_plugin_of_one_name_is_off(make_plugin, monkeypatch):
    first = make_plugin("a")
    second = make_plugin("b", files=("conf/model/other.yaml",))
    monkeypatch.setenv("NNLAB_PLUGINS", f"{first}{os.pathsep}{second}")
    lines = [plugin.broken for plugin in find_plugins()]
    assert lines == [None, f"{first} is called 'my_lab' too"]


def test_one_option_of_two_plugins_names_both(make_plugin, monkeypatch):
    first = make_plugin("a", name="lab_a")
    second = make_plugin("b", name="lab_b")
    monkeypatch.setenv("NNLAB_PLUGINS", f"{first}{os.pathsep}{second}")
    with pytest.raises(UserError) as error:
        find_plugins()
    assert str(error.value) == (
        f"model=tiny is offered by both the plugin lab_a ({first}) and "
        f"the plugin lab_b ({second}); rename one, or set NNLAB_DISABLE=lab_b"
    )
    monkeypatch.setenv("NNLAB_DISABLE", "lab_b")
    assert found() == {"lab_a": None, "lab_b": "NNLAB_DISABLE names it"}


def test_an_option_of_nnlabs_own_cannot_be_taken(make_plugin, monkeypatch):
    folder = make_plugin(files=("conf/model/mlp.yaml",))
    monkeypatch.setenv("NNLAB_PLUGINS", str(folder))
    with pytest.raises(UserError, match=r"model=mlp .* nnlab \(.*the plugin my_lab"):
        find_plugins()


PROBE = """\
import json, sys
opened = []
sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))
from nnlab.plugins import find_plugins
found = [(p.name, p.origin, str(p.folder)) for p in find_plugins() if not p.broken]
print(json.dumps([found, list(sys.modules), opened]))
"""


def test_finding_imports_neither_torch_nor_plugins_and_reads_manifests_alone(
    local_lab, pip_lab, tmp_path, monkeypatch
):
    source = Path(nnlab.__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{source}{os.pathsep}{pip_lab}")
    (tmp_path / "probe.py").write_text(PROBE)
    command = [sys.executable, "-m", "probe"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found, modules, opened = json.loads(done.stdout)
    names = [name for name, _, _ in found]
    assert {*names} >= {"regularizer", "callback", "strategy", "local_lab", "pip_lab"}
    assert {origin for _, origin, _ in found} == {
        "bundled",
        "NNLAB_PLUGINS",
        "installed",
    }
    roots = {name.partition(".")[0] for name in modules}
    assert not roots & {"torch", "lightning", "hydra", "omegaconf", "numpy", "yaml"}
    assert not roots & {"pip_lab", "packaging"}  # the one is a plugin, the other slow
    assert not {"nnlab.ext", "importlib.metadata"} & {*modules}
    for _, _, folder in found:
        inside = [Path(name) for name in opened if name.startswith(f"{folder}/")]
        assert inside == [Path(folder) / "nnlab-plugin.toml"]


def test_the_current_folder_is_never_searched(make_plugin, pip_lab):
    make_plugin("site")
    make_plugin("site/plugins/other", name="other")
    code = "from nnlab.plugins import *\nprint([p.name for p in find_plugins()])"
    names = in_new_process(code, pip_lab)
    assert not any(name in names for name in ("my_lab", "other", "pip_lab"))


@pytest.mark.parametrize("value", ["", os.pathsep, f" {os.pathsep} "])
def test_an_empty_variable_is_not_the_current_folder(value, make_plugin, monkeypatch):
    monkeypatch.chdir(make_plugin())
    monkeypatch.setenv("NNLAB_PLUGINS", value)
    assert found() == {}


@pytest.mark.slow
def test_pip_installs_a_plugin_that_is_found(monkeypatch, tmp_path):
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    source = SAMPLES / "pip_lab"
    where = ["--no-build-isolation", "--target", str(site), str(source)]
    subprocess.run([*pip, *where], check=True)
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    assert found() == {"pip_lab": None}
    [plugin] = find_plugins()
    assert plugin.options() == {
        "model": ["regression"],
        "data": ["line"],
        "experiment": ["regression_line"],
    }
