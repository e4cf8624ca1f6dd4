"""The sample plugins keep nnlab's contract: what they bring composes and learns."""

import importlib

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir

from nnlab import load
from nnlab.home import conf_folder
from nnlab.plugins import find_plugins, search_path


@pytest.fixture
def config_of():
    """Compose as nnlab does, with the plugins' conf/ on the search path."""

    def config_of(*overrides: str):
        paths = ",".join(f"'{path}'" for _, path in search_path(find_plugins()))
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            return compose("config", [f"hydra.searchpath=[{paths}]", *overrides])

    return config_of


@pytest.fixture
def make():
    """Make what a node's `_target_` names."""

    def make(node, **facts: int):
        module, _, name = node._target_.rpartition(".")
        arguments = {key: node[key] for key in node if str(key) not in facts}
        arguments.pop("_target_")
        return getattr(importlib.import_module(module), name)(**arguments, **facts)

    return make


def test_a_model_in_a_folder_brings_its_data(local_lab, config_of):
    config = config_of("model=adaline")
    assert config.model._target_ == "nnlab.ext.local_lab.model.Adaline"
    assert config.data._target_ == "nnlab.ext.local_lab.data.Moons"
    assert config_of("model=adaline", "data=xor").data._target_ != config.data._target_


def test_a_model_in_a_package_brings_its_data(pip_lab, config_of):
    config = config_of("model=regression")
    assert config.model._target_ == "pip_lab.regression.Regression"
    assert config.data._target_ == "pip_lab.line.Line"


def test_experiments_of_plugins_are_differences(local_lab, pip_lab, config_of):
    config = config_of("experiment=adaline_moons")
    assert (config.data.noise, config.data.points) == (0, 200)
    config = config_of("experiment=regression_line")
    assert (config.data.slope, config.trainer.max_epochs) == (5, 3)


def test_adaline_measures_what_widrow_and_hoff_minimise(local_lab, config_of, make):
    config = config_of("model=adaline", "seed=3")
    data = make(config.data)
    model = make(config.model, **data.facts())
    batch = data.prepare(next(iter(data.train_dataloader())))
    x, label = (part.numpy() for part in batch)
    weight, bias = (part.detach().numpy() for part in model.sum.parameters())
    error = np.where(label == 1, 1, -1) - (x @ weight[0] + bias)
    measured = model.measure(batch)
    assert measured["loss"].item() == pytest.approx(np.mean(error**2), rel=1e-5)
    right = np.mean((x @ weight[0] + bias > 0) == (label == 1))
    assert measured["accuracy"].item() == pytest.approx(right)


def test_moons_lie_on_two_half_circles(local_lab, config_of, make):
    data = make(config_of("data=moons", "data.noise=0").data)
    data.setup()
    x, label = data.splits.test
    radius = {0: x[label == 0], 1: x[label == 1] - torch.tensor([1.0, 0.5])}
    for part in radius.values():
        assert torch.allclose(part.norm(dim=1), torch.ones(100))
    assert (radius[0][:, 1] >= 0).all()
    assert (radius[1][:, 1] <= 0).all()


def test_regression_finds_the_line(pip_lab, config_of, make):
    config = config_of("experiment=regression_line")
    data = make(config.data)
    model = make(config.model, **data.facts())
    data.setup()
    x, y = data.splits.train
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for _ in range(60):
        optimizer.zero_grad()
        model.measure((x, y))["loss"].backward()
        optimizer.step()
    slope, offset = (part.item() for part in model.linear.parameters())
    assert (slope, offset) == pytest.approx((5, -1), abs=1e-3)


def test_a_run_of_plugins_is_loaded_in_python(pip_lab, nnlab):
    answer = nnlab("experiment=regression_line", "callback=[]", "folder=run")
    assert answer.status == 0, answer.err
    run = load("run")
    errors = [(run.model(x) - y).square() for x, y in run.batches("test")]
    assert torch.cat(errors).mean().item() == pytest.approx(
        run.metrics["test/loss"], rel=1e-5
    )
    assert (run.data.slope, run.config["choices"]["model"]) == (5, "regression")
