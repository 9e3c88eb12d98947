"""Transactions: what our engine leaves of them, as Kafka derives it from the same logs, and as Kafka's consumer reads it."""

import json
import shutil
import unittest

import format_examples as ex
import kafka_env
from comparison import scratch_directory
from compaction_comparison import CompactionComparison
from transaction_history import SEEDS, History, aborts, places, snapshots

KAFKA = None
TOOLS = None
HISTORIES = []
PLAYED = {"aborted", "aborted by an administrator", "committed", "empty", "everywhere", "fenced", "fenced by an administrator", "numbered",
          "plain", "repeated", "sent", "timed out"}


def prepare(kafka, options):
    global KAFKA, TOOLS
    KAFKA = kafka
    TOOLS = options


def setUpModule():
    folder = scratch_directory(unittest.addModuleCleanup)
    HISTORIES.extend(History(transaction_tool, folder / f"seed{seed}", seed) for seed in SEEDS)


def transaction_tool(*arguments):
    return kafka_env.checked(kafka_env.run([TOOLS.transaction_tool, *arguments]))


def partition_tool(*arguments):
    return kafka_env.checked(kafka_env.run([TOOLS.partition_tool, *arguments]))


class Comparison(CompactionComparison):
    def logs(self, place):
        return place.logs(self.fresh())

    def assert_true_snapshots(self, ours, theirs):
        """Where both have a snapshot it is the same. Returns the offsets of those that only we have."""
        our, their = snapshots(ours), snapshots(theirs)
        both = our.keys() & their.keys()
        self.assertGreater(len(both), 0)
        for offset in both:
            self.assertEqual(our[offset], their[offset], f"{offset}.snapshot: ours, then Kafka's")
        return sorted(our.keys() - their.keys())

    def assert_recovered_the_same(self, ours, theirs, config):
        """What our recovery makes of a directory is what Kafka has made of its logs."""
        partition_tool("recover", ours, *config)
        self.assert_same_partition(ours, theirs)
        self.assert_same_aborts(ours, theirs)
        # Of the logs alone we make the snapshot of the end, Kafka those between segments too.
        self.assert_true_snapshots(ours, theirs)


class Transactions(Comparison):
    def test_the_play_has_everything(self):
        self.assertEqual({name for history in HISTORIES for name in history.played}, PLAYED)

    def test_kafka_derives_what_we_wrote_of_transactions(self):
        pairs = [(place, self.logs(place)) for place in places(HISTORIES, "closed", "reopened", "trimmed")]
        KAFKA.each(["load", theirs, f"start={place.log_start}", *place.config] for place, theirs in pairs)
        between = []
        for place, theirs in pairs:
            with self.subTest(**place.name):
                self.assertGreater(len(kafka_env.log_files(place.path)), 2)
                self.assert_same_partition(place.path, theirs)
                self.assert_same_aborts(place.path, theirs)
                self.assertEqual(snapshots(theirs).keys() - snapshots(place.path).keys(), set())
                front = int(kafka_env.log_files(theirs)[0].stem)  # A snapshot there is of what was deleted.
                between += [(place, offset) for offset in self.assert_true_snapshots(place.path, theirs) if offset != front]
        self.check_snapshots_between(between)

    def check_snapshots_between(self, between):
        """Those of a close in the middle of a segment: what Kafka knows of the log up to there."""
        self.assertGreater(len(between), 0)
        cut = [(place, offset, self.logs(place)) for place, offset in between]
        KAFKA.each(["load", theirs, f"start={place.log_start}", f"truncate={offset}", *place.config] for place, offset, theirs in cut)
        for place, offset, theirs in cut:
            with self.subTest(**place.name, offset=offset):
                self.assertEqual(snapshots(place.path)[offset], snapshots(theirs)[offset], "ours, then Kafka's")

    def test_transactions_that_are_open_are_derived_as_kafka_derives_them(self):
        """Ours as the running engine has them, as recovery makes them of all the files, and of the logs alone."""
        pairs = [(place, self.logs(place)) for place in places(HISTORIES, "running")]
        for (place, theirs), lines in zip(pairs, KAFKA.each(["load", theirs, *place.config] for place, theirs in pairs)):
            with self.subTest(**place.name):
                loaded = json.loads(lines[0])
                self.assertLess(loaded["last_stable_offset"], loaded["log_end_offset"])
                self.assert_same_aborts(place.path, theirs)
                self.assert_true_snapshots(place.path, theirs)
                whole = shutil.copytree(place.path, self.fresh() / place.path.name)
                self.assert_recovered_the_same(whole, theirs, place.config)
                self.assert_recovered_the_same(self.logs(place), theirs, place.config)

    def test_readers_see_what_kafkas_consumer_sees(self):
        asked, fetches = [], []
        for place in places(HISTORIES, "closed", "running", "reopened", "compacted", "trimmed", "growing", "grown"):
            starts = place.starts()
            size = place.history.random.choice([1_000, 5_000, 1_000_000])
            asked.append((place, starts))
            fetches.append(["fetch", self.logs(place), f"start={place.log_start}", "from=" + ",".join(map(str, starts)), f"bytes={size}"])
        for (place, starts), theirs in zip(asked, KAFKA.each(fetches)):
            with self.subTest(**place.name):
                self.assert_same_lines(place.view(*starts), theirs)


class Compaction(Comparison):
    def compact(self, pairs, clock, **options):
        """One pass over both of each pair. Returns what Kafka says of each."""
        settings = ["cleanup.policy=compact", f"now={clock}", f"delete.retention.ms={ex.DAY_MS}"]
        for place, ours, _theirs in pairs:
            partition_tool("compact", ours, *place.config, *settings)
        commands = [["compact", theirs, *place.config, *settings, *(f"{name}={of[i]}" for name, of in options.items())]
                    for i, (place, _ours, theirs) in enumerate(pairs)]
        return [json.loads(lines[0]) for lines in KAFKA.each(commands)]

    def pairs(self, *states):
        return [(place, self.logs(place), self.logs(place)) for place in places(HISTORIES, *states)]

    def test_compaction_leaves_what_kafkas_cleaner_leaves(self):
        """The second pass, two days later, removes what the horizons of the first allow, and stamps what has lost its data in the first."""
        pairs = self.pairs("closed", "running")
        equal = pairs
        for days in (0, 2, 4):
            clean = ["true" if days else "false"] * len(pairs)
            results = self.compact(pairs, ex.T + days * ex.DAY_MS, clean=clean)
            self.assertGreater(len(equal), 0)
            equal = self.compare_each(pairs, equal, results, f"after {days} days", parted_alike=days == 0)
        self.compare_content([(place, ours) for place, ours, _theirs in pairs])

    def compare_each(self, pairs, equal, results, when, parted_alike):
        """Compares those that were equal before this pass. Returns those that are equal still: a batch that only we keep may keep others."""
        still = []
        for pair, found in zip(pairs, results):
            place, ours, theirs = pair
            with self.subTest(**place.name, when=when):
                if pair in equal and not self.compare_compacted(TOOLS.segment_tool, ours, theirs, found["cleaned_to"], parted_alike):
                    still.append(pair)
        return still

    def compare_content(self, compacted):
        """Of our compacted logs alone Kafka makes our indexes, and its consumer gets the newest of every key that it got before."""
        asked = [(place, ours, kafka_env.copy_logs(ours, self.fresh() / ours.name)) for place, ours in compacted]
        before = KAFKA.each(["fetch", self.logs(place)] for place, _ours, _copy in asked)
        after = KAFKA.each(["fetch", copy, *place.config] for place, _ours, copy in asked)
        for (place, ours, copy), lines, compacted_lines in zip(asked, before, after):
            with self.subTest(**place.name):
                newest = newest_committed(lines)
                self.assertGreater(len(newest), 10)
                self.assertEqual(newest_committed(compacted_lines), newest)
                self.assert_same_files(ours, copy, {".log", ".index", ".timeindex"})

    def test_a_later_pass_goes_on_where_the_one_before_ended(self):
        """Half of the segments, then all: the transactions of the first half end in the second."""
        pairs = self.pairs("closed")
        for _place, *sides in pairs:
            for side in sides:
                logs = kafka_env.log_files(side)
                for log in logs[len(logs) // 2 + 1:]:
                    log.rename(log.with_suffix(".later"))
        first = self.compact(pairs, ex.T)
        equal = self.compare_each(pairs, pairs, first, "first half", parted_alike=True)
        for _place, *sides in pairs:
            for side in sides:
                for log in side.glob("*.later"):
                    log.rename(log.with_suffix(".log"))
        # Not with clean=true: Kafka's cleaner copies what the index says of a transaction, and we tell what the log says now. See the README.
        second = self.compact(pairs, ex.T + 2 * ex.DAY_MS, dirty=[found["cleaned_to"] for found in first])
        self.assertGreater(len(equal), 0)
        self.compare_each(pairs, equal, second, "all", parted_alike=False)
        self.compare_content([(place, ours) for place, ours, _theirs in pairs])


def newest_committed(lines):
    """key -> newest value in a view from offset 0 under read_committed; keys whose newest value is a tombstone are gone."""
    view = next(json.loads(line) for line in lines if '"isolation":"read_committed"' in line)
    newest = {key: value for _offset, _timestamp, key, value in view["records"] if key is not None}
    return {key: value for key, value in newest.items() if value is not None}
