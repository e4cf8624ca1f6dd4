import pytest
from torch import nn

from nnlab.layer.fine_tuning import choose_trained


class Tower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
        self.final_norm = nn.LayerNorm(2)


@pytest.mark.parametrize(
    ("blocks", "rank", "learning"),
    [
        (None, 0, {"blocks.0", "blocks.1", "blocks.2", "final_norm"}),
        (0, 0, {"final_norm"}),
        (2, 0, {"blocks.1", "blocks.2", "final_norm"}),
        (None, 1, {"blocks.0", "blocks.1", "blocks.2"}),
    ],
)
def test_what_is_chosen_learns_and_nothing_else(blocks, rank, learning):
    tower = Tower()
    choose_trained(tower, trained_blocks=blocks, lora_rank=rank)
    named = tower.named_parameters()
    assert {name.rpartition(".")[0] for name, p in named if p.requires_grad} == learning


def test_more_blocks_than_there_are_is_refused():
    with pytest.raises(
        ValueError, match=r"trained_blocks=4 is more than model\.layers=3"
    ):
        choose_trained(Tower(), trained_blocks=4, lora_rank=0)
