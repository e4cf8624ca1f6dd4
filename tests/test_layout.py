"""The layout promise: each model and dataset is one code, one config, one test."""

from pathlib import Path

import pytest
import yaml

from nnlab.build import build, facts_of, fill_facts, make, prepared
from nnlab.compose import LIST_GROUPS, Composer, plain
from nnlab.errors import UserError
from nnlab.preflight import preflight

ROOT = Path(__file__).parents[1]
CODE = ROOT / "src/nnlab"
CONF = ROOT / "conf"
CONFIGS = sorted(
    path.relative_to(CONF)
    for path in CONF.rglob("*.yaml")
    if path.parent != CONF and "hydra" not in path.parts
)
REFERENCE = {"metric", "published", "target", "better", "source"}


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


def names(folder: Path, pattern: str) -> set[str]:
    return {path.stem.removeprefix("test_") for path in folder.glob(pattern)}


@pytest.mark.parametrize("room", ["model", "data"])
def test_code_config_and_test_share_their_names(room):
    code = names(CODE / room, "[!_]*.py")
    config = names(CONF / room, "*.yaml")
    test = names(ROOT / "tests" / room, "test_*.py")
    assert code == config == test


@pytest.mark.parametrize("room", ["optimizer", "schedule"])
def test_each_file_of_these_rooms_is_an_option(room):
    targets = {
        yaml.safe_load(path.read_text())["_target_"]
        for path in (CONF / room).glob("*.yaml")
    }
    ours = {target.split(".")[2] for target in targets if target.startswith("nnlab.")}
    base = {"schedule"}  # the base class
    assert names(CODE / room, "[!_]*.py") - base == ours


def check_reference(reference) -> None:
    assert set(reference) == REFERENCE
    assert reference["better"] in ("higher", "lower")
    assert reference["metric"].startswith("test/")
    assert isinstance(reference["published"], int | float)
    assert isinstance(reference["target"], int | float)
    assert len(reference["source"].split()) > 2, "where the number stands"


@pytest.mark.parametrize("path", CONFIGS, ids=str)
def test_each_config_composes_and_says_what_it_is(path, composer):
    group, option = str(path.parent), path.stem
    word = f"{group}=[{option}]" if group in LIST_GROUPS else f"{group}={option}"
    if group == "executor":  # which only `nnlab prepare` has
        composer = Composer(config_name="prepare")
    config = plain(composer.compose([word]))
    chosen = config["choices"].get(group)
    several = [] if option == "none" else [option]  # none of them is no choice
    one = None if group == "sweep" else option  # of many runs, and none's own choice
    assert chosen == (several if group in LIST_GROUPS else one)
    lines = (CONF / path).read_text(encoding="utf-8").splitlines()
    if group == "experiment" and "reference: null  # nobody published one" not in lines:
        check_reference(config["reference"])
    comment = lines[1] if lines[0].startswith("# @package") else lines[0]
    assert comment.startswith("# "), "its first comment is what `nnlab list` prints"


def composed(composer: Composer, data: str):
    return plain(composer.compose([f"data={data}"]))["data"]


def data_without_download(composer: Composer) -> list[str]:
    """Return the data sets that have no `data_dir` to download to."""
    files = {name: CONF / "data" / f"{name}.yaml" for name in composer.options("data")}
    return [
        name
        for name, file in files.items()
        if file.is_file() and "data_dir" not in str(composed(composer, name))
    ]


@pytest.mark.parametrize("model", sorted(names(CONF / "model", "*.yaml")))
def test_each_model_has_data_that_need_no_download(model, composer):
    for data in data_without_download(composer):
        config = plain(composer.compose([f"model={model}", f"data={data}"]))
        try:
            fill_facts(config, facts_of(make(config["data"], "data", composer.plugins)))
            _, settings = prepared(config["trainer"], "trainer", composer.plugins)
            preflight(build(config, composer.plugins), settings)
        except UserError:
            continue
        return
    pytest.fail(f"model={model} can be tried on nothing that is here")


ROOMS = {path.parent.name for path in CODE.glob("*/*.py")}


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_each_room_says_what_belongs_in_it(room):
    assert (CODE / room / "README.md").is_file()
