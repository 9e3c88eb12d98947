#!/usr/bin/env python3
"""The order of system calls as the kernel saw it (strace), of a process that makes durable commits (traced_writer.cpp).

  - No acknowledgement is written before an fdatasync has ended that began after the write of its frame had ended (INV-4).
  - A batch too large for the journal is acknowledged after an fdatasync of its segment.
  - A commit over 64 partitions and a group's position is one fdatasync; one at `leader` is none, and no write call but the first.
  - The catalog's pages are synced before the page that makes them valid is written, and that page is written through.
"""
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77
CALLS = "write,pwrite64,pwritev,pwritev2,writev,fdatasync,fsync,msync,sync_file_range,syncfs,openat,close,mmap"
SYNCS = ("fdatasync", "fsync", "msync", "sync_file_range", "syncfs")
WRITES = ("pwrite64", "pwritev", "pwritev2", "writev", "write")
LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)", re.DOTALL)

Call = collections.namedtuple("Call", "thread name begin end text fd path")


def parse(path):
    """The calls in the order of their beginnings; begin and end are places in the trace."""
    calls = []
    unfinished = {}
    with open(path, encoding="utf-8", errors="replace") as lines:
        for place, line in enumerate(lines):
            match = LINE.match(line.rstrip("\n"))
            if not match:
                continue  # a signal, or the end of a thread
            thread, resumed, name, rest = match.groups()
            if resumed:
                begin, rest = unfinished.pop(thread)
                name = resumed
            elif rest.endswith("<unfinished ...>"):
                unfinished[thread] = (place, rest)
                continue
            else:
                begin = place
            descriptor = re.match(r"(\d+)<([^>]*)>", rest)
            fd, file = (int(descriptor.group(1)), descriptor.group(2)) if descriptor else (-1, "")
            calls.append(Call(thread, name, begin, place, rest, fd, file))
    return sorted(calls, key=lambda call: call.begin)


def ptrace_is_permitted():
    probe = subprocess.run(["strace", "-f", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    return probe.returncode == 0, probe.stderr.strip()


class Trace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="seriatim-trace-")
        cls.addClassCleanup(folder.cleanup)
        trace = os.path.join(folder.name, "trace")
        done = subprocess.run(["strace", "-f", "-y", "-s", "1000000", "-o", trace, "-e", "trace=" + CALLS, WRITER,
                               os.path.join(folder.name, "data")], capture_output=True, text=True, timeout=240, check=False)
        if done.returncode != 0:
            raise AssertionError(f"the writer ended with {done.returncode}: {done.stderr[-2000:]}")
        cls.calls = parse(trace)

    def said(self, text):
        """The call that wrote a line to standard output."""
        return next(call for call in self.calls if call.name == "write" and call.fd == 1 and f'"{text}\\n"' in call.text)

    def phase(self, name):
        """The calls of the main thread between BEGIN and END."""
        begin, end = self.said("BEGIN " + name), self.said("END " + name)
        return [call for call in self.calls if call.thread == begin.thread and begin.end < call.begin < end.begin]

    def syncs_between(self, begin, end, is_meant):
        return [call for call in self.calls if call.name == "fdatasync" and begin < call.begin and call.end < end and is_meant(call.path)]

    def test_no_acknowledgement_precedes_the_sync_of_its_frame(self):
        journal_writes = [call for call in self.calls if call.name.startswith("pwrite") and call.path.endswith(".journal")]
        acknowledged = 0
        for call in self.calls:
            ack = re.search(r'"ACK (.*)\\n"', call.text) if call.name == "write" and call.fd == 1 else None
            if not ack or ack.group(1) == "large":
                continue
            frames = [write for write in journal_writes if f"<{ack.group(1)}>" in write.text]
            self.assertEqual(len(frames), 1, f"one frame has record {ack.group(1)}")
            syncs = self.syncs_between(frames[0].end, call.begin, lambda path, to=frames[0].path: path == to)
            self.assertTrue(syncs, f"record {ack.group(1)} was acknowledged before its frame was synced")
            acknowledged += 1
        self.assertEqual(acknowledged, 100)

    def test_a_large_batch_is_acknowledged_after_a_sync_of_its_segment(self):
        begin, ack = self.said("BEGIN large"), self.said("ACK large")
        self.assertTrue(self.syncs_between(begin.end, ack.begin, lambda path: path.endswith("/t-1/00000000000000000000.log")))

    def test_a_commit_over_64_partitions_and_a_position_is_one_sync(self):
        calls = self.phase("commit")
        self.assertEqual([(c.name, c.path.endswith(".journal")) for c in calls if c.name in SYNCS], [("fdatasync", True)])
        sync = next(c for c in calls if c.name in SYNCS)
        writes = [c for c in calls if c.name.startswith("pwrite") and c.path.endswith(".journal")]
        self.assertTrue(writes)
        self.assertTrue(all(write.end < sync.begin for write in writes))

    def test_commits_at_leader_are_written_and_not_synced_the_second_through_a_mapping(self):
        calls = self.phase("leader")
        self.assertEqual([c.name for c in calls if c.name in SYNCS], [])
        written = [c for c in calls if c.name.startswith("pwrite") and c.path.endswith(".journal")]
        self.assertEqual(len(written), 1, "the first one after a sync is written by a call")
        mapped = [c for c in calls if c.name == "mmap" and "MAP_SHARED" in c.text and ".journal>" in c.text]
        self.assertEqual(len(mapped), 1, "the others are stored through one mapping of the file")
        self.assertIn("PROT_WRITE", mapped[0].text)

    def test_the_catalog_is_synced_before_the_page_that_makes_it_valid(self):
        opened = [c for c in self.calls if c.name == "openat" and c.text.rstrip(">").endswith("/catalog/data.mdb")]
        through = {int(re.search(r"= (\d+)<", c.text).group(1)) for c in opened if "O_DSYNC" in c.text}
        self.assertTrue(through)
        calls = [c for c in self.phase("checkpoint") if c.path.endswith("/catalog/data.mdb")]
        valid = [c for c in calls if c.name in WRITES and c.fd in through]
        data = [c for c in calls if c.name in WRITES and c.fd not in through]
        self.assertTrue(data)
        self.assertTrue(valid)
        self.assertTrue(all(write.end < valid[-1].begin for write in data))
        syncs = self.syncs_between(data[-1].end, valid[-1].begin, lambda path: path.endswith("/catalog/data.mdb"))
        self.assertTrue(syncs, "the pages were not synced before they became valid")

    def test_segments_are_synced_before_the_checkpoint_says_so(self):
        calls = self.phase("checkpoint")
        catalog = next(c for c in calls if c.name in WRITES and c.path.endswith("/catalog/data.mdb"))
        synced = {c.path for c in calls if c.name in ("fdatasync", "fsync") and c.path.endswith(".log") and c.end < catalog.begin}
        self.assertGreaterEqual(len(synced), 60)


class Parser(unittest.TestCase):
    """The test itself can fail: a trace in the wrong order is read in that order."""

    def test_calls_that_were_interrupted_are_put_together(self):
        with tempfile.NamedTemporaryFile("w", suffix=".trace") as file:
            file.write('1 fdatasync(3</a.journal> <unfinished ...>\n2 write(1<pipe:[1]>, "ACK x\\n", 6) = 6\n1 <... fdatasync resumed>) = 0\n')
            file.flush()
            sync, write = parse(file.name)
        self.assertEqual((sync.name, sync.begin, sync.end, sync.path), ("fdatasync", 0, 2, "/a.journal"))
        self.assertEqual((write.name, write.begin, write.fd), ("write", 1, 1))


if __name__ == "__main__":
    WRITER = sys.argv.pop(1)
    if shutil.which("strace") is None:
        sys.exit("strace is missing: packaging/apt-test.txt names it, ./run test installs it")
    permitted, why = ptrace_is_permitted()
    if not permitted:
        print(f"SKIPPED: this machine does not permit ptrace ({why})")
        sys.exit(SKIPPED)
    unittest.main()
