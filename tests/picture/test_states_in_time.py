import torch

from nnlab.picture.states_in_time import states_in_time


def test_draws_a_frame_for_each_part_under_what_it_should_follow():
    states = {"state": torch.randn(4, 3), "forget gate": torch.rand(4, 5)}
    figure = states_in_time(
        states, torch.tensor([0, 1, 1, 0]), signal="carry", steps=list("abcd")
    )
    frames = [axes for axes in figure.axes if axes.images or axes.lines]
    assert [axes.get_ylabel() for axes in frames[:3]] == [
        "carry",
        "state",
        "forget gate",
    ]
    assert frames[0].lines[0].get_ydata().tolist() == [0, 1, 1, 0]
    for axes, state in zip(frames[1:], states.values(), strict=False):
        drawn = torch.tensor(axes.images[0].get_array().data)
        assert torch.equal(drawn, state.T)  # units are rows, steps are columns
        low, high = axes.images[0].get_clim()
        assert -low == high == state.abs().max()
    labels = [label.get_text() for label in frames[2].get_xticklabels()]
    assert labels == ["a", "b", "c", "d"]


def test_many_steps_are_numbered_not_named():
    figure = states_in_time(
        {"state": torch.randn(99, 2)},
        torch.zeros(99),
        signal="carry",
        steps=["0+1"] * 99,
    )
    figure.canvas.draw()
    assert "0+1" not in [t.get_text() for t in figure.axes[1].get_xticklabels()]
