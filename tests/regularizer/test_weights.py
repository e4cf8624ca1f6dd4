"""Stages of gradients and of weights after the step, against closed forms."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.amp import GradScaler
from torch.nn import functional as F

from nnlab.learner import Learner

EVERY = {"include": ["*"], "exclude": []}
SETTINGS = {
    "plain": {},
    "accumulation": {"accumulate_grad_batches": 3},
    "clipping": {"gradient_clip_val": 0.05},
    "bf16": {"precision": "bf16-mixed"},
    "fp16": {"precision": GradScaler("cpu", init_scale=2.0**10)},
    "all": {
        "precision": GradScaler("cpu", init_scale=2.0**10),
        "accumulate_grad_batches": 2,
        "gradient_clip_val": 0.05,
    },
}
# The penalties as the papers write them, for autograd to derive.
PENALTIES = {
    "l1": lambda w: 0.01 * w.abs().sum(),
    "l2": lambda w: 0.01 / 2 * (w**2).sum(),
    "elastic_net": lambda w: 0.01 * (0.5 * w.abs() + 0.5 / 2 * w**2).sum(),
}


def far_apart(one: dict, other: dict) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_by_its_gradient_is_the_penalty_in_the_loss(
    name, settings, make, net, fit
):
    regularizer = make(name, weight=0.01, **EVERY)
    by_gradient = fit(net(), regularizer, **settings)
    in_loss = net()
    in_loss.penalty = lambda model: sum(PENALTIES[name](w) for w in model.parameters())
    assert far_apart(by_gradient, fit(in_loss, **settings)) < 1e-6
    assert far_apart(by_gradient, fit(net(), **settings)) > 1e-4  # it does something


def test_soft_orthogonality_descends_its_penalty(make, net, fit):
    by_gradient = fit(net(), make("orthogonality", weight=0.01, **EVERY))
    in_loss = net()

    def penalty(model):
        first, output = model.first.weight, model.output.weight  # 6x4 and 3x6
        return 0.01 * (
            ((first.T @ first - torch.eye(4)) ** 2).sum()
            + ((output @ output.T - torch.eye(3)) ** 2).sum()
        )

    in_loss.penalty = penalty
    assert far_apart(by_gradient, fit(in_loss)) < 1e-6


def test_soft_orthogonality_ends_in_orthonormal_units(make, net, points, fit):
    strong = make("orthogonality", weight=0.1, **EVERY)
    weights = fit(net(), strong, data=points(repeats=15))["output.weight"]
    assert torch.allclose(weights @ weights.T, torch.eye(3), atol=0.1)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_l2_is_the_weight_decay_of_gradient_descent(momentum, make, net, fit):
    def sgd(decay):
        return lambda p: torch.optim.SGD(
            p, lr=0.1, momentum=momentum, weight_decay=decay
        )

    ours = fit(net(optimizer=sgd(0.0)), make("l2", weight=0.1, **EVERY))
    assert far_apart(ours, fit(net(optimizer=sgd(0.1)))) < 1e-7


@pytest.mark.parametrize("settings", [SETTINGS["plain"], SETTINGS["fp16"]])
def test_adam_with_decoupled_weight_decay_is_adamw(settings, make, net, fit):
    adam = net(optimizer=lambda p: torch.optim.Adam(p, lr=0.01))
    adamw = net(optimizer=lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.3))
    ours = fit(adam, make("weight_decay", weight=0.3, **EVERY), **settings)
    assert far_apart(ours, fit(adamw, **settings)) < 1e-7


def test_weight_decay_has_a_strength_a_group_and_leaves_the_rest(make, net, fit):
    def grouped(p):
        first, bias, output, _ = p
        groups = [
            {"params": [first], "weight_decay": 0.3},
            {"params": [output], "weight_decay": 0.7},
            {"params": [bias, _], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=0.01)

    decay = make("weight_decay", weight=0.3, groups={"output.*": 0.7})
    ours = fit(net(optimizer=lambda p: torch.optim.Adam(p, lr=0.01)), decay)
    assert far_apart(ours, fit(net(optimizer=grouped))) < 1e-7


class Line(Learner):
    """Linear regression under 1/2 mean squared error, by gradient descent."""

    def __init__(self, inputs: int, rate: float) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, 1, bias=False)
        nn.init.zeros_(self.linear.weight)
        self.make_optimizer = lambda p: torch.optim.SGD(p, lr=rate)
        self.make_schedule = lambda o, _: torch.optim.lr_scheduler.ConstantLR(o, 1.0)

    def measure(self, batch):
        x, y = batch
        return {"loss": 0.5 * F.mse_loss(self.linear(x), y)}


def test_proximal_l1_finds_the_lasso_with_its_exact_zeros(make, points, fit):
    # scikit-learn minimises 1/(2n) |y - Xw|^2 + alpha |w|_1 by coordinates
    from sklearn.linear_model import Lasso

    random = torch.Generator().manual_seed(3)
    x = torch.randn(64, 12, generator=random)
    truth = torch.tensor([2.0, -3.0, 0, 0, 0.5] + [0.0] * 7).unsqueeze(1)
    y = x @ truth + 0.1 * torch.randn(64, 1, generator=random)
    model = Line(12, rate=0.3)
    lasso = Lasso(alpha=0.2, fit_intercept=False, tol=1e-10).fit(x, y[:, 0]).coef_
    data = points(x, y, batch_size=64, repeats=100)
    fit(model, make("l1_proximal", weight=0.2), data=data, max_epochs=1)
    found = model.linear.weight[0].detach().numpy()
    assert np.allclose(found, lasso, atol=1e-5)
    assert ((found == 0) == (lasso == 0)).all()
    assert 5 < (found == 0).sum() < 12


def test_l1_by_the_gradient_has_no_exact_zeros(make, net, points, fit):
    weights = fit(net(), make("l1", weight=0.05, **EVERY), data=points(repeats=10))
    assert all((w != 0).all() for w in weights.values())


@pytest.mark.parametrize("settings", [SETTINGS["plain"], SETTINGS["fp16"]])
def test_max_norm_holds_after_every_step(settings, make, net, fit, each_batch):
    longest: list[float] = []

    def look(model):
        for layer in (model.first, model.output):
            rows = np.linalg.norm(layer.weight.detach().numpy(), axis=1)
            longest.append(float(rows.max()))

    fit(net(), make("max_norm", maximum=0.5), each_batch(look), **settings)
    assert len(longest) == 16
    assert max(longest) <= 0.5 * (1 + 1e-6)
    assert max(longest) > 0.49  # the bound is met, not missed by far


def test_max_norm_bounds_each_output_channel_of_a_transposed_convolution(make):
    layer = nn.ConvTranspose2d(4, 6, 3, groups=2, bias=False)  # weight (4, 3, 3, 3)
    regularizer = make("max_norm", maximum=0.5)
    regularizer.transposed = {id(layer.weight): 2}
    with torch.no_grad():
        regularizer.after_step(layer.weight.mul_(10), 0.1)
    units = layer.weight.detach().numpy().reshape(2, 2, 3, 3, 3)
    lengths = np.sqrt((units**2).sum(axis=(1, 3, 4)))  # of 2 groups of 3 units
    assert np.allclose(lengths, 0.5, atol=1e-6)


def test_gradient_noise_is_normal_fades_and_is_the_same_on_each_rank(make):
    regularizer = make("gradient_noise", eta=0.3, gamma=0.55)

    class Here:
        accumulate_grad_batches = 1
        global_step, global_rank, seed, device = 99, 0, 5, torch.device("cpu")
        param_groups = ()

    drawn = []
    for rank in (0, 1):
        Here.global_rank = rank
        regularizer.on_before_optimizer_step(Here, Here, Here)
        drawn.append(regularizer.gradient(torch.zeros(100_000)))
    assert torch.equal(*drawn)
    assert drawn[0].std().item() == pytest.approx((0.3 / 100**0.55) ** 0.5, rel=0.02)
    Here.global_step = 100
    regularizer.on_before_optimizer_step(Here, Here, Here)
    assert not torch.equal(drawn[0], regularizer.gradient(torch.zeros(100_000)))


NAMES = (
    *("l1", "l1_proximal", "l2", "elastic_net", "weight_decay", "max_norm"),
    *("gradient_noise", "orthogonality", "dropout", "drop_connect", "spectral_norm"),
    *("weight_norm", "input_noise", "mixup", "label_smoothing", "confidence_penalty"),
    *("jacobian", "gradient_penalty"),
)


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_scale_changes_nothing(name, make, net, fit):
    one, other = (
        fit(net(), make(name), precision=GradScaler("cpu", init_scale=scale))
        for scale in (2.0**8, 2.0**13)
    )
    assert far_apart(one, other) < 1e-4


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
@pytest.mark.parametrize("name", ["l1", "l1_proximal", "weight_decay", "max_norm"])
def test_a_step_that_fp16_skips_changes_no_weight(name, make, net, fit):
    before = {key: w.detach().clone() for key, w in net().named_parameters()}
    scaler = GradScaler("cpu", init_scale=2.0**100)
    after = fit(net(), make(name), precision=scaler, max_steps=1)
    assert far_apart(before, after) == 0


def test_a_fused_optimizer_under_fp16_is_refused(make, net, fit):
    fused = net(optimizer=lambda p: torch.optim.SGD(p, lr=0.1, fused=True))
    with pytest.raises(ValueError, match="needs gradients without fp16's loss scale"):
        fit(fused, make("l1"), precision=GradScaler("cpu"))


def test_patterns_choose_the_weights(make, net, fit, each_batch):
    regularizer = make("l1", include=["*"], exclude=["*bias"])
    seen = []
    fit(net(), regularizer, each_batch(lambda _: seen.append([*regularizer.weights])))
    assert seen[0] == ["first.weight", "output.weight"]
    model = net(optimizer=lambda p: torch.optim.SGD(p, lr=0.1))
    start = model.first.weight.detach().clone()
    only = fit(model, make("max_norm", maximum=1e-3, include=["output.*"]))
    assert only["output.weight"].norm(dim=1).max() <= 1.001e-3
    assert only["first.weight"].norm() > 0.5 * start.norm()


def test_a_frozen_weight_is_left_alone(make, net, fit):
    model = net()
    model.first.requires_grad_(False)
    before = model.first.weight.clone()
    after = fit(model, make("max_norm", maximum=0.01), make("l1", weight=0.1))
    assert torch.equal(after["first.weight"], before)


def test_nothing_is_left_on_the_optimizer(make, net, fit):
    kept = []

    def sgd(p):
        kept.append(torch.optim.SGD(p, lr=0.1))
        return kept[0]

    fit(net(optimizer=sgd), make("l1_proximal"), make("weight_decay"))
    assert not kept[0]._optimizer_step_post_hooks
    assert not kept[0]._optimizer_step_pre_hooks
