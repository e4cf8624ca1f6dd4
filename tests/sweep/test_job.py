"""A job's identity and names."""

from nnlab.sweep.job import Job, folder_name, identity, name_jobs, own_words


def named(*words: list[str]) -> list[str]:
    jobs = [Job(number, each, "") for number, each in enumerate(words)]
    name_jobs(jobs)
    return [job.name for job in jobs]


def test_a_job_is_the_same_in_whatever_order_and_wherever_it_writes():
    one = identity(["seed=1", "+trainer.gradient_clip_val=1"])
    assert one == identity(["trainer.gradient_clip_val=1", "seed=1", "output_dir=x"])
    assert one != identity(["seed=2", "trainer.gradient_clip_val=1"])
    assert len(one) == 16


def test_what_the_sweep_is_told_is_no_part_of_a_job():
    words = ["seed=1", "sweep.workers=2", "sweep=search", "sweeper=1"]
    assert own_words(words) == ["seed=1", "sweeper=1"]


def test_jobs_are_named_by_what_differs():
    assert named(["a=1", "b=x/y", "c=3"], ["a=2", "b=x/y", "c=3"]) == ["a=1", "a=2"]
    assert named(["a=1"]) == ["the only one"]
    assert named() == []


def test_a_folder_is_in_no_other_and_needs_no_quotes():
    assert folder_name(3, "b=x/y z=[1,2]") == "3_b-x_y_z-_1_2"
    assert len(folder_name(0, "a=" + 300 * "x")) < 110
