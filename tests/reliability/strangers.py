"""A stranger's targets, checkpoints, plugins and archives: nothing of them runs."""

import gzip
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import test_security
import torch

from nnlab.checkpoint import read_checkpoint
from nnlab.cli import main
from nnlab.download import download
from nnlab.errors import UserError
from reliability.forked import ended_fork
from reliability.models import QUIET
from reliability.row import Bench

BOMB = 1 << 30  # bytes, of zeros: a thousandth of that when packed


def hostile_targets(bench: Bench, times: int) -> list[str]:
    """Name functions that run code as a `_target_`, in every place that takes one.

    Python's own audit events tell whether a process, a socket or a file was touched.
    """
    places = list(test_security.PLACES.values())
    lines: list[str] = []
    for number in range(times):
        target = test_security.HOSTILE[number % len(test_security.HOSTILE)]
        word = places[number % len(places)].replace("TARGET", target)
        folder = bench.folder / str(number)
        folder.mkdir()
        ended = ended_fork(lambda word=word: main([word]), folder, watch=True)
        good = ended.status == 2 and not ended.deeds and not list(folder.iterdir())
        lines.append("" if good else f"{word}: {ended}")
    return lines


class _Payload:
    """Makes a folder where it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


def hostile_files(bench: Bench, times: int) -> list[str]:
    """Read checkpoints with code, a bomb, names outside; plugins; archives."""
    tried = (_code_in_checkpoint, _bomb_in_checkpoint, _plugins, _target_in_checkpoint)
    tried += (_bomb_in_archive, _names_in_archive)
    return [trial(bench) for trial in tried[:times]]


def _code_in_checkpoint(bench: Bench) -> str:
    sprung, file = bench.folder / "sprung", bench.folder / "code.ckpt"
    torch.save({"state_dict": {}, "nnlab": {}, "more": _Payload(sprung)}, file)
    refused = _refused(lambda: read_checkpoint(file))
    return "" if refused and not sprung.exists() else "a checkpoint ran its code"


def _bomb_in_checkpoint(bench: Bench) -> str:
    file = bench.folder / "bomb.ckpt"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("bomb/data/0", "w", force_zip64=True) as part:
            for _ in range(BOMB >> 20):
                part.write(bytes(1 << 20))
        archive.writestr("../../escaped", "x")
    refused = _refused(lambda: read_checkpoint(file))
    return "" if refused else "a checkpoint that is packed was read"


def _target_in_checkpoint(bench: Bench) -> str:
    """Let a run's config and its checkpoint's name what is not trusted."""
    place = bench.folder / "run"
    bench.lives.run("data.repeats=2", "trainer.max_epochs=1", *QUIET, f"folder={place}")
    file = place / "checkpoints/best.ckpt"
    content = torch.load(file, weights_only=True)
    content["nnlab"]["config"]["model"]["_target_"] = "os.system"
    torch.save(content, file)
    config = place / "config.yaml"
    config.write_text(config.read_text().replace("nnlab.model.mlp.MLP", "os.system"))
    for words in (["test", f"run={place}"], ["generate", f"run={file}"]):
        ended = ended_fork(lambda words=words: main(words), bench.folder, watch=True)
        if (
            ended.status != 2
            or ended.deeds
            or "outside the trusted" not in ended.errors
        ):
            return f"{words}: {ended}"
    return ""


def _plugins(bench: Bench) -> str:
    """Offer plugins that nobody chose, in the current folder and in NNLAB_PLUGINS."""
    sprung = bench.folder / "sprung_plugin"
    for number, name in enumerate(("trap", "../trap", "os", "a" * 300, "nnlab", "")):
        folder = bench.folder / f"plugins/{number}"
        (folder / "conf/callback").mkdir(parents=True)
        (folder / "nnlab-plugin.toml").write_text(
            f'api = 1\nname = "{name}"\nversion = "1"\nsummary = "x"\n'
            'packages = ["os"]\n'
        )
        (folder / "__init__.py").write_text(f"import os; os.mkdir({str(sprung)!r})")
        option = f"_target_: nnlab.ext.{name}.Trap\n"
        (folder / f"conf/callback/trap{number}.yaml").write_text(option)
    given = {"NNLAB_PLUGINS": str(bench.folder / "plugins")}
    for words in (("list",), ("--cfg", "job"), ("plugins", "list"), ("seed=x",)):
        bench.lives.run(*words, environment=given)
    bench.lives.run("model._target_=os.system", environment=given)
    return "a plugin ran that nobody chose" if sprung.exists() else ""


def _bomb_in_archive(bench: Bench) -> str:
    """Let a mirror send a file that unpacks to a GiB; only its first bytes are read."""
    url = "https://example.org/bomb.gz"
    packed = gzip.compress(bytes(BOMB >> 4))
    with test_security.web_of({url: packed}) as asked:
        target = bench.folder / "data/file"
        refused = _refused(lambda: download([url], target, sha256="0" * 64, size=1000))
    left = [*target.parent.glob("*")] if target.parent.is_dir() else []
    return "" if refused and asked and not left else "a bomb was unpacked"


def _names_in_archive(bench: Bench) -> str:
    """Name a file outside in a checkpoint's archive: nothing is ever unpacked."""
    file = bench.folder / "deep/names.ckpt"
    file.parent.mkdir()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../escaped", "x")
        archive.writestr("/tmp/escaped_from_nnlab", "x")
    refused = _refused(lambda: read_checkpoint(file))
    places = (bench.folder / "escaped", Path("/tmp/escaped_from_nnlab"))
    return "a file escaped" if any(map(Path.exists, places)) or not refused else ""


def _refused(work: Callable[[], object]) -> bool:
    try:
        work()
    except UserError as error:
        return "\n" not in str(error)
    return False
