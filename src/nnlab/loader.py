"""Hydra's config loader, that does not compose twice what was chosen alike.

Hydra composes the chosen options first (50 ms), and sets single values in what came out
(1 ms). A run is composed with its values and without, and a sweep's jobs differ in
little else.
"""

import copy
from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from typing_extensions import override

Choices = dict[str, str | None]
MOST_KEPT = 32  # of a sweep over very many options the last ones


class Loader(ConfigLoaderImpl):
    """Hydra's, a little quicker."""

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        super().__init__(config_search_path)
        self._kept: dict[tuple[str, ...], tuple[DictConfig, Choices]] = {}

    @override
    def get_group_options(
        self,
        group_name: str,
        results_filter: ObjectType | None = ObjectType.CONFIG,
        config_name: str | None = None,
        overrides: list[str] | None = None,
    ) -> list[str]:
        # Without a copy of all the group's files, 7 ms: that is for a search path that
        # the command's words may change.
        if config_name is None and not overrides:
            return self.repository.get_group_options(group_name, results_filter)
        return super().get_group_options(
            group_name, results_filter, config_name, overrides
        )

    def compose_run(
        self, config_name: str, words: Sequence[str]
    ) -> tuple[DictConfig, Choices]:
        """Return what Hydra composes for one run, less its own section.

        Returns:
            The config, and the option that was chosen in each group.
        """
        parsed = OverridesParser.create().parse_overrides(list(words))
        options: list[str] = []
        values: list[Override] = []
        for given, word in zip(parsed, words, strict=True):
            if self._is_value(given):
                values.append(given)
            elif isinstance(given.value(), dict):  # sets values too: their order counts
                return self._composed(config_name, words)
            else:
                options.append(word)
        config, chosen = self._composed(config_name, options)
        self._apply_overrides_to_config(values, config)
        return config, chosen

    def _composed(
        self, config_name: str, words: Sequence[str]
    ) -> tuple[DictConfig, Choices]:
        key = (config_name, *words)
        if key not in self._kept:
            config = self.load_configuration(config_name, list(words), RunMode.RUN)
            chosen: Any = OmegaConf.to_container(config.hydra.runtime.choices)
            with open_dict(config):
                del config["hydra"]
            if len(self._kept) == MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = config, chosen
        return copy.deepcopy(self._kept[key])

    def _is_value(self, given: Override) -> bool:
        key = given.key_or_group
        is_option = key.split(".")[0] == "hydra" or self.repository.group_exists(key)
        return not (is_option or given.is_sweep_override() or given.package)
