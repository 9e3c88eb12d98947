#!/usr/bin/env python3
"""Kills a writing process with kill -9 at random moments and checks what was promised (INV-4, INV-5).

Each round feeds numbered lines to `seriatim produce --report-acks`, kills it, and now and then reads everything back:
  - every line of the report is there: its offsets exist, in its partition;
  - what is there is, for every round and key, a prefix of what was sent, in order, without a gap or a duplicate;
  - offsets of a partition are 0, 1, 2, ...;
  - `verify` finds nothing worse than a torn tail, and after the next open nothing at all.
"""
import collections
import json
import os
import signal
import subprocess
import tempfile
import threading
import time

import killing
from killing import Failure, run

KEYS = 8
PARTITIONS = 3


def feed(stream, round_number, stop):
    """Writes lines until the reader dies. Key i % KEYS, value round:i."""
    number = 0
    try:
        while not stop.is_set():
            lines = "".join(f"{i % KEYS}:{round_number}:{i}:{'x' * (i % 97)}\n" for i in range(number, number + 200))
            stream.write(lines.encode())
            stream.flush()
            number += 200
    except (BrokenPipeError, ValueError, OSError):
        pass


def write_and_kill(command, directory, round_number, acks, report, delay):
    process = subprocess.Popen(
        [command, "-d", directory, "produce", "t", "-K:", "--acks", acks, "--report-acks", report],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    stop = threading.Event()
    feeder = threading.Thread(target=feed, args=(process.stdin, round_number, stop))
    feeder.start()
    time.sleep(delay)
    died_early = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.wait()
    stop.set()
    feeder.join()
    if died_early:
        raise Failure(f"produce ended by itself: {process.stderr.read().decode(errors='replace')}")
    process.stderr.close()


def reported_ends(report):
    """Per partition, one past the highest acknowledged offset."""
    ends = collections.defaultdict(int)
    acknowledged = 0
    for line in killing.whole_lines(report) if os.path.exists(report) else ():
        topic, partition, base, last = line.split()
        if topic != "t" or int(base) > int(last):
            raise Failure(f"a wrong report line: {line!r}")
        ends[int(partition)] = max(ends[int(partition)], int(last) + 1)
        acknowledged += int(last) - int(base) + 1
    return ends, acknowledged


def check(command, directory, report):
    before = json.loads(run([command, "-d", directory, "--output", "json", "verify"], allowed=(0, 5)) or "{}")
    del before  # Its exit code is the check: 0 or 5, never 4 (damage).
    found_ends = collections.Counter()
    next_number = {}
    for record in killing.records(command, directory):
        found_ends[record["partition"]] += 1
        key = int(record["key"])
        round_number, number, _ = record["value"].split(":")
        expected = next_number.get((round_number, key), key)
        if int(number) != expected:
            raise Failure(f"round {round_number}, key {key}: line {number} where {expected} was expected")
        next_number[(round_number, key)] = expected + KEYS
    ends, acknowledged = reported_ends(report)
    for partition, end in ends.items():
        if found_ends[partition] < end:
            raise Failure(f"partition {partition}: acknowledged up to {end}, found up to {found_ends[partition]}")
    return sum(found_ends.values()), acknowledged


def main(options, chance):
    records = 0
    acknowledgements = 0
    for numbers in killing.rounds(options.kills, 10):
        with tempfile.TemporaryDirectory(prefix="seriatim-kill-") as scratch:
            directory = os.path.join(scratch, "data")
            report = os.path.join(scratch, "acks")
            killing.create_topic(options.command, directory, PARTITIONS)
            for number in numbers:
                acks = chance.choice(["leader", "leader", "all"])
                write_and_kill(options.command, directory, number, acks, report, chance.uniform(0.004, 0.12))
            count, acknowledged = check(options.command, directory, report)
            records += count
            acknowledgements += acknowledged
            # Opening for writing recovers; then nothing at all is left to be found.
            subprocess.run([options.command, "-d", directory, "produce", "t", "-K:"], input=b"0:last:0:\n", capture_output=True, check=True)
            run([options.command, "-d", directory, "verify"])
    print(f"{options.kills} kills, {acknowledgements} acknowledged records, {records} found", flush=True)
    if acknowledgements == 0:
        raise Failure("nothing was ever acknowledged: this run proves nothing")


if __name__ == "__main__":
    killing.run_test(main, ["command"], 200, __doc__)
