import pytest
import torch
from torch import nn

from nnlab.layer.mirror import convolutional_pair, dense, dense_pair


def test_the_last_layer_is_linear_and_the_others_are_not():
    kinds = [type(layer) for layer in dense([5, 4, 3, 2], nn.ReLU)]
    assert kinds == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]


def test_no_hidden_layers_leave_one_matrix_each_way():
    encoder, decoder = dense_pair(
        height=4, width=6, hidden_sizes=[], outputs=3, code_size=3, activation=nn.ReLU
    )
    code = encoder(torch.ones(2, 1, 4, 6))
    assert code.shape == (2, 3)
    assert decoder(code).shape == (2, 1, 4, 6)
    assert len([m for m in encoder.modules() if isinstance(m, nn.Linear)]) == 1


def test_the_signal_neither_fades_nor_grows_through_eight_layers():
    torch.manual_seed(0)
    sizes = [784, 1000, 500, 250, 250, 250, 500, 1000, 784]
    out = dense(sizes, nn.ReLU)(torch.randn(100, 784))
    assert 0.3 < out.std() / 2**0.5 < 3


@pytest.mark.parametrize(("height", "width"), [(28, 28), (8, 16)])
def test_convolutions_and_their_mirror_image_keep_the_shape(height, width):
    encoder, decoder = convolutional_pair(
        height=height,
        width=width,
        feature_maps=[4, 6],
        outputs=10,
        code_size=5,
        activation=nn.ReLU,
    )
    assert encoder(torch.ones(2, 1, height, width)).shape == (2, 10)
    assert decoder(torch.ones(2, 5)).shape == (2, 1, height, width)
