"""What a run's folder holds, read from its files; whatever is missing is empty."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from nnlab.report.mask import masked, masked_override

Row = dict[str, Any]
SHOWN = (".png", ".txt")
# Its C twin reads the same in a tenth of the time, where PyYAML was built with it.
_SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class RunReading:
    """A run, as its folder tells it; secrets in its config are masked."""

    path: Path

    @cached_property
    def status(self) -> str:
        return self._json("status.json").get("status") or "unknown"

    @cached_property
    def cause(self) -> str | None:
        return self._json("status.json").get("cause")

    @cached_property
    def result(self) -> dict[str, Any]:
        return self._json("result.json")

    @cached_property
    def metrics(self) -> dict[str, float | None]:
        """The final metrics by name: `test/accuracy`."""
        return self.result.get("metrics") or {}

    @cached_property
    def environment(self) -> dict[str, Any]:
        return self._json("environment.json")

    @cached_property
    def config(self) -> dict[str, Any]:
        text = self._text("config.yaml")
        return masked(yaml.load(text, Loader=_SAFE_LOADER) or {})

    @cached_property
    def overrides(self) -> list[str]:
        lines = self._text("overrides.txt").splitlines()
        return [masked_override(line.strip()) for line in lines if line.strip()]

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of metrics.jsonl, in the order they were written."""
        lines = self._text("metrics.jsonl").split("\n")
        # A run killed while it wrote leaves half a line, the only one without an end
        return [json.loads(line) for line in lines[:-1] if line.strip()]

    @cached_property
    def figures(self) -> dict[str, Path]:
        """The pictures and texts of the end, from test examples, by name."""
        found = sorted((self.path / "figures").glob("*.*"))
        return {file.stem: file for file in found if file.suffix in SHOWN}

    @cached_property
    def over_training(self) -> dict[str, dict[int, Path]]:
        """The same while training, from validation examples: name -> step -> file."""
        found: dict[str, dict[int, Path]] = {}
        for picture in sorted((self.path / "figures/over_training").glob("*_*.*")):
            name, _, step = picture.stem.rpartition("_")
            if step.isdigit() and picture.suffix in SHOWN:
                found.setdefault(name, {})[int(step)] = picture
        return {name: dict(sorted(frames.items())) for name, frames in found.items()}

    @cached_property
    def title(self) -> str:
        """`lenet5 on mnist`; of a run without a result, what its folder is called."""
        if "model" in self.result and "data" in self.result:
            return f"{self.result['model']} on {self.result['data']}"
        return self.path.resolve().parent.name.replace("_", " on ", 1)

    def _text(self, name: str) -> str:
        file = self.path / name
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def _json(self, name: str) -> dict[str, Any]:
        text = self._text(name)
        return json.loads(text) if text.strip() else {}
