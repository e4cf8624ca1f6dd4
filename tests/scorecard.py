"""The reliability scorecard: python tests/scorecard.py [--quick] [--only WORD].

Tries every promise, prints the table and writes docs/reliability.md; ends with 1 where
one does not hold. Two checks run side by side, each in a process of its own.
"""

import argparse
import os
import pickle
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is there: forks must find one thread
os.environ.pop("NNLAB_PLUGINS", None)
sys.path.insert(0, str(Path(__file__).parent))

from reliability.checks import CHECKS
from reliability.lives import Lives
from reliability.page import line_of, page
from reliability.row import Bench, Check, Row

PAGE = Path(__file__).parents[1] / "docs/reliability.md"
LANES = 2
QUICK = 10  # a tenth of everything


def main() -> int:
    """Try everything; return the exit status."""
    given = _arguments()
    chosen = [check for check in CHECKS if given.only in check.promise]
    if not chosen:
        sys.stderr.write(f"--only {given.only}: no promise has that word in it\n")
        return 2
    seed = random.randrange(10**6) if given.seed is None else given.seed
    memory = Path("/dev/shm")
    near = tempfile.mkdtemp(prefix="scorecard", dir=memory if memory.is_dir() else None)
    disk = tempfile.mkdtemp(prefix="scorecard", dir=Path.home())
    sys.stdout.write(f"seed {seed}\n")
    sys.stdout.flush()
    started = time.monotonic()
    try:
        tries = [max(1, c.times // QUICK) if given.quick else c.times for c in chosen]
        rows = _rows(chosen, tries, seed, Path(near), Path(disk))
    finally:
        for folder in (near, disk):
            shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = page(rows, seed, seconds, used.ru_utime + used.ru_stime)
    if given.to:
        Path(given.to).write_text(text, encoding="utf-8")
    elif not given.quick and not given.only:
        PAGE.write_text(text, encoding="utf-8")
    good = sum(row.is_met for row in rows)
    sys.stdout.write(f"{good} of {len(rows)} promises hold; {seconds:.0f} s\n")
    return int(good < len(rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", default="", help="promises with this word in them")
    parser.add_argument("--seed", type=int, help="of all that is drawn; else a new one")
    parser.add_argument("--to", help="another page than docs/reliability.md")
    return parser.parse_args()


def _rows(
    checks: list[Check], tries: list[int], seed: int, near: Path, disk: Path
) -> list[Row]:
    """Try the checks in lanes, each of which takes the next one when it is free."""
    waiting, order = os.pipe()
    os.write(order, bytes(range(len(checks))))
    os.close(order)
    lanes: list[int] = []
    for lane in range(LANES):
        process = os.fork()
        if process == 0:
            _work(lane, waiting, checks, tries, seed, near, disk)
        lanes.append(process)
    for process in lanes:
        os.waitpid(process, 0)
    return [_row(check, near / f"{n}.row") for n, check in enumerate(checks)]


def _row(check: Check, file: Path) -> Row:
    if not file.is_file():
        return Row(check, ["its process ended"], 0.0)
    return Row(check, *pickle.loads(file.read_bytes()))


def _work(
    lane: int,
    waiting: int,
    checks: list[Check],
    tries: list[int],
    seed: int,
    near: Path,
    disk: Path,
) -> None:
    """Try checks until none is left; ends this process."""
    try:
        with Lives(near / f"lane{lane}") as lives:
            while taken := os.read(waiting, 1):
                number = taken[0]
                folder, other = near / str(number), disk / str(number)
                folder.mkdir()
                other.mkdir()
                bench = Bench(lives, folder, random.Random(seed + number), other)
                row = _tried(checks[number], bench, tries[number])
                content = pickle.dumps((row.lines, row.seconds))
                (near / f"{number}.row").write_bytes(content)
                _tell(row)
                shutil.rmtree(folder, ignore_errors=True)
    except BaseException:  # noqa: BLE001 -- a fork must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(0)


def _tried(check: Check, bench: Bench, times: int) -> Row:
    started = time.monotonic()
    try:
        lines = check.trials(bench, times)
    except Exception:  # noqa: BLE001 -- a row that fails, and the next one
        lines = [traceback.format_exc()]
    return Row(check, lines, time.monotonic() - started)


def _tell(row: Row) -> None:
    faults = [f"    {line}\n" for line in row.lines if line]
    sys.stdout.write("".join([line_of(row) + "\n", *faults[:3]]))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
