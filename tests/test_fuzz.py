"""Overrides of every key in conf/, most of them wrong: each ends as a user may see it.

A command ends in one of two ways: it would run (then it stops before its folder is
made), or it is refused with one sentence, exit status 2 and nothing written.
"""

import os
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings, strategies

import nnlab.run  # noqa: F401  # once for all that are forked
from nnlab.home import conf_folder

ACCEPTED, REFUSED = 0, 2
SECONDS, BYTES = 60, 12 << 30  # of one command, at most
# Groups that no run of one machine chooses from.
LEFT_OUT = {"hydra", "executor", "sweep"}
DOWNLOADS = ("mnist", "shakespeare", "gpt2")

WORDS = [
    *("-1", "0", "1", "2", "1e308", "-1e308", "1e-320", "nan", "inf", "-inf", "1e3"),
    *(
        "99999999999999999999",
        "0.5",
        "true",
        "null",
        "''",
        "''''",
        "' '",
        "x",
        "é",
        "../x",
    ),
    *("[]", "[1]", "[-1]", "[[1],[2]]", "[a,b]", "{}", "{a:1}", "{_target_:os.system}"),
    *(
        "???",
        "'${seed}'",
        "'${nothing}'",
        "'${oc.env:HOME}'",
        "'a=b'",
        "a:b",
        "'\\x00'",
    ),
    *(
        "torch.load",
        "adam",
        "mlp",
        "[adam]",
        "<",
        "1,2",
        "range(3)",
        "choice(1,2)",
        "/",
    ),
]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    status: int
    said: str
    written: list[str]

    @property
    def is_well(self) -> bool:
        """Whether it was accepted, or refused as nnlab refuses."""
        if self.written:
            return False
        if self.status == REFUSED:
            return self.said.startswith("nnlab: ") and self.said.count("\n") == 1
        return self.status == ACCEPTED


@cache
def keys() -> list[tuple[str, ...]]:
    """Return each key of each YAML in conf/, after the choices that bring it."""
    found = [("", key) for key in leaves(read(conf_folder() / "config.yaml"))]
    for file in sorted(conf_folder().glob("*/*.yaml")):
        group, name = file.parent.name, file.stem
        if group in LEFT_OUT or any(word in name for word in DOWNLOADS):
            continue
        text = file.read_text(encoding="utf-8")
        choice = (
            f"{group}=[{name}]" if f"package {group}." in text else f"{group}={name}"
        )
        inside = "" if "# @package _global_" in text else _package(text, group)
        found.append(("", group))
        found += [(choice, f"{inside}{key}") for key in leaves(read(file))]
    return found


def _package(text: str, group: str) -> str:
    for line in text.splitlines():
        if line.startswith("# @package "):
            return line.removeprefix("# @package ").strip() + "."
    return f"{group}."


def read(file: Path) -> dict[str, object]:
    content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    content.pop("defaults", None)
    return content


def leaves(node: object, place: str = "") -> Iterator[str]:
    """Yield the dotted name of everything in a nest of mappings, nests included."""
    if place:
        yield place
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, f"{place}.{key}" if place else str(key))


def misspelt(key: str) -> list[str]:
    """Return a key as a hasty hand would write it."""
    last = key.rpartition(".")[2]
    return [
        key + "s",
        key[:-1],
        key.replace(last, last[::-1]),
        f"{key}.more",
        f"~{key}",
    ]


@strategies.composite
def commands(draw: strategies.DrawFn) -> list[str]:
    """Draw a command: a choice, then one to three settings, mostly wrong."""
    choice, key = draw(strategies.sampled_from(keys()))
    words = [choice] if choice else []
    for _ in range(draw(strategies.sampled_from([1, 1, 1, 2]))):
        value = draw(
            strategies.sampled_from(WORDS)
            | strategies.integers().map(str)
            | strategies.floats().map(str)
            | strategies.text(alphabet="aZ09 _-.,:=[]{}()<>/\\$~+@'\"\né", max_size=8)
        )
        name = draw(strategies.sampled_from([key] * 25 + misspelt(key)))
        prefix = draw(strategies.sampled_from([""] * 18 + ["+", "++"]))
        words.append(f"{prefix}{name}={value}")
        choice, key = choice, draw(strategies.sampled_from(_beside(choice)))
    return words


def _beside(choice: str) -> list[str]:
    """Return keys that go with a choice: its own, and everybody's."""
    return [key for brought_by, key in keys() if brought_by in ("", choice)]


def end_of(words: list[str], folder: Path) -> Ended:
    """Run a command in a process of its own until its folder would be made."""
    report = folder.parent / f"{folder.name}.said"
    folder.mkdir()
    process = os.fork()
    if process == 0:
        _in_child(words, folder, report)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    written = sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))
    return Ended(status, report.read_text(encoding="utf-8", errors="replace"), written)


def _in_child(words: list[str], folder: Path, report: Path) -> None:
    status = 99
    try:
        os.chdir(folder)
        file = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="replace")
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="replace")
        signal.alarm(SECONDS)
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        status = _until_the_folder(words)
    except BaseException:  # noqa: BLE001 -- this copy of the tests must not go on
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _until_the_folder(words: list[str]) -> int:
    from nnlab.cli import main
    from nnlab.folder import RunFolder

    def made(config: object) -> RunFolder:
        os._exit(ACCEPTED)

    RunFolder.make = made  # pyright: ignore[reportAttributeAccessIssue]
    return main(words)


def endings(count: int, folder: Path) -> list[tuple[list[str], Ended]]:
    """Run that many commands as drawn; return each, and how it ended."""
    ended: list[tuple[list[str], Ended]] = []

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(commands())
    def each(words: list[str]) -> None:
        ended.append((words, end_of(words, folder / str(len(ended)))))

    each()
    return ended


def assert_all_end_well(count: int, folder: Path) -> None:
    """Every one of the commands must end as a user may see it."""
    bad = [each for each in endings(count, folder) if not each[1].is_well]
    assert bad == []


def test_drawn_commands_run_or_get_one_sentence(tmp_path):
    assert_all_end_well(25, tmp_path)


@pytest.mark.slow
def test_1500_drawn_commands_run_or_get_one_sentence(tmp_path):
    assert_all_end_well(1500, tmp_path)


def test_a_trace_a_file_and_two_sentences_would_be_noticed(tmp_path, monkeypatch):
    def leaves_a_file(words: list[str]) -> int:
        Path("left").write_text("")
        return ACCEPTED

    def says_two_lines(words: list[str]) -> int:
        sys.stderr.write("nnlab: one\nand another\n")
        return REFUSED

    def raises(words: list[str]) -> int:
        raise KeyError(words[0])

    for number, bad in enumerate([leaves_a_file, says_two_lines, raises]):
        monkeypatch.setattr("nnlab.cli.main", bad)
        assert not end_of(["x"], tmp_path / str(number)).is_well
