"""Our encoder and decoder against Kafka's: everything we write Kafka reads, everything Kafka writes we read, record for record."""

import json
import os

import format_examples as ex
import kafka_env
from comparison import Scratch, comparable

KAFKA = None
TOOL = None
# One more seed per run may be given; those here are run always.
SEEDS = [1, 2, 3] + [int(word) for word in os.environ.get("SERIATIM_TEST_SEED", "").split()]


def prepare(kafka, options):
    global KAFKA, TOOL
    KAFKA = kafka
    TOOL = options.segment_tool


def tool(*arguments, code=0):
    return kafka_env.checked(kafka_env.run([TOOL, *arguments]), code)


def seeds_of(scenario):
    return SEEDS if scenario == "random" else [1]


class KafkaReadsOurs(Scratch):
    def check(self, scenario, seed):
        partition = self.directory / f"{scenario}.{seed}-0"
        partition.mkdir()
        file = partition / f"{0:020}.log"
        expected = tool("write", file, scenario, str(seed))
        self.assertGreater(len(expected), 10)
        theirs = KAFKA.lines("read", file)
        self.assertEqual([batch for batch in kafka_env.batches(theirs) if not batch["valid"]], [])
        self.assertEqual(json.loads(theirs[-1]), {"end": {"position": file.stat().st_size}})
        self.assert_same_lines(expected, kafka_env.records(theirs))
        self.assert_same_lines(tool("read", file), theirs)
        self.check_recovery(partition, file.stat().st_size, kafka_env.batches(theirs))

    def check_recovery(self, partition, size, batches):
        """Kafka's recovery has nothing to cut, and ends where our log ends."""
        found = KAFKA.answer("rebuild", partition, 0)
        self.assertEqual(found["bytes_cut"], 0)
        self.assertEqual(found["next_offset"], batches[-1]["last_offset"] + 1)
        self.assertEqual((partition / f"{0:020}.log").stat().st_size, size)
        self.assertEqual({entry["producer_id"] for entry in found["producers"]}, {b["producer_id"] for b in batches} - {-1})

    def test_every_scenario(self):
        scenarios = tool("list")
        self.assertGreaterEqual(len(scenarios), 8)
        for scenario in scenarios:
            for seed in seeds_of(scenario):
                with self.subTest(scenario, seed=seed):
                    self.check(scenario, seed)

    def test_dump_log_prints_our_batches_as_valid(self):
        file = self.directory / f"{0:020}.log"
        records = tool("write", file, "compacted")
        dumped = KAFKA.lines("dump", "--deep-iteration", "--files", file)
        self.assertEqual(sum("isvalid: true" in line for line in dumped), len(kafka_env.batches(tool("read", file))))
        self.assertEqual(sum(line.lstrip("| ").startswith("offset: ") for line in dumped), len(records))


class WeReadKafkas(Scratch):
    def check(self, scenario, seed):
        partition = self.directory / f"{scenario}.{seed}-0"
        KAFKA.lines("write", partition, scenario, f"seed={seed}")
        self.compare(partition)
        return partition

    def compare(self, partition):
        files = kafka_env.log_files(partition)
        self.assertGreater(sum(file.stat().st_size for file in files), 0)
        for file, theirs in zip(files, KAFKA.read_each(files), strict=True):
            self.assert_same_lines(tool("read", file), theirs)

    def test_every_scenario(self):
        scenarios = KAFKA.lines("write", "list")
        self.assertGreaterEqual(len(scenarios), 10)
        for scenario in scenarios:
            for seed in seeds_of(scenario):
                with self.subTest(scenario, seed=seed):
                    self.check(scenario, seed)

    def test_worked_examples(self):
        for name, content in ex.GOOD.items():
            (self.directory / f"{name}.log").write_bytes(content)
        self.compare(self.directory)

    def test_damage_is_found_where_kafka_finds_it(self):
        damaged = {"codec": ex.set_bytes(ex.ONE_RECORD, 21, b"\0\5"), "count+": ex.set_bytes(ex.IDEMPOTENT, 57, bytes((0, 0, 0, 4))),
                   "count-": ex.set_bytes(ex.IDEMPOTENT, 57, bytes((0, 0, 0, 2))), "length": ex.set_bytes(ex.ONE_RECORD, 8, bytes(4))}
        for name, content in damaged.items():
            with self.subTest(name):
                file = self.directory / "x.log"
                file.write_bytes(ex.ONE_RECORD + content)
                ours, theirs = (json.loads(lines[-1]) for lines in (tool("read", file, code=3), KAFKA.lines("read", file, code=3)))
                self.assertEqual(ours["fault"]["position"], theirs["fault"]["position"])

    def test_a_flipped_payload_bit_fails_the_checksum_in_both(self):
        content = bytearray(ex.IDEMPOTENT)
        content[-8] ^= 1
        file = self.directory / "x.log"
        file.write_bytes(content)
        for lines in (tool("read", file), KAFKA.lines("read", file)):
            self.assertFalse(kafka_env.batches(lines)[0]["valid"])


class Compaction(Scratch):
    """What Kafka's cleaner makes of a log: we read it, and given the same choice of records we write the same bytes."""

    def clean(self, scenario, clock):
        before = self.fresh() / f"{scenario}-0"
        after = before.parent / "after-0"
        KAFKA.lines("write", before, scenario)
        kafka_env.copy_logs(before, after)
        # Groups of one segment, so that each cleaned file has one source.
        found = KAFKA.answer("compact", after, f"now={clock}", "segment.bytes=16384", "delete.retention.ms=1000")
        self.assertLess(found["messages_written"], found["messages_read"])
        return before, after

    def test_cleaned_segments_are_read_and_written_alike(self):
        for scenario in ("compaction", "compaction-transactions"):
            for clock in (ex.T, ex.T + ex.DAY_MS):
                with self.subTest(scenario, now=clock):
                    self.compare(*self.clean(scenario, clock))

    def compare(self, before, after):
        rebuilt = 0
        files = kafka_env.log_files(after)
        for file, theirs in zip(files, KAFKA.read_each(files), strict=True):
            self.assert_same_lines(tool("read", file), theirs)
            ours = self.directory / "ours.log"
            rebuilt += json.loads(tool("refilter", before / file.name, file, ours)[0])["rebuilt"]
            self.assert_same_lines([comparable(line) for line in tool("read", ours)], [comparable(line) for line in theirs])
        self.assertGreater(rebuilt, 20)
