"""The bench: what a plugin's checks share, so that no fit is made twice."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self

from nnlab.build import Config
from nnlab.place import Place
from nnlab.plugins import Plugin
from nnlab.testing.case import Case, Words, environment_for
from nnlab.testing.child import Crashed, Refused, in_child, in_children
from nnlab.testing.fit import SMALL, Fit, config_of, do
from nnlab.testing.probe import Outcome
from nnlab.testing.real_run import RealRun, real_run

_SHORT = tuple(f"{key}={value}" for key, value in SMALL.items())


class Failed(Exception):  # noqa: N818  # a check's verdict
    """The plugin does not keep what the check asks; one sentence says how."""


class Skipped(Exception):  # noqa: N818
    """The check has nothing to say of this option; one sentence says why."""


class Bench:
    """Makes fits of a plugin's options in child processes, and remembers them."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin
        self.folder = Path(tempfile.mkdtemp(prefix="nnlab-check-"))
        self._bases: dict[str, Words | Exception] = {}
        self._outcomes: dict[Fit, Outcome | Exception] = {}
        self._configs: dict[Words, Config] = {}
        self._runs: dict[str, RealRun | Exception] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what the fits have written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, work: Callable[[], Any]) -> Any:
        """Return what the work returns in a child in which the plugin is found."""
        return in_child(work, environment_for(self.plugin), self.plugin.folder)

    def run(self, case: Case) -> RealRun:
        """Return what the first run that accepts the option came to.

        Raises:
            Failed: where it fails, or nothing that it is tried on accepts it.
            Skipped: where this machine or the option itself refuses.
        """
        key = case.name
        if key not in self._runs:
            try:
                self._runs[key] = self._first_run(case)
            except (Failed, Skipped) as verdict:
                self._runs[key] = verdict
        found = self._runs[key]
        if isinstance(found, Exception):
            raise found
        return found

    def words(self, case: Case, *, without: bool = False) -> Words:
        """Return the overrides of a short fit, with the option or without it.

        Raises:
            Skipped: where the option fits nothing; the check of that says why.
            Failed: where a whole run with it passes, and a short fit does not.
        """
        if case.name not in self._bases:
            self._bases[case.name] = self._first_base(case)
        base = self._bases[case.name]
        if isinstance(base, Exception):
            try:
                self.run(case)
            except (Failed, Skipped):
                raise Skipped("not tried, because it does not fit") from base
            raise Failed(str(base))
        return base if without else (*base, case.choice)

    def outcome(self, fit: Fit) -> Outcome:
        """Return what comes of a fit; the same fit is made once."""
        if fit not in self._outcomes:
            try:
                config = self._config(fit.words)
                self._outcomes[fit] = self.call(partial(do, fit, config, self._room()))
            except (Refused, Crashed) as error:
                self._outcomes[fit] = error
        found = self._outcomes[fit]
        if isinstance(found, Refused):
            raise Skipped(f"refused: {found}")
        if isinstance(found, Exception):
            raise Failed(str(found))
        return found

    def ranks(self, fit: Fit, count: int, port: int) -> list[Outcome]:
        """Return what comes of a fit on each of several ranks."""
        try:
            config = self._config(fit.words)
            return in_children(
                [partial(do, fit, config, self._room())] * count,
                [self._rank(rank, count, port) for rank in range(count)],
                self.plugin.folder,
            )
        except Refused as error:
            raise Skipped(f"refused: {error}") from error
        except Crashed as error:
            raise Failed(str(error)) from error

    def _room(self) -> Path:
        """Return a new folder for what a fit may write."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def _config(self, words: Words) -> Config:
        if words not in self._configs:
            self._configs[words] = self.call(partial(config_of, words))
        return self._configs[words]

    def _rank(self, rank: int, count: int, port: int) -> dict[str, str]:
        here = Place(rank, count, rank, count, 0, "127.0.0.1", port)
        return environment_for(self.plugin) | here.variables()

    def _first_base(self, case: Case) -> Words | Exception:
        """Return what a short fit with it is made on, or why there is none."""
        verdict: Exception = Failed("there is nothing to try it on")
        for base in self._tried_on(case):
            try:
                self.outcome(Fit((*base, case.choice)))
            except Skipped as refusal:  # another may accept it
                verdict = refusal
            except Failed as failure:
                return failure
            else:
                return base
        return verdict

    def _first_run(self, case: Case) -> RealRun:
        refusals: list[str] = []
        for number, base in enumerate(self._tried_on(case)):
            folder = self.folder / f"{case.group}-{case.option}-{number}"
            words = (*base, case.choice, *_SHORT, f"folder={folder}")
            try:
                return self.call(partial(real_run, words))
            except Refused as error:
                refusals.append(str(error))
            except Crashed as error:
                raise Failed(f"{' '.join((*base, case.choice))}: {error}") from error
        said = "; ".join(dict.fromkeys(refusals))
        if case.group in ("strategy", "precision", "experiment", "logger"):
            raise Skipped(f"refused here: {said}")
        raise Failed(f"refused by all that it was tried on: {said}")

    def _tried_on(self, case: Case) -> Iterator[Words]:
        for base in case.bases:
            yield _with_text(base, case, self.folder / "text.txt")


def _with_text(base: Words, case: Case, text: Path) -> Words:
    if case.group != "tokenizer":
        return base
    text.write_text("the cat sat on the mat. " * 2000, encoding="utf-8")
    others = (word for word in base if not word.startswith("data="))
    return ("data=text", f"data.path={text}", *others)
