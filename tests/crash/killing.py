"""What the tests that kill processes have in common: seeds that can be repeated, processes that are killed and must not end otherwise, and what is read back."""

import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys


class Failure(Exception):
    pass


def run(arguments, allowed=(0,)):
    """The standard output of a process that ends by itself."""
    done = subprocess.run(arguments, capture_output=True, check=False)
    if done.returncode not in allowed:
        raise Failure(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def start(arguments, **options):
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def wait_until_ready(process, who):
    """The process says so in its first line."""
    if process.stdout.readline() != b"ready\n":
        raise Failure(f"{who} ended by itself: {process.communicate()[1].decode(errors='replace')}")


def kill(process, who):
    """It has to live until now."""
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    if process.returncode != -signal.SIGKILL:
        raise Failure(f"{who} ended by itself: {errors.decode(errors='replace')}")


def rounds(kills, in_one):
    """The numbers of all kills, those of one round after those of another: each round has a directory of its own."""
    for first in range(0, kills, in_one):
        yield range(first, min(first + in_one, kills))


def whole_lines(path):
    """The lines that a killed process had written to the file. A last one without its newline was being written when the kill came."""
    with open(path, encoding="ascii") as lines:
        for line in lines:
            if not line.endswith("\n"):
                return
            yield line


def create_topic(command, directory, partitions):
    """The topic t, of small segments, so that kills meet rolls."""
    run([command, "-d", directory, "topic", "create", "t", "-p", str(partitions), "--config", "segment.bytes=65536"])


def records(command, directory):
    """Everything in the topic t. Offsets of a partition are 0, 1, 2, ..."""
    next_offset = collections.defaultdict(int)
    for line in run([command, "-d", directory, "consume", "t", "-o", "beginning", "-e", "-J"]).splitlines():
        record = json.loads(line)
        partition, offset = record["partition"], record["offset"]
        if offset != next_offset[partition]:
            raise Failure(f"partition {partition} has offset {offset} where {next_offset[partition]} was expected")
        next_offset[partition] += 1
        yield record


def run_test(test, programs, kills, description):
    """Calls `test` with the options of the command line and a random generator. SERIATIM_SEED or --seed repeats what a seed can repeat: kills come when they come."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    for program in programs:
        parser.add_argument(program)
    parser.add_argument("--kills", type=int, default=kills)
    parser.add_argument("--seed", type=int, default=os.environ.get("SERIATIM_SEED", random.SystemRandom().randrange(1 << 32)))
    options = parser.parse_args()
    print(f"SERIATIM_SEED={options.seed}", flush=True)
    try:
        test(options, random.Random(options.seed))
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
