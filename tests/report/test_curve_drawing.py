"""Curves as SVG: each point where its value says, names beside their colours."""

import re
from xml.etree import ElementTree

import pytest

from nnlab.picture.canvas import PALETTE
from nnlab.report.curve_drawing import curve_drawing


def lines_of(svg: str) -> dict[str, list[list[tuple[float, float]]]]:
    """The coloured lines: each an unbroken run of points, by colour."""
    found: dict[str, list[list[tuple[float, float]]]] = {}
    for path in ElementTree.fromstring(svg).iter("path"):
        if path.get("stroke") in PALETTE and path.get("fill") == "none":
            runs = [run for run in path.get("d", "").split("M") if run]
            found[path.get("stroke", "")] = [
                [tuple(map(float, point.split())) for point in run.split("L")]
                for run in runs
            ]
    return found


def numbers_of(svg: str) -> dict[str, dict[float, float]]:
    """What is written at the axes: the place in the drawing by the number."""
    found: dict[str, dict[float, float]] = {"x": {}, "y": {}}
    for group in ElementTree.fromstring(svg).findall("g"):
        for text in group.findall("text"):
            axis = "y" if text.get("text-anchor") == "end" else "x"
            place = float(text.get(axis, "")) - (3 if axis == "y" else 0)
            found[axis][float((text.text or "").replace(",", ""))] = place
    return found


def test_points_lie_where_the_numbers_at_the_axes_say():
    svg = curve_drawing("loss", {"train": ([0, 50, 100], [1.0, 2.0, 1.5])})
    numbers, [[first, second, third]] = numbers_of(svg), lines_of(svg)[PALETTE[0]]
    assert first == pytest.approx((numbers["x"][0], numbers["y"][1.0]), abs=0.15)
    assert second[1] == pytest.approx(numbers["y"][2.0], abs=0.15)
    assert third[0] == pytest.approx(numbers["x"][100], abs=0.15)
    assert second[1] < third[1] < first[1], "up is more"


def test_decades_are_drawn_at_even_distances():
    svg = curve_drawing("loss", {"loss": ([1, 2, 3], [1.0, 0.1, 0.01])})
    [[one, two, three]] = lines_of(svg)[PALETTE[0]]
    assert two[1] - one[1] == pytest.approx(three[1] - two[1], abs=0.15)


def test_what_is_not_a_number_is_a_gap():
    values = [1.0, 2.0, float("inf"), 3.0, float("nan"), 4.0]
    svg = curve_drawing("loss", {"train": (range(6), values)})
    assert [len(run) for run in lines_of(svg)[PALETTE[0]]] == [2, 1, 1]


def test_few_points_are_marked_but_those_of_training():
    series = {"train": ([1, 2], [1, 2]), "validation": ([1, 2], [2, 1])}
    assert curve_drawing("loss", series).count("<circle") == 2
    assert curve_drawing("loss", {"train": ([1], [1])}).count("<circle") == 1
    assert "<circle" not in curve_drawing("x", {"x": (range(30), range(30))})


@pytest.mark.parametrize("title", ["loss", "a very long name of something measured"])
@pytest.mark.parametrize("count", [2, 6])
def test_names_stand_side_by_side_above_the_frame_and_within_the_drawing(title, count):
    series = {f"layer {n:02}": ([1, 2], [n, n + 1]) for n in range(count)}
    root = ElementTree.fromstring(curve_drawing(title, series))
    texts = [t for t in root.findall("text") if (t.text or "").startswith("layer")]
    places = [(float(t.get("x", "")), float(t.get("y", ""))) for t in texts]
    assert len(places) == len(set(places)) == count
    top = min(float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)V", str(_paths(root))))
    assert all(x + 5 * 8 < 290 and y < top for x, y in places)
    if len(title) > 20:
        assert all(y > 11 for _, y in places), "below the title"


def _paths(root: ElementTree.Element) -> list[str]:
    return [path.get("d", "") for path in root.findall("path")]


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([0.05, 0.05], (0, 0.1)),
        ([0.001, 0.0010000000000000002], (0, 0.002)),  # rounding is no change
        ([0.0, 0.0], (0, 1)),
        ([-2.0, -2.0], (-4, 0)),
    ],
)
def test_a_constant_is_drawn_from_zero_and_not_magnified(values, ends):
    svg = curve_drawing("rate", {"rate": ([1, 2], values)})
    numbers = [float(text.replace("\N{MINUS SIGN}", "-")) for text in written(svg)]
    assert (min(numbers), max(numbers)) == ends


def written(svg: str) -> list[str]:
    """The numbers beside the upright axis."""
    return re.findall(r'text-anchor="end">([^<]+)<', svg)


def test_one_point_stands_at_its_step_of_all_steps():
    numbers = numbers_of(curve_drawing("rate", {"rate": ([50], [1.0])}))["x"]
    assert min(numbers) == 0


def test_a_title_that_is_too_long_is_squeezed():
    assert "textLength" in curve_drawing("m" * 60, {"m": ([1], [1])})
    assert "textLength" not in curve_drawing("m", {"m": ([1], [1])})


def test_nothing_is_an_empty_frame():
    assert lines_of(curve_drawing("loss", {"loss": ([], [])})) == {PALETTE[0]: []}
