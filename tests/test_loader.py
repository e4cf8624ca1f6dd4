"""A config composed in two parts is the one that Hydra composes in one."""

import pytest
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict

from nnlab.compose import Composer
from nnlab.errors import UserError

WORDS = [
    "",
    "seed=3",
    "model=lenet5 trainer.max_epochs=2 model.classes=3",
    "model.hidden_sizes=[3] model=mlp optimizer=momentum optimizer.momentum=0.8",
    "regularizer=[l1,dropout] regularizer.l1.weight=1e-4 callback=[]",
    "+note.deep=1 ++seed=2 ~logger.tensorboard ~trainer.max_epochs",
    "experiment=lenet5_mnist trainer.max_epochs=1",
    "model.hidden_sizes=[3] model={hidden_sizes:[4]} seed=2",
    "monitor={metric:val/accuracy} monitor.mode=max",
    "hydra.verbose=true seed=1 hydra.job.name=x",
    "+data@other=digits other.seed=1",
    "sweep=optuna sweep.trials=3",
]
REFUSED = [
    "zzz=1",
    "+seed=1",
    "~seed=7",
    "~nothing",
    "~reference",
    "~regularizer seed=2",
    "model=nothing",
    "seed@here=1",
    "seed.deep=1",
    "++model=mlp",
    "seed=1,2",
]


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


def by_hydra(composer: Composer, words: list[str]):
    config = composer.hydra.compose_config("config", words, RunMode.RUN)
    chosen = OmegaConf.to_container(config.hydra.runtime.choices)
    with open_dict(config):
        del config["hydra"]
    return config, chosen


@pytest.mark.parametrize("line", WORDS, ids=str)
def test_it_is_what_hydra_composes(line, composer):
    words = line.split()
    for _ in range(2):  # composed, then kept
        config, chosen = composer.loader.compose_run("config", words)
        wanted, wanted_choices = by_hydra(composer, words)
        assert chosen == wanted_choices
        assert OmegaConf.to_yaml(config) == OmegaConf.to_yaml(wanted)
        assert list(config) == list(wanted)
        assert OmegaConf.is_struct(config) is OmegaConf.is_struct(wanted)


@pytest.mark.parametrize("line", REFUSED, ids=str)
def test_it_is_refused_in_the_same_words(line, composer):
    with pytest.raises((HydraException, ValueError)) as theirs:
        by_hydra(composer, line.split())
    with pytest.raises((HydraException, ValueError)) as ours:
        composer.loader.compose_run("config", line.split())
    assert (type(ours.value), str(ours.value)) == (
        type(theirs.value),
        str(theirs.value),
    )


def test_what_is_kept_is_nobodys_to_change(composer):
    config = composer.compose(["model=mlp"])
    with open_dict(config):
        config["seed"] = 77
        config["model"]["hidden_sizes"].append(9)
    again = composer.compose(["model=mlp"])
    assert (again["seed"], 9 in again["model"]["hidden_sizes"]) == (0, False)


def test_the_options_of_only_so_many_choices_are_kept(composer, monkeypatch):
    monkeypatch.setattr("nnlab.loader.MOST_KEPT", 2)
    loader = Composer().loader
    for model in ("mlp", "lenet5", "perceptron", "mlp"):
        loader.compose_run("config", [f"model={model}"])
        assert len(loader._kept) <= 2


def test_a_mistake_is_told_in_one_sentence(composer):
    with pytest.raises(UserError) as raised:
        composer.compose(["zzz=1"])
    assert "\n" not in str(raised.value)
