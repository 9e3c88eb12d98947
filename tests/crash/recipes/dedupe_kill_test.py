#!/usr/bin/env python3
"""Kills a process that sends all its messages again whenever it begins (INV-4, INV-8): each has its effect once, and none that was committed is lost.

The process (dedupe_writer.cpp) notes each message for which it was told that it is the first, when the transaction is committed.
"""
import collections
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import killing  # noqa: E402
from killing import Failure, run  # noqa: E402


def work_and_kill(program, directory, report, chance):
    """The time to live counts from the end of the recovery, or, one in five, from before it."""
    process = killing.start([program, directory, "run", report])
    if chance.randrange(5) > 0:
        killing.wait_until_ready(process, "the writer")
    time.sleep(chance.uniform(0, 0.04))
    killing.kill(process, "the writer")


def check(program, directory, report):
    noted = []
    if os.path.exists(report):
        noted = [int(line) for line in killing.whole_lines(report)]
    for number, times in collections.Counter(noted).items():
        if times > 1:
            raise Failure(f"message {number} was the first {times} times")
    last = max(noted, default=0) + 10
    effects = collections.Counter(int(line) for line in run([program, directory, "finish", str(last)]).decode().split())
    for number, times in effects.items():
        if times > 1:
            raise Failure(f"message {number} had its effect {times} times")
    for number in range(last + 1):
        if number not in effects:
            raise Failure(f"message {number} had no effect")
    return collections.Counter(firsts=len(noted), effects=len(effects))


def main(options, chance):
    counts = collections.Counter()
    for numbers in killing.rounds(options.kills, 25):
        with tempfile.TemporaryDirectory(prefix="seriatim-dedupe-") as scratch:
            directory = os.path.join(scratch, "data")
            report = os.path.join(scratch, "report")
            run([options.program, directory, "create"])
            for _ in numbers:
                work_and_kill(options.program, directory, report, chance)
            counts += check(options.program, directory, report)
    print(f"{options.kills} kills; {dict(counts)}", flush=True)
    if counts["firsts"] == 0:
        raise Failure("no message was handled: this run proves nothing")


if __name__ == "__main__":
    killing.run_test(main, ["program"], 200, __doc__)
