"""The metrics that decide something: which weights are the best, when to stop."""

from typing import Any

from nnlab.errors import UserError, did_you_mean


def monitors(config: dict[str, Any]) -> dict[str, str]:
    """Return the metrics that decide something in a run, by the keys that name them."""
    wanted = {"monitor.metric": config["monitor"]["metric"]}
    for group in ("regularizer", "callback"):
        for name, node in (config[group] or {}).items():
            if isinstance(node, dict) and isinstance(node.get("monitor"), str):
                wanted[f"{group}.{name}.monitor"] = node["monitor"]
    return wanted


def check_monitors(config: dict[str, Any], measured: set[str]) -> None:
    """Check the names of metrics that decide something.

    Raises:
        UserError: naming the key, and the metrics there are.
    """
    wanted = monitors(config)
    # What validation measures by batches, the test measures as well.
    known = measured | {name.replace("val/", "test/", 1) for name in measured}
    if config["reference"]:
        wanted["reference.metric"] = config["reference"]["metric"]
    for key, metric in wanted.items():
        if metric not in (known if key == "reference.metric" else measured):
            hint = did_you_mean(metric, known)
            raise UserError(f"{key}={metric} is not measured by this model{hint}")
