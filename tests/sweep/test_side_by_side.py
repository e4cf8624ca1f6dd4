"""As many jobs at once as the machine has room for."""

import pytest

from nnlab.sweep import command, side_by_side
from nnlab.sweep.pool import Pool

GIGABYTE = 2**30


@pytest.fixture(autouse=True)
def sixteen_cores(monkeypatch):
    monkeypatch.setattr(side_by_side, "cores_here", lambda: 16)


def config(threads=1, **trainer):
    return {"threads": threads, "trainer": {"accelerator": "cpu", **trainer}}


def workers(*configs, gpus=0, environment=None, memory=64 * GIGABYTE):
    return side_by_side.side_by_side(
        configs, gpus=gpus, environment=environment or {}, memory=memory
    )


def test_each_job_has_its_threads():
    assert workers(config()) == 16
    assert workers(config(threads=4)) == 4
    assert workers(config(threads=5)) == 3
    assert workers(config(threads=64)) == 1


def test_jobs_that_take_all_cores_come_one_after_the_other():
    assert workers(config(threads=None)) == 1
    assert workers(config(threads=None), environment={"OMP_NUM_THREADS": "8"}) == 2


def test_the_widest_job_says():
    assert workers(config(threads=1), config(threads=8)) == 2
    assert workers(config(threads=2, devices=4)) == 2


def test_a_gpu_has_one_job():
    on_gpu = config(accelerator="gpu", devices=1)
    assert workers(on_gpu, gpus=4) == 4
    assert workers(config(), on_gpu, gpus=4) == 4
    assert workers(on_gpu, gpus=4, memory=0) == 4
    assert workers(config(), gpus=4) == 16, "no job is for a GPU"


def test_each_job_has_a_gigabyte():
    assert workers(config(), memory=3 * GIGABYTE + 1) == 3
    assert workers(config(), memory=0) == 1
    assert workers(config(), memory=None) == 16


@pytest.fixture
def files(monkeypatch):
    content = {}
    monkeypatch.setattr(
        side_by_side, "_lines", lambda file: content.get(str(file), "").splitlines()
    )
    return content


def test_free_memory_is_what_the_system_says(files):
    assert side_by_side.free_memory() is None
    files["/proc/meminfo"] = "MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable:   5 kB\n"
    assert side_by_side.free_memory() == 5 * 1024


def test_a_container_has_less(files):
    files["/proc/meminfo"] = "MemAvailable: 5 kB\n"
    files["/sys/fs/cgroup/memory.max"] = "3000\n"
    files["/sys/fs/cgroup/memory.current"] = "1000\n"
    assert side_by_side.free_memory() == 2000
    files["/sys/fs/cgroup/memory.max"] = "max\n"
    assert side_by_side.free_memory() == 5 * 1024


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("seed=1,2",), 16),
        (("seed=1,2", "sweep.workers=3"), 3),
        (("seed=1,2", "threads=1,4"), 4),
        (("optimizer.lr=interval(0.001,0.1)", "sweep=optuna", "sweep.trials=1"), 1),
    ],
)
def test_a_sweep_uses_the_machine_and_a_search_hears_of_each_trial(
    instant, sweep, monkeypatch, words, wanted
):
    seen = []
    monkeypatch.setattr(command, "free_memory", lambda: None)
    monkeypatch.setattr(Pool, "run", lambda self, jobs: seen.append(self.workers))
    sweep(*words)
    assert seen == [wanted]
