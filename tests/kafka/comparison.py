"""What the suites share: a scratch directory, and comparisons that say where two sides differ."""

import json
import os
import pathlib
import shutil
import struct
import tempfile
import unittest

SNAPSHOT_HEADER_BYTES = 10
SCRATCH_BYTES_MIN = 512 << 20
SNAPSHOT_ENTRY_BYTES = 46
SNAPSHOT_TIMESTAMP = slice(26, 34)


def scratch_directory(add_cleanup):
    """A folder that goes with whom `add_cleanup` is of. In memory if there is room: these tests compare bytes, and on a disk they would wait
    for syncs."""
    memory = pathlib.Path("/dev/shm")
    fits = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= SCRATCH_BYTES_MIN
    scratch = tempfile.TemporaryDirectory(prefix="seriatim-kafka-", dir=memory if fits else None)
    add_cleanup(scratch.cleanup)
    return pathlib.Path(scratch.name)


class Scratch(unittest.TestCase):
    def setUp(self):
        self.directory = scratch_directory(self.addCleanup)
        self.cases = 0

    def fresh(self):
        """A folder of its own for one case, so that a failure of one does not fail the next."""
        self.cases += 1
        folder = self.directory / f"case{self.cases}"
        folder.mkdir()
        return folder

    def assert_same_lines(self, ours, theirs):
        for number, (our, their) in enumerate(zip(ours, theirs), 1):
            self.assertEqual(our, their, f"line {number}: ours, then Kafka's")
        self.assertEqual(len(ours), len(theirs))

    def assert_same_file(self, ours, theirs, expected=None):
        our, their = ours.read_bytes(), theirs.read_bytes() if expected is None else expected
        if our == their or (ours.suffix == ".snapshot" and snapshot_entries(our) == snapshot_entries(their)):
            return
        at = next((i for i, (a, b) in enumerate(zip(our, their)) if a != b), min(len(our), len(their)))
        shown = slice(at - at % 4, at + 32)
        self.fail(f"{ours.name}: {len(our)} bytes of ours and {len(their)} of Kafka's differ from byte {at} on: "
                  f"{our[shown].hex(' ', 4)} | {their[shown].hex(' ', 4)}")

    def assert_same_files(self, ours, theirs, suffixes):
        """Every file of Kafka's with one of the suffixes is in our directory, with the same bytes, and we have no other."""
        names = sorted(file.name for file in theirs.iterdir() if file.suffix in suffixes)
        self.assertGreater(len(names), 0)
        self.assertEqual(sorted(file.name for file in ours.iterdir() if file.suffix in suffixes), names)
        for name in names:
            self.assert_same_file(ours / name, theirs / name)

    def assert_same_partition(self, ours, theirs):
        """Logs, indexes and the newest producer snapshot of two partitions that were closed."""
        self.assert_same_files(ours, theirs, {".log", ".index", ".timeindex"})
        end = sorted(theirs.glob("*.snapshot"))[-1].name
        self.assertIn(end, [file.name for file in ours.glob("*.snapshot")])
        self.assert_same_file(ours / end, theirs / end)


def snapshot_entries(content):
    """The entries of a producer snapshot as a set: Kafka writes them in the order of a hash map. Without their timestamps: ours are of the
    wall clock at the append, so that old event times let no producer be forgotten early; Kafka's are the records'."""
    version, _crc, count = struct.unpack(">hIi", content[:SNAPSHOT_HEADER_BYTES])
    body = content[SNAPSHOT_HEADER_BYTES:]
    if len(body) != count * SNAPSHOT_ENTRY_BYTES:
        raise AssertionError(f"a snapshot of {count} entries with {len(body)} bytes of them")
    entries = [body[i:i + SNAPSHOT_ENTRY_BYTES] for i in range(0, len(body), SNAPSHOT_ENTRY_BYTES)]
    return version, {entry[:SNAPSHOT_TIMESTAMP.start] + entry[SNAPSHOT_TIMESTAMP.stop:] for entry in entries}


def comparable(line):
    """A line of `read` without what two versions of a compression library may do differently. The CRC stays where nothing is compressed:
    equal CRCs over equal header fields are equal bytes."""
    parsed = json.loads(line)
    for part in ("batch", "end"):
        if part in parsed:
            parsed[part].pop("position")
    if parsed.get("batch", {}).get("codec", "none") != "none":
        parsed["batch"].pop("crc")
        parsed["batch"].pop("size")
    return parsed
