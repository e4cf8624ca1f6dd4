import pytest

from nnlab.corpus.plan import (
    ArchiveFile,
    make_plan,
    read_plan,
    settled,
    stage_keys,
    write_plan,
)
from nnlab.errors import UserError

FILES = (ArchiveFile("/a/0.wet.gz", 10), ArchiveFile("/a/1.wet.gz", 20))
TOKENIZER = {"kind": "byte", "fingerprint": "f"}
CONFIG = {
    "reader": "wet",
    "crawl": None,
    "source": "/a/*",
    "files": None,
    "language": "en",
    "minimum_characters": 200,
    "maximum_characters": None,
    "maximum_record_bytes": 1 << 20,
    "keeps_scores": False,
    "filter": {"language": {"minimum": 0.65}, "words": {"minimum": 50, "maximum": 9}},
    "deduplicate": {"near": True},
    "shard": {"tokens": 100},
    "seed": 0,
}


def keys(files=FILES, tokenizer=TOKENIZER, **changes):
    return stage_keys(files, CONFIG | changes, tokenizer)


def changed(**arguments):
    """Return the names of the stages whose key a change changes."""
    before, after = keys(), keys(**arguments)
    return [name for name in before if before[name] != after[name]]


AFTER_FILTER = ["filter", "deduplicate", "tokenise", "shard"]


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        ({"language": "de"}, ["score", *AFTER_FILTER]),
        ({"files": FILES[:1]}, ["score", *AFTER_FILTER]),
        ({"files": FILES[::-1]}, ["score", *AFTER_FILTER]),
        ({"minimum_characters": 500}, AFTER_FILTER),
        (
            {
                "filter": {
                    "language": {"minimum": 0.9},
                    "words": CONFIG["filter"]["words"],
                }
            },
            AFTER_FILTER,
        ),
        (
            {"filter": dict(reversed(CONFIG["filter"].items()))},
            ["score", *AFTER_FILTER],
        ),
        ({"deduplicate": {"near": False}}, AFTER_FILTER[1:]),
        ({"tokenizer": {"kind": "byte", "fingerprint": "g"}}, AFTER_FILTER[2:]),
        ({"seed": 1}, ["shard"]),
        ({"source": "/a"}, []),
    ],
    ids=str,
)
def test_a_change_concerns_its_stage_and_those_after(change, stages):
    assert changed(**change) == stages


def test_where_a_file_lies_changes_nothing():
    assert keys() == keys(
        files=[ArchiveFile(f"/elsewhere/{n}.wet.gz", 10 + 10 * n) for n in (0, 1)]
    )


def plan(folder, **changes):
    folder.mkdir(exist_ok=True)
    return make_plan(folder, FILES, CONFIG | changes, TOKENIZER)


def test_a_plan_is_read_as_it_was_written(tmp_path):
    written = plan(tmp_path)
    write_plan(written)
    assert read_plan(tmp_path) == written
    assert list(read_plan(tmp_path).config["filter"]) == ["language", "words"]


def test_an_old_folder_takes_its_own_plan_and_no_other(tmp_path):
    write_plan(plan(tmp_path))
    assert settled(plan(tmp_path)) == plan(tmp_path)
    with pytest.raises(
        UserError, match=r"with data\.language=en, not de; name another"
    ):
        settled(plan(tmp_path, language="de"))
    with pytest.raises(
        UserError, match=r"with data\.filter\.language\.minimum=0\.65, not 0\.9"
    ):
        settled(plan(tmp_path, filter={"language": {"minimum": 0.9}}))


def test_a_folder_with_scores_takes_other_bounds_and_nothing_else(tmp_path):
    write_plan(plan(tmp_path, keeps_scores=True))
    other = plan(tmp_path, keeps_scores=True, minimum_characters=500)
    assert settled(other) == other
    with pytest.raises(UserError, match="not de"):
        settled(plan(tmp_path, keeps_scores=True, language="de"))


def test_a_folder_of_others_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="holds something else"):
        settled(plan(tmp_path))


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"files": [{"x": 1}]}'])
def test_a_damaged_plan_is_one_sentence(tmp_path, content):
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(UserError, match=r"plan\.json is damaged"):
        read_plan(tmp_path)
