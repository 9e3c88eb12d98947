"""Our partition against Kafka's: the same batches under the same configuration give the same files."""

import json

import format_examples as ex
import kafka_env
from compaction_comparison import CompactionComparison

KAFKA = None
PARTITION_TOOL = None
SEGMENT_TOOL = None
# Many batches per index interval, whatever it is: worth the time of more than one interval.
DENSE = {"segments", "indexes", "transactions"}


def prepare(kafka, options):
    global KAFKA, PARTITION_TOOL, SEGMENT_TOOL
    KAFKA = kafka
    PARTITION_TOOL = options.partition_tool
    SEGMENT_TOOL = options.segment_tool


def tool(*arguments):
    return kafka_env.checked(kafka_env.run([PARTITION_TOOL, *arguments]))


def pairs(config):
    return [f"{name}={value}" for name, value in config.items()]


def drop_empty_segment(directory):
    """Removes the active segment that a scenario rolled to and wrote nothing into."""
    last = kafka_env.log_files(directory)[-1]
    if last.stat().st_size == 0:
        for suffix in (".log", ".index", ".timeindex"):
            last.with_suffix(suffix).unlink(missing_ok=True)


class Partition(CompactionComparison):
    def scenarios(self):
        return KAFKA.lines("write", "list")

    def written(self, scenario):
        """A partition written by Kafka, and its configuration."""
        directory = self.fresh() / f"{scenario}-0"
        answer = KAFKA.answer("write", directory, scenario)
        return directory, answer["config"]

    def two_copies(self, source):
        """The .log files of a partition twice: for us and for Kafka."""
        folder = self.fresh()
        return kafka_env.copy_logs(source, folder / "ours-0"), kafka_env.copy_logs(source, folder / "theirs-0")

    def test_the_same_appends_make_the_same_segments_and_indexes(self):
        for scenario in self.scenarios():
            with self.subTest(scenario):
                theirs, config = self.written(scenario)
                drop_empty_segment(theirs)
                ours = theirs.parent / "ours-0"
                tool("replay", theirs, ours, *pairs(config))
                self.assert_same_partition(ours, theirs)

    def test_recovery_from_the_logs_alone_derives_the_same_files(self):
        for scenario in self.scenarios():
            source, _config = self.written(scenario)
            for interval in (4096, 0, 700) if scenario in DENSE else (4096,):
                with self.subTest(scenario, interval=interval):
                    ours, theirs = self.two_copies(source)
                    setting = f"index.interval.bytes={interval}"
                    tool("recover", ours, setting)
                    KAFKA.lines("load", theirs, setting)
                    self.assert_same_partition(ours, theirs)

    def test_a_torn_tail_is_cut_where_kafka_cuts_it(self):
        source, config = self.written("transactions")
        last = kafka_env.log_files(source)[-1].name
        whole = (source / last).read_bytes()
        for left in (len(whole) - 1, len(whole) - 70, len(whole) // 2, 17, 1):
            with self.subTest(bytes_left=left):
                ours, theirs = self.two_copies(source)
                for directory in (ours, theirs):
                    (directory / last).write_bytes(whole[:left])
                tool("recover", ours, *pairs(config))
                KAFKA.lines("load", theirs, *pairs(config))
                self.assert_same_partition(ours, theirs)

    def compacted(self, ours, theirs, config):
        """One pass over both, and then one two days later: the first stamps delete horizons, the second removes what they allow and merges
        small segments. Compares, and yields after each."""
        for clock in (ex.T, ex.T + 2 * ex.DAY_MS):
            settings = [*pairs(config), f"now={clock}", f"delete.retention.ms={ex.DAY_MS}"]
            found = KAFKA.answer("compact", theirs, *settings)
            self.assertLess(found["messages_written"], found["messages_read"])
            tool("compact", ours, *settings)
            with self.subTest(now=clock):
                self.compare_compacted(SEGMENT_TOOL, ours, theirs, found["cleaned_to"], parted_alike=True)
            yield clock

    def test_compaction_keeps_and_writes_the_same(self):
        source, config = self.written("compaction")
        ours, theirs = self.two_copies(source)
        self.assertEqual(len(list(self.compacted(ours, theirs, config))), 2)

    def test_compaction_loses_no_committed_record_and_revives_no_aborted_one(self):
        source, config = self.written("compaction-transactions")
        ours, theirs = self.two_copies(source)
        before = self.newest_committed(source)
        self.assertGreater(len(before), 100)
        for clock in self.compacted(ours, theirs, config):
            with self.subTest(now=clock):
                self.assertEqual(self.newest_committed(theirs), before)
                self.assertEqual(self.newest_committed(ours), before)

    def newest_committed(self, directory):
        """key -> newest committed value, as a read_committed reader comes to know it; keys whose newest value is a tombstone are gone."""
        undecided, newest = {}, {}
        for lines in KAFKA.read_each(kafka_env.log_files(directory)):
            for line in map(json.loads, lines):
                if "batch" in line:
                    self.assertTrue(line["batch"]["valid"])
                    producer = line["batch"]["producer_id"]
                elif line.get("record", {}).get("control") == "commit":
                    for record in undecided.pop(producer, []):
                        newest[record["key"]] = max(newest.get(record["key"], (-1, None)), (record["offset"], record["value"]))
                elif line.get("record", {}).get("control") == "abort":
                    undecided.pop(producer, None)
                elif "record" in line:
                    undecided.setdefault(producer, []).append(line["record"])
        return {key: value for key, (_offset, value) in newest.items() if value is not None}
