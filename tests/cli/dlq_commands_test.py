#!/usr/bin/env python3
"""dlq: dead letters, in the command."""

import json
import time

from command import CommandTest, main


class DeadLetters(CommandTest):
    def setUp(self):
        super().setUp()
        self.create("t")
        self.create("t.DLQ")

    def bury(self, value, error="no answer", key="k", partition="0"):
        record = {
            "key": key,
            "value": value,
            "headers": [
                ["own", value],
                ["__dlq.errors.topic", "t"],
                ["__dlq.errors.partition", partition],
                ["__dlq.errors.offset", "7"],
                ["__dlq.errors.group", "g"],
                ["__dlq.errors.delivery.count", "3"],
                ["__dlq.errors.message", error],
            ],
        }
        self.seriatim("produce", "t.DLQ", "-J", stdin=json.dumps(record).encode())

    def listed(self, *options):
        out, _ = self.seriatim("dlq", "list", "t.DLQ", *options, "--output", "jsonl")
        return [json.loads(line) for line in out.splitlines()]

    def values(self, topic="t"):
        return [record["value"] for record in self.records(topic)]

    def test_letters_are_listed_and_shown(self):
        self.bury("a")
        self.bury("b", "bad format", "l")
        row = self.listed()[0]
        self.assertEqual((row["record"], row["group"], row["attempts"], row["error"]), ("t-0@7", "g", 3, "no answer"))
        self.assertEqual([row["offset"] for row in self.listed("--error", "format")], [1])
        self.assertEqual([row["offset"] for row in self.listed("--key", "k")], [0])
        self.assertEqual([row["offset"] for row in self.listed("-n", "1")], [0])
        self.assertEqual(self.listed("--until", "2000-01-01"), [])
        self.assertEqual(len(self.listed("--from", "2000-01-01")), 2)
        out, _ = self.seriatim("dlq", "show", "t.DLQ:0@1", "-j")
        letter = json.loads(out)
        self.assertEqual((letter["value"], letter["error"], letter["headers"]), ("b", "bad format", [["own", "b"]]))
        self.seriatim("dlq", "show", "t.DLQ:0@2", status=3)

    def test_letters_are_replayed_once_at_a_rate(self):
        for i in range(4):
            self.bury(str(i), "odd" if i % 2 else "even")
        self.seriatim("dlq", "replay", "t.DLQ", "--error", "odd")
        self.assertEqual(self.values(), ["1", "3"])
        began = time.monotonic()
        _, err = self.seriatim("dlq", "replay", "t.DLQ", "--rate", "10/s")
        self.assertIn(b"2 letters replayed, 2 were before", err)
        # Of two letters at ten a second, the second comes a tenth of a second behind the first, or later.
        self.assertGreaterEqual(time.monotonic() - began, 0.1)
        self.assertEqual(self.values(), ["1", "3", "0", "2"])
        self.assertTrue(all(row["replayed"] for row in self.listed()))
        self.seriatim("dlq", "replay", "t.DLQ")
        self.assertEqual(len(self.values()), 4)

    def test_letters_go_to_another_topic(self):
        self.create("other")
        self.bury("a")
        self.seriatim("dlq", "replay", "t.DLQ", "--to", "other")
        self.assertEqual(self.values("other"), ["a"])
        self.assertEqual(self.values(), [])

    def test_letters_are_purged(self):
        for i in range(3):
            self.bury(str(i))
        _, err = self.seriatim("dlq", "purge", "t.DLQ", "-p", "0", "--before", "2", "--dry-run")
        self.assertIn(b"offsets 0 up to but excluding 2", err)
        self.assertEqual(len(self.listed()), 3)
        self.seriatim("dlq", "purge", "t.DLQ", "-p", "0", "--before", "2", "--yes")
        self.assertEqual([row["offset"] for row in self.listed()], [2])
        self.seriatim("dlq", "purge", "t.DLQ", "--all", "--yes")
        self.assertEqual(self.listed(), [])

    def test_wrong_words_are_answered(self):
        self.bury("a")
        for rate in ("0/s", "fast", "10/h", "-1/s"):
            self.seriatim("dlq", "replay", "t.DLQ", f"--rate={rate}", status=2)
        for options in ([], ["--before", "1"], ["--all", "--before", "1", "-p", "0"]):
            self.seriatim("dlq", "purge", "t.DLQ", *options, "--yes", status=2)
        for place in ("t.DLQ", "t.DLQ:0", "t.DLQ:0@x", "t.DLQ@1"):
            self.seriatim("dlq", "show", place, status=2)
        self.seriatim("dlq", "list", "t.DLQ", "--from", "then", status=2)
        for command in (["list", "no"], ["replay", "no"], ["purge", "no", "--all", "--yes"], ["replay", "t.DLQ", "--to", "no"]):
            self.seriatim("dlq", *command, status=3)
        self.assertEqual(self.values(), [])


if __name__ == "__main__":
    main()
