import pytest

from nnlab.report.mask import masked, masked_override


@pytest.mark.parametrize(
    "key",
    [
        "token",
        "auth_token",
        "secret",
        "client_secret_value",
        "password",
        "API_KEY",
        "wandb_api_key",
        "apikey",
        "secrets",
    ],
)
def test_masks_what_looks_secret(key):
    assert masked({"logger": {key: "hunter2"}}) == {"logger": {key: "***"}}


def test_masks_everything_below_a_secret_key():
    config = {"secrets": {"one": "a", "two": ["b"]}}
    assert masked(config) == {"secrets": {"one": "***", "two": ["***"]}}


def test_a_number_called_password_is_one():
    assert masked({"password": 1234}) == {"password": "***"}


def test_leaves_settings_of_language_models_alone():
    config = {"tokenizer": "bpe", "token_size": 5, "class_token": True, "tokens": None}
    assert masked(config) == config


def test_masks_overrides():
    assert masked_override("logger.api_key=abc=d") == "logger.api_key=***"
    assert masked_override("tokenizer=bpe") == "tokenizer=bpe"
