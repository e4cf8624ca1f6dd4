import pytest

from nnlab.plugins.manifest import read_plugin


def test_a_plugin_says_what_it_is(make_plugin):
    folder = make_plugin(packages=["my_package"], requires=["nnlab>=0.1"])
    plugin = read_plugin(folder, "NNLAB_PLUGINS")
    assert plugin.broken is None
    assert (plugin.name, plugin.version, plugin.summary) == (
        "my_lab",
        "0.3",
        "A plugin.",
    )
    assert (plugin.packages, plugin.requires) == (("my_package",), ("nnlab>=0.1",))
    assert plugin.options() == {"model": ["tiny"]}


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"without": "api"}, "api is missing"),
        ({"without": "name"}, "name is missing"),
        ({"without": "version"}, "version is missing"),
        ({"without": "summary"}, "summary is missing"),
        ({"api": 2}, "api = 2, but nnlab 0.1.0 speaks api = 1"),
        ({"api": "1"}, "api = '1', but nnlab 0.1.0 speaks api = 1"),
        ({"api": 1.0}, "api = 1.0, but nnlab 0.1.0 speaks api = 1"),
        ({"version": 1}, "version = 1 is not a line of text"),
        ({"summary": ""}, "summary = '' is not a line of text"),
        ({"require": []}, "unknown key 'require'; did you mean requires?"),
        ({"packages": "os"}, "packages = 'os' is not a list of texts"),
        ({"requires": [1]}, "requires = [1] is not a list of texts"),
        (
            {"name": "my-lab"},
            "name = 'my-lab' cannot stand in `import nnlab.ext.<name>`",
        ),
        ({"name": "class"}, "name = 'class' cannot stand in"),
        ({"name": "_lab"}, "name = '_lab' cannot stand in"),
        ({"packages": ["os"]}, "packages: 'os' is Python's own"),
        ({"packages": ["builtins"]}, "packages: 'builtins' is Python's own"),
        (
            {"packages": ["a.b"]},
            "packages: 'a.b' is not the name of a top-level package",
        ),
        ({"packages": ["*"]}, "packages: '*' is not the name of a top-level package"),
        ({"requires": ["nnlab>=99"]}, "needs nnlab>=99, and nnlab 0.1.0 is installed"),
        ({"requires": ["no-such-thing>1"]}, "and no-such-thing is not installed"),
        ({"requires": [">="]}, "requires: '>=' is not a requirement"),
        ({"files": ()}, "offers nothing: there is no folder conf/"),
        (
            {"files": ("conf/README.md",)},
            "offers nothing: no conf/<group>/<option>.yaml",
        ),
        ({"files": ("conf/models/a.yaml",)}, "called 'models'; did you mean model?"),
        ({"files": ("conf/hydra/a.yaml",)}, "conf/hydra: no group called 'hydra'"),
        (
            {"files": ("conf/trainer/a.yaml",)},
            "conf/trainer: no group called 'trainer'",
        ),
        (
            {"files": ("conf/config.yaml",)},
            "conf/config.yaml is not in the folder of a",
        ),
        ({"files": ("conf/model/a.yml",)}, "conf/model/a.yml: Hydra reads only .yaml"),
        (
            {"files": ("conf/model/a/b.yaml",)},
            "conf/model/a is a folder; options are files",
        ),
    ],
)
def test_a_broken_plugin_says_why_in_one_line(make_plugin, keys, line):
    plugin = read_plugin(make_plugin(**keys), "NNLAB_PLUGINS")
    assert plugin.broken is not None
    assert line in plugin.broken
    assert "\n" not in plugin.broken
    assert plugin.broken_file is not None
    assert plugin.broken_file.is_relative_to(plugin.folder)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"name = my_lab", "not TOML: Invalid value"),
        (b"name = '\xff'", "not UTF-8 text"),
        (b"", "api is missing"),
    ],
)
def test_a_damaged_manifest_is_a_line_not_a_trace(make_plugin, content, line):
    folder = make_plugin()
    (folder / "nnlab-plugin.toml").write_bytes(content)
    plugin = read_plugin(folder, "NNLAB_PLUGINS")
    assert plugin.name == "my_lab"  # the folder's, where the manifest does not say
    assert plugin.broken is not None
    assert line in plugin.broken


def test_the_hash_follows_what_runs_and_nothing_else(make_plugin):
    def of_now() -> str:
        return read_plugin(folder, "NNLAB_PLUGINS").hash

    folder = make_plugin(files=("conf/model/tiny.yaml", "code.py"))
    before = of_now()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "code.pyc").write_bytes(b"1")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("main")
    assert of_now() == before
    (folder / "code.py").rename(folder / "core.py")
    renamed = of_now()
    (folder / "core.py").write_text("changed = True")
    assert len({before, renamed, of_now()}) == 3
