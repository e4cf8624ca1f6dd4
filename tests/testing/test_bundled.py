"""The plugins that come with nnlab, and the samples, keep what nnlab asks of any."""

from pathlib import Path

import pytest

from nnlab.testing import conformance

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow

TestRegularizers = conformance(ROOT / "plugins/regularizer")
TestCallbacks = conformance(ROOT / "plugins/callback")
TestStrategies = conformance(ROOT / "plugins/strategy")
TestSample = conformance(ROOT / "tests/sample_plugin/local_lab")
