"""A sweep through Hydra: what Hydra's own multirun does, in two steps."""

from typing import ClassVar

from hydra.core.plugins import Plugins
from hydra.experimental.callback import Callback
from hydra.plugins.sweeper import Sweeper

from nnlab.compose import Composer


class Recorder(Callback):
    told: ClassVar[list] = []

    def on_multirun_start(self, config, **rest):
        self.told.append(("start", config.hydra.sweep.dir, rest["config_name"]))

    def on_multirun_end(self, config, **rest):
        self.told.append(("end", config.hydra.sweep.dir, rest["config_name"]))


class Recording(Sweeper):
    def __init__(self, *, params):
        super().__init__()

    def setup(self, *, hydra_context, task_function, config):
        self.config = config

    def sweep(self, arguments):
        hydra = self.config.hydra
        Recorder.told.append((arguments, list(hydra.overrides.hydra), hydra.sweep.dir))
        return "swept"


def test_a_sweeper_and_callbacks_see_the_sweeps_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(Recorder, "told", [])
    composer = Composer()
    callback = f"+hydra.callbacks.seen._target_={__name__}.Recorder"
    config = composer.compose_multirun(["seed=1,2", callback])
    monkeypatch.setitem(
        Plugins.instance().class_name_to_class, "hydra_plugins.nnlab.GridSweeper", None
    )
    folder = tmp_path / "a sweep"
    assert composer.multirun(config, folder, {"GridSweeper": Recording}) == "swept"
    start, (words, overrides, place), end = Recorder.told
    assert start == ("start", str(folder), "config")
    assert words == ["seed=1,2"]
    assert overrides[-1] == f"hydra.sweep.dir='{folder}'", "for Hydra's own launchers"
    assert place == str(folder)
    assert end == ("end", str(folder), "config")
