from types import SimpleNamespace
from typing import Any

import pytest
import torch

from nnlab.callback import onednn
from nnlab.callback.compile import Compile


def on(device):
    strategy = SimpleNamespace(root_device=torch.device(device))
    return SimpleNamespace(strategy=strategy)


ON_CPU = on("cpu")


@pytest.mark.slow
def test_compiled_gives_the_eager_loss_and_keeps_every_name(build):
    torch.compiler.reset()  # what other tests compiled was of other sizes
    torch.manual_seed(0)
    sizes = ("model.vocabulary_size=65", "model.context_size=16")
    model = build("model=gpt", *sizes, "model.embedding_size=32", "model.layers=2")
    names = list(model.state_dict())
    text = torch.randint(65, (4, 17))
    batch = text[:, :-1], text[:, 1:]
    eager = model.measure(batch)["loss"]
    eager.backward()
    expected = [weight.grad.clone() for weight in model.parameters()]
    model.zero_grad()
    Compile(mode="default", device="any").setup(ON_CPU, model, "fit")
    compiled = model.measure(batch)["loss"]
    compiled.backward()
    torch.testing.assert_close(compiled, eager, atol=1e-5, rtol=1e-5)
    for weight, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(weight.grad, gradient, atol=1e-5, rtol=1e-3)
    assert list(model.state_dict()) == names


@pytest.mark.slow
def test_it_compiles_what_onednn_would_compute(build, monkeypatch):
    torch.compiler.reset()
    monkeypatch.setattr(onednn, "is_amd", lambda: True)
    model = build("model=mlp", "model.input_size=8", "model.classes=3")
    batch = torch.randn(16, 8), torch.randint(3, (16,))
    expected = model.measure(batch)["loss"].item()
    trainer: Any = ON_CPU
    onednn.OneDNN().setup(trainer, model, "fit")
    assert any("forward" in vars(layer) for layer in model.modules())
    Compile(mode="default", device="any").setup(trainer, model, "fit")
    loss = model.measure(batch)["loss"]
    loss.backward()
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_nothing_is_compiled_to_test(build):
    model = build("model=mlp", "model.input_size=2", "model.classes=2")
    Compile(mode="default", device="any").setup(ON_CPU, model, "test")
    assert "measure" not in vars(model)


@pytest.mark.parametrize(
    ("device", "here", "is_compiled"),
    [("cuda", "cpu", False), ("cuda", "cuda", True), ("any", "cpu", True)],
)
def test_it_compiles_only_where_it_should(
    device, here, is_compiled, build, monkeypatch
):
    monkeypatch.setattr(torch, "compile", lambda function, *, mode: function)
    model = build("model=mlp", "model.input_size=2", "model.classes=2")
    Compile(mode="default", device=device).setup(on(here), model, "fit")
    assert ("measure" in vars(model)) == is_compiled


@pytest.mark.parametrize(
    ("device", "accelerator", "acts"),
    [("any", "cpu", True), ("cuda", "cpu", False), ("cuda", "gpu", True)],
)
def test_it_refuses_partners_only_where_it_compiles(device, accelerator, acts):
    assert Compile(mode="default", device=device).acts_on(accelerator) == acts


def test_a_deterministic_run_is_not_compiled(build, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function, *, mode: function)
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: True)
    model = build("model=mlp", "model.input_size=2", "model.classes=2")
    Compile(mode="default", device="any").setup(ON_CPU, model, "fit")
    assert "measure" not in vars(model)
