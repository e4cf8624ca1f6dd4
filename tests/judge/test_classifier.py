import pytest
import torch

from nnlab.data_module import Splits
from nnlab.errors import UserError
from nnlab.judge import classifier
from nnlab.judge.classifier import fingerprint, judge_for, new_classifier


@pytest.fixture(autouse=True)
def brief(monkeypatch, tmp_path):
    """Train for 120 steps, and keep the judges of these tests apart."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(classifier, "LEAST_STEPS", 120)
    monkeypatch.setattr(classifier, "PASSES", 1)


@pytest.fixture
def splits() -> Splits:
    """Return bars at one of three places, in noise."""
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(90) % 3
    image = torch.randint(0, 100, (90, 12, 12), generator=generator).to(torch.uint8)
    for place in range(3):
        image[label == place, :, 4 * place : 4 * place + 3] = 255
    sets = [(image[part], label[part]) for part in torch.arange(90).split(30)]
    return Splits(*sets)


def test_learns_to_tell_the_classes(splits):
    judge = judge_for(splits, is_trial=False)
    image, label = splits.test
    features, probability = judge(image.unsqueeze(1) / 255)
    assert features.shape == (30, 64)
    torch.testing.assert_close(probability.sum(dim=1), torch.ones(30))
    assert (probability.argmax(dim=1) == label).all()


def test_is_trained_once_and_then_found(splits, monkeypatch, tmp_path):
    first = judge_for(splits, is_trial=False)
    monkeypatch.setattr(classifier, "train", None)  # would fail if it were called
    assert judge_for(splits, is_trial=False).fingerprint == first.fingerprint
    assert len(list((tmp_path / "cache/nnlab/judges").iterdir())) == 1


def test_is_the_same_whichever_images_a_run_validates_on(splits, monkeypatch):
    first = judge_for(splits, is_trial=False)
    image, label = (torch.cat(pair) for pair in zip(*splits[:2], strict=True))
    order = torch.randperm(60, generator=torch.Generator().manual_seed(1))
    one, other = order[:45], order[45:]
    again = Splits((image[one], label[one]), (image[other], label[other]), splits.test)
    monkeypatch.setattr(classifier, "train", None)
    assert judge_for(again, is_trial=False).fingerprint == first.fingerprint


def test_other_images_or_another_recipe_make_another_judge(splits, monkeypatch):
    first = judge_for(splits, is_trial=False)
    others = Splits((255 - splits.train[0], splits.train[1]), *splits[1:])
    assert judge_for(others, is_trial=False).fingerprint != first.fingerprint
    monkeypatch.setattr(classifier, "RECIPE", "2")
    monkeypatch.setattr(classifier, "RATE", 1e-3)
    assert judge_for(splits, is_trial=False).fingerprint != first.fingerprint


def test_a_damaged_file_is_made_anew(splits, tmp_path):
    first = judge_for(splits, is_trial=False)
    (file,) = (tmp_path / "cache/nnlab/judges").iterdir()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert judge_for(splits, is_trial=False).fingerprint == first.fingerprint
    assert classifier.is_whole(file)


def test_a_cache_that_cannot_be_written_is_said_and_survived(
    splits, monkeypatch, tmp_path, caplog
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    judge_for(splits, is_trial=False)
    assert "the judge is not kept for the next run" in caplog.text


def test_trains_where_no_gradients_are_kept_and_leaves_random_numbers_alone(splits):
    state = torch.get_rng_state()
    with torch.no_grad():
        judge_for(splits, is_trial=False)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_trial_costs_no_training_and_keeps_nothing(splits, monkeypatch, tmp_path):
    monkeypatch.setattr(classifier, "train", None)
    assert judge_for(splits, is_trial=True).classes == 3
    assert not (tmp_path / "cache").exists()


def test_the_fingerprint_knows_each_bit_of_the_weights():
    network = new_classifier(height=12, width=12, classes=3)
    before = fingerprint(network)
    assert fingerprint(new_classifier(height=12, width=12, classes=3)) == before
    with torch.no_grad():
        network.output.bias[0] += 1e-7
    assert fingerprint(network) != before


def test_its_examples_are_training_images(splits):
    judge = judge_for(splits, is_trial=True)
    shown = torch.cat(list(judge.examples())).squeeze(1)
    torch.testing.assert_close(shown, splits.train[0] / 255)


def test_refuses_data_that_are_no_labelled_images(splits):
    points = torch.rand(4, 2)
    small = splits.train[0][:, :8, :8]
    for train in (
        (points, torch.arange(4)),
        (splits.train[0],),
        (small, splits.train[1]),
    ):
        with pytest.raises(UserError, match="data=mnist or data=digits"):
            judge_for(Splits(train, train, train), is_trial=True)
