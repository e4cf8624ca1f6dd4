"""What `predict` was asked for: words -> a question, each value checked."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from nnlab.errors import UserError
from nnlab.request import (
    check_device,
    check_needed,
    check_target,
    checked,
    help_text,
    values_of,
)

FORMS = (".csv", ".jsonl", ".png")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the verb takes.

    Args:
        run: a run's folder, or a checkpoint; latest is the newest in outputs that has
            one.
        input: a picture, an idx file, a .csv or .txt, a folder or a pattern of them
            ('*.png'), several with commas between; or the text itself: "9 + 60".
        checkpoint: of the run's two, best or last.
        to: a new file to write: .csv and .jsonl hold every answer, .png draws what the
            model makes of pictures.
        resize: true brings pictures of another size to the one the model takes.
        invert: true turns dark on light into light on dark, as MNIST is.
        device: cpu, cuda, mps; auto is a CUDA GPU where there is one.
    """

    run: str
    input: str
    checkpoint: Literal["best", "last"] = "best"
    to: str | None = None
    resize: bool = False
    invert: bool = False
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"


def read_question(words: Sequence[str]) -> Question:
    """Return what was asked for, each value checked. Raises `UserError`."""
    given = values_of(words, {field.name for field in fields(Question)})
    needed = {"run": "<a folder in outputs>", "input": "<a file, or text>"}
    check_needed(given, needed, verb="predict")
    question = Question(**checked(given, Question))
    check_device(question.device)
    if question.to is not None:
        check_target(question.to)
        if Path(question.to).suffix not in FORMS:
            raise UserError(f"to={question.to} must end in {', '.join(FORMS)}")
    return question


def help_on_predict() -> str:
    """Return what can be given, a line each."""
    first = "nnlab predict run=FOLDER input=INPUT [key=value ...]"
    return help_text(first, (Question,))
