"""A run's folder: made at once and whole, held by one process, its state on record."""

import fcntl
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Self

import yaml

from nnlab.errors import UserError
from nnlab.place import is_first
from nnlab.report.mask import masked, masked_override

# What a killed process leaves behind, workers that read data, ends by itself soon.
ORPHANS_SECONDS = 15.0


class RunFolder:
    """The folder that a run writes to, locked while the run is alive.

    The lock is the kernel's: it is gone with the process, however that ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    @classmethod
    def make(cls, config: Mapping[str, Any]) -> "RunFolder":
        """Make the folder of a new run.

        Raises:
            UserError: where it is there already, or cannot be written.
        """
        if config["folder"] is not None:
            path = Path(config["folder"])
        else:
            choices = config["choices"]
            time = datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")
            name = f"{choices['model']}_{choices['data']}"
            path = Path(config["output_dir"]) / name / time
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
        except FileExistsError:
            if not path.is_dir():
                raise UserError(
                    f"folder={path} is a file; name a folder that is not there yet"
                ) from None
            raise UserError(
                f"folder={path} is there already; continue it with resume={path}, "
                "or name another"
            ) from None
        except OSError as error:
            key = "output_dir" if config["folder"] is None else "folder"
            raise UserError(
                f"{key}={config[key]} cannot be written: {error.strerror}"
            ) from error
        return cls(path).acquire()

    @classmethod
    def open(cls, place: str | Path, key: str = "run") -> "RunFolder":
        """Find the folder of a run that was, which `key` names.

        Raises:
            UserError: where there is no such folder, or no run in it.
        """
        path, said = Path(place), f"{key}={place}"
        if not str(place):
            raise UserError(f"{said} names nothing; give a run's folder, or latest")
        if not path.is_dir():
            raise UserError(
                f"{said}: there is no folder {path}; name a run's folder in outputs"
            )
        if not (path / "config.yaml").is_file():
            raise UserError(f"{said} is no run's folder: it has no config.yaml")
        return cls(path)

    def acquire(self) -> "RunFolder":
        """Hold the folder until this process ends.

        Raises:
            UserError: where another process does, naming it.
        """
        if not is_first():  # the first process of its group holds it for all
            return self
        try:
            lock = (self.path / ".lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise UserError(
                f"{self.path} cannot be written: {error.strerror}"
            ) from error
        until = time.monotonic() + ORPHANS_SECONDS
        while not _is_free(lock):
            holder = _holder(lock)
            if _is_alive(holder) or time.monotonic() > until:
                lock.close()
                raise UserError(
                    f"{self.path} is in use by process {holder or 'unknown'}; wait for "
                    "it, or end it"
                )
            time.sleep(0.05)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        self._sweep()
        return self

    def _sweep(self) -> None:
        """Take away what a killed process left half written; no other writes here."""
        for folder in (self.path, self.checkpoints):
            for part in folder.glob("*.part"):
                part.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    def config(self) -> dict[str, Any]:
        """Return the resolved config that the run was started with.

        Raises:
            UserError: where the file is not what a run writes.
        """
        file = self.path / "config.yaml"
        try:
            config: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
            raise UserError(f"{file} cannot be read: {_line(error)}") from error
        if not isinstance(config, dict) or not {"model", "data", "choices"} <= set(
            config
        ):
            raise UserError(f"{file} is not the config of a run")
        return config

    def write_config(self, config: dict[str, Any], overrides: list[str]) -> None:
        """Write what the run is made of; what looks like a secret is masked."""
        text = yaml.safe_dump(masked(config), sort_keys=False, allow_unicode=True)
        write(self.path / "config.yaml", text)
        lines = [masked_override(override) for override in overrides]
        write(self.path / "overrides.txt", "".join(f"{line}\n" for line in lines))

    def write_status(self, status: str, cause: str | None = None) -> None:
        """Write `running`, `complete`, `failed` or `interrupted`, and why."""
        self.write_json("status.json", {"status": status, "cause": cause})

    def write_failure(self, cause: str) -> None:
        """Write why the run failed, unless it is known.

        Of several processes the first to fail knows why; it is the others' reason.
        """
        if self.read_json("status.json").get("status") != "failed":
            self.write_status("failed", cause)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file whole: a reader never sees half of it."""
        write_json(self.path / name, content)

    def read_json(self, name: str) -> dict[str, Any]:
        """Return a JSON file's content, nothing where there is none yet.

        Raises:
            UserError: where the file is not what a run writes.
        """
        file = self.path / name
        if not file.is_file():
            return {}
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{file} cannot be read: {_line(error)}") from error

    def overrides(self) -> list[str]:
        """Return the words that the run was started with; they decide nothing."""
        file = self.path / "overrides.txt"
        if not file.is_file():
            return []
        return file.read_text(encoding="utf-8", errors="replace").splitlines()


def _is_free(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: IO[str]) -> int:
    """Return the process that holds a folder; 0 where it has not said yet."""
    lock.seek(0)
    said = lock.read().strip()
    return int(said) if said.isdigit() else 0


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return True


def checkpoint_file(place: str, which: str) -> Path:
    """Return the best or last checkpoint of a run's folder, or the file itself.

    Args:
        place: the folder or the file; `latest` is the run in outputs started last.
        which: best or last.

    Raises:
        UserError: where there is none.
    """
    if which not in ("best", "last"):
        raise UserError(f"checkpoint={which} must be best or last")
    if place == "latest":
        place = latest_run()
    place = str(place and Path(place).expanduser())
    if Path(place).is_file():
        return Path(place)
    folder = RunFolder.open(place)
    file = folder.checkpoints / f"{which}.ckpt"
    other = folder.checkpoints / "last.ckpt"
    if not file.is_file() and not other.is_file():
        raise UserError(
            f"run={place} has no checkpoint yet; continue it: resume={place}"
        )
    return file if file.is_file() else other


def latest_run(key: str = "run") -> str:
    """Return the newest run that can be asked, and say which that is.

    Raises:
        UserError: where there is none for this key.
    """
    from nnlab.report.past_runs import past_runs

    for run in past_runs(Path("outputs")):
        if (run.path / "checkpoints/last.ckpt").is_file():
            sys.stderr.write(f"nnlab: {key}={run.path}\n")
            return str(run.path)
    raise UserError(
        f"{key}=latest finds no run with a checkpoint below outputs; nnlab runs lists "
        "what is there"
    )


def write(file: Path, text: str) -> None:
    """Write a text file at once: under another name, then renamed."""
    part = file.with_name(file.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file at once."""
    write(file, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
