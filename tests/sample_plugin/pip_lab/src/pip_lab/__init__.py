"""An installed plugin: its code is imported as `pip_lab`, like any package."""
