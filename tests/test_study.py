"""A study: its cells as overrides, what came out of them, and the whole on digits."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from nnlab.checkpoint import read_checkpoint
from nnlab.compose import Composer, plain
from nnlab.errors import UserError
from nnlab.picture.compared import compared
from nnlab.report.study_table import study_markdown
from nnlab.study.outcome import cells_of
from nnlab.study.study import Study, said

SECTION = plain(Composer().compose(["experiment=transfer_mnist"]))["study"]
TINY = (
    "experiment=transfer_digits",
    "study.sizes.small=20",
    "~study.sizes.large",
    "study.ways=[scratch,all]",
    "data.image_size=28",
    "data.batch_size=20",
    "trainer.max_epochs=1",
    "trainer.max_steps=1",
    "logger=[]",
)


def study(**given):
    return Study.of({**SECTION, **given})


def test_a_cell_is_overrides_of_its_own():
    cell = study(run="a run", target="similar", size="small", way=-1)
    assert cell.cell_words() == [
        "data=mnist",
        "data.train_size=50",
        "transfer.run='a run'",
        "transfer.freeze=-1",
        "transfer.head=[c5,f6,output]",
    ]
    scratch = study(target="different", size="large", way="scratch")
    assert scratch.cell_words() == ["data=fashion_mnist", "data.train_size=20000"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"target": "similer"}, "study.target=similer .* did you mean similar"),
        ({"target": "similar", "size": "small"}, "study.way=None is no way"),
        ({"target": "similar", "size": "small", "way": "all"}, "study.run="),
        ({"sizes": {"small": 0}}, "study.sizes"),
        ({"tagets": {}}, "did you mean targets"),
    ],
)
def test_what_is_no_cell_or_no_setting_is_refused(given, why):
    with pytest.raises(UserError, match=why):
        study(**given)


@pytest.mark.parametrize("word", ["data=digits", "transfer.run=x", "data.train_size=9"])
def test_what_the_study_sets_itself_cannot_be_set_for_all(word):
    with pytest.raises(UserError, match="the same for all runs"):
        study().check_free([word])


def test_ways_are_said_in_words():
    ways = ["scratch", "all", "none", -1, -2, 3]
    assert [said(way) for way in ways] == [
        *("from scratch", "body frozen", "all learn"),
        *("last learns", "last 2 learn", "first 3 frozen"),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a study's folder with two cells done, of three seeds, and a source."""
    results = {"a": ("small", "all", 0.9), "b": ("small", "all", 0.8)}
    results |= {"c": ("small", "all", 0.7), "d": ("large", "scratch", 0.5)}
    results |= {"source": (None, None, 0.1)}
    for name, (size, way, value) in results.items():
        (tmp_path / name).mkdir()
        cell = size and {"target": "similar", "size": size, "way": way}
        config = {"model": {}, "data": {}, "choices": {}, "study": cell}
        (tmp_path / name / "config.yaml").write_text(yaml.safe_dump(config))
        metrics = {"metrics": {"test/accuracy": value}}
        (tmp_path / name / "result.json").write_text(json.dumps(metrics))
    return tmp_path


def test_the_page_calls_each_way_what_the_table_calls_it():
    page = (Path(__file__).parents[1] / "docs/transfer.md").read_text("utf-8")
    for way in SECTION["ways"]:
        assert f"| `{way}` | {said(way)} |" in page


def test_almost_all_is_not_100_percent():
    table = study_markdown(
        {"case": {"a": [0.99997], "b": [1.0, 0.9994]}}, "test/accuracy"
    )
    assert "99.997 %" in table
    assert "**" in table
    assert "100.0" not in table


def test_results_come_into_their_cells_and_what_is_missing_stays_empty(folder):
    cells = cells_of(folder, study())
    assert cells["similar, small (50)"]["body frozen"] == [0.9, 0.8, 0.7]
    assert cells["similar, large (20,000)"]["from scratch"] == [0.5]
    assert len(cells) == 4
    assert sum(len(values) for row in cells.values() for values in row.values()) == 4


def test_the_table_gives_mean_and_deviation_over_seeds(folder):
    table = study_markdown(cells_of(folder, study()), "test/accuracy").splitlines()
    heads = "| test/accuracy | from scratch | body frozen | last learns | all learn |"
    assert table[0] == heads
    row = "| similar, small (50) | none | **80.0 ± 10.0 %** | none | none |"
    assert table[2] == row  # by hand: 0.9, 0.8, 0.7


def test_ways_that_are_equally_good_are_both_the_best():
    cells = {"similar": {"one": [0.5], "other": [0.5], "third": [0.4]}}
    row = study_markdown(cells, "test/accuracy").splitlines()[2]
    assert row == "| similar | **50.00 %** | **50.00 %** | 40.00 % |"


def test_the_picture_has_a_panel_a_case_and_a_line_a_way(folder):
    figure = compared(cells_of(folder, study()), columns=2, title="test/accuracy")
    panel = figure.axes[0]
    assert len(figure.axes) == 4
    assert [text.get_text() for text in panel.get_yticklabels()][1] == "body frozen"
    assert [text.get_text() for text in panel.texts] == ["80.00 %"]


def test_a_study_refuses_before_it_trains_what_would_not_fit(nnlab):
    answer = nnlab("experiment=transfer_digits", "study.ways=[-3]")
    assert answer.status == 2
    assert "transfer.freeze=-3 is more than the 2 layers of the body" in answer.err
    assert not Path("outputs").exists()


def test_a_study_is_no_job_of_a_sweep_but_its_cells_are(nnlab):
    answer = nnlab("-m", "experiment=transfer_digits", "seed=1,2")
    assert answer.status == 2
    assert "leave out -m; study.seeds=[1,2,3]" in answer.err
    assert not Path("outputs").exists()


@pytest.mark.slow
def test_a_study_ends_in_one_table_and_the_same_command_completes_it(nnlab, tmp_path):
    answer = nnlab(*TINY, "folder=study")
    assert answer.status == 0, answer.err
    study = tmp_path / "study"
    cells = json.loads((study / "table.json").read_text())
    assert list(cells) == ["similar, small (20)", "different, small (20)"]
    for row in cells.values():
        assert [len(values) for values in row.values()] == [1, 1]
    assert (study / "figures/cases.png").is_file()
    assert "from scratch" in answer.out
    assert "the page: " not in answer.out, "no leaderboard of the cells beside it"
    source = read_checkpoint(study / "source/checkpoints/last.ckpt")["state_dict"]
    shutil.rmtree(
        next(file.parent for file in study.glob("sweep/cells/0*/status.json"))
    )
    assert nnlab(*TINY, "folder=study").status == 0
    assert json.loads((study / "table.json").read_text()) == cells
    again = read_checkpoint(study / "source/checkpoints/last.ckpt")["state_dict"]
    assert all(weight.equal(again[name]) for name, weight in source.items())
