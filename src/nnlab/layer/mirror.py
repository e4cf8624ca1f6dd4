"""Encoders and decoders that are each other's mirror images."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from nnlab.numerals import counted


def dense(sizes: Sequence[int], activation: type[nn.Module]) -> nn.Sequential:
    """Return linear layers between these sizes, the activation between layers.

    They start as He et al. (2015, equation 10) draw them: with PyTorch's own start the
    signal fades on its way through eight layers, and learning waits for it.
    """
    layers = nn.Sequential()
    for fan_in, fan_out in pairwise(sizes):
        linear = nn.Linear(fan_in, fan_out)
        nn.init.kaiming_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers.extend([linear, activation()])
    return layers[:-1]


def dense_pair(
    *,
    height: int,
    width: int,
    hidden_sizes: Sequence[int],
    outputs: int,
    code_size: int,
    activation: type[nn.Module],
) -> tuple[nn.Sequential, nn.Sequential]:
    """Return layers from an image to `outputs` numbers, from `code_size` numbers back.

    Shapes: (batch, 1, height, width) -> (batch, outputs), and
    (batch, code_size) -> (batch, 1, height, width).
    """
    pixels = height * width
    encoder = dense([pixels, *hidden_sizes, outputs], activation)
    decoder = dense([code_size, *reversed(hidden_sizes), pixels], activation)
    return (
        nn.Sequential(nn.Flatten(), *encoder),
        nn.Sequential(*decoder, nn.Unflatten(1, (1, height, width))),
    )


def convolutional_pair(
    *,
    height: int,
    width: int,
    feature_maps: Sequence[int],
    outputs: int,
    code_size: int,
    activation: type[nn.Module],
) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the same of convolutions, each of which halves or doubles the image.

    Raises:
        ValueError: where the image cannot be halved that often.
    """
    times = 2 ** len(feature_maps)
    if height % times or width % times:
        raise ValueError(
            f"model.feature_maps={list(feature_maps)} halves the image "
            f"{counted(len(feature_maps), 'time')}, and {height}x{width} pixels "
            "leave a rest; give fewer, or model.variant=deep"
        )
    shape = (feature_maps[-1], height // times, width // times)
    features = shape[0] * shape[1] * shape[2]
    encoder, decoder = nn.Sequential(), nn.Sequential()
    for into, out in pairwise([1, *feature_maps]):
        encoder.append(nn.Conv2d(into, out, 4, stride=2, padding=1))
        encoder.append(activation())
    encoder.extend([nn.Flatten(), nn.Linear(features, outputs)])
    decoder.extend([nn.Linear(code_size, features), nn.Unflatten(1, shape)])
    for into, out in pairwise([*reversed(feature_maps), 1]):
        decoder.append(activation())
        decoder.append(nn.ConvTranspose2d(into, out, 4, stride=2, padding=1))
    return encoder, decoder
