"""What a layer makes of examples, or of tokens, for TensorBoard's projector."""

import logging
from collections.abc import Mapping
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from typing_extensions import override

from nnlab.errors import UserError, did_you_mean
from nnlab.learner import Learner
from nnlab.limits import Count

from .needs import need_tensorboard
from .plane_picture import plane_picture
from .rows import board, keep
from .trial import validation_batches

log = logging.getLogger("nnlab.run")

PADDING = 64  # rows of a table beyond the vocabulary, at most
LARGEST_SIDE = 64  # pixels of an image in the projector's sprite


class EmbeddingProjector(Callback):
    """Writes points with their labels, and images where the examples are such.

    Of an embedding table the points are its rows, labelled by the tokenizer; of any
    other layer what it gives for validation examples, labelled by their class. By
    default it is the first embedding table, else what enters the last linear layer.
    Written at the end of the training; a picture of the two main directions with it.

    Args:
        layer: its name; None: as above.
        examples: how many, at most.
    """

    def __init__(self, *, layer: str | None, examples: Count) -> None:
        self.layer, self.examples = layer, examples

    def check(self, learner: Learner, config: Mapping[str, Any]) -> None:
        """Refuse a run without TensorBoard, and a layer that is not there."""
        need_tensorboard("embedding_projector", config)
        names = [name for name, _ in learner.named_modules() if name]
        if self.layer is not None and self.layer not in names:
            hint = did_you_mean(self.layer, names)
            raise UserError(
                f"callback.embedding_projector.layer={self.layer} is no layer of "
                f"model={config['choices']['model']}{hint}"
            )
        if self.layer is None and not any(map(_is_default, learner.modules())):
            raise UserError(
                "callback.embedding_projector.layer=null looks for an embedding or a "
                "linear layer, and the model has none; name one"
            )

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        assert isinstance(pl_module, Learner)
        layers = dict(pl_module.named_modules())
        name = self.layer or _default(layers)
        layer = layers[name]
        images, said = None, name
        if isinstance(layer, nn.Embedding):
            labels = _tokens(trainer, name, len(layer.weight))
            rows = len(labels) if labels else len(layer.weight)
            points = layer.weight.detach()[: min(rows, self.examples)]
            labels = (labels or [str(row) for row in range(rows)])[: len(points)]
        else:
            points, labels, images = self._points(trainer, pl_module, layer)
            said = f"what enters {name}" if self.layer is None else name
        points = points.float().cpu()
        if min(points.shape) >= 2:
            keep(trainer, "embedding", plane_picture(points, labels, title=said))
        writer = board(trainer)
        if writer is not None:
            writer.add_embedding(
                points,
                metadata=labels,
                label_img=images,
                global_step=trainer.global_step,
                tag=name.replace(".", "_"),
            )
        log.info("embedding_projector: %s points of %s", f"{len(points):,}", said)

    @torch.no_grad()
    def _points(
        self, trainer: Trainer, learner: Learner, layer: nn.Module
    ) -> tuple[Tensor, list[str] | None, Tensor | None]:
        """Return points (examples, size), their labels and images, where there are."""
        found: list[Tensor] = []

        def note(_: nn.Module, inputs: Any, output: Any) -> None:
            wanted = inputs[0] if self.layer is None else output
            wanted = wanted[0] if isinstance(wanted, tuple) else wanted
            found.append(wanted.detach().flatten(1))

        xs: list[Tensor] = []
        labels: list[Tensor] = []
        was_training = learner.training
        hook = layer.register_forward_hook(note)
        learner.eval()
        try:
            for batch in validation_batches(trainer, learner, self.examples):
                learner(batch[0])
                xs.append(batch[0])
                labels.append(batch[1])
                if sum(map(len, xs)) >= self.examples:
                    break
        finally:
            hook.remove()
            learner.train(was_training)
        points, x = torch.cat(found)[: self.examples], torch.cat(xs)[: self.examples]
        label = torch.cat(labels)[: self.examples]
        words = [str(each) for each in label.tolist()] if label.ndim == 1 else None
        return points, words, _images(x) if len(points) == len(x) else None


def _is_default(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Embedding | nn.Linear)


def _default(layers: Mapping[str, nn.Module]) -> str:
    tables = [name for name, layer in layers.items() if isinstance(layer, nn.Embedding)]
    linears = [name for name, layer in layers.items() if isinstance(layer, nn.Linear)]
    return tables[0] if tables else linears[-1]


def _tokens(trainer: Trainer, name: str, rows: int) -> list[str] | None:
    """Return the tokens that the table's rows stand for; None where it is another's."""
    tokenizer: Any = getattr(trainer.datamodule, "tokenizer", None)  # pyright: ignore
    if tokenizer is None or "position" in name:
        return None
    size: int = tokenizer.vocabulary_size
    if not size <= rows < size + PADDING:  # to a round number of rows
        return None
    return [repr(tokenizer.decode([number]))[1:-1] or " " for number in range(size)]


def _images(x: Tensor) -> Tensor | None:
    """Return examples (n, channels, side, side) in [0, 1] where they are images."""
    if x.ndim != 4 or x.shape[1] not in (1, 3) or max(x.shape[2:]) > LARGEST_SIDE:
        return None
    x = x.float().cpu()
    low, high = x.amin(), x.amax()
    return ((x - low) / (high - low).clamp(min=1e-12)).expand(-1, 3, -1, -1)
