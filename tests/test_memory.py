"""A run that needs more memory than there is says what to lower."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nnlab.memory import is_out_of_memory, what_to_lower
from nnlab.model.mlp import MLP

SHORT = ("data.repeats=5", "trainer.max_epochs=1", "pictures=0", "logger=[]")


def test_what_libraries_raise_for_it_is_known():
    for ask in (
        lambda: torch.empty(2**58, dtype=torch.uint8),
        lambda: np.empty(2**58, dtype=np.uint8),
    ):
        with pytest.raises((MemoryError, RuntimeError)) as caught:
            ask()
        assert is_out_of_memory(caught.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert is_out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"))
    assert is_out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated …)"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 cannot be multiplied"))
    assert not is_out_of_memory(ValueError("out of memory"))


def config(**trainer):
    return {"trainer": {"accelerator": "cpu", **trainer}, "data": {"batch_size": 64}}


def test_the_sentence_names_keys_and_values():
    said = what_to_lower(config())
    assert "lower data.batch_size=64 (32 with trainer.accumulate_grad_batches=2" in said
    assert "precision=bf16" in said
    said = what_to_lower(config(precision="bf16-mixed", accumulate_grad_batches=3))
    assert "trainer.accumulate_grad_batches=6" in said
    assert "precision" not in said
    alone = {**config(precision="bf16-mixed"), "data": {"batch_size": 1}}
    assert "make the model smaller" in what_to_lower(alone)


def greedy(at_step: int):
    measure = MLP.measure

    def wanting(self, batch):
        if self._trainer is not None and self.training and self.global_step >= at_step:
            torch.empty(2**58, dtype=torch.uint8)
        return measure(self, batch)

    return wanting


def test_in_the_middle_of_a_run_it_is_one_sentence_and_on_record(nnlab, monkeypatch):
    monkeypatch.setattr(MLP, "measure", greedy(at_step=3))
    answer = nnlab(*SHORT, "folder=run")
    assert answer.status == 1
    assert answer.err.startswith("nnlab: out of memory: the run needs more than this")
    assert "lower data.batch_size=4 (2 with" in answer.err
    assert answer.err.count("\n") == 1
    status = json.loads(Path("run/status.json").read_text())
    assert status["status"] == "failed"
    assert "lower data.batch_size=4" in status["cause"]
    assert "allocate memory" in Path("run/log.txt").read_text(), "the whole story"


def test_at_the_first_batch_nothing_is_written(nnlab, monkeypatch):
    monkeypatch.setattr(MLP, "measure", greedy(at_step=0))
    answer = nnlab(*SHORT, "folder=run")
    assert answer.status == 2
    assert answer.err.startswith("nnlab: out of memory: ")
    assert answer.err.count("\n") == 1
    assert not Path("run").exists()
