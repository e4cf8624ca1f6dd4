"""A network trained by nnlab decides about pages."""

import json

import pytest
import torch

from nnlab.build import build_model
from nnlab.compose import Composer, plain
from nnlab.corpus.document import Document
from nnlab.corpus.filter.classifier import KIND, classifier, read_run
from nnlab.corpus.filter.page_vector import page_codes, page_vectors
from nnlab.errors import UserError

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
        vector = page_vectors(torch.from_numpy(page_codes(text, characters))[None], 64)
        expected = model(vector).softmax(dim=1)[0, 1].item()
        assert rule.score(Document(text.encode())) == pytest.approx(expected, abs=1e-6)


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
