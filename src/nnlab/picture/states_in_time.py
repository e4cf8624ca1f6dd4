"""What each unit of a recurrent network holds at each step."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float, Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import DIVERGING, GREY, PALETTE, canvas, quieten

MOST_LABELS = 40  # of steps; with more, they are too small to read


def states_in_time(
    states: Mapping[str, Float[Tensor, "steps units"]],
    truth: Shaped[Tensor, " steps"],
    *,
    signal: str,
    steps: Sequence[str] | None = None,
) -> Figure:
    """Draw units (rows) over steps (columns), and above them what they should follow.

    Args:
        states: by name, one frame each: zero is neutral, blue below it, orange above.
        truth: a value for each step, drawn as a line.
        signal: its name.
        steps: a label for each; by default they are numbered.
    """
    heights = [0.8, *(max(1.0, 0.11 * state.shape[1]) for state in states.values())]
    figure = canvas(5.6, sum(heights) + 0.3 * len(heights))
    frames = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, height_ratios=heights
    )[:, 0]
    frames[0].step(
        range(len(truth)),
        truth.float().cpu().numpy(),
        where="mid",
        color=PALETTE[1],
        linewidth=2,
    )
    frames[0].set_ylabel(signal)
    quieten(frames[0])
    for axes, (name, state) in zip(frames[1:], states.items(), strict=True):
        _heat_map(axes, state, name)
    frames[-1].set_xlabel("step")
    if steps is not None and len(steps) <= MOST_LABELS:
        frames[-1].set_xticks(range(len(steps)), steps)
    return figure


def _heat_map(axes: Axes, state: Float[Tensor, "steps units"], name: str) -> None:
    values = state.detach().float().cpu().T.numpy()
    largest = max(1e-6, float(abs(values).max()))
    image = axes.imshow(
        values,
        cmap=DIVERGING,
        vmin=-largest,
        vmax=largest,
        aspect="auto",
        interpolation="nearest",
    )
    axes.set_ylabel(name)
    quieten(axes)
    axes.set_yticks([])
    bar = axes.figure.colorbar(image, ax=axes, aspect=12, pad=0.01)
    bar.ax.tick_params(colors=GREY, labelsize=8)
    bar.outline.set_visible(False)
