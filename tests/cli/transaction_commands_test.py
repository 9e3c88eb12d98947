#!/usr/bin/env python3
"""txn, producer, state, and produce in transactions."""

import json
import os
import signal
import struct
import subprocess

from batches import PRODUCER, TRANSACTIONAL, batch
from command import CommandTest, main


class TransactionCommands(CommandTest):
    def rows(self, *words):
        out, _ = self.seriatim(*words, "--output", "json")
        return json.loads(out)

    def values(self):
        return [record["value"] for record in self.records("t")]

    def test_produce_commits_every_n_records_and_the_rest_at_the_end(self):
        self.create("t")
        err = self.produce("t", [b"%d" % i for i in range(7)], "--transactional-id", "importer", "--every", "3")
        self.assertIn(b"sent 7 records", err)
        self.assertIn(b"3 transactions", err)
        self.assertEqual(self.values(), [str(i) for i in range(7)])
        offsets = [record["offset"] for record in self.records("t")]
        self.assertEqual(offsets, [0, 1, 2, 4, 5, 6, 8], "a marker behind every third, and behind the rest")
        one = self.rows("txn", "describe", "importer")
        self.assertEqual((one["state"], one["partitions"]), ("empty", []))

    def test_without_every_all_records_are_one_transaction(self):
        self.create("t")
        err = self.produce("t", [b"a", b"b"], "--transactional-id", "importer")
        self.assertIn(b"1 transaction", err)
        self.assertEqual(self.values(), ["a", "b"])

    def test_an_error_in_the_input_aborts_the_open_transaction_only(self):
        self.create("t")
        lines = b'{"value":"a"}\n{"value":"b"}\n{"value":"c"}\nno json\n'
        report = self.path("acks")
        _, err = self.seriatim("produce", "t", "-J", "--transactional-id", "i", "--every", "2", "--report-acks", report,
                               stdin=lines, status=1)
        self.assertIn(b"aborted 1 record", err)
        self.assertEqual(self.values(), ["a", "b"])
        with open(report, encoding="ascii") as file:
            self.assertEqual(file.read(), "t 0 0 1\n", "only what was committed is acknowledged")

    def test_options_that_contradict_are_refused(self):
        self.create("t")
        _, err = self.seriatim("produce", "t", "--every", "5", status=2)
        self.assertIn(b"--transactional-id", err)
        _, err = self.seriatim("produce", "t", "--transactional-id", "i", "--acks", "none", status=2)
        self.assertIn(b"acks", err)

    def test_beside_the_writer_the_open_transaction_is_seen_and_after_a_kill_it_is_aborted(self):
        self.create("t", 2)
        writer = self.start("-d", self.data, "produce", "t", "-p", "1", "--transactional-id", "importer", "--every", "2",
                            stdin=subprocess.PIPE)
        self.addCleanup(writer.stderr.close)
        self.addCleanup(writer.stdout.close)
        writer.stdin.write(b"a\nb\nc\n")
        writer.stdin.flush()
        reader = self.start("-d", self.data, "consume", "t", "-J", "-c", "3", "--isolation-level", "read_uncommitted")
        reader.communicate(timeout=100)
        one = self.rows("txn", "describe", "importer")
        self.assertEqual((one["state"], one["partitions"]), ("ongoing", [{"topic": "t", "partition": 1}]))
        self.assertGreaterEqual(one["producer_id"], PRODUCER)
        status = self.rows("status")["transactions"]
        self.assertEqual(status, {"ids": 1, "open": 1, "hanging": 0})
        producer = self.rows("producer", "describe", "t:1")[0]
        self.assertEqual((producer["producer_id"], producer["last_sequence"], producer["transaction_start"]),
                         (one["producer_id"], 0, 3))
        self.assertEqual(self.rows("txn", "find-hanging"), [])
        _, err = self.seriatim("txn", "abort", "importer", status=6)
        self.assertIn(b"LOCKED", err)
        writer.send_signal(signal.SIGKILL)
        writer.wait(timeout=60)
        writer.stdin.close()
        self.seriatim("txn", "abort", "importer")
        self.assertEqual(self.rows("txn", "list"),
                         [{"transactional_id": "importer", "producer_id": one["producer_id"], "epoch": one["epoch"] + 1,
                           "state": "empty", "partitions": 0}])
        self.assertEqual(self.values(), ["a", "b"])

    def test_a_transaction_of_another_log_hangs(self):
        self.create("t")
        self.produce("t", [b"plain"])
        with open(os.path.join(self.data, "log", "t-0", "0" * 20 + ".log"), "ab") as log:
            log.write(batch(1, b"k", b"v", TRANSACTIONAL, PRODUCER + 5, 3, 0))
        self.assertEqual(self.rows("txn", "find-hanging"),
                         [{"place": "t:0", "producer_id": PRODUCER + 5, "epoch": 3, "start_offset": 1, "last_timestamp": 1,
                           "transactional_id": None, "damage": None}])
        self.assertEqual(self.rows("status")["transactions"]["hanging"], 1)
        out, _ = self.seriatim("status")
        self.assertIn(b"seriatim txn find-hanging", out)

    def test_a_hanging_transaction_is_aborted_and_readers_go_on(self):
        self.create("t")
        writer = self.start("-d", self.data, "produce", "t", stdin=subprocess.PIPE)
        for stream in (writer.stdin, writer.stdout, writer.stderr):
            self.addCleanup(stream.close)
        writer.stdin.write(b"plain\n")
        writer.stdin.flush()
        reader = self.start("-d", self.data, "consume", "t", "-c", "1")
        reader.communicate(timeout=100)
        writer.kill()
        writer.wait(timeout=60)
        # The producer id is of another cluster, so that recovery leaves its transaction alone.
        with open(os.path.join(self.data, "log", "t-0", "0" * 20 + ".log"), "r+b") as log:
            end = struct.unpack(">qi", log.read(12))[1] + 12
            log.seek(end)
            self.assertEqual(log.read(12), bytes(12), "one batch is stored")
            log.seek(end)
            log.write(batch(1, b"k", b"v", TRANSACTIONAL, 5, 3, 0) + batch(2, b"k", b"behind"))
        self.seriatim("txn", "abort-hanging", "t:0", status=2)
        self.seriatim("txn", "abort-hanging", "t:0", "--start-offset", "1", status=2)
        self.seriatim("txn", "abort-hanging", "t:0", "--start-offset", "1", "--dry-run")
        self.assertEqual(self.rows("txn", "find-hanging")[0]["start_offset"], 1)
        self.assertEqual(self.values(), ["plain"])
        self.seriatim("txn", "abort-hanging", "t:0", "--start-offset", "1", "--yes")
        self.assertEqual(self.values(), ["plain", "behind"])
        self.assertEqual(self.rows("txn", "find-hanging"), [])
        self.seriatim("txn", "abort-hanging", "t:0", "--start-offset", "1", "--yes", status=1)

    def test_a_damaged_partition_hides_no_other(self):
        self.create("t", 2)
        for partition in ("0", "1"):
            self.produce("t", [b"a"], "-p", partition, "--transactional-id", "importer")
        os.remove(os.path.join(self.data, "log", "t-0", "0" * 20 + ".index"))
        with open(os.path.join(self.data, "log", "t-1", "0" * 20 + ".log"), "ab") as log:
            log.write(batch(2, b"k", b"v", TRANSACTIONAL, PRODUCER + 5, 3, 0))
        out, _ = self.seriatim("txn", "find-hanging", "-j", status=4)
        damaged, hanging = json.loads(out)
        self.assertEqual((damaged["place"], damaged["producer_id"]), ("t:0", None))
        self.assertIn("seriatim repair", damaged["damage"])
        self.assertEqual((hanging["place"], hanging["start_offset"], hanging["damage"]), ("t:1", 2, None))
        for words in (("list",), ("describe", "importer")):
            out, err = self.seriatim("txn", *words, "-j", status=4)
            self.assertIn(b'"importer"', out)
            self.assertIn(b"t-0 cannot be opened", err)
        self.assertEqual(len(self.rows("producer", "describe", "t:1")), 2)
        self.seriatim("producer", "describe", "t:0", status=4)
        out, _ = self.seriatim("status", "-j", status=4)
        self.assertEqual(json.loads(out)["transactions"], {"ids": 1, "open": 0, "hanging": 1})

    def test_unknown_names_are_answered_with_the_nearest(self):
        self.create("t")
        self.produce("t", [b"a"], "--transactional-id", "importer")
        for command in ("describe", "abort"):
            _, err = self.seriatim("txn", command, "imporetr", status=3)
            self.assertIn(b"Did you mean importer?", err)
        _, err = self.seriatim("state", "get", "balances", "k", status=3)
        self.assertIn(b"seriatim state list", err)
        _, err = self.seriatim("producer", "forget", "nobody", status=3)
        self.assertIn(b"nobody", err)
        _, err = self.seriatim("producer", "describe", "t", status=2)
        self.assertIn(b"TOPIC:PARTITION", err)
        _, err = self.seriatim("producer", "describe", "t:9", status=3)
        self.assertIn(b"no partition 9", err)
        self.assertEqual(self.rows("producer", "list"), [])
        self.assertEqual(self.rows("state", "list"), [])


if __name__ == "__main__":
    main()
