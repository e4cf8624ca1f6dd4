"""Two processes that train one model hold the same weights after every step."""

import pytest
import torch
from lightning import Callback
from torch import distributed


class SameWeights(Callback):
    """Fails where the ranks' weights differ in a bit, or where nothing was compared."""

    def on_train_batch_end(self, trainer, pl_module, *_):
        assert trainer.world_size == 2
        flat = torch.cat([p.detach().flatten() for p in pl_module.parameters()])
        ranks = [torch.empty_like(flat) for _ in range(2)]
        distributed.all_gather(ranks, flat)
        assert torch.equal(*ranks)


TOGETHER = {
    "weights": ("l1", "l2", "weight_decay", "gradient_noise", "orthogonality"),
    "steps": ("l1_proximal", "elastic_net", "max_norm"),
    "forward": ("dropout", "spectral_norm"),
    "parametrized": ("weight_norm", "input_noise", "gradient_penalty"),
    "dropped": ("drop_connect", "mixup", "label_smoothing"),
    "uphill": ("sam", "jacobian", "confidence_penalty"),
}


@pytest.mark.filterwarnings("ignore:It is recommended to use `self.log")
@pytest.mark.parametrize("names", TOGETHER.values(), ids=TOGETHER)
def test_every_rank_has_the_same_weights(names, make, net, fit):
    two = {"strategy": "ddp_fork", "devices": 2, "max_epochs": 1}
    fit(net(), *(make(name) for name in names), SameWeights(), **two)
