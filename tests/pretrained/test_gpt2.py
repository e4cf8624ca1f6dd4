"""GPT against transformers' GPT-2, number by number, in both directions."""

import json
from pathlib import Path

import pytest
import torch

from nnlab.errors import UserError
from nnlab.pretrained.gpt2 import load_gpt2, names, save_gpt2

transformers = pytest.importorskip("transformers")

SHAPES = {
    "tied": {"vocab": 65, "context": 16, "width": 32, "layers": 2, "heads": 4},
    "narrow": {"vocab": 100, "context": 24, "width": 12, "layers": 3, "heads": 3},
    "round": {"vocab": 128, "context": 8, "width": 16, "layers": 1, "heads": 1},
}
SIZES = {  # embedding, layers, heads
    "gpt2": (768, 12, 12, 124_439_808),
    "gpt2-medium": (1024, 24, 16, 354_823_168),
    "gpt2-large": (1280, 36, 20, 774_030_080),
    "gpt2-xl": (1600, 48, 25, 1_557_611_200),
}


@pytest.fixture(params=SHAPES)
def shape(request) -> dict[str, int]:
    return SHAPES[request.param]


@pytest.fixture
def gpt(build):
    def make(shape: dict[str, int], *overrides: str):
        torch.manual_seed(0)
        return build(
            "model=gpt",
            "model.use_bias=true",
            f"model.vocabulary_size={shape['vocab']}",
            f"model.context_size={shape['context']}",
            f"model.embedding_size={shape['width']}",
            f"model.layers={shape['layers']}",
            f"model.heads={shape['heads']}",
            *overrides,
        ).eval()

    return make


def theirs(shape: dict[str, int], **settings: object):
    torch.manual_seed(1)
    config = transformers.GPT2Config(
        vocab_size=shape["vocab"],
        n_positions=shape["context"],
        n_embd=shape["width"],
        n_layer=shape["layers"],
        n_head=shape["heads"],
        bos_token_id=None,
        eos_token_id=None,
        **settings,
    )
    model = transformers.GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return model


def numbers(shape: dict[str, int], **changes: object) -> dict[str, object]:
    return {
        "vocabulary_size": shape["vocab"],
        "context_size": shape["context"],
        "embedding_size": shape["width"],
        "layers": shape["layers"],
        "heads": shape["heads"],
        "key_value_heads": None,
        "positions": "learned",
        "norm": "layer",
        "feed_forward": "gelu",
        "normalizes_queries": False,
        "logit_softcap": None,
        "dropout": 0.0,
        "ties_embeddings": True,
        **changes,
    }


def tokens(shape: dict[str, int]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randint(shape["vocab"], (3, shape["context"]), generator=generator)


def assert_equal_logits(ours, other, shape) -> None:
    text = tokens(shape)
    with torch.no_grad():
        torch.testing.assert_close(ours(text), other(text).logits, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("is_tied", [True, False])
def test_their_weights_give_their_logits_here(tmp_path, gpt, shape, is_tied):
    other = theirs(shape, tie_word_embeddings=is_tied)
    other.save_pretrained(tmp_path)
    ours = gpt(shape, f"model.ties_embeddings={is_tied}")
    load_gpt2(ours, str(tmp_path))
    assert_equal_logits(ours, other, shape)


@pytest.mark.parametrize("is_tied", [True, False])
@pytest.mark.parametrize("has_bias", [True, False])
def test_our_weights_give_our_logits_there(tmp_path, gpt, shape, is_tied, has_bias):
    ours = gpt(shape, f"model.ties_embeddings={is_tied}", f"model.use_bias={has_bias}")
    save_gpt2(ours, numbers(shape, ties_embeddings=is_tied), tmp_path)
    other = transformers.GPT2LMHeadModel.from_pretrained(tmp_path).eval()
    assert_equal_logits(ours, other, shape)


def test_a_shorter_context_has_their_first_positions(tmp_path, gpt):
    shape = SHAPES["tied"]
    other = theirs(shape)
    other.save_pretrained(tmp_path)
    short = {**shape, "context": 7}
    ours = gpt(short)
    load_gpt2(ours, str(tmp_path))
    assert_equal_logits(ours, other, short)


def test_weights_load_beside_low_rank_changes(tmp_path, gpt):
    shape = SHAPES["tied"]
    other = theirs(shape)
    other.save_pretrained(tmp_path)
    ours = gpt(shape, "model.lora_rank=2")
    load_gpt2(ours, str(tmp_path))
    assert_equal_logits(ours, other, shape)


def test_low_rank_changes_are_merged_on_export(tmp_path, gpt):
    shape = SHAPES["tied"]
    ours = gpt(shape, "model.lora_rank=2")
    with torch.no_grad():
        for name, weight in ours.named_parameters():
            if name.endswith(".b"):
                weight.normal_(std=0.1)
        before = ours(tokens(shape))
    ours.export(numbers(shape), tmp_path)
    other = transformers.GPT2LMHeadModel.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        after = other(tokens(shape)).logits
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", SIZES)
def test_every_published_size_has_its_weights_name_by_name(name, gpt):
    width, layers, heads, count = SIZES[name]
    shape = {"vocab": 50257, "context": 1024, "width": width, "layers": layers}
    with torch.device("meta"):
        from nnlab.model.gpt import GPT

        ours = GPT(
            **numbers({**shape, "heads": heads}),
            attention="fused",
            use_bias=True,
            zero_outputs=False,
            pretrained=None,
            trained_blocks=None,
            lora_rank=0,
        )
        config = transformers.GPT2Config(n_embd=width, n_layer=layers, n_head=heads)
        other = transformers.GPT2LMHeadModel(config)
    padding = (ours.token_embedding.weight.shape[0] - 50257) * width
    assert sum(p.numel() for p in ours.parameters()) - padding == count
    assert sum(p.numel() for p in other.parameters()) == count
    mine, stored = ours.state_dict(), other.state_dict()
    for here, there in names(layers):
        prefix = "" if there == "lm_head" else "transformer."
        for kind in {"weight", "bias"} & {
            key.rpartition(".")[2] for key in mine if key.startswith(f"{here}.")
        }:
            weight = stored[f"{prefix}{there}.{kind}"]
            is_turned = ".c_" in there and weight.ndim == 2
            wanted = tuple(weight.T.shape if is_turned else weight.shape)
            found = tuple(mine[f"{here}.{kind}"].shape)
            assert found == wanted or (found[0] == 50304 and found[1:] == wanted[1:])


@pytest.mark.parametrize(
    ("changes", "overrides", "sentence"),
    [
        ({"width": 64}, (), "embedding_size=64, and the model 32"),
        ({"layers": 3}, (), "layers=3, and the model 2"),
        ({"heads": 2}, (), "heads=2, and the model 4"),
        ({"vocab": 90}, (), "vocabulary_size=90, and the model 65.*tokenizer=gpt2"),
        ({"context": 8}, (), r"wpe.weight has the shape \(8, 32\)"),
        ({}, ("model.use_bias=false",), "has h.0.ln_1.bias; give model.use_bias=true"),
        ({}, ("model.positions=rotary",), "model.positions=rotary does not go with"),
        ({}, ("model.norm=rms",), "model.norm=rms does not go with"),
    ],
)
def test_weights_of_another_form_are_refused(
    tmp_path, gpt, changes, overrides, sentence
):
    theirs({**SHAPES["tied"], **changes}).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=sentence):
        load_gpt2(gpt(SHAPES["tied"], *overrides), str(tmp_path))


def test_a_layer_of_another_shape_is_named(tmp_path, gpt):
    theirs(SHAPES["tied"], n_inner=48).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"h\.0\.mlp\.c_fc\.weight has the shape"):
        load_gpt2(gpt(SHAPES["tied"]), str(tmp_path))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (None, "must be gpt2, or a folder with config.json"),
        ("{", "config.json cannot be read"),
        ('{"model_type": "bert"}', "holds no GPT-2"),
        ('{"model_type": "gpt2"}', "does not say n_embd, n_head, n_layer"),
    ],
)
def test_a_folder_without_a_gpt2_is_one_sentence(tmp_path, gpt, config, sentence):
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(UserError, match=sentence):
        load_gpt2(gpt(SHAPES["tied"]), str(tmp_path))


def test_another_activation_is_refused(tmp_path, gpt):
    theirs(SHAPES["tied"], activation_function="relu").save_pretrained(tmp_path)
    with pytest.raises(UserError, match="activation_function=relu; GPT-2 has gelu_new"):
        load_gpt2(gpt(SHAPES["tied"]), str(tmp_path))


@pytest.mark.parametrize(
    ("key", "value"),
    [("positions", "rotary"), ("norm", "rms"), ("key_value_heads", 2)],
)
def test_what_gpt2s_format_cannot_say_is_not_exported(tmp_path, gpt, key, value):
    shape = SHAPES["tied"]
    with pytest.raises(UserError, match=f"model.{key}={value} cannot be said"):
        save_gpt2(gpt(shape), numbers(shape, **{key: value}), tmp_path)
    assert list(Path(tmp_path).iterdir()) == []


def test_the_config_says_no_token_ends_a_text(tmp_path, gpt):
    save_gpt2(gpt(SHAPES["tied"]), numbers(SHAPES["tied"]), tmp_path)
    said = json.loads((tmp_path / "config.json").read_text())
    assert said["eos_token_id"] is None
