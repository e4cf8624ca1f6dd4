"""Plugins of the tests' own making, and nobody else's."""

import importlib
import shutil
import sys
from pathlib import Path

import pytest

import nnlab

SAMPLES = Path(__file__).parents[1] / "sample_plugin"
MANIFEST = {"api": 1, "name": "my_lab", "version": "0.3", "summary": "A plugin."}


@pytest.fixture(autouse=True)
def _no_other_plugins(monkeypatch, tmp_path):
    """No plugin is found but those that a test names; none stays imported."""
    (tmp_path / "no_plugins").mkdir()
    monkeypatch.setattr(
        "nnlab.plugins.find.bundled_plugins_folder", lambda: tmp_path / "no_plugins"
    )
    for name in ("NNLAB_PLUGINS", "NNLAB_DISABLE", "NNLAB_PLUGINS_AUTOLOAD"):
        monkeypatch.delenv(name, raising=False)
    yield
    for name in [*sys.modules]:
        if name.startswith(("nnlab.ext.", "pip_lab")):
            del sys.modules[name]
            if name.count(".") == 2 and hasattr(nnlab, "ext"):
                vars(nnlab.ext).pop(name.rpartition(".")[2], None)


@pytest.fixture
def make_plugin(tmp_path):
    """Write a plugin's folder: keys of the manifest, and files by their path."""

    def make(
        folder: str = "my_lab",
        *,
        files: tuple[str, ...] = ("conf/model/tiny.yaml",),
        without: str = "",
        **keys: object,
    ) -> Path:
        place = tmp_path / folder
        values = {**MANIFEST, **keys}
        values.pop(without, None)
        lines = [f"{key} = {value!r}" for key, value in values.items()]
        for name in files:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text("# An option.\nkey: 1\n")
        place.mkdir(exist_ok=True)
        (place / "nnlab-plugin.toml").write_text("\n".join(lines))
        return place

    return make


@pytest.fixture
def local_lab(monkeypatch):
    """Name the sample plugin that is a folder."""
    monkeypatch.setenv("NNLAB_PLUGINS", str(SAMPLES / "local_lab"))
    return SAMPLES / "local_lab"


@pytest.fixture
def pip_lab(monkeypatch, tmp_path):
    """Lay out the sample package as pip does; a test marked slow lets pip do it."""
    site = tmp_path / "site"
    shutil.copytree(SAMPLES / "pip_lab/src/pip_lab", site / "pip_lab")
    information = site / "pip_lab-2.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: pip-lab\nVersion: 2.0\n"
    )
    (information / "entry_points.txt").write_text(
        "[nnlab.plugins]\npip_lab = pip_lab\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    importlib.invalidate_caches()
    return site
