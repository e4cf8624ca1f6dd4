"""Whether a search's metrics are measured at all, asked of one batch before any job."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from nnlab.build import Parts, build, prepared
from nnlab.errors import UserError
from nnlab.messages import quiet_lightning
from nnlab.plugins import Plugins
from nnlab.preflight import preflight
from nnlab.sweep.search.options import OF_RESULT

# Names do not depend on where and how exactly it is computed.
HERE: dict[str, Any] = {
    "accelerator": "cpu",
    "devices": 1,
    "num_nodes": 1,
    "strategy": "auto",
    "precision": "32-true",
}


def check_metrics(
    configs: Iterable[dict[str, Any]], metrics: Sequence[str], plugins: Plugins
) -> None:
    """Try a batch of each pair of model and data.

    Raises:
        UserError: where a metric is not measured, with what was probably meant.
    """
    pairs: dict[tuple[str, str], dict[str, Any]] = {}
    for config in configs:
        pairs.setdefault(
            (config["choices"]["model"], config["choices"]["data"]), config
        )
    quiet_lightning()
    for config in pairs.values():
        try:
            parts = build(config, plugins)
            _, settings = prepared({**config["trainer"], **HERE}, "trainer", plugins)
            preflight(parts, settings)
        except UserError:
            if len(pairs) == 1:
                raise
            continue  # a pair that does not fit fails alone, as a trial
        for metric in metrics:
            if metric not in OF_RESULT:
                _check(parts, settings, metric)


def _check(parts: Parts, settings: dict[str, Any], metric: str) -> None:
    monitor = parts.config["monitor"]
    if metric == monitor["metric"]:
        return
    config = {**parts.config, "monitor": {**monitor, "metric": metric}}
    try:
        preflight(replace(parts, config=config), settings)
    except UserError as error:
        said = str(error).replace("monitor.metric=", "sweep.metric=", 1)
        raise UserError(said) from error
