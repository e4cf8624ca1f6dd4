import json
from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure
from torch.nn import functional as F

from nnlab.errors import UserError
from nnlab.model.siamese import Siamese
from nnlab.vector_pairs import VectorPairs

FACTS = ("model.channels=1", "model.height=28", "model.width=28", "model.classes=10")
LOSSES = ("contrastive", "triplet", "logistic")


@pytest.fixture
def make(build):
    def make_model(*overrides) -> Siamese:
        torch.manual_seed(0)
        return build("model=siamese", *FACTS, *overrides)

    return make_model


@pytest.fixture(params=LOSSES)
def model(make, request) -> Siamese:
    return make(f"model.loss={request.param}", "model.embedding_size=6")


@pytest.fixture
def batch():
    torch.manual_seed(1)
    label = torch.arange(16) % 4
    other = torch.where(torch.arange(16) % 2 == 0, label, (label + 1) % 4)
    return torch.randn(16, 1, 28, 28), torch.randn(16, 1, 28, 28), label, other


def weights(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def loss_of(model: Siamese, pairs: VectorPairs) -> float:
    model.embedded = lambda batch: pairs
    return model.measure(())["loss"].item()


@pytest.fixture
def vectors():
    torch.manual_seed(2)
    label, other = torch.randint(3, (2, 12))
    return VectorPairs(*(0.5 * torch.randn(2, 12, 3)), label, other)


def test_gives_one_vector_per_image(model, batch):
    assert model(batch[0]).shape == (16, 6)


def test_has_as_many_weights_as_counted_by_hand(make):
    c1, c2, dense = 8 * 26, 16 * (8 * 25 + 1), 128 * (7 * 7 * 16 + 1)
    assert weights(make()) == c1 + c2 + dense + 2 * (128 + 1)
    dense, both = 128 * (784 + 1), 2 * (128 + 1)
    assert weights(make("model.encoder=mlp")) == dense + both
    assert weights(make("model.encoder=mlp", "model.loss=logistic")) == dense + both + 3


def test_every_weight_gets_a_gradient(model, batch):
    model.measure(batch)["loss"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("encoder", ["conv", "mlp"])
@pytest.mark.parametrize("loss", LOSSES)
def test_learns_one_batch_by_heart(make, batch, loss, encoder):
    model = make(
        f"model.loss={loss}", f"model.encoder={encoder}", "model.embedding_size=16"
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    before = model.measure(batch)["loss"].item()
    for _ in range(120):
        optimizer.zero_grad()
        model.measure(batch)["loss"].backward()
        optimizer.step()
    assert model.measure(batch)["loss"] < 0.3 * before
    if loss != "triplet":  # for which only the order of distances counts
        assert model.measure(batch)["accuracy"] == 1


def test_the_twins_are_one_network(model, batch):
    first, second, label, other = batch
    pairs = model.embedded(batch)
    assert torch.allclose(pairs.first, model(first), atol=1e-6)
    assert torch.allclose(pairs.second, model(second), atol=1e-6)
    swapped = model.embedded((second, first, other, label))
    assert torch.allclose(
        pairs.distances(model.distance), swapped.distances(model.distance), atol=1e-5
    )


def test_the_contrastive_loss_is_equation_4_of_hadsell(make, vectors):
    model = make("model.margin=0.9")
    expected = 0.0
    for a, b, label, other in zip(*vectors, strict=True):
        distance = float((a - b).norm())
        if label == other:
            expected += distance**2 / 2
        else:
            expected += max(0.0, 0.9 - distance) ** 2 / 2
    assert loss_of(model, vectors) == pytest.approx(expected / 12, rel=1e-5)


def test_the_logistic_loss_is_a_linear_layer_on_the_features_difference(make, vectors):
    model = make("model.loss=logistic", "model.embedding_size=3")
    with torch.no_grad():
        model.output.weight.copy_(torch.tensor([[2.0, -3.0, 0.5]]))
    logit = -model.output((vectors.first - vectors.second).abs()).flatten()
    is_same = (vectors.first_label == vectors.second_label).float()
    expected = F.binary_cross_entropy(logit.sigmoid(), is_same)
    assert loss_of(model, vectors) == pytest.approx(expected.item(), rel=1e-5)


def test_the_triplet_loss_is_the_mean_over_triplets_that_break_the_margin(
    make, vectors
):
    model = make("model.loss=triplet", "model.margin=0.3")
    images = [
        *zip(vectors.first, vectors.first_label, strict=True),
        *zip(vectors.second, vectors.second_label, strict=True),
    ]
    broken = []
    for anchor, positive, label, other in zip(*vectors, strict=True):
        for image, its_label in images:
            if label == other != its_label:
                near, far = (anchor - positive).norm(), (anchor - image).norm()
                broken.append(float(near - far) + 0.3)
    assert any(value < 0 for value in broken)
    broken = [value for value in broken if value > 0]
    assert loss_of(model, vectors) == pytest.approx(sum(broken) / len(broken), rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_without_triplets_and_twins_that_are_equal_give_finite_gradients(
    make, loss
):
    model = make(f"model.loss={loss}")
    image, label = torch.randn(2, 1, 28, 28), torch.zeros(2, dtype=torch.long)
    model.measure((image, image, label, label))["loss"].backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_labelled_images_that_are_no_pairs_are_refused_by_name(make, batch):
    with pytest.raises(UserError, match="data=mnist_pairs"):
        make().measure((batch[0], batch[2]))


def test_images_too_small_for_so_many_layers_are_refused(make):
    with pytest.raises(
        UserError, match=r"model\.feature_maps=\[1, 1, 1, 1, 1\] halves"
    ):
        make("model.feature_maps=[1,1,1,1,1]")


def test_draws_the_embedding_the_roc_curves_and_the_worst_pairs(model, batch):
    model.seen[:3] = True
    pictures = model.illustrate(batch)
    assert set(pictures) == {"embedding", "roc", "worst_pairs"}
    assert all(isinstance(picture, Figure) for picture in pictures.values())
    assert model.remark(batch) is None


def test_a_whole_run_judges_classes_seen_and_unseen_beside_raw_pixels(nnlab):
    answer = nnlab(
        "model=siamese", "data=digits_pairs", "model.loss=logistic", "folder=run",
        "model.encoder=mlp", "data.held_out_classes=[2,3,5,8]", "model.ways=4",
        "data.source.image_size=8", "data.repeats=1", "trainer.max_epochs=2",
    )  # fmt: skip
    assert answer.status == 0, answer.err
    result = json.loads(Path("run/result.json").read_text())
    judged = {"accuracy", "roc_area", "one_shot_accuracy"}
    of_classes = {f"{kind}{name}" for kind in ("", "unseen_") for name in judged}
    both = {*of_classes, "knn_error"}
    names = {f"test/{kind}{name}" for kind in ("", "pixel_") for name in both}
    assert set(result["metrics"]) == {"test/loss", *names}
    metrics = result["metrics"]
    assert all(0 <= metrics[name] <= 1 for name in names)
    # raw pixels do not learn: what they reach is known
    assert metrics["test/pixel_knn_error"] < 0.05
    assert metrics["test/pixel_unseen_one_shot_accuracy"] > 0.6  # of four classes
    assert "never seen" in result["remark"]


def test_what_is_learned_shows_and_the_threshold_is_of_the_validation_pairs(nnlab):
    answer = nnlab(
        "model=siamese", "data=digits_pairs", "model.encoder=mlp", "folder=run",
        "data.source.image_size=8", "model.embedding_size=8", "trainer.max_epochs=4",
        "logger=[tensorboard]", "pictures=0",
    )  # fmt: skip
    assert answer.status == 0, answer.err
    metrics = json.loads(Path("run/result.json").read_text())["metrics"]
    assert metrics["test/knn_error"] < 0.06
    assert metrics["test/accuracy"] > 0.92
    assert metrics["test/roc_area"] > 0.97 > metrics["test/pixel_roc_area"]
    state = torch.load("run/checkpoints/best.ckpt", weights_only=True)["state_dict"]
    assert (state["thresholds"] > 0).all()
    assert state["thresholds"][0] != 0.5  # where it began
    assert state["seen"].all()
    projector = Path("run/tensorboard/projector_config.pbtxt").read_text()
    assert "embedding" in projector
    assert len(list(Path("run/tensorboard").glob("*/embedding/sprite.png"))) == 1
