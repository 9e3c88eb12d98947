#!/usr/bin/env python3
"""Kills a process that publishes through a router and changes its bindings (INV-4): in all topics or none, and nothing acknowledged is lost.

The writer (routing_writer.cpp) appends each acknowledgement to a file of its own with write(2), which survives its death, after the call has returned.
The next run says what it finds: each message is in all of its topics or in none, once, those of a thread in their order; all that were acknowledged are
there; and the bindings are those that were acknowledged, but for the one that was under way.
"""
import collections
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import killing  # noqa: E402
from killing import Failure  # noqa: E402

OWN_BINDINGS = {1, 2, 3}


class Promises:
    """What writers were told before they died."""

    def __init__(self, path):
        self.published = set()
        self.bound = set(OWN_BINDINGS)
        self.leaving = set()
        for line in killing.whole_lines(path) if os.path.exists(path) else ():
            kind, what = line.split()
            if kind == "P":
                self.published.add(what)
            elif kind == "B":
                self.bound.add(int(what))
            elif kind == "u":
                self.leaving.add(int(what))
            else:
                self.bound.discard(int(what))


def check(lines, promises, runs):
    """Compares what a run found with the promises of those before it."""
    topics = {}
    bindings = set()
    for line in lines:
        words = line.decode("ascii").split()
        if words[0] == "T":
            topics[words[1]] = words[2].rstrip(",").split(",") if len(words) > 2 else []
        else:
            bindings = {int(word) for word in words[1].rstrip(",").split(",")}
    for topic, values in topics.items():
        last = collections.defaultdict(lambda: -1)
        for value in values:
            _, who, number = value.split(":")
            if int(number) <= last[who]:
                raise Failure(f"topic {topic}: {value} is there twice, or not in its order")
            last[who] = int(number)
    to_all = {topic: {value for value in values if value.startswith("all:")} for topic, values in topics.items()}
    if not to_all["a"] == to_all["b"] == to_all["c"]:
        raise Failure(f"messages are in some of their topics only: {(to_all['a'] ^ to_all['b']) | (to_all['a'] ^ to_all['c'])}")
    if any(value.startswith("one:") for topic in "bc" for value in topics[topic]):
        raise Failure("a message is in a topic that it was not for")
    lost = promises.published - set(topics["a"])
    if lost:
        raise Failure(f"acknowledged, and not there: {sorted(lost)[:5]}")
    if not promises.bound - promises.leaving <= bindings:
        raise Failure(f"bindings that were acknowledged are gone: {sorted(promises.bound - promises.leaving - bindings)}")
    # Each run that was killed may have made one that it was not told of.
    if len(bindings - promises.bound) > runs:
        raise Failure(f"bindings that were taken away are there: {sorted(bindings - promises.bound)}")
    return len(topics["a"])


def found_lines(process):
    for line in process.stdout:
        if line == b"ready\n":
            return
        yield line


def main(options, chance):
    records = acknowledged = 0
    for numbers in killing.rounds(options.kills, 10):
        with tempfile.TemporaryDirectory(prefix="seriatim-kill-") as scratch:
            directory, report = os.path.join(scratch, "data"), os.path.join(scratch, "report")
            for number in numbers:
                promises = Promises(report)
                process = killing.start([options.writer, directory, report, str(number)])
                check(list(found_lines(process)), promises, number - numbers[0])
                time.sleep(chance.uniform(0.001, 0.06))
                killing.kill(process, "the writer")
            promises = Promises(report)
            records += check(killing.run([options.writer, directory, report]).splitlines(), promises, len(numbers))
            acknowledged += len(promises.published)
    print(f"{options.kills} kills; acknowledged: {acknowledged}, found: {records}", flush=True)
    if acknowledged == 0:
        raise Failure("nothing was acknowledged: this run proves nothing")


if __name__ == "__main__":
    killing.run_test(main, ["writer"], 200, __doc__)
