#!/usr/bin/env bash
# Starts a command as `srun --ntasks=N` does on one machine, to try a run without Slurm:
#     bash scripts/like_slurm.sh 2 python -m nnlab model=mlp strategy=ddp
set -euo pipefail
tasks=$1
shift
export SLURM_NTASKS=$tasks SLURM_NNODES=1 SLURM_NODEID=0 SLURM_JOB_ID=${SLURM_JOB_ID:-$$}
export SLURM_JOB_NODELIST=127.0.0.1 SLURM_JOB_NAME=nnlab
processes=()
trap 'kill -TERM "${processes[@]}"' TERM
trap 'kill -USR1 "${processes[@]}"' USR1
for ((rank = 0; rank < tasks; rank++)); do
    SLURM_PROCID=$rank SLURM_LOCALID=$rank "$@" &
    processes+=($!)
done
status=0
for process in "${processes[@]}"; do
    wait "$process" || status=$?
    while kill -0 "$process" 2>/dev/null; do wait "$process" || status=$?; done
done
exit "$status"
