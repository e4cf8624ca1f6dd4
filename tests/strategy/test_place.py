"""A process finds its place in its group, whoever started it."""

import pytest

from nnlab.place import ALONE, Place, place

TORCHRUN = {
    "RANK": "3",
    "WORLD_SIZE": "4",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "2",
    "GROUP_RANK": "1",
    "MASTER_ADDR": "first.example",
    "MASTER_PORT": "29500",
}
SLURM = {
    "SLURM_NTASKS": "4",
    "SLURM_NNODES": "2",
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
    "SLURM_JOB_ID": "1234567",
    "SLURM_JOB_NODELIST": "node[07-08]",
}


def test_a_process_that_nobody_started_with_others_is_alone():
    assert place({}) == ALONE
    assert place({"SLURM_NTASKS": "1", "SLURM_PROCID": "0"}) == ALONE
    assert place({"WORLD_SIZE": "2", "MASTER_ADDR": "x"}) == ALONE, "half of it is old"


def test_torchrun_says_where_a_process_stands():
    assert place(TORCHRUN) == Place(3, 4, 1, 2, 1, "first.example", 29500)
    assert place(TORCHRUN).nodes == 2


def test_slurm_says_where_a_process_stands():
    assert place(SLURM) == Place(3, 4, 1, 2, 1, "node07", 15000 + 4567)


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("node07", "node07"),
        ("node[07-09,12],other3", "node07"),
        ("node[7]", "node7"),
        ("a1,b2", "a1"),
        ("gpu-a[001,005-9]", "gpu-a001"),
    ],
)
def test_the_first_machine_of_slurms_list_is_where_rank_0_listens(nodes, first):
    assert place({**SLURM, "SLURM_JOB_NODELIST": nodes}).address == first


def test_what_a_process_is_told_it_reads_again():
    here = Place(1, 2, 1, 2, 0, "127.0.0.1", 12345)
    assert place(here.variables()) == here
