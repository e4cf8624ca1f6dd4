import numpy as np
import torch
from scipy.stats import norm

from nnlab.picture.latent_grid import latent_grid


def decoded(code: torch.Tensor, size: int) -> torch.Tensor:
    """Return the codes that a grid is drawn of, row by row."""
    seen: list[torch.Tensor] = []

    def decode(plane: torch.Tensor) -> torch.Tensor:
        seen.append(plane)
        return plane[:, :1].view(-1, 1, 1, 1)

    figure = latent_grid(decode, code, size=size)
    assert figure.get_suptitle().startswith("decoded from codes")
    shown = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(shown, seen[0][:, 0].view(size, size))
    return seen[0].view(size, size, -1)


def test_two_numbers_divide_the_normal_distribution_evenly():
    grid = decoded(torch.zeros(1, 2), 4)
    steps = norm.ppf([0.125, 0.375, 0.625, 0.875])
    np.testing.assert_allclose(grid[0, :, 0], steps, atol=1e-5)  # to the right
    np.testing.assert_allclose(grid[:, 0, 1], -steps, atol=1e-5)  # upwards


def test_more_numbers_go_from_corner_to_corner():
    code = torch.randn(9, 5)
    grid = decoded(code, 3)
    corners = grid[[0, 0, 2, 2], [0, 2, 0, 2]]
    torch.testing.assert_close(corners, code[:4])
    torch.testing.assert_close(grid[1, 1], code[:4].mean(dim=0))
