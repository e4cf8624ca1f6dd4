"""Yardsticks for learned codes: what PCA, and a linear classifier, make of the same.

Both see whole sets, and neither has a knob to turn in favour of a model: PCA is exact,
logistic regression convex.
"""

from collections.abc import Callable, Iterable, Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nnlab.data_module import DataModule

PROBED = 10_000  # training examples whose codes the linear probe learns from
AT_ONCE = 1000


def judge_code(
    encode: Callable[[Tensor], Float[Tensor, "batch code"]],
    data: DataModule,
    *,
    code_size: int,
    device: torch.device,
) -> dict[str, float]:
    """Return what PCA of the same size and a linear probe reach on labelled data.

    Both learn from the training set and are judged on the test set:
    `pca_squared_error`, summed over an example's numbers, and `probe_accuracy`.
    """
    assert data.splits is not None

    def served(examples: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, ...]]:
        for part in zip(*(tensor.split(AT_ONCE) for tensor in examples), strict=True):
            yield data.on_after_batch_transfer(tuple(x.to(device) for x in part), 0)

    def encoded(examples: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        codes = [(encode(x), label) for x, label in served(examples)]
        return torch.cat([c for c, _ in codes]), torch.cat([y for _, y in codes])

    train, _, test = data.splits
    mean, directions = principal_components((x for x, _ in served(train)), code_size)
    probed = tuple(tensor[:PROBED] for tensor in train)
    return {
        "pca_squared_error": left_over((x for x, _ in served(test)), mean, directions),
        "probe_accuracy": probe_accuracy(encoded(probed), encoded(test)),
    }


def principal_components(
    batches: Iterable[Float[Tensor, "batch ..."]], components: int
) -> tuple[Float[Tensor, " features"], Float[Tensor, "features components"]]:
    """Return the mean and the leading orthonormal directions of flattened examples.

    In double precision; as many directions as there are features, at most.
    """
    count, total, products = 0, torch.zeros(()), torch.zeros(())
    for batch in batches:
        x = batch.flatten(1).double()
        count += len(x)
        total = total.to(x) + x.sum(dim=0)
        products = products.to(x) + x.T @ x
    mean = total / count
    covariance = products / count - mean.outer(mean)
    _, directions = torch.linalg.eigh(covariance)  # by rising variance
    return mean, directions.flip(1)[:, :components]


def left_over(
    batches: Iterable[Float[Tensor, "batch ..."]],
    mean: Float[Tensor, " features"],
    directions: Float[Tensor, "features components"],
) -> float:
    """Return the squared error of examples rebuilt from their components alone.

    Summed over an example's numbers, averaged over examples.
    """
    count, error = 0, 0.0
    for batch in batches:
        x = batch.flatten(1).double() - mean
        kept = x @ directions  # (batch, components)
        error += float(x.square().sum() - kept.square().sum())
        count += len(x)
    return error / count


def probe_accuracy(
    train: tuple[Float[Tensor, "train features"], Int[Tensor, " train"]],
    test: tuple[Float[Tensor, "test features"], Int[Tensor, " test"]],
) -> float:
    """Return the share of `test` that logistic regression on `train` gets right.

    Features are brought to mean 0 and deviation 1, by those of the training set. The
    penalty has scikit-learn's default strength.
    """
    from sklearn.linear_model import (  # pyright: ignore[reportMissingTypeStubs]
        LogisticRegression,  # here, because it is slow to import
    )

    mean = train[0].mean(dim=0)
    deviation = train[0].std(dim=0, correction=0)
    deviation = torch.where(deviation > 0, deviation, 1.0)  # a unit that says nothing
    features = [
        ((x - mean) / deviation).float().cpu().numpy() for x, _ in (train, test)
    ]
    labels = [label.cpu().numpy() for _, label in (train, test)]
    probe = LogisticRegression(max_iter=1000).fit(features[0], labels[0])
    return float(probe.score(features[1], labels[1]))
