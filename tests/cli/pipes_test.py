#!/usr/bin/env python3
"""Commands that go on for ever: they see what is added while they run, and end with the reader of their pipe."""

import os
import subprocess

from command import COMMAND, CommandTest, main


class Pipes(CommandTest):
    def end(self, process, status=0, complaint=b""):
        _, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, err), (status, complaint))

    def test_partitions_that_are_added_meanwhile_are_read_from_their_beginning(self):
        for command in ("consume", "tail"):
            with self.subTest(command):
                topic = "t-" + command
                self.create(topic)
                self.produce(topic, [b"one"])
                reader = self.start("-d", self.data, command, topic, "-f", "%p@%o=%v\\n")
                self.assertEqual(reader.stdout.readline(), b"0@0=one\n")
                self.seriatim("topic", "add-partitions", topic, "-p", "3")
                self.produce(topic, [b"two", b"more"], "-p", "2")
                self.assertEqual(reader.stdout.readline(), b"2@0=two\n")
                self.assertEqual(reader.stdout.readline(), b"2@1=more\n")
                self.produce(topic, [b"three"], "-p", "0")
                self.assertEqual(reader.stdout.readline(), b"0@1=three\n", "what was read before goes on")
                reader.terminate()
                self.end(reader, 143)

    def test_who_names_partitions_or_an_end_gets_just_these(self):
        self.create("t")
        self.produce("t", [b"one"])
        reader = self.start("-d", self.data, "consume", "t", "-p", "0", "-c", "2", "-f", "%p@%o=%v\\n")
        self.assertEqual(reader.stdout.readline(), b"0@0=one\n")
        self.seriatim("topic", "add-partitions", "t", "-p", "2")
        self.produce("t", [b"elsewhere"], "-p", "1")
        self.produce("t", [b"two"], "-p", "0")
        self.assertEqual(reader.stdout.readline(), b"0@1=two\n")
        self.end(reader)

    def test_a_command_that_waits_for_records_ends_with_the_reader_of_its_pipe(self):
        self.create("t")
        self.produce("t", [b"one"])
        for words in (["consume", "t"], ["consume", "t", "-J"], ["tail", "t"], ["consume", "t", "-g", "g", "--commit"]):
            with self.subTest(words):
                process = self.start("-q", "-d", self.data, *words)
                process.stdout.readline()
                process.stdout.close()
                err = process.stderr.read()
                process.stderr.close()
                self.assertEqual((process.wait(60), err), (0, b""))

    def test_so_it_does_where_there_was_nothing_to_read(self):
        self.create("t")
        reading, writing = os.pipe()
        os.close(reading)
        process = self.start("-d", self.data, "consume", "t", stdout=writing)
        os.close(writing)
        self.end(process)

    def test_head_ends_a_consume_that_has_no_end(self):
        self.create("t")
        self.produce("t", [b"one"])
        done = subprocess.run(["sh", "-c", f'"{COMMAND}" -d "{self.data}" consume t | head -n 1'], capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"one\n", b""))

    def test_work_that_is_told_at_its_end_is_broken_off_with_the_reader(self):
        self.seriatim("perf", "produce", "load", "--records", "500000", "--batch", "100")
        log_bytes = sum(os.path.getsize(os.path.join(self.data, "log", "load-0", name)) for name in os.listdir(os.path.join(self.data, "log", "load-0")))
        for words in (["verify"], ["count", "load", "--scan"]):
            with self.subTest(words):
                reading, writing = os.pipe()
                os.close(reading)
                process = self.start("-d", self.data, *words, stdout=writing)
                os.close(writing)
                os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
                with open(f"/proc/{process.pid}/io", encoding="ascii") as file:
                    counts = dict(line.split(": ") for line in file)
                self.end(process)
                self.assertLess(int(counts["rchar"]), log_bytes / 2)

    def test_another_error_counts_although_nobody_reads(self):
        self.create("t")
        reading, writing = os.pipe()
        os.close(reading)
        process = self.start("-d", self.data, "consume", "no", stdout=writing)
        os.close(writing)
        self.assertEqual(process.wait(60), 3)
        self.assertIn(b"there is no topic no", process.stderr.read())
        process.stderr.close()


if __name__ == "__main__":
    main()
