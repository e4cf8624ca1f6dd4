"""Pairs of MNIST's digits, half of them of the same digit.

As Hadsell, Chopra & LeCun (2006), "Dimensionality Reduction by Learning an Invariant
Mapping", CVPR, section 3 make them of two digits, and Koch, Zemel & Salakhutdinov
(2015), "Siamese Neural Networks for One-shot Image Recognition", of classes that are
partly held out. Which images they are, the YAML says: `data@data.source=fashion_mnist`
makes pairs of clothes.
"""

from nnlab.data._pairs import Pairs


class MNISTPairs(Pairs):
    """Pairs as (first, second, first label, second label), drawn anew each epoch."""
