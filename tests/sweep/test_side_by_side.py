"""As many jobs at once as the machine has room for."""

import pytest

from nnlab import cores
from nnlab.sweep import command, side_by_side
from nnlab.sweep.pool import Pool

GIGABYTE = 2**30


@pytest.fixture(autouse=True)
def sixteen_cores(monkeypatch):
    monkeypatch.setattr(side_by_side, "cores_here", lambda: 16)
    monkeypatch.setattr(cores.os, "cpu_count", lambda: 16)


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


def test_an_apple_gpu_has_one_job(monkeypatch):
    assert workers(config(accelerator="mps")) == 1
    monkeypatch.setattr(side_by_side.sys, "platform", "darwin")
    assert workers(config(accelerator="auto")) == 1
    assert workers(config()) == 16


def test_processes_of_a_job_count():
    assert workers(config(devices="4")) == 4
    assert workers(config(devices="auto")) == workers(config(devices=[0])) == 16


@pytest.fixture
def files(monkeypatch):
    """Return the system's files by path, to be filled."""
    content = {}

    def lines(file):
        return content.get(str(file), "").splitlines()

    monkeypatch.setattr(side_by_side, "lines_of", lines)
    monkeypatch.setattr(cores, "lines_of", lines)
    return content


def test_free_memory_is_what_the_system_says(files):
    assert side_by_side.free_memory() is None
    files["/proc/meminfo"] = "MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable:   5 kB\n"
    assert side_by_side.free_memory() == 5 * 1024


@pytest.mark.parametrize("own", ["", "/slurm/job_7/step_0"])
def test_a_container_or_a_batch_job_has_less(files, own):
    files["/proc/meminfo"] = "MemAvailable: 5 kB\n"
    files["/proc/self/cgroup"] = f"1:cpu:/\n0::{own or '/'}\n"
    limited = "/sys/fs/cgroup" + own.removesuffix("/step_0")
    files[f"{limited}/memory.max"] = "3000\n"
    files[f"{limited}/memory.current"] = "1000\n"
    assert side_by_side.free_memory() == 2000
    # What it keeps of files that were read is given back when it is needed.
    files[f"{limited}/memory.stat"] = "anon 100\ninactive_file 600\n"
    assert side_by_side.free_memory() == 2600
    files[f"{limited}/memory.max"] = "max\n"
    assert side_by_side.free_memory() == 5 * 1024


def test_a_containers_quota_is_fewer_cores(files, monkeypatch):
    monkeypatch.setattr(
        cores.os, "sched_getaffinity", lambda process: range(64), raising=False
    )
    assert cores.cores_here() == 64
    files["/proc/self/cgroup"] = "0::/a/b\n"
    files["/sys/fs/cgroup/a/cpu.max"] = "250000 100000\n"
    assert cores.cores_here() == 2
    files["/sys/fs/cgroup/a/b/cpu.max"] = "50000 100000\n"
    assert cores.cores_here() == 1
    files["/sys/fs/cgroup/a/b/cpu.max"] = "max 100000\n"
    assert cores.cores_here() == 2


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
