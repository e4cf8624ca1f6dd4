"""The verb `generate`: a run's model, rebuilt from its checkpoint, says something.

run's checkpoint -> model and tokenizer -> what the model can do -> text, as it is drawn
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from nnlab.adapter import load_adapter
from nnlab.build import build_model
from nnlab.checkpoint import read_checkpoint
from nnlab.errors import UserError
from nnlab.folder import checkpoint_file, write
from nnlab.generate.images import ImageModel, write_images
from nnlab.generate.language_model import LanguageModel
from nnlab.generate.options import Options
from nnlab.generate.speech import Text, Tokenizer, stream, texts
from nnlab.learner import Learner
from nnlab.messages import quiet_lightning
from nnlab.numerals import counted
from nnlab.older import MODEL, completed
from nnlab.plugins import find_plugins
from nnlab.process import prepare_process
from nnlab.request import Request, check_request, options_from, read_words
from nnlab.tokenizer.restore import tokenizer_from_state


def generate(words: Sequence[str]) -> int:
    """Let the model of run=<folder or checkpoint> speak.

    Raises:
        UserError: naming the option, its value and what would be accepted.
    """
    quiet_lightning()
    request, numbers = read_words(words)
    check_request(request)
    content = read_checkpoint(checkpoint_file(request.run, request.checkpoint))
    config = completed(content["nnlab"]["config"], f"run={request.run}", MODEL)
    content["nnlab"]["config"] = config
    model, state = rebuild(content, request.device), content["nnlab"].get("tokenizer")
    if request.adapter is not None:
        load_adapter(model, Path(request.adapter).expanduser())
    if isinstance(model, LanguageModel) and state is not None:
        options = options_from(numbers)
        return speak(model, tokenizer_from_state(state), request, options)
    if isinstance(model, ImageModel):
        return depict(model, request, numbers)
    name = config["choices"]["model"]
    raise UserError(
        f"run={request.run} holds model={name}, which generates neither text nor "
        "images; name another run"
    )


def depict(model: ImageModel, request: Request, numbers: Mapping[str, Any]) -> int:
    """Write the sheet of images that the request asks for."""
    for name in [*numbers, *(n for n in ("prompt", "chat") if getattr(request, n))]:
        if name not in ("samples", "seed"):
            raise UserError(
                f"{name} is for text, and run={request.run} draws images; it takes "
                "samples, seed and to"
            )
    if request.to is None or not request.to.endswith(".png"):
        raise UserError(f"to={request.to} must name the PNG to write: to=samples.png")
    options = options_from({"samples": 64, **numbers})
    file = Path(request.to)
    write_images(model, file, samples=options.samples, seed=options.seed)
    say([f"{counted(options.samples, 'image')} in {file}\n"])
    return 0


def speak(
    model: LanguageModel, tokenizer: Tokenizer, request: Request, options: Options
) -> int:
    """Say as it is drawn, say at once, or write, as the request asks for."""
    prompt = request.prompt
    if request.chat and options.samples > 1:
        raise UserError(
            f"samples={options.samples} is for one prompt; with chat=true give 1"
        )
    if request.chat:
        chat(model, tokenizer, prompt, options)
    elif request.to is None and options.samples == 1 and options.beams is None:
        pieces = stream(model, tokenizer, prompt, options)
        first = next(pieces, "")  # a prompt that is refused is not repeated before
        say([prompt or "", first])
        say(pieces)
        say(["\n"])
    else:
        shown = joined(texts(model, tokenizer, prompt, options), prompt or "")
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
        return
    except KeyboardInterrupt:
        pass  # enough of this answer
    say(["\n"])


def rebuild(content: Mapping[str, Any], device: str) -> Learner:
    """Return the model of a checkpoint with its weights, on a device."""
    config = content["nnlab"]["config"]
    prepare_process(config)
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
