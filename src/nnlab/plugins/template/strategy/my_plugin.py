"""DDP whose gradients travel in buckets of a size of your own."""

from lightning.pytorch.strategies import DDPStrategy

from nnlab.limits import Positive


class MyPlugin(DDPStrategy):
    """Sends gradients once `bucket_megabytes` of them have come together."""

    def __init__(self, *, bucket_megabytes: Positive) -> None:
        super().__init__(bucket_cap_mb=bucket_megabytes)
