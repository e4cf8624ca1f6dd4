"""Who looks at whom: a map for each head of each layer."""

from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import GREY, bare, canvas, width_of

TITLE = (
    "who looks at whom, layer.head: down, the token that looks; across,\n"
    "the one looked at; brightness: the root of the weight"
)
LAYERS = HEADS = 6  # shown at most: spread over the layers, the first heads of each


def attention_maps(weights: Float[Tensor, "layers heads time seen"]) -> Figure:
    """Draw the weights of one text: a row a layer, a column a head.

    In a map a row is a token that looks, a column one that is looked at. Shown is the
    root of the weight: what is spread over many tokens would not be seen.
    """
    layers, heads = weights.shape[0], min(HEADS, weights.shape[1])
    rows = sorted({round(i * (layers - 1) / (LAYERS - 1)) for i in range(LAYERS)})
    figure = canvas(max(1.3 * heads, width_of(TITLE)), 1.5 * len(rows) + 0.5)
    figure.suptitle(TITLE, color=GREY, fontsize=10)
    frames = figure.subplots(len(rows), heads, squeeze=False)
    shades = weights.detach().float().cpu().sqrt().numpy()
    for row, layer in enumerate(rows):
        for head in range(heads):
            axes = frames[row, head]
            bare(axes)
            axes.imshow(shades[layer, head], cmap="gray", vmin=0, vmax=1)
            axes.set_title(f"{layer + 1}.{head + 1}", color=GREY, fontsize=9, pad=3)
    return figure
