"""Work done in processes of their own: what a plugin breaks is broken there only."""

import multiprocessing
import os
import pickle
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch

from nnlab.errors import RunFailed, UserError
from nnlab.messages import quiet_lightning

SECONDS = 180.0  # for a few steps of a small network; ranks that wait for ever hang


class Refused(Exception):  # noqa: N818  # an answer, not a fault
    """nnlab or the plugin refused in one sentence, as it does to a user."""


class Crashed(Exception):  # noqa: N818
    """The work raised, died or hung; one sentence says how, and where."""


Environment = dict[str, str]


def in_child(
    work: Callable[[], Any], environment: Environment, folder: Path | None = None
) -> Any:
    """Return what the work returns, called in a forked process.

    Args:
        work: called with one thread, its output thrown away.
        environment: set there before the call.
        folder: of the plugin; an error names the line of it that failed.

    Raises:
        Refused: where it raised a `UserError`.
        Crashed: where it raised anything else, died, or did not end.
    """
    [answer] = in_children([work], [environment], folder)
    return answer


def in_children(
    works: Sequence[Callable[[], Any]],
    environments: Sequence[Environment],
    folder: Path | None = None,
) -> list[Any]:
    """Do several works at the same time, as the ranks of one run; see `in_child`."""
    context = multiprocessing.get_context("fork")
    children: list[Any] = []
    receivers: list[Any] = []
    try:
        for work, environment in zip(works, environments, strict=True):
            receiver, sender = context.Pipe(duplex=False)
            child = context.Process(
                target=_serve, args=(work, environment, sender, folder)
            )
            with warnings.catch_warnings():
                # Python 3.12 warns of threads; those of torch sleep at one thread.
                warnings.simplefilter("ignore", DeprecationWarning)
                child.start()
            sender.close()
            children.append(child)
            receivers.append(receiver)
        return _answers(children, receivers)
    finally:
        for child in children:
            _end(child)


def _serve(
    work: Callable[[], Any],
    environment: Environment,
    sender: Connection,
    folder: Path | None,
) -> None:
    os.setsid()  # so that its own children end with it
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.environ.update(environment)
    torch.set_num_threads(1)
    quiet_lightning()
    warnings.simplefilter("ignore")
    try:
        answer: tuple[str, Any] = ("done", work())
    except UserError as error:
        answer = ("refused", str(error))
    except BaseException as error:  # noqa: BLE001  # said to the parent, whatever it is
        answer = ("crashed", _sentence(error, folder))
    sender.send_bytes(pickle.dumps(answer))
    sender.close()


def _answers(children: list[Any], receivers: list[Any]) -> list[Any]:
    """Return all answers; the first to fail is heard, whoever waits for it."""
    end = time.monotonic() + SECONDS
    answers: dict[int, Any] = {}
    while len(answers) < len(children):
        waiting = [receivers[n] for n in range(len(children)) if n not in answers]
        ready = wait(waiting, timeout=max(0.0, end - time.monotonic()))
        if not ready:
            raise Crashed(f"did not end within {SECONDS:.0f} s")
        for receiver in ready:
            number = receivers.index(receiver)
            answers[number] = _answer(children[number], receiver)
    return [answers[number] for number in range(len(children))]


def _answer(child: Any, receiver: Any) -> Any:
    try:
        kind, content = pickle.loads(receiver.recv_bytes())  # our child's own
    except EOFError:
        child.join()
        raise Crashed(f"its process died (exit {child.exitcode})") from None
    if kind == "refused":
        raise Refused(content)
    if kind == "crashed":
        raise Crashed(content)
    return content


def _end(child: Any) -> None:
    if child.pid is not None:
        child.join(timeout=0.2 if child.is_alive() else None)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.join()


def _sentence(error: BaseException, folder: Path | None) -> str:
    cause = error.__cause__
    if isinstance(error, RunFailed) and cause is not None:
        error = cause
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = " ".join(lines[: 2 if lines and lines[0].endswith(":") else 1])
    frames = traceback.extract_tb(error.__traceback__)
    places = [
        f" ({frame.filename}:{frame.lineno})"
        for frame in frames
        if folder is not None and Path(frame.filename).is_relative_to(folder)
    ]
    return f"{type(error).__name__}: {said}{places[-1] if places else ''}"
