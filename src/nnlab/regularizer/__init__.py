"""What a regularizer is made of: one base class for each stage it can work in."""

from nnlab.regularizer.choice import choose, named_layers, named_weights
from nnlab.regularizer.forward import ForwardRegularizer
from nnlab.regularizer.loss import LossRegularizer, Measure, with_gradient_of
from nnlab.regularizer.parametrized import ParametrizedRegularizer
from nnlab.regularizer.regularizer import Regularizer
from nnlab.regularizer.weight import WeightRegularizer

__all__ = [
    "ForwardRegularizer",
    "LossRegularizer",
    "Measure",
    "ParametrizedRegularizer",
    "Regularizer",
    "WeightRegularizer",
    "choose",
    "named_layers",
    "named_weights",
    "with_gradient_of",
]
