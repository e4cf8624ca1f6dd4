"""What each unit of a recurrent network holds at each step."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import DIVERGING, GREY, PALETTE, SHARES, canvas, quieten

MOST_LABELS = 36  # of steps; with more, they are too small to read
MOST_LETTERS = 48  # of labels side by side; upright, each takes a line's height


def states_in_time(
    states: Mapping[str, Float[Tensor, "steps units"]],
    truth: Shaped[Tensor, " steps"],
    *,
    signal: str,
    title: str,
    gates: Collection[str] = (),
    steps: Sequence[str] | None = None,
) -> Figure:
    """Draw units (rows) over steps (columns), and above them what they should follow.

    Args:
        states: by name, one frame each: zero is neutral, blue below it, orange above.
        truth: a value for each step, drawn as a line.
        signal: its name.
        title: above all frames.
        gates: names of those states that lie between 0 and 1, pale to dark blue.
        steps: a label for each; by default they are numbered.
    """
    heights = [0.8, *(max(1.0, 0.11 * state.shape[1]) for state in states.values())]
    figure = canvas(5.6, sum(heights) + 0.3 * len(heights))
    figure.suptitle(title, color=GREY, fontsize=10)
    frames = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, height_ratios=heights
    )[:, 0]
    frames[0].stairs(
        truth.float().cpu().numpy(),
        np.arange(len(truth) + 1) - 0.5,  # a step is as wide as its column below
        baseline=None,
        color=PALETTE[1],
        linewidth=2,
    )
    frames[0].set_ylabel(signal)
    frames[0].locator_params(axis="y", nbins=2)
    quieten(frames[0])
    for axes, (name, state) in zip(frames[1:], states.items(), strict=True):
        _heat_map(axes, state, name, is_gate=name in gates)
    frames[-1].set_xlabel("step")
    if steps is not None and len(steps) <= MOST_LABELS:
        frames[-1].set_xlabel("what is read, step by step")
        is_upright = sum(len(step) + 1 for step in steps) > MOST_LETTERS
        frames[-1].set_xticks(range(len(steps)), steps)
        look = {"labelsize": 7, "labelrotation": 90} if is_upright else {}
        frames[-1].tick_params("x", **look)
    return figure


def _heat_map(
    axes: Axes, state: Float[Tensor, "steps units"], name: str, *, is_gate: bool
) -> None:
    values = state.detach().float().cpu().T.numpy()
    largest = max(1e-6, float(abs(values).max()))
    image = axes.imshow(
        values,
        cmap=SHARES if is_gate else DIVERGING,
        vmin=0 if is_gate else -largest,
        vmax=1 if is_gate else largest,
        aspect="auto",
        interpolation="nearest",
    )
    axes.set_ylabel(name)
    quieten(axes)
    axes.set_yticks([])
    bar = axes.figure.colorbar(image, ax=axes, aspect=12, pad=0.01)
    bar.ax.locator_params(nbins=4)
    bar.ax.tick_params(colors=GREY, labelsize=8)
    bar.outline.set_visible(False)
