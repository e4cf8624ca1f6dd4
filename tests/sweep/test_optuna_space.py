"""What is searched, and what a run says of it: no Optuna, no training."""

import json
import math

import pytest

from nnlab.compose import Composer
from nnlab.errors import UserError
from nnlab.folder import RunFolder
from nnlab.sweep.search.options import SearchOptions
from nnlab.sweep.search.space import Space, space_of
from nnlab.sweep.search.values import Watch, final_values

SECTION = {
    "sampler": "tpe",
    "pruner": "none",
    "trials": 20,
    "startup": 5,
    "warmup": 0,
    "seed": 0,
    "metric": None,
    "direction": None,
}
MONITOR = {"metric": "val/loss", "mode": "min"}


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


@pytest.fixture
def space(composer):
    def of(*words: str) -> Space:
        return space_of(words, composer.loader, {"model": {"width": 32}})

    return of


def test_an_interval_is_whole_where_it_says_so_or_the_config_does(space):
    rate, width, depth, share = space(
        *("optimizer.lr=tag(log,interval(1e-4,1e-1))", "model.width=interval(8,64)"),
        *("model.depth=int(interval(1,4))", "model.share=interval(0,1)"),
    ).dimensions
    assert (rate.low, rate.high, rate.log) == (1e-4, 1e-1, True)
    assert (width.low, width.high, width.log) == (8, 64, False)
    whole = [isinstance(each.low, int) for each in (rate, width, depth, share)]
    assert whole == [False, True, True, False]


def test_a_range_leaves_out_its_end_as_hydras_grid_does(space):
    [depth] = space("model.depth=range(1,10,4)").dimensions
    assert depth.points() == [1, 5, 9]
    [share] = space("model.share=range(0,0.5,0.1)").dimensions
    assert share.points() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


def test_choices_are_given_back_as_they_were_written(space):
    given = space(
        "model=mlp", "model.sizes=[4,4],[8]", "a=choice(16,0.01,x)", "sweep.trials=3"
    )
    words = given.job({"model.sizes": "[8]", "a": 16})
    assert words == ["model=mlp", "model.sizes=[8]", "a=16"]
    assert given.dimensions[1].points() == [16, 0.01, "x"]


def test_a_number_survives_the_command_line_bit_for_bit(space):
    given = space("optimizer.lr=interval(0.0,1.0)")
    value = 0.1 + 0.2
    [word] = given.job({"optimizer.lr": value})
    assert float(word.partition("=")[2]) == value


def test_a_grid_has_every_combination_once(space):
    points = space("a=1,2", "b=x,y,z").grid()
    assert len({tuple(point.items()) for point in points}) == len(points) == 6


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("seed=1", "nothing to search"),
        ("a=interval(1,1)", "begins below its end"),
        ("a=tag(log,interval(0.0,1.0))", "above 0"),
        ("a=tag(lgo,interval(1,2))", "no tag called lgo"),
        ("a=tag(log,choice(1,2))", "no logarithm"),
        ("a=range(3,1)", "is empty"),
    ],
)
def test_what_is_no_space_is_refused(space, word, said):
    with pytest.raises(UserError, match=said):
        space(word)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sampler": "tpo"}, "sweep.sampler"),
        ({"trials": 0}, "sweep.trials"),
        ({"metric": "test/accuracy"}, "use val/accuracy"),
        ({"metric": ["val/loss", "steps"], "pruner": "median"}, "sweep.pruner=none"),
        ({"metric": ["val/loss", "steps"], "sampler": "cmaes"}, "sweep.sampler=tpe"),
        ({"metric": ["val/loss", "val/loss"]}, "twice"),
        ({"metric": "val/loss", "direction": ["minimize"] * 2}, "one direction"),
        ({"direction": "down"}, "sweep.direction"),
        ({"metric": 3}, "sweep.metric=3"),
        ({"metric": "parameters", "pruner": "median"}, "when a run is over"),
    ],
)
def test_options_that_do_not_go_together_are_refused(given, said):
    with pytest.raises(UserError, match=said):
        SearchOptions.of({**SECTION, **given}, MONITOR)


def test_a_metric_has_the_direction_of_its_name_unless_one_is_given():
    def directions(**given: object) -> tuple[str, ...]:
        return SearchOptions.of({**SECTION, **given}, MONITOR).directions

    assert directions() == ("minimize",)
    both = directions(metric=["val/accuracy", "parameters"])
    assert both == ("maximize", "minimize")
    assert directions(metric="val/loss", direction="maximize") == ("maximize",)


def test_a_growing_file_is_read_once_and_anew_where_it_was_cut(tmp_path):
    file = tmp_path / "metrics.jsonl"
    watch = Watch(file, "val/loss")
    assert watch.news() == []
    lines = [json.dumps({"step": n, "val/loss": n / 2}) + "\n" for n in range(4)]
    file.write_text(lines[0] + '{"step": 0, "train/loss": 9}\n' + lines[1][:5])
    assert watch.news() == [(1, 0.0)]
    file.write_text(lines[0] + '{"step": 0, "train/loss": 9}\n' + lines[1] + lines[2])
    assert watch.news() == [(2, 0.5), (3, 1.0)]
    assert watch.news() == []
    file.write_text(lines[0])
    assert watch.news() == [(1, 0.0)]


def test_a_trial_is_worth_what_the_kept_weights_are_worth(tmp_path):
    run = RunFolder(tmp_path)
    monitor = {"metric": "val/loss", "mode": "min"}
    (tmp_path / "config.yaml").write_text(
        json.dumps({"model": {}, "data": {}, "choices": {}, "monitor": monitor})
    )
    run.write_json("result.json", {"parameters": 42})
    rows = [(1, 0.5, 0.8), (2, 0.2, 0.7), (3, 0.9, 0.99)]  # the third is not kept
    text = "".join(
        json.dumps({"step": step, "val/loss": loss, "val/accuracy": accuracy}) + "\n"
        for step, loss, accuracy in rows
    )
    (tmp_path / "metrics.jsonl").write_text(text)
    assert final_values(run, ("val/loss", "val/accuracy", "parameters")) == [
        *(0.2, 0.7, 42.0)
    ]
    assert math.isnan(final_values(run, ("val/other",))[0])
