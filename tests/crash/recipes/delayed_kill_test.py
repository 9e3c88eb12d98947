#!/usr/bin/env python3
"""Kills a process that schedules, moves, cancels and delivers delayed messages, again and again (INV-4, INV-8).

The process (delayed_writer.cpp) notes each message that is scheduled or cancelled when the call has returned. In the end all that was scheduled is in its
topic once, but for what was cancelled, which never is.
"""
import collections
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import killing  # noqa: E402
from killing import Failure, run  # noqa: E402


def work_and_kill(program, directory, report, seed, chance):
    """The time to live counts from the end of the recovery, or, one in five, from before it."""
    process = killing.start([program, directory, "run", report, str(seed)])
    if chance.randrange(5) > 0:
        killing.wait_until_ready(process, "the writer")
    time.sleep(chance.uniform(0, 0.04))
    killing.kill(process, "the writer")


def check(program, directory, report):
    noted = collections.defaultdict(set)
    if os.path.exists(report):
        for line in killing.whole_lines(report):
            kind, message = line.split()
            noted[kind].add(message)
    delivered = collections.Counter(run([program, directory, "finish"]).decode().split())
    for message, times in delivered.items():
        if times > 1:
            raise Failure(f"message {message} was delivered {times} times")
    for message in noted["C"]:
        if message in delivered:
            raise Failure(f"message {message} was cancelled and delivered")
    for message in noted["S"] - noted["T"]:
        if message not in delivered:
            raise Failure(f"message {message} was scheduled and is lost")
    return collections.Counter(scheduled=len(noted["S"]), cancelled=len(noted["C"]), delivered=len(delivered))


def main(options, chance):
    counts = collections.Counter()
    for numbers in killing.rounds(options.kills, 25):
        with tempfile.TemporaryDirectory(prefix="seriatim-delayed-") as scratch:
            directory = os.path.join(scratch, "data")
            report = os.path.join(scratch, "report")
            run([options.program, directory, "create"])
            for number in numbers:
                work_and_kill(options.program, directory, report, options.seed + number, chance)
            counts += check(options.program, directory, report)
    print(f"{options.kills} kills; {dict(counts)}", flush=True)
    if min(counts["scheduled"], counts["cancelled"], counts["delivered"]) == 0:
        raise Failure("nothing was scheduled, cancelled or delivered: this run proves nothing")


if __name__ == "__main__":
    killing.run_test(main, ["program"], 200, __doc__)
