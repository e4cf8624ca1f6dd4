import sys
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from nnlab.plugins.requirement import unmet


def test_a_requirement_for_another_machine_is_met():
    assert unmet("no-such-thing>1; python_version<'3'") is None
    assert unmet("no-such-thing>1; extra=='docs'") is None


def test_a_pre_release_meets_a_requirement(monkeypatch):
    monkeypatch.setattr("nnlab.plugins.requirement.__version__", "0.2.0.dev1")
    assert unmet("nnlab>=0.1") is None
    assert unmet("nnlab>=0.2") == "needs nnlab>=0.2, and nnlab 0.2.0.dev1 is installed"


@pytest.mark.parametrize(
    "version", ["1.9", "1.10", "1.10.0", "2.0", "2.0+cpu", "2.0rc1"]
)
@pytest.mark.parametrize(
    "limits",
    [
        *(">=1.10", "<=1.10", "==1.10", "!=1.10", "<2", ">1.10", "==1.*", "~=1.9"),
        *(">=1.9,<2", ">= 1.9 , < 2", "<2,>=1.9", "===1.10", ">=1.10rc1", ""),
    ],
)
def test_a_requirement_holds_where_packaging_says_so(
    monkeypatch, tmp_path, version, limits
):
    information = tmp_path / f"some_thing-{version}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: some-thing\nVersion: {version}\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    wanted = Requirement(f"Some.Thing{limits}")
    holds = wanted.specifier.contains(metadata.version("some-thing"), prereleases=True)
    assert (unmet(f"Some.Thing{limits}") is None) == holds


def test_a_plain_requirement_costs_no_import_of_packaging(monkeypatch):
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    assert unmet("pytest>=7,<99") is None
    assert unmet("nnlab>=0.1") is None
