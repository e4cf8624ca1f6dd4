"""Shared by all tests: one thread, and `build`, which makes a part from conf/."""

import os
from pathlib import Path

import matplotlib
import pytest
import torch

matplotlib.use("Agg")
torch.set_num_threads(1)


@pytest.fixture
def real_data() -> Path:
    """Return the folder of real data sets, or skip where there is none."""
    folder = os.environ.get("NNLAB_DATA")
    if not folder or not (Path(folder) / "MNIST/raw").is_dir():
        pytest.skip("needs NNLAB_DATA, a folder with MNIST/raw")
    return Path(folder)
