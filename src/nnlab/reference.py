"""A published result, and whether a run reached it."""

from collections.abc import Mapping
from typing import Any, Literal, Optional

from nnlab.errors import UserError
from nnlab.target import check_value

PARTS: dict[str, Any] = {
    "metric": str,
    "published": Optional[float],  # noqa: UP045  # pyright knows no None | Any
    "target": float,
    "better": Literal["higher", "lower"],
    "source": str,
}


def check_reference(reference: Any) -> None:
    """Check that a reference is null, or whole.

    Raises:
        UserError: naming the part, its value and what would be accepted.
    """
    if reference is None:
        return
    if not isinstance(reference, Mapping) or set(reference) != set(PARTS):
        raise UserError(
            f"reference={reference} must be null, or have {', '.join(PARTS)}"
        )
    for name, hint in PARTS.items():
        check_value(reference[name], hint, f"reference.{name}")


def judged(
    reference: Mapping[str, Any] | None, metrics: Mapping[str, float]
) -> dict[str, Any] | None:
    """Return the reference with what was reached, and whether that meets the target."""
    if not reference:
        return None
    reached = metrics.get(reference["metric"])
    met = None
    if reached is not None:
        higher = reference["better"] == "higher"
        met = (
            reached >= reference["target"] if higher else reached <= reference["target"]
        )
    return {**reference, "reached": reached, "met": met}
