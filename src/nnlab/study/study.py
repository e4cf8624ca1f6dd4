"""What a study of transfer asks: one body, used in several ways for several data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from nnlab.errors import UserError, as_typed, did_you_mean
from nnlab.limits import Count, Natural
from nnlab.report.commands import override_value
from nnlab.target import check_arguments

SCRATCH = "scratch"  # the way without another run's body


@dataclass(frozen=True, kw_only=True)
class Study:
    """The section `study` of an experiment's config.

    Attributes:
        run: a finished run whose body is taken; None: it is trained first.
        source: overrides of that run.
        targets: overrides by the name of the data that are learned with its body.
        instead: overrides of a target where its data cannot be had.
        sizes: how many images are trained on, by name; None: all there are.
        head: the layers that are no part of the body, as `transfer.head`.
        ways: how the body is used, each as `transfer.freeze`; scratch: not at all.
        seeds: of the runs that are compared; None: the one of `seed=`.
        metric: what is compared.
        target, size, way: one cell of the table: that run alone; None: all of them.
    """

    run: str | None
    source: list[str]
    targets: dict[str, list[str]]
    instead: dict[str, list[str]]
    sizes: dict[str, Count | None]
    head: list[str] | None
    ways: list[int | Literal["scratch", "all", "none"]]
    seeds: list[Natural] | None
    metric: str
    target: str | None
    size: str | None
    way: int | Literal["scratch", "all", "none"] | None

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> Self:
        """Return the study that a config's section `study` says.

        Raises:
            UserError: naming the key, the value and what would be accepted.
        """
        study = cls(**check_arguments(cls, section, "study"))
        if study.is_cell:
            study.check_cell()
        return study

    @property
    def is_cell(self) -> bool:
        return any(part is not None for part in (self.target, self.size, self.way))

    def check_cell(self) -> None:
        """Check that there is the cell that target, size and way name.

        Raises:
            UserError: where there is none, or its run is missing.
        """
        known = {"target": self.targets, "size": self.sizes, "way": self.ways}
        for name, there in known.items():
            value = str(getattr(self, name))
            if value not in (names := list(map(str, there))):
                raise UserError(
                    f"study.{name}={value} is no {name} of this study"
                    f"{did_you_mean(value, names)}"
                )
        if self.way != SCRATCH and self.run is None:
            raise UserError(
                f"study.way={self.way} takes the body of a finished run; name it by "
                "study.run="
            )

    def cell_words(self) -> list[str]:
        """Return the overrides that make the cell's run what it is."""
        assert self.target is not None
        assert self.size is not None
        size = self.sizes[self.size]
        words = [*self.targets[self.target]]
        words.append(f"data.train_size={as_typed(size)}")
        if self.way != SCRATCH:
            words.append(f"transfer.run={override_value(str(self.run))}")
            words.append(f"transfer.freeze={self.way}")
            words.append(f"transfer.head={as_typed(self.head)}")
        return words

    def check_free(self, words: Sequence[str]) -> None:
        """Check that the command sets nothing that the study sets for each run.

        Raises:
            UserError: naming the word.
        """
        lists = [self.source, *self.targets.values(), *self.instead.values()]
        own = {key_of(word) for each in lists for word in each} | {"data.train_size"}
        for word in words:
            if key_of(word) in own or key_of(word).split(".")[0] == "transfer":
                raise UserError(
                    f"{word} would be the same for all runs of the study, which gives "
                    "each its own; change study.source, study.targets, study.sizes or "
                    "study.ways, or add study=null for one run"
                )


def key_of(word: str) -> str:
    """Return what an override sets: `seed` of `+seed=1`."""
    return word.lstrip("+~").partition("=")[0]


def said(way: int | str) -> str:
    """Return in words how the body is used."""
    words = {SCRATCH: "from scratch", "all": "body frozen", "none": "all learn"}
    if isinstance(way, str):
        return words[way]
    if way == -1:
        return "last learns"
    return f"last {-way} learn" if way < 0 else f"first {way} frozen"
