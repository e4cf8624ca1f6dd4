"""The verb `generate`: a run's model, rebuilt from its checkpoint, says something.

run's checkpoint -> model and tokenizer -> what the model can do -> text, as it is drawn
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_type_hints

import torch

from nnlab import run
from nnlab.again import _checkpoint_file  # pyright: ignore[reportPrivateUsage]
from nnlab.build import build_model
from nnlab.checkpoint import read_checkpoint
from nnlab.errors import UserError, did_you_mean
from nnlab.folder import write
from nnlab.generate.language_model import LanguageModel
from nnlab.generate.options import Options
from nnlab.generate.speech import Text, Tokenizer, stream, texts
from nnlab.learner import Learner
from nnlab.messages import quiet_lightning
from nnlab.overrides import parse
from nnlab.plugins import find_plugins
from nnlab.target import check_value
from nnlab.tokenizer import tokenizer_from_state


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the verb takes whatever the model is: which one speaks, of what, where to.

    Args:
        run: a run's folder, or a checkpoint.
        prompt: the beginning; None: what begins a text.
        chat: whether to ask for a prompt again and again.
        to: a file to write instead of the terminal.
    """

    run: str
    checkpoint: Literal["best", "last"] = "best"
    prompt: str | None = None
    chat: bool = False
    to: str | None = None
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"


# Taken as they are typed: a comma or a brace means something elsewhere.
VERBATIM = ("run", "prompt", "to")
# What draws, and the value at which it does not; a beam search draws nothing.
DRAWING: dict[str, Any] = {"temperature": 0, "top_k": None, "top_p": 1}


def generate(words: Sequence[str]) -> int:
    """Let the model of run=<folder or checkpoint> speak.

    Raises:
        UserError: naming the option, its value and what would be accepted.
    """
    given = read_words(words)
    if "run" not in given:
        raise UserError(
            "generate needs a run: nnlab generate run=<a folder in outputs>"
        )
    own = {field.name for field in fields(Request)}
    known = own | {field.name for field in fields(Options)}
    for name in given:
        if name not in known:
            raise UserError(f"no option called {name!r}{did_you_mean(name, known)}")
    request = Request(**checked({k: v for k, v in given.items() if k in own}, Request))
    _check_request(request)
    quiet_lightning()
    content = read_checkpoint(_checkpoint_file(request.run, request.checkpoint))
    model = rebuild(content, request.device)
    state = content["nnlab"].get("tokenizer")
    numbers = {name: value for name, value in given.items() if name not in own}
    if isinstance(model, LanguageModel) and state is not None:
        tokenizer = tokenizer_from_state(state)
        return speak(model, tokenizer, request, options_from(numbers))
    # A model that makes images says here that it can: samples= of them, in to=.
    name = content["nnlab"]["config"]["choices"]["model"]
    raise UserError(
        f"run={request.run} holds {name}, which generates nothing; name the run of a "
        "language model"
    )


def speak(
    model: LanguageModel, tokenizer: Tokenizer, request: Request, options: Options
) -> int:
    """Say, show as it is drawn, or write what the options ask for."""
    if request.chat:
        if options.samples > 1:
            raise UserError(f"samples={options.samples} and chat=true: chat gives one")
        chat(model, tokenizer, request.prompt, options)
    elif request.to is None and options.samples == 1 and options.beams is None:
        pieces = stream(model, tokenizer, request.prompt, options)
        first = next(pieces, "")  # a prompt that is refused is not said before
        say(request.prompt or "", first)
        say(*pieces)
        say(["\n"])
    else:
        found = texts(model, tokenizer, request.prompt, options)
        shown = joined(found, request.prompt or "")
        if request.to is None:
            say([shown])
        else:
            write(Path(request.to), shown)
    return 0


def chat(
    model: LanguageModel, tokenizer: Tokenizer, prompt: str | None, options: Options
) -> None:
    """Answer each line that is typed, until there is none (Ctrl-D).

    Each is a prompt of its own, drawn by a seed of its own. Ctrl-C ends an answer.
    """
    is_watched = sys.stdin.isatty()
    turn = 0
    while True:
        if prompt is None or turn > 0:
            try:
                prompt = input("> " if is_watched else "")
            except EOFError:
                say(["\n"] if is_watched else [])
                return
        if prompt:
            _answer(
                model, tokenizer, prompt, replace(options, seed=options.seed + turn)
            )
        turn += 1


def _answer(
    model: LanguageModel, tokenizer: Tokenizer, prompt: str, options: Options
) -> None:
    try:
        if options.beams is None:
            say(stream(model, tokenizer, prompt, options))
        else:
            say([texts(model, tokenizer, prompt, options)[0].text])
    except UserError as error:
        sys.stderr.write(f"nnlab: {error}\n")
    except KeyboardInterrupt:
        pass  # enough of this answer
    say(["\n"])


def read_words(words: Sequence[str]) -> dict[str, Any]:
    """Return what was given by name; texts as they were typed.

    Raises:
        UserError: where a word is no key=value, or a key is there twice.
    """
    given: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise UserError(f"cannot read {word!r}; an option is written key=value")
        if name in given:
            raise UserError(f"{name} is given twice; keep one")
        given[name] = text if name in VERBATIM else parse([word])[0].value()
    return given


def options_from(given: Mapping[str, Any]) -> Options:
    """Return the options that were given, the others at their defaults.

    Raises:
        UserError: naming the option, its value and what would be accepted.
    """
    options = Options(**checked(given, Options))
    if options.beams is None:
        return options
    for name, neutral in DRAWING.items():
        if given.get(name, neutral) != neutral:
            raise UserError(
                f"{name}={given[name]} is for drawing, and beams={options.beams} "
                "searches the most probable text; give one of them"
            )
    if options.samples > options.beams:
        raise UserError(
            f"samples={options.samples} asks for more texts than beams="
            f"{options.beams} find; give beams={options.samples}"
        )
    return options


def checked(given: Mapping[str, Any], table: type) -> dict[str, Any]:
    """Return the values that a table of options names, each of its type and range."""
    hints = get_type_hints(table, include_extras=True)
    return {
        name: check_value(value, hints[name], name) for name, value in given.items()
    }


def rebuild(content: Mapping[str, Any], device: str) -> Learner:
    """Return the model of a checkpoint with its weights, on the device that is named."""
    config = content["nnlab"]["config"]
    run.prepare_process(config)
    model = build_model(config, find_plugins())
    model.load_state_dict(content["state_dict"])
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.to(device)


def joined(found: Sequence[Text], prompt: str) -> str:
    """Return texts as they are shown: several each under what made it."""
    if len(found) == 1:
        return f"{prompt}{found[0].text}\n"
    return "\n".join(f"--- {each.origin}\n{prompt}{each.text}\n" for each in found)


def say(pieces: Iterable[str]) -> None:
    """Show each piece at once."""
    for piece in pieces:
        sys.stdout.write(piece)
        sys.stdout.flush()


def _check_request(request: Request) -> None:
    if request.chat and request.to is not None:
        raise UserError(
            f"to={request.to} is for one prompt, and chat=true asks for many"
        )
    if request.device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "device=cuda needs a CUDA GPU, and there is none; try device=cpu"
        )
    if request.device == "mps" and not torch.backends.mps.is_available():
        raise UserError(
            "device=mps needs an Apple GPU, and there is none; try device=cpu"
        )
    if request.to is None:
        return
    file = Path(request.to)
    if file.exists():
        raise UserError(f"to={file} is there already; name another file")
    if not file.parent.is_dir():
        raise UserError(f"to={file}: there is no folder {file.parent}")
