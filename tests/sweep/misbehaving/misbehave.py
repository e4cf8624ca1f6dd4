"""A run that raises, exits, is killed, hangs, or is well, once it trains."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Literal

from lightning import Callback, LightningModule, Trainer

How = Literal["raise", "exit", "leave", "kill", "crash", "hang", "behave"]


class Misbehave(Callback):
    """Does it in the first training step."""

    def __init__(self, *, how: How) -> None:
        self.how = how

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, *batch: Any
    ) -> None:
        match self.how:
            case "raise":
                raise RuntimeError("as it was asked to")
            case "exit":
                sys.exit(3)
            case "leave":
                os._exit(0)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "hang":
                Path("hanging").touch()
                while True:
                    time.sleep(1)
            case "behave":
                pass
