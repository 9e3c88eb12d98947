#!/usr/bin/env python3
"""What the command shows of transactions, in a log that is written here byte by byte."""

import json
import os

from batches import ABORT, COMMIT, PRODUCER, TRANSACTIONAL, batch, marker
from command import CommandTest, main


class Transactions(CommandTest):
    def setUp(self):
        super().setUp()
        self.create("t")
        self.produce("t", [b"plain-0"])
        in_transaction = lambda offset, value, number, sequence: batch(
            offset, b"k", value, TRANSACTIONAL, PRODUCER + number, 0, sequence)
        with open(os.path.join(self.data, "log", "t-0", "0" * 20 + ".log"), "ab") as log:
            log.write(in_transaction(1, b"aborted-1", 1, 0))
            log.write(in_transaction(2, b"committed-2", 2, 0))
            log.write(marker(3, ABORT, 1, 1))
            log.write(marker(4, COMMIT, 2, 1))
            log.write(batch(5, b"k", b"plain-5"))
            log.write(in_transaction(6, b"open-6", 3, 0))
            log.write(batch(7, b"k", b"plain-7"))

    def values(self, *options):
        return [record["value"] for record in self.records("t", *options)]

    def test_consume_shows_committed_records_up_to_what_is_open(self):
        committed = ["plain-0", "committed-2", "plain-5"]
        self.assertEqual(self.values(), committed)
        self.assertEqual(self.values("--isolation-level", "read_committed"), committed)

    def test_consume_read_uncommitted_shows_all_but_markers(self):
        self.assertEqual(self.values("--isolation-level", "read_uncommitted"),
                         ["plain-0", "aborted-1", "committed-2", "plain-5", "open-6", "plain-7"])

    def test_an_unknown_level_is_answered_with_the_known_ones(self):
        _, err = self.seriatim("consume", "t", "--isolation-level", "serializable", status=2)
        self.assertIn(b"read_committed", err)

    def test_tail_get_and_count_show_what_is_committed(self):
        out, _ = self.seriatim("tail", "t", "-e", "-n", "2", "-f", "%v\\n")
        self.assertEqual(out, b"committed-2\nplain-5\n")
        _, err = self.seriatim("get", "t:0@1", status=3)
        self.assertIn(b"aborted", err)
        out, _ = self.seriatim("count", "t", "--scan", "--output", "jsonl")
        self.assertEqual(json.loads(out)["records"], 3)

    def test_describe_tells_where_something_is_open(self):
        out, _ = self.seriatim("topic", "describe", "t", "--output", "json")
        partition = json.loads(out)["partitions"][0]
        self.assertEqual((partition["last_stable"], partition["high_watermark"]), (6, 8))

    def test_dump_shows_producers_and_markers(self):
        out, _ = self.seriatim("dump", "t:0", "--records", "--output", "jsonl")
        rows = [json.loads(line) for line in out.splitlines()]
        batches = {row["base_offset"]: row for row in rows if "base_offset" in row}
        self.assertEqual([offset for offset, row in batches.items() if row["transactional"]], [1, 2, 3, 4, 6])
        self.assertEqual([offset for offset, row in batches.items() if row["control"]], [3, 4])
        first = batches[1]
        self.assertEqual((first["producer_id"], first["producer_epoch"], first["base_sequence"]), (PRODUCER + 1, 0, 0))
        self.assertEqual([row["control_type"] for row in rows if "control_type" in row], ["abort", "commit"])


if __name__ == "__main__":
    main()
