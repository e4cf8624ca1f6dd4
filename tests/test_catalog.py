import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nnlab
from nnlab.catalog import (
    catalog,
    describe,
    list_groups,
    options,
    plugin_info,
    plugins_table,
)
from nnlab.errors import UserError
from nnlab.home import conf_folder

SAMPLE = Path(__file__).parent / "sample_plugin/local_lab"


@pytest.fixture(autouse=True)
def _only_the_sample(monkeypatch, tmp_path):
    """One plugin, and a line of 80 columns wherever the tests run."""
    monkeypatch.setattr("nnlab.plugins.find.bundled_plugins_folder", lambda: tmp_path)
    monkeypatch.setenv("NNLAB_PLUGINS", str(SAMPLE))
    monkeypatch.setenv("NNLAB_PLUGINS_AUTOLOAD", "0")
    monkeypatch.delenv("NNLAB_DISABLE", raising=False)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def broken_lab(monkeypatch, tmp_path) -> Path:
    folder = tmp_path / "elsewhere/broken_lab"
    folder.mkdir(parents=True)
    (folder / "nnlab-plugin.toml").write_text("api = 2\n")
    (folder / "conf/model").mkdir(parents=True)
    (folder / "conf/model/ghost.yaml").write_text("# Never to be listed.\n")
    monkeypatch.setenv("NNLAB_PLUGINS", f"{SAMPLE}{os.pathsep}{folder}")
    return folder


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("# @package _global_\n# A model.\nkey: 1\n", "A model."),
        ("# A data set.\n# More of it.\n", "A data set."),
        ("\n#\n# After nothing.\n", "After nothing."),
        ("key: 1\n# Too late.\n", ""),
        ("# @package trainer\nkey: 1\n", ""),
        ("", ""),
    ],
)
def test_an_options_line_is_its_files_first_comment(tmp_path, content, line):
    file = tmp_path / "option.yaml"
    file.write_text(content)
    assert describe(file) == line


def test_every_option_of_every_group_is_listed():
    files = {
        (path.parent.name, path.stem)
        for conf in (conf_folder(), SAMPLE / "conf")
        for path in conf.glob("*/*.yaml")
        if path.parent.name != "hydra"
    }
    listed = {
        (group, option.name)
        for group, found in list_groups().items()
        for option in found
    }
    assert listed == files


def test_the_overview_counts_each_group():
    lines = catalog().splitlines()
    [line] = [line for line in lines if line.startswith("data ")]
    assert f" {len(options('data'))}  " in line
    assert "moons" in {option.name for option in options("data")}
    assert not any(line.startswith("hydra") for line in lines)


@pytest.mark.parametrize(
    ("word", "group"),
    [
        ("models", "model"),
        ("model", "model"),
        ("data", "data"),
        ("datasets", "data"),
        ("experiments", "experiment"),
        ("optimizers", "optimizer"),
        ("strategies", "strategy"),
    ],
)
def test_a_group_is_listed_by_singular_and_plural(word, group):
    names = [line.split()[0] for line in catalog(word).splitlines()]
    assert names == [option.name for option in options(group)] == sorted(names)


def test_an_option_of_a_plugin_names_its_owner():
    [line] = [line for line in catalog("models").splitlines() if "adaline" in line]
    assert line.split()[0] == "adaline"
    assert line.endswith(
        "ADALINE: one linear unit by Widrow and Hoff's rule. [local_lab]"
    )


def test_an_unknown_group_is_named_with_what_was_meant():
    with pytest.raises(UserError) as error:
        catalog("modles")
    assert str(error.value) == (
        "list modles: no config group called 'modles'; did you mean model?"
    )


def test_lines_are_aligned_and_fit_eighty_columns(monkeypatch, tmp_path):
    file = tmp_path / "long_lab/conf/model/a_model_of_a_very_long_name.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(f"# {'word ' * 40}\n")
    (tmp_path / "long_lab/nnlab-plugin.toml").write_text(
        'api = 1\nname = "long_lab"\nversion = "1"\nsummary = "Long."\n'
    )
    monkeypatch.setenv("NNLAB_PLUGINS", str(tmp_path / "long_lab"))
    lines = catalog("models").splitlines()
    assert max(map(len, lines)) == 80
    assert {line[len("a_model_of_a_very_long_name") :][:2] for line in lines} == {"  "}
    [line] = [line for line in lines if line.startswith("a_model")]
    assert line.endswith("… [long_lab]")
    assert "\x1b" not in catalog()


def test_a_broken_plugin_is_off_in_every_list(broken_lab):
    line = "off: broken_lab: name is missing"
    assert catalog().count(line) == 1
    assert catalog("models").endswith(f"\n\n{line}\n")
    assert "ghost" not in catalog() + catalog("models")
    table = plugins_table().splitlines()
    assert table[1] == "broken_lab  ?    NNLAB_PLUGINS  off: name is missing"


def test_plugins_are_listed_a_line_each():
    assert plugins_table() == (
        "local_lab  1.0  NNLAB_PLUGINS  ADALINE and two moons: a plugin in a folder\n"
    )


def test_without_plugins_the_list_says_how_to_name_one(monkeypatch):
    monkeypatch.delenv("NNLAB_PLUGINS")
    assert plugins_table() == "no plugins; NNLAB_PLUGINS=<folder> names one\n"


def test_a_plugins_page_holds_all_that_is_known_of_it():
    lines = plugin_info("local_lab").splitlines()
    facts = {line[:8].strip(): line[10:] for line in lines}
    assert facts["plugin"] == "local_lab 1.0"
    assert facts["found"] == f"NNLAB_PLUGINS, {SAMPLE}"
    assert facts["requires"] == "nnlab>=0.1"
    assert len(facts["hash"]) == 64
    offers = [line[10:] for line in lines if "=" in line and ">" not in line]
    assert offers == ["model=adaline", "data=moons", "experiment=adaline_moons"]


def test_a_broken_plugins_page_names_cause_and_file(broken_lab):
    manifest = broken_lab / "nnlab-plugin.toml"
    assert f"off       name is missing ({manifest})" in plugin_info("broken_lab")


def test_an_options_page_shows_its_numbers_and_what_its_code_says():
    page = plugin_info("adaline")
    lines = page.splitlines()
    assert lines[:3] == [
        "option    model=adaline",
        "plugin    local_lab 1.0",
        f"file      {SAMPLE}/conf/model/adaline.yaml",
    ]
    assert "    optimizer: {lr: 0.1}" in lines
    assert "ADALINE: one linear unit, moved towards the wanted sum" in page
    assert "Tells two classes apart by the sign of a weighted sum." in page
    assert "option    data=moons" in plugin_info("moons")


def test_an_option_without_code_has_a_page_too():
    page = plugin_info("adaline_moons")
    assert page.startswith("option    experiment=adaline_moons\n")
    assert page.rstrip().endswith("trainer: {max_epochs: 5}")


def test_an_unknown_plugin_is_named_with_what_was_meant():
    with pytest.raises(UserError) as error:
        plugin_info("local_lap")
    assert str(error.value) == ("no plugin called 'local_lap'; did you mean local_lab?")


def test_listing_imports_neither_torch_nor_hydra_nor_plugins(tmp_path):
    code = """if True:
        import json, sys
        from nnlab.catalog import *
        catalog(), catalog("models"), plugins_table(), plugin_info("adaline")
        print(json.dumps(list(sys.modules)))"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(nnlab.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    modules = json.loads(done.stdout)
    roots = {name.partition(".")[0] for name in modules}
    assert not roots & {"torch", "lightning", "hydra", "omegaconf"}
    assert not any(name.startswith("nnlab.ext") for name in modules)
