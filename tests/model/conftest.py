"""Temporary."""
import importlib
from pathlib import Path
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

@pytest.fixture
def build():
    def make(*overrides, part="model"):
        with initialize_config_dir(str(Path(__file__).parents[2]/"conf"), version_base=None):
            config = compose("config", overrides=list(overrides))
        node = OmegaConf.to_container(config[part], resolve=True)
        module, name = node.pop("_target_").rsplit(".",1)
        return getattr(importlib.import_module(module), name)(**node)
    return make
