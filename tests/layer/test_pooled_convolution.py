"""Convolving and pooling at once is torch's convolution, relu and pooling."""

import copy

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F

from nnlab.layer import four_places
from nnlab.layer import pooled_convolution as module
from nnlab.layer.max_pool import MaxPool2x2
from nnlab.layer.pooled_convolution import pooled_convolution


def ours(convolution, x):
    return pooled_convolution(convolution, MaxPool2x2(), x)


def torchs(convolution, x):
    return F.max_pool2d(F.relu(convolution(x)), 2)


def both(convolution, x, *, of_x):
    """Return the maps and all gradients, ours and torch's."""
    found = []
    for way in (ours, torchs):
        mine = x.clone().requires_grad_(of_x)
        wanted = [*convolution.parameters(), *([mine] if of_x else [])]
        maps = way(convolution, mine)
        weights = torch.arange(maps.numel(), dtype=x.dtype).sin().view(maps.shape)
        found.append((maps, *torch.autograd.grad((maps * weights).sum(), wanted)))
    return zip(*found, strict=True)


@pytest.fixture
def ways(monkeypatch):
    """The names of our own ways, as they are taken."""
    taken = []
    for name in ("_First", "_Inner"):
        way = getattr(module, name)
        apply = way.apply

        def noted(*arguments, name=name, apply=apply):
            taken.append(name)
            return apply(*arguments)

        monkeypatch.setattr(way, "apply", noted)
    return taken


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("of_x", [False, True])
@pytest.mark.parametrize(
    ("channels", "maps", "kernel", "padding", "size"),
    [
        (1, 6, 5, 2, (28, 28)),
        (6, 16, 5, 0, (14, 14)),
        (1, 3, (3, 4), (1, 0), (8, 9)),
        (2, 5, (2, 5), 1, (5, 6)),
        (1, 1, 1, 0, (2, 2)),
        (8, 4, 3, 1, (6, 4)),
        (9, 4, 3, 1, (6, 4)),
        (3, 2, 1, 1, (4, 4)),
    ],
)
def test_maps_and_gradients_are_torchs(
    ways, channels, maps, kernel, padding, size, of_x, dtype
):
    torch.manual_seed(0)
    convolution = nn.Conv2d(channels, maps, kernel, padding=padding).to(dtype)
    x = torch.randn(7, channels, *size, dtype=dtype)
    rounding = {torch.float32: 1e-4, torch.float64: 1e-12}[dtype]
    for one, other in both(convolution, x, of_x=of_x):
        torch.testing.assert_close(one, other, rtol=rounding, atol=rounding)
    assert ways == ["_First" if channels == 1 and not of_x else "_Inner"]


@pytest.mark.parametrize("channels", [1, 2])
def test_of_equal_numbers_the_first_has_the_gradient_in_all_81_orders(ways, channels):
    windows = torch.cartesian_prod(*[torch.arange(3.0)] * 4).view(81, 1, 2, 2)
    convolution = nn.Conv2d(channels, 1, 1)
    nn.init.ones_(convolution.weight)
    nn.init.ones_(convolution.bias)  # all are above zero
    x = windows.expand(-1, channels, -1, -1) / channels
    # the gradient of the weight is the pixel that was chosen
    for index in range(len(x)):
        for one, other in both(convolution, x[[index]], of_x=False):
            torch.testing.assert_close(one, other)
    assert set(ways) == {"_First" if channels == 1 else "_Inner"}


def test_without_a_gradient_it_is_the_same(ways):
    convolution, x = nn.Conv2d(6, 16, 5), torch.randn(3, 6, 14, 14)
    with torch.no_grad():
        torch.testing.assert_close(ours(convolution, x), torchs(convolution, x))
    assert ways == ["_Inner"]


def test_no_number_stays_none():
    x = torch.zeros(1, 1, 4, 4)
    x[0, 0, 3, 3] = torch.nan
    maps = ours(nn.Conv2d(1, 1, 1), x)
    assert maps.isnan().flatten().tolist() == [False, False, False, True]


@pytest.mark.parametrize("of_x", [False, True])
def test_gradients_of_gradients_are_right(of_x):
    torch.manual_seed(0)
    convolution = nn.Conv2d(1, 2, 3).double()
    x = torch.randn(2, 1, 6, 6, dtype=torch.float64, requires_grad=of_x)
    weight, bias = convolution.parameters()

    def maps(x, weight, bias):
        other = copy.copy(convolution)
        other._parameters = {"weight": weight, "bias": bias}
        return ours(other, x)

    assert torch.autograd.gradcheck(maps, (x, weight, bias))
    assert torch.autograd.gradgradcheck(maps, (x, weight, bias))


@pytest.mark.parametrize("channels", [1, 2])
def test_gradients_of_many_outputs_are_found_at_once(ways, channels):
    torch.manual_seed(0)
    convolution = nn.Conv2d(channels, 3, 3)
    maps = ours(convolution, torch.randn(2, channels, 6, 6))
    outputs = torch.randn(4, *maps.shape)
    weight = convolution.weight
    [at_once] = torch.autograd.grad(
        maps, weight, outputs, is_grads_batched=True, retain_graph=True
    )
    for output, gradient in zip(outputs, at_once, strict=True):
        [expected] = torch.autograd.grad(maps, weight, output, retain_graph=True)
        torch.testing.assert_close(gradient, expected)
    assert ways


def test_who_only_looked_first_can_learn_then():
    four_places._places.cache_clear()
    convolution, x = nn.Conv2d(1, 2, 3), torch.randn(2, 1, 6, 6)
    with torch.inference_mode():
        ours(convolution, x)
    loss = ours(convolution, x).square().sum()
    [gradient] = torch.autograd.grad(loss, convolution.weight, create_graph=True)
    assert torch.autograd.grad(gradient.sum(), convolution.weight)[0].isfinite().all()


def test_tensors_of_another_kind_are_torchs(ways):
    with FakeTensorMode() as mode:
        convolution, x = nn.Conv2d(1, 2, 3), mode.from_tensor(torch.randn(2, 1, 6, 6))
        assert ours(convolution, x).shape == (2, 2, 2, 2)
    assert not ways


@pytest.mark.parametrize("power", [1, 2])  # of 1 the gradient is one for all examples
@pytest.mark.parametrize("channels", [1, 2])
def test_it_is_vectorised_over_examples(channels, power):
    convolution = nn.Conv2d(channels, 3, 3)
    weights = dict(convolution.named_parameters())
    images = torch.randn(5, channels, 6, 6)

    def total(weights, image):
        other = copy.copy(convolution)
        other._parameters = weights
        return (ours(other, image[None]) ** power).sum()

    gradients = torch.func.vmap(torch.func.grad(total), (None, 0))(weights, images)
    for place, image in enumerate(images):
        for name, expected in torch.func.grad(total)(weights, image).items():
            torch.testing.assert_close(gradients[name][place], expected)


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(1, 2, 3, stride=2),
        nn.Conv2d(1, 2, 3, dilation=2),
        nn.Conv2d(2, 2, 3, groups=2),
        nn.Conv2d(1, 2, 3, padding=1, padding_mode="replicate"),
        nn.Conv2d(1, 2, 3, padding="same"),
        nn.Conv2d(1, 2, 3, bias=False),
        nn.Conv2d(1, 2, 4),
    ],
    ids=str,
)
def test_what_is_not_plain_is_torchs(ways, convolution):
    x = torch.randn(2, convolution.in_channels, 12, 12)
    for one, other in both(convolution, x, of_x=True):
        torch.testing.assert_close(one, other)
    assert not ways


def test_who_watches_the_convolution_is_called(ways):
    convolution, seen = nn.Conv2d(1, 2, 3), []
    convolution.register_forward_hook(lambda *_: seen.append("after"))
    convolution.register_forward_pre_hook(lambda *_: seen.append("before"))
    ours(convolution, torch.randn(1, 1, 6, 6))
    assert seen == ["before", "after"]
    assert not ways


def test_who_watches_the_pool_is_called(ways):
    pool, seen = MaxPool2x2(), []
    pool.register_forward_hook(lambda *_: seen.append("pooled"))
    pooled_convolution(nn.Conv2d(1, 2, 3), pool, torch.randn(1, 1, 6, 6))
    assert seen == ["pooled"]
    assert not ways


def test_another_pool_is_called(ways):
    convolution, x = nn.Conv2d(1, 2, 3), torch.randn(1, 1, 6, 6)
    maps = pooled_convolution(convolution, nn.AvgPool2d(2), x)
    torch.testing.assert_close(maps, F.avg_pool2d(convolution(x).relu(), 2))
    assert not ways


def test_a_reparametrized_convolution_is_computed_with_its_own_weight():
    convolution = nn.Conv2d(1, 2, 3)
    nn.utils.parametrizations.weight_norm(convolution)
    x = torch.randn(2, 1, 6, 6)
    torch.testing.assert_close(ours(convolution, x), torchs(convolution, x))


def test_autocast_keeps_torchs_type(ways):
    convolution, x = nn.Conv2d(1, 2, 3), torch.randn(2, 1, 6, 6)
    with torch.autocast("cpu", torch.bfloat16):
        assert ours(convolution, x).dtype == torch.bfloat16
    assert not ways


@pytest.mark.parametrize("of_x", [False, True])
def test_the_compiler_gets_torchs_operations_in_one_graph(ways, of_x):
    convolution = nn.Conv2d(1, 2, 3)
    x = torch.randn(2, 1, 6, 6, requires_grad=of_x)
    compiled = torch.compile(pooled_convolution, backend="eager", fullgraph=True)
    maps = compiled(convolution, MaxPool2x2(), x)
    torch.testing.assert_close(maps, torchs(convolution, x))
    assert not ways


def test_no_onednn_is_torchs(ways):
    convolution, x = nn.Conv2d(1, 2, 3), torch.randn(2, 1, 6, 6)
    before = torch.backends.mkldnn.enabled
    torch._C._set_mkldnn_enabled(False)  # its public switch warns of a GPU's setting
    try:
        maps = ours(convolution, x)
    finally:
        torch._C._set_mkldnn_enabled(before)
    torch.testing.assert_close(maps, torchs(convolution, x))
    assert not ways


def test_weights_of_16_bits_are_torchs(ways):
    convolution = nn.Conv2d(1, 2, 3).bfloat16()
    x = torch.randn(2, 1, 6, 6, dtype=torch.bfloat16)
    for one, other in both(convolution, x, of_x=True):
        torch.testing.assert_close(one, other)
    assert not ways


def test_a_forward_that_was_put_in_place_of_the_convolutions_is_called(ways):
    convolution, x = nn.Conv2d(1, 2, 3), torch.randn(2, 1, 6, 6)
    plain = convolution.forward
    convolution.forward = lambda x: plain(x) + 1
    torch.testing.assert_close(ours(convolution, x), torchs(convolution, x))
    assert not ways
