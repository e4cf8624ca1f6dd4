"""Every choice that conf/ and plugins/ offer, in a tiny run that is killed.

What is offered is read from their folders: a new file is tried without being named
here, or is said not to be known.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from corpus.conftest import page

from reliability.kills import killed_runs
from reliability.models import DIGITS, QUIET, XOR, without
from reliability.row import Bench

ROOT = Path(__file__).parents[2]
KILLS = 2  # of each
PREPARED = "common_crawl", "webtext", "wikipedia"  # read alike, once prepared
SHORT = ("trainer.max_epochs=3", "data.batch_size=8", "checkpoint_seconds=0")
FEW_PAIRS = ("data.repeats=1", "data.source.train_size=200")
SMALL = ("model=mlp", "model.hidden_sizes=[8]", *SHORT)
NETWORK = (*SMALL, *DIGITS)
BRIEF = ("trainer.limit_val_batches=2", "trainer.limit_test_batches=2")
IMAGES = ("model=lenet5", "model.sizes=[2,4,8,8]", *DIGITS, *SHORT)
GAN = (
    *("model=gan", "model.feature_maps=2", "model.code_size=4", "model.judged=50"),
    *("model.judged_in_training=50", *DIGITS, *SHORT),
)
CODES = ("model=autoencoder", "model.hidden_sizes=[16]", "model.code_size=4", *DIGITS)
TWINS = ("model=siamese", "model.hidden_sizes=[8]", *SHORT)
GPT = (
    *("model=gpt", "callback=[]", "model.embedding_size=16", "model.layers=1"),
    *("model.heads=2", "data.context_size=16", "data.batch_size=4"),
    *("data.batches_per_epoch=30", "data.evaluation_batch_size=512"),
    *(*BRIEF, "trainer.max_epochs=3", "checkpoint_seconds=0"),
)
SUMS = (
    *("data.train_sequences=256", "data.validation_sequences=64", "data.steps=10"),
    *("data.test_sequences=64", *SHORT),
)
ADDER = (
    *("model=lstm_adder", "data.train_pairs=256", "data.validation_pairs=64"),
    *("data.test_pairs=64", "data.long_test_pairs=16", "data.test_bits=[16]", *SHORT),
)

MODELS = {
    "perceptron": ("model=perceptron", *XOR[1:2], *SHORT),
    "mlp": NETWORK,
    "lenet5": IMAGES,
    "lstm_adder": ADDER,
    "recurrent": ("model=recurrent", "model.cell=gru", "model.hidden_size=8", *SUMS),
    "siamese": (*TWINS, "data=digits_pairs", *FEW_PAIRS),
    "autoencoder": (*CODES, *SHORT),
    "gan": GAN,
    "gpt": (*GPT, "data=pydocs", "model.lora_rank=2", "model.positions=rotary"),
}
DATA = {
    "xor": (*XOR, *SHORT),
    "digits": NETWORK,
    "digits_pairs": MODELS["siamese"],
    "addition": (*ADDER, "data=addition"),
    "adding_problem": ("model=recurrent", "data=adding_problem", *SUMS),
    "pydocs": (*GPT, "data=pydocs", "tokenizer=bpe", "tokenizer.vocabulary_size=300"),
    "text": (*GPT, "data=text", f"data.path={ROOT / 'README.md'}", "tokenizer=word"),
}
MNIST = (*SMALL, "data=mnist", "data.train_size=200", *BRIEF)
REAL_DATA = {  # by their folder in NNLAB_DATA, where that has them
    "mnist": ("MNIST", MNIST),
    "fashion_mnist": ("FashionMNIST", (*SMALL, "data=fashion_mnist", *MNIST[-3:])),
    "mnist_pairs": ("MNIST", (*TWINS, "data=mnist_pairs", *FEW_PAIRS, *BRIEF)),
    "shakespeare": ("shakespeare", (*GPT, "data=shakespeare")),
}
# What a choice needs besides, where the network above is not enough.
NEEDS = {
    "optimizer=adam_gan": GAN,
    "regularizer=stochastic_depth": (*GPT, "data=pydocs"),
    "callback=embedding_projector": (*NETWORK, "logger=[tensorboard]"),
    "callback=weight_histograms": (*NETWORK, "logger=[tensorboard]"),
}
SLOW = ("callback=compile",)  # half a minute each life; tests/callback has it
MEASURED = ("throughput/", "memory/")  # seconds and bytes: no two runs have the same


def cases(folder: Path) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    """Yield a tiny run of every choice; None where none is known.

    Args:
        folder: of texts (en.txt, de.txt, ...), and of the same prepared as `corpus`.
    """
    for name in _names("conf/model"):
        yield f"model={name}", MODELS.get(name)
    known = DATA | {
        name: (*GPT, f"data={name}", f"data.folder={folder}/corpus", "tokenizer=byte")
        for name in PREPARED
    }
    known["page_language"] = (
        *(*SMALL, "data=page_language", f"data.source={folder}", "data.features=64"),
        "data.lines_per_page=1",
    )
    for name in _names("conf/data"):
        if name not in REAL_DATA:
            yield f"data={name}", known.get(name)
        elif (Path(os.environ.get("NNLAB_DATA", "")) / REAL_DATA[name][0]).is_dir():
            yield f"data={name}", REAL_DATA[name][1]
    for group in ("optimizer", "schedule", "regularizer", "callback"):
        for name in _names(f"conf/{group}", f"plugins/{group}/conf/{group}"):
            choice = f"{group}={name}"
            is_list = group in ("regularizer", "callback")
            word = f"{group}=[{name}]" if is_list else choice
            if name != "none" and choice not in SLOW:
                yield choice, (*NEEDS.get(choice, NETWORK), word)


def kill_all(bench: Bench, times: int) -> list[str]:
    """Kill a run of each choice; return a line for each."""
    folder = texts(bench)
    chosen = list(cases(folder))
    every = max(1, round(len(chosen) / times))  # a quick look takes some of them
    return [_kill(bench, *case) for case in chosen[::every]]


def _kill(bench: Bench, choice: str, words: tuple[str, ...] | None) -> str:
    if words is None:
        return f"{choice}: no tiny run is known; give it one in {Path(__file__).name}"
    words = (*words, *without(QUIET, words))
    place = bench.folder / choice.replace("=", "-")
    found = killed_runs(words, KILLS, place, bench.lives, bench.draw, measured=MEASURED)
    return next((f"{choice}: {fault}" for fault in found if fault), "")


def texts(bench: Bench) -> Path:
    """Write texts, in two languages' names, and prepare others; return the folder."""
    folder = bench.folder / "texts"
    pages = folder / "pages"
    pages.mkdir(parents=True)
    for number in range(40):
        (pages / f"{number}.txt").write_text(page(number, words=200))
        with (folder / f"{('de', 'en')[number % 2]}.txt").open("a") as file:
            file.write(page(number, words=200) + "\n")
    words = ("prepare", "data=webtext", f"data.source={pages}", "tokenizer=byte")
    words += ("data.language=null", f"data.folder={folder}/corpus")
    words += ("data.shard.keeps_together=page", "data.shard.validation_share=0.3")
    if bench.lives.run(*words):
        raise RuntimeError(bench.lives.said[-300:])
    return folder


def _names(*folders: str) -> list[str]:
    found = (file.stem for folder in folders for file in (ROOT / folder).glob("*.yaml"))
    return sorted(found)
