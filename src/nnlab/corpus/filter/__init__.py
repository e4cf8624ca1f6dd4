"""The filter: from `data.filter` to rules and changes, in the order of the YAML."""

from nnlab.corpus.filter.checks import check_filter
from nnlab.corpus.filter.rule import Change, Rule, Step
from nnlab.corpus.filter.steps import steps

__all__ = ["Change", "Rule", "Step", "check_filter", "steps"]
