#!/usr/bin/env python3
"""Kills a process that consumes with retries, again and again (INV-4, INV-8).

The process (retry_writer.cpp) sends records and handles them; a record fails as often as its number says. In the end each is done once, or dead once, after
just as many attempts, and records of one key are done in the order in which they were sent.
"""
import collections
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import killing  # noqa: E402
from killing import Failure, run  # noqa: E402

KINDS = 4
ATTEMPTS_MAX = 3


def work_and_kill(program, directory, report, seed, chance):
    """The time to live counts from the end of the recovery, or, one in five, from before it."""
    process = killing.start([program, directory, "run", report, str(seed)])
    if chance.randrange(5) > 0:
        killing.wait_until_ready(process, "the writer")
    time.sleep(chance.uniform(0, 0.04))
    killing.kill(process, "the writer")


def check(program, directory, report):
    sent = collections.defaultdict(list)
    ends = {"out": collections.defaultdict(list), "dead": collections.defaultdict(list)}
    for line in run([program, directory, "finish"]).decode().splitlines():
        kind, key, number, *attempts = line.split()
        if kind == "in":
            sent[key].append(int(number))
            continue
        dies = int(number) % KINDS == ATTEMPTS_MAX
        if kind != ("dead" if dies else "out"):
            raise Failure(f"record {number} is {kind}")
        wanted = ATTEMPTS_MAX if dies else int(number) % KINDS + 1
        if int(attempts[0]) != wanted:
            raise Failure(f"record {number} has {attempts[0]} attempts, not {wanted}")
        ends[kind][key].append(int(number))
    for key, numbers in sent.items():
        for kind, dies in (("out", False), ("dead", True)):
            wanted = [number for number in numbers if (number % KINDS == ATTEMPTS_MAX) == dies]
            if ends[kind][key] != wanted:
                raise Failure(f"of key {key} {kind} has {ends[kind][key]}, not {wanted}: lost, repeated, or out of order")
    stored = {number for numbers in sent.values() for number in numbers}
    if os.path.exists(report):
        for line in killing.whole_lines(report):
            if int(line) not in stored:
                raise Failure(f"record {line.strip()} was acknowledged and is lost")
    return collections.Counter(sent=len(stored), **{kind: sum(map(len, keys.values())) for kind, keys in ends.items()})


def main(options, chance):
    counts = collections.Counter()
    for numbers in killing.rounds(options.kills, 25):
        with tempfile.TemporaryDirectory(prefix="seriatim-retry-") as scratch:
            directory = os.path.join(scratch, "data")
            report = os.path.join(scratch, "report")
            run([options.program, directory, "create"])
            for number in numbers:
                work_and_kill(options.program, directory, report, options.seed % 100_000 + number, chance)
            counts += check(options.program, directory, report)
    print(f"{options.kills} kills; {dict(counts)}", flush=True)
    if min(counts["sent"], counts["out"], counts["dead"]) == 0:
        raise Failure("nothing was sent, done or dead: this run proves nothing")


if __name__ == "__main__":
    killing.run_test(main, ["program"], 200, __doc__)
