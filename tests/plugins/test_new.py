import ast
import os
from pathlib import Path

import pytest
import yaml

from nnlab.catalog import describe
from nnlab.errors import UserError
from nnlab.plugins import GROUPS, find_plugins
from nnlab.plugins.manifest import read_plugin
from nnlab.plugins.new import KIND, TEMPLATE, write_plugin


def contents(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("kind", GROUPS)
def test_a_new_plugin_of_each_kind_is_whole(tmp_path, kind):
    place = tmp_path / "my_idea"
    files = write_plugin(place, kind)
    assert all((place / file).is_file() for file in files)
    plugin = read_plugin(place, "NNLAB_PLUGINS")
    assert plugin.broken is None
    assert (plugin.name, plugin.options()) == ("my_idea", {kind: ["my_idea"]})
    option = place / f"conf/{kind}/my_idea.yaml"
    assert 0 < len(describe(option)) <= 65
    assert yaml.safe_load(option.read_text())
    for code in place.glob("*.py"):
        ast.parse(code.read_text())
    text = "".join((place / file).read_text() for file in files)
    for word in ("my_plugin", "MyPlugin", "KIND", "CHOICE", "FILES"):
        assert word not in text


def test_a_model_is_code_config_and_test_of_one_name(tmp_path):
    files = {str(file) for file in write_plugin(tmp_path / "my_model", "model")}
    assert files >= {"my_model.py", "conf/model/my_model.yaml", "test_my_model.py"}
    test = (tmp_path / "my_model/test_my_model.py").read_text().splitlines()
    code = [line for line in test if line and not line.startswith('"""')]
    assert code == [
        "from nnlab.testing import conformance",
        "TestMyModel = conformance(__file__)",
    ]


def test_a_target_names_the_class_in_the_file(tmp_path):
    for kind in GROUPS:
        name = f"my_{kind}"
        write_plugin(tmp_path / name, kind)
        text = (tmp_path / name / f"conf/{kind}/{name}.yaml").read_text()
        code = tmp_path / name / f"{name}.py"
        assert code.is_file() == ("_target_" in text)
        if code.is_file():
            cls = "".join(part.capitalize() for part in name.split("_"))
            assert f"_target_: nnlab.ext.{name}.{name}.{cls}\n" in text
            assert f"\nclass {cls}(" in code.read_text()


def test_every_kind_has_a_template():
    folders = {path.name for path in TEMPLATE.iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} == {*GROUPS}
    assert KIND in GROUPS


def test_a_new_plugin_is_found(tmp_path, monkeypatch):
    write_plugin(tmp_path / "shelf/my_idea")
    monkeypatch.setenv("NNLAB_PLUGINS", str(tmp_path / "shelf"))
    assert [(p.name, p.broken) for p in find_plugins()] == [("my_idea", None)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My-Plugin", "'My-Plugin' cannot be a plugin's name"),
        ("my plugin", "try my_plugin"),
        ("2nd", "small letters, digits and _; try my_plugin"),
        ("class", "'class' cannot be a plugin's name"),
        ("_mine", "try mine"),
        ("Größe", "try my_plugin"),
        ("random", "'random' is a module's name already"),
        ("torch", "would hide from the plugin's tests; try my_torch"),
        ("", "cannot be a plugin's name"),
    ],
)
def test_a_bad_name_is_refused_with_a_better_one(tmp_path, name, said):
    before = contents(tmp_path)
    with pytest.raises(UserError) as error:
        write_plugin(Path(f"{tmp_path}/{name}/") if name else Path())
    assert said in str(error.value)
    assert contents(tmp_path) == before


def test_an_option_that_is_there_already_is_refused_with_its_owner(
    tmp_path, make_plugin, monkeypatch
):
    with pytest.raises(UserError, match="model=mlp is nnlab's own already; try my_mlp"):
        write_plugin(tmp_path / "mlp", "model")
    taken = make_plugin("taken", name="taken", files=("conf/model/tiny.yaml",))
    monkeypatch.setenv("NNLAB_PLUGINS", str(taken))
    with pytest.raises(UserError, match="model=tiny is the plugin taken's already"):
        write_plugin(tmp_path / "tiny", "model")
    with pytest.raises(UserError, match="there is a plugin called taken already"):
        write_plugin(tmp_path / "elsewhere/taken", "data")
    write_plugin(tmp_path / "tiny", "data")  # another group's


def test_an_unknown_kind_is_refused_with_what_was_meant(tmp_path):
    with pytest.raises(UserError, match=r"kind=regulariser is none .* regularizer"):
        write_plugin(tmp_path / "mine", "regulariser")


@pytest.mark.parametrize("what", ["folder", "file", "dangling link"])
def test_what_is_there_is_never_touched(tmp_path, what):
    place = tmp_path / "mine"
    if what == "folder":
        place.mkdir()
    elif what == "file":
        place.write_text("dear")
    else:
        place.symlink_to(tmp_path / "gone")
    with pytest.raises(UserError, match="is there already; give another name"):
        write_plugin(place)
    assert contents(tmp_path) == {"mine", "no_plugins"}


@pytest.mark.parametrize(
    "fault", [OSError(28, "No space left on device"), KeyboardInterrupt()]
)
def test_nothing_half_written_stays(tmp_path, monkeypatch, fault):
    written = 0

    def write_text(path: Path, text: str, **keywords: str) -> int:
        nonlocal written
        written += 1
        if written == 3:
            raise fault
        with path.open("w", **keywords) as file:
            return file.write(text)

    monkeypatch.setattr(Path, "write_text", write_text)
    with pytest.raises((UserError, KeyboardInterrupt)) as error:
        write_plugin(tmp_path / "deep/deeper/mine")
    assert written == 3
    if isinstance(fault, OSError):
        assert str(error.value).endswith("cannot be written: No space left on device")
    assert contents(tmp_path) == {"no_plugins"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot be written to; give another folder"):
        write_plugin(tmp_path / "mine")
    tmp_path.chmod(0o700)
