"""Transactions: what our engine leaves of them, as Kafka derives it from the same logs, and as Kafka's consumer reads it."""

import json
import os
import random
import shutil

import kafka_env
from comparison import Scratch, scratch_directory, snapshot_entries

KAFKA = None
PARTITION_TOOL = None
TRANSACTION_TOOL = None
# One more seed per run may be given; those here are run always.
SEEDS = [1, 2, 3] + [int(word) for word in os.environ.get("SERIATIM_TEST_SEED", "").split()]
STEPS = 400
PARTITIONS = [("ledger", 0), ("orders", 0), ("orders", 1)]
PLAYED = {"aborted", "aborted by an administrator", "committed", "empty", "everywhere", "fenced", "fenced by an administrator", "numbered",
          "plain", "repeated", "sent", "timed out"}


def prepare(kafka, options):
    global KAFKA, PARTITION_TOOL, TRANSACTION_TOOL
    KAFKA = kafka
    PARTITION_TOOL = options.partition_tool
    TRANSACTION_TOOL = options.transaction_tool


def tool(*arguments):
    return kafka_env.checked(kafka_env.run([TRANSACTION_TOOL, *arguments]))


class History:
    """A play of one seed. `closed`: the engine was closed, which aborts what is open. `running`: a copy from before, with open transactions.
    `reopened`: the engine has been opened and closed on such a copy, as after its death."""

    def __init__(self, folder, seed):
        folder.mkdir()
        self.seed = seed
        source = random.Random(seed)
        self.config = [f"segment.bytes={source.randrange(4_000, 16_000)}", f"index.interval.bytes={source.choice([0, 600, 4096])}"]
        print(f"seed {seed}: {' '.join(self.config)}", flush=True)
        self.source = source
        self.closed, self.running, self.reopened = (folder / name for name in ("closed", "running", "reopened"))
        self.played = json.loads(tool("play", self.closed, self.running, seed, STEPS, "retention.ms=-1", *self.config)[0])
        shutil.copytree(self.running, self.reopened)
        tool("reopen", self.reopened)

    def states(self):
        return {"closed": self.closed, "running": self.running, "reopened": self.reopened}

    def starts(self, directory, topic, number):
        """Offsets to read from: the ends, what is beside them, and some between."""
        ends = json.loads(tool("view", directory, topic, number)[0])
        stable, end = ends["last_stable_offset"], ends["log_end_offset"]
        chosen = {0, stable - 1, stable, min(stable + 1, end), end, *(self.source.randrange(end) for _ in range(6))}
        return sorted(chosen)


def partition(directory, topic, number):
    return directory / "log" / f"{topic}-{number}"


def content(file):
    """No file is the same as an empty one."""
    return file.read_bytes() if file.exists() else b""


def snapshots(directory):
    return {int(file.stem): snapshot_entries(file.read_bytes()) for file in directory.glob("*.snapshot")}


class Transactions(Scratch):
    @classmethod
    def setUpClass(cls):
        folder = scratch_directory(cls.addClassCleanup)
        cls.histories = [History(folder / f"seed{seed}", seed) for seed in SEEDS]

    def for_each_history(self, check):
        """No check changes what a history has left."""
        for history in self.histories:
            with self.subTest(seed=history.seed):
                check(history)

    def copies(self, directory):
        """For each partition: our directory, and a copy of its logs alone, for Kafka."""
        found = []
        for at in PARTITIONS:
            ours = partition(directory, *at)
            found.append((ours, kafka_env.copy_logs(ours, self.fresh() / ours.name)))
        return found

    def assert_same_aborts(self, ours, theirs):
        """The transaction indexes of two partitions, segment by segment."""
        for log in kafka_env.log_files(theirs):
            name = log.with_suffix(".txnindex").name
            self.assertEqual(content(ours / name).hex(" ", 34), content(theirs / name).hex(" ", 34), f"{name}: ours, then Kafka's")

    def assert_true_snapshots(self, ours, theirs):
        """Where both have a snapshot it is the same. Returns the offsets of those that only we have."""
        our, their = snapshots(ours), snapshots(theirs)
        both = our.keys() & their.keys()
        self.assertGreater(len(both), 0)
        for offset in both:
            self.assertEqual(our[offset], their[offset], f"{offset}.snapshot: ours, then Kafka's")
        return sorted(our.keys() - their.keys())

    def test_the_play_has_everything(self):
        self.assertEqual({name for history in self.histories for name in history.played}, PLAYED)

    def test_kafka_derives_what_we_wrote_of_transactions(self):
        self.for_each_history(lambda history: [self.check_derived(history.states()[state], history.config) for state in ("closed", "reopened")])

    def check_derived(self, directory, config):
        pairs = self.copies(directory)
        KAFKA.each(["load", theirs, *config] for _ours, theirs in pairs)
        between = {}
        for ours, theirs in pairs:
            with self.subTest(directory.name, partition=ours.name):
                self.assertGreater(len(kafka_env.log_files(ours)), 2)
                self.assert_same_partition(ours, theirs)
                self.assert_same_aborts(ours, theirs)
                self.assertEqual(set(snapshots(theirs)) - set(snapshots(ours)), set())
                between[ours] = self.assert_true_snapshots(ours, theirs)
        self.check_snapshots_between(between, config)

    def check_snapshots_between(self, between, config):
        """Those of a close in the middle of a segment: what Kafka knows of the log up to there."""
        cut = [(ours, offset, kafka_env.copy_logs(ours, self.fresh() / ours.name)) for ours, offsets in between.items() for offset in offsets]
        KAFKA.each(["load", theirs, f"truncate={offset}", *config] for _ours, offset, theirs in cut)
        for ours, offset, theirs in cut:
            self.assertEqual(snapshots(ours)[offset], snapshots(theirs)[offset], f"{offset}.snapshot: ours, then Kafka's")

    def test_transactions_that_are_open_are_derived_as_kafka_derives_them(self):
        self.for_each_history(lambda history: self.check_open(history.running, history.config))

    def check_open(self, directory, config):
        """Ours as the running engine has them, as recovery makes them of all the files, and of the logs alone."""
        pairs = self.copies(directory)
        found = KAFKA.each(["load", theirs, *config] for _ours, theirs in pairs)
        for (ours, theirs), lines in zip(pairs, found):
            with self.subTest("running", partition=ours.name):
                loaded = json.loads(lines[0])
                self.assertLess(loaded["last_stable_offset"], loaded["log_end_offset"])
                self.assert_same_aborts(ours, theirs)
                self.assert_true_snapshots(ours, theirs)
                whole = shutil.copytree(ours, self.fresh() / ours.name)
                for recovered in (whole, kafka_env.copy_logs(ours, self.fresh() / ours.name)):
                    kafka_env.checked(kafka_env.run([PARTITION_TOOL, "recover", recovered, *config]))
                    self.assert_same_partition(recovered, theirs)
                    self.assert_same_aborts(recovered, theirs)
                    # Of the logs alone we make that of the end, Kafka those between segments too.
                    self.assert_true_snapshots(recovered, theirs)

    def test_readers_see_what_kafkas_consumer_sees(self):
        self.for_each_history(self.check_readers)

    def check_readers(self, history):
        asked, fetches = [], []
        for directory in history.states().values():
            for at, (_ours, theirs) in zip(PARTITIONS, self.copies(directory)):
                starts = history.starts(directory, *at)
                asked.append((directory, at, starts))
                fetches.append(["fetch", theirs, "from=" + ",".join(map(str, starts)), f"bytes={history.source.choice([1_000, 5_000, 10**6])}"])
        for (directory, at, starts), theirs in zip(asked, KAFKA.each(fetches)):
            with self.subTest(directory.name, partition=at):
                self.assert_same_lines(tool("view", directory, *at, *starts), theirs)
