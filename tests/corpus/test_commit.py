import errno
import json

import pytest

from nnlab.corpus.commit import Output, committed, sweep, told, write_whole


def write(folder, *, unit=0, key="key", content=b"content", counts=None):
    with Output(folder, "stage", unit, key) as output:
        output.open("a.bin").write(content)
        return output.commit(counts or {})


def names(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_unit_is_done_where_its_marker_has_the_key_of_the_plan(tmp_path):
    assert committed(tmp_path, "stage", 0, "key") is None
    marker = write(tmp_path, counts={"documents": 3})
    assert committed(tmp_path, "stage", 0, "key") == marker
    assert committed(tmp_path, "stage", 0, "other") is None
    assert committed(tmp_path, "stage", 1, "key") is None


def test_the_marker_says_what_the_files_are(tmp_path):
    marker = write(tmp_path, content=b"abc")
    digest = (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180
    )
    assert marker["files"] == {"a.bin": {"size": 3, "sha256": digest}}


def test_what_is_not_committed_leaves_nothing(tmp_path):
    def fail():
        with Output(tmp_path, "s", 0, "k") as output:
            output.open("a.bin").write(b"content")
            output._told_at = -1e9
            output.tell(1, 2, 3)
            assert len(names(tmp_path)) == 2
            raise ValueError("oops")

    with pytest.raises(ValueError, match="oops"):
        fail()
    assert names(tmp_path) == []


def test_a_disk_that_is_full_at_the_end_leaves_nothing(tmp_path):
    class Full:
        def close(self):
            raise OSError(errno.ENOSPC, "No space left on device")

    with Output(tmp_path, "s", 0, "k") as output:
        output.open("a.bin").close()
        output._files["a.bin"] = Full()
    assert names(tmp_path) == []


def test_nothing_has_its_name_before_all_is_written(tmp_path):
    with Output(tmp_path, "stage", 7, "key") as output:
        output.open("a.bin").write(b"a")
        output.open("b.bin").write(b"b")
        assert all(name.endswith(".part") for name in names(tmp_path))
        output.commit({})
    assert names(tmp_path) == ["00007.a.bin", "00007.b.bin", "00007.done.json"]


def test_a_unit_written_again_is_the_same_bytes(tmp_path):
    assert write(tmp_path / "a") == write(tmp_path / "a") == write(tmp_path / "b")
    files = [(tmp_path / x / "stage/00000.done.json").read_bytes() for x in "ab"]
    assert files[0] == files[1]


def test_sweep_deletes_what_the_killed_left_and_nothing_else(tmp_path):
    write(tmp_path)
    for name in ("00001.a.bin.host-1.part", "00001.host-1.part.told"):
        (tmp_path / "stage" / name).write_text("x")
    sweep(tmp_path)
    assert names(tmp_path) == ["00000.a.bin", "00000.done.json"]


def test_told_sums_over_the_units_under_way(tmp_path):
    with Output(tmp_path, "s", 0, "k") as one, Output(tmp_path, "s", 1, "k") as two:
        for output in (one, two):
            output._told_at = -1e9
            output.tell(10, 20, 30)
        (tmp_path / "s/00002.x.told").write_text("12")  # half written
        assert told(tmp_path, "s") == (20, 40, 60)
    assert told(tmp_path, "s") == (0, 0, 0)


def test_a_text_is_replaced_whole_and_keeps_the_order_of_its_names(tmp_path):
    file = tmp_path / "a.json"
    write_whole(file, "old")
    write_whole(file, json.dumps({"b": 1, "a": 2}))
    assert file.read_text() == '{"b": 1, "a": 2}'
    assert names(tmp_path) == ["a.json"]
