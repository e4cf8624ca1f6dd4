from itertools import pairwise

import pytest
import torch

from nnlab.picture.states_in_time import MOST_LABELS, states_in_time


def drawn(states, truth, steps=None):
    figure = states_in_time(
        states,
        truth,
        signal="carry",
        title="a sum",
        gates=["forget gate"],
        steps=steps,
    )
    figure.canvas.draw()
    return figure


def test_draws_a_frame_for_each_part_under_what_it_should_follow():
    states = {"state": torch.randn(4, 3), "forget gate": torch.rand(4, 5)}
    figure = drawn(states, torch.tensor([0, 1, 1, 0]), list("abcd"))
    frames = [axes for axes in figure.axes if axes.images or axes.patches]
    assert [axes.get_ylabel() for axes in frames[:3]] == [
        "carry",
        "state",
        "forget gate",
    ]
    for axes, state in zip(frames[1:], states.values(), strict=False):
        shown = torch.tensor(axes.images[0].get_array().data)
        assert torch.equal(shown, state.T)  # units are rows, steps are columns
    labels = [label.get_text() for label in frames[2].get_xticklabels()]
    assert labels == ["a", "b", "c", "d"]
    assert figure.get_suptitle() == "a sum"


def test_the_signal_is_as_wide_as_the_columns_below_it():
    figure = drawn({"state": torch.randn(3, 2)}, torch.tensor([0, 1, 0]))
    values, edges, _ = figure.axes[0].patches[0].get_data()
    assert values.tolist() == [0, 1, 0]
    assert edges.tolist() == [-0.5, 0.5, 1.5, 2.5]
    assert figure.axes[1].get_xlim() == (-0.5, 2.5)


def test_a_gate_is_shown_from_0_to_1_and_a_state_evenly_around_0():
    states = {"state": torch.randn(4, 3), "forget gate": 0.4 + torch.rand(4, 5) / 5}
    _, state, gate = drawn(states, torch.zeros(4)).axes[:3]
    low, high = state.images[0].get_clim()
    assert -low == high == states["state"].abs().max()
    assert gate.images[0].get_clim() == (0, 1)
    lightness = gate.images[0].cmap(torch.linspace(0, 1, 9).numpy())[:, :3].sum(axis=1)
    assert (lightness[1:] < lightness[:-1]).all(), "the more, the darker"


@pytest.mark.parametrize("steps", [3, 15, MOST_LABELS])
def test_names_of_steps_do_not_run_together(steps):
    figure = drawn(
        {"state": torch.randn(steps, 2)}, torch.zeros(steps), ["0+1"] * steps
    )
    boxes = [t.get_window_extent() for t in figure.axes[1].get_xticklabels()]
    assert len(boxes) == steps
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_many_steps_are_numbered_not_named():
    figure = drawn({"state": torch.randn(99, 2)}, torch.zeros(99), ["0+1"] * 99)
    assert "0+1" not in [t.get_text() for t in figure.axes[1].get_xticklabels()]
