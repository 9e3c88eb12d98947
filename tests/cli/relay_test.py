#!/usr/bin/env python3
"""relay: a topic into another one with more partitions, or fewer; and the time to catch up of group lag --eta."""

import collections
import json
import re
import signal

from command import CommandTest, main


class RelayCommand(CommandTest):
    def fill(self, count=1000, partitions=3, first=0):
        if first == 0:
            self.create("orders", partitions)
        self.produce("orders", [b"user-%d:%d" % (i % 20, i) for i in range(first, first + count)], "-K:")

    def relay(self, *options, status=0, source="orders", target="wide"):
        return self.seriatim("relay", source, target, *options, status=status)

    def summary(self, *options, **how):
        return json.loads(self.relay("--until-caught-up", "-j", *options, **how)[0])

    def by_key(self, topic):
        values = collections.defaultdict(list)
        places = collections.defaultdict(set)
        for record in self.records(topic):
            values[record["key"]].append(record["value"])
            places[record["key"]].add(record["partition"])
        self.assertTrue(all(len(of_key) == 1 for of_key in places.values()), "a key has one partition")
        return dict(values)

    def test_each_record_comes_once_in_order_per_key_into_any_number_of_partitions(self):
        self.fill()
        for target, partitions in (("wide", 16), ("narrow", 1)):
            summary = self.summary("--create-partitions", str(partitions), "--batch-records", "70", target=target)
            self.assertEqual((summary["records"], summary["lag"], summary["is_caught_up"]), (1000, 0, True))
            self.assertGreater(summary["batches"], 5)
            self.assertEqual(self.by_key(target), self.by_key("orders"))
            self.assertEqual(self.summary(target=target)["records"], 0)
        self.fill(50, first=1000)
        self.assertEqual(self.summary()["records"], 50)
        self.assertEqual(self.by_key("wide"), self.by_key("orders"))
        self.assertIn(b"clean:", self.seriatim("verify")[0])

    def test_words_about_it_go_to_standard_error_and_quiet_silences_them(self):
        self.fill(10)
        out, err = self.relay("--until-caught-up", "--create-partitions", "2")
        self.assertEqual(out, b"")
        self.assertIn(b"created topic wide with 2 partitions", err)
        self.assertIsNotNone(re.search(rb"relayed 10 records, [^\n]*, in 1 batch; 0 left\n\Z", err), err)
        self.assertEqual(self.relay("--until-caught-up", "-q"), (b"", b""))

    def test_the_target_that_is_made_has_the_settings_of_the_source_but_no_groups(self):
        self.create("orders", 2, "--config", "cleanup.policy=delete", "--config", "retention.ms=3600000", "--config", "retention.unread.groups=billing")
        self.summary("--create-partitions", "3")
        settings = json.loads(self.seriatim("topic", "describe", "wide", "-j")[0])
        text = json.dumps(settings)
        self.assertIn("3600000", text)
        self.assertNotIn("billing", text)

    def test_an_interrupt_ends_it_behind_a_batch_and_the_next_goes_on(self):
        self.fill(100)
        self.create("wide", 5)
        process = self.start("-d", self.data, "relay", "orders", "wide", "-j", "--acks", "leader")
        while self.lag() != 0:
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(json.loads(out)["records"], 100)
        self.fill(100, first=100)
        self.assertEqual(self.summary()["records"], 100)
        self.assertEqual(self.by_key("wide"), self.by_key("orders"))

    def lag(self):
        process = self.start("-d", self.data, "group", "lag", "relay:orders:wide", "-j")
        out, _ = process.communicate(timeout=60)
        rows = json.loads(out) if process.returncode == 0 else [{"lag": -1, "committed": None}]
        return sum(abs(row["lag"]) for row in rows)

    def test_records_that_the_target_refuses_stop_it_are_skipped_or_become_dead_letters(self):
        self.create("orders")
        self.create("wide", 2, "--config", "cleanup.policy=compact")
        self.produce("orders", [b'{"key":"a","value":"1"}', b'{"key":null,"value":"2"}', b'{"key":"a","value":"3"}'], "-J")
        _, err = self.relay("--until-caught-up", status=1)
        self.assertIn(b"INVALID_RECORD", err)
        self.assertIn(b"orders-0 offset 1", err)
        self.assertEqual(self.records("wide"), [])
        letters = self.summary("--dead-letters", "letters")
        self.assertEqual((letters["records"], letters["dead_letters"]), (2, 1))
        self.assertEqual(self.by_key("wide"), {"a": ["1", "3"]})
        letter, = self.records("letters")
        self.assertEqual(letter["value"], "2")
        skipped = self.summary("--skip-refused", "--name", "other")
        self.assertEqual((skipped["records"], skipped["skipped"]), (2, 1))
        self.relay("--skip-refused", "--dead-letters", "letters", status=2)

    def test_deleted_records_are_an_error_that_can_be_passed(self):
        self.fill(10, partitions=1)
        self.summary("--create-partitions", "2")
        self.fill(10, first=10)
        self.seriatim("topic", "trim", "orders", "--before", "15", "--yes")
        _, err = self.relay("--until-caught-up", status=3)
        self.assertIn(b"offsets 10 to 14 of orders-0 were deleted", err)
        summary = self.summary("--skip-deleted")
        self.assertEqual((summary["records"], summary["deleted"]), (5, 5))

    def test_what_is_wrong_is_told_by_the_exit_status(self):
        self.fill(10)
        _, err = self.relay("--until-caught-up", status=3)
        self.assertIn(b"--create-partitions", err)
        self.relay("--until-caught-up", source="none", target="wide", status=3)
        self.relay("--until-caught-up", source="orders", target="orders", status=2)
        self.create("wide", 2)
        _, err = self.relay("--until-caught-up", "--create-partitions", "3", status=2)
        self.assertIn(b"2 partitions", err)
        self.relay("--linger", "soon", status=2)
        self.relay("--name", "n" * 201, status=2)
        self.summary("--name", "mine")
        self.create("other")
        self.relay("--name", "mine", target="other", status=1)
        application = self.start("-d", self.data, "produce", "orders", stdin=-1)
        application.stdin.write(b"x\n")
        application.stdin.flush()
        while len(self.records("orders")) != 11:
            self.assertIsNone(application.poll())
        _, err = self.relay("--until-caught-up", status=6)
        self.assertIn(b"seriatim::Relay", err)
        application.communicate(timeout=60)

    def test_a_relay_begins_where_its_group_is_reset_to(self):
        self.fill(100, partitions=1)
        self.create("wide", 2)
        self.seriatim("group", "reset", "relay:orders:wide", "--topic", "orders", "--to-latest", "--execute")
        self.fill(5, first=100)
        self.assertEqual(self.summary()["records"], 5)
        self.seriatim("group", "reset", "relay:orders:wide", "--topic", "orders", "--to-offset", "95", "--execute")
        self.assertEqual(self.summary()["records"], 10)

    def eta(self, *options, status=0):
        return self.seriatim("group", "lag", "billing", "--eta", *options, status=status)

    def test_the_time_to_catch_up_is_estimated_from_two_looks(self):
        self.fill(100, partitions=1)
        self.seriatim("consume", "orders", "-g", "billing", "--commit", "-c", "40")
        row, = json.loads(self.eta("50ms", "-j")[0])
        self.assertEqual((row["lag"], row["consumed_per_second"], row["produced_per_second"]), (60, 0, 0))
        self.assertIsNone(row["seconds_left"], "nobody reads: never")
        self.seriatim("consume", "orders", "-g", "billing", "--commit", "-e")
        row, = json.loads(self.eta("50ms", "-j")[0])
        self.assertEqual((row["lag"], row["seconds_left"]), (0, 0))
        self.assertIn(b"SECONDS_LEFT", self.eta("50ms")[0])
        for wrong in ("0", "soon", "2d"):
            self.eta(wrong, status=2)

    def test_watched_lag_has_an_estimate_from_the_second_look_on(self):
        self.fill(100, partitions=1)
        self.seriatim("consume", "orders", "-g", "billing", "--commit", "-c", "40")
        process = self.start("-d", self.data, "group", "lag", "billing", "--watch", "--eta", "10s", "--output", "jsonl")
        first = json.loads(process.stdout.readline())
        self.assertIsNone(first["consumed_per_second"])
        second = json.loads(process.stdout.readline())
        self.assertEqual(second["consumed_per_second"], 0)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)


if __name__ == "__main__":
    main()
