"""What newcomers typed while trying nnlab: each gets one sentence, nothing written."""

import shutil

import pytest

MISTAKES = {
    "a model's name alone": ("mlp", "did you mean model=mlp?"),
    "a group's name alone": ("model", "a setting is written model=..."),
    "resume with a blank": ("resume outputs", "did you mean resume=<"),
    "a setting as an option": ("--model mlp", "no option called '--model'"),
    "half an option": ("--hlep", "did you mean --help?"),
    "an option's value left out": ("--cfg", "--cfg/-c: expected one argument"),
    "an option's wrong value": ("--cfg jobb", "invalid choice: 'jobb'"),
    "a value that others need": ("~seed", "data.seed: "),
    "a value of itself": ("seed=${seed}", "seed: Recursive interpolation"),
    "no monitor": ("~monitor", "monitor is missing"),
    "half a monitor": ("~monitor.metric", "must have metric and mode"),
    "a word for a monitor": ("monitor=val/loss", "must have metric and mode"),
    "an empty folder's name": ("output_dir=", "output_dir= names no folder"),
    "negative pictures": ("pictures=-1", "pictures=-1 must be greater"),
    "negative seconds": ("checkpoint_seconds=-1", "checkpoint_seconds=-1 must be"),
    "all devices of a CPU": ("trainer.devices=-1", "trainer.devices=-1 must be"),
    "no validation interval": (
        "trainer.val_check_interval=0",
        "trainer.val_check_interval=0 must be greater than 0",
    ),
    "a negative clip": (
        "trainer.gradient_clip_val=-1",
        "trainer.gradient_clip_val=-1 must be greater",
    ),
    "an unreadable time": ("trainer.max_time=foo", "days:hours:minutes:seconds"),
    "too many batches": ("trainer.limit_val_batches=1.5", "limit_val_batches"),
    "a strategy for GPUs": ("trainer.strategy=fsdp", "requires a GPU accelerator"),
    "a precision to install": ("trainer.precision=transformer-engine", "pip install"),
    "nnlab's own bar": ("trainer.enable_progress_bar=true", "is set by nnlab"),
    "a debug run, as Lightning's": ("trainer.fast_dev_run=true", "use trainer=debug"),
    "an unknown regularizer": ("regularizer=no_such", "no regularizer called"),
    "a sweep to nowhere": ("-m output_dir=/proc/x seed=1,2", "cannot be written"),
    "a wrong type in one job of a sweep": ("-m seed=1,abc", "seed=abc must be"),
    "nodes that are not there": ("trainer.num_nodes=5", "waits for other machines"),
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_newcomers_mistake_gets_one_sentence(words, said, refused):
    refused(words, said)


@pytest.mark.parametrize("verb", ["test", "list", "runs", "diff", "rerun", "export"])
def test_a_verb_says_what_it_is_for(verb, nnlab):
    answer = nnlab(verb, "--help")
    assert answer.status == 0
    assert answer.out.startswith(f"nnlab {verb}: ")


def test_a_damaged_folder_is_said_in_a_sentence(nnlab, tmp_path):
    assert nnlab("folder=run", "trainer.max_epochs=1", "data.repeats=1").status == 0
    longer = ("resume=bad", "trainer.max_epochs=2")

    def damage(name: str, content: bytes) -> None:
        shutil.rmtree(tmp_path / "bad", ignore_errors=True)
        shutil.copytree(tmp_path / "run", tmp_path / "bad")
        (tmp_path / "bad" / name).write_bytes(content)

    damage("status.json", b"{")
    answer = nnlab(*longer)
    assert answer.status == 2
    assert "status.json cannot be read" in answer.err
    damage("config.yaml", b"{model: {}, data: {}, choices: {}}")
    answer = nnlab("resume=bad")
    assert answer.status == 2
    assert "is missing; every run needs it" in answer.err
    damage("checkpoints/last.ckpt", b"")
    (tmp_path / "bad/checkpoints/last.ckpt").unlink()
    answer = nnlab(*longer)
    assert answer.status == 2
    assert "has lost its checkpoints/last.ckpt" in answer.err
    damage("overrides.txt", b"\xff\xfe")  # which decides nothing
    assert nnlab(*longer).status == 0


def test_a_path_is_taken_as_the_shell_gives_it(nnlab, tmp_path):
    place = tmp_path / "a b, ü (1)"
    short = ("trainer.max_epochs=1", "data.repeats=1", "pictures=0")
    assert nnlab(f"folder={place}", *short).status == 0
    answer = nnlab("test", f"run={place}")
    assert answer.status == 0, answer.err
    answer = nnlab(f"resume={place}", "trainer.max_epochs=2")
    assert answer.status == 0, answer.err
    assert nnlab("regularizer=null", *short).status == 0


def test_a_tilde_that_the_shell_leaves_is_the_home(nnlab, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    short = ("trainer.max_epochs=1", "data.repeats=1", "pictures=0")
    assert nnlab("folder=~/run", *short).status == 0
    assert (tmp_path / "home/run/result.json").is_file()
    assert not (tmp_path / "~").exists()
    assert nnlab("test", "run=~/run").status == 0
