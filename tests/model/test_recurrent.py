import json
import math

import pytest
import torch
from matplotlib.figure import Figure

from nnlab.model.recurrent import Recurrent

ON_SEQUENCES = ("model.width=2", "model.height=100", "model.classes=0")
ON_ROWS = ("model.width=28", "model.height=28", "model.classes=10")
CELLS = (
    ("rnn", "default"),
    ("rnn", "identity"),
    ("lstm", "default"),
    ("lstm", "one"),
    ("lstm", "chrono"),
    ("gru", "default"),
    ("gru", "chrono"),
)
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


@pytest.fixture
def recurrent(build):
    def make(*overrides: str) -> Recurrent:
        torch.manual_seed(0)
        return build("model=recurrent", *overrides)

    return make


@pytest.fixture
def sequences() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    x = torch.rand(16, 20, 2)
    return x, x[:, 17, :1]


@pytest.fixture
def images() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(20, 1, 28, 28), torch.arange(20) % 10


@pytest.mark.parametrize(("cell", "memory"), CELLS)
@pytest.mark.parametrize("bidirectional", ["false", "true"])
def test_answers_once_with_as_many_weights_as_counted_by_hand(
    recurrent, sequences, images, cell, memory, bidirectional
):
    chosen = (
        f"model.cell={cell}",
        f"model.initial_memory={memory}",
        f"model.bidirectional={bidirectional}",
    )
    directions = 1 + (bidirectional == "true")
    for (x, _), of_data, width, answers in (
        (sequences, ON_SEQUENCES, 2, 1),
        (images, ON_ROWS, 28, 10),
    ):
        model = recurrent(*of_data, *chosen)
        assert model(x).shape == (len(x), answers)
        cells = directions * GATES[cell] * 32 * (width + 32 + 2)
        output = answers * (directions * 32 + 1)
        assert sum(p.numel() for p in model.parameters()) == cells + output


@pytest.mark.parametrize(("cell", "memory"), CELLS)
def test_every_weight_gets_a_gradient(recurrent, sequences, cell, memory):
    model = recurrent(
        *ON_SEQUENCES,
        f"model.cell={cell}",
        f"model.initial_memory={memory}",
        "model.layers=2",
        "model.bidirectional=true",
    )
    model.measure(sequences)["loss"].backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("of_data", [ON_SEQUENCES, ON_ROWS])
def test_learns_one_batch_by_heart(recurrent, sequences, images, of_data):
    model = recurrent(*of_data)
    batch = sequences if of_data is ON_SEQUENCES else images
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(400):
        optimizer.zero_grad()
        measured = model.measure(batch)
        if measured["accuracy"] == 1:
            break
        measured["loss"].backward()
        optimizer.step()
    assert measured["accuracy"] == 1


def test_an_image_is_read_row_by_row(recurrent, images):
    model = recurrent(*ON_ROWS)
    assert torch.equal(model(images[0]), model(images[0][:, 0]))
    _, (last, _) = model.recurrent(images[0][:, 0])
    torch.testing.assert_close(model(images[0]), model.output(last[-1]))
    turned = images[0].transpose(2, 3)  # columns instead
    assert not torch.allclose(model(images[0]), model(turned), atol=1e-3)


def test_both_ways_answer_from_both_ends(recurrent, sequences):
    model = recurrent(*ON_SEQUENCES, "model.bidirectional=true", "model.layers=2")
    x, _ = sequences
    states, _ = model.recurrent(x)  # forwards at the end, backwards at the beginning
    ends = torch.cat([states[:, -1, :32], states[:, 0, 32:]], dim=1)
    torch.testing.assert_close(model(x), model.output(ends))


def test_chrono_remembers_for_one_to_t_steps(recurrent):
    lstm = recurrent(*ON_SEQUENCES, "model.hidden_size=2000").recurrent
    biases = lstm.bias_ih_l0.detach(), lstm.bias_hh_l0.detach()
    into, forget = (sum(part.chunk(4)[k] for part in biases) for k in (0, 1))
    assert torch.equal(into, -forget)
    memory = forget.exp()  # b = log u, u uniform in [1, T - 1]
    assert 1 <= memory.min() <= memory.max() <= 99
    assert memory.mean().item() == pytest.approx(50, rel=0.05)
    gru = recurrent(*ON_SEQUENCES, "model.hidden_size=2000", "model.cell=gru").recurrent
    update = (gru.bias_ih_l0 + gru.bias_hh_l0).detach().chunk(3)[1].exp()
    assert update.mean().item() == pytest.approx(50, rel=0.05)


def test_one_is_the_forget_gates_bias_and_no_other(recurrent):
    lstm = recurrent(*ON_SEQUENCES, "model.initial_memory=one").recurrent
    parts = (lstm.bias_ih_l0 + lstm.bias_hh_l0).chunk(4)
    assert (parts[1] == 1).all()
    assert not any((parts[k] == 1).any() for k in (0, 2, 3))


def test_the_identity_keeps_a_state_for_good(recurrent):
    model = recurrent(*ON_SEQUENCES, "model.cell=rnn", "model.initial_memory=identity")
    x = torch.zeros(1, 50, 2)
    x[0, 0] = 1.0
    states, _ = model.recurrent(x)
    assert states[0, 0].sum() > 0
    torch.testing.assert_close(states[0, 0], states[0, -1])


def test_measures_the_squared_error_and_what_is_near_enough(recurrent):
    model = recurrent(*ON_SEQUENCES)
    torch.nn.init.zeros_(model.output.weight)
    torch.nn.init.constant_(model.output.bias, 0.5)
    truth = torch.tensor([[0.5], [0.53], [0.56], [0.7]])
    measured = model.measure((torch.rand(4, 9, 2), truth))
    assert measured["accuracy"] == 0.5
    assert measured["loss"].item() == pytest.approx(
        (0.03**2 + 0.06**2 + 0.2**2) / 4, rel=1e-4
    )
    remark = model.remark((torch.rand(4, 9, 2), truth))
    assert remark == (
        "2 of 4 sequences are wrong by 0.04 or more; "
        "always to say the mean would be wrong for 3."  # it is 0.5725
    )


def test_measures_cross_entropy_on_classes(recurrent, images):
    model = recurrent(*ON_ROWS)
    torch.nn.init.zeros_(model.output.weight)
    torch.nn.init.zeros_(model.output.bias)
    assert model.measure(images)["loss"].item() == pytest.approx(math.log(10))
    assert model.remark(images) is None


def test_illustrates_numbers_and_classes(recurrent, sequences, images):
    for of_data, batch, name in (
        (ON_SEQUENCES, sequences, "answers"),
        (ON_ROWS, images, "confusion_matrix"),
    ):
        pictures = recurrent(*of_data).eval().illustrate(batch)
        assert set(pictures) == {name}
        assert isinstance(pictures[name], Figure)


@pytest.mark.parametrize(
    ("cell", "memory", "remedy"),
    [
        ("rnn", "chrono", "try default or identity"),
        ("lstm", "identity", "try default or one or chrono"),
        ("gru", "one", "try default or chrono"),
    ],
)
def test_a_beginning_that_is_not_the_cells_is_refused(recurrent, cell, memory, remedy):
    with pytest.raises(ValueError, match=remedy):
        recurrent(*ON_SEQUENCES, f"model.cell={cell}", f"model.initial_memory={memory}")


def test_reads_digits_row_by_row_from_the_command_line(nnlab, tmp_path):
    answer = nnlab(
        "model=recurrent",
        "data=digits",
        "trainer.max_epochs=3",
        "model.initial_memory=one",
        "pictures=0",
        "logger=[]",
        "folder=run",
    )
    assert answer.status == 0, answer.err
    metrics = json.loads((tmp_path / "run/result.json").read_text())["metrics"]
    assert metrics["test/accuracy"] > 0.8
