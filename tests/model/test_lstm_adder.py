import copy
import json

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from nnlab.model.lstm_adder import (
    ExplicitLSTM,
    LSTMAdder,
    carries,
    read_layers,
    shortened,
)

CELLS = ("rnn", "identity_rnn", "lstm", "gru", "explicit")
GATES = {"rnn": 1, "identity_rnn": 1, "lstm": 4, "gru": 3, "explicit": 4}


@pytest.fixture
def adder(build):
    def make(*overrides: str) -> LSTMAdder:
        torch.manual_seed(0)
        return build(
            "model=lstm_adder", "model.least_significant_first=true", *overrides
        )

    return make


def sums(*pairs: tuple[int, int], time: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    """Return sums as a batch, the least significant bit first."""

    def bits(number: int) -> list[int]:
        return [int(bit) for bit in reversed(f"{number:0{time}b}")]

    addends = [list(zip(bits(a), bits(b), strict=True)) for a, b in pairs]
    return torch.tensor(addends).float(), torch.tensor([bits(a + b) for a, b in pairs])


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return sums(*((17 * n % 256, 91 * n % 256) for n in range(1, 33)))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", ["false", "true"])
@pytest.mark.parametrize("layers", [1, 2])
def test_says_one_bit_a_step_with_as_many_weights_as_counted_by_hand(
    adder, batch, cell, bidirectional, layers
):
    model = adder(
        f"model.cell={cell}",
        f"model.bidirectional={bidirectional}",
        f"model.layers={layers}",
    )
    assert model(batch[0]).shape == (32, 9)
    directions, hidden = 1 + (bidirectional == "true"), 16
    weights = hidden * directions + 1
    for inputs in (2, hidden * directions)[:layers]:
        rows = GATES[cell] * hidden
        weights += directions * rows * (inputs + hidden + 2)  # torch has two biases
    assert sum(p.numel() for p in model.parameters()) == weights


@pytest.mark.parametrize("cell", CELLS)
def test_every_weight_gets_a_gradient(adder, batch, cell):
    model = adder(f"model.cell={cell}", "model.layers=2", "model.bidirectional=true")
    model.measure(batch)["loss"].backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("cell", CELLS)
def test_learns_one_batch_by_heart(adder, batch, cell):
    model = adder(f"model.cell={cell}")
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        measured = model.measure(batch)
        if measured["accuracy"] == 1:
            break
        measured["loss"].backward()
        optimizer.step()
    assert measured["accuracy"] == 1


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_explicit_lstm_is_torchs(layers, bidirectional):
    torch.manual_seed(0)
    sizes = {"num_layers": layers, "bidirectional": bidirectional, "batch_first": True}
    theirs, ours = nn.LSTM(2, 16, **sizes), ExplicitLSTM(2, 16, **sizes)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(8, 30, 2)
    np.testing.assert_allclose(
        ours(x)[0].detach(), theirs(x)[0].detach(), rtol=0, atol=1e-6
    )
    for module in (ours, theirs):
        module(x)[0].square().sum().backward()
    for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, its.grad, rtol=1e-4, atol=1e-4)


def test_the_gates_shown_are_those_of_the_equations():
    torch.manual_seed(0)
    lstm = nn.LSTM(2, 3, batch_first=True).double()
    x = torch.randn(1, 5, 2, dtype=torch.double)
    w_x, w_h, b_x, b_h = (p.detach().numpy() for p in lstm.parameters())

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    h = c = np.zeros(3)
    _, seen = read_layers(lstm, x)
    for t in range(5):
        net = w_x @ x[0, t].numpy() + b_x + w_h @ h + b_h
        i, f, o = sigmoid(net[:3]), sigmoid(net[3:6]), sigmoid(net[9:])
        g = np.tanh(net[6:9])
        c = f * c + i * g
        h = o * np.tanh(c)
        for name, gate in {
            "input gate": i,
            "forget gate": f,
            "candidate": g,
            "output gate": o,
            "state": h,
        }.items():
            np.testing.assert_allclose(seen[name][0, t].detach().numpy(), gate)


def test_an_identity_rnn_begins_by_keeping_its_state(adder):
    rnn = adder("model.cell=identity_rnn", "model.layers=2").recurrent
    assert rnn.nonlinearity == "relu"
    for layer in ("l0", "l1"):
        assert torch.equal(getattr(rnn, f"weight_hh_{layer}"), torch.eye(16))
        assert getattr(rnn, f"bias_ih_{layer}").abs().sum() == 0


def test_a_number_is_right_only_with_all_its_bits(adder):
    model = adder()
    nn.init.zeros_(model.output.weight)
    nn.init.constant_(model.output.bias, -1.0)  # it says 0 for every bit
    batch = sums((0, 0), (0, 0), (0, 0), (1, 0))
    measured = model.measure(batch)
    assert measured["accuracy"] == 0.75
    assert measured["bit_accuracy"].item() == pytest.approx(35 / 36)
    said = 1 / (1 + np.exp(1.0))
    loss = -(35 * np.log(1 - said) + np.log(said)) / 36
    assert measured["loss"].item() == pytest.approx(loss, rel=1e-5)


def test_carries_are_those_of_addition_by_hand():
    # 1011 + 0110: 1+0, 1+1 carries, 0+1+1 carries, 1+0+1 carries
    addends, total = sums((0b1011, 0b0110), (255, 1), time=9)
    assert carries(addends, total).tolist() == [
        [0, 1, 1, 1, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1, 1, 1, 0],
    ]
    backwards = carries(addends.flip(1), total.flip(1))
    assert torch.equal(backwards, carries(addends, total).flip(1))


@pytest.mark.parametrize("order", ["true", "false"])
def test_adds_numbers_of_any_length_as_it_reads_them(adder, order):
    model = adder(f"model.least_significant_first={order}")
    # two units are turned into a logical or: no carry, but a sum where none is needed
    model.recurrent = Either()
    model.output = nn.Identity()
    assert model.add(9, 60) == 9 | 60
    assert model.add(2**200, 5) == 2**200 + 5
    assert model.add(0, 0) == 0


class Either(nn.Module):
    def forward(self, addends):
        return addends.sum(dim=2, keepdim=True) - 0.5, None


def test_writes_sums_as_the_lesson_does_and_what_they_should_be(adder):
    model = adder()
    model.recurrent, model.output = Either(), nn.Identity()
    batch = sums((9, 60), (16, 3))
    assert model._in_words(*batch) == [
        "prediction  0 0 0 1 1 1 1 0 1\n"
        "truth       0 0 1 0 0 0 1 0 1\n"
        "9 + 60 = 61, not 69",
        "prediction  0 0 0 0 1 0 0 1 1\ntruth       0 0 0 0 1 0 0 1 1\n16 + 3 = 19",
    ]
    assert model.remark(batch) == (
        "9 + 60 = 61, not 69; 16 + 3 = 19: 1 of 2 sums never trained on is wrong."
    )


def test_a_remark_on_long_numbers_is_short(adder):
    big = 2**4000
    said = adder().remark(sums((big, big + 1), (3, big), time=4002))
    assert str(big)[:6] + "…" + str(big)[-6:] in said
    assert len(said) < 300


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("9 + 60 = 61, not 69", "9 + 60 = 61, not 69"),
        (f"{2**64} + 1", f"{2**64} + 1"),  # as long as its short form, nearly
        (f"{10**30} + {10**40 + 7}", "100000…000000 + 100000…000007"),
    ],
)
def test_only_long_numbers_are_shortened(text, short):
    assert shortened(text) == short


@pytest.mark.parametrize("cell", CELLS)
def test_illustrates_sums_states_and_the_gates_of_an_lstm(adder, batch, cell):
    model = adder(f"model.cell={cell}", "model.bidirectional=true").eval()
    pictures = model.illustrate(batch)
    names = {"sums", "state_in_time", "state_and_carry"}
    if cell in ("lstm", "explicit"):
        names |= {"gates_in_time"}
    assert set(pictures) == names
    assert isinstance(pictures["sums"], str)
    assert pictures["sums"].count("truth") == 5
    assert isinstance(pictures["state_in_time"], Figure)


def test_a_copy_of_an_adder_is_another_adder(adder, batch):
    model = adder("model.cell=explicit")
    model.measure(batch)["loss"].backward()
    assert torch.equal(copy.deepcopy(model)(batch[0]), model(batch[0]))


def test_a_run_learns_addition_and_tests_longer_numbers(nnlab, tmp_path):
    answer = nnlab(
        "model=lstm_adder",
        "trainer.max_epochs=4",
        "data.test_pairs=1000",
        "data.test_bits=[12,16]",
        "data.long_test_pairs=200",
        "pictures=1",
        "logger=[]",
        "folder=run",
    )
    assert answer.status == 0, answer.err
    metrics = json.loads((tmp_path / "run/result.json").read_text())["metrics"]
    assert metrics["test/accuracy"] >= 0.99
    assert metrics["test/accuracy_12bit"] >= 0.9
    assert metrics["test/accuracy_16bit"] >= 0.9
    assert "sums never trained on are wrong" in " ".join(answer.out.split())
    assert (tmp_path / "run/figures/over_training/sums_00000064.txt").is_file()
