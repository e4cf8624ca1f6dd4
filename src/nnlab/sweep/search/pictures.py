"""A search's pictures, written into the sweep's folder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from nnlab.picture.canvas import FAINT, GREY, PALETTE, bare, canvas, quieten
from nnlab.report.png import write_picture
from nnlab.sweep.search.axis import Scale, scales_of, shades, short_name, titled
from nnlab.sweep.search.contour import draw_contour
from nnlab.sweep.search.options import SearchOptions
from nnlab.sweep.search.slices import draw_slices
from nnlab.sweep.search.study import (
    LEAST_TRIALS,
    FrozenTrial,
    Study,
    TrialState,
    importances,
)

LEAST = 2  # complete trials, before there is anything to draw


def draw_search(study: Study, options: SearchOptions, folder: Path) -> list[Path]:
    """Draw what a search has found so far.

    Returns:
        The files; none where fewer than two trials are complete.
    """
    complete = study.get_trials(states=(TrialState.COMPLETE,))
    if len(complete) < LEAST:
        return []
    figures = {
        "optimisation_history": draw_history(study, options),
        "slices": draw_slices(complete, options),
    }
    if len(complete[0].params) > 1:
        figures["parallel_coordinates"] = draw_parallel(complete, options)
        weights = importances(study)
        names = sorted(weights[0], key=lambda name: -weights[0][name])
        figures["contour"] = draw_contour(complete, options, (names[0], names[1]))
        if len(complete) >= LEAST_TRIALS:
            figures["parameter_importance"] = draw_importance(weights, options)
    folder.mkdir(exist_ok=True)
    files: list[Path] = []
    for name, figure in figures.items():
        files.append(folder / f"{name}.png")
        write_picture(figure, files[-1], dpi=160)
    return files


def draw_history(study: Study, options: SearchOptions) -> Figure:
    """Draw each trial's value, and the best so far; a panel for each metric."""
    count = len(options.metrics)
    figure = canvas(6.4, 3.4 * count)
    pruned = study.get_trials(states=(TrialState.PRUNED,))
    for index, metric in enumerate(options.metrics):
        axes = figure.add_subplot(count, 1, index + 1)
        trials = study.get_trials(states=(TrialState.COMPLETE,))
        numbers = [trial.number for trial in trials]
        values = np.array([trial.values[index] for trial in trials])
        is_least = options.directions[index] == "minimize"
        best = (np.minimum if is_least else np.maximum).accumulate(values)
        axes.plot(numbers, values, "o", color=PALETTE[0], label="complete")
        axes.step(numbers, best, where="post", color=PALETTE[1], label="best so far")
        lasts = [list(t.intermediate_values.values())[-1:] for t in pruned]
        told = [(t.number, v[0]) for t, v in zip(pruned, lasts, strict=True) if v]
        if told:
            axes.plot(*zip(*told, strict=True), "x", color=GREY, label="pruned")
        axes.set_xlabel("trial")
        axes.set_ylabel(metric)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if values.min() > 0 and values.max() > 30 * values.min():
            axes.set_yscale("log")
        axes.grid(color=FAINT, linewidth=0.6)
        good = "less" if is_least else "more"
        axes.set_title(f"{good} is better", loc="left", color=GREY, fontsize=10)
        axes.legend(
            loc="lower right",  # above the frame: within, it would hide points
            bbox_to_anchor=(1, 1),
            ncols=3,
            frameon=False,
            labelcolor=GREY,
            fontsize=9,
        )
        quieten(axes)
    return figure


def draw_importance(
    weights: Sequence[dict[str, float]], options: SearchOptions
) -> Figure:
    """Draw how much of the metric's differences each parameter explains."""
    names = sorted(weights[0], key=lambda name: weights[0][name])
    figure = canvas(6.4, 1.2 + 0.4 * len(names) * len(weights))
    axes = figure.add_subplot()
    height = 0.8 / len(weights)
    for index, (metric, weight) in enumerate(
        zip(options.metrics, weights, strict=True)
    ):
        places = np.arange(len(names)) - index * height
        bars = axes.barh(
            places,
            [weight[name] for name in names],
            height=0.9 * height,
            color=PALETTE[index % len(PALETTE)],
            label=metric,
        )
        axes.bar_label(bars, fmt="%.2f", padding=3, color=GREY, fontsize=9)
    axes.set_yticks(np.arange(len(names)) - (len(weights) - 1) * height / 2, names)
    axes.set_xlim(0, 1.1)
    axes.set_xlabel(f"share of what makes trials differ in {options.metrics[0]}")
    if len(weights) > 1:
        axes.set_xlabel("share of what makes trials differ")
        axes.legend(frameon=False, labelcolor=GREY, fontsize=9)
    quieten(axes)
    return figure


def draw_parallel(trials: Sequence[FrozenTrial], options: SearchOptions) -> Figure:
    """Draw a line for each trial through its values; the colour is how good it is."""
    scales = scales_of(trials)
    metric, colours = shades(trials, options)
    figure = canvas(1.8 + 1.7 * len(scales), 4)
    axes = figure.add_subplot()
    axes.set_title(titled(options, "the darker, the better"), fontsize=10, pad=18)
    order = sorted(trials, key=lambda t: t.values[0])
    if options.directions[0] == "minimize":
        order.reverse()  # the best above all others
    for trial in order:
        heights = [metric.place(trial.values[0])]
        colour = colours.to_rgba(heights[0])  # pyright: ignore
        heights += [scale.place(trial.params[scale.name]) for scale in scales]
        axes.plot(heights, color=colour, linewidth=1.4, alpha=0.8)
    for place, scale in enumerate([metric, *scales]):
        _rule(axes, place, scale)
    axes.set_xlim(-0.4, len(scales) + 0.6)
    axes.set_ylim(-0.05, 1.1)
    bare(axes)
    return figure


def _rule(axes: Axes, place: int, scale: Scale) -> None:
    """Draw one upright scale with its numbers, the first one's outside."""
    axes.plot([place, place], [0, 1], color=GREY, linewidth=0.8)
    halo = withStroke(linewidth=3, foreground="white", alpha=0.8)  # lines cross them
    for height, label in scale.ticks():
        axes.annotate(
            label,
            (place, height),
            xytext=(4 if place else -4, 0),
            textcoords="offset points",
            ha="left" if place else "right",
            va="center",
            color=GREY,
            fontsize=8,
            path_effects=[halo],
        )
    name = short_name(scale.name)
    axes.text(place, 1.06, name, ha="center", color=GREY, fontsize=9)
