"""A sweep's jobs on other machines: Slurm through submitit, and Ray.

The command stays what it is: it keeps the ledger, says which job comes next, prunes and
stops. Only where the processes come from changes: a `RemoteServer` in the place of
`nnlab.sweep.job_server`. All machines see the sweep's folder; in it, for each job,

    remote/<job's folder>.state   where it runs, and its exit status once it is over
    remote/<job's folder>.stop    a signal that is wanted to reach it

hydra-submitit-launcher and hydra-ray-launcher are not used: they pickle Hydra's task,
know neither a ledger nor a run's folder, cannot end one job, and are of 2022 and older.
"""
