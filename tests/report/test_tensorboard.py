import logging

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.metadata import (
    SESSION_END_INFO_TAG,
    SESSION_START_INFO_TAG,
    parse_session_start_info_plugin_data,
)

from nnlab.report.tensorboard import settings, write_summary


def read(folder) -> EventAccumulator:
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return events


def hyper_parameters(folder):
    content = read(folder).SummaryMetadata(SESSION_START_INFO_TAG).plugin_data.content
    found = parse_session_start_info_plugin_data(content).hparams
    return {
        key: getattr(value, value.WhichOneof("kind")) for key, value in found.items()
    }


def test_the_final_metrics_are_those_of_the_result(folder):
    write_summary(folder)
    events = read(folder)
    final = {tag: events.Scalars(tag)[-1] for tag in events.Tags()["scalars"]}
    assert {tag: event.value for tag, event in final.items()} == pytest.approx(
        {
            "result/test/accuracy": 0.9875,
            "result/test/loss": 0.04321,
            "result/val/loss": 0.0512,
        }
    )
    assert {event.step for event in final.values()} == {100}
    assert "hp_metric" not in final


def test_the_settings_are_in_the_same_run_and_secrets_are_not(folder):
    write_summary(folder)
    found = hyper_parameters(folder)
    assert found["optimizer.lr"] == 0.05
    assert found["model.hidden_sizes"] == "[8, 4]"
    assert found["model.activation"] == "tanh"
    assert found["logger.api_key"] == "***"
    assert "resume" not in found
    assert SESSION_END_INFO_TAG in read(folder).summary_metadata
    assert not [path for path in (folder / "tensorboard").iterdir() if path.is_dir()]
    written = b"".join(p.read_bytes() for p in (folder / "tensorboard").iterdir())
    assert b"sk-" not in written


def test_the_final_pictures_are_there_byte_for_byte(folder):
    write_summary(folder)
    events = read(folder)
    for name in ("decision_boundary", "feature_maps"):
        (image,) = events.Images(f"figures/{name}")
        assert (
            image.encoded_image_string == (folder / f"figures/{name}.png").read_bytes()
        )
        assert image.width > 0


def test_draws_the_model_and_leaves_it_training(folder):
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Dropout(0.5))
    write_summary(folder, model=model, example=torch.zeros(4, 2))
    assert b"Dropout" in read(folder).Graph().SerializeToString()
    assert model.training


class Untraceable(torch.nn.Module):
    def forward(self, x):
        raise NotImplementedError("drawn by hand only")


def test_a_model_that_cannot_be_traced_costs_one_line(folder, caplog, capsys):
    with caplog.at_level(logging.WARNING):
        write_summary(folder, model=Untraceable(), example=torch.zeros(1))
    assert [record.message for record in caplog.records] == [
        "no graph in TensorBoard: Untraceable cannot be traced: drawn by hand only"
    ]
    assert capsys.readouterr().out == ""
    assert "result/test/accuracy" in read(folder).Tags()["scalars"]


def test_a_failed_run_without_a_result_can_be_written(failed_folder):
    write_summary(failed_folder)
    assert read(failed_folder).Tags()["scalars"] == []


def test_settings_are_numbers_words_and_lists_of_them():
    config = {"a": {"b": 1, "c": None, "d": [1, "x"], "e": [{"f": 1}]}, "g": True}
    assert settings(config) == {"a.b": 1, "a.d": '[1, "x"]', "g": True}
