import math
import os
import random

import numpy as np
import pytest
import torch
from lightning import Callback, Trainer
from torch.nn import functional as F

from nnlab.data import _token_ids
from nnlab.data._text import split_by_position
from nnlab.data._text_files import read_texts
from nnlab.errors import UserError
from nnlab.learner import Learner
from nnlab.tokenizer.char import Char
from nnlab.tokenizer.restore import tokenizer_from_state

STORY = "".join(
    f"Once upon a time there was story {i:04d}: it was told again, {i}.\n".ljust(
        65, "_"
    )
    for i in range(40)
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/nnlab/tokens"


@pytest.fixture
def make(build, tmp_path):
    """Build data=text of a file's content, or of a folder's files."""

    def make_text(content, *overrides):
        place = tmp_path / "texts"
        if isinstance(content, dict):
            for name, each in content.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_bytes(each)
        else:
            place.write_bytes(
                content if isinstance(content, bytes) else content.encode()
            )
        return build("data=text", f"data.path={place}", *overrides, part="data")

    return make_text


def fault(data):
    with pytest.raises(UserError) as error:
        data.setup()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_splits_follow_each_other_and_are_the_text(make):
    data = make(STORY, "data.validation_share=0.1", "data.test_share=0.05")
    data.setup()
    texts = [data.tokenizer.decode(ids.tolist()) for (ids,) in data.splits]
    assert "".join(texts) == STORY
    assert [len(text) for text in texts] == [2210, 260, 130]


def test_a_batch_is_tokens_and_the_tokens_one_place_later(make):
    data = make(STORY, "data.context_size=16", "data.batch_size=5")
    for loader in (data.train_dataloader(), data.val_dataloader()):
        tokens, targets = data.on_after_batch_transfer(next(iter(loader)), 0)
        assert tokens.dtype == targets.dtype == torch.int64
        assert tokens.shape == targets.shape
        assert tokens.shape[1] == 16
        assert torch.equal(tokens[:, 1:], targets[:, :-1])
        assert data.tokenizer.decode(tokens[0].tolist()) in STORY


def test_facts_are_those_of_the_text(make):
    facts = make("abc" * 1000, "data.context_size=16").facts()
    assert facts == {"vocabulary_size": 4, "context_size": 16}  # a, b, c, unknown


def test_the_tokenizer_is_trained_on_the_training_split_only(make):
    text = "abcd" * 500 + "z" * 200
    data = make(text, "data.validation_share=0.05", "data.test_share=0.05")
    data.setup()
    assert data.tokenizer.characters == "abcd"
    [validation], [test] = data.splits.validation, data.splits.test
    unknown = data.tokenizer.special["unknown"]
    assert (validation == unknown).sum() + (test == unknown).sum() == 200
    assert "'z'" in fault(make(text, "tokenizer=char"))


def test_without_a_test_share_the_test_is_on_the_validation_split(make):
    data = make(STORY, "data.test_share=0")
    data.setup()
    assert torch.equal(data.splits.validation[0], data.splits.test[0])


def test_a_tokenizer_that_is_trained_is_kept(make):
    first = make(STORY)
    first.setup()
    second = make("other letters, xyz: " * 200)
    second.tokenizer = tokenizer_from_state(first.tokenizer.state())
    assert second.facts()["vocabulary_size"] == first.facts()["vocabulary_size"]


def test_a_folder_is_its_files_in_order_with_the_end_of_text_between(make):
    files = {"b/z.md": b"BB", "a.txt": b"AA", ".hidden": b"HH", "c.txt": b"", "d": b"D"}
    data = make(files, "tokenizer=byte")
    assert data.documents() == ["AA", "BB", "D"]
    ids = _token_ids.token_ids(data.documents(), data.tokenizer).tolist()
    assert ids == [65, 65, 256, 66, 66, 256, 68]
    plain = Char(special=())
    plain.train(["ABD"])
    assert _token_ids.token_ids(["AA", "BB"], plain).tolist() == [0, 0, 1, 1]


def test_texts_are_cut_by_position_in_all_of_them():
    numbers = random.Random(0)
    for _ in range(200):
        texts = ["x" * numbers.randint(0, 9) for _ in range(numbers.randint(1, 6))]
        texts = [f"{i}{text}" for i, text in enumerate(texts)]
        percent = numbers.choice([(10, 0), (30, 20), (5, 5)])
        shares = (percent[0] / 100, percent[1] / 100)
        parts = split_by_position(texts, shares)
        whole = "".join(texts)
        assert "".join("".join(part) for part in parts) == whole
        assert len("".join(parts[0])) == len(whole) * (100 - sum(percent)) // 100
        assert all(piece for part in parts for piece in part)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "texts is empty"),
        (b"\xef\xbb\xbf", "texts is empty"),
        (b"good\xff\xfebad", "not UTF-8: the byte 0xff at offset 4"),
        ("gut und schön".encode("latin-1"), "the byte 0xf6 at offset 11"),
        (b"cut \xe4\xbd", "offset 4 (unexpected end of data)"),
        ({"a.txt": b"a", "b.txt": b"\x80"}, "b.txt is not UTF-8: the byte 0x80 at"),
        ({".a.txt": b"a", "b.txt": b""}, "holds no file with text"),
        (
            "a short text",
            "data.context_size=64 is more than the 10 tokens of the training",
        ),
        (
            STORY,
            "more than the 130 tokens of the validation split can fill; give at mo",
        ),
    ],
)
def test_what_is_no_text_is_one_sentence(make, content, expected):
    overrides = ["data.context_size=200"] if content == STORY else []
    assert expected in fault(make(content, *overrides))


def test_nothing_there_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"data\.path=.*is no file and no folder"):
        read_texts(str(tmp_path / "nothing"), key="data.path")


def test_the_longest_context_that_is_offered_is_one_that_serves(make):
    data = make(STORY, "data.context_size=129")
    data.setup()
    [(window,)] = data.val_dataloader()
    assert window.shape == (1, 130)


def test_a_mark_at_the_beginning_is_no_text(make):
    assert make(b"\xef\xbb\xbftext").documents() == ["text"]


def test_shares_that_leave_nothing_are_refused(make):
    with pytest.raises(UserError, match="leave nothing to train on"):
        make(STORY, "data.validation_share=0.5", "data.test_share=0.5")
    with pytest.raises(UserError, match="text needs a tokenizer"):
        make(STORY, "data.tokenizer=null")


def test_ids_are_written_once_and_made_again_where_they_are_damaged(
    make, cache, monkeypatch
):
    data = make(STORY)
    data.setup()
    files = sorted(cache.iterdir())
    assert len(files) == 3
    assert {file.suffix for file in files} == {".npy"}
    assert {np.load(file).dtype.name for file in files} == {"uint16"}
    written = [file.stat().st_mtime_ns for file in files]
    make(STORY).setup()
    assert [file.stat().st_mtime_ns for file in files] == written
    for file in files:
        os.truncate(file, file.stat().st_size - 3)
    again = make(STORY)
    again.setup()
    texts = [again.tokenizer.decode(ids.tolist()) for (ids,) in again.splits]
    assert "".join(texts) == STORY


def test_other_text_or_another_tokenizer_is_another_file(make, cache):
    make(STORY).setup()
    make(STORY + "!" * 70).setup()
    make(STORY, "tokenizer=byte").setup()
    assert len(list(cache.iterdir())) == 9


def test_a_cache_that_cannot_be_written_is_one_sentence(make, cache):
    cache.parent.parent.mkdir()
    cache.parent.write_text("a file, where a folder is needed")
    assert "name another folder by XDG_CACHE_HOME" in fault(make(STORY))


def test_many_tokens_take_four_bytes(make, cache):
    text = "".join(map(chr, range(0x10000, 0x10000 + 70_000))) * 2
    data = make(text)
    data.setup()
    assert data.splits.train[0].dtype == torch.uint32
    assert data.tokenizer.decode(data.splits.test[0].tolist()) == text[-7000:]


class Counts(Learner):
    """Scores the next token by the last one; notes the batches it learned from."""

    def __init__(self, size):
        super().__init__()
        self.table = torch.nn.Embedding(size, size)
        self.make_optimizer = lambda weights: torch.optim.SGD(weights, lr=1.0)
        self.make_schedule = lambda optimizer, _: torch.optim.lr_scheduler.ConstantLR(
            optimizer, factor=1.0
        )
        self.seen = []

    def measure(self, batch):
        tokens, targets = batch
        if self.trainer.training:
            self.seen.append(tokens.clone())
        return {"loss": F.cross_entropy(self.table(tokens).mT, targets)}


def trainer(**keywords):
    return Trainer(
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **{"enable_checkpointing": False, **keywords},
    )


def test_a_run_continued_in_mid_epoch_sees_the_batches_it_would_have_seen(
    make, tmp_path
):
    epoch = "data.batches_per_epoch=5"

    class Save(Callback):
        def on_train_batch_end(self, trainer, *args):
            if trainer.global_step == 8:  # the third of the second epoch's five
                trainer.save_checkpoint(tmp_path / "last.ckpt", weights_only=False)

    def fit(*callbacks, resume=None):
        torch.manual_seed(0)
        data = make(STORY, epoch)
        model = Counts(data.facts()["vocabulary_size"])
        run = trainer(max_steps=12, callbacks=list(callbacks))
        run.fit(model, datamodule=data, ckpt_path=resume, weights_only=True)
        return model

    whole = fit(Save())
    second = fit(resume=tmp_path / "last.ckpt")
    assert (len(whole.seen), len(second.seen)) == (12, 4)
    assert all(map(torch.equal, second.seen, whole.seen[8:]))
    assert torch.equal(whole.table.weight, second.table.weight)


def test_the_validation_loss_is_that_of_the_whole_split_in_bits_per_byte(make):
    text = STORY.replace("o", "ö")
    data = make(text, "data.context_size=10", "data.evaluation_batch_size=3")
    model = Counts(data.facts()["vocabulary_size"])
    run = trainer()
    run.validate(model, datamodule=data, verbose=False)
    ids = data.splits.validation[0].long()
    each = F.cross_entropy(model.table(ids[:-1]), ids[1:], reduction="none").detach()
    # 129 predictions in 13 windows: the last shares one with the window before
    twice = each[119]
    expected = (each.sum() + twice) / 130
    measured = run.callback_metrics["val/loss"].item()
    assert measured == pytest.approx(expected.item(), rel=1e-5)
    validation = data.tokenizer.decode(ids.tolist())
    size = len(validation.encode()) / len(validation)
    assert size > 1
    derived = data.derived("val", {"loss": expected})
    bits = expected.item() / math.log(2) / size
    assert derived["bits_per_byte"].item() == pytest.approx(bits, rel=1e-6)


def test_perplexity_of_bytes_and_characters_is_comparable(make):
    for kind in ("byte", "char_unknown"):
        data = make("ää" * 2000, f"tokenizer={kind}")
        data.setup()
        # a model that gives each byte one bit
        nats = math.log(2) * data.bytes_per_token["val"]
        derived = data.derived("val", {"loss": torch.tensor(nats)})
        assert derived["bits_per_byte"].item() == pytest.approx(1)
