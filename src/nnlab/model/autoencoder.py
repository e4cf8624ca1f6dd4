"""Autoencoder: what squeezes an image through a few numbers learns what images share.

Hinton & Salakhutdinov (2006), "Reducing the Dimensionality of Data with Neural
Networks", Science 313. https://doi.org/10.1126/science.1127647

Variants, each one change to that network:
- convolutional: strided convolutions in place of the dense layers;
- denoising: repairs images of which pixels were set to 0 (Vincent et al. 2008,
  https://doi.org/10.1145/1390156.1390294);
- sparse: each unit of the code is off most of the time (Ng 2011, CS294A, section 3);
- variational: the code is a distribution near the normal one, so that it can be drawn
  from (Kingma & Welling 2014, https://arxiv.org/abs/1312.6114, appendices B and C).

Departs from the papers: all layers are trained at once, by Adam, without pretraining;
the loss is the squared error that Hinton & Salakhutdinov report, not the cross-entropy
they minimise (the variational one keeps it); the activation is a choice.
"""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Interval, MinLen
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.answer import Answer, numbers
from nnlab.data_module import DataModule
from nnlab.effect import OnlyWith
from nnlab.errors import UserError
from nnlab.layer.mirror import convolutional_pair, dense_pair
from nnlab.learner import Learner
from nnlab.limits import Count, NonNegative, Share
from nnlab.numerals import counted, hundredths
from nnlab.yardstick import judge_code

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Image = Float[Tensor, "batch 1 height width"]

ACTIVATIONS = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
}


def squared_error(image: Image, other: Image) -> Float[Tensor, ""]:
    """Return the error summed over pixels and averaged over images, as the paper's."""
    return (image - other).square().sum() / len(image)


def divergence_of_rates(
    code: Float[Tensor, "batch code"], wanted: float
) -> Float[Tensor, ""]:
    """Return KL(wanted || share of the batch for which it is on), summed over units."""
    rate = code.mean(dim=0).clamp(1e-6, 1 - 1e-6)
    on, off = wanted / rate, (1 - wanted) / (1 - rate)
    return (wanted * on.log() + (1 - wanted) * off.log()).sum()


class Autoencoder(Learner):
    """Encodes grey images of pixels in [0, 1] as a few numbers, and decodes those."""

    only_with: ClassVar[OnlyWith] = {
        "hidden_sizes": ("variant", ("deep", "denoising", "sparse", "variational")),
        "feature_maps": ("variant", ("convolutional",)),
        "masked": ("variant", ("denoising",)),
        "active": ("variant", ("sparse",)),
        "sparsity_weight": ("variant", ("sparse",)),
    }

    def __init__(
        self,
        *,
        variant: Literal["deep", "convolutional", "denoising", "sparse", "variational"],
        height: Count,
        width: Count,
        code_size: Count,
        hidden_sizes: list[Count],
        feature_maps: Annotated[list[Count], MinLen(1)],
        activation: Literal["sigmoid", "tanh", "relu", "elu", "gelu"],
        masked: Share,
        active: Annotated[float, Interval(gt=0, lt=1)],
        sparsity_weight: NonNegative,
    ) -> None:
        super().__init__()
        self.variant, self.code_size, self.masked = variant, code_size, masked
        self.active, self.sparsity_weight = active, sparsity_weight
        shape: dict[str, Any] = {
            "height": height,
            "width": width,
            "code_size": code_size,
            # a distribution gives each number of the code a mean and a log-variance
            "outputs": code_size * (2 if variant == "variational" else 1),
            "activation": ACTIVATIONS[activation],
        }
        self.encoder, self.decoder = (
            convolutional_pair(feature_maps=feature_maps, **shape)
            if variant == "convolutional"
            else dense_pair(hidden_sizes=hidden_sizes, **shape)
        )

    def encode(self, image: Image) -> Float[Tensor, "batch code"]:
        """Return the code; of the variational variant, its mean."""
        code = self.encoder(image)[:, : self.code_size]
        return code.sigmoid() if self.variant == "sparse" else code

    def decode(self, code: Float[Tensor, "batch code"]) -> Image:
        return self.decoder(code).float().sigmoid()  # bf16 has too few greys

    def forward(self, image: Image) -> Image:
        return self.decode(self.encode(image))

    def measure(self, batch: tuple[Image, Any]) -> dict[str, Float[Tensor, ""]]:
        image = batch[0]
        if self.variant == "variational":
            measured = self._measure_bound(image)
        elif self.variant == "sparse":
            code = self.encode(image)
            error = squared_error(self.decode(code), image)
            penalty = divergence_of_rates(code, self.active)
            loss = error + self.sparsity_weight * penalty
            measured = {"loss": loss, "active": code.mean()}
        elif self.variant == "denoising":
            measured = {"loss": squared_error(self(self._damage(image)), image)}
        else:
            measured = {"loss": squared_error(self(image), image)}
        if not self.training:  # one more pass in some variants: of whole images, exact
            measured["squared_error"] = squared_error(self(image), image)
        return measured

    def _measure_bound(self, image: Image) -> dict[str, Float[Tensor, ""]]:
        """Return the evidence lower bound in nats, by one draw of each code (eq. 10).

        Grey values count as the probabilities of white, as in the paper's experiments.
        """
        mean, log_variance = self.encoder(image).chunk(2, dim=1)
        code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        cross_entropy = F.binary_cross_entropy_with_logits(
            self.decoder(code), image, reduction="sum"
        )
        variance = log_variance.exp()
        divergence = (mean.square() + variance - log_variance - 1).sum() / 2
        bound = -(cross_entropy + divergence) / len(image)
        return {"loss": -bound, "elbo": bound, "divergence": divergence / len(image)}

    def _damage(self, image: Image) -> Image:
        return image * (torch.rand_like(image) >= self.masked)

    def sample(self, count: int, seed: int) -> Float[Tensor, "count 1 height width"]:
        """Return images decoded from codes that are drawn from the normal distribution.

        Raises:
            UserError: where it is not known how codes are distributed.
        """
        if self.variant != "variational":
            raise UserError(
                f"model.variant={self.variant} does not know how its codes are "
                "distributed; model.variant=variational draws images"
            )
        generator = torch.Generator().manual_seed(seed)
        code = torch.randn(count, self.code_size, generator=generator)
        return self.decode(code.to(self.device))

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        super().on_train_batch_start(batch, batch_idx)
        if self.global_step == 0:  # once: looking costs a wait for the device
            low, high = batch[0].aminmax()
            if low < 0 or high > 1:
                raise UserError(
                    f"model=autoencoder needs pixels from 0 to 1 and gets {low:.3g} to "
                    f"{high:.3g}; give data.mean=0 data.standard_deviation=1"
                )

    def on_test_batch_start(
        self, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self._reseed(-2, batch_idx)  # what is drawn is the same at every test

    def on_test_epoch_end(self) -> None:
        super().on_test_epoch_end()
        data = getattr(self.trainer, "datamodule", None)
        if isinstance(data, DataModule):
            judged = judge_code(
                self.encode, data, code_size=self.code_size, device=self.device
            )
            self.log_dict(
                {f"test/{name}": value for name, value in judged.items()}, logger=False
            )

    @torch.no_grad()
    def predict(self, batch: tuple[Image, Any]) -> list[Answer]:
        """Return each image's code, and how far what is rebuilt from it is off."""
        image = batch[0]
        code = self.encode(image)
        rebuilt = self.decode(code)
        error = (rebuilt - image).square().flatten(1).sum(dim=1)
        return [
            Answer(
                f"squared error {off:.3f}; code {numbers(row)}",
                {"squared_error": off, "code": row},
                {"input": before[0], "reconstruction": after[0]},
            )
            for off, row, before, after in zip(
                error.tolist(), code.tolist(), image, rebuilt, strict=True
            )
        ]

    @torch.no_grad()
    def illustrate(
        self, batch: tuple[Image, Int[Tensor, " batch"]]
    ) -> "dict[str, Figure]":
        """Draw what is made of images, the code as a map, and images made anew."""
        from nnlab.picture.code_map import code_map
        from nnlab.picture.image_rows import image_rows
        from nnlab.picture.latent_grid import latent_grid
        from nnlab.picture.mosaic import mosaic

        image, label = batch
        seen = image[:10]
        rows = {"image": seen}
        if self.variant == "denoising":
            rows["damaged"] = seen = self._damage(seen)
        rows[f"from {self.code_size} numbers"] = self(seen)
        code = torch.cat([self.encode(part) for part in image.split(1000)])
        pictures = {
            "reconstructions": image_rows(
                {k: v.squeeze(1) for k, v in rows.items()},
                title="images, and what is rebuilt of them",
            ),
            "code_map": code_map(
                code, label, self.class_names, title="codes of images, by class"
            ),
        }
        if self.variant == "variational":
            new = self.sample(64, self.seed).squeeze(1)
            pictures["samples"] = mosaic(
                new, columns=8, title="decoded from codes drawn at random"
            )
            pictures["latent_grid"] = latent_grid(self.decode, code)
        return pictures

    @torch.no_grad()
    def remark(self, batch: tuple[Image, Any]) -> str:
        """Compare the error with that of answering the mean image, whatever is seen."""
        image = batch[0]
        mean = image.mean(dim=0, keepdim=True)
        share = squared_error(image, self(image)) / squared_error(image, mean)
        return (
            f"Rebuilt from {counted(self.code_size, 'number')}, an image is off by "
            f"{hundredths(float(share), 1)}% of the squared error of the mean image."
        )
