import math
import os
import signal
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from matplotlib.figure import Figure
from torch.distributions import Bernoulli, Normal, kl_divergence

from nnlab.errors import UserError
from nnlab.model.autoencoder import Autoencoder, divergence_of_rates, squared_error
from nnlab.record import Record

VARIANTS = ("deep", "convolutional", "denoising", "sparse", "variational")
SMALL = ("model.height=28", "model.width=28", "model.hidden_sizes=[40]")

SHORT = ("model.hidden_sizes=[30]", "trainer.max_epochs=2", "pictures=0", "logger=[]")
BATCHES = 9  # an epoch's: 1,077 digits by 128


def read(folder: str) -> dict[str, Any]:
    return torch.load(f"{folder}/checkpoints/last.ckpt", weights_only=True)


@pytest.fixture
def make(build):
    def make(variant: str, *overrides: str) -> Autoencoder:
        torch.manual_seed(0)
        words = (f"model.variant={variant}", *SMALL, *overrides)
        return build("model=autoencoder", *words)

    return make


@pytest.fixture(params=VARIANTS)
def model(make, request) -> Autoencoder:
    return make(request.param, "model.code_size=6")


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.rand(16, 1, 28, 28).round(), torch.arange(16) % 10


def weights(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_gives_an_image_of_the_same_shape_through_a_code_of_that_size(model, batch):
    image, _ = batch
    code = model.encode(image)
    assert code.shape == (16, 6)
    assert model.decode(code).shape == model(image).shape == (16, 1, 28, 28)
    assert 0 <= model(image).min() <= model(image).max() <= 1


def test_the_default_has_the_papers_layers_and_2837314_weights(build):
    model = build("model=autoencoder", "model.height=28", "model.width=28")
    sizes = [784, 1000, 500, 250, 30, 250, 500, 1000, 784]
    linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
    assert [m.in_features for m in linear] == sizes[:-1]
    assert [m.out_features for m in linear] == sizes[1:]
    pairs = pairwise(sizes)
    assert weights(model) == sum(a * b + b for a, b in pairs) == 2_837_314


def test_the_code_is_linear_as_the_papers(build):
    model = build("model=autoencoder", "model.height=28", "model.width=28")
    assert isinstance(model.encoder[-1], torch.nn.Linear)


def test_the_convolutional_variant_has_as_many_weights_as_counted_by_hand(make):
    model = make("convolutional", "model.code_size=6", "model.feature_maps=[16,32]")
    down = 16 * (16 + 1) + 32 * (16 * 16 + 1) + 6 * (32 * 49 + 1)
    up = 32 * 49 * (6 + 1) + 16 * (32 * 16) + 16 + (16 * 16 + 1)
    assert weights(model) == down + up


def test_every_weight_gets_a_gradient(model, batch):
    model.measure(batch)["loss"].backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


def test_learns_one_batch_by_heart(model, batch):
    model.sparsity_weight, model.masked = 0.0, 0.1
    few = (batch[0][:4], batch[1][:4])
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    before = model.eval().measure(few)["squared_error"]
    for _ in range(200):
        optimizer.zero_grad()
        model.train().measure(few)["loss"].backward()
        optimizer.step()
    assert model.eval().measure(few)["squared_error"] < before / 5


def test_the_error_is_summed_over_pixels_and_averaged_over_images():
    image, other = torch.zeros(2, 1, 28, 28), torch.zeros(2, 1, 28, 28)
    other[0] = 0.5  # 784 pixels off by a half, in one image of two
    assert squared_error(image, other) == 784 * 0.25 / 2


def test_the_loss_of_the_deep_variant_is_that_error(make, batch):
    measured = make("deep").eval().measure(batch)
    assert measured["loss"] == measured["squared_error"]


def test_the_bound_is_the_expected_likelihood_minus_the_divergence(make, batch):
    model, (image, _) = make("variational", "model.code_size=3").eval(), batch
    torch.manual_seed(5)
    measured = model.measure(batch)
    mean, log_variance = model.encoder(image).chunk(2, dim=1)
    posterior = Normal(mean, (log_variance / 2).exp())
    torch.manual_seed(5)
    code = posterior.mean + posterior.stddev * torch.randn(16, 3)
    likelihood = Bernoulli(logits=model.decoder(code)).log_prob(image).sum((1, 2, 3))
    divergence = kl_divergence(posterior, Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(measured["elbo"], (likelihood - divergence).mean())
    torch.testing.assert_close(measured["divergence"], divergence.mean())
    assert measured["loss"] == -measured["elbo"]


def test_the_bound_is_below_the_true_likelihood(make):
    # of one latent number, so that the integral over it can be done by a sum
    model = make("variational", "model.code_size=1").eval()
    image = torch.rand(1, 1, 28, 28).round()
    code = torch.linspace(-8, 8, 4001).view(-1, 1)
    logits = model.decoder(code)
    target = image.expand(4001, -1, -1, -1)
    likelihood = Bernoulli(logits=logits).log_prob(target).sum((1, 2, 3))
    log_joint = likelihood + Normal(0.0, 1.0).log_prob(code[:, 0])
    truth = log_joint.double().logsumexp(0) + math.log(16 / 4000)
    bounds = [model.measure((image, None))["elbo"] for _ in range(200)]
    assert torch.stack(bounds).mean() <= truth


def test_the_penalty_is_zero_where_units_are_on_as_often_as_wanted_only():
    assert divergence_of_rates(torch.full((8, 3), 0.1), 0.1).abs() < 1e-6
    often = divergence_of_rates(torch.full((8, 1), 0.5), 0.1)
    expected = 0.1 * math.log(0.1 / 0.5) + 0.9 * math.log(0.9 / 0.5)
    assert often.item() == pytest.approx(expected, rel=1e-5)
    assert divergence_of_rates(torch.zeros(8, 1), 0.1).isfinite()


def test_the_penalty_turns_units_off(make, batch):
    model = make("sparse", "model.code_size=20", "model.sparsity_weight=100.0")
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(100):
        optimizer.zero_grad()
        model.measure(batch)["loss"].backward()
        optimizer.step()
    assert model.measure(batch)["active"].item() == pytest.approx(0.1, abs=0.03)


def test_the_denoising_variant_repairs_what_it_sees_damaged(make, batch):
    model = make("denoising", "model.masked=0.2").train()
    seen = []
    model.encoder.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    ones = torch.ones(16, 1, 28, 28)
    loss = model.measure((ones, None))["loss"]
    assert seen[0].mean().item() == pytest.approx(0.8, abs=0.02)
    assert set(seen[0].unique().tolist()) == {0.0, 1.0}
    assert loss == squared_error(model(seen[0]), ones)


def test_is_judged_on_whole_images_and_the_codes_mean(model, batch):
    measured = model.eval().measure(batch)
    assert measured["squared_error"] == squared_error(model(batch[0]), batch[0])


def test_samples_are_images_that_the_seed_decides(make):
    model = make("variational")
    images = model.sample(5, 7)
    assert images.shape == (5, 1, 28, 28)
    assert 0 <= images.min() < images.max() <= 1
    assert torch.equal(images, model.sample(5, 7))
    assert not torch.equal(images, model.sample(5, 8))


def test_only_the_variational_variant_draws_samples(make):
    with pytest.raises(UserError, match=r"model\.variant=variational draws images"):
        make("deep").sample(5, 7)


def test_refuses_to_halve_an_image_that_cannot_be(make):
    with pytest.raises(ValueError, match=r"feature_maps=\[4, 8, 16\].*28x28"):
        make("convolutional", "model.feature_maps=[4,8,16]")


def test_refuses_a_code_of_no_numbers(make):
    with pytest.raises(UserError, match=r"model\.code_size=0 must be"):
        make("deep", "model.code_size=0")


def test_refuses_pixels_outside_0_to_1(make, batch):
    model = make("deep")
    model._trainer = SimpleNamespace(global_step=0, current_epoch=0, global_rank=0)
    image, _ = batch
    model.on_train_batch_start((image, None), 0)
    with pytest.raises(UserError, match=r"data\.standard_deviation=1"):
        model.on_train_batch_start((image - 0.4, None), 0)


def test_says_how_the_error_compares_with_the_mean_images(make, batch):
    model, (image, _) = make("deep", "model.code_size=6").eval(), batch
    error = (model(image) - image).square().mean()
    share = error / (image - image.mean(dim=0)).square().mean()
    said = model.remark(batch)
    assert said.startswith(f"Rebuilt from 6 numbers, an image is off by {share:.1%} of")


def test_illustrates_reconstructions_the_code_and_new_images(model, batch):
    pictures = model.eval().illustrate(batch)
    names = {"reconstructions", "code_map"}
    if model.variant == "variational":
        names |= {"samples", "latent_grid"}
    assert set(pictures) == names
    assert all(isinstance(picture, Figure) for picture in pictures.values())
    assert all(p.get_suptitle() for n, p in pictures.items() if n != "code_map")


@pytest.mark.parametrize("variant", ["denoising", "variational"])
def test_a_run_stopped_within_an_epoch_continues_to_the_same_weights(
    nnlab, monkeypatch, variant
):
    words = (
        "model=autoencoder",
        "data=digits",
        "data.repeats=1",
        f"model.variant={variant}",
        *SHORT,
    )
    assert nnlab(*words, "folder=whole").status == 0
    with monkeypatch.context() as patch:
        logged = Record.on_train_batch_end

        def stop_at_batch_7(self, trainer, *arguments):
            logged(self, trainer, *arguments)
            if trainer.fit_loop.total_batch_idx + 1 == 7:
                os.kill(os.getpid(), signal.SIGTERM)

        patch.setattr(Record, "on_train_batch_end", stop_at_batch_7)
        assert nnlab(*words, "folder=parts").status == 143
    assert read("parts")["global_step"] == 7
    assert nnlab("resume=parts").status == 0
    whole, parts = read("whole"), read("parts")
    assert whole["global_step"] == parts["global_step"] == 2 * BATCHES
    for name, weight in whole["state_dict"].items():
        assert torch.equal(weight, parts["state_dict"][name])


@pytest.mark.parametrize("variant", ["deep", "variational"])
def test_a_run_on_digits_is_complete_and_judged_beside_pca(nnlab, variant):
    answer = nnlab(
        "model=autoencoder",
        "data=digits",
        "data.repeats=1",
        f"model.variant={variant}",
        *SHORT,
        "folder=run",
    )
    assert answer.status == 0, answer.err
    for name in ("squared_error", "pca_squared_error", "probe_accuracy"):
        assert name in answer.out
