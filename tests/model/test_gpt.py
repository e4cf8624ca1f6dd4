import math

import pytest
import torch

from nnlab.layer.attention_weights import attention_weights
from nnlab.model.gpt import GPT, SelfAttention

SIZES = (
    "model.vocabulary_size=65",
    "model.context_size=32",
    "model.embedding_size=32",
    "model.layers=2",
)
FORMS = {
    "gpt2": ("model.use_bias=true",),
    "sinusoidal": ("model.positions=sinusoidal", "model.feed_forward=relu_squared"),
    "llama": (
        "model.positions=rotary",
        "model.norm=rms",
        "model.feed_forward=swiglu",
        "model.key_value_heads=2",
        "model.ties_embeddings=false",
    ),
    "today": (
        "model.positions=rotary",
        "model.normalizes_queries=true",
        "model.key_value_heads=1",
        "model.logit_softcap=15",
    ),
}


@pytest.fixture
def gpt(build):
    def make(*overrides: str) -> GPT:
        torch.manual_seed(0)
        return build("model=gpt", *SIZES, *overrides)

    return make


@pytest.fixture(params=FORMS)
def model(gpt, request) -> GPT:
    """Any form of it, its weights large enough for every difference to show."""
    model = gpt(*FORMS[request.param]).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2).add_(0.05 * torch.randn_like(weight))
    return model


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    text = torch.randint(65, (4, 33), generator=generator)
    return text[:, :-1], text[:, 1:]


@pytest.mark.parametrize("is_explicit", [False, True])
def test_a_document_behind_others_is_scored_as_if_it_stood_alone(
    model, batch, is_explicit
):
    for layer in model.modules():
        if isinstance(layer, SelfAttention):
            layer.is_explicit = is_explicit
    tokens, _ = batch
    documents = torch.zeros_like(tokens)
    documents[0, 7:], documents[0, 20:], documents[1, 30:] = 1, 2, 1
    scores = model(tokens, documents=documents)
    for row, start, end in ((0, 0, 7), (0, 7, 20), (0, 20, 32), (1, 30, 32)):
        alone = model(tokens[row : row + 1, start:end])[0]
        assert torch.allclose(scores[row, start:end], alone, atol=1e-5)
    assert torch.allclose(scores[2:], model(tokens[2:]), atol=1e-5)
    assert not torch.allclose(scores[0, 7:], model(tokens)[0, 7:], atol=1e-2)


def test_the_loss_is_that_of_its_documents_alone(gpt, batch):
    model, (tokens, targets) = gpt().eval(), batch
    documents = torch.zeros_like(tokens)
    documents[:, 12:] = 1
    parts = [
        model.measure((tokens[:, part], targets[:, part]))["loss"]
        for part in (slice(12), slice(12, 32))
    ]
    whole = model.measure((tokens, targets, documents))["loss"].item()
    assert whole == pytest.approx((12 * parts[0] + 20 * parts[1]).item() / 32, rel=1e-5)


def test_scores_every_token_of_the_vocabulary_and_no_padding(model, batch):
    assert model(batch[0]).shape == (4, 32, 65)
    assert model.token_embedding.weight.shape[0] == 128


def test_has_as_many_weights_as_counted_by_hand(gpt):
    width, rows = 32, 128
    attention = width * 3 * width + 3 * width + width * width + width
    feed_forward = width * 4 * width + 4 * width + 4 * width * width + width
    block = attention + feed_forward + 2 * 2 * width
    weights = rows * width + 32 * width + 2 * block + 2 * width
    model = gpt("model.use_bias=true")
    assert sum(p.numel() for p in model.parameters()) == weights


def test_a_gate_costs_no_weights(gpt):
    plain, gated = (
        sum(p.numel() for p in gpt(f"model.feed_forward={kind}").blocks.parameters())
        for kind in ("gelu", "swiglu")
    )
    assert gated == pytest.approx(plain, rel=0.03)


def test_every_weight_gets_a_gradient(model, batch):
    model.measure(batch)["loss"].backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


def test_knows_nothing_at_the_start(gpt, batch):
    # not exactly ln V: tied to its embedding, a token is likelier to follow itself
    assert gpt().measure(batch)["loss"].item() == pytest.approx(math.log(65), abs=0.15)


def test_knows_exactly_nothing_with_an_unembedding_of_zero(gpt, batch):
    model = gpt("model.ties_embeddings=false")
    torch.nn.init.zeros_(model.unembedding.weight)
    loss = model.measure(batch)["loss"].item()
    assert loss == pytest.approx(math.log(65), abs=1e-5)


def test_learns_one_batch_by_heart(gpt, batch):
    model = gpt("model.positions=rotary", "model.norm=rms")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        model.measure(batch)["loss"].backward()
        optimizer.step()
    assert model.measure(batch)["loss"] < 0.05


def test_future_tokens_cannot_change_a_past_logit(model, batch):
    tokens = batch[0]
    changed = tokens.clone()
    changed[:, 20:] = (changed[:, 20:] + 7) % 65
    before, after = model(tokens), model(changed)
    assert torch.equal(before[:, :20], after[:, :20])
    assert not torch.allclose(before[:, 20:], after[:, 20:])


def test_every_earlier_token_can_change_a_later_logit(model, batch):
    tokens = batch[0][:1]
    last = model(tokens)[:, -1]
    for place in range(tokens.shape[1]):
        changed = tokens.clone()
        changed[:, place] = (changed[:, place] + 7) % 65
        assert not torch.equal(model(changed)[:, -1], last)


def test_explicit_attention_equals_the_fused_one(model, batch):
    fused = model(batch[0])
    for block in model.blocks:
        block.attention.is_explicit = True
    torch.testing.assert_close(model(batch[0]), fused, atol=1e-5, rtol=1e-5)


def test_attention_weights_sum_to_one_and_never_look_ahead(model, batch):
    weights = attention_weights(model, batch[0])
    assert weights.shape == (2, 4, 4, 32, 32)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 4, 32))
    assert weights.triu(1).abs().max() == 0
    assert not any(block.attention.is_explicit for block in model.blocks)


@pytest.mark.parametrize("chunks", [[32], [1] * 32, [5, 1, 1, 20, 5], [31, 1]])
def test_the_cache_gives_the_logits_of_the_full_pass(model, batch, chunks):
    tokens = batch[0]
    cache = model.new_cache(len(tokens))
    parts = [model(part, cache) for part in tokens.split(chunks, dim=1)]
    torch.testing.assert_close(torch.cat(parts, 1), model(tokens), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("stride", [1, 8, 40])
@pytest.mark.parametrize("chunks", [[80], [1] * 80, [40, 1, 1, 30, 8]])
def test_beyond_the_context_the_cache_equals_the_cropped_full_pass(gpt, stride, chunks):
    model = gpt().eval()
    tokens = torch.randint(65, (2, 80))
    cache = model.new_cache(2, stride=stride)
    cached = torch.cat([model(p, cache) for p in tokens.split(chunks, dim=1)], dim=1)
    for place in range(80):
        step = min(stride, 32)
        start = max(0, math.ceil((place - 31) / step) * step)
        full = model(tokens[:, start : place + 1])[:, -1]
        torch.testing.assert_close(cached[:, place], full, atol=1e-5, rtol=1e-5)


def test_a_cache_goes_on_with_the_rows_it_is_told(model, batch):
    tokens = batch[0]
    rows = torch.tensor([2, 2, 0])
    cache = model.new_cache(4)
    model(tokens[:, :10], cache)
    cache.select(rows)
    after = model(tokens[rows, 10:], cache)
    full = model(tokens[rows])[:, 10:]
    torch.testing.assert_close(after, full, atol=1e-5, rtol=1e-5)


def test_grouped_queries_equal_repeated_keys_and_values(gpt, batch):
    grouped, full = gpt("model.key_value_heads=2"), gpt()
    weights = grouped.state_dict()
    for layer in range(2):
        name = f"blocks.{layer}.attention.query_key_value.weight"
        query, key, value = weights[name].split([32, 16, 16])
        key, value = (
            x.view(2, 8, 32).repeat_interleave(2, dim=0).reshape(32, 32)
            for x in (key, value)
        )
        weights[name] = torch.cat([query, key, value])
    full.load_state_dict(weights)
    torch.testing.assert_close(grouped(batch[0]), full(batch[0]), atol=1e-5, rtol=1e-5)


def test_rotary_attention_depends_on_distances_only(gpt, batch):
    model = gpt("model.positions=rotary").eval()
    tokens = batch[0][:, :16]
    plain = model(tokens)
    model.angles = model.angles.roll(-7, dims=0)  # every position seven further on
    torch.testing.assert_close(model(tokens), plain, atol=1e-5, rtol=1e-5)


def test_learned_positions_tell_equal_tokens_apart(gpt):
    logits = gpt()(torch.full((1, 8), 3))
    assert not torch.allclose(logits[0, 2], logits[0, 5], atol=1e-4)


def test_the_first_weights_are_gpt2s(gpt):
    model = gpt("model.layers=8", "model.use_bias=true", "model.embedding_size=64")
    expand = torch.cat([b.feed_forward.expand.weight for b in model.blocks])
    output = torch.cat([b.feed_forward.output.weight for b in model.blocks])
    assert expand.std().item() == pytest.approx(0.02, rel=0.02)
    assert output.std().item() == pytest.approx(0.02 / 4, rel=0.02)  # sqrt(2 * 8)
    assert all(b.attention.output.bias.abs().max() == 0 for b in model.blocks)


def test_blocks_with_zero_outputs_begin_as_the_identity(gpt, batch):
    model = gpt("model.zero_outputs=true")
    x = torch.randn(2, 5, 32)
    for block in model.blocks:
        assert torch.equal(block(x, None, None), x)


def test_a_softcap_bounds_the_logits(gpt, batch):
    plain, capped = gpt()(batch[0]), gpt("model.logit_softcap=0.1")(batch[0])
    assert plain.abs().max() > 0.1
    assert capped.abs().max() <= 0.1
    assert torch.equal(
        plain.sort(-1).indices[..., -1], capped.sort(-1).indices[..., -1]
    )


def test_each_weight_is_in_exactly_one_group_and_only_matrices_decay(gpt):
    from nnlab.optimizer.adamw import AdamW

    model = gpt("model.use_bias=true")
    groups = model.make_optimizer(model.parameters()).param_groups
    assert isinstance(model.make_optimizer(model.parameters()), AdamW)
    held = [id(weight) for group in groups for weight in group["params"]]
    assert sorted(held) == sorted(id(weight) for weight in model.parameters())
    for group in groups:
        decays = group["weight_decay"] > 0
        assert all((weight.ndim >= 2) == decays for weight in group["params"])


def test_accumulated_gradients_are_those_of_one_large_batch(gpt, batch):
    model = gpt()
    model.measure(batch)["loss"].backward()
    whole = [weight.grad.clone() for weight in model.parameters()]
    model.zero_grad()
    for half in zip(*(part.split(2) for part in batch), strict=True):
        (model.measure(half)["loss"] / 2).backward()
    for weight, expected in zip(model.parameters(), whole, strict=True):
        torch.testing.assert_close(weight.grad, expected, atol=1e-7, rtol=1e-4)


def test_only_the_last_blocks_learn(gpt):
    model = gpt("model.trained_blocks=1")
    learning = [n for n, p in model.named_parameters() if p.requires_grad]
    assert {name.rpartition(".")[0] for name in learning} >= {"final_norm"}
    assert all(name.startswith(("blocks.1.", "final_norm.")) for name in learning)
    assert len(learning) == len(list(model.blocks[1].parameters())) + 1


def test_only_low_rank_changes_learn_and_they_begin_at_nothing(gpt, batch):
    plain, changed = gpt(), gpt("model.lora_rank=4")
    missing = changed.load_state_dict(plain.state_dict(), strict=False)
    assert all(name.endswith((".a", ".b")) for name in missing.missing_keys)
    assert torch.equal(plain(batch[0]), changed(batch[0]))
    learning = {n for n, p in changed.named_parameters() if p.requires_grad}
    assert learning == set(missing.missing_keys)


def test_dropout_acts_in_training_only(gpt, batch):
    model = gpt("model.dropout=0.5")
    assert not torch.equal(model(batch[0]), model(batch[0]))
    model.eval()
    assert torch.equal(model(batch[0]), model(batch[0]))


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["model.heads=6"], "model.heads=6 does not divide model.embedding_size=32"),
        (["model.key_value_heads=3"], "model.key_value_heads=3 does not divide"),
        (
            ["model.positions=rotary", "model.embedding_size=12"],
            "model.positions=rotary takes features in pairs",
        ),
        (["model.trained_blocks=3"], "model.trained_blocks=3 is more than model.lay"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(gpt, overrides, sentence):
    with pytest.raises(ValueError, match=sentence):
        gpt(*overrides)


def test_a_text_longer_than_the_context_is_refused(gpt):
    with pytest.raises(ValueError, match=r"model\.context_size=32 is less than the 40"):
        gpt()(torch.zeros(1, 40, dtype=torch.long))


def test_shows_its_attention(gpt, batch):
    assert set(gpt().illustrate(batch)) == {"attention"}


@pytest.mark.slow
def test_compiled_equals_eager(gpt, batch):
    torch.compiler.reset()  # what other tests compiled was of other sizes
    model = gpt()
    names = list(model.state_dict())
    eager = model.measure(batch)["loss"]
    compiled = torch.compile(model.measure)(batch)["loss"]
    torch.testing.assert_close(compiled, eager, atol=1e-5, rtol=1e-5)
    assert list(model.state_dict()) == names
