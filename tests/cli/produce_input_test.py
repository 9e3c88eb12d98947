#!/usr/bin/env python3
"""produce: which line an error is about, how much of its input it holds, and what JSON it takes."""

import json
import re
import resource
import signal
import subprocess

from command import CommandTest, main

TOO_LARGE = b"x" * 2_000_000


class ProduceInput(CommandTest):
    def refused(self, lines, *options):
        """Appends `lines`, which must fail, and returns the line that says why."""
        err = self.run_command("-q", "-d", self.data, "produce", "t", *options, stdin=b"\n".join(lines) + b"\n", status=1)[1]
        self.assertEqual(len(err.splitlines()), 1, err)
        return err

    def values(self):
        return [r["value"] for r in self.records("t")]

    def test_the_line_that_failed_is_named_whatever_comes_behind(self):
        self.create("t", 3)
        many = [b"%d:y" % i for i in range(1000)]
        for behind in ([], [b"four:4"], [b"four:4", b"five:5"], many):
            for acks in ("leader", "all"):
                with self.subTest(lines=len(behind), acks=acks):
                    err = self.refused([b"one:1", b"two:2", b"three:" + TOO_LARGE, *behind], "-K:", "--acks", acks)
                    self.assertRegex(err, rb"^error RECORD_TOO_LARGE: line 3: ")
                    self.assertNotIn(b"ehind it", err)
        self.assertEqual(set(self.values()), {"1", "2"}, "nothing behind the line is stored")

    def test_of_a_batch_that_the_disk_refuses_the_error_says_what_is_stored_behind(self):
        self.create("t", 2)
        line = lambda partition, value: json.dumps({"partition": partition, "value": value}).encode() + b"\n"
        self.produce("t", line(1, "x" * 700_000) * 2, "-J", "--acks", "leader")

        def keep_files_small():
            """Partition 1 would need a larger file for another record, partition 0 does not."""
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))

        process = self.start("-q", "-d", self.data, "produce", "t", "-J", "--acks", "leader", stdin=subprocess.PIPE, preexec_fn=keep_files_small)
        _, err = process.communicate(line(0, "one") + line(1, "x" * 300_000) + line(0, "three"), timeout=60)
        # Line 3 may have been sent before the disk answered, or not.
        told = re.match(rb"^error \w+: line 2: .*?(\. Behind it records are stored, the last from line 3; --report-acks tells which)?\n$", err)
        self.assertTrue(told, err)
        self.assertEqual([record["value"] for record in self.records("t", "-p", "0")], ["one", "three"] if told[1] else ["one"])

    def test_so_it_is_in_transactions_and_in_json(self):
        self.create("t")
        err = self.refused([b"one", b"two", TOO_LARGE, b"four"], "--transactional-id", "id", "--every", "2")
        self.assertRegex(err, rb"^error RECORD_TOO_LARGE: line 3: ")
        self.assertEqual(self.values(), ["one", "two"])
        err = self.refused([b'{"value":"a"}', b"", b'{"value":"b"}', b"no"], "-J")
        self.assertRegex(err, rb"^error INVALID_RECORD: line 4: this is not JSON")

    def test_of_several_files_the_right_one_is_named(self):
        self.create("t")
        for name, lines in (("a", [b"1", b"2"]), ("b", [b"3", TOO_LARGE, b"5"]), ("c", [b"6"])):
            with open(self.path(name), "wb") as file:
                file.write(b"\n".join(lines) + b"\n")
        err = self.run_command("-q", "-d", self.data, "produce", "t", "-l", self.path("a"), self.path("b"), self.path("c"), status=1)[1]
        self.assertIn(self.path("b").encode() + b": line 2: ", err)
        err = self.run_command("-q", "-d", self.data, "produce", "t", self.path("a"), self.path("b"), status=1)[1]
        self.assertIn(self.path("b").encode() + b": ", err)
        self.assertNotIn(b"line", err.split(b": the file")[0])

    def test_a_line_without_an_end_takes_no_memory_to_match(self):
        self.create("t")
        limit = 256 << 20  # of address space: a quarter of what would be read
        producer = self.start("-d", self.data, "produce", "t", stdin=subprocess.PIPE,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
        piece = b"x" * (1 << 20)
        try:
            producer.stdin.write(b"first\n")
            for _ in range(1024):
                producer.stdin.write(piece)
        except BrokenPipeError:
            pass
        try:
            producer.stdin.close()
        except BrokenPipeError:
            pass
        err = producer.stderr.read()
        producer.stderr.close()
        producer.stdout.close()
        self.assertEqual(producer.wait(60), 1, err)
        self.assertIn(b"RECORD_TOO_LARGE: line 2: the line is longer than", err)
        self.assertEqual(self.values(), ["first"])

    def test_a_large_line_that_a_codec_makes_small_is_taken(self):
        self.create("t")
        self.produce("t", [TOO_LARGE], "-z", "zstd")
        self.assertEqual(len(self.values()[0]), len(TOO_LARGE))

    def test_json_lines_may_be_apart(self):
        self.create("t")
        self.produce("t", [b'{"value":"a"}', b"", b" \t\r", b'{"value":"b"}', b""], "-J")
        self.assertEqual(self.values(), ["a", "b"])

    def test_values_of_any_json_type_are_stored_as_they_stand_there(self):
        self.create("t")
        texts = ["1", "-0.50", "1E2", "12345678901234567890123", "true", "[1, \"},\", {}]", "{\"a\" : {\"b\":\"\\\"}\"}}"]
        lines = [f'{{"key": "value", "value" :  {text} , "headers":[]}}'.encode() for text in texts]
        self.assertIn(b"--json-values", self.refused(lines, "-J"))
        self.produce("t", [*lines, b'{"key":7,"value":null}', b'{"value":"text"}'], "-J", "--json-values")
        self.assertEqual([(r["key"], r["value"]) for r in self.records("t")],
                         [*(("value", text) for text in texts), ("7", None), (None, "text")])
        for text in texts[:2] + texts[3:]:
            json.loads(text)

    def test_json_values_need_json(self):
        self.create("t")
        self.assertIn(b"-J", self.run_command("-d", self.data, "produce", "t", "--json-values", status=2)[1])


if __name__ == "__main__":
    main()
