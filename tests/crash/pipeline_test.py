#!/usr/bin/env python3
"""Kills a process that consumes, transforms and produces in transactions, again and again, and checks that each record had its effect once (INV-4, INV-8).

pipeline.cpp commits its positions, two outputs and a count in the state in one transaction at a time, at both levels in turn. It is killed at random moments,
sometimes while it recovers. A second process, which is never killed, reads the outputs under read_committed all the while: what it sees has to be a prefix of
what a run without kills writes. In the end outputs, positions and count are compared with the input.
"""
import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time


class Failure(Exception):
    pass


def run(arguments):
    done = subprocess.run(arguments, capture_output=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def work_and_kill(program, directory, report, seed, chance):
    """The time to live counts from the end of the recovery, or, one in five, from before it."""
    process = subprocess.Popen([program, directory, "run", report, str(seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if chance.randrange(5) == 0:
        time.sleep(chance.uniform(0, 0.02))
    else:
        if process.stdout.readline() != b"ready\n":
            raise Failure(f"the pipeline ended by itself: {process.communicate()[1].decode(errors='replace')}")
        time.sleep(chance.uniform(0, 0.03))
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    if process.returncode != -signal.SIGKILL:
        raise Failure(f"the pipeline ended by itself: {errors.decode(errors='replace')}")


def kill_often(program, kills, seed, chance):
    """Returns how many records went through, and how many of them the reader saw."""
    with tempfile.TemporaryDirectory(prefix="seriatim-pipeline-") as scratch:
        directory = os.path.join(scratch, "data")
        report = os.path.join(scratch, "acks")
        run([program, directory, "create"])
        watcher = subprocess.Popen([program, directory, "watch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if watcher.stdout.readline() != b"ready\n":
            raise Failure(f"the reader ended by itself: {watcher.communicate()[1].decode(errors='replace')}")
        for i in range(kills):
            work_and_kill(program, directory, report, seed + i, chance)
        records = int(run([program, directory, "finish"]))
        seen, errors = watcher.communicate()
        if watcher.returncode != 0:
            raise Failure(f"the reader: {errors.decode(errors='replace')}")
        if int(seen) != records:
            raise Failure(f"the reader saw {int(seen)} of {records} records")
        return records


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=500)
    options = parser.parse_args()
    seed = int(os.environ.get("SERIATIM_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"SERIATIM_SEED={seed}", flush=True)
    chance = random.Random(seed)
    kills = 0
    records = 0
    while kills < options.kills:
        once = min(100, options.kills - kills)
        records += kill_often(options.program, once, seed + kills, chance)
        kills += once
    print(f"{kills} kills; {records} records went through once", flush=True)
    if records < kills:
        raise Failure("hardly a transaction was committed: this run proves nothing")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
