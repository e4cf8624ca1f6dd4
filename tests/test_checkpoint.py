"""Checkpoints are whole or not there, and every bit of them is checked."""

import os
import signal
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from nnlab import checkpoint as module
from nnlab.checkpoint import AtomicCheckpointIO, Checkpoints, read_checkpoint
from nnlab.errors import UserError
from nnlab.interrupt import Interrupt

CONTENT = {
    "state_dict": {"weight": torch.arange(2000.0), "bias": torch.ones(3)},
    "nnlab": {"config": {"seed": 0}},
}


@pytest.fixture
def file(tmp_path) -> Path:
    """Return a checkpoint that was written as a run writes it."""
    file = tmp_path / "checkpoints/last.ckpt"
    AtomicCheckpointIO().save_checkpoint(CONTENT, file)
    return file


def test_what_was_written_is_read(file):
    content = read_checkpoint(file)
    assert torch.equal(content["state_dict"]["weight"], torch.arange(2000.0))
    assert content["nnlab"] == {"config": {"seed": 0}}
    assert [path.name for path in file.parent.iterdir()] == ["last.ckpt"]


def test_no_flipped_bit_is_read(file):
    sound = file.read_bytes()
    generator = torch.Generator().manual_seed(0)
    silent = []
    for place in torch.randint(8 * len(sound), (300,), generator=generator).tolist():
        flipped = bytearray(sound)
        flipped[place // 8] ^= 1 << place % 8
        file.write_bytes(flipped)
        try:
            content = read_checkpoint(file)
        except UserError:
            continue
        # A flip outside what is stored (a time in the archive's index) does no harm.
        same = torch.equal(content["state_dict"]["weight"], torch.arange(2000.0))
        if not same or content["nnlab"] != CONTENT["nnlab"]:
            silent.append(place)
    assert silent == []


def test_no_cut_file_is_read(file):
    sound = file.read_bytes()
    for length in range(0, len(sound), 101):
        file.write_bytes(sound[:length])
        with pytest.raises(UserError, match="not a whole checkpoint"):
            read_checkpoint(file)


def test_a_full_disk_leaves_the_checkpoint_before(file, monkeypatch):
    def no_space(content, target):
        target.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.torch, "save", no_space)
    with pytest.raises(OSError, match="No space"):
        AtomicCheckpointIO().save_checkpoint({"state_dict": {}}, file)
    monkeypatch.undo()
    assert read_checkpoint(file)["nnlab"] == CONTENT["nnlab"]
    assert [path.name for path in file.parent.iterdir()] == ["last.ckpt"]


def test_a_kill_while_writing_leaves_the_checkpoint_before(file):
    process = os.fork()
    if process == 0:
        write = torch.save

        def killed(content, target):
            write(content, target)
            os.kill(os.getpid(), signal.SIGKILL)

        module.torch.save = killed
        AtomicCheckpointIO().save_checkpoint({"state_dict": {}}, file)
    os.waitpid(process, 0)
    assert read_checkpoint(file)["nnlab"] == CONTENT["nnlab"]
    # what the kill left is written over by the next save
    assert (file.parent / "last.ckpt.part").exists()
    AtomicCheckpointIO().save_checkpoint(CONTENT, file)
    assert [path.name for path in file.parent.iterdir()] == ["last.ckpt"]


def test_a_file_that_is_packed_is_not_unpacked(file):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(1 << 26))
    assert file.stat().st_size < 1 << 17
    with pytest.raises(UserError, match="archive/data/0"):
        read_checkpoint(file)


class Payload:
    """Runs a command where it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("owned",)


def test_code_in_a_checkpoint_is_not_run(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({**CONTENT, "more": Payload()}, file)
    with pytest.raises(UserError, match="more than tensors and plain data"):
        read_checkpoint(file)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("content", [{}, [1, 2], {"state_dict": {}}, torch.ones(2)])
def test_a_checkpoint_of_another_program_is_refused(content, file):
    torch.save(content, file)
    with pytest.raises(UserError, match="not one that nnlab wrote"):
        read_checkpoint(file)


def test_a_missing_checkpoint_and_a_url_are_refused(tmp_path):
    for name in (tmp_path / "last.ckpt", Path("https://example.org/last.ckpt")):
        with pytest.raises(UserError, match="there is no checkpoint"):
            read_checkpoint(name)


@pytest.fixture
def epochs(tmp_path):
    """Return a function that ends epochs with values of a metric."""

    def end_epochs(values: list[float], mode: str) -> tuple[list[int], Checkpoints]:
        checkpoints = Checkpoints(
            tmp_path,
            config={},
            monitor="val/x",
            mode=mode,
            seconds=1000,
            interrupt=Interrupt(),
        )
        saved: list[int] = []
        for epoch, value in enumerate(values, start=1):
            trainer = SimpleNamespace(
                callback_metrics={"val/x": torch.tensor(value)},
                current_epoch=epoch - 1,
                max_epochs=1000,
                max_steps=-1,
                should_stop=False,
                save_checkpoint=lambda file, epoch=epoch: saved.append(epoch),
            )
            checkpoints.on_train_epoch_end(trainer, None)  # type: ignore[arg-type]
        return saved, checkpoints

    return end_epochs


@pytest.mark.parametrize(("mode", "best"), [("min", [1, 3, 6]), ("max", [1, 2, 4])])
def test_the_best_is_the_first_of_the_extreme(mode, best, epochs):
    values = [0.5, 0.7, 0.3, 0.9, 0.9, 0.1, 0.1]
    saved, checkpoints = epochs(values, mode)
    assert saved == best
    assert checkpoints.best_epoch == best[-1]
    assert checkpoints.best_value == pytest.approx(values[best[-1] - 1])


def test_nan_is_never_the_best(epochs):
    saved, _ = epochs([float("nan"), 0.5, float("nan"), 0.4], "min")
    assert saved == [2, 4]
