import importlib
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest


@pytest.fixture
def my_lab(make_plugin, monkeypatch):
    """A plugin whose folder is called otherwise, with code in it and below it."""
    folder = make_plugin("any-name.at all")
    (folder / "code.py").write_text("def answer(): return 42\n")
    (folder / "deeper").mkdir()
    (folder / "deeper/code.py").write_text("from nnlab.ext.my_lab.code import answer\n")
    monkeypatch.setenv("NNLAB_PLUGINS", str(folder))
    return folder


def imported(name: str):
    return importlib.import_module(name)


def test_code_of_a_local_plugin_is_imported_with_sys_path_untouched(my_lab):
    before = [*sys.path]
    assert imported("nnlab.ext.my_lab.code").answer() == 42
    assert imported("nnlab.ext.my_lab.deeper.code").answer() == 42
    assert sys.path == before


def test_a_plugins_init_runs_and_may_import_its_neighbours(my_lab):
    (my_lab / "__init__.py").write_text("from .code import answer\n")
    package = imported("nnlab.ext.my_lab")
    assert package.answer() == 42
    assert package.__file__ == str(my_lab / "__init__.py")


def test_a_spawned_process_finds_a_plugins_function(my_lab):
    answer = imported("nnlab.ext.my_lab.code").answer
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        assert pool.submit(answer).result(timeout=60) == 42


def test_an_unknown_plugin_is_named_with_what_was_meant(my_lab):
    with pytest.raises(ModuleNotFoundError) as error:
        imported("nnlab.ext.my_lap.code")
    assert str(error.value) == "no plugin called 'my_lap'; did you mean my_lab?"
    assert error.value.name == "nnlab.ext.my_lap"


def test_a_plugin_that_is_not_looked_for_is_told_how_to_be(my_lab):
    with pytest.raises(ModuleNotFoundError) as error:
        imported("nnlab.ext.somewhere_else.code")
    assert str(error.value) == (
        "no plugin called 'somewhere_else'; NNLAB_PLUGINS names its folder, or the one "
        "that somewhere_else/ lies in"
    )


def test_an_unknown_module_of_a_plugin_is_pythons_own_error(my_lab):
    with pytest.raises(
        ModuleNotFoundError, match=r"No module named 'nnlab.ext.my_lab.x'"
    ):
        imported("nnlab.ext.my_lab.x")


def test_a_broken_plugin_is_not_imported(make_plugin, monkeypatch):
    folder = make_plugin(api=2)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.setenv("NNLAB_PLUGINS", str(folder))
    with pytest.raises(ModuleNotFoundError, match="plugin my_lab is off: api = 2"):
        imported("nnlab.ext.my_lab")


def test_an_installed_plugin_has_its_own_name(pip_lab):
    with pytest.raises(ModuleNotFoundError, match="its code is imported as pip_lab"):
        imported("nnlab.ext.pip_lab")


def test_the_finder_is_installed_once(my_lab):
    ext = imported("nnlab.ext")
    importlib.reload(ext)
    names = [type(finder).__name__ for finder in sys.meta_path]
    assert names.count("PluginFinder") == 1
