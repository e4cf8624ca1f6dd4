"""A blank too many, a key left out, another tool's word: what was meant is said."""

import pytest

from nnlab.slips import check_blanks

SLIPS = {
    "blanks around =": ("model = mlp", "'model = mlp'", "did you mean model=mlp?"),
    "a blank after =": ("train model= mlp", "around =", "did you mean model=mlp?"),
    "a blank before =": ("model =mlp", "around =", "did you mean model=mlp?"),
    "blanks after commas": ("-m seed=1, 2, 3", "= or ,", "did you mean seed=1,2,3?"),
    "a blank in a list": ("model.hidden_sizes=[8, 8]", "model.hidden_sizes=[8,8]?", ""),
    "a text without quotes": (
        "generate run=x prompt=to be or not top_k=3",
        'in quotes: prompt="to be or not"\n',
        "",
    ),
    "several files": ("predict run=x input=a.png b.png", "input=a.png,b.png", ""),
    "a folder without a key": ("test outputs/foo", "mean test run=outputs/foo?", ""),
    "the latest without a key": ("rerun latest", "mean rerun run=latest?", ""),
    "two folders": ("diff outputs/a outputs/b", "diff run=outputs/a run=outputs/b", ""),
    "a folder to list": ("runs outputs/x", "did you mean runs below=outputs/x?", ""),
    "a folder of predict": ("predict outputs/foo input=x", "run=outputs/foo?", ""),
    "a folder for a verb": ("outputs/foo", "test run=outputs/foo, or resume=", ""),
    "Keras's verb": ("fit model=mlp", "no verb called 'fit'", "did you mean train?"),
    "a common verb": ("run model=mlp", "did you mean train or runs?", ""),
    "an evaluation": ("evaluate run=x", "did you mean test?", ""),
    "a sweep for a verb": ("sweep model=mlp,gpt", "did you mean -m seed=1,2,3?", ""),
    "help for a verb": ("help", "did you mean --help?", ""),
    "no verb of any tool": ("foo", "nnlab --help shows all", ""),
    "Lightning's precision": ("precision=16-mixed", "did you mean fp16?", ""),
    "Lightning's bfloat": ("precision=bf16-mixed", "did you mean bf16?", ""),
    "bits alone": ("precision=32", "did you mean fp32?", ""),
    "a family of models": ("model=transformer", "did you mean gpt?", ""),
    "a cell's name": ("model=lstm", "did you mean recurrent?", ""),
    "three flags begin so": ("--config x", "no option called '--config'", "-name?"),
    "half a flag": ("--multi seed=1,2", "did you mean --multirun?", ""),
    "Hydra's folder": ("--config-path x", "--config-dir adds a folder of yours", ""),
    "an option in the plural": ("predict run=x inputs=1,0", "did you mean input?", ""),
    "seeds that are named": (
        "compare model=mlp data=xor seeds=1,2,3",
        "seeds=1,2,3 must be a number, which counts them",
        "did you mean seed=1,2,3?",
    ),
    "a body's checkpoint": ("transfer.checkpoint=", "did you mean transfer.run?", ""),
    "a body of no run": ("transfer.run=", "transfer.run= names nothing", ""),
    "a name without a key": ("train mlp", "did you mean model=mlp?", ""),
    "a name after a setting": (
        "-m model=mlp lenet5",
        "did you mean model=mlp,lenet5?",
        "",
    ),
    "a file of a config": ("model=mlp.yaml", "did you mean mlp?", ""),
    "half a quote": ('model="mlp', "a quote is missing\n", ""),
    "a semicolon": ("seed=1;2", "token recognition error at: ';'", ""),
    "a key for a group": ("optimizer.name=adam", "did you mean optimizer=...?", ""),
    "workers": ("data.num_workers=4", "'data.num_workers'; whole batches are", ""),
    "a setting as a flag": ("--lr=0.1", "has no dashes: lr=...", ""),
    "a setting as two words": ("seed 3", "a setting is written seed=3", ""),
    "another tool's two words": ("epochs 10", "trainer.max_epochs=...", ""),
    "completion of nothing": ("-s 3", "-sc takes one of install=", ""),
    "a budget of nothing": (
        "compare model=mlp,perceptron budget=50k",
        "did you mean budget.parameters=50k?",
        "",
    ),
    "a list of seeds": ("-m seed=[1,2,3]", "several are -m seed=1,2,3\n", ""),
    "several regularizers": ("regularizer=l1,l2", "in one regularizer=[l1,l2]", ""),
    "a list without brackets": ("model.hidden_sizes=8,8", "stands in brackets", ""),
    "a bare time": ("trainer.max_time=10", "days:hours:minutes:seconds", ""),
    "an experiment of another model": (
        "experiment=lenet5_mnist model=mlp",
        "experiment=lenet5_mnist sets model.variant, which model=mlp does not have",
        "",
    ),
    "a plus too many": ("+model.dropout=0.5", "is there; leave out the +", ""),
    "a comma for a blank": ("model=mlp,data=xor", "have a blank between them", ""),
    "a dash in a key": ("optimizer.learning-rate=1", "did you mean optimizer.lr?", ""),
    "a run without a verb": ("run=outputs/foo", "test run=... or resume=...?", ""),
    "a prompt without a verb": ("prompt=hello", "nnlab generate run=...", ""),
}


@pytest.mark.parametrize(("words", "said", "meant"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_told_what_was_meant(words, said, meant, refused):
    refused(words, said)
    refused(words, meant)


@pytest.mark.parametrize(
    "words",
    [
        ["generate", "run=x", "prompt=to be, or not ="],
        ["predict", "run=x", "input=9 + 60", "to=a.csv"],
        ["transfer.run=", "seed=1"],
        ["transfer.run=", "--cfg", "job"],
        ["reproduce", "lenet5_mnist", "mlp_xor"],
        ["-m", "seed=1,2", "~reference", "+note=a"],
    ],
)
def test_what_is_no_slip_is_left_alone(words):
    check_blanks(words)


def test_all_that_is_unknown_is_told_at_once(refused):
    refused("optimizer.lrr=1 data.foo=2", "optimizer.lr?; no key 'data.foo'; there is")
    refused("model=mpl data=xorr", "mlp?; no data called 'xorr'; did you mean xor?")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("+monitor.foo=1", "nothing reads; there is monitor.metric, monitor.mode"),
        ("+monitor.mod=max", "nothing reads; did you mean monitor.mode?"),
        ("+transfer.from=x", "+transfer.from adds what nothing reads"),
        ("-m seed=1,2 +sweep.worker=1", "did you mean sweep.workers?"),
    ],
)
def test_what_is_added_and_nothing_reads_is_refused(word, said, refused):
    refused(word, said)
