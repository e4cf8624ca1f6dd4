"""A sweep's server begins before its words are read, where they will want it."""

import subprocess
import sys

import pytest

from nnlab.sweep import ahead as module
from nnlab.sweep import command
from nnlab.sweep.ahead import server_ahead


@pytest.mark.parametrize(
    "words",
    [
        ("-m", "seed=1,2", "sweep.fork=false"),
        ("-m", "seed=1,2", "++sweep.fork=false"),
        ("--multirun", "seed=1,2", "hydra/launcher=ray"),
        ("-m", "seed=1,2", "--config-dir", "mine"),
        ("-m", "seed=1,2", "--cfg", "job"),
    ],
    ids=" ".join,
)
def test_what_may_want_another_server_gets_none_ahead(words, monkeypatch):
    monkeypatch.setattr(module, "can_fork", lambda: True)
    with server_ahead(words) as server:
        assert server is None


def test_a_process_that_cannot_be_copied_begins_none():
    assert "torch" in sys.modules
    with server_ahead(["-m", "seed=1,2"]) as server:
        assert server is None


@pytest.mark.skipif(sys.platform == "darwin", reason="has no forks")
def test_it_begins_without_hydra_and_is_gone_once_the_sweep_is_refused():
    code = (
        "import os, sys\n"
        "from nnlab.sweep.ahead import server_ahead\n"
        "from nnlab.sweep.forked import Forked\n"
        "try:\n"
        "    with server_ahead(['-m', 'seed=1,2', 'sweep.name=night']) as server:\n"
        "        assert isinstance(server._process, Forked)\n"
        "        assert not {'hydra', 'numpy', 'rich'} & set(sys.modules)\n"
        "        os.kill(server._process.pid, 0)\n"
        "        raise ValueError('refused')\n"
        "except ValueError:\n"
        "    pass\n"
        "try:\n"
        "    os.kill(server._process.pid, 0)\n"
        "except ProcessLookupError:\n"
        "    print('gone')\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout == "gone\n", done.stderr


class Server:
    """Notes what is done with it."""

    def __init__(self, *, fork=True, composer=None):
        self.fork, self.composer, self.is_ended = fork, composer, False

    def end(self):
        self.is_ended = True


@pytest.mark.parametrize("fork", [True, False])
def test_one_that_is_not_wanted_after_all_ends(fork, monkeypatch):
    monkeypatch.setattr(command, "JobServer", Server)
    before = Server()
    server = command._server(before, "composer", fork=fork)
    assert (server.fork, server.composer) == (fork, "composer")
    assert (server is before) == fork != before.is_ended
