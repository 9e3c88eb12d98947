#!/usr/bin/env python3
"""Kills a writing process with kill -9 at random moments and checks what was promised (INV-4, INV-5).

Each round feeds numbered lines to `seriatim produce --report-acks`, kills it, and now and then reads everything back:
  - every line of the report is there: its offsets exist, in its partition;
  - what is there is, for every round and key, a prefix of what was sent, in order, without a gap or a duplicate;
  - offsets of a partition are 0, 1, 2, ...;
  - `verify` finds nothing worse than a torn tail, and after the next open nothing at all.
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
import threading
import time

KEYS = 8
PARTITIONS = 3


class Failure(Exception):
    pass


def run(arguments, allowed=(0,)):
    done = subprocess.run(arguments, capture_output=True, check=False)
    if done.returncode not in allowed:
        raise Failure(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout


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
    """Per partition, one past the highest acknowledged offset. A last line without its newline was being written when the kill came."""
    ends = collections.defaultdict(int)
    acknowledged = 0
    if not os.path.exists(report):
        return ends, acknowledged
    with open(report, encoding="ascii") as lines:
        for line in lines:
            if not line.endswith("\n"):
                break
            topic, partition, base, last = line.split()
            if topic != "t" or int(base) > int(last):
                raise Failure(f"a wrong report line: {line!r}")
            ends[int(partition)] = max(ends[int(partition)], int(last) + 1)
            acknowledged += int(last) - int(base) + 1
    return ends, acknowledged


def check(command, directory, report):
    before = json.loads(run([command, "-d", directory, "--output", "json", "verify"], allowed=(0, 5)) or "{}")
    del before  # Its exit code is the check: 0 or 5, never 4 (damage).
    next_offset = collections.defaultdict(int)
    next_number = {}
    count = 0
    for line in run([command, "-d", directory, "consume", "t", "-o", "beginning", "-e", "-J"]).splitlines():
        record = json.loads(line)
        partition, offset = record["partition"], record["offset"]
        if offset != next_offset[partition]:
            raise Failure(f"partition {partition} has offset {offset} where {next_offset[partition]} was expected")
        next_offset[partition] += 1
        key = int(record["key"])
        round_number, number, _ = record["value"].split(":")
        expected = next_number.get((round_number, key), key)
        if int(number) != expected:
            raise Failure(f"round {round_number}, key {key}: line {number} where {expected} was expected")
        next_number[(round_number, key)] = expected + KEYS
        count += 1
    ends, acknowledged = reported_ends(report)
    for partition, end in ends.items():
        if next_offset[partition] < end:
            raise Failure(f"partition {partition}: acknowledged up to {end}, found up to {next_offset[partition]}")
    return count, acknowledged


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    chance = random.Random(seed)
    kills = 0
    records = 0
    acknowledgements = 0
    while kills < options.kills:
        with tempfile.TemporaryDirectory(prefix="seriatim-kill-") as scratch:
            directory = os.path.join(scratch, "data")
            report = os.path.join(scratch, "acks")
            # Small segments, so that kills meet rolls.
            run([options.command, "-d", directory, "topic", "create", "t", "-p", str(PARTITIONS), "--config", "segment.bytes=65536"])
            for _ in range(min(10, options.kills - kills)):
                acks = chance.choice(["leader", "leader", "all"])
                write_and_kill(options.command, directory, kills, acks, report, chance.uniform(0.004, 0.12))
                kills += 1
            count, acknowledged = check(options.command, directory, report)
            records += count
            acknowledgements += acknowledged
            # Opening for writing recovers; then nothing at all is left to be found.
            subprocess.run([options.command, "-d", directory, "produce", "t", "-K:"], input=b"0:last:0:\n", capture_output=True, check=True)
            run([options.command, "-d", directory, "verify"])
    print(f"{kills} kills, {acknowledgements} acknowledged records, {records} found", flush=True)
    if acknowledgements == 0:
        raise Failure("nothing was ever acknowledged: this run proves nothing")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
