#!/usr/bin/env python3
"""Kills a process that relays a topic while it is produced to (INV-8): each record once, in order per key, wherever the kill comes.

The process (relay_writer.cpp) looks at what the one before has left, and compares all of it at the end of each directory.
"""
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import killing  # noqa: E402
from killing import Failure  # noqa: E402

KILLS_OF_A_DIRECTORY = 8


def main(options, chance):
    records = 0
    for numbers in killing.rounds(options.kills, KILLS_OF_A_DIRECTORY):
        with tempfile.TemporaryDirectory(prefix="seriatim-relay-") as scratch:
            directory = os.path.join(scratch, "data")
            for number in numbers:
                level = chance.choice(["all", "leader"])
                process = killing.start([options.writer, directory, str(number * 10_000_000), level])
                killing.wait_until_ready(process, "the relay")
                time.sleep(chance.uniform(0.001, 0.03))
                killing.kill(process, "the relay")
            records += int(killing.run([options.writer, directory]))
    print(f"{options.kills} kills, {records} records", flush=True)
    if records < options.kills:
        raise Failure("hardly anything was relayed: this run proves nothing")


if __name__ == "__main__":
    killing.run_test(main, ["writer"], 200, __doc__)
