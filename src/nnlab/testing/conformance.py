"""The kit as tests: a plugin's author writes two lines, pytest shows the rest."""

from pathlib import Path
from typing import ClassVar

from nnlab.testing.bench import Bench
from nnlab.testing.case import Case, plugin_at
from nnlab.testing.kit import Verdict, cases, checks_of, judge, judge_manifest


def conformance(place: str | Path) -> type:
    """Return a class of tests for pytest: one for each check of each option.

        from nnlab.testing import conformance

        TestPlugin = conformance(__file__)

    Args:
        place: the plugin's folder, a file somewhere in it, or its name.

    Raises:
        UserError: where there is no plugin.
    """
    import pytest  # a plugin's author has it; `nnlab plugins check` does without

    plugin = plugin_at(place)
    options = cases(plugin)
    pairs = [(check, case) for case in options for check in checks_of(case)]
    names = [f"{check}-{case.name}" for check, case in pairs]

    class Conformance:
        """What nnlab asks of a plugin."""

        bench: ClassVar[Bench]

        @classmethod
        def setup_class(cls) -> None:
            cls.bench = Bench(plugin)

        @classmethod
        def teardown_class(cls) -> None:
            cls.bench.close()

        def test_manifest(self) -> None:
            show(judge_manifest(self.bench))

        @pytest.mark.parametrize(("check", "case"), pairs, ids=names)
        def test_option(self, check: str, case: Case) -> None:
            show(judge(check, self.bench, case))

    def show(verdict: Verdict) -> None:
        if verdict.state == "FAILS":
            pytest.fail(verdict.sentence, pytrace=False)
        if verdict.state != "passes":
            pytest.skip(verdict.sentence)

    return Conformance
