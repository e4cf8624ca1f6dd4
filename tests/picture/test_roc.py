import torch

from nnlab.picture.roc import roc


def test_draws_each_curve_and_the_diagonal():
    rates = torch.tensor([0.0, 0.0, 1.0]), torch.tensor([0.0, 0.5, 1.0])
    axes = roc({"embedding": rates, "pixels": rates}).axes[0]
    diagonal, *curves = axes.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    names = ["embedding, area 0.750", "pixels, area 0.750"]
    assert [line.get_label() for line in curves] == names
    assert axes.get_title().startswith("ROC")
    assert curves[0].get_xydata().tolist() == [[0, 0], [0, 0.5], [1, 1]]
