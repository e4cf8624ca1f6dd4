"""Jobs on Slurm, through submitit; or on this machine, to try that."""

import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import submitit
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.folder import write_json
from nnlab.sweep.beyond.call import Call, read_state, write_stop
from nnlab.sweep.beyond.remote import RemoteServer

WAIT_SECONDS = 120.0  # for the jobs of a sweep that was killed to save their state
GENERAL = ("timeout_min", "cpus_per_task", "gpus_per_node", "mem_gb", "name")
# How Slurm calls what nobody's program is to blame for.
FROM_OUTSIDE = ("CANCELLED", "PREEMPTED", "TIMEOUT", "NODE_FAIL", "REVOKED")


class SlurmServer(RemoteServer):
    """Each job is one of Slurm's, with one task.

    Args:
        folder: the sweep's.
        cluster: slurm, or local: submitit runs them here.
        settings: sbatch's, by submitit's names; None: the cluster's default.
    """

    def __init__(
        self, folder: Path, *, cluster: str, settings: Mapping[str, Any]
    ) -> None:
        super().__init__(folder, seconds=1.0 if cluster == "local" else 15.0)
        self.cluster = cluster
        self._files = self.folder / "submitit"
        self._executor = submitit.AutoExecutor(folder=self._files, cluster=cluster)
        given = {name: value for name, value in settings.items() if value is not None}
        parameters = {
            name if name in GENERAL else f"slurm_{name}": value
            for name, value in given.items()
        }
        try:
            self._executor.update_parameters(**parameters)
        except (TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"hydra.launcher: {reason}") from error
        self._ids: dict[str, str] = {}

    @override
    def hold(self, folder: Path) -> None:
        """End the jobs of a sweep that was killed, which Slurm has kept."""
        file = self.folder / "jobs.json"
        if not file.is_file():
            return
        left: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        left = {mark: job for mark, job in left.items() if self._is_alive(mark, job)}
        for mark, job in left.items():
            write_stop(mark, signal.SIGTERM)
            if not read_state(mark):
                self.cancel(self._found(job), signal.SIGTERM)
        until = time.monotonic() + WAIT_SECONDS
        while any(self._is_alive(mark, job) for mark, job in left.items()):
            if time.monotonic() > until:
                raise UserError(
                    f"{folder}: jobs of a sweep that was killed are still running "
                    f"({', '.join(left.values())}); end them, or wait"
                )
            time.sleep(0.5)

    @override
    def submit(self, call: Call) -> Any:
        job = self._executor.submit(call)
        self._ids[call.mark] = job.job_id
        write_json(self.folder / "jobs.json", self._ids)
        return job

    @override
    def lost(self, handle: Any) -> tuple[int, str] | None:
        if not handle.done():
            return None
        state = str(handle.state).split()[0].upper()
        if state in FROM_OUTSIDE or state == "INTERRUPTED":
            return -signal.SIGTERM, f"{self.cluster} ended job {handle.job_id}: {state}"
        error = handle.exception()
        last = str(error).strip().splitlines()[-1] if error else "it said nothing"
        return 1, f"job {handle.job_id} ended as {state}: {last}"

    @override
    def cancel(self, handle: Any, number: int) -> None:
        handle.cancel(check=False)

    def _found(self, job_id: str) -> Any:
        kind = submitit.LocalJob if self.cluster == "local" else submitit.SlurmJob
        return kind(folder=self._files, job_id=job_id)

    def _is_alive(self, mark: str, job_id: str) -> bool:
        if read_state(mark).get("status") is not None:
            return False
        if self.cluster != "local":
            return not self._found(job_id).done(force_check=True)
        try:
            os.kill(int(job_id), 0)
        except ProcessLookupError:
            return False
        return True
