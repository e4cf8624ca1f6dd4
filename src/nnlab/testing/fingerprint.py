"""What hangs on a model and on torch, so that what was left behind can be named."""

import inspect
import threading
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as torch_module
from torch.nn.utils import parametrize

# Libraries whose functions a plugin might replace for all.
SHARED = (torch, torch.nn.functional, torch.Tensor, nn.Module, torch.optim.Optimizer)


def fingerprint(model: nn.Module) -> dict[str, Any]:
    """Return what is attached, by where: compare it with that of another moment."""
    print_: dict[str, Any] = {}
    for name, module in model.named_modules():
        place = name or "the model"
        print_[f"the class of {place}"] = type(module)
        print_ |= {f"{key} of {place}": held for key, held in _attached(module)}
    for name, parameter in model.named_parameters():
        for key in ("_backward_hooks", "_post_accumulate_grad_hooks"):
            hooks = getattr(parameter, key, None)
            print_[f"{_words(key)} of {name}"] = _identities(hooks)
    # Sorted: torch's `remove_parametrizations` changes their order, without harm.
    print_["the names in the state dict"] = tuple(sorted(model.state_dict()))
    return print_ | _shared(model)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the places where two fingerprints differ, in words."""
    return [
        key
        for key in dict.fromkeys([*before, *after])
        if before.get(key, ()) != after.get(key, ())
    ]


def parametrized(model: nn.Module) -> set[str]:
    """Return the names of the tensors that are computed from others."""
    return {
        f"{name}.{tensor}".lstrip(".")
        for name, module in model.named_modules()
        if parametrize.is_parametrized(module)
        for tensor in module.parametrizations  # pyright: ignore[reportGeneralTypeIssues]
    }


def _attached(module: nn.Module) -> Iterator[tuple[str, Any]]:
    for key, held in vars(module).items():
        if key.endswith("_hooks"):
            yield _words(key), _identities(held)
        elif inspect.isroutine(held):  # a method, replaced on this object
            yield f"the method {key}", id(held)
        elif isinstance(held, list) and any(map(callable, held)):
            yield f"the list {key}", tuple(map(id, held))


def _shared(model: nn.Module) -> dict[str, Any]:
    print_: dict[str, Any] = {}
    owners: list[Any] = [*SHARED, *type(model).__mro__]
    for owner in owners:
        for key, held in vars(owner).items():
            if inspect.isroutine(held):
                print_[f"{owner.__name__}.{key}"] = id(held)
    for source in (torch_module, import_module("torch.optim.optimizer")):
        for key, held in vars(source).items():
            if key.startswith("_global") and key.endswith("_hooks"):
                print_[f"torch's {_words(key)}"] = _identities(held)
    print_["torch's default dtype"] = torch.get_default_dtype()
    print_["torch's deterministic mode"] = torch.are_deterministic_algorithms_enabled()
    print_["torch's matmul precision"] = torch.get_float32_matmul_precision()
    print_["torch's gradient mode"] = torch.is_grad_enabled()
    print_["running threads"] = tuple(
        sorted(t.name for t in threading.enumerate() if not t.daemon)
    )
    return print_


def _identities(hooks: Any) -> tuple[Any, ...]:
    return tuple((key, id(hook)) for key, hook in (hooks or {}).items())


def _words(key: str) -> str:
    return key.strip("_").replace("_", " ")
