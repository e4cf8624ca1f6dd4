"""ParametrizedRegularizer: a weight computed anew from others at each forward pass."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

from lightning import LightningModule
from torch import Tensor, nn
from torch.nn.utils import parametrize
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.regularizer.choice import choose, named_layers
from nnlab.regularizer.forward import ForwardRegularizer
from nnlab.regularizer.plain import (
    bake,
    load_plainly,
    save_plainly,
    source_of,
    tidying,
)

LAYERS = (
    *(nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
)


class ParametrizedRegularizer(ForwardRegularizer):
    """Parametrizes chosen weights while the model is fitted (torch's parametrizations).

    A checkpoint holds the weights as they are used, under the model's own names: it is
    loaded, tested and exported without the regularizer. What they are computed from
    goes into the regularizer's state, for a run that continues.

    Attributes:
        sources: torch's parametrization by the name of the weight; while it is fitted.

    Args:
        include: patterns on the names of weights; None: the `weight` of each linear
            and convolutional layer that no other layer shares.
        exclude: patterns on the names of those that are left as they are.
    """

    not_with: ClassVar[Mapping[str, str]] = {
        "sharded": "it computes weights anew that the strategy has cut up"
    }

    def __init__(self, *, include: list[str] | None, exclude: list[str]) -> None:
        super().__init__()
        self.include, self.exclude = include, exclude
        self.sources: dict[str, parametrize.ParametrizationList] = {}

    def parametrize(self, layer: nn.Module, name: str) -> None:
        """Register the parametrization of the layer's weight of that name."""
        raise NotImplementedError

    def check_length(self, layer: nn.Module, name: str, units: Tensor) -> None:
        """Refuse to divide by the length of weights that begin at 0."""
        if not bool(units.any(dim=1).all()):
            raise UserError(
                f"{self.where} divides weights by their length, and some of "
                f"{type(layer).__name__}'s {name} begin at 0; leave it out with "
                f"{self.where}.exclude, or let them begin elsewhere"
            )

    @override
    def put_in(self, model: LightningModule) -> Iterator[Callable[[], None]]:
        if getattr(model, "pretrained", None):
            raise UserError(
                f"{self.where} renames weights before model.pretrained="
                f"{getattr(model, 'pretrained', None)} is read; leave one of them out"
            )
        for full_name in self._chosen(model):
            place, _, name = full_name.rpartition(".")
            layer = model.get_submodule(place)
            yield tidying(layer)
            self.parametrize(layer, name)
            self.sources[full_name] = source_of(layer, name)
            saving = layer.register_state_dict_post_hook(partial(save_plainly, name))
            loading = layer.register_load_state_dict_pre_hook(
                partial(load_plainly, name)
            )
            yield saving.remove
            yield loading.remove
            yield partial(bake, layer, name)

    @override
    def state_dict(self) -> dict[str, Any]:
        return {
            name: {key: tensor.clone() for key, tensor in source.state_dict().items()}
            for name, source in self.sources.items()
        }

    @override
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        for name, source in self.sources.items():  # none in a test
            source.load_state_dict(state_dict[name])

    @override
    def _take_out(self) -> None:
        super()._take_out()
        self.sources = {}

    def _chosen(self, model: LightningModule) -> list[str]:
        users: dict[int, list[str]] = {}
        for name, parameter in model.named_parameters(remove_duplicate=False):
            users.setdefault(id(parameter), []).append(name)
        matrices = {
            name: users[id(parameter)]
            for name, parameter in model.named_parameters(remove_duplicate=False)
            if parameter.requires_grad
            and parameter.ndim > 1
            and "parametrizations." not in name
        }
        if self.include is None:
            self._check_nothing_is_frozen(model)
            layers = {f"{name}.weight" for name in named_layers(model, LAYERS)}
            alone = {name for name, shared in matrices.items() if len(shared) == 1}
            names = [name for name in matrices if name in layers & alone]
            if not names:
                raise UserError(
                    f"{self.where} finds no linear or convolutional layer with a plain "
                    f"weight of its own; name weights in {self.where}.include"
                )
        else:
            names = [*matrices]
        chosen = choose(
            names,
            include=self.include or ["*"],
            exclude=self.exclude,
            where=self.where,
            kind="matrices",
        )
        for name in chosen:
            if len(matrices[name]) > 1:
                shared = ",".join(matrices[name])
                raise UserError(
                    f"{self.where}.include takes {name}, which several layers share; "
                    f"leave it out: {self.where}.exclude=[{shared}]"
                )
        return chosen

    def _check_nothing_is_frozen(self, model: LightningModule) -> None:
        """Refuse to guess where a frozen copy must keep the form of its original."""
        frozen = [name for name, p in model.named_parameters() if not p.requires_grad]
        if frozen:
            parts = dict.fromkeys(name.split(".")[0] for name in frozen)
            raise UserError(
                f"{self.where} has to be told which weights to take of a model that "
                f"keeps some still ({', '.join(parts)}); name them in "
                f"{self.where}.include"
            )
