"""A user's mistake gets one sentence, exit status 2, and nothing written."""

import os
from pathlib import Path

import pytest
import torch

MISTAKES = {
    "unknown verb": ("trian", "did you mean train?"),
    "unknown model": ("model=lenet", "did you mean lenet5?"),
    "unknown data": ("data=minst", "did you mean mnist?"),
    "unknown group": ("modle=mlp", "did you mean model"),
    "unknown optimizer": ("optimizer=adma", "did you mean adam"),
    "unknown experiment": ("experiment=lenet", "did you mean lenet5"),
    "unknown precision": ("precision=fp8", "fp32"),
    "unknown precision value": ("trainer.precision=bf17-mixed", "bf16-mixed"),
    "unknown strategy": ("strategy=dpp", "no strategy called 'dpp'"),
    "unknown strategy value": ("trainer.strategy=dpp", "did you mean ddp?"),
    "unknown accelerator": ("trainer.accelerator=gpus", "did you mean gpu"),
    "unknown key": ("model.hiden_sizes=[3]", "did you mean model.hidden_sizes?"),
    "unknown key, deeper": ("trainer.max_epoch=3", "did you mean trainer.max_epochs"),
    "unknown key of the trainer": ("trainer.gradient_clip=1", "trainer.gradient_clip_"),
    "unknown key at the top": ("lr=0.1", "did you mean optimizer.lr?"),
    "unknown key added": ("+model.colour=red", "model.colour"),
    "wrong type": ("trainer.max_epochs=many", "trainer.max_epochs=many must be"),
    "wrong type in a list": ("model.hidden_sizes=[3,x]", "model.hidden_sizes[1]=x"),
    "wrong type at the top": ("seed=one", "seed=one must be"),
    "truth for a number": ("data.batch_size=true", "data.batch_size=true must be"),
    "not a number": ("optimizer.lr=nan", "optimizer.lr=nan must be a finite number"),
    "infinite": ("optimizer.lr=inf", "optimizer.lr=inf must be a finite number"),
    "negative": ("optimizer.lr=-1", "optimizer.lr=-1"),
    "negative seed": ("seed=-1", "seed=-1 must be greater"),
    "zero epochs": ("trainer.max_epochs=0", "trainer.max_epochs=0 must be at least 1"),
    "zero batch": ("data.batch_size=0", "data.batch_size=0 must be greater"),
    "zero threads": ("threads=0", "threads=0 must be"),
    "more threads than cores": ("threads=9999", "than there are here: "),
    "fewer classes": (
        "model.classes=1",
        "model.classes=1 is less than data=xor has: 2",
    ),
    "fewer characters": (
        "model=gpt data=pydocs model.vocabulary_size=10",
        "model.vocabulary_size=10 is less than data=pydocs has: ",
    ),
    "too large": ("model.hidden_sizes=[99999999]", "must be less than or equal"),
    "too large together": ("model.hidden_sizes=[1000000,1000000]", "memory"),
    "wrong choice": ("model.activation=rleu", "did you mean relu"),
    "dropout of 1": ("model.dropout=1", "model.dropout=1 must be less than 1"),
    "a number for a section": ("transfer=0.5", "transfer=0.5 must be values by name"),
    "given twice": ("optimizer.lr=1 optimizer.lr=2", "optimizer.lr is given twice"),
    "chosen twice": ("model=mlp model=lenet5", "model is given twice"),
    "several without -m": ("seed=1,2", "add -m"),
    "a list where one goes": ("model=[mlp,lenet5]", "-m model=mlp,lenet5"),
    "nothing chosen": ("model=null", "chooses nothing"),
    "no setting": ("model", "no verb called 'model'"),
    "almost a model": ("lenet", "did you mean model=lenet5?"),
    "the beginning of data": ("shake", "did you mean data=shakespeare?"),
    "almost a verb": ("tran", "did you mean train?"),
    "the beginning of a verb": ("gen", "did you mean generate?"),
    "in capitals": ("MLP", "did you mean model=mlp?"),
    "unreadable": ("model.hidden_sizes=[3", "cannot read"),
    "not chosen": ("++regularizer.l1.weight=1", "choose it as well: regularizer=[l1]"),
    "data that do not fit": ("model=lenet5 data=xor", "data=xor"),
    "bits that do not fit": ("data.function=not data.bits=3", "data.bits"),
    "unknown function": ("data.function=xnor2", "data.function=xnor2"),
    "too few steps": ("+trainer.min_steps=-4", "trainer.min_steps=-4 must be greater"),
    "no batch to train on": (
        "+trainer.limit_train_batches=0",
        "trainer.limit_train_batches=0 trains nothing",
    ),
    "unknown key of a logger": (
        "+logger.tensorboard.foo=1",
        "logger.tensorboard.foo is nothing that TensorBoard takes; there is",
    ),
    "wrong value of a logger": (
        "+logger.tensorboard.max_queue=-1",
        "logger.tensorboard.max_queue=-1 must be",
    ),
    "a GPU of a CPU": ("trainer.devices=[0]", "give a count: 1"),
    "no TPU": ("trainer.accelerator=tpu", "trainer.accelerator=tpu needs hardware"),
    "no Apple GPU": ("trainer=mps", "trainer=cpu runs everywhere"),
    "more devices than cores": ("trainer.devices=999", "more than there are here"),
    "zero devices": ("trainer.devices=0", "trainer.devices=0 must be"),
    "unknown monitor": ("monitor.metric=val/acc", "did you mean val/accuracy"),
    "unknown mode": ("monitor.mode=maximum", "must be 'min' or 'max'"),
    "nnlab's own": ("+trainer.logger=false", "use logger="),
    "hostile target": ("model._target_=os.system", "outside the trusted packages"),
    "hostile, in torch": (
        "model._target_=torch.utils.collect_env.run",
        "is not a class",
    ),
    "another kind": ("model._target_=torch.optim.Adam", "is no LightningModule"),
    "no such folder": ("resume=nowhere", "resume=nowhere: there is no folder nowhere"),
    "an empty folder": ("resume=", "resume= names nothing"),
    "a word's dash": ("-model=mlp", "a setting has no dash: model=mlp"),
    "a word's colon": ("model:mlp", "a setting is written model=mlp"),
    "a sweep's word": ("sweep.workers=2", "sweep.workers=2 is for a sweep"),
    "a sweep's kind": ("sweep=optuna", "does nothing without -m"),
    "a text's word": ("tokenizer=char", "does nothing with data=xor"),
    "no such config": ("--config-name foo", "--config-name foo is not there"),
    "a flag's flag": ("--resolve", "--resolve is for --cfg job"),
    "no length": ("trainer.max_epochs=null", "trainer.max_epochs=null never ends"),
    "no run to test": ("test", "test needs a run"),
    "no such run": ("test run=nowhere", "run=nowhere: there is no folder nowhere"),
    "unknown group to list": ("list modles", "did you mean model"),
    "unknown plugin": ("plugins info nothing", "nothing"),
    "unwritable": (
        "output_dir=/proc/nnlab",
        "output_dir=/proc/nnlab cannot be written",
    ),
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_gets_one_sentence(words, said, refused):
    refused(words, said)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_the_gpu_trainer_says_so(nnlab, tmp_path):
    answer = nnlab("model=mlp", "trainer=gpu")
    assert answer.status == 2
    assert "needs a CUDA GPU" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_left_alone(nnlab, tmp_path):
    (tmp_path / "taken").write_text("mine")
    answer = nnlab("folder=taken")
    assert answer.status == 2
    assert "folder=taken is a file" in answer.err
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_folder_that_another_process_holds_is_refused(nnlab, tmp_path):
    import subprocess
    import sys

    assert nnlab("folder=run", "trainer.max_epochs=1", "data.repeats=1").status == 0
    code = (
        "import sys; from pathlib import Path; from nnlab.folder import RunFolder;"
        "held = RunFolder(Path('run')).acquire();"
        "print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        answer = nnlab("resume=run", "trainer.max_epochs=2")
        holder.communicate("")
    assert answer.status == 2
    assert f"in use by process {holder.pid}" in answer.err


def _damage_missing(file: Path) -> None:
    file.unlink()


def _damage_truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def _damage_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _damage_foreign(file: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, file)


def _damage_code(file: Path) -> None:
    torch.save({"state_dict": {}, "nnlab": _Payload()}, file)


class _Payload:
    def __reduce__(self):
        return os.mkdir, ("owned",)


CHECKPOINTS = {
    "missing": (_damage_missing, "no checkpoint"),
    "truncated": (_damage_truncated, "is not a whole checkpoint"),
    "one bit flipped": (_damage_bit, "damaged"),
    "foreign": (_damage_foreign, "not one that nnlab wrote"),
    "with code inside": (_damage_code, "more than tensors and plain data"),
}


@pytest.mark.parametrize(("damage", "said"), CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_a_bad_checkpoint_gets_one_sentence(damage, said, nnlab, tmp_path):
    assert nnlab("folder=run", "trainer.max_epochs=1", "data.repeats=1").status == 0
    for name in ("best", "last"):
        damage(tmp_path / f"run/checkpoints/{name}.ckpt")
    answer = nnlab("test", "run=run")
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert not (tmp_path / "owned").exists()


def test_no_experiment_can_be_said(nnlab):
    answer = nnlab("experiment=null", "--cfg", "job")
    assert answer.status == 0, answer.err
    assert answer.out == nnlab("--cfg", "job").out


def test_a_sweep_is_refused_where_each_of_a_group_would_do_it(refused, monkeypatch):
    for name in ("RANK", "LOCAL_RANK", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    refused("-m seed=1,2", "-m within torchrun or srun would be 2 sweeps")
