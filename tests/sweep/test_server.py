"""The process that jobs come from: what a job finds, and that none is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nnlab.compose import Composer, plain
from nnlab.errors import RunFailed, UserError
from nnlab.sweep.job import Job
from nnlab.sweep.job_server import JOBS_LOCK, JobServer
from nnlab.sweep.machine import question

SHOWN = """
import json, os, random, signal, sys, threading, torch
print(json.dumps({
    "threads": len(os.listdir("/proc/self/task")),
    "cuda": torch.cuda.is_initialized(),
    "seed": torch.initial_seed(),
    "draw": torch.rand(1).item(),
    "python": random.random(),
    "torch threads": torch.get_num_threads(),
    "interrupt": str(signal.getsignal(2)),
    "signals": [int(signal.getsignal(number)) for number in (15, 1, 17)],
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "wakeup": signal.set_wakeup_fd(-1),
    "leader": os.getsid(0) == os.getpid(),
    "environment": {k: v for k, v in os.environ.items() if k in NAMES},
    "files": len(os.listdir("/proc/self/fd")),
}))
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
NAMES = ("RANK", "WORLD_SIZE", "PL_GLOBAL_SEED", "CUDA_VISIBLE_DEVICES", "OWN")


def until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def first_line(log: Path) -> str:
    until(lambda: log.is_file() and "\n" in log.read_text())
    return log.read_text().splitlines()[0]


def status_of(server: JobServer) -> int:
    while True:
        for _, status in server.news(60):
            if status is not None:
                return status


@pytest.fixture
def code(tmp_path, monkeypatch):
    """Let a job run this code instead of nnlab's."""

    def write(text: str) -> None:
        package = tmp_path / "code/nnlab"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(text)

    def run(words: list[str], threads: int) -> int:
        file = tmp_path / "code/nnlab/__main__.py"
        import torch

        torch.set_num_threads(threads)
        sys.argv = ["nnlab", *words]
        exec(compile(file.read_text(), str(file), "exec"), {"__name__": "__main__"})
        return 0

    monkeypatch.setattr("nnlab.sweep.child.run_here", run)
    return write


def start(server: JobServer, log: Path, **environment: str) -> None:
    job = Job(0, [], "")
    server.start(job, ["x"], log=log, threads=1, environment=environment)


def test_a_job_finds_what_a_fresh_interpreter_would(
    forked, code, tmp_path, monkeypatch
):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("PL_GLOBAL_SEED", "5")
    code(f"NAMES = {NAMES!r}\n{SHOWN}")
    with JobServer(fork=True) as server:
        seen = []
        for log in (tmp_path / "first.txt", tmp_path / "second.txt"):
            start(server, log, CUDA_VISIBLE_DEVICES="3", OWN="x")
            assert status_of(server) == 0, log.read_text()
            seen.append(json.loads(log.read_text()))
    one, two = seen
    assert one["environment"] == {"CUDA_VISIBLE_DEVICES": "3", "OWN": "x"}
    assert one["interrupt"].startswith("<built-in function default_int_handler")
    assert one["signals"] == 3 * [int(signal.SIG_DFL)]
    assert (one["threads"], one["torch threads"], one["cuda"]) == (1, 1, False)
    assert (one["blocked"], one["wakeup"], one["leader"]) == ([], -1, True)
    assert one["draw"] == two["draw"], "torch has not drawn for the one before"
    assert one["python"] != two["python"], "Python's own draws anew"


def test_a_job_ends_when_its_sweep_is_gone(forked, code, tmp_path):
    code("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    server = JobServer(fork=True)
    server.hold(tmp_path)
    start(server, tmp_path / "log.txt")
    job = int(first_line(tmp_path / "log.txt"))
    server._connection.close()  # as the kernel does after a kill -9
    until(lambda: not Path(f"/proc/{job}").exists())
    server._process.wait()


def test_a_job_ends_when_its_server_is_killed(forked, code, tmp_path):
    code("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    with JobServer(fork=True) as server:
        start(server, tmp_path / "log.txt")
        job = int(first_line(tmp_path / "log.txt"))
        server._process.kill()
        with pytest.raises(ConnectionError):
            status_of(server)
        until(lambda: not Path(f"/proc/{job}").exists())
        server.restart()
        start(server, tmp_path / "log.txt")
        until(lambda: (tmp_path / "log.txt").read_text().count("\n") == 2)
        server.signal(Job(0, [], ""), signal.SIGTERM)
        assert status_of(server) == -signal.SIGTERM


def test_the_whole_group_of_a_job_ends_with_it(forked, code, tmp_path):
    code(
        "import subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "print(child.pid, flush=True)\n"
    )
    with JobServer(fork=True) as server:
        start(server, tmp_path / "log.txt")
        assert status_of(server) == 0
    child = int((tmp_path / "log.txt").read_text())
    until(lambda: not Path(f"/proc/{child}").exists() or _is_zombie(child))


def _is_zombie(process: int) -> bool:
    return Path(f"/proc/{process}/stat").read_text().split()[2] == "Z"


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)]
)
def test_a_stop_that_comes_with_the_start_is_not_lost(
    forked, code, tmp_path, number, status
):
    code("import time; time.sleep(600)")
    with JobServer(fork=True) as server:
        for _ in range(20):
            start(server, tmp_path / "log.txt")
            server.signal(Job(0, [], ""), number)
            assert status_of(server) == status, "no failure: it goes on another time"


def configs_of(*overrides):
    composer = Composer()
    return [plain(composer.compose([word])) for word in overrides]


def test_the_machine_is_looked_at_in_a_process_of_its_own(forked, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: os.getpid())
    with JobServer(fork=True) as server:
        first, second = (server.look([], is_here=True) for _ in range(2))
    assert len({os.getpid(), server._process.pid, first, second}) == 4


def test_what_this_machine_cannot_have_is_refused_where_jobs_are_for_it(forked):
    configs = configs_of("trainer.devices=1", "trainer.devices=1000000")
    with JobServer(fork=True) as server:
        with pytest.raises(UserError, match="devices=1000000 is more than there are"):
            server.look(configs, is_here=True)
        assert server.look(configs, is_here=False) == 0
        assert server.look(configs[:1], is_here=True) >= 0, "and the server goes on"


@pytest.mark.parametrize("fork", [True, False])
def test_a_value_that_an_object_does_not_take_is_refused(forked, fork):
    configs = configs_of("optimizer.lr=0.1", "optimizer.lr=abc")
    with (
        JobServer(fork=fork) as server,
        pytest.raises(UserError, match=r"optimizer.lr=abc must be a number"),
    ):
        server.look(configs, is_here=False)


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Return a job's config with a callback of this code."""

    def write(code: str) -> list[dict]:
        (tmp_path / "nnlab-plugin.toml").write_text(
            'api = 1\nname = "odd"\nversion = "1.0"\nsummary = "Odd"\n'
        )
        (tmp_path / "odd.py").write_text(
            f"import os, signal, sys\nfrom lightning import Callback\n{code}\n"
        )
        (tmp_path / "conf/callback").mkdir(parents=True)
        (tmp_path / "conf/callback/odd.yaml").write_text(
            "# @package callback.odd\n# An odd one.\n"
            "_target_: nnlab.ext.odd.odd.Odd\nshares: {1: 0.5}\n"
        )
        monkeypatch.setenv("NNLAB_PLUGINS", str(tmp_path))
        return configs_of("callback=[odd]")

    return write


ODD = """
class Odd(Callback):
    def __init__(self, *, shares: dict[int, float]):
        {}
"""


def test_a_key_that_is_a_number_stays_one(forked, plugin):
    configs = plugin(ODD.format("pass"))
    with JobServer(fork=True) as server:
        assert server.look(configs, is_here=False) == 0


@pytest.mark.parametrize(
    "code",
    [
        ODD.format("raise ValueError('there is one already')"),
        ODD.format("os._exit(0)"),
        "raise SystemExit(3)",
        "print('hello')" + ODD.format("pass"),
    ],
)
def test_what_a_plugins_code_does_is_left_to_its_job(forked, plugin, code, capfd):
    configs = plugin(code)
    capfd.readouterr()
    with JobServer(fork=True) as server:
        assert server.look(configs, is_here=False) == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("deed", "fork"),
    [
        ("os._exit(0)", True),
        ("os.kill(os.getpid(), signal.SIGKILL)", True),
        pytest.param("os._exit(3)", False, marks=pytest.mark.slow),
    ],
)
def test_a_plugin_that_ends_the_check_is_one_sentence(forked, plugin, deed, fork):
    configs = plugin(deed)
    with (
        JobServer(fork=fork) as server,
        pytest.raises(RunFailed, match="checks the jobs ended each time"),
    ):
        server.look(configs, is_here=False)


def test_a_check_that_is_killed_once_is_made_again(forked, plugin, tmp_path):
    configs = plugin(
        f"if not os.path.exists('{tmp_path}/tried'):\n"
        f"    open('{tmp_path}/tried', 'w').close()\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n" + ODD.format("pass")
    )
    with JobServer(fork=True) as server:
        assert server.look(configs, is_here=False) == 0
        assert server.news(0.2) == [], "nothing more is said of it"


def test_a_check_that_hangs_is_gone_with_its_sweep(forked, plugin, tmp_path):
    configs = plugin(
        "import time\nfrom pathlib import Path\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"Path('{tmp_path}/pid.part').write_text(str(os.getpid()))\n"
        f"os.rename('{tmp_path}/pid.part', '{tmp_path}/pid')\n"
        "time.sleep(600)"
    )
    with JobServer(fork=True) as server:
        about = question(configs, is_here=False)
        server._order({"do": "look", "about": about.hex()})
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        witness = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 60
    while Path(f"/proc/{witness}").exists() and not _is_zombie(witness):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_server_that_dies_before_it_has_looked_is_replaced(forked, monkeypatch):
    deaths = iter([True, False])
    order = JobServer._order

    def die_first(self, content):
        if content["do"] == "look" and next(deaths, False):
            self._process.kill()
        order(self, content)

    monkeypatch.setattr(JobServer, "_order", die_first)
    with JobServer(fork=True) as server:
        assert server.look([], is_here=True) >= 0
        deaths = iter(9 * [True])
        with pytest.raises(RunFailed, match="ended each time before it was done"):
            server.look([], is_here=True)


def test_a_job_finds_its_config_composed(forked, code, tmp_path, monkeypatch):
    ready = Composer()
    monkeypatch.setattr(Composer, "ready", ready)
    code(
        "from nnlab.compose import Composer\n"
        "ready = Composer.at_hand('config', None)\n"
        "print(ready is Composer.ready, len(ready.loader._kept))\n"
    )
    with JobServer(fork=True) as server:
        start(server, tmp_path / "log.txt")
        assert status_of(server) == 0
    assert (tmp_path / "log.txt").read_text() == "True 1\n"
    assert ready.loader._kept == {}, "the server composed it, not the tests' process"


def test_a_job_with_other_plugins_composes_for_itself(monkeypatch):
    monkeypatch.setattr(Composer, "ready", Composer())
    assert Composer.at_hand("config", None) is Composer.ready
    assert Composer.at_hand("prepare", None) is not Composer.ready
    monkeypatch.setenv("NNLAB_DISABLE", "something")
    assert Composer.at_hand("config", None) is not Composer.ready


@pytest.mark.slow
def test_a_default_job_imports_nothing_that_the_server_has_not(tmp_path):
    program = (
        "import os, sys\n"
        "from nnlab.sweep import child, warm\n"
        "warm.import_once()\n"
        "warm.fill_caches()\n"
        "words = ['train', 'trainer.max_epochs=1', f'folder={sys.argv[1]}']\n"
        "warm.prepare_for(words)\n"
        "before = set(sys.modules)\n"
        "def end(status):\n"
        "    new = {name for name in set(sys.modules) - before}\n"
        "    print(sorted(new - {'nnlab.data', 'nnlab.data.xor'}\n"
        "        - {'nnlab.model', 'nnlab.model.mlp'}), file=sys.stderr)\n"
        "    os._exit(status)\n"
        "import nnlab.cli\n"
        "nnlab.cli.end = end\n"
        "child.run_here(words, 1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_the_server_has_one_thread_and_has_asked_no_gpu(tmp_path):
    with JobServer(fork=True) as server:
        server.hold(tmp_path)
        until(lambda: (tmp_path / JOBS_LOCK).is_file())  # its imports are done
        tasks = list(Path(f"/proc/{server._process.pid}/task").iterdir())
        maps = Path(f"/proc/{server._process.pid}/maps").read_text()
    assert len(tasks) == 1
    assert "/dev/nvidia" not in maps


@pytest.mark.slow
def test_without_fork_the_server_imports_nothing_heavy():
    code = "import sys, nnlab.sweep.server; print('torch' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout == "False\n"
