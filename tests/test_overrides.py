"""Overrides: what is meant is found, what is given plainly gets its plus."""

import pytest

from nnlab.compose import Composer
from nnlab.errors import UserError
from nnlab.overrides import checked, parse


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


ACCEPTED = {
    "optimizer.lr=0.1": "optimizer.lr=0.1",
    "model=lenet5": "model=lenet5",
    "trainer.gradient_clip_val=1": "+trainer.gradient_clip_val=1",
    "trainer.max_epochs=3": "trainer.max_epochs=3",
    "callback=null": "callback=[]",
    "experiment=null": "experiment=null",
    "+note=anything": "+note=anything",
    "++seed=2": "++seed=2",
    "~reference": "~reference",
    "hydra/launcher=local": "hydra/launcher=local",
    "hydra.verbose=true": "hydra.verbose=true",
    "optimizer=sgd": "optimizer=sgd",
}


@pytest.mark.parametrize(("word", "wanted"), ACCEPTED.items(), ids=ACCEPTED)
def test_what_exists_is_accepted(word, wanted, composer):
    assert checked([word], composer) == [wanted]


REFUSED = {
    "optimizer.beta=0.1": "did you mean optimizer.betas",
    "optimiser.lr=0.1": "did you mean optimizer",
    "hidden_sizes=[3]": "did you mean model.hidden_sizes",
    "model.hidden_sizes.0=3": "no key 'model.hidden_sizes.0'",
    "model.lr=0.1": "did you mean optimizer.lr",
    "zzz=1": "no key 'zzz'",
    "data=[xor,mnist]": "-m data=xor,mnist",
    "optimizer=null": "optimizer=null chooses nothing; there is",
    "callback=[early_stoping]": "did you mean early_stopping?",
    "seed": "a setting is written key=value",
    "seed=[1": "cannot read 'seed=\\[1'",
    "seed=range(1,3)": "add -m",
    "seed=choice(1,2)": "add -m",
    "=mlp": "cannot read '=mlp'; a setting is written key=value",
    "model==mlp": "cannot read 'model==mlp': extraneous input '='$",
    "seed=1,": "cannot read 'seed=1,': its end is missing",
    "optimizer=SGD": r"no optimizer called 'SGD'; did you mean sgd\?$",
    "optimizer=AdamW": r"did you mean adamw\?$",
    "hidden=64": r"did you mean model.hidden_sizes\?$",
    "epochs=3": "no key 'epochs'; did you mean trainer.max_epochs",
    "optimizer.learning_rate=3": "did you mean optimizer.lr",
    "n_layer=3": "no key 'n_layer'; there is",  # of an MLP's
    "+epochs=3": r"\+epochs adds what nothing reads; did you mean trainer.max_epochs",
    "+batch_size=3": "did you mean data.batch_size",
    "+model=lenet5": r"leave out the \+",
    "~foo": "no key 'foo'",
    "~trainer.foo": "no key 'trainer.foo'",
    "hydra/launcher=foo": "no hydra/launcher called 'foo'; there is",
    "callback=none": r"callback=\[\] chooses none",
    "callback=[compile,compile]": "names compile twice",
    "data=foo": r"\(nnlab list data shows all\)",
    "executor=slurm": "it is the engine of nnlab prepare",
}


@pytest.mark.parametrize(("word", "said"), REFUSED.items(), ids=REFUSED)
def test_what_does_not_exist_is_refused_in_one_sentence(word, said, composer):
    with pytest.raises(UserError, match=said) as raised:
        checked([word], composer)
    assert "\n" not in str(raised.value)


def test_a_key_of_ones_own_that_another_refers_to_is_accepted(composer):
    words = ["+epochs=3", "trainer.max_epochs=${epochs}"]
    assert checked(words, composer) == words


def test_nanogpts_names_are_found_in_a_gpt(composer):
    with pytest.raises(UserError, match=r"did you mean model\.layers"):
        checked(["model=gpt", "model.n_layer=3"], composer)


def test_a_key_is_known_only_where_its_owner_was_chosen(composer):
    assert checked(["optimizer=momentum", "optimizer.momentum=0.8"], composer)
    with pytest.raises(UserError, match=r"no key 'optimizer\.momentum'"):
        checked(["optimizer=adam", "optimizer.momentum=0.8"], composer)


def test_an_option_that_is_not_chosen_has_no_keys(composer):
    with pytest.raises(UserError, match=r"choose it: callback=\[early_stopping\]"):
        checked(["callback.early_stopping.patience=3"], composer)
    chosen = ["callback=[early_stopping]", "callback.early_stopping.patience=3"]
    assert checked(chosen, composer) == chosen


def test_no_key_is_given_twice():
    with pytest.raises(UserError, match="seed is given twice: seed=1 and ~seed"):
        parse(["seed=1", "~seed"])
    assert len(parse(["seed=1", "threads=1"])) == 2
