"""A sweep that proposes its own jobs: Optuna's ask-and-tell behind Hydra's sweeper.

The study is `study.db` (SQLite) in the sweep's folder. A trial is asked for when a
worker is free, becomes a job of the ledger like any other, and is told when that is
over. Whatever is drawn for trial n is a function of (sweep.seed, n, the study): a
search that was killed goes on as if it had not been.

| a job that is | is a trial that |
| --- | --- |
| complete | is complete, with the metric of the weights that were kept |
| pruned | is pruned: stopped with SIGTERM after a validation that promised little |
| failed | has failed |
| interrupted | still runs, for the same command to continue |
"""
