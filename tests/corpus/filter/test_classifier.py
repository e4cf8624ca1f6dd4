"""A network trained by nnlab decides about pages."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from nnlab.build import build_model
from nnlab.compose import Composer, plain
from nnlab.corpus.document import Document
from nnlab.corpus.filter.classifier import ACTIVATIONS, KIND, classifier, read_run
from nnlab.corpus.filter.page_vector import page_codes, page_vectors
from nnlab.errors import UserError
from nnlab.model.mlp import ACTIVATIONS as MLP_ACTIVATIONS

WORDS = (
    *("model=mlp", "data=page_language", "data.features=64", "model.input_size=64"),
    *("model.classes=2", "model.hidden_sizes=[8,4]", "model.activation=relu"),
    "model.dropout=0.5",
)


@pytest.fixture
def run(tmp_path):
    """A run's folder with a network that learned nothing, and that network."""
    composer = Composer()
    config = plain(composer.compose(list(WORDS)))
    torch.manual_seed(0)
    model = build_model(config, composer.plugins).eval()
    folder = tmp_path / "run"
    (folder / "checkpoints").mkdir(parents=True)
    content = {
        "state_dict": model.state_dict(),
        "nnlab": {"config": config},
        KIND: {"epoch": 0, "position": 0, "languages": ["de", "en"]},
    }
    torch.save(content, folder / "checkpoints/best.ckpt")
    return folder, model, config["data"]["characters"]


def test_the_score_is_the_network_s_probability(run):
    folder, model, characters = run
    rule = classifier(run=str(folder), minimum=0.5, wanted="en")
    for text in ("The dog runs.", "Der Hund läuft.", ""):
        vector = page_vectors(page_codes(text, characters)[None], 64)
        expected = model(torch.from_numpy(vector)).softmax(dim=1)[0, 1].item()
        assert rule.score(Document(text.encode())) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_activation_is_torch_s(name):
    x = np.linspace(-5, 5, 41, dtype=np.float32)
    expected = MLP_ACTIVATIONS[name]()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(ACTIVATIONS[name](x), expected, rtol=1e-4, atol=1e-6)


def test_every_activation_of_the_network_is_known():
    assert ACTIVATIONS.keys() == MLP_ACTIVATIONS.keys()


def test_it_is_read_and_computed_without_torch(run):
    folder, _, _ = run
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from nnlab.corpus.document import Document\n"
        "from nnlab.corpus.filter.classifier import classifier\n"
        f"rule = classifier(run={str(folder)!r}, minimum=0.5, wanted='en')\n"
        "print(rule.score(Document(b'The dog runs.')))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True)
    rule = classifier(run=str(folder), minimum=0.5, wanted="en")
    assert float(said.stdout) == rule.score(Document(b"The dog runs.")), said.stderr


def test_one_flipped_bit_of_a_weight_is_noticed(run):
    folder, _, _ = run
    file = folder / "checkpoints/best.ckpt"
    content = bytearray(file.read_bytes())
    weight = torch.load(file)["state_dict"]["hidden.0.weight"].numpy().tobytes()
    content[content.index(weight) + 100] ^= 4
    file.write_bytes(content)
    read_run.cache_clear()
    with pytest.raises(UserError, match=r"best\.ckpt is damaged"):
        read_run(str(folder))


def test_it_filters_what_prepare_reads(nnlab, run, wets, tmp_path):
    folder, _, _ = run
    answer = nnlab(
        *("prepare", "data=common_crawl", f"data.source={wets(1, 20)}"),
        *("data.folder=out", "data.language=en", "data.filter.language=null"),
        *("tokenizer=byte", "executor=serial", f"data.filter.classifier={folder}"),
    )
    assert answer.status == 0, answer.err
    books = json.loads((tmp_path / "out/manifest.json").read_text())
    rule = classifier(run=str(folder), minimum=0.5, wanted="en")
    assert "classifier" in books["counts"]["dropped"]
    assert rule.minimum == 0.5


def test_what_is_no_such_run_is_one_sentence(run, tmp_path):
    folder, _, _ = run
    found = read_run(str(folder))
    with pytest.raises(UserError, match=r"never saw data\.language=fr, but de, en"):
        found.check("fr")
    with pytest.raises(UserError, match="needs a language to keep"):
        found.check(None)
    for name, content in (("a", b"no zip"), ("b", None)):
        place = tmp_path / name / "checkpoints"
        place.mkdir(parents=True)
        if content is None:
            torch.save({"weights": 1}, place / "best.ckpt")
        else:
            (place / "best.ckpt").write_bytes(content)
        with pytest.raises(UserError, match="no checkpoint"):
            read_run(str(tmp_path / name))
