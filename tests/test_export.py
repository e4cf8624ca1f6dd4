"""The verb, on runs of a GPT of a few weights: whole, or LoRA's part alone."""

import pytest

SMALL = (
    "model=gpt",
    "data=text",
    "model.embedding_size=8",
    "model.layers=1",
    "model.heads=1",
    "model.use_bias=true",
    "data.context_size=8",
    "data.batches_per_epoch=2",
    "trainer.max_epochs=1",
    "pictures=0",
    "callback=[]",
    "logger=[]",
)


@pytest.fixture
def train(nnlab, tmp_path):
    """Train on a book of one line, which has no new line in it."""
    book = tmp_path / "book.txt"
    book.write_text("the cat sat on the mat and the dog sat on the cat " * 20)

    def run(folder, *words):
        answer = nnlab(*SMALL, f"data.path={book}", f"folder={folder}", *words)
        assert answer.status == 0, answer.err
        return folder

    return run


def test_an_adapter_makes_the_model_it_changed_say_what_was_learned(train, nnlab):
    train("base")
    assert nnlab("export", "run=base", "to=weights").status == 0
    train("tuned", "model.pretrained=weights", "model.lora_rank=2", "optimizer.lr=0.5")
    assert nnlab("export", "run=tuned", "to=adapter", "adapter=true").status == 0
    ask = ("prompt=the", "temperature=2", "max_tokens=40")
    tuned = nnlab("generate", "run=tuned", *ask).out
    assert nnlab("generate", "run=base", *ask).out != tuned
    assert nnlab("generate", "run=base", "adapter=adapter", *ask).out == tuned


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["adapter=true"], "adapter=true is for a run of LoRA"),
        (["adapter=yes"], "adapter=yes must be true or false"),
        (["checkpoint=first"], "checkpoint=first must be best or last"),
        (["form=onnx"], "no option called 'form'"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is(
    train, nnlab, tmp_path, words, sentence
):
    train("base")
    answer = nnlab("export", "run=base", "to=there", *words)
    assert answer.status == 2
    assert sentence in answer.err
    assert not (tmp_path / "there").exists()


def test_a_folder_with_something_in_it_is_left_alone(train, nnlab):
    train("base")
    answer = nnlab("export", "run=base", "to=base")
    assert answer.status == 2
    assert "to=base is there already" in answer.err


def test_a_model_of_no_known_form_is_named(nnlab):
    assert nnlab("trainer.max_epochs=1", "pictures=0", "folder=mlp").status == 0
    answer = nnlab("export", "run=mlp", "to=there")
    assert answer.status == 2
    assert "holds model=mlp" in answer.err
    assert "to=there.pt2" in answer.err
