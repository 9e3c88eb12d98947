#!/usr/bin/env python3
"""Promises across processes: a reader beside a live writer, a killed writer, the report of acknowledgements."""

import json
import os
import signal
import subprocess
import threading

from command import CommandTest, main


class TwoProcesses(CommandTest):
    def test_a_second_process_reads_while_the_first_writes(self):
        self.create("t", 2)
        count = 20000
        writer = self.start("-d", self.data, "produce", "t", "-K:", stdin=subprocess.PIPE)
        reader = self.start("-d", self.data, "consume", "t", "-J", "-c", str(count))
        def feed():
            for i in range(count):
                writer.stdin.write(b"%d:%d\n" % (i % 50, i))
            writer.stdin.flush()
        feeder = threading.Thread(target=feed)
        feeder.start()
        out, err = reader.communicate(timeout=100)
        self.assertEqual(reader.returncode, 0, err)
        self.assertIsNone(writer.poll(), "everything was read while the writer lived")
        feeder.join()
        writer.communicate(timeout=60)
        self.assertEqual(writer.returncode, 0)
        values = {}
        for line in out.splitlines():
            record = json.loads(line)
            values.setdefault(record["key"], []).append(int(record["value"]))
        for key, numbers in values.items():
            self.assertEqual(numbers, list(range(int(key), count, 50)))

    def promises(self, path):
        """What the report says, and that it consists of whole lines."""
        with open(path, encoding="ascii") as file:
            text = file.read()
        self.assertTrue(text == "" or text.endswith("\n"))
        return [(topic, int(p), int(first), int(last)) for topic, p, first, last in (line.split(" ") for line in text.splitlines())]

    def test_the_report_covers_exactly_what_was_sent(self):
        self.create("t", 4)
        report = self.path("acks")
        self.produce("t", [b"%d:%d" % (i, i) for i in range(5000)], "-K:", "--report-acks", report)
        offsets = {}
        for topic, partition, first, last in self.promises(report):
            self.assertEqual(topic, "t")
            self.assertLessEqual(first, last)
            offsets.setdefault(partition, []).extend(range(first, last + 1))
        self.assertEqual(sum(len(o) for o in offsets.values()), 5000)
        for partition, reported in offsets.items():
            self.assertEqual(reported, list(range(len(reported))), f"partition {partition}")

    def test_the_report_is_appended_to(self):
        self.create("t")
        report = self.path("acks")
        for _ in range(2):
            self.produce("t", [b"x"], "--report-acks", report)
        self.assertEqual(self.promises(report), [("t", 0, 0, 0), ("t", 0, 1, 1)])

    def test_nothing_is_reported_that_failed(self):
        self.create("t", 1, "--config", "max.message.bytes=1000")
        report = self.path("acks")
        self.seriatim("produce", "t", "--report-acks", report, stdin=b"x" * 5000 + b"\n", status=1)
        self.assertEqual(self.promises(report), [])

    def test_a_report_that_cannot_be_written_is_an_error(self):
        self.create("t")
        _, err = self.seriatim("produce", "t", "--report-acks", "/dev/full", stdin=b"x\n", status=1)
        self.assertIn(b"--report-acks /dev/full", err)

    def test_what_was_reported_survives_kill_9(self):
        for acks in ("all", "leader"):
            topic = f"t-{acks}"
            self.create(topic, 2)
            report = self.path(f"acks-{acks}")
            writer = self.start("-d", self.data, "produce", topic, "-K:", "--acks", acks, "--report-acks", report, stdin=subprocess.PIPE)
            stop = threading.Event()
            def feed():
                i = 0
                try:
                    while not stop.is_set():
                        writer.stdin.write(b"%d:%d\n" % (i, i))
                        i += 1
                except BrokenPipeError:
                    pass
            feeder = threading.Thread(target=feed)
            feeder.start()
            while not os.path.exists(report) or os.path.getsize(report) < 200:
                self.assertIsNone(writer.poll(), "the writer lives until it is killed")
            writer.send_signal(signal.SIGKILL)
            writer.wait(60)
            stop.set()
            feeder.join()
            for stream in (writer.stdout, writer.stderr):
                stream.close()
            try:
                writer.stdin.close()
            except BrokenPipeError:
                pass
            self.seriatim("verify")
            self.produce(topic, [b"after:after"], "-K:")
            stored = {(r["partition"], r["offset"]): r for r in self.records(topic)}
            promised = self.promises(report)
            self.assertTrue(promised)
            for _, partition, first, last in promised:
                for offset in range(first, last + 1):
                    record = stored[(partition, offset)]
                    self.assertEqual(record["key"], record["value"], "the record is whole")


if __name__ == "__main__":
    main()
