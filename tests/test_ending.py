"""A process that ends early loses nothing that an interpreter's end would have kept."""

import subprocess
import sys


def ended(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_threads_exit_functions_and_output_come_before_the_end():
    done = ended(
        "import atexit, sys, threading, time\n"
        "from nnlab.ending import end\n"
        "atexit.register(lambda: print('registered'))\n"
        "def late():\n"
        "    time.sleep(0.2)\n"
        "    print('thread')\n"
        "threading.Thread(target=late).start()\n"
        "sys.stderr.write('error')\n"
        "print('first')\n"
        "end(7)\n"
    )
    assert done.returncode == 7
    assert done.stdout.split() == ["first", "thread", "registered"]
    assert done.stderr == "error"


def test_other_finalizers_run_and_torchs_operators_are_left():
    done = ended(
        "import weakref\n"
        "from nnlab.ending import end\n"
        "import torch.library as library\n"
        "assert callable(library._del_library), 'else the next says nothing'\n"
        "def told(*library): print('operators')\n"
        "class Thing: pass\n"
        "thing = Thing()\n"
        "library._del_library = told\n"
        "weakref.finalize(thing, told)\n"
        "weakref.finalize(thing, print, 'others')\n"
        "end(0)\n"
    )
    assert (done.returncode, done.stdout) == (0, "others\n"), done.stderr


def test_the_command_ends_with_the_status_of_its_answer(tmp_path):
    for words, status in ((["list", "models"], 0), (["data=nope"], 2)):
        done = subprocess.run(
            [sys.executable, "-m", "nnlab", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status
        assert done.stdout or done.stderr
