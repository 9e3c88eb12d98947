#!/usr/bin/env python3
"""Kills a process that sends requests and answers them exactly once (INV-4, INV-8): every request that was sent has one reply in the end.

The process (request_writer.cpp) notes each request that was sent, and checks that each reply that it waits for is that of its request.
"""
import collections
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import killing  # noqa: E402
from killing import Failure, run  # noqa: E402


def work_and_kill(program, directory, report, first, chance):
    """The time to live counts from the end of the recovery, or, one in five, from before it."""
    process = killing.start([program, directory, "run", report, str(first)])
    if chance.randrange(5) > 0:
        killing.wait_until_ready(process, "the writer")
    time.sleep(chance.uniform(0, 0.04))
    killing.kill(process, "the writer")


def check(program, directory, report):
    sent = set()
    if os.path.exists(report):
        sent = {int(line) for line in killing.whole_lines(report)}
    replies = collections.Counter(int(line) for line in run([program, directory, "finish"]).decode().split())
    for number, times in replies.items():
        if times > 1:
            raise Failure(f"request {number} has {times} replies")
    for number in sent:
        if number not in replies:
            raise Failure(f"request {number} was sent and has no reply")
    return collections.Counter(sent=len(sent), replies=len(replies))


def main(options, chance):
    counts = collections.Counter()
    for numbers in killing.rounds(options.kills, 25):
        with tempfile.TemporaryDirectory(prefix="seriatim-request-") as scratch:
            directory = os.path.join(scratch, "data")
            report = os.path.join(scratch, "report")
            run([options.program, directory, "create"])
            for number in numbers:
                work_and_kill(options.program, directory, report, number * 1_000_000, chance)
            counts += check(options.program, directory, report)
    print(f"{options.kills} kills; {dict(counts)}", flush=True)
    if counts["sent"] == 0:
        raise Failure("no request was sent: this run proves nothing")


if __name__ == "__main__":
    killing.run_test(main, ["program"], 200, __doc__)
