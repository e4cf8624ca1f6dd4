import pytest
import torch
from matplotlib.figure import Figure
from torch.nn import functional as F

from nnlab.errors import UserError
from nnlab.model.lenet5 import C3_INPUTS, RUBBISH_PENALTY, LeNet5

VARIANTS = ("tanh", "modern", "1998")


@pytest.fixture(params=VARIANTS)
def model(build, request) -> LeNet5:
    torch.manual_seed(0)
    return build("model=lenet5", "model.classes=10", f"model.variant={request.param}")


@pytest.fixture
def model_1998(build) -> LeNet5:
    torch.manual_seed(0)
    return build("model=lenet5", "model.classes=10", "model.variant=1998")


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(16, 1, 28, 28), torch.arange(16) % 10


def weights(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_gives_one_score_per_class(model, batch):
    image, _ = batch
    assert model(image).shape == (16, 10)


@pytest.mark.parametrize("variant", ["tanh", "modern"])
def test_todays_variants_have_61706_weights_as_counted_by_hand(build, variant):
    model = build("model=lenet5", "model.classes=10", f"model.variant={variant}")
    c1, c3, c5 = 6 * (25 + 1), 16 * (6 * 25 + 1), 120 * (16 * 25 + 1)
    f6, output = 84 * (120 + 1), 10 * (84 + 1)
    assert weights(model) == c1 + c3 + c5 + f6 + output == 61_706


def test_the_1998_network_has_the_papers_60000_weights_layer_by_layer(model_1998):
    counts = {name: weights(layer) for name, layer in model_1998.named_children()}
    assert counts == {
        "c1": 156,
        "s2": 12,
        "c3": 1_516,
        "s4": 32,
        "c5": 48_120,
        "f6": 10_164,
        "output": 0,
    }
    assert weights(model_1998) == 60_000


def test_every_weight_gets_a_gradient(model, batch):
    model.measure(batch)["loss"].backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


def test_learns_one_batch_by_heart(model, batch):
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(80):
        optimizer.zero_grad()
        model.measure(batch)["loss"].backward()
        optimizer.step()
    assert model.measure(batch)["accuracy"] == 1


def test_the_layout_with_tanh_computes_what_plain_functions_compute(build, batch):
    model = build("model=lenet5", "model.classes=10", "model.variant=tanh")
    w, (image, _) = dict(model.named_parameters()), batch
    x = F.pad(image, (2, 2, 2, 2))
    x = F.avg_pool2d(torch.tanh(F.conv2d(x, w["c1.weight"], w["c1.bias"])), 2)
    x = F.avg_pool2d(torch.tanh(F.conv2d(x, w["c3.weight"], w["c3.bias"])), 2)
    x = torch.tanh(x.flatten(1) @ w["c5.weight"].flatten(1).T + w["c5.bias"])
    x = torch.tanh(x @ w["f6.weight"].T + w["f6.bias"])
    expected = x @ w["output.weight"].T + w["output.bias"]
    torch.testing.assert_close(model(image), expected, rtol=1e-4, atol=1e-5)


def test_the_modern_variant_takes_the_largest_of_each_2x2(build, batch):
    modern = build("model=lenet5", "model.classes=10", "model.variant=modern")
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert modern.s2(x).flatten().tolist() == modern.s4(x).flatten().tolist()
    assert modern.s2(x).flatten().tolist() == [5, 7, 13, 15]


def test_c3_is_connected_as_in_the_papers_table_i():
    # Columns are C3's maps 0-15, rows are S2's maps 0-5, copied from the paper.
    table = (
        "X...XXX..XXXX.XX",
        "XX...XXX..XXXX.X",
        "XXX...XXX..X.XXX",
        ".XXX..XXXX..X.XX",
        "..XXX..XXXX.XX.X",
        "...XXX..XXXX.XXX",
    )
    seen = [tuple(i for i in range(6) if table[i][m] == "X") for m in range(16)]
    assert list(C3_INPUTS) == seen


def test_a_map_of_c3_ignores_the_maps_it_is_not_connected_to(model_1998):
    base = model_1998.c3(torch.zeros(1, 6, 14, 14))
    for into in range(6):
        x = torch.zeros(1, 6, 14, 14)
        x[:, into] = torch.randn(14, 14)
        changed = (model_1998.c3(x) != base).flatten(2).any(dim=2)[0]
        assert changed.tolist() == [into in inputs for inputs in C3_INPUTS]


def test_subsampling_scales_and_shifts_the_sum_then_squashes_it(model_1998):
    layer = model_1998.s2
    with torch.no_grad():
        layer.coefficient.fill_(0.5)
        layer.bias.fill_(-0.25)
    x = torch.tensor([[0.1, 0.2], [0.3, 0.4]]).expand(1, 6, 2, 2)
    a = 0.5 * (0.1 + 0.2 + 0.3 + 0.4) - 0.25
    expected = torch.full((1, 6, 1, 1), 1.7159 * torch.tanh(torch.tensor(2 * a / 3)))
    torch.testing.assert_close(layer(x), expected)


def test_the_1998_border_continues_the_background(model_1998):
    # A blank image gives the same value everywhere, at the border of C1's maps too.
    maps = model_1998.c1(torch.full((1, 1, 28, 28), -0.1))
    torch.testing.assert_close(maps, maps[:, :, :1, :1].expand_as(maps))


def test_each_code_is_its_own_digits_nearest_and_far_from_the_others(model_1998):
    codes = model_1998.output.codes
    assert codes.shape == (10, 7 * 12)
    assert set(codes.flatten().tolist()) == {-1.0, 1.0}
    penalties = -model_1998.output(codes)
    assert penalties.diagonal().eq(0).all()
    differing_pixels = penalties / 4 + 84 * torch.eye(10)
    assert differing_pixels.min() >= 10


def test_the_codes_are_drawn_upright(model_1998):
    seven = model_1998.output.codes[7].view(12, 7)
    assert seven[0].eq(1).all()  # the bar of the 7
    assert seven[-1].eq(1).sum() == 1  # its foot


def test_the_1998_loss_is_equation_9(model_1998, batch):
    image, digit = batch
    y = -model_1998(image).double()  # penalties
    right = y[torch.arange(16), digit]
    rubbish = torch.tensor(-RUBBISH_PENALTY, dtype=torch.float64).exp()
    expected = (right + (rubbish + (-y).exp().sum(dim=1)).log()).mean()
    loss = model_1998.measure(batch)["loss"].double()
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)


def test_the_1998_weights_start_within_the_papers_bounds(model_1998):
    for name, fan_in in (("c1", 25), ("c5", 400), ("f6", 120)):
        layer = model_1998.get_submodule(name)
        largest = layer.weight.abs().max().item()
        assert 0.9 * 2.4 / fan_in < largest <= 2.4 / fan_in


def test_the_1998_network_refuses_classes_it_has_no_code_for(build):
    with pytest.raises(ValueError, match=r"model.classes=47 and model.variant=1998"):
        build("model=lenet5", "model.classes=47", "model.variant=1998")


def test_illustrates_filters_maps_and_mistakes(model_1998, batch):
    pictures = model_1998.eval().illustrate(batch)
    assert set(pictures) == {
        "filters",
        "feature_maps",
        "confusion_matrix",
        "worst_classified",
    }
    assert all(isinstance(picture, Figure) for picture in pictures.values())
    [axes] = pictures["feature_maps"].axes
    assert len(axes.images) == 6 + 6 + 16 + 16
    assert pictures["filters"].get_suptitle().startswith("C1's filters: blue")
    assert pictures["feature_maps"].get_suptitle()


def test_wider_layers_have_the_weights_of_their_sizes(build):
    model = build("model=lenet5", "model.sizes=[2,3,5,7]", "model.classes=10")
    # By hand: 2 maps of 25+1; 3 of 2*25+1; 5 of 3*25+1; 7 of 5+1; 10 of 7+1.
    wanted = 2 * 26 + 3 * 51 + 5 * 76 + 7 * 6 + 10 * 8
    assert sum(p.numel() for p in model.parameters()) == wanted


def test_the_tables_of_1998_take_no_other_sizes(build):
    with pytest.raises(UserError, match=r"sizes=\[2, 3, 5, 7\] does not go with"):
        build(
            "model=lenet5",
            "model.variant=1998",
            "model.sizes=[2,3,5,7]",
            "model.classes=10",
        )
