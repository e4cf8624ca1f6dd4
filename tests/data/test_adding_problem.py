import pytest
import torch


@pytest.fixture
def problem(build):
    def make(*overrides: str):
        return build("data=adding_problem", *overrides, part="data")

    return make


SMALL = (
    "data.train_sequences=3000",
    "data.validation_sequences=100",
    "data.test_sequences=100",
)


def test_the_target_is_a_half_and_a_quarter_of_the_two_marked_numbers(problem):
    data = problem(*SMALL)
    sequences, targets = data.prepare(data.load().train)
    assert (sequences.shape, targets.shape) == ((3000, 100, 2), (3000, 1))
    for sequence, target in zip(
        sequences[:50].tolist(), targets.tolist(), strict=False
    ):
        marked = [number for number, marker in sequence if marker == 1]
        assert len(marked) == 2
        assert target[0] == pytest.approx(0.5 + sum(marked) / 4, abs=1e-6)


@pytest.mark.parametrize("steps", [10, 11, 20, 100])
def test_both_marks_stand_where_the_paper_puts_them(problem, steps):
    data = problem(*SMALL, f"data.steps={steps}")
    (markers,) = (data.prepare(data.load().train)[0][:, :, 1],)
    assert (markers[:, [0, -1]] == -1).all()  # the beginning and the end
    places = (markers == 1).nonzero()[:, 1].reshape(-1, 2)
    half = steps // 2 - 1
    early, late = places.T  # nonzero counts up
    assert (early < late).all()
    assert 1 <= early.min() <= early.max() < min(10, half)
    assert late.max() == half - 1
    assert set(markers.unique().tolist()) == {-1, 0, 1}


def test_numbers_are_uniform_between_minus_one_and_one(problem):
    numbers = problem(*SMALL).load().train[0]
    assert (numbers.abs() <= 1).all()
    assert numbers.mean().item() == pytest.approx(0, abs=0.01)
    assert numbers.var().item() == pytest.approx(1 / 3, abs=0.01)


def test_always_to_say_the_mean_is_wrong_for_84_of_100(problem):
    data = problem(*SMALL)
    _, target = data.prepare(data.load().train)
    # the sum of two is triangular on [-2, 2]: P(|sum| < 0.16) = 0.16 - 0.16 ** 2 / 4
    expected = 0.16 - 0.16**2 / 4
    right = ((target - 0.5).abs() < 0.04).float().mean().item()
    assert right == pytest.approx(expected, abs=0.02)


def test_no_sequence_is_in_two_splits_and_a_seed_draws_its_own(problem):
    splits = problem(*SMALL).load()
    rows = torch.cat([split[0] for split in splits])
    assert len(rows.unique(dim=0)) == len(rows) == 3200
    same, other = (problem(*SMALL, f"seed={seed}").load() for seed in (0, 1))
    assert torch.equal(splits.train[0], same.train[0])
    assert not torch.equal(splits.train[0], other.train[0])


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("data.steps=0",), "data.steps=0"),
        (
            ("data.steps=10000", "data.train_sequences=100000"),
            "give at most 26,843 sequences in all",
        ),
    ],
)
def test_sizes_that_cannot_be_are_refused(problem, overrides, sentence):
    with pytest.raises(ValueError, match=sentence):
        problem(*overrides)
