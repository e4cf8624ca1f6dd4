"""The command line: a verb, then Hydra's overrides; a mistake is one sentence.

Nothing heavy is imported before it is known that a run begins: `--help` and `list`
answer without torch.
"""

import os
import stat
import sys
import textwrap
import time
import traceback
from collections.abc import Sequence
from typing import NoReturn

from nnlab import synonyms
from nnlab.ending import end
from nnlab.errors import RunFailed, UserError, did_you_mean
from nnlab.home import conf_folder
from nnlab.interrupt import Interrupted
from nnlab.outlet import Outlet
from nnlab.place import place
from nnlab.slips import check_blanks, check_keys_said, is_place, named_option
from nnlab.stand_in import leave_out_unused
from nnlab.verbs import VERBS

USAGE, FAILURE = 2, 1
PATIENCE_SECONDS = 10


def command() -> NoReturn:
    """Run the command that this process was started with, and end."""
    sys.stdout = Outlet(sys.stdout)  # pyright: ignore[reportAttributeAccessIssue]
    end(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 2 for a mistake, 1 for a failure."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    os.umask(os.umask(0) | stat.S_IWOTH)  # strangers write to no run's folder
    leave_out_unused()
    try:
        check_blanks(words)
        verb, rest = split_verb(words)
        check_keys_said(verb, rest)
        explained = not VERBS[verb].explains_itself
        if explained and rest in (["--help"], ["-h"]):
            said = f"nnlab {verb}: {VERBS[verb].does}"
            sys.stdout.write(textwrap.fill(said, 80, subsequent_indent="  ") + "\n")
            return 0
        return VERBS[verb](rest)
    except UserError as error:
        if place().local_rank:  # the machine's first process says it for all
            time.sleep(PATIENCE_SECONDS)  # or torchrun ends that one before it has
            return USAGE
        if os.environ.get("NNLAB_TRACEBACK") == "1":
            traceback.print_exc()
        sys.stderr.write(f"nnlab: {_on_one_line(error)}\n")
        return USAGE
    except RunFailed as failure:
        if os.environ.get("NNLAB_TRACEBACK") == "1":
            traceback.print_exc()
        sys.stderr.write(f"nnlab: {_on_one_line(failure)}\n")
        return FAILURE
    except Interrupted as interrupted:
        return interrupted.exit_status
    except (KeyboardInterrupt, SystemExit) as leave:
        # Lightning turns one into the other, where a model is tried or tested.
        causes = (leave, leave.__context__)
        if not any(isinstance(cause, KeyboardInterrupt) for cause in causes):
            raise
        sys.stderr.write("nnlab: stopped before anything was written\n")
        return 130


def _on_one_line(error: Exception) -> str:
    return " ".join(str(error).splitlines())  # a value may have broken it


def split_verb(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the verb, `train` where none is said, and the words after it.

    Raises:
        UserError: where the first word is neither a verb nor a setting.
    """
    if not words or words[0].startswith("-") or "=" in words[0]:
        return "train", list(words)
    if words[0].startswith("~"):
        return "train", list(words)
    if words[0] not in VERBS:
        hint = _as_setting(words[0]) or _as_split(words)
        hint = hint or did_you_mean(words[0], VERBS, more="nnlab --help")
        raise UserError(f"no verb called {words[0]!r}{hint}")
    return words[0], list(words[1:])


def _as_split(words: Sequence[str]) -> str:
    """Return the setting that a number after a word was meant for: `seed 3`."""
    if len(words) > 1 and words[1][:1].isdigit():
        return f"; a setting is written {words[0]}={words[1]}"
    return ""


def _as_setting(word: str) -> str:
    """Return the setting that was probably meant: `mlp` for `model=mlp`."""
    if ":" in word:
        return f"; a setting is written {word.replace(':', '=', 1)}"
    if is_place(word):
        return f"; did you mean test run={word}, or resume={word}?"
    if word in synonyms.KEYS:
        return f"; a setting is written {synonyms.KEYS[word]}=..."
    if word in synonyms.VERBS:
        return f"; did you mean {synonyms.VERBS[word]}?"
    if not word.isidentifier():
        return ""
    if word == "resume":
        return "; did you mean resume=<a folder in outputs>?"
    if (conf_folder() / word).is_dir():
        return f"; a setting is written {word}=..., and list {word} shows the choices"
    if any(verb.startswith(word) for verb in VERBS):
        return ""
    option = named_option(word, besides=VERBS)
    return f"; did you mean {option[0]}={option[1]}?" if option else ""
