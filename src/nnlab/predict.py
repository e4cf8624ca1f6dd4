"""The verb `predict`: a finished run answers about examples that a person gives.

run's checkpoint -> model, and data's own reading and scaling -> answers -> shown
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
from nnlab.numerals import counted
from nnlab.older import completed
from nnlab.plugins import find_plugins
from nnlab.process import prepare_process
from nnlab.question import Question, read_question
from nnlab.report.answers import as_lines, as_picture, as_table, shown
from nnlab.tokenizer.restore import tokenizer_from_state


def predict(words: Sequence[str]) -> int:
    """Ask the model of run=<folder or checkpoint> about input=<examples>.

    Raises:
        UserError: naming the option, its value and what would be accepted.
    """
    quiet_lightning()
    question = read_question(words)
    content = read_checkpoint(checkpoint_file(question.run, question.checkpoint))
    given = find_given(question.input, resizes=question.resize, inverts=question.invert)
    names, answers = answers_to(given, content, question)
    if question.to is None:
        sys.stdout.write(shown(names, answers, is_one=names == [question.input]))
    else:
        write_answers(Path(question.to), names, answers)
        sys.stdout.write(f"{counted(len(answers), 'answer')} in {question.to}\n")
    if isinstance(given, Pictures) and (light := given.light_edges()):
        sys.stderr.write(
            f"nnlab: {light[0]} is light around its edge; where the run learned from "
            "light on dark, as MNIST is, add invert=true\n"
        )
    return 0


def answers_to(
    given: Given, content: Mapping[str, Any], question: Question
) -> tuple[list[str], list[Answer]]:
    """Return a name and an answer for each example, from a checkpoint alone.

    Raises:
        UserError: where the run's data do not read such things.
    """
    plugins = find_plugins()
    config = completed(content["nnlab"]["config"], f"run={question.run}")
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
    from nnlab.report.png import write_picture  # and matplotlib

    part = file.with_name(f"{file.name}.part")
    write_picture(figure, part, dpi=150)
    part.replace(file)
