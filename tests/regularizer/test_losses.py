"""Stages of the batch and the loss, derived anew from the papers."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nnlab.learner import Learner


def far_apart(one: dict, other: dict) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


class Stub(Learner):
    """A learner as a regularizer finds it in a run: at epoch 0, batch 1."""

    def __init__(self, measure: Any, network: nn.Module | None = None) -> None:
        super().__init__()
        self.asked, self.network = measure, network

    def forward(self, x):
        assert self.network is not None
        return self.network(x)

    def measure(self, batch):
        return self.asked(self, batch)

    def around_one(self, regularizer: Any, batch: Any) -> dict[str, torch.Tensor]:
        regularizer.learner = self
        regularizer.batch_seed = lambda *_: 11
        return regularizer.around(self.measure, batch)

    trainer = type("Trainer", (), {"precision_plugin": None})


def classify(self, batch):
    x, label = batch
    scores = self(x)
    accuracy = (scores.argmax(dim=1) == label).float().mean()
    return {"loss": F.cross_entropy(scores, label), "accuracy": accuracy}


@pytest.fixture
def classifier() -> Stub:
    torch.manual_seed(0)
    return Stub(classify, nn.Linear(4, 3))


@pytest.fixture
def batch():
    random = torch.Generator().manual_seed(1)
    return torch.randn(10, 4, generator=random), torch.arange(10) % 3


def gradient(model: Stub, loss: torch.Tensor) -> torch.Tensor:
    return torch.autograd.grad(loss, model.network.weight)[0]


def test_label_smoothing_is_szegedys_and_leaves_the_logged_loss(
    make, classifier, batch
):
    x, label = batch
    smoothing = make("label_smoothing", share=0.1)
    scalars = classifier.around_one(smoothing, batch)
    plain = classifier.measure(batch)
    assert torch.equal(scalars["loss"], plain["loss"])  # to the bit
    # q'(k) = (1 - e) d(k, y) + e / K; the cross-entropy's gradient is (p - q') x
    wanted = 0.9 * F.one_hot(label, 3) + 0.1 / 3
    slope = (classifier(x).softmax(dim=1) - wanted).T @ x / 10
    assert torch.allclose(gradient(classifier, scalars["loss"]), slope, atol=1e-6)
    smoothed = -(wanted * classifier(x).log_softmax(dim=1)).sum(dim=1).mean()
    raised = smoothing.numbers()["label_smoothing"]
    assert raised.item() == pytest.approx((smoothed - plain["loss"]).item(), abs=1e-6)


def test_label_smoothing_of_a_sigmoid_is_half_to_each_side(make):
    def measure(self, batch):
        x, y = batch
        return {"loss": F.binary_cross_entropy_with_logits(self(x)[:, 0], y)}

    model = Stub(measure, nn.Linear(4, 1))
    x, y = torch.randn(10, 4), (torch.arange(10) % 2).float()
    scalars = model.around_one(make("label_smoothing", share=0.2), (x, y))
    slope = (model(x)[:, 0].sigmoid() - (0.8 * y + 0.1)) @ x / 10
    assert torch.allclose(gradient(model, scalars["loss"])[0], slope, atol=1e-6)


def test_label_smoothing_counts_no_ignored_token(make):
    def measure(self, batch):
        tokens, targets = batch
        return {"loss": F.cross_entropy(self(tokens).flatten(0, 1), targets.flatten())}

    model = Stub(measure, nn.Embedding(5, 5))
    tokens, targets = torch.randint(5, (2, 6)), torch.randint(5, (2, 6))
    targets[0, :3] = -100
    scalars = model.around_one(make("label_smoothing", share=0.3), (tokens, targets))
    keep = targets != -100
    logs = model(tokens).log_softmax(dim=2)[keep]
    wanted = 0.7 * F.one_hot(targets[keep], 5) + 0.3 / 5
    loss = -(wanted * logs).sum(dim=1).mean()
    ours = gradient(model, scalars["loss"])
    assert torch.allclose(ours, gradient(model, loss), atol=1e-6)


def test_the_confidence_penalty_rewards_entropy(make, classifier, batch):
    x, label = batch
    penalty = make("confidence_penalty", weight=0.3)
    scalars = classifier.around_one(penalty, batch)
    assert torch.equal(scalars["loss"], classifier.measure(batch)["loss"])
    p = classifier(x).softmax(dim=1)
    entropy = -(p * p.log()).sum(dim=1).mean()
    loss = F.nll_loss(p.log(), label) - 0.3 * entropy
    ours = gradient(classifier, scalars["loss"])
    assert torch.allclose(ours, gradient(classifier, loss), atol=1e-6)
    logged = penalty.numbers()["confidence_penalty"].item()
    assert logged == pytest.approx(-0.3 * entropy.item(), abs=1e-6)


def test_mixup_is_the_papers_own_code(make, classifier, batch):
    x, label = batch
    mixup = make("mixup", alpha=0.4)
    scalars = classifier.around_one(mixup, batch)
    # drawn as documented: an order, then s ~ Beta(0.4, 0.4), from the batch's seed
    random = np.random.default_rng(11)
    order, s = random.permutation(10), random.beta(0.4, 0.4)
    # https://github.com/facebookresearch/mixup-cifar10, train.py
    mixed_x = s * x + (1 - s) * x[order, :]
    y_a, y_b = label, label[order]
    outputs = classifier(mixed_x)
    criterion = nn.CrossEntropyLoss()
    loss = s * criterion(outputs, y_a) + (1 - s) * criterion(outputs, y_b)
    predicted = outputs.argmax(dim=1)
    correct = s * predicted.eq(y_a).sum() + (1 - s) * predicted.eq(y_b).sum()
    assert scalars["loss"].item() == pytest.approx(loss.item(), abs=1e-6)
    assert scalars["accuracy"].item() == pytest.approx(correct.item() / 10, abs=1e-6)
    ours = gradient(classifier, scalars["loss"])
    assert torch.allclose(ours, gradient(classifier, loss), atol=1e-6)
    assert mixup.numbers() == {"mixup": s}


def test_mixup_asks_the_model_once(make, classifier, batch):
    classifier.network = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    classifier.around_one(make("mixup"), batch)
    assert classifier.network[1].num_batches_tracked == 1
    assert "forward" not in vars(classifier)  # and leaves nothing behind


def test_cutmix_pastes_a_box_and_mixes_labels_by_its_area(make):
    def measure(self, batch):
        self.seen = batch[0]
        return classify(self, batch)

    torch.manual_seed(0)
    model = Stub(measure, nn.Sequential(nn.Flatten(), nn.Linear(64, 3)))
    image = torch.arange(10.0)[:, None, None, None].expand(10, 1, 8, 8)
    label = torch.arange(10) % 3
    cutmix = make("cutmix", alpha=1.0)
    own_sides = []
    for seed in range(20):
        cutmix.batch_seed = lambda *_, seed=seed: seed
        cutmix.learner = model
        scalars = cutmix.around(model.measure, (image, label))
        random = np.random.default_rng(seed)
        order = random.permutation(10)
        foreign = model.seen != image
        assert torch.equal(model.seen[foreign], image[order][foreign])
        own = 1 - float((model.seen != image).flatten(1).float().mean(dim=1).max())
        own_sides.append(cutmix.numbers()["cutmix"])
        assert own_sides[-1] == pytest.approx(own)
        outputs = model(model.seen)
        mixed = own * F.cross_entropy(outputs, label)
        mixed += (1 - own) * F.cross_entropy(outputs, label[order])
        assert scalars["loss"].item() == pytest.approx(mixed.item(), rel=1e-5)
    assert len(set(own_sides)) > 5


def test_cutout_blanks_one_square_an_image(make):
    seen = []

    def measure(self, batch):
        seen.append(batch[0])
        return {"loss": batch[0].sum()}

    cutout = make("cutout", size=4)
    model = Stub(measure)
    model.around_one(cutout, (torch.ones(500, 2, 9, 9), torch.zeros(500)))
    blank = seen[0] == 0
    assert torch.equal(blank[:, 0], blank[:, 1])  # in all channels
    area = blank[:, 0].flatten(1).sum(dim=1)
    assert area.max() == 16
    assert area.min() >= 4  # a corner: half of the square each way
    rows, columns = blank[:, 0].any(dim=2), blank[:, 0].any(dim=1)
    assert torch.equal(blank[:, 0], rows[:, :, None] & columns[:, None, :])
    # a middle in each of 9 x 9 places: (2+3+4+...+4+3)/9 of 9 each way, squared
    each_way = sum(min(m + 2, 9) - max(m - 2, 0) for m in range(9)) / 81
    assert cutout.numbers()["cutout"].item() == pytest.approx(each_way**2, abs=0.01)


def test_input_noise_is_normal_and_its_seeds(make):
    seen = []

    def measure(self, batch):
        seen.append(batch)
        return {"loss": batch[0].sum()}

    noise, x, y = make("input_noise", deviation=0.3), torch.ones(1000, 9), torch.ones(5)
    model = Stub(measure)
    for _ in range(2):
        model.around_one(noise, (x, y))
    assert torch.equal(seen[0][0], seen[1][0])
    assert (seen[0][0] - x).std().item() == pytest.approx(0.3, rel=0.03)
    assert (seen[0][0] - x).mean().abs().item() < 0.02
    assert seen[0][1] is y


def test_both_images_of_a_pair_are_changed(make):
    seen = []

    def measure(self, batch):
        seen.append(batch)
        return {"loss": batch[0].sum()}

    pair = (*torch.ones(2, 6, 1, 8, 8), torch.arange(6), torch.arange(6))
    Stub(measure).around_one(make("cutout", size=3), pair)
    assert (seen[0][0] == 0).any()
    assert (seen[0][1] == 0).any()
    assert seen[0][2] is pair[2]


def test_the_jacobian_penalty_is_that_of_a_linear_network(make, classifier, batch):
    jacobian = make("jacobian", weight=0.5, projections=2000)
    scalars = classifier.around_one(jacobian, batch)
    assert torch.equal(scalars["loss"], classifier.measure(batch)["loss"])
    weight = classifier.network.weight  # J of scores = Wx + b is W, at every x
    exact = 0.25 * weight.square().sum()
    assert jacobian.numbers()["jacobian"].item() == pytest.approx(
        exact.item(), rel=0.02
    )
    plain = classifier.measure(batch)["loss"]
    added = gradient(classifier, scalars["loss"]) - gradient(classifier, plain)
    assert torch.allclose(added, 0.5 * weight, atol=0.03)


def test_the_gradient_penalty_is_that_of_a_line_by_hand(make):
    def measure(self, batch):
        x, y = batch
        return {"loss": (self(x)[:, 0] - y).square().mean()}

    model = Stub(measure, nn.Linear(4, 1, bias=False))
    x, y = torch.randn(10, 4), torch.randn(10)
    penalty = make("gradient_penalty", weight=0.5)
    scalars = model.around_one(penalty, (x, y))
    w = model.network.weight[0]
    # l = (wx - y)^2, dl/dx = 2 (wx - y) w, |dl/dx|^2 = 4 (wx - y)^2 |w|^2
    term = 0.25 * (4 * (x @ w - y).square() * w.square().sum()).mean()
    assert penalty.numbers()["gradient_penalty"].item() == pytest.approx(term.item())
    whole = (x @ w - y).square().mean() + term
    ours = gradient(model, scalars["loss"])
    assert torch.allclose(ours, gradient(model, whole), atol=1e-5)


@pytest.mark.parametrize("adaptive", [False, True])
def test_sam_takes_the_papers_step(adaptive, make, net, points, fit):
    x, label = points().load().train
    model, by_hand = net(), net()
    data = points(x, label, batch_size=64)
    fit(model, make("sam", radius=0.3, adaptive=adaptive), data=data, max_epochs=3)
    weights = [*by_hand.parameters()]
    for step in range(3):  # algorithm 1, on the whole set as one batch
        loss = by_hand.measure((x, label))["loss"]
        g = torch.autograd.grad(loss, weights)
        scale = [w.detach().abs() if adaptive else 1.0 for w in weights]
        length = sum((s * s_g).square().sum() for s, s_g in zip(scale, g, strict=True))
        e = [0.3 * s * s * s_g / length.sqrt() for s, s_g in zip(scale, g, strict=True)]
        with torch.no_grad():
            for w, up in zip(weights, e, strict=True):
                w += up
        g = torch.autograd.grad(by_hand.measure((x, label))["loss"], weights)
        with torch.no_grad():
            for w, up, down in zip(weights, e, g, strict=True):
                w -= up + 0.1 * (1 - step / 6) * down
    for ours, theirs in zip(model.parameters(), weights, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


class Normed(Learner):
    """Batch norm and dropout, and a count of both."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))
        self.output = nn.Linear(8, 3)
        self.make_optimizer = lambda p: torch.optim.SGD(p, lr=0.0)
        self.make_schedule = lambda o, _: torch.optim.lr_scheduler.ConstantLR(o, 1.0)
        self.dropped: list[torch.Tensor] = []

    def measure(self, batch):
        x, label = batch
        hidden = self.layers(x)
        if self.training:
            self.dropped.append(hidden == 0)
        return {"loss": F.cross_entropy(self.output(hidden), label)}


def test_sam_drops_the_same_units_twice_and_counts_statistics_once(make, fit):
    with_sam, without = Normed(), Normed()
    fit(with_sam, make("sam"))
    fit(without)
    assert len(with_sam.dropped) == 2 * len(without.dropped)
    for once, again in zip(with_sam.dropped[::2], with_sam.dropped[1::2], strict=True):
        assert torch.equal(once, again)
    for name, buffer in without.named_buffers():
        assert torch.equal(dict(with_sam.named_buffers())[name], buffer)


AROUND = (
    *("label_smoothing", "confidence_penalty", "jacobian", "gradient_penalty", "sam"),
    *("mixup", "input_noise"),
)


@pytest.mark.parametrize("name", AROUND)
def test_validation_is_left_alone_and_nothing_stays(name, make, net, fit):
    model = net(optimizer=lambda p: torch.optim.SGD(p, lr=0.0))
    losses = []
    model.on_validation_epoch_end = lambda: losses.append(
        float(model.meters["val"].epoch_means()["loss"])
    )
    fit(model, make(name), max_epochs=1)
    fit(model, max_epochs=1)
    assert losses[0] == losses[1]
    assert model.around == []


def test_several_stand_around_each_other_in_one_order(make, net, fit, each_batch):
    model, found = net(), []
    names = ("mixup", "sam", "label_smoothing", "input_noise")
    look = each_batch(lambda m: found.append([f.__self__.name for f in m.around]))
    fit(model, *(make(name) for name in names), look)
    assert found[0] == ["mixup", "input_noise", "label_smoothing", "sam"]
