"""Hydra's launchers for other machines: `hydra/launcher=submitit_slurm`, `ray`."""

import importlib.util
import shutil
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hydra.core.utils import JobReturn
from typing_extensions import override

from nnlab.compose import Composer
from nnlab.errors import UserError, did_you_mean
from nnlab.limits import Count, NonNegative
from nnlab.sweep.devices import Devices
from nnlab.sweep.job import key_of
from nnlab.sweep.launcher import LocalLauncher
from nnlab.sweep.pool import Pool
from nnlab.target import check_value

if TYPE_CHECKING:
    from nnlab.sweep.beyond.remote import RemoteServer

# Where sbatch is not asked: to try what it would do.
HERE = ("local", "submitit_local")
NEEDS = {
    "submitit_slurm": ("submitit", "slurm"),
    "submitit_local": ("submitit", "slurm"),
    "ray": ("ray", "ray"),
}


def check_launcher(words: Sequence[str], composer: Composer) -> bool:
    """Check that the chosen launcher can start; return whether jobs stay here.

    Raises:
        UserError: where it is none, or what it needs is not installed.
    """
    chosen = [w.partition("=")[2] for w in words if key_of(w) == "hydra/launcher"]
    if not chosen:
        return True
    [name] = chosen
    known = composer.options("hydra/launcher")
    if name not in known:
        raise UserError(f"no hydra/launcher called {name!r}{did_you_mean(name, known)}")
    if name not in NEEDS:
        return True
    package, extra = NEEDS[name]
    if importlib.util.find_spec(package) is None:
        raise UserError(
            f"hydra/launcher={name} needs {package}; install it: "
            f"pip install 'nnlab[{extra}]'"
        )
    if name == "submitit_slurm" and shutil.which("sbatch") is None:
        raise UserError(
            "hydra/launcher=submitit_slurm needs sbatch, and there is none on this "
            "machine; run on a cluster's login node, or try submitit_local"
        )
    return name in HERE


class RemoteLauncher(LocalLauncher):
    """Runs a sweep's jobs where another program puts them.

    Args:
        pool: this sweep's.
        workers: jobs handed over at once, where sweep.workers does not say.
        threads: that a job may use.
    """

    def __init__(self, *, pool: Pool, workers: int, threads: int) -> None:
        super().__init__(pool=pool)
        self.workers, self.threads = workers, threads

    @abstractmethod
    def make_server(self, folder: Path) -> "RemoteServer":
        """Return where the jobs come from."""

    @override
    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        pool = self.pool
        with self.make_server(pool.ledger.folder) as server:
            server.hold(pool.ledger.folder)
            pool.server, pool.threads = server, self.threads
            pool.devices = Devices([])  # this machine's are not those
            if pool.options.workers is None:
                pool.workers = self.workers
            return super().launch(job_overrides, initial_job_idx)


class SubmititLauncher(RemoteLauncher):
    """A job of the sweep is a job of Slurm's.

    Args:
        pool: this sweep's.
        cluster: slurm; or local, which has submitit run the jobs here, to try it.
        array_parallelism: jobs in Slurm's hands at once.
        cpus_per_task: of a job; its threads too.
        settings: more of sbatch's, by submitit's names.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        cluster: Literal["slurm", "local"],
        array_parallelism: int,
        cpus_per_task: int,
        **settings: Any,
    ) -> None:
        where = "hydra.launcher"
        check_value(array_parallelism, Count, f"{where}.array_parallelism")
        check_value(cpus_per_task, Count, f"{where}.cpus_per_task")
        super().__init__(pool=pool, workers=array_parallelism, threads=cpus_per_task)
        self.cluster = cluster
        self.settings = {**settings, "cpus_per_task": cpus_per_task}

    @override
    def make_server(self, folder: Path) -> "RemoteServer":
        from nnlab.sweep.beyond.slurm import SlurmServer

        return SlurmServer(folder, cluster=self.cluster, settings=self.settings)


class RayLauncher(RemoteLauncher):
    """A job of the sweep is a remote call of Ray's.

    Args:
        pool: this sweep's.
        address: of a cluster; None: $RAY_ADDRESS, else one is begun on this machine.
        cores: of one that is begun here; None: all.
        workers: jobs in Ray's hands at once.
        num_cpus, num_gpus: that one job takes.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        address: str | None,
        cores: int | None,
        workers: int,
        num_cpus: float,
        num_gpus: float,
    ) -> None:
        check_value(workers, Count, "hydra.launcher.workers")
        for name, value in (("num_cpus", num_cpus), ("num_gpus", num_gpus)):
            check_value(value, NonNegative, f"hydra.launcher.{name}")
        super().__init__(pool=pool, workers=workers, threads=max(1, int(num_cpus)))
        self.address, self.cores = address, cores
        self.num_cpus, self.num_gpus = num_cpus, num_gpus

    @override
    def make_server(self, folder: Path) -> "RemoteServer":
        from nnlab.sweep.beyond.ray import RayServer

        return RayServer(
            folder,
            address=self.address,
            cores=self.cores,
            cpus=self.num_cpus,
            gpus=self.num_gpus,
        )
