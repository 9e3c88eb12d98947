#!/usr/bin/env python3
"""Kills a process that handles records in parallel by key, again and again (INV-4): no record is left out, the order of each key is kept, and none that was committed as finished is handled again.

parallel_writer.cpp writes down what its handlers have done, and what each run has found committed.
"""
import collections
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import killing  # noqa: E402
from killing import Failure, run  # noqa: E402


def key_of(offset):
    return offset * offset % 11


class Checker:
    """Reads the lines in their order."""

    def __init__(self):
        self.done = collections.defaultdict(set)  # partition -> offsets
        self.in_order = collections.Counter()  # (partition, key) -> all offsets of the key below this were handled
        self.found = collections.defaultdict(list)  # partition -> ranges that the run has found committed
        self.last = {}  # (partition, key) -> offset, of this run
        self.ranges = 0
        self.repeated = 0

    def read(self, line):
        name, *numbers = line.split()
        {"run": self.begin, "kept": self.keep, "did": self.handle}[name](*map(int, numbers))

    def begin(self):
        self.found.clear()
        self.last.clear()

    def keep(self, partition, first, end):
        self.found[partition].append((first, end))
        self.ranges += first > 0
        lost = set(range(first, end)) - self.done[partition]
        if lost:
            raise Failure(f"{partition}@{min(lost)} was committed as finished, and never handled")

    def handle(self, partition, offset):
        key = (partition, key_of(offset))
        if any(first <= offset < end for first, end in self.found[partition]):
            raise Failure(f"{partition}@{offset} was committed as finished, and was handled again")
        if offset <= self.last.get(key, -1):
            raise Failure(f"{partition}@{offset} came behind {self.last[key]} of its key")
        self.last[key] = offset
        for before in range(self.in_order[key], offset):
            if key_of(before) == key[1] and before not in self.done[partition]:
                raise Failure(f"{partition}@{offset} came before {before} of its key")
        self.in_order[key] = max(self.in_order[key], offset)
        self.repeated += offset in self.done[partition]
        self.done[partition].add(offset)


def work_and_kill(program, directory, effects, seed, chance):
    process = killing.start([program, directory, "run", effects, str(seed)])
    if chance.randrange(5) == 0:
        time.sleep(chance.uniform(0, 0.02))
    else:
        killing.wait_until_ready(process, "the consumer")
        time.sleep(chance.uniform(0, 0.03))
    killing.kill(process, "the consumer")


def kill_often(program, seeds, chance):
    with tempfile.TemporaryDirectory(prefix="seriatim-parallel-") as scratch:
        directory = os.path.join(scratch, "data")
        effects = os.path.join(scratch, "effects")
        for seed in seeds:
            work_and_kill(program, directory, effects, seed, chance)
        ends = [int(end) for end in run([program, directory, "finish", effects, str(seeds[-1])]).split()]
        checker = Checker()
        for line in killing.whole_lines(effects):
            checker.read(line)
        for partition, end in enumerate(ends):
            left_out = set(range(end)) - checker.done[partition]
            if left_out:
                raise Failure(f"{partition}@{min(left_out)} was never handled")
        return sum(ends), checker


def main(options, chance):
    records = ranges = repeated = 0
    for numbers in killing.rounds(options.kills, 50):
        count, checker = kill_often(options.program, [options.seed + number for number in numbers], chance)
        records += count
        ranges += checker.ranges
        repeated += checker.repeated
    print(f"{options.kills} kills; {records} records, {repeated} of them handled again; {ranges} ranges were kept", flush=True)
    if records < options.kills or ranges < options.kills:
        raise Failure("hardly a record was handled, or hardly a range kept: this run proves nothing")


if __name__ == "__main__":
    killing.run_test(main, ["program"], 200, __doc__)
