import subprocess
import sys
from pathlib import Path

import pytest

from nnlab import home

ROOT = Path(__file__).parents[1]


def copy_home(place: Path) -> None:
    place.mkdir(parents=True)
    (place / "__init__.py").touch()
    (place / "home.py").write_text(Path(home.__file__).read_text())


def folders_seen_from(package_path: Path, current_folder: Path) -> list[str]:
    code = "import nnlab.home as h; print(h.conf_folder(), h.bundled_plugins_folder())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=current_folder,
        env={"PYTHONPATH": str(package_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_a_checkout_uses_its_own_conf():
    assert home.conf_folder() == ROOT / "conf"
    assert home.bundled_plugins_folder() == ROOT / "plugins"
    assert (home.conf_folder() / "config.yaml").is_file()


def test_the_current_folder_does_not_matter(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "nnlab"\n')
    seen = folders_seen_from(ROOT / "src", tmp_path)
    assert seen == [str(ROOT / "conf"), str(ROOT / "plugins")]


def test_a_wheel_uses_what_it_carries(tmp_path):
    copy_home(tmp_path / "site-packages/nnlab")
    seen = folders_seen_from(tmp_path / "site-packages", tmp_path)
    package = tmp_path / "site-packages/nnlab"
    assert seen == [str(package / "conf"), str(package / "_plugins")]


@pytest.mark.parametrize("project", ['name = "another"', "", "not TOML"])
def test_a_copy_inside_another_project_does_not_use_that_ones_conf(tmp_path, project):
    copy_home(tmp_path / "src/nnlab")
    (tmp_path / "conf").mkdir()
    (tmp_path / "pyproject.toml").write_text(f"[project]\n{project}\n")
    seen = folders_seen_from(tmp_path / "src", tmp_path)
    assert seen[0] == str(tmp_path / "src/nnlab/conf")


def test_a_stale_copy_of_conf_beside_the_code_is_not_used(tmp_path):
    copy_home(tmp_path / "src/nnlab")
    (tmp_path / "src/nnlab/conf").mkdir()
    (tmp_path / "conf").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "nnlab"\n')
    seen = folders_seen_from(tmp_path / "src", tmp_path)
    assert seen == [str(tmp_path / "conf"), str(tmp_path / "plugins")]
