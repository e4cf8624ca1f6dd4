import pytest
import torch
from lightning import Callback, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from nnlab.data_module import DataModule, Splits
from nnlab.errors import UserError
from nnlab.learner import Learner

# tests/conftest.py asks for one thread; a bare Trainer prints and writes nothing here
QUIET = {
    "accelerator": "cpu",
    "logger": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
}


class Numbers(DataModule):
    """Twenty-five numbers; what is drawn at random in training stands beside them."""

    def load(self):
        return Splits(*((torch.arange(n).float(),) for n in (25, 7, 5)))

    def facts(self):
        return {"input_size": 1}

    def prepare(self, batch):
        noise = torch.rand(1, generator=self.generator()) if self.is_training else -1
        return batch[0], noise


class Line(Learner):
    def __init__(self):
        super().__init__()
        self.slope = torch.nn.Parameter(torch.zeros(()))
        self.make_optimizer = lambda weights: torch.optim.SGD(weights, lr=1e-4)
        self.make_schedule = lambda optimizer, _: torch.optim.lr_scheduler.ConstantLR(
            optimizer, factor=1.0
        )
        self.seen = []

    def measure(self, batch):
        if self.trainer.training:
            numbers, noise = batch
            self.seen.append((self.current_epoch, numbers.tolist(), noise.item()))
        return {"loss": (self.slope * batch[0] - 1).square().mean()}


def make(**keywords):
    return Numbers(
        **{"batch_size": 4, "evaluation_batch_size": 3, "seed": 1, **keywords}
    )


def fit(folder, *callbacks, resume=None, epochs=3):
    model, data = Line(), make()
    trainer = Trainer(
        **QUIET,
        default_root_dir=folder,
        max_epochs=epochs,
        callbacks=list(callbacks),
        enable_checkpointing=any(isinstance(c, ModelCheckpoint) for c in callbacks),
    )
    trainer.fit(model, data, ckpt_path=resume, weights_only=True)
    return model


class SaveAt(Callback):
    """Saves in one hook of one epoch, as a run does that is killed right after."""

    def __init__(self, path, hook, epoch, batch=None):
        self.path, self.epoch, self.batch = path, epoch, batch
        self.counts = {}
        setattr(self, hook, self.save)

    def save(self, trainer, module, *rest):
        epoch = self.counts.get("calls", 0) if self.batch is None else None
        self.counts["calls"] = self.counts.get("calls", 0) + 1
        is_here = (
            epoch == self.epoch
            if self.batch is None
            else (trainer.current_epoch, rest[-1]) == (self.epoch, self.batch)
        )
        if is_here:
            trainer.save_checkpoint(self.path)
            self.seen_before = len(module.seen)


@pytest.mark.parametrize(
    ("hook", "epoch", "batch"),
    [
        ("on_train_batch_end", 0, 0),
        ("on_train_batch_end", 1, 3),
        ("on_train_batch_end", 1, 6),  # the last of its epoch
        ("on_validation_end", 1, None),
        ("on_train_epoch_end", 1, None),
        ("on_train_end", 0, None),
    ],
)
def test_a_run_that_continues_sees_the_very_batches_it_would_have_seen(
    tmp_path, hook, epoch, batch
):
    undisturbed = fit(tmp_path, epochs=4 if hook == "on_train_end" else 3)
    save = SaveAt(tmp_path / "saved.ckpt", hook, epoch, batch)
    fit(tmp_path, save)
    resumed = fit(tmp_path, resume=save.path, epochs=4 if hook == "on_train_end" else 3)
    assert save.seen_before > 0
    assert resumed.seen == undisturbed.seen[save.seen_before :]
    assert torch.equal(resumed.slope, undisturbed.slope)


def test_epochs_differ_and_random_changes_are_drawn_in_training_only(tmp_path):
    model = fit(tmp_path)
    epochs = [[seen for seen in model.seen if seen[0] == epoch] for epoch in range(3)]
    assert [len(epoch) for epoch in epochs] == [7, 7, 7]
    assert epochs[0] != epochs[1] != epochs[2]
    noises = [noise for _, _, noise in model.seen]
    assert len(set(noises)) == len(noises)
    assert min(noises) >= 0


def test_evaluation_has_its_own_batch_size_and_the_order_of_the_data():
    data = make()
    batches = [batch.tolist() for (batch,) in data.val_dataloader()]
    assert batches == [[0, 1, 2], [3, 4, 5], [6]]
    assert len(data.test_dataloader()) == 2
    assert len(make(evaluation_batch_size=None).test_dataloader()) == 2


def test_a_batch_larger_than_the_training_set_is_refused_in_one_sentence():
    with pytest.raises(UserError, match=r"data\.batch_size=26 .* give at most 25"):
        make(batch_size=26).train_dataloader()
    assert len(make(batch_size=50, repeats=2).train_dataloader()) == 1


def test_the_data_are_loaded_once():
    data = make()
    data.setup()
    splits = data.splits
    data.setup("test")
    assert data.splits is splits


def test_outside_a_trainer_there_is_no_place_to_remember():
    assert make().state_dict() == {}
