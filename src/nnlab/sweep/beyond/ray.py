"""Jobs on a Ray cluster, or on one that is begun on this machine."""

import logging
import signal
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import (
    GetTimeoutError,
    RayError,
    TaskCancelledError,
    WorkerCrashedError,
)
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.sweep.beyond.call import Call
from nnlab.sweep.beyond.remote import RemoteServer


class RayServer(RemoteServer):
    """Each job is one remote call.

    Args:
        folder: the sweep's.
        address: of a cluster; None: $RAY_ADDRESS, else one is begun here.
        cores: of one that is begun here; None: all.
        cpus, gpus: that a job takes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        address: str | None,
        cores: int | None,
        cpus: float,
        gpus: float,
    ) -> None:
        super().__init__(folder, seconds=0.5)
        try:
            ray.init(
                address=address,
                num_cpus=None if address else cores,
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, RuntimeError, ValueError) as cause:
            said = str(cause).splitlines()[0]
            raise UserError(f"hydra.launcher.address={address}: {said}") from cause
        decorate = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)
        self._perform: Any = decorate(perform)

    @override
    def hold(self, folder: Path) -> None:
        """Do nothing: Ray ends the calls of a program that is gone."""

    @override
    def submit(self, call: Call) -> Any:
        return self._perform.remote(call)

    @override
    def lost(self, handle: Any) -> tuple[int, str] | None:
        try:
            return ray.get(handle, timeout=0), "it has said nothing"
        except GetTimeoutError:
            return None
        except TaskCancelledError:
            return -signal.SIGTERM, "Ray was asked to end it"
        except WorkerCrashedError:
            return -signal.SIGKILL, "Ray's worker was killed"
        except RayError as error:
            return 1, f"Ray: {str(error).strip().splitlines()[-1]}"

    @override
    def cancel(self, handle: Any, number: int) -> None:
        ray.cancel(handle, force=number == signal.SIGKILL)

    @override
    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        ray.shutdown()


def perform(call: Call) -> int:
    """Run one job where Ray has sent it."""
    return call()
