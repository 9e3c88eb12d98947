#!/usr/bin/env python3
"""group: what groups have committed, how far they are behind, and how that is changed."""

import json
import os
import signal
import subprocess

from command import CommandTest, main


class GroupCommands(CommandTest):
    def rows(self, *words, **options):
        return json.loads(self.seriatim(*words, "-j", **options)[0])

    def lag(self, group, topic=None):
        """{partition: (committed, end, lag)}"""
        return {row["partition"]: (row["committed"], row["end"], row["lag"])
                for row in self.rows("group", "lag", group) if topic in (None, row["topic"])}

    def offsets(self, group):
        """{(topic, partition): offset}"""
        lines = self.seriatim("group", "export", group)[0].decode().splitlines()
        return {(topic, int(partition)): int(offset) for topic, partition, offset in (line.split(",") for line in lines)}

    def consume(self, topic, group, *options):
        return self.seriatim("consume", topic, "-g", group, *options)[0]

    def fill(self, topic="t", partitions=1, records=3):
        self.create(topic, partitions)
        for partition in range(partitions):
            self.produce(topic, [b"%d" % i for i in range(records)], "-p", str(partition))

    def start_writer(self):
        """A process that has the directory, and has written "x" behind the three records of topic t."""
        writer = self.start("-d", self.data, "produce", "t", stdin=subprocess.PIPE)
        for stream in (writer.stdin, writer.stdout, writer.stderr):
            self.addCleanup(stream.close)
        writer.stdin.write(b"x\n")
        writer.stdin.flush()
        self.start("-d", self.data, "consume", "t", "-c", "4").communicate(timeout=100)
        return writer

    # consume -g

    def test_consuming_with_a_group_leaves_it_at_the_end_of_what_was_printed(self):
        self.fill(partitions=3)
        self.create("empty", 2)
        self.assertEqual(len(self.consume("t", "g", "-o", "beginning", "-e").split()), 9)
        self.assertEqual(self.lag("g"), {0: (3, 3, 0), 1: (3, 3, 0), 2: (3, 3, 0)})
        self.assertEqual(set(self.rows("group", "lag", "g")[0]), {"topic", "partition", "committed", "end", "lag"})
        self.assertEqual(self.consume("t", "g", "-e"), b"")
        self.produce("t", [b"new"], "-p", "1")
        self.assertEqual(self.lag("g")[1], (3, 4, 1))
        self.assertEqual(self.consume("t", "g", "-e"), b"new\n")
        self.assertEqual(self.consume("empty", "g", "-o", "beginning", "-e"), b"")
        self.assertEqual(self.lag("g", "empty"), {0: (0, 0, 0), 1: (0, 0, 0)}, "what has nothing to print is consumed")

    def test_behind_transaction_markers_no_lag_is_left(self):
        self.create("t")
        self.produce("t", [b"a", b"b"], "--transactional-id", "i", "--every", "1")
        self.assertEqual(self.consume("t", "g", "-o", "beginning", "-e"), b"a\nb\n")
        self.assertEqual(self.lag("g"), {0: (4, 4, 0)})

    def test_where_aborted_records_follow_no_lag_is_left(self):
        self.create("t")
        self.produce("t", [b"a"])
        self.seriatim("produce", "t", "-J", "--transactional-id", "i", stdin=b'{"value":"gone"}\nno json\n', status=1)
        self.assertEqual(self.consume("t", "g", "-o", "beginning", "-e"), b"a\n")
        self.assertEqual(self.lag("g"), {0: (3, 3, 0)})
        self.seriatim("group", "reset", "g", "--to-offset", "1", "--execute")
        self.assertEqual(self.lag("g"), {0: (1, 3, 0)}, "nothing that a reader is shown lies behind")
        self.seriatim("group", "reset", "g", "--to-earliest", "--execute")
        self.assertEqual(self.lag("g"), {0: (0, 3, 3)})

    def test_what_was_not_printed_is_not_committed(self):
        self.fill(records=10)
        self.consume("t", "count", "-c", "4")
        self.consume("t", "stop", "-o", "0:6")
        self.consume("t", "both", "-o", "2:6", "-c", "1")
        self.assertEqual([self.lag(g)[0][0] for g in ("count", "stop", "both")], [4, 6, 3])

    def test_no_commit_leaves_the_group_as_it_is_and_works_beside_a_writer(self):
        self.fill()
        self.consume("t", "g", "-c", "1")
        writer = self.start_writer()
        _, err = self.seriatim("consume", "t", "-g", "g", "-e", status=6)
        self.assertIn(b"--no-commit", err)
        self.assertEqual(self.consume("t", "g", "--no-commit", "-e"), b"1\n2\nx\n")
        self.assertEqual(self.lag("g"), {0: (1, 4, 3)})
        writer.stdin.close()
        self.assertEqual(writer.wait(60), 0)
        _, err = self.seriatim("consume", "t", "-g", "g", "--commit", "--no-commit", status=2)
        self.assertIn(b"contradict", err)

    def test_an_interrupted_reader_leaves_what_was_printed_and_nothing_else(self):
        self.fill("t")
        self.create("u")
        for topics, printed in ((["t", "u"], 3), (["u"], 0)):
            reader = self.start("-d", self.data, "consume", *topics, "-g", topics[0], "-o", "beginning")
            for _ in range(printed):
                reader.stdout.readline()
            while not printed and not self.has_writer():
                self.assertIsNone(reader.poll())
            reader.send_signal(signal.SIGINT)
            self.assertEqual(reader.wait(60), 130)
            reader.stdout.close()
            reader.stderr.close()
        self.assertEqual(self.rows("group", "list"), [{"group": "t", "topics": 1, "partitions": 1, "lag": 0}])
        self.assertEqual(self.offsets("t"), {("t", 0): 3})

    def has_writer(self):
        return self.rows("status")["writer"] is not None

    def test_a_position_that_is_reached_again_is_not_written_again(self):
        self.fill()
        self.consume("t", "g", "-e")
        before = self.rows("group", "describe", "g")
        self.consume("t", "g", "-e")
        self.assertEqual(self.rows("group", "describe", "g"), before)

    # list, describe, lag

    def test_listing_and_describing(self):
        self.fill(partitions=2)
        self.create("u")
        self.consume("t", "billing", "-p", "0", "-c", "1")
        self.consume("u", "billing", "-e")
        self.consume("t", "audit", "-e")
        self.assertEqual(self.rows("group", "list"), [{"group": "audit", "topics": 1, "partitions": 2, "lag": 0},
                                                      {"group": "billing", "topics": 2, "partitions": 3, "lag": 5}])
        group = self.rows("group", "describe", "billing")
        self.assertEqual((group["group"], group["state"], group["lag"]), ("billing", "empty", 5))
        first, second = group["partitions"][:2]
        self.assertGreater(first.pop("commit_time"), 1_600_000_000_000)
        self.assertEqual(first, {"topic": "t", "partition": 0, "committed": 1, "metadata": "", "log_start": 0, "end": 3, "lag": 2,
                                 "damage": None})
        self.assertEqual((second["committed"], second["metadata"], second["lag"]), (None, None, 3), "never committed: from the log start")
        out, _ = self.seriatim("group", "describe", "billing")
        self.assertRegex(out, rb"^group billing   state empty   topics 2   partitions 3   lag 5\nTOPIC ")
        self.assertIn(b" - ", out)
        rows = self.rows("group", "lag", "billing", "audit")
        self.assertEqual({row["group"] for row in rows}, {"audit", "billing"}, "with several groups the rows name them")

    def test_beside_a_writer_looking_works_and_changing_says_who_has_the_directory(self):
        self.fill()
        self.consume("t", "g", "-e")
        writer = self.start_writer()
        self.assertEqual(self.lag("g"), {0: (3, 4, 1)})
        self.assertEqual(self.rows("group", "describe", "g")["state"], "unknown")
        self.assertIn(b"(pid %d)" % writer.pid, self.seriatim("group", "describe", "g")[1])
        self.assertEqual(self.offsets("g"), {("t", 0): 3})
        self.seriatim("group", "reset", "g", "--to-earliest")
        self.seriatim("group", "delete", "g", "--dry-run")
        self.seriatim("group", "delete-offsets", "g", "--topic", "t", "--dry-run")
        for words in (["reset", "g", "--to-earliest", "--execute"], ["delete", "g", "-y"], ["delete-offsets", "g", "--topic", "t"]):
            _, err = self.seriatim("group", *words, status=6)
            self.assertIn(b"process %d " % writer.pid, err)
            self.assertIn(b"Admin::", err)
        writer.stdin.close()
        self.assertEqual(writer.wait(60), 0)

    def test_watching_prints_what_changes_until_it_is_interrupted(self):
        self.fill()
        self.consume("t", "g", "-c", "1")
        watch = self.start("-d", self.data, "group", "lag", "g", "--watch", "--output", "jsonl")
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.stderr.close)
        self.assertEqual(json.loads(watch.stdout.readline())["lag"], 2)
        self.produce("t", [b"x"])
        self.assertEqual(json.loads(watch.stdout.readline())["lag"], 3)
        self.consume("t", "g", "-e")
        self.assertEqual(json.loads(watch.stdout.readline())["lag"], 0)
        watch.send_signal(signal.SIGTERM)
        self.assertEqual(watch.wait(60), 143)
        self.assertEqual(watch.stdout.read(), b"", "nothing is printed while nothing changes")

    def test_a_watch_ends_with_the_reader_of_its_output(self):
        self.fill()
        self.consume("t", "g", "-e")
        watch = self.start("-d", self.data, "group", "lag", "g", "--watch")
        self.addCleanup(watch.stderr.close)
        watch.stdout.readline()
        watch.stdout.close()
        self.assertEqual(watch.wait(60), 0)

    def test_a_damaged_partition_hides_no_other(self):
        self.fill(partitions=2)
        self.consume("t", "g", "-c", "1", "-p", "1")
        os.remove(os.path.join(self.data, "log", "t-0", "0" * 20 + ".index"))
        out, err = self.seriatim("group", "lag", "g", "-j", status=4)
        self.assertIn(b"seriatim repair", err)
        self.assertEqual([row["lag"] for row in json.loads(out)], [None, 2])
        self.seriatim("group", "list", status=4)
        damaged, sound = json.loads(self.seriatim("group", "describe", "g", "-j", status=4)[0])["partitions"]
        self.assertIn("seriatim repair", damaged["damage"])
        self.assertIsNone(sound["damage"])
        self.assertEqual(self.offsets("g"), {("t", 1): 1})

    # reset

    def reset(self, group, *options, status=0):
        out, err = self.seriatim("group", "reset", group, *options, "--output", "tsv", status=status)
        rows = [line.split("\t") for line in out.decode().splitlines()]
        return {(row[1], int(row[2])): int(row[3]) for row in rows[1:]}, err.decode()

    def test_a_reset_is_a_dry_run_unless_it_is_executed(self):
        self.fill(partitions=2)
        self.consume("t", "g", "-e")
        out, err = self.seriatim("group", "reset", "g", "--to-earliest")
        self.assertEqual(out, b"GROUP  TOPIC  PARTITION  NEW_OFFSET\ng      t              0           0\ng      t              1           0\n")
        self.assertIn(b"nothing was changed. Add --execute", err)
        self.assertEqual(self.offsets("g"), {("t", 0): 3, ("t", 1): 3})
        self.seriatim("group", "reset", "g", "--to-earliest", "--execute")
        self.assertEqual(self.offsets("g"), {("t", 0): 0, ("t", 1): 0})
        self.assertEqual(self.lag("g"), {0: (0, 3, 3), 1: (0, 3, 3)})

    def test_targets_of_a_reset(self):
        self.create("t")
        self.produce("t", [b'{"value":"%d","timestamp":%d}' % (i, 1_000_000 * i) for i in range(1, 11)], "-J")
        self.consume("t", "g", "-c", "4")
        def place(*options):
            return self.reset("g", *options)[0][("t", 0)]
        self.assertEqual(place("--to-earliest"), 0)
        self.assertEqual(place("--to-latest"), 10)
        self.assertEqual(place("--to-current"), 4)
        self.assertEqual(place("--to-offset", "7"), 7)
        self.assertEqual(place("--shift-by", "3"), 7)
        self.assertEqual(place("--shift-by", "-3"), 1)
        self.assertEqual(place("--shift-by=-3"), 1)
        self.assertEqual(place("--to-datetime", "1970-01-01T01:23:20.000"), 4, "5,000 seconds: the fifth record")
        self.assertEqual(place("--to-datetime", "1970-01-01T02:23:20.000+01:00"), 4)
        self.assertEqual(place("--to-datetime", "2999-01-01T00:00:00.000"), 10)
        self.assertEqual(place("--by-duration", "PT1H"), 10, "no record is that young")
        self.assertEqual(place("--by-duration", "P99999D"), 0)
        self.assertEqual(place("--by-duration", "99999d"), 0)

    def test_offsets_outside_the_log_are_set_to_its_ends_with_a_note(self):
        self.fill()
        self.seriatim("topic", "trim", "t", "--before", "1", "--yes")
        for options, offset, note in ((["--to-offset", "99"], 3, "offset 99 is beyond the log's end: 3 instead"),
                                      (["--to-offset", "0"], 1, "offset 0 is before the log's start: 1 instead")):
            found, err = self.reset("g", "--topic", "t", *options)
            self.assertEqual(found, {("t", 0): offset})
            self.assertIn(note, err)
        self.reset("g", "--topic", "t", "--to-offset", "2", "--execute")
        for by, offset in (("-9223372036854775807", 1), ("9223372036854775807", 3)):
            self.assertEqual(self.reset("g", "--shift-by", by)[0], {("t", 0): offset})

    def test_a_reset_takes_the_topics_and_partitions_that_are_named(self):
        self.fill(partitions=4)
        self.fill("u")
        self.consume("t", "g", "-p", "1", "-e")
        self.assertEqual(set(self.reset("g", "--to-earliest")[0]), {("t", p) for p in range(4)})
        self.assertEqual(set(self.reset("g", "--all-topics", "--to-earliest")[0]), {("t", p) for p in range(4)})
        self.assertEqual(self.reset("g", "--to-current")[0], {("t", 1): 3}, "where it is not, it cannot stay")
        self.assertEqual(self.reset("g", "--shift-by", "-1")[0], {("t", 1): 2})
        self.assertEqual(self.reset("g", "--to-latest", "--topic", "t:0,2-3", "--topic", "u")[0],
                         {("t", 0): 3, ("t", 2): 3, ("t", 3): 3, ("u", 0): 3})
        self.assertEqual(self.reset("g", "--to-current", "--topic", "t:0,1")[0], {("t", 0): 3, ("t", 1): 3})
        _, err = self.reset("g", "--shift-by", "1", "--topic", "t:0,1", status=2)
        self.assertIn("no committed offset of t-0", err)

    def test_an_unknown_group_is_begun_by_executing_and_only_with_topics(self):
        self.fill()
        found, err = self.reset("new", "--topic", "t", "--to-latest")
        self.assertEqual(found, {("t", 0): 3})
        self.assertIn("there is no group new yet", err)
        self.assertEqual(self.rows("group", "list"), [])
        self.reset("new", "--topic", "t", "--to-latest", "--execute")
        self.assertEqual(self.lag("new"), {0: (3, 3, 0)})
        _, err = self.reset("nwe", "--to-latest", status=3)
        self.assertIn("Did you mean new?", err)
        self.assertIn("--topic TOPIC", err)

    def test_a_reset_says_what_is_wrong_with_it(self):
        self.fill()
        self.consume("t", "g", "-e")
        for options, status, text in (([], 2, "--to-earliest"), (["--to-earliest", "--to-latest"], 2, "only one"),
                                      (["--to-latest", "--topic", "tt"], 3, "Did you mean t?"), (["--to-latest", "--topic", "t:1"], 3, "no partition 1"),
                                      (["--to-latest", "--topic", "t:"], 2, "colon"), (["--to-latest", "--topic", "t", "--all-topics"], 2, "contradict"),
                                      (["--by-duration", "P1Y"], 2, "PT15M"), (["--to-datetime", "yesterday"], 2, "yesterday"),
                                      (["--to-offset", "-1"], 2, "--to-offset"), (["--from-file", "none.csv"], 3, "none.csv"), (["--from-file", "."], 3, "cannot read"),
                                      (["--from-file", "none.csv", "--topic", "t"], 2, "names its partitions itself")):
            with self.subTest(options):
                self.assertIn(text, self.reset("g", *options, status=status)[1])
        self.assertEqual(self.offsets("g"), {("t", 0): 3})
        self.assertIn("group name", self.reset("", "--to-latest", "--topic", "t", status=2)[1])

    # export, import

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return name

    def test_offsets_are_exported_as_kafka_does_and_come_back(self):
        self.fill(partitions=2)
        odd = 'the "odd", one'
        self.consume("t", "g", "-p", "0", "-c", "1")
        self.consume("t", odd, "-p", "1", "-c", "2")
        one, _ = self.seriatim("group", "export", "g")
        self.assertEqual(one, b"t,0,1\n")
        both, _ = self.seriatim("group", "export", "g", odd)
        self.assertEqual(both, b'g,t,0,1\n"the ""odd"", one",t,1,2\n')
        self.assertEqual(self.seriatim("group", "export")[0], both)
        self.write("both.csv", both.decode())
        for group in ("g", odd):
            self.seriatim("group", "reset", group, "--to-latest", "--execute")
            self.seriatim("group", "import", group, "both.csv", "--execute")
        self.assertEqual(self.seriatim("group", "export")[0].splitlines()[:2], [b"g,t,0,1", b"g,t,1,3"])
        self.assertEqual(self.offsets(odd), {("t", 0): 3, ("t", 1): 2})
        self.seriatim("group", "import", "copy", "-", "--execute", stdin=one)
        self.assertEqual(self.offsets("copy"), {("t", 0): 1})
        self.assertEqual(json.loads(self.seriatim("group", "export", "copy", "-j")[0]),
                         [{"group": "copy", "topic": "t", "partition": 0, "offset": 1}])

    def test_a_file_is_clamped_to_the_log_and_a_dry_run_first(self):
        self.fill(partitions=2)
        file = self.write("offsets.csv", "t,1,99\r\n\r\nt,0,-4\r\n")
        out, err = self.seriatim("group", "reset", "g", "--from-file", file, "--export")
        self.assertEqual(out, b"t,0,0\nt,1,3\n")
        self.assertIn(b"t-1: offset 99 is beyond the log's end: 3 instead", err)
        self.assertEqual(self.rows("group", "list"), [])
        self.seriatim("group", "import", "g", file)
        self.assertEqual(self.rows("group", "list"), [])
        self.seriatim("group", "import", "g", file, "--execute")
        self.assertEqual(self.offsets("g"), {("t", 0): 0, ("t", 1): 3})

    def test_a_wrong_line_of_a_file_is_named_and_nothing_is_set(self):
        self.fill()
        for text, status, told in (("t,0,1\nt,0\n", 2, "line 2: it has 2 fields"), ("topic,partition,offset\n", 2, "line 1: \"partition\" is no partition"),
                                   ("t,0,x\n", 2, "\"x\" is no offset"), ("t,0,1\n\nt,0,2\n", 2, "line 3: line 1 gives"),
                                   ('"t,0,1\n', 2, "a quote is not closed"), ('"t"x,0,1\n', 2, "behind a closing quote"), ("other,t,0,1\n", 3, "no line for group g"),
                                   ("", 3, "no line for group g"), ("tt,0,1\n", 3, "line 1: there is no topic tt"), ("t,7,1\n", 3, "no partition 7")):
            with self.subTest(text):
                _, err = self.seriatim("group", "import", "g", self.write("f.csv", text), "--execute", status=status)
                self.assertIn(told, err.decode())
        self.assertEqual(self.rows("group", "list"), [])

    # delete, delete-offsets

    def test_a_deletion_asks_and_takes_all_groups_or_none(self):
        self.fill(partitions=2)
        for group in ("a", "b", "c"):
            self.consume("t", group, "-e")
        _, err = self.seriatim("group", "delete", "a", "b", status=2)
        self.assertIn(b"group a: 2 offsets of 1 topic", err)
        self.assertIn(b"--yes", err)
        self.seriatim("group", "delete", "a", "--dry-run")
        _, err = self.seriatim("group", "delete", "a", "bb", "-y", status=3)
        self.assertIn(b"there is no group bb", err)
        self.assertEqual(len(self.rows("group", "list")), 3)
        self.seriatim("group", "delete", "a", "b", "-y")
        self.assertEqual([row["group"] for row in self.rows("group", "list")], ["c"])

    def test_offsets_are_deleted_by_topic_and_partition(self):
        self.fill(partitions=3)
        self.fill("u")
        self.consume("t", "g", "-e")
        self.consume("u", "g", "-e")
        self.seriatim("group", "delete-offsets", "g", "--topic", "t:0", "-n")
        rows = self.rows("group", "delete-offsets", "g", "--topic", "t:0,2")
        self.assertEqual(rows, [{"group": "g", "topic": "t", "partition": p, "offset": 3} for p in (0, 2)])
        self.assertEqual(self.offsets("g"), {("t", 1): 3, ("u", 0): 3})
        self.assertEqual(self.rows("group", "delete-offsets", "g", "--topic", "t:0"), [], "there is none any more")
        _, err = self.seriatim("group", "delete-offsets", "g", status=2)
        self.assertIn(b"--topic TOPIC", err)
        _, err = self.seriatim("group", "delete-offsets", "g", "--topic", "tt", status=3)
        self.assertIn(b"Did you mean t?", err)
        _, err = self.seriatim("group", "delete-offsets", "g", "--topic", "t", "--topic", "u")
        self.assertIn(b"and with them the group", err)
        self.assertEqual(self.rows("group", "list"), [])
        self.seriatim("verify")

    def test_unknown_groups_are_answered_with_the_nearest(self):
        self.fill()
        self.consume("t", "billing", "-e")
        for words in (["describe", "biling"], ["lag", "biling"], ["export", "biling"], ["delete", "biling", "-y"],
                      ["delete-offsets", "biling", "--topic", "t"], ["reset", "biling", "--to-latest"]):
            with self.subTest(words):
                _, err = self.seriatim("group", *words, status=3)
                self.assertIn(b"Did you mean billing?", err)
                self.assertIn(b"seriatim group list", err)


if __name__ == "__main__":
    main()
