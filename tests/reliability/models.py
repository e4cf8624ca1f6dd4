"""Tiny runs with as much of what has a state in it as goes with each model."""

from collections.abc import Iterable
from dataclasses import dataclass

QUIET = ("pictures=0", "logger=[]", "trainer.log_every_n_steps=3")
TWICE = "trainer.accumulate_grad_batches=2"
DIGITS = ("data=digits", "data.repeats=1", "data.train_size=200")
XOR = ("model=mlp", "data=xor", "model.dropout=0.2", "optimizer=momentum")


def without(words: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return the words whose keys none of the others sets."""
    keys = {word.partition("=")[0] for word in others}
    return tuple(word for word in words if word.partition("=")[0] not in keys)


@dataclass(frozen=True)
class Model:
    """A tiny run of a model, with as much of what has a state as goes with it."""

    name: str
    has: str  # what has a state in it, for the table
    words: tuple[str, ...]


MODELS = (
    Model(
        "MLP",
        "dropout, momentum, one-cycle, accumulation, EMA, a short last batch",
        (
            *XOR,
            *("schedule=one_cycle", TWICE, "callback=[ema]", "data.batch_size=3"),
            *("data.repeats=100", "trainer.max_epochs=3", "checkpoint_seconds=0"),
        ),
    ),
    Model(
        "LeNet-5",
        "augmentation, one-cycle, validation within the epoch, label smoothing",
        (
            *("model=lenet5", *DIGITS, "data.shift=1", "schedule=one_cycle"),
            *("data.batch_size=8", "regularizer=[label_smoothing]"),
            *("trainer.val_check_interval=6", "trainer.max_epochs=4"),
            "checkpoint_seconds=0",
        ),
    ),
    Model(
        "LSTM adder",
        "cosine, accumulation of 3, gradient noise, clipping",
        (
            *("model=lstm_adder", "data.train_pairs=512", "data.validation_pairs=64"),
            *("data.test_pairs=64", "data.long_test_pairs=16", "data.test_bits=[16]"),
            *("data.batch_size=8", "schedule=cosine", "regularizer=[gradient_noise]"),
            *("trainer.accumulate_grad_batches=3", "trainer.gradient_clip_val=1"),
            *("trainer.max_epochs=4", "checkpoint_seconds=0.03"),
        ),
    ),
    Model(
        "Siamese",
        "pairs drawn anew each epoch, input noise, dropout, accumulation",
        (
            *("model=siamese", "data=digits_pairs", "data.repeats=1"),
            *("data.source.train_size=200", "data.batch_size=8", TWICE),
            *("regularizer=[input_noise,dropout]", "model.hidden_sizes=[16]"),
            *("trainer.max_epochs=4", "checkpoint_seconds=0"),
        ),
    ),
    Model(
        "VAE",
        "sampled codes, cosine, saved at validation only",
        (
            *("model=autoencoder", "model.variant=variational", *DIGITS),
            *("model.hidden_sizes=[32]", "model.code_size=4", "data.batch_size=4"),
            *("data.shift=1", "trainer.max_epochs=6", "checkpoint_seconds=1000"),
            "callback=[checkpoint_every_n_epochs]",
        ),
    ),
    Model(
        "GAN",
        "two optimizers, noise, dropout, accumulation, an averaged generator",
        (
            *("model=gan", "model.variant=mlp", *DIGITS, "model.dropout=0.2", TWICE),
            *("model.code_size=4", "data.batch_size=8"),
            *("model.judged=50", "model.judged_in_training=50"),
            *("trainer.max_epochs=4", "checkpoint_seconds=0"),
        ),
    ),
    Model(
        "GPT",
        "dropout, AdamW, cosine with warm-up, accumulation, clipping, random windows",
        (
            *("model=gpt", "data=pydocs", "callback=[]", "model.dropout=0.1", TWICE),
            *("model.embedding_size=16", "model.layers=2", "model.heads=2"),
            *("data.context_size=16", "data.batch_size=4", "data.batches_per_epoch=40"),
            *("data.evaluation_batch_size=4096", "trainer.limit_val_batches=2"),
            *("trainer.limit_test_batches=2", "trainer.max_epochs=3"),
            "checkpoint_seconds=0.02",
        ),
    ),
)

STREAM = Model(
    "A stream",
    "read by two worker processes, without a length, in plain Lightning; accumulation",
    (
        *("model=mlp", "data=stream", "model.dropout=0.2", "trainer.max_epochs=3"),
        *(TWICE, "checkpoint_seconds=0"),
    ),
)
