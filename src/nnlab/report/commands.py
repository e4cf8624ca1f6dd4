"""What to do next with a run, as commands that can be copied."""

import re
import shlex
from pathlib import Path

from nnlab.report.run_reading import RunReading


def next_commands(run: RunReading) -> dict[str, str]:
    """Return commands by what they do; only those this folder can answer."""
    folder = seen_from_here(run.path)
    commands: dict[str, str] = {}
    if (run.path / "tensorboard").is_dir():
        commands["watch its curves"] = f"tensorboard --logdir {shlex.quote(folder)}"
    if any((run.path / "checkpoints").glob("*.ckpt")):
        place = override_value(folder)
        if run.status == "complete":
            if run.config.get("tokenizer"):  # what reads text can write it
                said = shlex.join(["nnlab", "generate", f"run={place}"])
                commands["let it speak"] = said
            commands["test it again"] = shlex.join(["nnlab", "test", f"run={place}"])
            commands["train it longer"] = shlex.join(
                ["nnlab", f"resume={place}", *_longer(run)]
            )
        else:
            commands["go on with it"] = shlex.join(["nnlab", f"resume={place}"])
    # in a folder of its own, not in this one, which is there already
    same = [word for word in run.overrides if not word.startswith("folder=")]
    commands["run the same again"] = shlex.join(["nnlab", *same])
    return commands


def _longer(run: RunReading) -> list[str]:
    """Return twice of what ended the run: its steps, else its epochs."""
    trainer = run.config.get("trainer") or {}
    steps, epochs = trainer.get("max_steps"), trainer.get("max_epochs")
    if isinstance(steps, int) and steps > 0 and run.result.get("steps") == steps:
        return [f"trainer.max_steps={2 * steps}"]
    return [f"trainer.max_epochs={2 * epochs}"] if isinstance(epochs, int) else []


def seen_from_here(path: Path) -> str:
    """Return the path from the current folder, where it lies below, else in full."""
    path, here = path.resolve(), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def override_value(text: str) -> str:
    """Quote for Hydra's grammar, where a space, comma or equals sign has a meaning."""
    if re.fullmatch(r"[\w./:+-]+", text, re.ASCII):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
