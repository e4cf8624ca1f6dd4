"""Every verb explains itself, in lines that fit a terminal."""

import pytest

from nnlab.cli import main
from nnlab.verbs import VERBS


@pytest.mark.parametrize(
    "verb", [verb for verb in VERBS if verb not in ("train", "prepare")]
)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_a_verb_explains_itself_within_80_columns(verb, flag, capsys):
    assert main([verb, flag]) == 0
    said = capsys.readouterr().out
    assert f"nnlab {verb}" in said
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    ("verb", "word"),
    [
        ("generate", "temperature=0.8"),
        ("predict", "resize=false"),
        ("compare", "budget."),
    ],
)
def test_its_help_names_what_it_takes(verb, word, capsys):
    assert main([verb, "--help"]) == 0
    assert word in capsys.readouterr().out
