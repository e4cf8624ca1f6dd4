"""What each process of a run does: fit, test with the best weights, and report."""

import logging
import shutil
import textwrap
import time
from pathlib import Path

from lightning import Callback, Trainer
from lightning.pytorch.loggers import Logger
from rich.console import Console

from nnlab.build import Parts, prepared
from nnlab.callback.nan_guard import NanGuard
from nnlab.checkpoint import AtomicCheckpointIO, Checkpoints, read_checkpoint
from nnlab.flops import forward_flops
from nnlab.folder import RunFolder
from nnlab.interrupt import Interrupt
from nnlab.loggers import make_loggers
from nnlab.monitors import monitors
from nnlab.numerals import counted
from nnlab.place import place
from nnlab.plugins import Plugins
from nnlab.portrait import Illustrate, Portrait, draw, first_examples
from nnlab.progress import ProgressReport
from nnlab.ranks import from_first
from nnlab.record import MetricsFile, Record
from nnlab.reference import judged
from nnlab.replay import remember_place
from nnlab.report.page import write_page
from nnlab.report.tensorboard import write_summary
from nnlab.trainer import make_trainer as trainer_of
from nnlab.weights import Weights

log = logging.getLogger("nnlab.run")

TEST_EXAMPLES = 10_000  # what the final pictures are drawn from, at most


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
    _, settings = prepared(config["trainer"], "trainer", plugins)
    portrait = Portrait(model, settings)
    trainer = make_trainer(parts, folder, plugins, console, checkpoints, portrait, last)
    remember_place(parts.data, config["seed"])
    started = time.monotonic()
    trainer.fit(model, datamodule=parts.data, ckpt_path=last, weights_only=True)
    seconds = checkpoints.seconds_before + time.monotonic() - started
    seconds -= checkpoints.seconds_aside  # of pictures
    # what went before; the test reads a checkpoint, and with it the time until then
    computed = checkpoints.processor_seconds() - time.process_time()
    steps, epochs = trainer.global_step, trainer.current_epoch
    best = checkpoints.best if checkpoints.best.is_file() else checkpoints.last
    best = from_first(best)  # a shared disk shows a new file to other machines late
    trainer.test(
        model, datamodule=parts.data, ckpt_path=best, verbose=False, weights_only=True
    )
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    shown = portrait.of(trainer)
    if shown is None:  # the first rank writes
        return
    batch = first_examples(parts.data, shown, "test", TEST_EXAMPLES)
    draw(shown, batch, folder.path / "figures", None)
    weights = Weights.of(model, parts.callbacks)
    result = {
        **{key: config["choices"].get(key) for key in ("model", "data", "experiment")},
        "seed": config["seed"],
        "metrics": metrics,
        "parameters": weights.all,
        "trainable": weights.learning,
        "flops": forward_flops(shown, batch),
        "steps": steps,
        "epochs": epochs,
        "best_epoch": checkpoints.best_epoch,
        "best_value": checkpoints.best_value,
        "seconds": round(seconds, 3),
        "processor_seconds": round(computed + time.process_time(), 3),
        "reference": judged(config["reference"], metrics),
        "remark": shown.remark(batch),
    }
    folder.write_json("result.json", result)
    folder.write_status("complete")
    if (folder.path / "tensorboard").is_dir():
        write_summary(folder.path, model=shown, example=batch[0][:1])
    write_page(folder.path)


def make_trainer(
    parts: Parts,
    folder: RunFolder,
    plugins: Plugins,
    console: Console,
    checkpoints: Checkpoints,
    portrait: Portrait,
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
    has_guard = any(isinstance(callback, NanGuard) for callback in parts.callbacks)
    guards = [NanGuard()] if config.get("nan_guard", True) and not has_guard else []
    callbacks: list[Callback] = [
        *guards,
        *parts.callbacks,
        ProgressReport(
            console,
            bar_seconds=0.2,
            line_seconds=30,
            monitored=[*monitors(config).values()],
        ),
        Record(metrics),
        Illustrate(
            folder.path / "figures",
            portrait,
            times=config["pictures"],
            examples=1000,
            aside=checkpoints.aside,
        ),
        checkpoints,
    ]
    _, settings = prepared(config["trainer"], "trainer", plugins)
    return trainer_of(
        settings,
        place(),
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
    precision = choices.get("precision") or trainer.get("precision", "32-true")
    threads, ranks = parts.config["threads"], place().ranks
    weights = Weights.of(parts.model, parts.callbacks)
    said = [
        f"{choices['model']} on {choices['data']}: {weights}",
        str(choices["optimizer"]),
        f"{trainer['accelerator']} {precision}",
        *([f"{ranks} processes"] if ranks > 1 else []),
        *([counted(threads, "thread")] if threads else []),
    ]
    width = shutil.get_terminal_size().columns  # COLUMNS, or 80 in a pipe
    for line in textwrap.wrap(", ".join(said), width, subsequent_indent="  "):
        log.info("%s", line)
    log.info("%s", folder.path)
