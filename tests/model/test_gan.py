import json
import math
import os
import signal
from pathlib import Path

import pytest
import torch
from lightning import Trainer
from lightning.pytorch.callbacks import EMAWeightAveraging, StochasticWeightAveraging
from matplotlib.figure import Figure
from torch.nn import functional as F

from nnlab.cli import main
from nnlab.data_module import DataModule, Splits
from nnlab.errors import UserError
from nnlab.judge import classifier
from nnlab.model.gan import (
    GAN,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    held_still,
)

LOSSES = ("non_saturating", "saturating", "least_squares", "hinge", "wasserstein_gp")
SIZE = ("model.height=28", "model.width=28")
SMALL = (*SIZE, "model.feature_maps=2", "model.code_size=4", "model.judged=20")
REAL, FAKE = torch.tensor([2.0, -0.5]), torch.tensor([-1.0, 3.0])


@pytest.fixture(autouse=True)
def brief_judge(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(classifier, "LEAST_STEPS", 3)
    monkeypatch.setattr(classifier, "PASSES", 0)


@pytest.fixture
def make(build):
    def make_gan(*overrides: str) -> GAN:
        torch.manual_seed(0)
        return build(
            "model=gan", *SMALL, "model.judged_in_training=20", "schedule=constant",
            *overrides,
        )  # fmt: skip

    return make_gan


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(8, 1, 28, 28, generator=generator), torch.arange(8)


class Blobs(DataModule):
    """Forty images of noise, the same at each call."""

    def __init__(self, batch_size: int, *, seed: int | None = 0) -> None:
        super().__init__(batch_size=batch_size, seed=seed)

    def load(self) -> Splits:
        generator = torch.Generator().manual_seed(2)
        image = torch.randint(0, 256, (60, 28, 28), generator=generator)
        label = torch.arange(60) % 10
        parts = torch.tensor_split(torch.arange(60), (40, 50))
        return Splits(*((image[i].to(torch.uint8), label[i]) for i in parts))

    def prepare(self, batch):
        return batch[0].unsqueeze(1) / 255, batch[1]


def fit(model: GAN, data: DataModule, **settings) -> Trainer:
    trainer = Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **{"max_epochs": 1, "limit_val_batches": 0, **settings},
    )
    trainer.fit(model, datamodule=data)
    return trainer


def copy_of(module: torch.nn.Module) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in module.parameters()]


def has_moved(module: torch.nn.Module, before: list[torch.Tensor]) -> list[bool]:
    pairs = zip(module.parameters(), before, strict=True)
    return [not torch.equal(weight, old) for weight, old in pairs]


def distance(module: torch.nn.Module, before: list[torch.Tensor]) -> float:
    pairs = zip(module.parameters(), before, strict=True)
    return math.sqrt(sum((new - old).square().sum().item() for new, old in pairs))


def log_sigmoid(x: float) -> float:
    return -math.log(1 + math.exp(-x))


# ------------------------------------------------------------------ losses


@pytest.mark.parametrize(
    ("loss", "discriminator", "generator"),
    [
        # -log D(x) - log(1 - D(G(z))); log(1 - D) is the log sigmoid of -score
        (
            "non_saturating",
            -(log_sigmoid(2) + log_sigmoid(-0.5)) / 2
            - (log_sigmoid(1) + log_sigmoid(-3)) / 2,
            -(log_sigmoid(-1) + log_sigmoid(3)) / 2,
        ),
        (
            "saturating",
            -(log_sigmoid(2) + log_sigmoid(-0.5)) / 2
            - (log_sigmoid(1) + log_sigmoid(-3)) / 2,
            (log_sigmoid(1) + log_sigmoid(-3)) / 2,
        ),
        ("least_squares", ((1 + 2.25) / 2 + (1 + 9) / 2) / 2, ((4 + 4) / 2) / 2),
        ("hinge", (0 + 1.5) / 2 + (0 + 4) / 2, -1.0),
        ("wasserstein_gp", 1.0 - 0.75, -1.0),
    ],
)
def test_each_loss_is_what_its_paper_writes(loss, discriminator, generator):
    assert discriminator_loss(loss, REAL, FAKE).item() == pytest.approx(discriminator)
    assert generator_loss(loss, FAKE).item() == pytest.approx(generator)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_generator_wants_its_fakes_scored_higher(loss):
    scores = torch.tensor([-1.0, 0.5], requires_grad=True)
    generator_loss(loss, scores).backward()
    assert (scores.grad < 0).all()


def test_only_the_saturating_loss_is_flat_where_fakes_are_seen_through():
    slopes = {}
    for loss in ("saturating", "non_saturating"):
        scores = torch.tensor([-10.0], requires_grad=True)
        generator_loss(loss, scores).backward()
        slopes[loss] = scores.grad.abs().item()
    assert slopes["saturating"] < 1e-4
    assert slopes["non_saturating"] > 0.99


def test_the_penalty_of_a_linear_discriminator_is_that_of_its_slope():
    slope = torch.full((1, 1, 2, 2), 1.5)  # of length 3, everywhere
    real, fake = torch.rand(5, 1, 2, 2), torch.rand(5, 1, 2, 2)
    penalty = gradient_penalty(lambda x: (x * slope).flatten(1).sum(1), real, fake)
    assert penalty.item() == pytest.approx((3 - 1) ** 2)


def test_the_penalty_reaches_the_discriminators_weights(make, batch):
    model = make("model.loss=wasserstein_gp", "model.discriminator_norm=none")
    gradient_penalty(model, batch[0], batch[0].flip(0)).backward()
    assert model.discriminator[0].weight.grad.abs().sum() > 0


# ------------------------------------------------------------ the networks


def test_dcgan_has_as_many_weights_as_counted_by_hand(build):
    model = build("model=gan", *SIZE, "model.discriminator_norm=batch")
    linear, norms = 64 * 64 * 49, 2 * 64 + 2 * 32
    up, out = 64 * 32 * 16, 32 * 16 + 1
    count = sum(p.numel() for p in model.generator.parameters())
    assert count == linear + norms + up + out
    first, second, norm = 32 * 16 + 32, 32 * 64 * 16, 2 * 64
    count = sum(p.numel() for p in model.discriminator.parameters())
    assert count == first + second + norm + 64 * 49 + 1


def test_the_mlp_has_the_layers_of_2014(make):
    model = make("model.variant=mlp", "model.code_size=100")
    shapes = [tuple(p.shape) for p in model.generator.parameters() if p.ndim == 2]
    assert shapes == [(1200, 100), (1200, 1200), (784, 1200)]
    shapes = [tuple(p.shape) for p in model.discriminator.parameters() if p.ndim == 2]
    assert shapes == [(5 * 240, 784), (5 * 240, 240), (1, 240)]


def test_a_maxout_unit_is_the_largest_of_its_five_pieces(make):
    layer = make("model.variant=mlp", "model.discriminator_norm=none").discriminator[1]
    x = torch.rand(3, 784)
    pieces = F.linear(x, layer.pieces.weight, layer.pieces.bias)
    expected = torch.stack([pieces[:, 5 * u : 5 * u + 5].max(1)[0] for u in range(240)])
    torch.testing.assert_close(layer(x), expected.T)


@pytest.mark.parametrize("variant", ["dcgan", "mlp"])
def test_draws_pixels_in_0_to_1_and_scores_each_image(make, batch, variant):
    model = make(f"model.variant={variant}")
    drawn = model.sample(5, seed=1)
    assert drawn.shape == (5, 1, 28, 28)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert model(batch[0]).shape == (8,)


def test_a_seed_always_draws_the_same_alone_and_among_others(make):
    model = make()
    model.train()
    five = model.sample(5, seed=1)
    assert torch.equal(model.sample(5, seed=1), five)
    assert not torch.equal(model.sample(5, seed=2), five)
    torch.testing.assert_close(model.sample(2, seed=1), five[:2])


@pytest.mark.parametrize("variant", ["dcgan", "mlp"])
def test_spectral_norm_holds_the_largest_singular_value_at_1(make, batch, variant):
    model = make(f"model.variant={variant}", "model.discriminator_norm=spectral")
    for _ in range(200):  # a power iteration at each forward pass
        model(batch[0])
    layers = [
        m for m in model.discriminator.modules() if hasattr(m, "parametrizations")
    ]
    assert len(layers) == 3
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item()
        assert largest == pytest.approx(1, rel=0.02)


# ------------------------------------------------------------------ the game


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("variant", ["dcgan", "mlp"])
def test_every_weight_of_both_players_gets_a_gradient(make, batch, variant, loss):
    model = make(f"model.variant={variant}", f"model.loss={loss}")
    model.measure(batch)["loss"].backward()
    for player in (model.generator, model.discriminator):
        still = [n for n, p in player.named_parameters() if p.grad.abs().sum() == 0]
        # What is added to real and fake scores alike is nothing to these two.
        linear = loss in ("hinge", "wasserstein_gp")
        assert all(linear and name.endswith("bias") for name in still), still
    assert all(p.grad is None for p in model.averaged.parameters())


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_each_player_gets_its_own_losss_gradient_alone(make, batch, norm):
    model = make(f"model.discriminator_norm={norm}")
    torch.manual_seed(3)
    model.measure(batch)["loss"].backward()
    torch.manual_seed(3)
    code = torch.randn(8, 4)
    fake, players = model.generator(code), (model.generator, model.discriminator)
    d = F.softplus(-model(batch[0])).mean() + F.softplus(model(fake.detach())).mean()
    g = F.softplus(-model(fake)).mean()
    for player, loss in zip(players, (g, d), strict=True):
        weights = list(player.parameters())
        wanted = torch.autograd.grad(loss, weights, retain_graph=True)
        for weight, gradient in zip(weights, wanted, strict=True):
            torch.testing.assert_close(weight.grad, gradient)


def test_a_player_held_still_passes_gradients_and_keeps_none(make, batch):
    model = make()
    image = batch[0].requires_grad_()
    with held_still(model.discriminator):
        scores = model(image)
    scores.sum().backward()
    assert image.grad.abs().sum() > 0
    assert all(p.grad is None for p in model.discriminator.parameters())
    assert all(p.requires_grad for p in model.discriminator.parameters())


def test_a_step_equals_alternating_steps_of_two_optimizers(make, batch):
    """The generator first; then the discriminator, on the fakes drawn before."""
    numbers = ("model.discriminator_norm=none", "optimizer=adam", "optimizer.lr=0.01")
    together, apart = make(*numbers), make(*numbers)
    one = together.make_optimizer(together.parameters())
    two = [
        apart.make_optimizer(p.parameters())
        for p in (apart.generator, apart.discriminator)
    ]
    for step in range(5):
        torch.manual_seed(step)
        one.zero_grad()
        together.measure(batch)["loss"].backward()
        one.step()
        torch.manual_seed(step)
        fake = apart.generator(torch.randn(8, 4))
        two[0].zero_grad()
        F.softplus(-apart(fake)).mean().backward()
        # the discriminator still stands where it stood: only the generator moves
        two[0].step()
        two[1].zero_grad()
        loss = (
            F.softplus(-apart(batch[0])).mean()
            + F.softplus(apart(fake.detach())).mean()
        )
        loss.backward()
        two[1].step()
    pairs = zip(together.parameters(), apart.parameters(), strict=True)
    for name, (weight, other) in zip(
        dict(together.named_parameters()), pairs, strict=True
    ):
        if not name.startswith("averaged"):
            torch.testing.assert_close(weight, other, rtol=1e-4, atol=1e-6)


def test_the_generator_learns_at_every_nth_step_only(make):
    model = make("model.discriminator_steps=3")
    seen, turns = [], []
    step = model.optimizer_step

    def watch(*arguments, **named):
        before = copy_of(model.generator), copy_of(model.discriminator)
        step(*arguments, **named)
        turns.append(any(has_moved(model.generator, before[0])))
        seen.append(any(has_moved(model.discriminator, before[1])))

    model.optimizer_step = watch
    fit(model, Blobs(5))
    assert seen == [True] * 8
    assert turns == [False, False, True] * 2 + [False, False]


def test_learns_to_draw_one_batch(make):
    model = make("model.feature_maps=8", "model.average_decay=0.9")
    row = torch.linspace(0, 1, 28)
    real = row.expand(16, 1, 28, 28).contiguous()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.5, 0.999))
    error = (model.sample(8, seed=0) - row).abs().mean()
    for _ in range(150):
        optimizer.zero_grad()
        model.measure((real, torch.zeros(16)))["loss"].backward()
        optimizer.step()
        model._average()
    assert (model.sample(8, seed=0) - row).abs().mean() < error / 2


# -------------------------------------------------- what a step means elsewhere


def test_ten_batches_are_ten_steps(make):
    assert fit(make(), Blobs(4)).global_step == 10
    assert fit(make(), Blobs(4), max_steps=6).global_step == 6
    assert fit(make(), Blobs(4), accumulate_grad_batches=2).global_step == 5


def test_accumulated_halves_are_one_large_batch(make, monkeypatch):
    # Batch norm would see halves, so the networks of 2014; the same codes for both.
    numbers = ("model.variant=mlp", "model.discriminator_norm=none")
    codes = torch.randn(40, 4, generator=torch.Generator().manual_seed(4))
    weights = []
    for size, every in ((40, 1), (20, 2)):
        model = make(*numbers, "optimizer=sgd")
        left = list(codes.split(size))
        monkeypatch.setattr(torch, "randn", lambda *_, left=left, **__: left.pop(0))
        before = copy_of(model)
        trainer = fit(model, Blobs(size), accumulate_grad_batches=every)
        monkeypatch.undo()
        assert trainer.global_step == 1
        weights.append([w - b for w, b in zip(copy_of(model), before, strict=True)])
    for one, other in zip(*weights, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)


def test_clips_each_players_gradient_to_the_given_length(make):
    lengths = {}
    for clip in (None, 1e-3):
        model = make("optimizer=sgd", "optimizer.lr=1", "model.loss=hinge")
        players = {"generator": model.generator, "discriminator": model.discriminator}
        before = {name: copy_of(player) for name, player in players.items()}
        fit(model, Blobs(20), max_steps=1, gradient_clip_val=clip)
        for name, player in players.items():
            lengths[clip, name] = distance(player, before[name])
    for name in ("generator", "discriminator"):
        assert lengths[None, name] > 2e-3
        assert lengths[1e-3, name] == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("loss", ["non_saturating", "wasserstein_gp"])
def test_bfloat16_trains_both_players_with_32_bit_weights(make, loss):
    model = make(f"model.loss={loss}")
    before = copy_of(model.generator), copy_of(model.discriminator)
    fit(model, Blobs(20), precision="bf16-mixed")
    assert all(has_moved(model.generator, before[0]))
    moved = has_moved(model.discriminator, before[1])
    assert all(m for m, b in zip(moved, before[1], strict=True) if b.ndim > 1)
    assert all(
        p.dtype == torch.float32 and p.isfinite().all() for p in model.parameters()
    )


def test_the_average_follows_the_generator_and_is_in_the_state(make):
    model = make("model.average_decay=0.9")
    assert not any(has_moved(model.averaged, copy_of(model.generator)))
    first = model.averaged[0].weight.clone()
    trainer = fit(model, Blobs(20), max_steps=1)
    assert trainer.global_step == 1
    # young: (1 + 0) / (10 + 0) of the first weights are left
    expected = first.lerp(model.generator[0].weight, 0.9)
    torch.testing.assert_close(model.averaged[0].weight, expected)
    again = make("model.average_decay=0.9")
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.sample(3, seed=0), model.sample(3, seed=0))


# ----------------------------------------------------------------- whole runs

RUN = (
    "model=gan",
    "data=digits",
    "model.feature_maps=2",
    "model.judged=50",
    "model.judged_in_training=50",
    "schedule=cosine",
    "trainer.max_epochs=2",
    "+trainer.limit_train_batches=6",
    "trainer.accumulate_grad_batches=2",
    "trainer.gradient_clip_val=1.0",
    "checkpoint_seconds=0",
    "pictures=0",
    "logger=[]",
)


def run_and_be_killed(at_batch: int, *words: str) -> int:
    """Run a command in a process that is killed once it has done some batches."""
    process = os.fork()
    if process == 0:
        before = GAN.on_train_batch_start

        def deadly(self: GAN, batch: object, batch_idx: int) -> None:
            if self.trainer.fit_loop.total_batch_idx + 1 == at_batch:
                os.kill(os.getpid(), signal.SIGKILL)
            before(self, batch, batch_idx)

        GAN.on_train_batch_start = deadly
        try:
            main(words)
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.mark.parametrize(
    "at_batch",
    [
        pytest.param(3, marks=pytest.mark.slow),
        7,
        pytest.param(11, marks=pytest.mark.slow),
    ],
)
def test_a_killed_run_continues_both_players_to_the_same_bits(nnlab, at_batch):
    assert nnlab(*RUN, "folder=whole").status == 0
    whole = torch.load("whole/checkpoints/last.ckpt", weights_only=True)
    assert whole["global_step"] == 6
    assert run_and_be_killed(at_batch, *RUN, "folder=killed") == -signal.SIGKILL
    assert nnlab("resume=killed").status == 0
    again = torch.load("killed/checkpoints/last.ckpt", weights_only=True)
    for name, weight in whole["state_dict"].items():
        assert torch.equal(weight, again["state_dict"][name]), name
    states = (x["optimizer_states"][0]["state"] for x in (whole, again))
    for one, other in zip(*(state.values() for state in states), strict=True):
        assert all(torch.equal(one[key], other[key]) for key in one)
    metrics = Path("whole/metrics.jsonl").read_text()
    assert Path("killed/metrics.jsonl").read_text() == metrics


def test_a_run_says_how_real_its_samples_are_and_on_what_scale(nnlab):
    answer = nnlab(*RUN, "folder=run")
    assert answer.status == 0
    result = json.loads(Path("run/result.json").read_text())
    metrics = result["metrics"]
    shares = [metrics[f"test/share_of_{digit}"] for digit in range(10)]
    assert sum(shares) == pytest.approx(1)
    assert metrics["test/share_of_rarest_digit"] == pytest.approx(min(shares))
    assert 1 <= metrics["test/classifier_score"] <= 10
    assert metrics["test/fid"] > metrics["test/fid_of_real"]
    assert metrics["test/fid_of_noise"] > metrics["test/fid_of_real"]
    for words in ("FID", "other real ones", "blurred ones", "noise", "rarest digit"):
        assert words in result["remark"]
    assert result["steps"] == 6
    assert list(Path("run/figures").glob("samples.png"))


def test_draws_a_grid_from_the_same_codes_each_time(make, batch):
    model = make().eval()
    pictures = model.illustrate(batch)
    assert isinstance(pictures["samples"], Figure)
    [axes] = pictures["samples"].axes
    assert len(axes.images) == 64
    assert "the generator" in pictures["samples"].get_suptitle()


# ------------------------------------------------------------------ bad input


def test_refuses_images_of_another_size_than_the_generators(nnlab):
    answer = nnlab("model=gan", "data=digits", "model.height=32")
    assert answer.status == 2
    assert "model.height=32" in answer.err
    assert "28x28" in answer.err
    assert answer.err.count("\n") == 1
    assert not list(Path().glob("outputs/*"))


def test_refuses_pixels_of_another_range(nnlab):
    answer = nnlab("model=gan", "data=digits", "data.mean=0.3")
    assert answer.status == 2
    assert "data.mean=0.0 data.standard_deviation=1.0" in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("model.height=30",), "model.variant=mlp"),
        (
            ("model.discriminator_norm=batch", "model.loss=wasserstein_gp"),
            "model.loss=wasserstein_gp",
        ),
        (("model.discriminator_norm=batch", "model.variant=mlp"), "model.variant=mlp"),
        (("model.loss=wassertein_gp",), "did you mean wasserstein_gp"),
        (("model.code_size=0",), "model.code_size=0"),
    ],
)
def test_refuses_choices_that_do_not_go_together(build, words, named):
    with pytest.raises(UserError, match=named):
        build("model=gan", *SIZE, *words)


@pytest.mark.parametrize(
    "callback", [StochasticWeightAveraging(1e-3), EMAWeightAveraging(decay=0.9)]
)
def test_refuses_to_average_both_players(make, callback):
    with pytest.raises(UserError, match=f"takes no {type(callback).__name__}"):
        fit(make(), Blobs(20), callbacks=[callback])
