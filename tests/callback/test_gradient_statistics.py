"""Each layer's gradient, as the optimizer takes it, and where it vanishes."""

import pytest
import torch
from nnlab.ext.callback.gradient_statistics import GradientStatistics

from .conftest import rows

QUICK = ("data.repeats=5", "trainer.max_epochs=1", "pictures=0", "logger=[]")
LOGGED = ("callback=[gradient_statistics]", "trainer.log_every_n_steps=1", "folder=run")


def test_every_layer_is_logged_at_the_steps_that_are(watched):
    found = [row for row in rows(watched) if "gradient/norm" in row]
    assert [row["step"] for row in found] == [5, 10, 15, 20, 25, 30]
    layers = {f"gradient/hidden.{n}" for n in (0, 3, 6, 9)}
    assert {*found[0]} == {*layers, "gradient/output", "gradient/norm", "step", "epoch"}


def test_vanishing_gradients_are_drawn_and_named(watched):
    first = next(row for row in rows(watched) if "gradient/norm" in row)
    falling = [first[f"gradient/{n}"] for n in ("hidden.0", "hidden.6", "output")]
    assert falling[0] < 0.05 * falling[1] < 0.05**2 * falling[2]
    assert (watched / "figures/over_training/gradients_00000030.png").is_file()
    log = (watched / "log.txt").read_text()
    assert "the gradient vanishes: hidden.0 gets" in log
    assert "the gradient vanishes: output" not in log


@pytest.mark.parametrize("window", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_it_is_the_root_mean_square_of_what_the_optimizer_takes(
    window, nnlab, monkeypatch
):
    taken = []

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        taken.append([p.grad.clone() for p in self.param_groups[0]["params"]])
        return loss

    monkeypatch.setattr("nnlab.optimizer.adam.Adam.step", step)
    words = (*LOGGED, f"trainer.accumulate_grad_batches={window}")
    answer = nnlab(*QUICK, *words)
    assert answer.status == 0, answer.err
    found = [row for row in rows() if "gradient/norm" in row]
    taken = taken[-len(found) :]  # without the trial's
    assert len(found) == -(-5 // window)
    for row, (weight, bias, *_) in zip(found, taken, strict=True):
        together = torch.cat([weight.flatten(), bias]).double()
        expected = together.square().mean().sqrt().item()
        assert row["gradient/hidden.0"] == pytest.approx(expected, rel=1e-5)
    norm = torch.cat([part.flatten() for part in taken[-1]]).double().norm().item()
    assert found[-1]["gradient/norm"] == pytest.approx(norm, rel=1e-5)


def test_a_long_run_keeps_as_many_rows_as_can_be_drawn():
    callback = GradientStatistics(vanishing=0.1)
    callback.rows = {step: {"a": 1.0} for step in range(10)}
    callback.load_state_dict(callback.state_dict())
    assert callback._vanished() == {}
    callback.rows = {0: {"a": 1.0, "b": 100.0}}
    assert callback._vanished() == {"a": 0.01}
