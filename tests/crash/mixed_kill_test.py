#!/usr/bin/env python3
"""Kills a process that writes at both levels to many partitions and commits positions, and checks both promises (INV-2, INV-4).

The writer (mixed_writer.cpp) appends each acknowledgement to a file of its own with write(2), which survives its death, after the call has returned:
  A partition offset number   a record of this number was acknowledged, at `all` or `leader` (the lines say which: A or L)
  C group partition offset    a position was committed
After each kill everything is read back: every acknowledged record is at its offset, each partition holds its numbers in order and none twice,
offsets have no hole, and no group stands before what it had committed, nor behind the end.
"""
import collections
import os
import tempfile
import time

import killing
from killing import Failure, run

PARTITIONS = 16


class Promises:
    """What the writer was told before it died."""

    def __init__(self):
        self.records = collections.defaultdict(dict)  # partition -> offset -> number
        self.positions = {}  # (group, partition) -> offset
        self.counts = collections.Counter()

    def read(self, path):
        for line in killing.whole_lines(path):
            words = line.split()
            self.counts[words[0]] += 1
            if words[0] == "C":
                key = (words[1], int(words[2]))
                self.positions[key] = max(self.positions.get(key, 0), int(words[3]))
            else:
                self.records[int(words[1])][int(words[2])] = int(words[3])


def write_and_kill(writer, directory, first_number, report, delay):
    """The process begins to write when it has opened the directory; the time to live counts from there."""
    process = killing.start([writer, directory, str(PARTITIONS), str(first_number), report])
    killing.wait_until_ready(process, "the writer")
    time.sleep(delay)
    killing.kill(process, "the writer")


def check(command, checker, directory, promises):
    """Returns how many records there are. The checker opens for writing, which recovers, and prints the positions."""
    positions = {}
    for line in run([checker, directory, str(PARTITIONS)]).decode().splitlines():
        group, partition, offset = line.split()
        positions[(group, int(partition))] = int(offset)
    found = collections.defaultdict(list)
    for record in killing.records(command, directory):
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


def main(options, chance):
    records = 0
    counts = collections.Counter()
    for numbers in killing.rounds(options.kills, 6):
        with tempfile.TemporaryDirectory(prefix="seriatim-kill-") as scratch:
            directory = os.path.join(scratch, "data")
            report = os.path.join(scratch, "acks")
            killing.create_topic(options.command, directory, PARTITIONS)
            for number in numbers:
                write_and_kill(options.writer, directory, number * 10_000_000, report, chance.uniform(0.002, 0.15))
                promises = Promises()
                promises.read(report)
                found = check(options.command, options.writer, directory, promises)
            records += found
            counts += promises.counts
    print(f"{options.kills} kills; acknowledged at all: {counts['A']}, at leader: {counts['L']}, positions committed: {counts['C']}; records found: {records}", flush=True)
    if min(counts[kind] for kind in "ALC") == 0:
        raise Failure("a kind of promise was never made: this run proves nothing")


if __name__ == "__main__":
    killing.run_test(main, ["command", "writer"], 30, __doc__)
