"""What a hasty hand types of a sweep, and what the one sentence must say."""

SWEEPS = {
    "an option": ("-m model=mlp,lenet", "did you mean lenet5?"),
    "a key": ("-m model.hiden_sizes=[3],[4]", "did you mean model.hidden_sizes?"),
    "a key of one job": (
        "-m optimizer=sgd,adam optimizer.mommentum=0,0.9",
        "optimizer.",
    ),
    "a value of one job": ("-m seed=1,-2,3", "seed=-2 must be"),
    "an object's value": (
        "-m optimizer.lr=0.1,abc",
        "optimizer.lr=abc must be a number",
    ),
    "an object's range": ("-m seed=1,2 data.batch_size=0", "data.batch_size=0 must be"),
    "a trainer's": ("-m seed=1,2 +trainer.foo=1", "trainer.foo is nothing"),
    "a trainer's value": (
        "-m seed=1,2 +trainer.limit_train_batches=5.5",
        "5.5 for limit_train_batches",
    ),
    "a trainer's least": ("-m +trainer.min_steps=5,-4", "trainer.min_steps=-4 must be"),
    "a logger's": ("-m seed=1,2 +logger.tensorboard.foo=1", "foo is nothing that"),
    "a reference": ("-m seed=1,2 reference=foo", "reference=foo must be null, or have"),
    "a study": ("study=foo -m seed=1,2", "study=foo must be values by name"),
    "a run that is not there": (
        "-m seed=1,2 transfer.run=nowhere",
        "transfer.run=nowhere: there is no folder",
    ),
    "a strategy's": ("-m strategy=ddp +trainer.strategy.foo=1 seed=1", "strategy.foo"),
    "a schedule's": ("-m schedule=step schedule.drop_factor=0.1,x", "drop_factor=x"),
    "a model's": ("-m data=digits model.classes=10,x", "model.classes=x must"),
    "a callback's": (
        "-m callback=[ema] callback.ema.decay=0.9,2",
        "callback.ema.decay=2",
    ),
    "a folder": ("-m seed=1,2 folder=here", "folder= is for one run"),
    "resume": ("-m seed=1,2 resume=here", "resume= is for one run"),
    "workers": ("-m seed=1,2 sweep.workers=0", "sweep.workers=0 must be"),
    "workers beyond the cores": (
        "-m seed=1,2 sweep.workers=99999",
        "sweep.workers=99999 is more than 8 jobs for each of ",
    ),
    "threads beyond the cores": ("-m seed=1,2 threads=9999", "than there are here: "),
    "two counts of workers": ("-m sweep.workers=1,2", "it takes one"),
    "a sweep's key": ("-m seed=1,2 sweep.worker=2", "did you mean sweep.workers?"),
    "a name that is a path": ("-m seed=1,2 sweep.name=../x", "names no folder"),
    "retry": ("-m seed=1,2 sweep.retry=all", "sweep.retry="),
    "timeout": ("-m seed=1,2 sweep.timeout=0", "sweep.timeout=0 must be"),
    "given twice": ("-m seed=1,2 seed=3", "seed is given twice"),
}
