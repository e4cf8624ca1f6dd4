"""What a sweep would run, printed and not run: `--cfg job -m`."""

import sys
from argparse import Namespace

from nnlab.compose import Composer, grid
from nnlab.overrides import checked, parse
from nnlab.sweep.job import own_words
from nnlab.sweep.sample import sample_jobs


def preview(arguments: Namespace, composer: Composer) -> bool:
    """Answer Hydra's own questions, of --cfg job a YAML document for each job.

    Returns:
        Whether anything was asked.

    Raises:
        UserError: where a job is not one.
    """
    asked = (arguments.help, arguments.hydra_help, arguments.cfg, arguments.info)
    if not any(asked):
        return False
    words = own_words(arguments.overrides)
    jobs = grid(parse(words, composer.loader))
    if jobs is None:  # a search will say: one that has what is fixed
        jobs = [next(sample_jobs(words, composer))]
    if arguments.cfg != "job":
        jobs = jobs[:1]
    for number, job in enumerate(jobs):
        if arguments.cfg == "job":
            begin = "---\n" if number else ""
            sys.stdout.write(f"{begin}# job {number} of {len(jobs)}\n")
        single = Namespace(**{**vars(arguments), "overrides": checked(job, composer)})
        composer.answer(single)
    return True
