#!/usr/bin/env python3
"""Kills a process that writes at both levels to many partitions and commits positions, and checks both promises (INV-2, INV-4).

The writer (mixed_writer.cpp) appends each acknowledgement to a file of its own with write(2), which survives its death, after the call has returned:
  A partition offset number   a record of this number was acknowledged, at `all` or `leader` (the lines say which: A or L)
  C group partition offset    a position was committed
After each kill everything is read back: every acknowledged record is at its offset, each partition holds its numbers in order and none twice,
offsets have no hole, and no group stands before what it had committed, nor behind the end.
"""
import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

PARTITIONS = 16


class Failure(Exception):
    pass


class Promises:
    """What the writer was told before it died."""

    def __init__(self):
        self.records = collections.defaultdict(dict)  # partition -> offset -> number
        self.positions = {}  # (group, partition) -> offset
        self.counts = collections.Counter()

    def read(self, path):
        with open(path, encoding="ascii") as lines:
            for line in lines:
                if not line.endswith("\n"):
                    break  # was being written
                words = line.split()
                self.counts[words[0]] += 1
                if words[0] == "C":
                    key = (words[1], int(words[2]))
                    self.positions[key] = max(self.positions.get(key, 0), int(words[3]))
                else:
                    self.records[int(words[1])][int(words[2])] = int(words[3])


def run(arguments):
    done = subprocess.run(arguments, capture_output=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def write_and_kill(writer, directory, first_number, report, delay):
    """The process begins to write when it has opened the directory; the time to live counts from there."""
    process = subprocess.Popen([writer, directory, str(PARTITIONS), str(first_number), report],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ready = process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    if ready != b"ready\n" or process.returncode != -signal.SIGKILL:
        raise Failure(f"the writer ended by itself: {errors.decode(errors='replace')}")


def check(command, checker, directory, promises):
    """Returns how many records there are. The checker opens for writing, which recovers, and prints the positions."""
    positions = {}
    for line in run([checker, directory, str(PARTITIONS)]).decode().splitlines():
        group, partition, offset = line.split()
        positions[(group, int(partition))] = int(offset)
    found = collections.defaultdict(list)
    for line in run([command, "-d", directory, "consume", "t", "-o", "beginning", "-e", "-J"]).splitlines():
        record = json.loads(line)
        if record["offset"] != len(found[record["partition"]]):
            raise Failure(f"partition {record['partition']} has offset {record['offset']} where {len(found[record['partition']])} was expected")
        found[record["partition"]].append(int(record["value"].split(":")[0]))
    for partition, numbers in found.items():
        if sorted(set(numbers)) != numbers:
            raise Failure(f"partition {partition}: a record twice or out of order")
    for partition, acknowledged in promises.records.items():
        for offset, number in acknowledged.items():
            if offset >= len(found[partition]) or found[partition][offset] != number:
                raise Failure(f"partition {partition}, offset {offset}: record {number} was acknowledged and is not there")
    for key, offset in promises.positions.items():
        if positions.get(key, -1) < offset:
            raise Failure(f"group {key[0]}, partition {key[1]}: {offset} was committed, {positions.get(key)} is there")
    for (group, partition), offset in positions.items():
        if offset > len(found[partition]):
            raise Failure(f"group {group}, partition {partition}: {offset} is behind the end {len(found[partition])}")
    run([command, "-d", directory, "verify"])
    return sum(len(numbers) for numbers in found.values())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("writer")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(os.environ.get("SERIATIM_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"seed {seed}", flush=True)
    chance = random.Random(seed)
    kills = 0
    records = 0
    counts = collections.Counter()
    while kills < options.kills:
        with tempfile.TemporaryDirectory(prefix="seriatim-kill-") as scratch:
            directory = os.path.join(scratch, "data")
            report = os.path.join(scratch, "acks")
            run([options.command, "-d", directory, "topic", "create", "t", "-p", str(PARTITIONS), "--config", "segment.bytes=65536"])
            promises = Promises()
            found = 0
            for _ in range(min(6, options.kills - kills)):
                write_and_kill(options.writer, directory, kills * 10_000_000, report, chance.uniform(0.002, 0.15))
                kills += 1
                promises = Promises()
                promises.read(report)
                found = check(options.command, options.writer, directory, promises)
            records += found
            counts += promises.counts
    print(f"{kills} kills; acknowledged at all: {counts['A']}, at leader: {counts['L']}, positions committed: {counts['C']}; records found: {records}", flush=True)
    if min(counts[kind] for kind in "ALC") == 0:
        raise Failure("a kind of promise was never made: this run proves nothing")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
