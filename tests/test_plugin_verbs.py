import pytest

from nnlab.plugins import GROUPS
from nnlab.plugins.new import write_plugin


@pytest.fixture(autouse=True)
def _no_plugins(monkeypatch):
    for name in ("NNLAB_PLUGINS", "NNLAB_DISABLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NNLAB_PLUGINS_AUTOLOAD", "0")


def test_help_names_every_verb_and_kind_in_eighty_columns(nnlab):
    answer = nnlab("plugins", "--help")
    assert answer.status == 0
    for word in ("list", "info", "new", "check", *GROUPS):
        assert word in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


def test_new_writes_a_plugin_and_says_how_to_try_it(nnlab, tmp_path):
    answer = nnlab("plugins", "new", "my_idea")
    assert answer.status == 0
    assert (tmp_path / "my_idea/conf/regularizer/my_idea.yaml").is_file()
    assert answer.out.splitlines()[-2:] == [
        f"NNLAB_PLUGINS={tmp_path}/my_idea nnlab 'regularizer=[my_idea]'",
        "nnlab plugins check my_idea",
    ]


def test_new_writes_where_it_is_told_and_what_kind(nnlab, tmp_path):
    answer = nnlab("plugins", "new", f"{tmp_path}/plugins/my_model", "kind=model")
    assert answer.status == 0
    assert (tmp_path / "plugins/my_model/my_model.py").is_file()
    place = f"{tmp_path}/plugins/my_model"
    assert f"NNLAB_PLUGINS={place} nnlab model=my_model\n" in answer.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["new"], "plugins new needs a name, such as my_plugin"),
        (["new", "a", "b"], "plugins new takes one word, and 'b' is another"),
        (["new", "a", "knd=model"], "no option 'knd'; did you mean kind?"),
        (
            ["new", "a", "kind=modle"],
            "kind=modle is none of the kinds; did you mean mod",
        ),
        (["new", "model"], "did you mean plugins new my_model kind=model?"),
        (["new", "A-b"], "'A-b' cannot be a plugin's name"),
        (["check"], "plugins check needs the folder of a plugin"),
        (
            ["check", "nowhere"],
            "there is no folder nowhere, and no plugin of that name",
        ),
        (["check", "."], ". is no plugin: it has no nnlab-plugin.toml"),
        (["info"], "plugins info needs a plugin's name; plugins list shows them"),
        (["info", ""], "plugins info needs a plugin's name, and '' is none"),
        (["lst"], "no verb called 'plugins lst'; did you mean list?"),
        (["list", "x"], "plugins list takes nothing more, and 'x' was given"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(nnlab, tmp_path, words, said):
    answer = nnlab("plugins", *words)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("nnlab: ")
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_check_of_a_plugin_in_order_ends_with_status_0(nnlab, tmp_path):
    write_plugin(tmp_path / "my_experiment", "experiment")
    answer = nnlab("plugins", "check", "my_experiment")
    assert (answer.status, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == f"my_experiment 0.1  {tmp_path}/my_experiment"
    assert [line.split()[:2] for line in lines[1:-1]] == [
        ["passes", "manifest"],
        ["passes", "composes"],
        ["passes", "targets"],
        ["passes", "fits"],
    ]
    assert lines[-1] == "4 pass, 0 fail"


def test_check_of_a_broken_plugin_is_one_line_and_status_1(nnlab, tmp_path):
    write_plugin(tmp_path / "my_idea")
    manifest = tmp_path / "my_idea/nnlab-plugin.toml"
    manifest.write_text(manifest.read_text().replace("api = 1", "api = 99"))
    answer = nnlab("plugins", "check", "my_idea")
    assert (answer.status, answer.err) == (1, "")
    assert answer.out.splitlines()[1:] == [
        f"FAILS    manifest     api = 99, but nnlab 0.1.0 speaks api = 1 ({manifest})",
        "0 pass, 1 fail",
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[check.regulariser.my_idea]", "[check.regulariser]: no such group; did you"),
        ("[check.regularizer.my_ide]", "[check.regularizer.my_ide]: no such option"),
        ("[check.regularizer.my_idea]\nwith = []", "unknown key 'with'"),
        (
            "[check.regularizer.my_idea]\non = 'model=mlp'",
            "on = 'model=mlp' is no list",
        ),
        ("[check.regularizer.my_idea]\nfsdp2 = 1", "fsdp2 = 1 is no bool"),
        (
            "[check.regularizer.my_idea]\nwaived = { resume = 'no' }",
            "no check called 'resume'; did you mean resumes?",
        ),
        (
            "[check.regularizer.my_idea]\nwaived = { resumes = '' }",
            "waived.resumes needs a reason",
        ),
        ("check = 1", "check = 1 is not a table"),
    ],
)
def test_a_check_table_that_means_nothing_is_a_line(nnlab, tmp_path, table, said):
    write_plugin(tmp_path / "my_idea")
    manifest = tmp_path / "my_idea/nnlab-plugin.toml"
    manifest.write_text(f"{manifest.read_text()}{table}\n")
    answer = nnlab("plugins", "check", "my_idea")
    assert answer.status == 1
    assert said in answer.out.splitlines()[1]
