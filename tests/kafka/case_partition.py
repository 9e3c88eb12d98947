"""Our partition against Kafka's: the same batches under the same configuration give the same files."""

import shutil

import format_examples as ex
import kafka_env
from comparison import Scratch, comparable

KAFKA = None
PARTITION_TOOL = None
SEGMENT_TOOL = None


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
            last.with_suffix(suffix).unlink()


class Partition(Scratch):
    def scenarios(self):
        return KAFKA.lines("write", "list")

    def written(self, scenario, *more):
        """A partition written by Kafka, and its configuration."""
        directory = self.directory / f"{scenario}-0"
        answer = KAFKA.answer("write", directory, scenario, *more)
        return directory, answer["config"]

    def test_the_same_appends_make_the_same_segments_and_indexes(self):
        for scenario in self.scenarios():
            with self.subTest(scenario):
                theirs, config = self.written(scenario)
                drop_empty_segment(theirs)
                ours = self.directory / "ours-0"
                tool("replay", theirs, ours, *pairs(config))
                self.assert_same_files(ours, theirs, {".log", ".index", ".timeindex"})
                end = sorted(theirs.glob("*.snapshot"))[-1]
                self.assert_same_file(ours / end.name, end)
                shutil.rmtree(ours)

    def test_recovery_from_the_logs_alone_derives_the_same_files(self):
        for scenario in self.scenarios():
            for interval in (4096, 0, 700):
                with self.subTest(scenario, interval=interval):
                    source = self.directory / f"{scenario}-0"
                    if not source.exists():
                        self.written(scenario)
                    ours = kafka_env.copy_logs(source, self.directory / "ours-0")
                    theirs = kafka_env.copy_logs(source, self.directory / "theirs-0")
                    setting = f"index.interval.bytes={interval}"
                    tool("recover", ours, setting)
                    KAFKA.lines("load", theirs, setting)
                    self.assert_same_files(ours, theirs, {".log", ".index", ".timeindex"})
                    end = sorted(theirs.glob("*.snapshot"))[-1]
                    self.assert_same_file(ours / end.name, end)
                    shutil.rmtree(ours)
                    shutil.rmtree(theirs)

    def test_a_torn_tail_is_cut_where_kafka_cuts_it(self):
        source, config = self.written("transactions")
        last = kafka_env.log_files(source)[-1].name
        whole = (source / last).read_bytes()
        for left in (len(whole) - 1, len(whole) - 70, len(whole) // 2, 17, 1):
            with self.subTest(bytes_left=left):
                ours = kafka_env.copy_logs(source, self.directory / "ours-0")
                theirs = kafka_env.copy_logs(source, self.directory / "theirs-0")
                for directory in (ours, theirs):
                    (directory / last).write_bytes(whole[:left])
                tool("recover", ours, *pairs(config))
                KAFKA.lines("load", theirs, *pairs(config))
                self.assert_same_files(ours, theirs, {".log", ".index", ".timeindex"})
                shutil.rmtree(ours)
                shutil.rmtree(theirs)

    def test_compaction_keeps_and_writes_the_same(self):
        for scenario in ("compaction", "compaction-transactions"):
            source, config = self.written(scenario)
            ours = kafka_env.copy_logs(source, self.directory / f"{scenario}.ours-0")
            theirs = kafka_env.copy_logs(source, self.directory / f"{scenario}.theirs-0")
            # The first pass stamps delete horizons, the second one removes what they allow, and merges small segments.
            for clock in (ex.T, ex.T + 2 * ex.DAY_MS):
                with self.subTest(scenario, now=clock):
                    settings = [*pairs(config), f"now={clock}", f"delete.retention.ms={ex.DAY_MS}"]
                    found = KAFKA.answer("compact", theirs, *settings)
                    self.assertLess(found["messages_written"], found["messages_read"])
                    tool("compact", ours, *settings)
                    self.compare_compacted(ours, theirs)

    def compare_compacted(self, ours, theirs):
        self.assertEqual([f.name for f in kafka_env.log_files(ours)], [f.name for f in kafka_env.log_files(theirs)])
        for our_file, their_file in zip(kafka_env.log_files(ours), kafka_env.log_files(theirs)):
            lines = [kafka_env.checked(kafka_env.run([SEGMENT_TOOL, "read", file])) for file in (our_file, their_file)]
            self.assert_same_lines(*([comparable(line) for line in side] for side in lines))
