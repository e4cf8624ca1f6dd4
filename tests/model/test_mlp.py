import math

import numpy as np
import pytest
import torch
from PIL.Image import Image

from nnlab.model.mlp import MLP

XOR = (
    torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),
    torch.tensor([0, 1, 1, 0]),
)
RUMELHART = (
    "model.hidden_sizes=[2]",
    "model.activation=sigmoid",
    "model.loss=squared_error",
    "model.initial_weights=uniform",
)

# Each activation as its paper writes it, in NumPy.
FORMULAS = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "selu": lambda x: (
        1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1))
    ),
    "gelu": lambda x: x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2,
}


@pytest.fixture
def on_xor(build):
    def make(*overrides: str) -> MLP:
        torch.manual_seed(0)
        return build("model=mlp", "model.input_size=2", "model.classes=2", *overrides)

    return make


@pytest.fixture
def on_digits(build):
    def make(*overrides: str) -> MLP:
        torch.manual_seed(0)
        return build(
            "model=mlp", "model.input_size=784", "model.classes=10", *overrides
        )

    return make


@pytest.fixture
def images() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(16, 1, 28, 28), torch.arange(16) % 10


def test_gives_one_score_per_class_for_images_and_for_rows(on_digits, on_xor, images):
    assert on_digits()(images[0]).shape == (16, 10)
    assert on_xor()(XOR[0]).shape == (4, 2)
    assert on_xor(*RUMELHART)(XOR[0]).shape == (4, 2)


@pytest.mark.parametrize(
    ("hidden_sizes", "weights"),
    [
        ("[]", 784 * 10 + 10),
        ("[300]", 784 * 300 + 300 + 300 * 10 + 10),
        ("[8,6,4]", 784 * 8 + 8 + 8 * 6 + 6 + 6 * 4 + 4 + 4 * 10 + 10),
    ],
)
def test_has_as_many_weights_as_counted_by_hand(on_digits, hidden_sizes, weights):
    model = on_digits(f"model.hidden_sizes={hidden_sizes}")
    assert sum(p.numel() for p in model.parameters()) == weights


def test_rumelharts_network_has_nine_weights_between_minus_one_and_one(on_xor):
    weights = torch.cat([p.flatten() for p in on_xor(*RUMELHART).parameters()])
    assert len(weights) == (2 * 2 + 2) + (2 * 1 + 1)
    assert weights.abs().max() <= 1
    assert weights.abs().max() > 1 / math.sqrt(2)  # torch's own bound


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_every_weight_gets_a_gradient(on_digits, images, loss):
    model = on_digits("model.hidden_sizes=[32,16]", f"model.loss={loss}")
    model.measure(images)["loss"].backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("hidden_sizes", ["[]", "[64]", "[32,16]"])
def test_learns_one_batch_by_heart(on_digits, images, hidden_sizes):
    model = on_digits(f"model.hidden_sizes={hidden_sizes}")
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        model.measure(images)["loss"].backward()
        optimizer.step()
    assert model.measure(images)["accuracy"] == 1


@pytest.mark.parametrize("activation", FORMULAS)
def test_computes_what_numpy_computes(on_digits, images, activation):
    model = on_digits("model.hidden_sizes=[12,9]", f"model.activation={activation}")
    model = model.double()
    layers = [p.detach().numpy() for p in model.parameters()]
    x = images[0].double().flatten(1).numpy()
    for weight, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        x = FORMULAS[activation](x @ weight.T + bias)
    scores = x @ layers[-2].T + layers[-1]
    np.testing.assert_allclose(
        model(images[0].double()).detach().numpy(), scores, rtol=1e-6, atol=1e-9
    )


def test_measures_cross_entropy_and_accuracy_by_hand(on_xor):
    model = on_xor().double()
    x, label = XOR[0].double(), XOR[1]
    scores = model(x).detach().numpy()
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    measured = model.measure((x, label))
    assert measured["loss"].item() == pytest.approx(
        -np.log(shares[range(4), label]).mean()
    )
    right = (scores.argmax(axis=1) == label.numpy()).mean()
    assert measured["accuracy"].item() == right


def test_measures_half_the_squared_error_of_one_sigmoid_unit(on_xor):
    model = on_xor(*RUMELHART)
    w1, b1, w2, b2 = (p.detach().numpy() for p in model.parameters())
    sigmoid = FORMULAS["sigmoid"]
    y = sigmoid(sigmoid(XOR[0].numpy() @ w1.T + b1) @ w2.T + b2)[:, 0]
    loss = model.measure(XOR)["loss"].item()
    assert loss == pytest.approx(0.5 * np.mean((y - XOR[1].numpy()) ** 2), rel=1e-5)


def test_drops_units_while_training_and_none_in_evaluation(on_digits, images):
    model = on_digits("model.dropout=0.5", "model.hidden_sizes=[2000]")
    dropped = (model.hidden(images[0].flatten(1)) == 0).float().mean()
    assert 0.45 < dropped < 0.55
    model.eval()
    assert torch.equal(model(images[0]), model(images[0]))
    assert (model.hidden(images[0].flatten(1)) != 0).all()


def test_the_default_learns_xor_within_its_2000_steps(on_xor):
    model = on_xor()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)  # conf/optimizer/adam
    for _ in range(2000):
        optimizer.zero_grad()
        measured = model.measure(XOR)
        if measured["loss"] < 0.05:
            break
        measured["loss"].backward()
        optimizer.step()
    assert measured["loss"] < 0.05
    assert measured["accuracy"] == 1


def test_without_a_hidden_layer_xor_stays_out_of_reach(on_xor):
    model = on_xor("model.hidden_sizes=[]")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        model.measure(XOR)["loss"].backward()
        optimizer.step()
    assert model.measure(XOR)["loss"].item() == pytest.approx(math.log(2), abs=1e-3)


def test_illustrates_two_inputs_by_their_boundary(on_xor):
    for model in (on_xor(), on_xor(*RUMELHART)):
        pictures = model.eval().illustrate(XOR)
        assert set(pictures) == {"decision_boundary"}
        assert isinstance(pictures["decision_boundary"], Image)


@pytest.mark.parametrize(("hidden_sizes", "pictured"), [("[]", 10), ("[20]", 20)])
def test_illustrates_images_by_weights_and_mistakes(
    on_digits, images, hidden_sizes, pictured
):
    model = on_digits(f"model.hidden_sizes={hidden_sizes}").eval()
    pictures = model.illustrate(images)
    assert set(pictures) == {
        "confusion_matrix",
        "worst_classified",
        "first_layer_weights",
    }
    [axes] = pictures["first_layer_weights"].axes
    assert len(axes.images) == pictured
    title = pictures["first_layer_weights"].get_suptitle()
    assert title.startswith(f"weights of {pictured} units")
