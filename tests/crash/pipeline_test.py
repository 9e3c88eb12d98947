#!/usr/bin/env python3
"""Kills a process that consumes, transforms and produces in transactions, again and again, and checks that each record had its effect once (INV-4, INV-8).

pipeline.cpp commits its positions, two outputs and a count in the state in one transaction at a time, at both levels in turn. It is killed at random moments,
sometimes while it recovers. A second process, which is never killed, reads the outputs under read_committed all the while: what it sees has to be a prefix of
what a run without kills writes. In the end outputs, positions and count are compared with the input.
"""
import os
import subprocess
import tempfile
import time

import killing
from killing import Failure, run


def work_and_kill(program, directory, report, seed, chance):
    """The time to live counts from the end of the recovery, or, one in five, from before it."""
    process = killing.start([program, directory, "run", report, str(seed)])
    if chance.randrange(5) == 0:
        time.sleep(chance.uniform(0, 0.02))
    else:
        killing.wait_until_ready(process, "the pipeline")
        time.sleep(chance.uniform(0, 0.03))
    killing.kill(process, "the pipeline")


def kill_often(program, seeds, chance):
    """Returns how many records went through; the reader saw all of them."""
    with tempfile.TemporaryDirectory(prefix="seriatim-pipeline-") as scratch:
        directory = os.path.join(scratch, "data")
        report = os.path.join(scratch, "acks")
        run([program, directory, "create"])
        watcher = killing.start([program, directory, "watch"], stdin=subprocess.PIPE)
        killing.wait_until_ready(watcher, "the reader")
        for seed in seeds:
            work_and_kill(program, directory, report, seed, chance)
        records = int(run([program, directory, "finish"]))
        seen, errors = watcher.communicate()
        if watcher.returncode != 0:
            raise Failure(f"the reader: {errors.decode(errors='replace')}")
        if int(seen) != records:
            raise Failure(f"the reader saw {int(seen)} of {records} records")
        return records


def main(options, chance):
    records = 0
    for numbers in killing.rounds(options.kills, 100):
        records += kill_often(options.program, [options.seed + number for number in numbers], chance)
    print(f"{options.kills} kills; {records} records went through once", flush=True)
    if records < options.kills:
        raise Failure("hardly a transaction was committed: this run proves nothing")


if __name__ == "__main__":
    killing.run_test(main, ["program"], 500, __doc__)
