#!/usr/bin/env python3
"""share: how far the groups are that work off single records, and how that is changed."""

import json
import os
import subprocess

from command import CommandTest, main


class ShareCommands(CommandTest):
    def rows(self, *words, **options):
        return json.loads(self.seriatim("share", *words, "-j", **options)[0])

    def offsets(self, group):
        """{(topic, partition): (start, end, lag)}"""
        return {(row["topic"], row["partition"]): (row["start"], row["end"], row["lag"]) for row in self.rows("offsets", group)}

    def work(self, topic, group, script="true", *options):
        self.seriatim("work", topic, "--group", group, "--exit-when-empty", *options, "--", "sh", "-c", script)

    def fill(self, topic="t", partitions=1, records=3):
        self.create(topic, partitions)
        for partition in range(partitions):
            self.produce(topic, [b"%d" % i for i in range(records)], "-p", str(partition))

    def start_writer(self):
        """A process that has the directory."""
        writer = self.start("-d", self.data, "produce", "t", stdin=subprocess.PIPE)
        for stream in (writer.stdin, writer.stdout, writer.stderr):
            self.addCleanup(stream.close)
        writer.stdin.write(b"x\n")
        writer.stdin.flush()
        self.start("-d", self.data, "consume", "t", "-c", "4").communicate(timeout=100)
        return writer

    # list, describe, offsets

    def test_listing_and_describing(self):
        self.fill(partitions=2)
        self.create("u")
        self.work("t", "audit")
        self.work("u", "billing")
        self.work("t", "billing")
        self.produce("t", [b"new"], "-p", "1")
        self.assertEqual(self.rows("list"), [{"group": "audit", "topics": 1, "partitions": 2, "lag": 1},
                                             {"group": "billing", "topics": 2, "partitions": 3, "lag": 1}])
        group = self.rows("describe", "billing")
        self.assertEqual((group["group"], group["state"], group["lag"]), ("billing", "empty", 1))
        self.assertEqual(group["config"]["share.record.lock.duration.ms"], "30000")
        self.assertEqual(group["partitions"][1], {"topic": "t", "partition": 1, "start": 3, "end": 4, "lag": 1, "acquired": 0, "damage": None})
        self.assertEqual(self.rows("offsets", "billing"), group["partitions"])
        out, _ = self.seriatim("share", "describe", "billing")
        self.assertRegex(out, rb"^share group billing   state empty   topics 2   partitions 3   lag 1\nconfig  all defaults\nTOPIC ")
        out, _ = self.seriatim("share", "list")
        self.assertEqual(out.splitlines()[0], b"GROUP    TOPICS  PARTITIONS  LAG")

    def test_records_behind_the_start_that_are_done_are_no_lag(self):
        self.fill(records=4)
        self.work("t", "g", 'test "$SERIATIM_OFFSET" = 1 && exit 1 || exit 0', "--deliveries", "1")
        self.assertEqual(self.offsets("g"), {("t", 0): (4, 4, 0)})
        script = 'if [ "$SERIATIM_OFFSET" = 1 ]; then kill -KILL $PPID; fi'
        self.run_command("-d", self.data, "work", "t", "--group", "h", "--jobs", "1", "--", "sh", "-c", script, status=-9)
        self.create("u")  # Somebody who writes has opened the directory: others see what the killed one did.
        self.assertEqual(self.offsets("h"), {("t", 0): (1, 4, 3)})

    def test_a_damaged_partition_hides_no_other(self):
        self.fill(partitions=2)
        self.work("t", "g")
        os.remove(os.path.join(self.data, "log", "t-0", "0" * 20 + ".index"))
        out, err = self.seriatim("share", "offsets", "g", "-j", status=4)
        self.assertIn(b"seriatim repair", err)
        damaged, sound = json.loads(out)
        self.assertEqual((damaged["lag"], sound["lag"]), (None, 0))
        self.assertIn("seriatim repair", damaged["damage"])
        self.seriatim("share", "list", status=4)
        self.seriatim("share", "describe", "g", status=4)

    # reset

    def reset(self, group, *options, status=0):
        out, err = self.seriatim("share", "reset", group, *options, "--output", "tsv", status=status)
        rows = [line.split("\t") for line in out.decode().splitlines()]
        return {(row[1], int(row[2])): int(row[3]) for row in rows[1:]}, err.decode()

    def test_a_reset_is_a_dry_run_unless_it_is_executed(self):
        self.fill(partitions=2)
        self.work("t", "g")
        places, err = self.reset("g", "--to-earliest")
        self.assertEqual(places, {("t", 0): 0, ("t", 1): 0})
        self.assertIn("nothing was changed. Add --execute to set 2 offsets", err)
        self.assertEqual(self.offsets("g"), {("t", 0): (3, 3, 0), ("t", 1): (3, 3, 0)})
        _, err = self.reset("g", "--to-earliest", "--topic", "t:1", "--execute")
        self.assertIn("set 1 offset of share group g", err)
        self.assertEqual(self.offsets("g"), {("t", 0): (3, 3, 0), ("t", 1): (0, 3, 3)})
        self.work("t", "g", 'echo "$SERIATIM_OFFSET x$SERIATIM_DELIVERY_COUNT" >> seen')
        with open(self.path("seen"), "rb") as file:
            self.assertEqual(file.read(), b"0 x1\n1 x1\n2 x1\n", "delivery counts are forgotten")

    def test_targets_of_a_reset(self):
        self.create("t")
        self.produce("t", [b'{"value":"%d","timestamp":%d}' % (i, 1_000_000 * i) for i in range(1, 11)], "-J")
        self.work("t", "g")
        def place(*options):
            return self.reset("g", *options)[0][("t", 0)]
        self.assertEqual(place("--to-earliest"), 0)
        self.assertEqual(place("--to-latest"), 10)
        self.assertEqual(place("--to-offset", "7"), 7)
        self.assertEqual(place("--to-datetime", "1970-01-01T01:23:20.000"), 4, "5,000 seconds: the fifth record")
        self.assertEqual(place("--by-duration", "PT15M"), 10, "no record is that young")
        _, err = self.reset("g", "--to-offset", "99")
        self.assertIn("t-0: offset 99 is beyond the log's end: 10 instead", err)
        for options in ([], ["--to-earliest", "--to-latest"]):
            _, err = self.reset("g", *options, status=2)
            self.assertIn("--to-earliest --to-latest --to-offset N --by-duration DURATION --to-datetime TIME", err)

    def test_a_reset_begins_a_new_group(self):
        self.fill()
        _, err = self.reset("new", "--to-latest", status=3)
        self.assertIn("--topic TOPIC", err)
        _, err = self.reset("new", "--to-offset", "2", "--topic", "t")
        self.assertIn("it would be new", err)
        self.assertEqual(self.rows("list"), [])
        _, err = self.reset("new", "--to-offset", "2", "--topic", "t", "--execute")
        self.assertIn("set 1 offset of the new share group new", err)
        self.assertEqual(self.offsets("new"), {("t", 0): (2, 3, 1)})

    # config

    def config(self, group):
        return {row["name"]: (row["value"], row["is_default"]) for row in self.rows("config", group)}

    def test_settings_are_shown_and_changed(self):
        self.seriatim("topic", "create", "t")
        _, err = self.seriatim("share", "config", "g", "share.delivery.count.limit=10", "share.record.lock.duration.ms=5m")
        self.assertIn(b"altered share group g", err)
        config = self.config("g")
        self.assertEqual(len(config), 11)
        self.assertEqual(config["share.delivery.count.limit"], ("10", False))
        self.assertEqual(config["share.record.lock.duration.ms"], ("300000", False))
        self.assertEqual(config["share.auto.offset.reset"], ("earliest", True))
        self.assertIn(b"config  share.delivery.count.limit=10  share.record.lock.duration.ms=300000\n", self.seriatim("share", "describe", "g")[0])
        self.seriatim("share", "config", "g", "share.delivery.count.limit=")
        self.assertEqual(self.config("g")["share.delivery.count.limit"], ("5", True))

    def test_every_setting_takes_what_is_shown_of_it(self):
        self.seriatim("topic", "create", "t")
        self.seriatim("share", "config", "g", "share.auto.offset.reset=by_duration:P1DT2H0.5S", "share.retry.backoff.jitter=0.35",
                      "errors.deadletterqueue.topic.name=dead")
        shown = {name: value for name, (value, _) in self.config("g").items()}
        self.seriatim("share", "config", "h", *(f"{name}={value}" for name, value in shown.items()))
        self.assertEqual({name: value for name, (value, _) in self.config("h").items()}, shown)

    def test_a_setting_that_is_none_changes_nothing(self):
        self.seriatim("topic", "create", "t")
        for setting, text in (("share.delivery.limit=1", b"share.delivery.limit"), ("share.delivery.count.limit=0", b"share.delivery.count.limit"),
                              ("share.isolation.level", b"NAME=VALUE"), ("=1", b"NAME=VALUE")):
            _, err = self.seriatim("share", "config", "g", setting, status=2)
            self.assertIn(text, err)
        self.assertEqual(self.rows("list"), [])

    # delete

    def test_deletion(self):
        self.fill()
        self.work("t", "g")
        self.work("t", "h")
        _, err = self.seriatim("share", "delete", "g", "--dry-run")
        self.assertIn(b"share group g: 1 partition of 1 topic, lag 0", err)
        self.seriatim("share", "delete", "g", status=2)
        self.assertEqual(len(self.rows("list")), 2)
        self.seriatim("share", "delete", "g", "--yes")
        self.assertEqual([row["group"] for row in self.rows("list")], ["h"])
        self.seriatim("share", "delete-offsets", "h", "t", "--dry-run")
        self.assertEqual(self.offsets("h"), {("t", 0): (3, 3, 0)})
        _, err = self.seriatim("share", "delete-offsets", "h", "t")
        self.assertIn(b"deleted 1 offset of share group h", err)
        self.seriatim("share", "delete-offsets", "h", "nothing", status=3)
        self.work("t", "h", 'echo "$SERIATIM_DELIVERY_COUNT" >> seen')
        with open(self.path("seen"), "rb") as file:
            self.assertEqual(file.read(), b"1\n1\n1\n", "it begins at the log's start again")

    # names, and the directory

    def test_a_name_that_is_no_share_group_is_told(self):
        self.fill()
        self.work("t", "queue")
        self.seriatim("consume", "t", "-g", "reader", "-e")
        words = (["describe"], ["offsets"], ["config"], ["reset", "--to-earliest"], ["delete", "--yes"], ["delete-offsets"])
        for first, *options in words:
            rest = ["t"] if first == "delete-offsets" else []
            _, err = self.seriatim("share", first, "queu", *rest, *options, status=3)
            self.assertIn(b"Did you mean queue?", err)
            _, err = self.seriatim("share", first, "reader", *rest, *options, status=3)
            self.assertIn(b"reader is a consumer group", err)
            self.assertIn(b"seriatim group describe reader", err)
        _, err = self.seriatim("share", "config", "reader", "share.delivery.count.limit=3", status=3)
        self.assertIn(b"reader is a consumer group", err)
        for words in (["describe"], ["lag"], ["export"], ["reset", "--to-earliest"], ["delete", "--yes"], ["delete-offsets", "--topic", "t"],
                      ["reset", "--to-earliest", "--topic", "t", "--execute"]):
            _, err = self.seriatim("group", words[0], "queue", *words[1:], status=3)
            self.assertIn(b"queue is a share group", err)
            self.assertIn(b"seriatim share describe queue", err)
        self.seriatim("consume", "t", "-g", "queue", "-e", status=3)

    def test_beside_a_writer_looking_works_and_changing_says_who_has_the_directory(self):
        self.fill()
        self.work("t", "g")
        writer = self.start_writer()
        self.assertEqual(self.offsets("g"), {("t", 0): (3, 4, 1)})
        self.assertEqual(self.rows("describe", "g")["state"], "unknown")
        self.assertEqual(len(self.rows("list")), 1)
        self.config("g")
        self.seriatim("share", "reset", "g", "--to-earliest")
        self.seriatim("share", "delete", "g", "--dry-run")
        self.seriatim("share", "delete-offsets", "g", "t", "--dry-run")
        for words in (["reset", "g", "--to-earliest", "--execute"], ["delete", "g", "-y"], ["delete-offsets", "g", "t"],
                      ["config", "g", "share.delivery.count.limit=3"]):
            _, err = self.seriatim("share", *words, status=6)
            self.assertIn(b"process %d " % writer.pid, err)
            self.assertIn(b"ShareGroups::", err)
        writer.stdin.close()
        self.assertEqual(writer.wait(60), 0)


if __name__ == "__main__":
    main()
