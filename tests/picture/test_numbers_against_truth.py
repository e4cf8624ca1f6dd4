import torch

from nnlab.picture.numbers_against_truth import numbers_against_truth


def test_counts_and_colours_what_is_within_the_tolerance():
    truths = torch.tensor([0.1, 0.5, 0.9])
    answers = torch.tensor([0.11, 0.6, 0.91])
    axes = numbers_against_truth(answers, truths, 0.04).axes[0]
    assert axes.get_title() == "2 of 3 within 0.04"
    right, wrong = (torch.tensor(c.get_offsets().data) for c in axes.collections)
    torch.testing.assert_close(wrong, torch.tensor([[0.5, 0.6]]), check_dtype=False)
    assert right[:, 0].tolist() == truths[[0, 2]].tolist()
