"""One run, from a config to its report. Read this first.

check the settings -> seed -> build data and model -> one batch through everything
-> make the folder -> fit -> test with the best weights -> report
"""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from signal import Signals

from lightning import seed_everything
from rich.console import Console

from nnlab.build import Config, Parts, build, prepared
from nnlab.combination import check_combination
from nnlab.effect import check_effect
from nnlab.environment import environment
from nnlab.errors import RunFailed, UserError
from nnlab.fit import fit_and_report
from nnlab.folder import RunFolder
from nnlab.group import Job, run_group
from nnlab.interrupt import Interrupt, Interrupted, ended_in_silence, held_back
from nnlab.loggers import check_loggers
from nnlab.messages import forget_logs, keep_log, keep_still, quiet_lightning
from nnlab.outcome import failure_on_record, on_record
from nnlab.place import Start, is_first, place
from nnlab.plugins import Plugins, find_plugins
from nnlab.preflight import preflight
from nnlab.process import prepare_process
from nnlab.ranks import from_first, join, leave, take_place
from nnlab.reference import check_reference
from nnlab.report.terminal import print_result
from nnlab.screen import screen
from nnlab.settings import check_complete, check_settings, with_group
from nnlab.trainer import start_of
from nnlab.transfer import transfer

log = logging.getLogger("nnlab.run")


def train(
    config: Config,
    *,
    overrides: list[str],
    plugins: Plugins,
    console: Console,
    resumed: RunFolder | None = None,
    typed: Sequence[str] = (),
) -> int:
    """Train, test and report one run; return its exit status.

    Each word that was `typed` for this run alone must change something.

    Raises:
        UserError: before anything is written.
    """
    quiet_lightning()
    check_complete(config)
    check_settings(config)
    config = with_group(config, place())
    check_reference(config["reference"])
    _, settings = prepared(config["trainer"], "trainer", plugins)
    check_loggers(config["logger"], plugins)
    prepare_process(config)
    parts = build(config, plugins)
    check_effect(typed, parts.model, parts.config["model"])
    taken = _transfer(parts, resumed)
    check_combination(parts, settings, plugins)
    devices = preflight(parts, settings)
    seed_everything(config["seed"], workers=True, verbose=False)
    with ended_in_silence():  # by torchrun or Slurm, while the others are not there
        _meet(config)
    interrupt = Interrupt()
    with interrupt.listen():  # from before there is a folder until all is said
        folder = resumed or _make_folder(parts.config)
        with folder, _log(folder, console):
            if is_first():
                folder.write_config(parts.config, overrides)
                folder.write_json(
                    "environment.json", environment(plugins, config["choices"])
                )
                folder.write_status("running")
            with on_record(folder):
                if taken:
                    log.info("%s", taken)
                if place().ranks == 1 and devices > 1:
                    start = start_of(settings.get("strategy"))
                    _run_together(parts.config, folder, devices, start, interrupt)
                else:
                    fit_and_report(parts, folder, plugins, console, interrupt)
        leave()
        if is_first():
            print_result(console, folder.path)
    return 0


def work_as_rank(job: Job) -> int:
    """Do one process's part of a run that `_run_together` began; return its status."""
    forget_logs()
    take_place(job.place)
    quiet_lightning()
    config, plugins, folder = job.config, find_plugins(), RunFolder(Path(job.folder))
    console, interrupt = screen(), Interrupt(is_patient=True)
    interrupt.take_over()  # for good: nothing ends what is done
    with _log(folder, console):
        try:
            with failure_on_record(folder):
                prepare_process(config)
                parts = build(config, plugins)
                _transfer(parts, folder)
                seed_everything(config["seed"], workers=True, verbose=False)
                with held_back():  # torch would tell of a call that was interrupted
                    _meet(config)
                fit_and_report(parts, folder, plugins, console, interrupt)
                leave()
        except RunFailed:
            return 1  # status.json says why
        except Interrupted as interrupted:
            return interrupted.exit_status
    return 0


def _run_together(
    config: Config, folder: RunFolder, devices: int, start: Start, interrupt: Interrupt
) -> None:
    """Fit and report in several processes of this machine.

    Raises:
        RunFailed: where one of them did.
        Interrupted: where they were asked to stop, and have saved where they were.
    """
    failed = run_group(
        config,
        str(folder.path),
        devices,
        start=start,
        work=work_as_rank,
        interrupt=interrupt,
    )
    if failed is None:
        return
    rank, status = failed
    if interrupt.number is not None and status == -interrupt.number:
        raise Interrupted(interrupt.number)  # it was asked before it listened
    if status < 0:  # the others only know that it is gone
        cause = f"process {rank} of {devices} was killed by {Signals(-status).name}"
        folder.write_status("failed", cause)
        raise RunFailed(f"{cause}; continue with resume={folder.path}")
    if status > 128:
        raise Interrupted(status - 128)
    cause = folder.read_json("status.json").get("cause") or f"process {rank} failed"
    raise RunFailed(f"the run failed: {cause}; {folder.path / 'log.txt'} tells where")


def _transfer(parts: Parts, resumed: RunFolder | None) -> str | None:
    begun = resumed is not None and (resumed.checkpoints / "last.ckpt").is_file()
    return transfer(parts, is_begun=begun)


def _meet(config: Config) -> None:
    join(place(), on_gpu=config["trainer"].get("accelerator") != "cpu")


def _make_folder(config: Config) -> RunFolder:
    """Make the run's folder; of several processes the first does, for all of them."""
    folder = refused = None
    if is_first():
        try:
            folder = RunFolder.make(config)
        except UserError as error:
            refused = str(error)
    path, refused = from_first((folder and folder.path, refused))
    if path is None:
        raise UserError(str(refused))
    return folder or RunFolder(path)


def _log(folder: RunFolder, console: Console) -> AbstractContextManager[None]:
    return keep_log(folder.path, console) if is_first() else keep_still()
