"""What is not used is not imported: an answer needs no torch, a run no transformers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

# What costs time: seconds of a start, each of some of them.
HEAVY = {
    *(
        "torch",
        "torchvision",
        "torchmetrics",
        "lightning",
        "transformers",
        "tokenizers",
    ),
    *("tiktoken", "ray", "optuna", "submitit", "matplotlib", "sklearn", "scipy"),
    *(
        "pandas",
        "tensorboard",
        "pydantic",
        "rich",
        "jinja2",
        "numpy",
        "PIL",
        "datasets",
    ),
}
# What a run does not need unless it is asked for: metrics that nobody logs, a language
# model's tokenizers, sweeps, other machines.
FOREIGN = {
    *("torchvision", "transformers", "tokenizers", "tiktoken", "ray", "optuna"),
    *("submitit", "sklearn", "scipy", "pandas", "datasets", "fastwarc", "IPython"),
    *("sympy", "triton"),  # the compiler's
}
SHORT = ("trainer.max_epochs=1", "data.repeats=1", "pictures=0")


def loaded_by(*words: str, folder: Path) -> set[str]:
    """Return the top-level modules that a command has imported at its end."""
    code = (
        "import atexit, json, sys\n"
        "from nnlab.cli import main\n"
        "status = main(sys.argv[1:])\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "sys.stderr.write('\\n' + json.dumps(sorted(names)))\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--cfg", "job"),
        ("--cfg", "job", "model=lenet5", "experiment=null"),
        ("list",),
        ("list", "models"),
        ("plugins", "list"),
        ("--version",),
        ("generate", "--help"),
        ("predict", "--help"),
        ("compare", "--help"),
    ],
    ids=" ".join,
)
def test_an_answer_imports_nothing_heavy(words, tmp_path):
    assert loaded_by(*words, folder=tmp_path) & HEAVY == set()


def test_list_needs_no_hydra(tmp_path):
    assert loaded_by("list", folder=tmp_path) & {"hydra", "omegaconf", "yaml"} == set()


def test_a_run_imports_only_what_it_uses(tmp_path):
    loaded = loaded_by(*SHORT, folder=tmp_path)
    assert loaded & FOREIGN == set()
    assert {"torch", "lightning", "tensorboard"} <= loaded  # the test can see them


def test_a_run_without_a_logger_imports_no_tensorboard(tmp_path):
    loaded = loaded_by(*SHORT, "logger=[]", folder=tmp_path)
    assert loaded & {*FOREIGN, "tensorboard"} == set()


def test_a_metric_that_was_left_out_works_once_it_is_used():
    code = (
        "import sys\n"
        "from nnlab.stand_in import leave_out_unused\n"
        "leave_out_unused()\n"
        "import torch, torchmetrics\n"
        "assert 'torchvision' not in sys.modules\n"
        "from torchmetrics.functional.detection import "
        "complete_intersection_over_union as overlap\n"
        "one, other = torch.tensor([[[0.0, 0, 2, 2]], [[1.0, 1, 3, 3]]])\n"
        "found = overlap(one, other)\n"
        "from torchvision.ops import complete_box_iou\n"
        "assert found == complete_box_iou(one, other), found\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
