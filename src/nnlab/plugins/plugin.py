"""One plugin: what its manifest says, what it offers, and why it is off."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

MANIFEST = "nnlab-plugin.toml"

# What a plugin may add to. Machines (`trainer`) and Hydra's own groups are the user's.
GROUPS = (
    "model",
    "data",
    "experiment",
    "optimizer",
    "schedule",
    "regularizer",
    "callback",
    "logger",
    "tokenizer",
    "precision",
    "strategy",
)

# Groups that take several options at once: `regularizer=[l1,dropout]`.
LIST_GROUPS = ("regularizer", "callback", "logger")

# Why a plugin is off that nothing is wrong with.
DISABLED = "NNLAB_DISABLE names it"
ALONE = "NNLAB_PLUGINS_AUTOLOAD=0 leaves installed plugins alone"

Origin = Literal["bundled", "NNLAB_PLUGINS", "installed"]

Plugins: TypeAlias = "Sequence[Plugin]"


@dataclass(frozen=True)
class Plugin:
    """A folder with a manifest and `conf/<group>/<option>.yaml`."""

    name: str
    version: str
    summary: str
    packages: tuple[str, ...]  # import roots whose targets are trusted
    requires: tuple[str, ...]  # PEP 508
    folder: Path
    origin: Origin
    broken: str | None = None  # why it is off, in one line
    broken_file: Path | None = None  # the file at fault, where one is

    @property
    def conf(self) -> Path:
        return self.folder / "conf"

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}".strip()

    @property
    def is_disabled(self) -> bool:
        """Whether it is off because the user says so."""
        return self.broken in (DISABLED, ALONE)

    def options(self) -> dict[str, list[str]]:
        """Return the names it offers by group, broken or not."""
        return {
            group: names for group in GROUPS if (names := options_in(self.conf / group))
        }

    @cached_property
    def hash(self) -> str:
        """The SHA-256 over the names and contents of its files, in hexadecimal."""
        total = hashlib.sha256()
        for path in sorted(_files(self.folder)):
            total.update(path.relative_to(self.folder).as_posix().encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()


def options_in(folder: Path) -> list[str]:
    """Return the names of the options in a group's folder, sorted; [] without one."""
    return sorted(path.stem for path in folder.glob("*.yaml") if path.is_file())


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        # What Python, git and the system leave behind does not change what runs.
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file():
            yield path
