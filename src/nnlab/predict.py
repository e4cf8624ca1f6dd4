"""The verb `predict`: a finished run answers about examples that a person gives.

run's checkpoint -> model, and data's own reading and scaling -> answers -> shown
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import torch
from lightning import Trainer

from nnlab.answer import Answer
from nnlab.build import build_model, make
from nnlab.checkpoint import read_checkpoint
from nnlab.data_module import DataModule
from nnlab.errors import UserError
from nnlab.folder import checkpoint_file, write
from nnlab.given.find import find_given
from nnlab.given.given import Given, Pictures
from nnlab.learner import Learner
from nnlab.messages import quiet_lightning
from nnlab.plugins import find_plugins
from nnlab.process import prepare_process
from nnlab.report.answers import as_lines, as_picture, as_table, shown
from nnlab.request import (
    check_device,
    check_names,
    check_target,
    checked,
    help_text,
    values_of,
)
from nnlab.tokenizer.restore import tokenizer_from_state

FORMS = (".csv", ".jsonl", ".png")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the verb takes.

    Args:
        run: a run's folder, or a checkpoint.
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


def predict(words: Sequence[str]) -> int:
    """Ask the model of run=<folder or checkpoint> about input=<examples>.

    Raises:
        UserError: naming the option, its value and what would be accepted.
    """
    if "--help" in words or "-h" in words:
        first = "nnlab predict run=FOLDER input=INPUT [key=value ...]"
        sys.stdout.write(help_text(first, (Question,)))
        return 0
    quiet_lightning()
    question = read_question(words)
    content = read_checkpoint(checkpoint_file(question.run, question.checkpoint))
    given = find_given(question.input, resizes=question.resize, inverts=question.invert)
    names, answers = answers_to(given, content, question)
    if question.to is None:
        sys.stdout.write(shown(names, answers, is_one=names == [question.input]))
    else:
        write_answers(Path(question.to), names, answers)
        sys.stdout.write(f"{len(answers)} answer{'s' * (len(answers) != 1)} in ")
        sys.stdout.write(f"{question.to}\n")
    if isinstance(given, Pictures) and (light := given.light_edges()):
        sys.stderr.write(
            f"nnlab: {light[0]} is light around its edge; where the run learned from "
            "light on dark, as MNIST is, add invert=true\n"
        )
    return 0


def read_question(words: Sequence[str]) -> Question:
    """Return what was asked for, each value checked. Raises `UserError`."""
    given = values_of(words)
    known = {field.name for field in fields(Question)}
    needed = {"run": "<a folder in outputs>", "input": "<a file, or text>"}
    check_names(given, known, needed=needed, verb="predict")
    question = Question(**checked(given, Question))
    check_device(question.device)
    if question.to is not None:
        check_target(question.to)
        if Path(question.to).suffix not in FORMS:
            raise UserError(f"to={question.to} must end in {', '.join(FORMS)}")
    return question


def answers_to(
    given: Given, content: Mapping[str, Any], question: Question
) -> tuple[list[str], list[Answer]]:
    """Return a name and an answer for each example, from a checkpoint alone.

    Raises:
        UserError: where the run's data do not read such things.
    """
    config, plugins = content["nnlab"]["config"], find_plugins()
    prepare_process(config)
    data = make(config["data"], "data", plugins)
    model = build_model(config, plugins)
    if not isinstance(data, DataModule) or not isinstance(
        model,
        Learner,  # pyright: ignore[reportUnnecessaryIsInstance]
    ):
        raise UserError(
            f"model={config['choices']['model']} on data={config['choices']['data']} "
            "cannot be asked: predict needs nnlab's Learner and DataModule"
        )
    if "tokenizer" in content["nnlab"]:
        tokenizer = tokenizer_from_state(content["nnlab"]["tokenizer"])
        data.tokenizer = tokenizer  # pyright: ignore[reportAttributeAccessIssue]
    names, data.asked = data.read(given)
    model.load_state_dict(content["state_dict"])
    model.class_names = data.class_names
    said = trainer(question.device).predict(model, datamodule=data)
    return names, [answer for batch in said or [] for answer in batch]


def trainer(device: str) -> Trainer:
    """Return Lightning's, with nothing but the device."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return Trainer(
        accelerator=device,
        devices=1,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


def write_answers(file: Path, names: Sequence[str], answers: Sequence[Answer]) -> None:
    """Write every answer, in the form that the file's name says.

    Raises:
        UserError: where it is to be drawn and the answers have no images.
    """
    if file.suffix != ".png":
        tell = as_lines if file.suffix == ".jsonl" else as_table
        write(file, tell(names, answers))
        return
    try:
        figure = as_picture(answers)
    except UserError as error:
        raise UserError(f"to={file}: {error}") from error
    part = file.with_name(f"{file.name}.part")
    figure.savefig(part, format="png", dpi=150)
    part.replace(file)
