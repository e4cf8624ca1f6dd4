"""Whether the runs of a comparison will have its metric, asked of one batch before."""

from collections.abc import Iterable

from nnlab.build import Config, build, prepared
from nnlab.errors import UserError, did_you_mean
from nnlab.messages import quiet_lightning
from nnlab.plugins import Plugins
from nnlab.preflight import measured_of
from nnlab.sweep.search.metric_check import HERE


def check_metric(metric: str, configs: Iterable[Config], plugins: Plugins) -> None:
    """Try a batch of each pair of model and data.

    Raises:
        UserError: where the test of one does not measure the metric.
    """
    quiet_lightning()
    pairs: dict[tuple[str, str], Config] = {}
    for config in configs:
        choices = config["choices"]
        pairs.setdefault((choices["model"], choices["data"]), config)
    for (model, data), config in pairs.items():
        parts = build(config, plugins)
        _, settings = prepared({**config["trainer"], **HERE}, "trainer", plugins)
        parts.data.setup("fit")
        measured = measured_of(parts, settings, wanted=metric)
        # What validation measures by batches, the test measures as well.
        known = {name.replace("val/", "test/", 1) for name in measured}
        known = {name for name in known if name.startswith("test/")}
        if metric not in known:
            raise UserError(
                f"metric={metric} is not measured by the test of model={model} on "
                f"data={data}{did_you_mean(metric, known)}"
            )
