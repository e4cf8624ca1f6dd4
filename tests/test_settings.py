"""A run's own settings: each wrong value is refused, each right one is let through."""

import pytest
import torch

from nnlab.errors import UserError
from nnlab.settings import check_settings


def config(**changes):
    base = {
        "seed": 0,
        "deterministic": False,
        "threads": 1,
        "output_dir": "outputs",
        "folder": None,
        "pictures": 6,
        "checkpoint_seconds": 30,
        "monitor": {"metric": "val/loss", "mode": "min"},
        "trainer": {"accelerator": "cpu", "devices": 1, "max_epochs": 2},
    }
    trainer = {**base["trainer"], **changes.pop("trainer", {})}
    return {**base, **changes, "trainer": trainer}


RIGHT = [
    {},
    {"seed": 0},
    {"seed": 2**32 - 1},
    {"threads": None},
    {"trainer": {"max_epochs": -1, "max_steps": 3}},
    {"trainer": {"max_epochs": None, "max_time": "00:00:10:00"}},
    {"trainer": {"devices": "auto"}},
    {"trainer": {"devices": "1"}},
    {"trainer": {"strategy": "ddp", "precision": "bf16-mixed"}},
    {"trainer": {"precision": 32}},
    {"trainer": {"accumulate_grad_batches": 4}},
    {"trainer": {"accelerator": "auto"}},
]
WRONG = [
    ({"seed": 2**32}, "seed=4294967296 must be less"),
    ({"seed": 1.5}, "seed=1.5 must be a whole number"),
    ({"threads": 0}, "threads=0 must be"),
    ({"deterministic": "yes"}, "deterministic=yes must be true or false"),
    ({"output_dir": 3}, "output_dir=3 must be a word"),
    ({"folder": 3}, "folder=3 must be a word"),
    ({"monitor": {"metric": 1, "mode": "min"}}, "monitor.metric=1 must be a word"),
    ({"trainer": {"max_epochs": -1}}, "never ends"),
    ({"trainer": {"max_epochs": -2}}, "max_epochs=-2 must be at least 1"),
    ({"trainer": {"max_steps": 0}}, "max_steps=0 must be at least 1"),
    ({"trainer": {"log_every_n_steps": 0}}, "log_every_n_steps=0 must be"),
    ({"trainer": {"accumulate_grad_batches": 0}}, "accumulate_grad_batches=0"),
    ({"trainer": {"devices": [7000]}}, "names devices that are not here"),
    ({"trainer": {"devices": [0]}}, "has none; give a count: 1"),
    ({"trainer": {"devices": []}}, "names devices that are not here"),
    ({"trainer": {"devices": True}}, "devices=True must be a whole number"),
    ({"trainer": {"devices": "many"}}, "devices=many must be a whole number"),
    ({"trainer": {"devices": 10**6}}, "more than there are here"),
    ({"trainer": {"accelerator": "abacus"}}, "accelerator=abacus is not known"),
    ({"trainer": {"strategy": "dpp"}}, "did you mean ddp?"),
    ({"trainer": {"precision": "17"}}, "precision=17 is not known"),
    ({"trainer": {"callbacks": []}}, "use callback="),
    ({"trainer": {"plugins": []}}, "use strategy= and precision="),
    ({"trainer": {"default_root_dir": "x"}}, "use output_dir="),
]


@pytest.mark.parametrize("changes", RIGHT, ids=str)
def test_right_settings_pass(changes):
    check_settings(config(**changes))


@pytest.mark.parametrize(("changes", "said"), WRONG, ids=str)
def test_wrong_settings_are_refused_in_one_sentence(changes, said):
    with pytest.raises(UserError, match=said) as raised:
        check_settings(config(**changes))
    assert "\n" not in str(raised.value)


def test_gpus_are_counted(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    check_settings(config(trainer={"accelerator": "gpu", "devices": 2}))
    check_settings(config(trainer={"accelerator": "gpu", "devices": [0, 1]}))
    with pytest.raises(UserError, match="more than there are here: 2 devices"):
        check_settings(config(trainer={"accelerator": "gpu", "devices": 3}))


def test_without_a_gpu_none_is_promised(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for accelerator in ("gpu", "cuda", "mps"):
        with pytest.raises(UserError, match="trainer=cpu runs everywhere"):
            check_settings(config(trainer={"accelerator": accelerator}))
