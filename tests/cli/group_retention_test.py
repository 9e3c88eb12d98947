#!/usr/bin/env python3
"""Retention by consumption: topics that name groups, as `topic` and `du` show it."""

import json
import os

from command import CommandTest, main

LINE = b"x" * 400  # Two to a segment.


class GroupRetention(CommandTest):
    def rows(self, *words):
        return json.loads(self.seriatim(*words, "-j")[0])

    def fill(self, *settings):
        options = [word for setting in ("segment.bytes=1024", *settings) for word in ("--config", setting)]
        self.create("t", 1, *options)
        for _ in range(6):
            self.produce("t", [LINE])

    def partition(self):
        return self.rows("topic", "describe", "t")["partitions"][0]

    def held_back(self, by="topic"):
        return {row[by]: (row["held_back_bytes"], row["held_back_by"]) for row in self.rows("du", "--by", by)}

    def test_what_a_group_has_read_goes_with_the_next_pass(self):
        self.fill("retention.consumed.groups=billing, audit")
        self.seriatim("consume", "t", "-g", "billing", "-e")
        found = self.partition()
        self.assertEqual((found["consumed_to"], found["consumed_by"]), (0, "audit"))
        self.assertEqual((found["kept_from"], found["kept_for"], found["held_back_bytes"]), (None, None, 0))
        self.seriatim("topic", "trim", "t")
        self.assertEqual(self.partition()["log_start"], 0)
        self.seriatim("consume", "t", "-g", "audit", "-c", "3")
        self.seriatim("topic", "trim", "t")
        found = self.partition()
        self.assertEqual((found["log_start"], found["consumed_to"], found["consumed_by"]), (2, 3, "audit"))
        self.assertNotIn("held_back_bytes", self.rows("du")[0], "no group keeps anything")

    def test_what_a_group_has_not_read_stays_and_is_counted(self):
        self.fill("retention.bytes=0", "retention.unread.groups=billing")
        self.seriatim("topic", "trim", "t")
        found = self.partition()
        self.assertEqual((found["log_start"], found["kept_from"], found["kept_for"]), (0, 0, "billing"))
        self.assertEqual(found["held_back_bytes"], found["size_bytes"])
        self.assertEqual(self.held_back()["t"], (found["size_bytes"], "billing"))
        self.assertEqual(self.held_back("partition")["t-0"], (found["size_bytes"], "billing"))
        self.assertEqual(self.held_back()["journal"], (None, None))
        self.assertNotIn("held_back_bytes", self.rows("du", "--by", "file")[0])
        self.seriatim("consume", "t", "-g", "billing", "-e")
        self.assertEqual(self.held_back()["t"], (0, None))
        self.seriatim("topic", "trim", "t")
        self.assertEqual(self.partition()["log_start"], 6)

    def test_the_settings_are_shown_changed_and_taken_back(self):
        self.fill("retention.unread.groups=a,b")
        self.assertIn(b"retention.unread.groups=a,b", self.seriatim("topic", "describe", "t")[0])
        self.assertIn(b"KEPT_FOR", self.seriatim("topic", "describe", "t")[0])
        self.seriatim("topic", "alter", "t", "--config", "retention.unread.groups=c")
        self.assertEqual(self.partition()["kept_for"], "c")
        _, err = self.seriatim("topic", "alter", "t", "--config", "retention.unread.groups=a,,b", status=2)
        self.assertIn(b"retention.unread.groups", err)
        self.seriatim("topic", "alter", "t", "--reset", "retention.unread.groups")
        self.assertNotIn("kept_for", self.partition())

    def test_du_goes_on_where_the_catalog_cannot_be_read(self):
        self.fill("retention.unread.groups=a")
        os.truncate(os.path.join(self.data, "catalog", "data.mdb"), 100)
        out, err = self.seriatim("du")
        self.assertIn(b"t-0", out)
        self.assertIn(b"what groups keep from being deleted is not known", err)


if __name__ == "__main__":
    main()
