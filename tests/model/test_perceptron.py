from itertools import product

import numpy as np
import pytest
import torch

from nnlab.model.perceptron import Perceptron, most_separable, separable

TWO_BITS = torch.tensor(list(product([0.0, 1.0], repeat=2)))
XOR = (TWO_BITS, torch.tensor([0, 1, 1, 0]))
AND = (TWO_BITS, torch.tensor([0, 0, 0, 1]))


@pytest.fixture
def make(build):
    def make_perceptron(*overrides: str, input_size: int = 2, classes: int = 2):
        facts = (f"model.input_size={input_size}", f"model.classes={classes}")
        return build("model=perceptron", *facts, *overrides)

    return make_perceptron


def rosenblatt(x, y, *, rate, weight, bias, use_bias=True):
    """Yield (weight, bias) after each example, by w += a (y - y^) x, in NumPy."""
    for row, truth in zip(x, y, strict=True):
        said = (weight @ row + bias > 0).astype(x.dtype)
        weight = weight + rate * np.outer(truth - said, row)
        if use_bias:
            bias = bias + rate * (truth - said)
        yield weight, bias


def train_one(model: Perceptron, optimizer, row, label) -> None:
    optimizer.zero_grad()
    model.measure((row[None], label[None]))["loss"].backward()
    optimizer.step()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("use_bias", "start"), [(True, "zero"), (False, "uniform")])
@pytest.mark.parametrize("classes", [2, 5])
def test_reproduces_rosenblatts_rule_update_for_update(
    make, dtype, use_bias, classes, start
):
    torch.manual_seed(3)
    settings = (f"model.use_bias={use_bias}", f"model.initial_weights={start}")
    model = make(*settings, input_size=6, classes=classes).to(dtype)
    stream = torch.randperm(100).repeat(2)
    x = torch.randn(100, 6, dtype=dtype)[stream]
    label = torch.randint(classes, (100,))[stream]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)

    units = 1 if classes == 2 else classes
    y = label[:, None] if classes == 2 else torch.eye(classes)[label]
    oracle = rosenblatt(
        x.numpy(),
        y.numpy().astype(x.numpy().dtype),
        rate=x.numpy().dtype.type(0.3),
        weight=model.units.weight.detach().numpy().copy(),
        bias=(
            model.units.bias.detach().numpy().copy()
            if use_bias
            else np.zeros(units, x.numpy().dtype)
        ),
        use_bias=use_bias,
    )
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    updates = 0
    for row, truth, (weight, bias) in zip(x, label, oracle, strict=True):
        before = model.units.weight.detach().clone()
        train_one(model, optimizer, row, truth)
        updates += int(not torch.equal(before, model.units.weight))
        np.testing.assert_allclose(
            model.units.weight.detach().numpy(), weight, rtol=0, atol=tolerance
        )
        if use_bias:
            np.testing.assert_allclose(
                model.units.bias.detach().numpy(), bias, rtol=0, atol=tolerance
            )
    assert updates > 20


def test_bits_and_a_rate_of_one_reproduce_the_rule_to_the_last_bit(make):
    torch.manual_seed(0)
    model = make()
    stream = torch.randint(4, (100,))
    x, label = AND[0][stream], AND[1][stream]
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    oracle = rosenblatt(
        x.numpy(),
        label[:, None].numpy().astype(np.float32),
        rate=np.float32(1),
        weight=np.zeros((1, 2), np.float32),
        bias=np.zeros(1, np.float32),
    )
    for row, truth, (weight, bias) in zip(x, label, oracle, strict=True):
        train_one(model, optimizer, row, truth)
        assert (model.units.weight.detach().numpy() == weight).all()
        assert (model.units.bias.detach().numpy() == bias).all()


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("unit", ["threshold", "sigmoid"])
def test_zero_weights_do_learn(make, unit, label):
    model = make(f"model.unit={unit}", "model.initial_weights=zero")
    x, target = torch.ones(1, 2), torch.tensor([label])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    for _ in range(3):
        train_one(model, optimizer, x[0], target[0])
    assert model.measure((x, target))["accuracy"] == 1


def test_the_sigmoid_unit_follows_the_delta_rule(make):
    torch.manual_seed(0)
    model = make("model.unit=sigmoid", "model.initial_weights=uniform", input_size=4)
    x, label = torch.randn(8, 4), torch.randint(2, (8,))
    w, b = model.units.weight.detach().numpy()[0], model.units.bias.item()
    y = 1 / (1 + np.exp(-(x.numpy() @ w + b)))
    expected = w + 0.1 * ((label.numpy() - y)[:, None] * x.numpy()).mean(axis=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.measure((x, label))["loss"].backward()
    optimizer.step()
    np.testing.assert_allclose(model.units.weight[0].detach(), expected, atol=1e-6)


@pytest.mark.parametrize(("bits", "learnable"), [(2, 14), (3, 104)])
def test_learns_exactly_the_separable_boolean_functions(make, bits, learnable):
    rows = torch.tensor(list(product([0.0, 1.0], repeat=bits)))
    model = make(input_size=bits)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    learned = 0
    for truths in product([0, 1], repeat=2**bits):
        label = torch.tensor(truths)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
        is_learned = learns(model, optimizer, (rows, label), sweeps=20)
        assert is_learned == separable(rows, label, use_bias=True)
        learned += is_learned
    assert learned == learnable


def learns(model: Perceptron, optimizer, batch, *, sweeps: int) -> bool:
    # All rows at once: their updates add up, and it still ends where a line exists.
    for _ in range(sweeps):
        optimizer.zero_grad()
        measured = model.measure(batch)
        if measured["accuracy"] == 1:
            return True
        measured["loss"].backward()
        optimizer.step()
    return False


def test_without_a_bias_nand_is_out_of_reach(make):
    model = make("model.use_bias=false")
    label = 1 - AND[1]
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    for index in [0, 1, 2, 3] * 50:
        train_one(model, optimizer, AND[0][index], label[index])
    assert model.measure((AND[0], label))["accuracy"] < 1
    assert not separable(AND[0], label, use_bias=False)


@pytest.mark.parametrize("seed", range(3))
def test_never_makes_more_mistakes_than_novikoffs_bound(make, seed):
    torch.manual_seed(seed)
    direction = torch.nn.functional.normalize(torch.randn(5), dim=0)
    x = torch.randn(60, 5)
    margins = x @ direction
    x, margins = x[margins.abs() > 0.3], margins[margins.abs() > 0.3]
    label = (margins > 0).long()
    bound = (x.norm(dim=1).max() / margins.abs().min()).square()
    model = make("model.use_bias=false", input_size=5)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    mistakes = 0
    for _ in range(15):
        for row, truth in zip(x, label, strict=True):
            before = model.units.weight.detach().clone()
            train_one(model, optimizer, row, truth)
            mistakes += int(not torch.equal(before, model.units.weight))
    assert 0 < mistakes <= bound
    assert model.measure((x, label))["accuracy"] == 1


@pytest.mark.parametrize("unit", ["threshold", "sigmoid"])
def test_gives_one_score_per_class_for_images_and_for_rows(make, unit):
    setting = f"model.unit={unit}"
    digits = make(setting, input_size=784, classes=10)
    assert digits(torch.randn(3, 1, 28, 28)).shape == (3, 10)
    assert make(setting)(TWO_BITS).shape == (4, 2)


def test_has_as_many_weights_as_counted_by_hand(make):
    def weights(model: Perceptron) -> int:
        return sum(p.numel() for p in model.parameters())

    assert weights(make()) == 2 + 1
    assert weights(make("model.use_bias=false")) == 2
    assert weights(make("model.averaged=true", input_size=784, classes=10)) == 7850


def test_every_weight_gets_a_gradient(make):
    model = make("model.unit=sigmoid", input_size=4, classes=3)
    model.measure((torch.randn(9, 4), torch.arange(9) % 3))["loss"].backward()
    assert all((p.grad != 0).all() for p in model.parameters())


@pytest.mark.parametrize("unit", ["threshold", "sigmoid"])
def test_learns_one_batch_by_heart(make, unit):
    torch.manual_seed(0)
    model = make(f"model.unit={unit}", input_size=784, classes=10)
    batch = torch.randn(16, 1, 28, 28), torch.arange(16) % 10
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        model.measure(batch)["loss"].backward()
        optimizer.step()
    assert model.measure(batch)["accuracy"] == 1


def test_averaged_weights_are_the_mean_of_all_weights_that_judged(make):
    torch.manual_seed(0)
    model = make("model.averaged=true", input_size=3)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    seen, biases = [], []
    for row, label in zip(torch.randn(40, 3), torch.randint(2, (40,)), strict=True):
        seen.append(model.units.weight.detach().clone())
        biases.append(model.units.bias.detach().clone())
        train_one(model, optimizer, row, label)
    mean, bias = torch.stack(seen).mean(dim=0), torch.stack(biases).mean(dim=0)
    x = torch.randn(7, 3)
    torch.testing.assert_close(model.eval()(x)[:, 1:], x @ mean.T + bias)
    assert {"average_weight", "average_bias", "seen_batches"} <= set(model.state_dict())


def test_says_that_no_line_separates_xor_and_how_much_is_within_reach(make):
    assert make().remark(XOR) == (
        "No straight line separates these 4 points (a linear programme finds none), so "
        "one layer cannot learn them: 3 of 4 is the most it can get."
    )


def test_says_nothing_once_all_is_learned(make):
    model = make()
    assert model.remark(AND).startswith("A straight line separates these 4 points")
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    for index in [0, 1, 2, 3] * 20:
        train_one(model, optimizer, AND[0][index], AND[1][index])
    assert model.remark(AND) is None


def test_repeated_and_contradicting_points_are_judged_as_they_are(make):
    repeated = (AND[0].repeat(50, 1), AND[1].repeat(50))
    assert (
        make().remark(repeated).startswith("A straight line separates these 4 points")
    )
    contradicting = (torch.ones(2, 2), torch.tensor([0, 1]))
    assert "1 of 2 is the most" in make().remark(contradicting)


def test_at_most_six_of_the_eight_rows_of_parity_are_within_reach():
    rows = torch.tensor(list(product([0.0, 1.0], repeat=3)))
    label = rows.sum(dim=1).long() % 2
    assert most_separable(rows, label, use_bias=True) == 6


@pytest.mark.parametrize("unit", ["threshold", "sigmoid"])
def test_illustrates_two_inputs_by_their_boundary(make, unit):
    pictures = make(f"model.unit={unit}").eval().illustrate(XOR)
    assert set(pictures) == {"decision_boundary"}


def test_illustrates_more_classes_by_their_confusion(make):
    model = make(input_size=4, classes=3).eval()
    pictures = model.illustrate((torch.randn(9, 4), torch.arange(9) % 3))
    assert set(pictures) == {"confusion_matrix"}
