"""One run, from a config to its report. Read this first.

check the settings -> seed -> build data and model -> one batch through everything
-> make the folder -> fit -> test with the best weights -> report
"""

import logging
import time
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from lightning import Callback, Trainer, seed_everything
from lightning.pytorch.loggers import Logger
from rich.console import Console

from nnlab.build import Config, Parts, build, prepared
from nnlab.checkpoint import AtomicCheckpointIO, Checkpoints, read_checkpoint
from nnlab.environment import environment
from nnlab.errors import RunFailed
from nnlab.folder import RunFolder
from nnlab.interrupt import Interrupt, Interrupted
from nnlab.loggers import check_loggers, make_loggers
from nnlab.messages import keep_log, quiet_lightning
from nnlab.plugins import Plugins
from nnlab.preflight import preflight
from nnlab.process import prepare_process
from nnlab.progress import ProgressReport
from nnlab.record import Illustrate, MetricsFile, Record, draw, first_examples
from nnlab.reference import check_reference, judged
from nnlab.report.page import write_page
from nnlab.report.tensorboard import write_summary
from nnlab.report.terminal import print_result
from nnlab.settings import check_complete, check_settings

log = logging.getLogger("nnlab.run")

TEST_EXAMPLES = 10_000  # what the final pictures are drawn from, at most


def train(
    config: Config,
    *,
    overrides: list[str],
    plugins: Plugins,
    console: Console,
    resumed: RunFolder | None = None,
) -> int:
    """Train, test and report one run; return its exit status.

    Raises:
        UserError: before anything is written.
    """
    quiet_lightning()
    check_complete(config)
    check_settings(config)
    check_reference(config["reference"])
    prepared(config["trainer"], "trainer", plugins)
    check_loggers(config["logger"], plugins)
    prepare_process(config)
    parts = build(config, plugins)
    preflight(parts)
    seed_everything(config["seed"], workers=True, verbose=False)
    folder = resumed or RunFolder.make(parts.config)
    interrupt = Interrupt()
    with folder, keep_log(folder.path, console), interrupt.listen():
        folder.write_config(parts.config, overrides)
        folder.write_json("environment.json", environment(plugins, config["choices"]))
        folder.write_status("running")
        with on_record(folder):
            fit_and_report(parts, folder, plugins, console, interrupt)
    print_result(console, folder.path)
    return 0


@contextmanager
def on_record(folder: RunFolder) -> Generator[None]:
    """Leave in status.json how the run ended, and in log.txt where it failed."""
    try:
        yield
    except Interrupted as interrupted:
        folder.write_status("interrupted", str(interrupted))
        log.info("stopped by %s; continue with resume=%s", interrupted, folder.path)
        raise
    except Exception as error:
        cause = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        folder.write_status("failed", cause)
        story = folder.path / "log.txt"
        with story.open("a", encoding="utf-8") as file:
            traceback.print_exc(file=file)
        raise RunFailed(f"the run failed: {cause}; {story} tells where") from error


def fit_and_report(
    parts: Parts,
    folder: RunFolder,
    plugins: Plugins,
    console: Console,
    interrupt: Interrupt,
) -> None:
    """Fit, test with the best weights, and write what came out."""
    config, model = parts.config, parts.model
    checkpoints = Checkpoints(
        folder.checkpoints,
        config=config,
        monitor=config["monitor"]["metric"],
        mode=config["monitor"]["mode"],
        seconds=config["checkpoint_seconds"],
        interrupt=interrupt,
    )
    last = checkpoints.last if checkpoints.last.is_file() else None
    _announce(parts, folder)
    trainer = make_trainer(parts, folder, plugins, console, checkpoints, last)
    started = time.monotonic()
    trainer.fit(model, datamodule=parts.data, ckpt_path=last, weights_only=True)
    seconds = checkpoints.seconds_before + time.monotonic() - started
    steps, epochs = trainer.global_step, trainer.current_epoch
    best = checkpoints.best if checkpoints.best.is_file() else checkpoints.last
    trainer.test(
        model, datamodule=parts.data, ckpt_path=best, verbose=False, weights_only=True
    )
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    batch = first_examples(parts.data, model, "test", TEST_EXAMPLES)
    draw(model, batch, folder.path / "figures", None)
    result = {
        **{key: config["choices"].get(key) for key in ("model", "data", "experiment")},
        "seed": config["seed"],
        "metrics": metrics,
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "steps": steps,
        "epochs": epochs,
        "best_epoch": checkpoints.best_epoch,
        "best_value": checkpoints.best_value,
        "seconds": round(seconds, 3),
        "reference": judged(config["reference"], metrics),
        "remark": model.remark(batch),
    }
    folder.write_json("result.json", result)
    folder.write_status("complete")
    if (folder.path / "tensorboard").is_dir():
        write_summary(folder.path, model=model, example=batch[0][:1])
    write_page(folder.path)


def make_trainer(
    parts: Parts,
    folder: RunFolder,
    plugins: Plugins,
    console: Console,
    checkpoints: Checkpoints,
    last: Path | None,
) -> Trainer:
    """Build Lightning's Trainer with what every run has."""
    config = parts.config
    state = None if last is None else read_checkpoint(last)
    from_step = state["global_step"] if state else 0
    rows = state["callbacks"]["Record"]["rows"] if state else 0
    if state:
        log.info("continuing from step %s", f"{from_step:,}")
    metrics = MetricsFile(folder.path / "metrics.jsonl", rows=rows)
    loggers: list[Logger] = [
        metrics,
        *make_loggers(config["logger"], folder.path, plugins, from_step),
    ]
    callbacks: list[Callback] = [
        *parts.callbacks,
        ProgressReport(console, bar_seconds=0.2, line_seconds=30),
        Record(metrics),
        Illustrate(folder.path / "figures", times=config["pictures"], examples=1000),
        checkpoints,
    ]
    trainer, settings = prepared(config["trainer"], "trainer", plugins)
    return trainer(
        **settings,
        callbacks=callbacks,
        logger=loggers,
        plugins=[AtomicCheckpointIO()],
        default_root_dir=str(folder.path),
        deterministic=config["deterministic"],
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def _announce(parts: Parts, folder: RunFolder) -> None:
    choices, trainer = parts.config["choices"], parts.config["trainer"]
    weights = sum(p.numel() for p in parts.model.parameters())
    threads = parts.config["threads"]
    log.info(
        "%s on %s: %s weights, %s, %s %s%s",
        choices["model"],
        choices["data"],
        f"{weights:,}",
        choices["optimizer"],
        trainer["accelerator"],
        trainer.get("precision", "32-true"),
        f", {threads} thread{'s' * (threads > 1)}" if threads else "",
    )
    log.info("%s", folder.path)
