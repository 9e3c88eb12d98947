#!/usr/bin/env python3
"""delayed: messages that wait for their time, in the command."""

import json
import signal
import time

from command import CommandTest, main


class Delayed(CommandTest):
    def setUp(self):
        super().setUp()
        self.create("t")

    def schedule(self, value, *options):
        out, _ = self.seriatim("delayed", "schedule", "d", "t", value, *options)
        return out.decode().strip()

    def listed(self, *options):
        out, _ = self.seriatim("delayed", "list", *options, "--output", "jsonl")
        return [json.loads(line) for line in out.splitlines()]

    def values(self):
        return [record["value"] for record in self.records("t")]

    def test_messages_are_listed_in_due_order_page_by_page(self):
        for i in range(70):
            self.schedule(str(i), "--in", f"{100 - i}h")
        self.assertEqual([row["value"] for row in self.listed()], [str(i) for i in range(69, -1, -1)])
        self.assertEqual([row["value"] for row in self.listed("d", "-n", "33")], [str(i) for i in range(69, 36, -1)])
        self.assertEqual(self.listed("other"), [])
        out, _ = self.seriatim("delayed", "count", "-j")
        self.assertEqual(json.loads(out), [{"name": "d", "pending": 70, "parked": 0}])

    def test_once_delivers_what_is_due(self):
        self.schedule("later", "--at", "2100-01-01")
        self.schedule("now", "--in", "0s", "-k", "k")
        _, err = self.seriatim("delayed", "run", "d", "--once")
        self.assertIn(b"1 message delivered", err)
        self.assertEqual(self.values(), ["now"])
        self.assertEqual([row["due"] for row in self.listed()], [4102444800000])

    def test_run_delivers_until_it_is_interrupted(self):
        self.schedule("a", "--in", "1h", "--id", "x")
        self.seriatim("delayed", "reschedule", "d", "x", "--in", "100ms")
        process = self.start("-d", self.data, "delayed", "run", "d")
        while self.values() != ["a"]:
            self.assertIsNone(process.poll())
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate()
        self.assertEqual(process.returncode, 128 + signal.SIGTERM, err)
        self.assertIn(b"1 message delivered", err)

    def test_a_message_of_a_deleted_topic_is_parked_and_tried_again(self):
        message = self.schedule("v", "--in", "0s")
        self.seriatim("topic", "delete", "t", "--yes")
        self.seriatim("delayed", "run", "d", "--once")
        self.assertEqual(self.listed(), [])
        parked = self.listed("--parked")
        self.assertEqual([row["id"] for row in parked], [message])
        self.assertIn("no topic t", parked[0]["parked_for"])
        self.create("t")
        self.seriatim("delayed", "retry", "d", message)
        self.seriatim("delayed", "retry", "d", message, status=3)
        self.seriatim("delayed", "run", "d", "--once")
        self.assertEqual(self.values(), ["v"])

    def test_wrong_words_are_answered(self):
        for options in ([], ["--in", "1h", "--at", "2100-01-01"], ["--in", "soon"], ["--at", "then"]):
            self.seriatim("delayed", "schedule", "d", "t", "v", *options, status=2)
        self.seriatim("delayed", "schedule", "d", "no", "v", "--in", "1h", status=3)
        self.assertEqual(self.listed(), [])
        self.schedule("v", "--in", "1h", "--id", "x")
        self.seriatim("delayed", "schedule", "d", "t", "v", "--in", "1h", "--id", "x", status=2)
        for command in (["cancel", "d", "y"], ["reschedule", "d", "y", "--in", "1h"], ["retry", "d", "x"]):
            self.seriatim("delayed", *command, status=3)
        for command in (["cancel", "e", "x"], ["run", "e"], ["run", "e", "--once"]):
            _, err = self.seriatim("delayed", *command, status=3)
            self.assertIn(b"Did you mean d?", err)
        self.seriatim("delayed", "cancel", "d", "x")
        self.assertEqual(self.listed(), [])


if __name__ == "__main__":
    main()
