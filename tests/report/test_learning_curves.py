import re

from nnlab.report.learning_curves import MOST_POINTS, learning_curves


def test_the_loss_is_first_and_the_learning_rate_last():
    row = {
        "step": 1,
        "epoch": 0,
        "learning_rate": 1,
        "val/zeta": 1,
        "regularizer/l1": 1,
    }
    rows = [row | {"train/accuracy": 1, "train/loss": 1}]
    assert list(learning_curves(rows)) == [
        "loss",
        "accuracy",
        "regularizer/l1",
        "zeta",
        "learning_rate",
    ]


def test_epoch_means_stand_in_where_there_is_no_finer_curve():
    rows = [{"step": 1, "train/loss_epoch": 0.5}, {"step": 1, "val/loss": 0.4}]
    (drawing,) = learning_curves(rows).values()
    assert ">train<" in drawing
    assert ">validation<" in drawing


def test_a_drawing_takes_the_colour_and_font_of_the_page_and_loads_nothing():
    (drawing,) = learning_curves([{"step": 1, "train/loss": 0.5}]).values()
    assert drawing.startswith("<svg")
    assert "currentColor" in drawing
    assert "http" not in drawing
    assert "#7a7f87" not in drawing
    assert "DejaVu" not in drawing
    assert "width=" not in drawing.partition(">")[0]


def test_the_words_of_a_metric_are_escaped():
    (drawing,) = learning_curves([{"step": 1, "<b>&": 1.0}]).values()
    assert "<b>" not in drawing


def test_very_many_rows_make_a_small_drawing_that_ends_where_the_run_ended():
    rows = [{"step": s, "train/loss": 1 + s % 7} for s in range(100_000)]
    (drawing,) = learning_curves(rows).values()
    assert len(drawing) < 100 * MOST_POINTS


def test_nothing_measured_is_nothing_drawn():
    assert learning_curves([]) == {}
    assert learning_curves([{"step": 1, "test/loss": 1.0, "note": "x"}]) == {}


def test_a_loss_that_is_not_a_number_can_be_drawn():
    rows = [{"step": 1, "train/loss": 1.0}, {"step": 2, "train/loss": float("nan")}]
    assert not re.search(r"\bnan\b", learning_curves(rows)["loss"])


def test_metrics_of_one_first_name_share_a_frame_and_some_of_very_many_are_drawn():
    row = {"step": 1, "train/loss": 1.0, "memory/peak": 3.0}
    rows = [row | {f"gradient/layer{n:02}": 1.0 + n for n in range(21)}]
    drawings = learning_curves(rows)
    assert sorted(drawings) == ["gradient", "loss", "memory/peak"]
    drawn = re.findall(r">layer(\d\d)<", drawings["gradient"])
    assert drawn == ["00", "04", "08", "12", "16", "20"]
