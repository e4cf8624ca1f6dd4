"""What `generate` was asked for: words -> a request and options, each value checked."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal, get_type_hints

from nnlab.errors import UserError, did_you_mean
from nnlab.generate.options import Options
from nnlab.overrides import parse
from nnlab.target import check_value


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the verb takes whatever the model is: which one speaks, of what, where to.

    Args:
        run: a run's folder, or a checkpoint; latest is the newest in outputs that has
            one.
        checkpoint: of the run's two, best or last.
        adapter: a file that `export adapter=true` wrote: what LoRA learned goes onto
            the run's model.
        prompt: the beginning; None: what begins a text.
        chat: true asks for a prompt again and again, until Ctrl-D.
        to: a new file to write, instead of the terminal.
        device: cpu, cuda, mps; auto is a CUDA GPU where there is one.
    """

    run: str
    checkpoint: Literal["best", "last"] = "best"
    adapter: str | None = None
    prompt: str | None = None
    chat: bool = False
    to: str | None = None
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"


# Taken as they are typed: a comma or a brace means something elsewhere.
VERBATIM = ("run", "adapter", "prompt", "input", "to")
# What draws, and the value at which it does not; a beam search draws nothing.
DRAWING: dict[str, Any] = {"temperature": 0, "top_k": None, "top_p": 1}


def read_words(words: Sequence[str]) -> tuple[Request, dict[str, Any]]:
    """Return the request, and what was given of a generator's own options by name.

    Raises:
        UserError: where a word is no key=value, or names nothing that there is.
    """
    own = {field.name for field in fields(Request)}
    given = values_of(words, own | {field.name for field in fields(Options)})
    check_needed(given, {"run": "<a folder in outputs>"}, verb="generate")
    mine = checked({name: given.pop(name) for name in own & given.keys()}, Request)
    return Request(**mine), given


def values_of(words: Sequence[str], known: set[str]) -> dict[str, Any]:
    """Return what each word gives its name.

    Raises:
        UserError: where a word is no key=value, or a name is unknown or given twice.
    """
    given: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise UserError(f"cannot read {word!r}; an option is written key=value")
        if name not in known:
            raise UserError(f"no option called {name!r}{did_you_mean(name, known)}")
        if name in given:
            raise UserError(f"{name} is given twice; keep one")
        given[name] = text if name in VERBATIM else _value(word)
    return given


def check_needed(
    given: Mapping[str, Any], needed: Mapping[str, str], *, verb: str
) -> None:
    """Check that what the verb needs is given.

    Raises:
        UserError: naming the one that is missing.
    """
    for name in needed:
        if name not in given:
            article = "an" if name[0] in "aeiou" else "a"
            raise UserError(
                f"{verb} needs {article} {name}: nnlab {verb} "
                + " ".join(f"{each}={it}" for each, it in needed.items())
            )


def help_text(
    first: str = "nnlab generate run=FOLDER [key=value ...]",
    tables: Sequence[type] = (Request, Options),
) -> str:
    """Return what can be given, a line each: the tables' own words."""
    lines = [first, ""]
    for table in tables:
        explained = (table.__doc__ or "").partition("Args:\n")[2]
        for field in fields(table):
            default = field.name.upper() if field.default is MISSING else field.default
            default = "FOLDER" if field.name == "run" else default
            shown = (
                "null" if default is None else str(default).replace("False", "false")
            )
            said = explained.partition(f"  {field.name}: ")[2].split("\n        ")
            words = [said[0], *takewhile(lambda line: line.startswith(" "), said[1:])]
            meaning = " ".join(word.strip() for word in words).replace("None", "null")
            lines += textwrap.wrap(
                meaning,
                80,
                initial_indent=f"{f'{field.name}={shown}':24} ",
                subsequent_indent=" " * 25,
            )
    return "\n".join(lines) + "\n"


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


def check_request(request: Request) -> None:
    """Check that what the request names is there, and that its parts agree.

    Raises:
        UserError: naming the option, its value and what would be accepted.
    """
    if request.chat and request.to is not None:
        raise UserError(
            f"to={request.to} is for one prompt, and chat=true asks for many"
        )
    check_device(request.device)
    if request.to is not None:
        check_target(request.to)


def check_device(device: str) -> None:
    """Raise `UserError` where there is no such device here."""
    import torch  # here: --help needs none

    if device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "device=cuda needs a CUDA GPU, and there is none; try device=cpu"
        )
    if device == "mps" and not torch.backends.mps.is_available():
        raise UserError(
            "device=mps needs an Apple GPU, and there is none; try device=cpu"
        )


def check_target(to: str) -> None:
    """Raise `UserError` where no new file can be made at this place."""
    file = Path(to)
    if file.exists():
        raise UserError(f"to={file} is there already; name another file")
    if not file.parent.is_dir():
        raise UserError(f"to={file}: there is no folder {file.parent}")


def _value(word: str) -> Any:
    [override] = parse([word])
    if override.is_sweep_override():
        raise UserError(f"{word} gives several values; give one")
    return override.value()
