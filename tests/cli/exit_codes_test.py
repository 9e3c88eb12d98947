#!/usr/bin/env python3
"""One test for each exit status, and that a wrong word is answered with the right one."""

import glob
import json
import os
import signal
import subprocess

from command import CommandTest, main


class ExitCodes(CommandTest):
    def complains(self, words, status, *texts):
        _, err = self.run_command(*words, status=status)
        for text in texts:
            self.assertIn(text.encode(), err)
        return err

    def test_usage_is_2(self):
        self.complains(["topic", "creat", "t"], 2, "unknown command creat", "seriatim topic create")
        self.complains(["topic", "create", "t", "--partitons", "4"], 2, "unknown option --partitons", "--partitions")
        self.complains(["frobnicate"], 2, "unknown command frobnicate")
        self.complains(["consume", "t", "-x"], 2, "unknown option -x")
        self.complains(["topic"], 2, "a command is missing", "create")
        self.complains([], 2, "a command is missing")
        self.complains(["topic", "create"], 2, "TOPIC")
        self.complains(["-d", self.data, "topic", "create", "t", "-p", "0"], 2, "1", "10000")
        self.complains(["-d", self.data, "topic", "create", "bad name"], 2, "INVALID_TOPIC")
        self.complains(["-d", self.data, "topic", "create", "t", "--config", "no.such=1"], 2, "INVALID_CONFIG")
        self.complains(["--output", "xml", "topic", "list"], 2, "xml")
        self.complains(["consume", "t"], 2, "-d DIR")
        self.create("t")
        self.complains(["-d", self.data, "consume", "t", "-o", "yesterday"], 2, "yesterday", "START:STOP")
        self.complains(["-d", self.data, "consume", "t", "--commit"], 2, "-g GROUP")
        self.complains(["-d", self.data, "produce", "t", "--acks", "none", "--report-acks", "f"], 2, "--acks none")
        self.complains(["-d", self.data, "topic", "delete", "t"], 2, "--yes", "--dry-run")

    def test_not_found_is_3(self):
        self.complains(["-d", self.data, "topic", "list"], 3, "NOT_FOUND")
        self.create("orders")
        self.complains(["-d", self.data, "consume", "ordres", "-e"], 3, "Did you mean orders?", "topic create ordres")
        self.complains(["-d", self.data, "produce", "ordres"], 3, "Did you mean orders?", "topic create ordres")
        self.complains(["-d", self.data, "consume", "orders", "-p", "7", "-e"], 3, "has no partition 7")
        self.complains(["-d", self.data, "consume", "orders", "-o", "5", "-e"], 3, "OFFSET_OUT_OF_RANGE")
        self.complains(["-d", self.data, "get", "orders:0@5"], 3, "OFFSET_OUT_OF_RANGE")
        os.makedirs(self.path("other"))
        with open(self.path("other", "file"), "w", encoding="ascii") as file:
            file.write("something else")
        self.complains(["-d", self.path("other"), "topic", "list"], 3, "NOT_A_DATA_DIRECTORY")

    def test_produce_does_not_create_topics(self):
        self.create("t")
        self.complains(["-d", self.data, "produce", "missing"], 3, "missing")
        out, _ = self.seriatim("topic", "list", "-j")
        self.assertEqual([row["topic"] for row in json.loads(out)], ["t"])

    def test_failed_is_1(self):
        self.create("t")
        self.complains(["-d", self.data, "topic", "create", "t"], 1, "TOPIC_ALREADY_EXISTS")
        _, err = self.seriatim("produce", "t", "-J", stdin=b'{"value":"ok"}\nnot json\n', status=1)
        self.assertIn(b"line 2", err)
        self.assertEqual([r["value"] for r in self.records("t")], ["ok"], "what came before the bad line is stored")

    def files(self, topic, suffix):
        return sorted(glob.glob(os.path.join(self.data, "log", f"{topic}-0", "*" + suffix)))

    def flip_bit(self, path, position):
        with open(path, "r+b") as file:
            file.seek(position)
            byte = file.read(1)
            file.seek(position)
            file.write(bytes([byte[0] ^ 1]))

    def test_damage_is_4(self):
        self.create("t", 1, "--config", "segment.bytes=2048")
        for _ in range(5):
            self.produce("t", [b"x" * 100 for _ in range(10)])
        self.assertGreater(len(self.files("t", ".log")), 2)
        self.flip_bit(self.files("t", ".log")[1], 200)
        out, _ = self.seriatim("verify", status=4)
        self.assertIn(b"DAMAGED", out)
        out, _ = self.seriatim("verify", "-j", status=4)
        report = json.loads(out)
        self.assertEqual(report["worst"], "damage")
        self.assertTrue(report["findings"][0]["path"].endswith(".log"))
        self.seriatim("dump", "t:0", status=4)
        out, err = self.seriatim("consume", "t", "-e", status=4)
        self.assertIn(b"CORRUPT_RECORD", err)
        self.assertGreater(len(out.split()), 0, "what lies before the damage is printed")

    def test_repairable_is_5(self):
        self.create("t", 1, "--config", "index.interval.bytes=100")
        for _ in range(5):
            self.produce("t", [b"x" * 100 for _ in range(10)])
        index = self.files("t", ".index")[0]
        size = os.path.getsize(index)
        self.assertGreater(size, 0)
        with open(index, "wb") as file:
            file.write(b"\x00\x00\x00\x01\x00\x00\x00\x07" * (size // 8))
        out, _ = self.seriatim("verify", status=5)
        self.assertIn(b"repairable", out)

    def test_locked_is_6(self):
        self.create("t")
        holder = self.start("-d", self.data, "produce", "t", stdin=subprocess.PIPE)
        holder.stdin.write(b"holding\n")
        holder.stdin.flush()
        while not self.records("t"):
            pass
        self.complains(["-d", self.data, "topic", "create", "u"], 6, "LOCKED", str(holder.pid))
        self.complains(["-d", self.data, "consume", "t", "-g", "g", "--commit", "-e"], 6, "LOCKED")
        out, _ = self.seriatim("status", "-j")
        self.assertEqual(json.loads(out)["writer"]["pid"], holder.pid)
        holder.communicate(timeout=60)
        self.assertEqual(holder.returncode, 0)
        self.create("u")

    def test_creating_what_may_exist_takes_it_as_asked_for_and_refuses_another(self):
        words = ["topic", "create", "t", "-p", "4", "--config", "retention.ms=7d", "--if-not-exists"]
        for said in (b"created topic t with 4 partitions", b"topic t exists already, as asked for"):
            _, err = self.seriatim(*words)
            self.assertIn(said, err)
        for other, both in ((["-p", "8"], (b"4 partitions", b"8 are asked for")),
                            (["-p", "4", "--config", "retention.ms=1d"], (b"retention.ms=604800000", b"retention.ms=86400000"))):
            _, err = self.seriatim("topic", "create", "t", *other, "--if-not-exists", status=1)
            for value in (b"TOPIC_ALREADY_EXISTS", *both):
                self.assertIn(value, err)

    def test_deletion_asks_at_a_terminal(self):
        for answer, left in ((b"n\n", ["t"]), (b"\n", ["t"]), (b"y\n", [])):
            self.seriatim("topic", "create", "t", "--if-not-exists")
            ours, terminal = os.openpty()
            process = self.start("-d", self.data, "topic", "delete", "t", stdin=terminal)
            os.close(terminal)
            os.write(ours, answer)
            _, err = process.communicate(timeout=60)
            os.close(ours)
            self.assertEqual(process.returncode, 0, err)
            self.assertIn(b"deletes topic t: 1 partition, 0 records", err)
            out, _ = self.seriatim("topic", "list", "-j")
            self.assertEqual([row["topic"] for row in json.loads(out)], left)

    def test_nothing_is_locked_while_a_question_waits_for_its_answer(self):
        self.create("t")
        self.produce("t", [b"one"])
        for number, words in enumerate((["topic", "trim", "t", "--before", "end"], ["txn", "abort-hanging", "t:0", "--start-offset", "0"],
                                        ["topic", "delete", "t"])):
            with self.subTest(words):
                ours, terminal = os.openpty()
                process = self.start("-d", self.data, *words, stdin=terminal)
                os.close(terminal)
                asked = b""
                while b"[y/N]" not in asked:
                    asked += os.read(process.stderr.fileno(), 4096)
                self.create(f"u{number}")
                os.write(ours, b"n\n")
                process.communicate(timeout=60)
                os.close(ours)
                self.assertEqual(process.returncode, 0)
        self.assertEqual([r["value"] for r in self.records("t")], ["one"], "no is no")

    def test_a_look_at_what_would_go_works_beside_an_application(self):
        self.create("t")
        holder = self.start("-d", self.data, "produce", "t", stdin=subprocess.PIPE)
        holder.stdin.write(b"holding\n")
        holder.stdin.flush()
        while not self.records("t"):
            pass
        for words in (["topic", "delete", "t"], ["topic", "trim", "t", "--before", "end"], ["txn", "abort-hanging", "t:0", "--start-offset", "0"]):
            self.seriatim(*words, "--dry-run")
            self.complains(["-d", self.data, *words, "--yes"], 6, "LOCKED", str(holder.pid))
        holder.communicate(timeout=60)
        self.assertEqual(holder.returncode, 0)
        self.assertEqual(len(self.records("t")), 1)

    def test_trim_can_roll(self):
        for topic, options, left in (("a", [], ["one" * 100, "two" * 100]), ("b", ["--roll"], ["two" * 100])):
            self.create(topic, 1, "--config", "retention.bytes=300")
            for text in (b"one", b"two"):
                self.produce(topic, [text * 100])
                self.seriatim("topic", "trim", topic, *options)
            self.assertEqual([r["value"] for r in self.records(topic)], left, "only what is sealed can go")

    def test_interrupted_is_130(self):
        self.create("t")
        self.produce("t", [b"one"])
        process = self.start("-d", self.data, "consume", "t")
        self.assertEqual(process.stdout.readline(), b"one\n")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out, err), (130, b"", b""))

    def test_interrupted_producer_keeps_what_it_took(self):
        self.create("t")
        process = self.start("-d", self.data, "produce", "t", stdin=subprocess.PIPE)
        process.stdin.write(b"one\n")
        process.stdin.flush()
        while not self.records("t"):
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertIn(b"sent 1 record", err)
        out, _ = self.seriatim("verify")
        self.assertIn(b"clean:", out, "it closed cleanly")


if __name__ == "__main__":
    main()
