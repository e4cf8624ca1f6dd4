"""Keeps secrets of a config out of what is shown, shared and published."""

import re
from typing import Any

MASK = "***"
_SECRET = re.compile(
    r"(^|[_\-.])(token|secret|password|passwd|passphrase|credential)s?($|[_\-.])|api_?key",
    re.IGNORECASE,
)


def masked(config: dict[str, Any]) -> dict[str, Any]:
    """Return the config with the values of keys that look secret replaced.

    A number or a truth under such a key (`token_size: 5`) is a setting, not a secret,
    unless the key is called that and nothing else (`password: 1234`).
    """
    return {key: _mask(str(key), value) for key, value in config.items()}


def masked_override(override: str) -> str:
    """Return `key=value` with the value replaced where the key looks secret."""
    key, equals, _ = override.partition("=")
    return f"{key}={MASK}" if equals and _SECRET.search(key) else override


def _mask(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _mask(f"{key}.{name}", inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_mask(key, inner) for inner in value]
    if value is None or not _SECRET.search(key):
        return value
    is_setting = isinstance(value, int | float) and not _SECRET.fullmatch(
        key.rpartition(".")[2]
    )
    return value if is_setting else MASK
