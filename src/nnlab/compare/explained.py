"""What `nnlab compare --help` says."""

HELP = """\
nnlab compare: which is better? A leaderboard with error bars, and one page.

  nnlab compare run=outputs/a run=outputs/b    runs made; run='outputs/**' all
  nnlab compare model=mlp,lenet5 data=digits seeds=5    made now, 5 seeds each
      budget.parameters=50k    each widened or narrowed to so many parameters
      budget.steps=1000        each trained for so many optimizer steps
      budget.seconds=60        each trained for so long, one at a time
  metric=test/loss   what is compared; else accuracy, else what the runs monitor
  to=FOLDER          for its csv and its page; else outputs/compare/TIME

Other words go to the runs as they are: optimizer.lr=0.01. As many run at once
as there are cores, or GPUs; with sweep.workers=1 one by one. Pictures are drawn
at the end alone (pictures=6: while training too, which budget.seconds counts).
In the table, training is the time of the steps and their validations, without
pictures and the test; parameters, where not all learn, say how many do of all.
"""


def help_text() -> str:
    """Return it, without importing what a comparison needs."""
    return HELP
