"""Every fault planted in the faulty plugin is caught, by the check meant for it."""

from pathlib import Path

import pytest

from nnlab.testing.bench import Bench
from nnlab.testing.case import plugin_at
from nnlab.testing.kit import Verdict, cases, judge, judge_manifest

FAULTY = Path(__file__).parents[1] / "sample_plugin/faulty_lab"


@pytest.fixture(scope="module")
def bench():
    with Bench(plugin_at(FAULTY)) as bench:
        yield bench


@pytest.fixture(scope="module")
def verdict(bench):
    by_name = {case.name: case for case in cases(bench.plugin)}

    def verdict(check: str, option: str) -> Verdict:
        return judge(check, bench, by_name[option])

    return verdict


@pytest.mark.parametrize(
    ("option", "check", "said"),
    [
        (
            "regularizer=in_place_loss",
            "task_loss",
            "changes the loss in on_before_back",
        ),
        ("regularizer=in_place_loss", "loss_scale", "loss scales 2^6 and 2^14 end 0."),
        ("regularizer=in_place_loss", "accumulates", "and one whole batch end 0."),
        ("regularizer=silent", "logs", 'logs nothing under "regularizer/…"; self.log('),
        ("callback=unseeded_noise", "repeats", "two runs of one seed end with weights"),
        ("callback=rank_noise", "ranks", "two ranks end with weights"),
        ("callback=leaked_hook", "cleans_up", "leaves behind forward hooks of output;"),
        ("callback=leaked_wrapper", "cleans_up", "the method measure of the model"),
        ("callback=leaked_patch", "cleans_up", "torch.nn.functional.cross_entropy"),
        (
            "callback=late_parametrization",
            "optimized",
            "output.parametrizations.weight",
        ),
        (
            "callback=forgets",
            "resumes",
            "killed after 6 steps and resumed, its weights",
        ),
        ("callback=holds_lambda", "pickles", "Can't pickle"),
        ("callback=crashes", "fits", "ZeroDivisionError: the second step"),
    ],
)
def test_a_planted_fault_is_caught(verdict, option, check, said):
    found = verdict(check, option)
    assert (found.state, found.check, found.option) == ("FAILS", check, option)
    assert said in found.sentence
    assert "\n" not in found.sentence


def test_a_mistyped_target_is_named_with_file_and_what_was_meant(verdict):
    sentence = verdict("targets", "callback=mistyped").sentence
    assert sentence.startswith(
        f"{FAULTY}/conf/callback/mistyped.yaml: nnlab.ext.faulty_lab.faults.LeakedHok"
    )
    assert "of the plugin faulty_lab 1.0 cannot be imported" in sentence
    assert sentence.endswith("; did you mean LeakedHook?")


def test_a_target_outside_the_trusted_packages_is_not_imported(verdict):
    sentence = verdict("targets", "callback=untrusted").sentence
    assert "subprocess.Popen lies outside the trusted packages" in sentence


def test_an_option_that_lands_nowhere_is_told_its_header(verdict):
    sentence = verdict("composes", "callback=relative").sentence
    assert "must begin with `# @package callback.relative`" in sentence


def test_an_error_in_the_plugins_code_names_its_line(verdict):
    sentence = verdict("fits", "callback=crashes").sentence
    [line] = [
        number
        for number, text in enumerate(
            (FAULTY / "faults.py").read_text().splitlines(), 1
        )
        if "the second step" in text
    ]
    assert sentence.endswith(f"({FAULTY}/faults.py:{line})")


def test_what_does_not_fit_is_not_tried_further(verdict):
    found = verdict("resumes", "callback=crashes")
    assert (found.state, found.sentence) == (
        "skipped",
        "not tried, because it does not fit",
    )


def test_a_check_is_waived_with_the_manifests_reason(verdict):
    found = verdict("pickles", "callback=waived")
    assert (found.state, found.sentence) == ("waived", "holds an open file on purpose")


def test_noise_for_each_batch_is_no_fault_of_accumulation(verdict):
    assert verdict("accumulates", "callback=rank_noise").state == "skipped"


@pytest.mark.parametrize(
    "check",
    [
        *("composes", "targets", "fits", "task_loss", "optimized", "cleans_up"),
        *("repeats", "resumes", "pickles", "accumulates", "loss_scale", "ranks"),
    ],
)
def test_an_option_without_a_fault_passes(verdict, check):
    found = verdict(check, "callback=good")
    assert found.state == "passes", found.sentence


def test_fsdp2_is_asked_only_where_it_is_declared(verdict):
    found = verdict("fsdp2", "callback=good")
    assert (found.state, found.sentence) == ("skipped", "not declared in the manifest")


@pytest.mark.slow  # four seconds of waiting
def test_a_rank_that_waits_for_ever_ends_in_a_sentence(verdict, monkeypatch):
    verdict("fits", "callback=waits")
    monkeypatch.setattr("nnlab.testing.child.SECONDS", 4.0)
    found = verdict("ranks", "callback=waits")
    assert (found.state, found.sentence) == ("FAILS", "did not end within 4 s")


def test_the_faulty_plugins_manifest_is_in_order(bench):
    assert judge_manifest(bench).state == "passes"
