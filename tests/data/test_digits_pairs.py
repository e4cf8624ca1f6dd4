import itertools
from types import SimpleNamespace

import pytest
import torch

from nnlab.batches import mix
from nnlab.data._pair_batches import draw_partners
from nnlab.data.digits_pairs import DigitsPairs
from nnlab.errors import UserError

# At 8x8 all 1,797 images differ, so that an image is known by its bytes.
PLAIN = ("data=digits_pairs", "data.source.image_size=8")


@pytest.fixture
def make(build):
    def make_data(*overrides) -> DigitsPairs:
        return build(*PLAIN, *overrides, part="data")

    return make_data


def keys(images):
    return [image.numpy().tobytes() for image in images]


def epoch_of(data, epoch, start=0):
    batches = data.train_dataloader()
    batches.set_epoch(epoch)
    batches.resume(epoch=epoch, position=start)
    return list(batches)


def joined(batches):
    return [torch.cat(parts) for parts in zip(*batches, strict=True)]


def test_no_test_pair_holds_an_image_that_was_trained_on_or_validated_with(make):
    data = make()
    data.setup()
    train = set(keys(data.splits.train[0]))
    validation, test = (
        set(keys(split[0]) + keys(split[1]))
        for split in (data.splits.validation, data.splits.test)
    )
    assert [len(train), len(validation), len(test)] == [1077, 360, 360]
    assert not train & validation
    assert not train & test
    assert not validation & test
    first, second, _, _ = joined(epoch_of(data, 0))
    assert set(keys(first) + keys(second)) <= train


def test_half_of_all_pairs_are_of_one_class_and_none_is_an_image_with_itself(make):
    data = make()
    data.setup()
    for first, second, label, other in (
        joined(epoch_of(data, 3)),
        data.splits.validation,
        data.splits.test,
    ):
        assert int((label == other).sum()) == len(label) // 2
        pairs = zip(keys(first), keys(second), strict=True)
        assert all(one != two for one, two in pairs)


def test_the_labels_are_those_of_the_images(make):
    data = make()
    plain = data.source.load()
    known = {
        key: int(label)
        for images, labels in plain
        for key, label in zip(keys(images), labels, strict=True)
    }
    first, second, label, other = joined(epoch_of(data, 0))
    assert [known[key] for key in keys(first)] == label.tolist()
    assert [known[key] for key in keys(second)] == other.tolist()


def test_each_image_is_the_first_of_as_many_pairs_as_asked(make):
    data = make("data.repeats=3")
    first, *_ = joined(epoch_of(data, 0))
    images = sorted(keys(first))
    assert len(images) == 3 * 1077
    assert all(len(list(group)) == 3 for _, group in itertools.groupby(images))


def test_pairs_are_drawn_anew_each_epoch_and_the_same_for_the_same_seed(make):
    one, again = joined(epoch_of(make(), 1)), joined(epoch_of(make(), 1))
    assert all(map(torch.equal, one, again))
    for other in (joined(epoch_of(make(), 2)), joined(epoch_of(make("seed=1"), 1))):
        assert set(zip(keys(one[0]), keys(one[1]), strict=True)) != set(
            zip(keys(other[0]), keys(other[1]), strict=True)
        )
        # nor are the places of the like pairs those of another epoch
        assert not torch.equal(one[2] == one[3], other[2] == other[3])


def test_test_pairs_stay_and_their_seed_is_of_no_epoch(make):
    one, other = make(), make()
    one.setup()
    other.setup()
    epoch_of(one, 5)
    assert all(map(torch.equal, one.splits.test, other.splits.test))
    assert mix(0, -2) not in {mix(0, epoch, 1) for epoch in range(1000)}


def test_an_epoch_continued_in_its_middle_draws_the_pairs_it_would_have(make):
    whole = epoch_of(make(), 2)
    rest = epoch_of(make(), 2, start=7)
    assert len(rest) == len(whole) - 7
    for left, right in zip(rest, whole[7:], strict=True):
        assert all(map(torch.equal, left, right))


def test_held_out_classes_are_tested_only_and_never_mixed_with_the_others(make):
    data = make("data.held_out_classes=[7,1,4,2]")
    data.setup()
    unseen = torch.tensor([1, 2, 4, 7])
    assert not torch.isin(data.splits.train[1], unseen).any()
    for side in data.splits.validation[2:]:
        assert not torch.isin(side, unseen).any()
    _, _, label, other = data.splits.test
    assert torch.equal(torch.isin(label, unseen), torch.isin(other, unseen))
    assert sorted(set(label.tolist())) == list(range(10))
    held_out = torch.isin(label, unseen)
    for group in (held_out, ~held_out):
        assert abs(int((label == other)[group].sum()) - int(group.sum()) // 2) <= 1
    assert data.halves == [[1, 2], [4, 7]]
    for half in map(torch.tensor, data.halves):
        assert torch.equal(torch.isin(label, half), torch.isin(other, half))


def test_two_held_out_classes_are_too_few_for_halves(make):
    assert make("data.held_out_classes=[3,8]").halves == [[3, 8]]
    assert make().halves == []


def test_only_the_chosen_classes_are_used(make):
    data = make("data.classes=[4,9]")
    data.setup()
    labels = [data.splits.train[1], *data.splits.validation[2:], *data.splits.test[2:]]
    assert all(set(label.tolist()) == {4, 9} for label in labels)


def test_a_batch_is_normalised_as_its_source_does_it(make):
    data = make()
    batch = next(iter(data.train_dataloader()))
    first, second, label, other = data.prepare(batch)
    assert first.shape == second.shape == (64, 1, 8, 8)
    assert torch.equal(first, data.source.prepare((batch[0], batch[2]))[0])
    assert torch.equal(second, data.source.prepare((batch[1], batch[3]))[0])
    assert torch.equal(label, batch[2])
    assert torch.equal(other, batch[3])


def test_only_training_images_are_shifted_and_the_two_of_a_pair_apart(make):
    data = make("data.source.shift=2")
    image = data.source.load().train[0][:50]
    batch = image, image, torch.zeros(50), torch.zeros(50)
    loop = SimpleNamespace(
        epoch_loop=SimpleNamespace(
            batch_progress=SimpleNamespace(current=SimpleNamespace(ready=1))
        )
    )
    place = {"current_epoch": 0, "global_rank": 0, "fit_loop": loop}
    data.trainer = SimpleNamespace(training=True, **place)
    first, second, *_ = data.prepare(batch)
    assert not torch.equal(first, second)
    data.trainer.training = False
    first, second, *_ = data.prepare(batch)
    assert torch.equal(first, second)


def test_the_gallery_is_spread_over_the_training_images(make):
    data = make("data.held_out_classes=[0,1]", "data.evaluation_batch_size=30")
    data.setup()
    batches = list(data.gallery(100, torch.device("cpu")))
    assert [len(label) for _, label in batches] == [30, 30, 30, 10]
    image, label = joined(batches)
    trained = keys(data.source.prepare(data.splits.train)[0])
    places = [trained.index(key) for key in keys(image)]
    assert places[0] == 0
    assert places[-1] == len(trained) - 1
    assert max(b - a for a, b in itertools.pairwise(places)) <= len(trained) / 99 + 1
    assert set(label.tolist()) == set(range(2, 10))
    whole = joined(data.gallery(10**6, torch.device("cpu")))
    assert len(whole[1]) == len(trained)


def test_partners_are_drawn_evenly():
    labels = torch.tensor([0, 1, 0, 2, 1, 0, 2, 0])
    generator = torch.Generator().manual_seed(0)
    partners = draw_partners(
        labels, torch.zeros(60_000, dtype=torch.long), generator=generator
    )
    shares = partners.bincount(minlength=8) / 60_000
    # image 0 is one of four zeros: half its partners are the other three of them
    expected = torch.tensor([0, 1 / 8, 1 / 6, 1 / 8, 1 / 8, 1 / 6, 1 / 8, 1 / 6])
    assert (shares - expected).abs().max() < 0.006


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("data.held_out_classes=[3]", "an odd number of classes .1., and each"),
        ("data.held_out_classes=[7,8,9]", "an odd number of classes .3., and each"),
        ("data.held_out_classes=[0,1,2,3,4,5,6,7,8]", "leaves 1 of 10 .* leave 2"),
        ("data.held_out_classes=[0,1,2,3,4,5,6,7,8,9]", "leaves 0 of 10"),
        ("data.held_out_classes=[3,10]", "the class 10; the classes are 0, 1"),
        ("data.held_out_classes=[3,-1]", "greater than or equal to 0"),
        ("data.held_out_classes=[3,3]", "a class twice"),
        ("data.held_out_classes=3", "a list"),
        ("data.held_out_classes=[1.5,2]", "a whole number"),
        ("data.classes=[4]", "leaves 1 of 10"),
        ("data.classes=[4,12]", "the class 12; the classes are 0, 1"),
        ("data.source.test_size=3", "the test split has no two images of each class"),
    ],
)
def test_classes_that_make_no_pairs_are_refused_in_one_sentence(
    make, override, sentence
):
    with pytest.raises(UserError, match=sentence) as error:
        make(override).setup()
    assert "\n" not in str(error.value)
    assert override.split("=")[0] in str(error.value) or "data.source" in str(
        error.value
    )


def test_held_out_classes_must_be_among_those_used(make):
    with pytest.raises(UserError, match=r"the class 3; the classes are 4, 5, 6, 9"):
        make("data.classes=[4,5,6,9]", "data.held_out_classes=[3,4]")
