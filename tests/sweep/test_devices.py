"""GPUs are handed out one job each; no GPU is needed to know it."""

import os

import pytest

from nnlab.sweep.devices import Devices, Grant, gpus_here, threads_each

GPU = {"accelerator": "gpu", "devices": 1}


def taken(grant: Grant | None) -> str:
    assert grant is not None
    return grant.environment["CUDA_VISIBLE_DEVICES"]


def test_a_gpu_has_one_job_at_a_time():
    devices = Devices(["0", "1"])
    first, second = devices.take(GPU), devices.take(GPU)
    assert (taken(first), taken(second)) == ("0", "1")
    assert devices.take(GPU) is None, "it waits"
    devices.give_back(first)
    assert taken(devices.take(GPU)) == "0"


def test_a_job_of_two_gpus_waits_for_two():
    devices = Devices(["0", "1", "2"])
    first = devices.take(GPU)
    pair = devices.take({"accelerator": "cuda", "devices": 2})
    assert taken(pair) == "1,2"
    assert devices.take({"accelerator": "gpu", "devices": -1}) is None
    devices.give_back(first)
    devices.give_back(pair)
    assert taken(devices.take({"accelerator": "gpu", "devices": -1})) == "0,1,2"


def test_a_job_that_names_its_gpu_gets_that_one_and_sees_all():
    devices = Devices(["0", "1"])
    chosen = {"accelerator": "gpu", "devices": [1]}
    grant = devices.take(chosen)
    assert grant is not None
    assert (grant.gpus, grant.environment) == (("1",), {})
    assert devices.take(chosen) is None
    assert taken(devices.take(GPU)) == "0"


@pytest.mark.parametrize("trainer", [{"accelerator": "cpu"}, {"accelerator": "mps"}])
def test_a_job_on_the_cpu_takes_no_gpu(trainer):
    devices = Devices(["0"])
    assert devices.take(trainer) == devices.take(trainer) == Grant()
    assert taken(devices.take({"accelerator": "auto", "devices": "auto"})) == "0"


def test_where_there_is_no_gpu_nobody_waits():
    assert Devices([]).take(GPU) == Grant()


def test_only_the_gpus_that_the_sweep_sees_are_handed_out():
    assert gpus_here({}, 2) == ["0", "1"]
    assert gpus_here({"CUDA_VISIBLE_DEVICES": "5, GPU-7f"}, 2) == ["5", "GPU-7f"]
    assert gpus_here({"CUDA_VISIBLE_DEVICES": ""}, 0) == []


def test_threads_are_shared_unless_the_user_says_how_many(monkeypatch):
    monkeypatch.setattr(
        os, "sched_getaffinity", lambda process: range(8), raising=False
    )
    assert [threads_each({}, workers) for workers in (1, 3, 16)] == [8, 2, 1]
    assert threads_each({"OMP_NUM_THREADS": "3,1"}, 2) == 3
    assert threads_each({"OMP_NUM_THREADS": "many"}, 2) == 4
