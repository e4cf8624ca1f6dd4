from types import SimpleNamespace

import torch
from torch import nn

from nnlab.optimizer.muon import MuonAdamW

NUMBERS = {"lr": 0.01, "momentum": 0.9, "betas": (0.9, 0.95), "weight_decay": 0.1}


def parameters() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(5,), (8, 5), (4, 2, 3, 3), (3, 8)]
    return [nn.Parameter(torch.randn(s, generator=generator)) for s in shapes]


def give_gradients(weights, seed) -> None:
    generator = torch.Generator().manual_seed(seed)
    for weight in weights:
        weight.grad = torch.randn(weight.shape, generator=generator)


def test_is_torchs_muon_on_matrices_and_torchs_adamw_on_the_rest():
    ours, theirs = parameters(), parameters()
    optimizer = MuonAdamW(ours, **NUMBERS)
    vector, first, filters, second = theirs
    references = [
        torch.optim.Muon(
            [first, second],
            lr=0.01,
            momentum=0.9,
            weight_decay=0.1,
            adjust_lr_fn="match_rms_adamw",
        ),
        torch.optim.AdamW([filters], lr=0.01, betas=(0.9, 0.95), weight_decay=0.1),
        torch.optim.AdamW([vector], lr=0.01, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    for seed in range(5):
        give_gradients(ours, seed)
        give_gradients(theirs, seed)
        optimizer.step()
        for reference in references:
            reference.step()
        for our, their in zip(ours, theirs, strict=True):
            torch.testing.assert_close(our, their, rtol=1e-6, atol=1e-7)


def test_a_table_that_is_looked_up_is_adamws_and_learner_marks_it(build):
    model = build("model=gpt", "model.vocabulary_size=9", "model.context_size=4")
    model.trainer = SimpleNamespace(estimated_stepping_batches=10)
    model.make_optimizer = lambda weights: MuonAdamW(weights, **NUMBERS)
    model.make_schedule = lambda optimizer, steps: None
    optimizer = model.configure_optimizers()["optimizer"]
    names = {id(weight): name for name, weight in model.named_parameters()}
    muons, adamws, vectors = (
        {names[id(weight)] for weight in group["params"]}
        for group in optimizer.param_groups
    )
    assert adamws == {"token_embedding.weight", "position_embedding.weight"}
    assert all("norm" in name for name in vectors)
    assert len(muons) + len(adamws) + len(vectors) == len(names)


def test_a_matrix_moves_by_a_nearly_orthogonal_step():
    weight = nn.Parameter(torch.zeros(6, 6))
    optimizer = MuonAdamW([weight], **NUMBERS | {"lr": 1.0, "weight_decay": 0.0})
    give_gradients([weight], 0)
    optimizer.step()
    singular = torch.linalg.svdvals(weight.detach()) / (0.2 * 6**0.5)
    # the post: Newton and Schulz's five rounds end between 0.7 and 1.2 or so
    assert singular.min() > 0.5
    assert singular.max() < 1.5


def test_its_step_is_as_large_as_adamws():
    weight = nn.Parameter(torch.zeros(64, 32))
    optimizer = MuonAdamW([weight], **NUMBERS | {"weight_decay": 0.0})
    give_gradients([weight], 0)
    optimizer.step()
    size = weight.detach().square().mean().sqrt() / NUMBERS["lr"]
    assert 0.15 < size < 0.3  # 0.2 to 0.4 is AdamW's (Liu et al. 2025, section 2.2)


def test_works_with_matrices_alone_and_with_none():
    for weight in (nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2))):
        optimizer = MuonAdamW([weight], **NUMBERS)
        give_gradients([weight], 0)
        optimizer.step()
        assert (weight != 1).all()


def test_calls_a_closure_once_and_returns_its_loss():
    weights = parameters()
    optimizer = MuonAdamW(weights, **NUMBERS)
    calls = []

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.stack([weight.square().sum() for weight in weights]).sum()
        loss.backward()
        calls.append(loss.item())
        return loss

    assert optimizer.step(closure).item() == calls[0]
    assert len(calls) == 1
