"""How a sweep goes about its jobs: what `sweep.*` may be."""

import re
from dataclasses import dataclass
from typing import Any, Literal, Optional, Self

from nnlab.errors import UserError
from nnlab.limits import Count, Positive
from nnlab.target import check_value

HINTS: dict[str, Any] = {
    "workers": Optional[Count],  # noqa: UP045  # Annotated | None is no type to pyright
    "name": str | None,
    "retry": Literal["failed"] | None,
    "timeout": Optional[Positive],  # noqa: UP045
    "fail_fast": bool,
    "fork": bool,
}


@dataclass(frozen=True, kw_only=True)
class SweepOptions:
    """The section `sweep` of a config, checked.

    Args:
        workers: jobs side by side; None: `nnlab.sweep.side_by_side` says.
        name: of the folder in <output_dir>/sweep; None: the time.
        retry: `failed` starts failed jobs again.
        timeout: seconds that a job may take.
        fail_fast: the first failure ends the sweep.
        fork: jobs are forked from a process that has imported torch.
    """

    workers: int | None
    name: str | None
    retry: str | None
    timeout: float | None
    fail_fast: bool
    fork: bool

    @classmethod
    def of(cls, section: dict[str, Any]) -> Self:
        """Return the options that a config's section `sweep` says.

        Raises:
            UserError: naming the key, the value and what would be accepted.
        """
        values = {
            name: check_value(section.get(name), hint, f"sweep.{name}")
            for name, hint in HINTS.items()
        }
        name = values["name"]
        if name is not None and not re.fullmatch(r"\w[\w.+=-]{0,99}", name):
            raise UserError(
                f"sweep.name={name!r} names no folder; it takes letters, digits and "
                "_.+=-, as in sweep.name=nightly"
            )
        return cls(**values)
