"""What the seriatim command leaves on disk, as Kafka sees it: the way data leaves us, and the way it comes back."""

import base64
import json
import random
import shutil

import kafka_env
from comparison import Scratch

KAFKA = None
SERIATIM = None
SEGMENT_TOOL = None
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
MISMATCH = ("mismatch", "out of order", "Out of order", "isvalid: false")


def prepare(kafka, options):
    global KAFKA, SERIATIM, SEGMENT_TOOL
    KAFKA = kafka
    SERIATIM = options.seriatim
    SEGMENT_TOOL = options.segment_tool


class Engine(Scratch):
    def command(self, *arguments, lines=None):
        text = None if lines is None else "".join(line + "\n" for line in lines)
        return kafka_env.checked(kafka_env.run([SERIATIM, "-d", self.data, *arguments], input=text))

    def setUp(self):
        super().setUp()
        self.data = self.fresh()

    def partition(self, topic, number=0):
        return self.data / "log" / f"{topic}-{number}"

    def create(self, topic, partitions=1, **config):
        settings = [word for name, value in config.items() for word in ("--config", f"{name.replace('_', '.')}={value}")]
        self.command("topic", "create", topic, "-p", str(partitions), *settings)

    def lines(self, count, seed):
        """Lines of key:value, most of them short, some far above the 64 KiB block of lz4."""
        print(f"seed {seed}")
        source = random.Random(seed)
        made = []
        for number in range(count):
            size = 150_000 if number % 500 == 250 else source.randrange(200)
            made.append(f"key-{source.randrange(100)}:{number} " + "".join(source.choices("abcdefgh ", k=size)))
        return made

    def consumed(self, topic, number=0):
        """Our own view of a partition: (offset, timestamp, key, value) in order."""
        rows = [json.loads(line) for line in self.command("consume", topic, "-o", "beginning", "-e", "-J")]
        return sorted((row["offset"], row["timestamp"], content(row, "key"), content(row, "value"))
                      for row in rows if row["partition"] == number)

    def seen_by_kafka(self, directory):
        found = []
        for lines in KAFKA.read_each(kafka_env.log_files(directory)):
            self.assertEqual([batch for batch in kafka_env.batches(lines) if not batch["valid"]], [])
            for line in kafka_env.records(lines):
                record = json.loads(line)["record"]
                found.append((record["offset"], record["timestamp"], unhex(record["key"]), unhex(record["value"])))
        return found

    def assert_kafka_sees_what_we_see(self, topic, partitions=1):
        total = 0
        for number in range(partitions):
            theirs = self.seen_by_kafka(self.partition(topic, number))
            self.assertEqual(self.consumed(topic, number), theirs)
            total += len(theirs)
        return total

    def test_kafka_reads_what_the_command_produced_with_every_codec(self):
        for codec in CODECS:
            with self.subTest(codec):
                topic = f"codec-{codec}"
                self.create(topic, 2)
                lines = self.lines(1_500, CODECS.index(codec))
                self.command("produce", topic, "-K:", "-z", codec, lines=lines)
                self.assertEqual(self.assert_kafka_sees_what_we_see(topic, 2), len(lines))
                stored = {codec_of for number in range(2) for codec_of in self.codecs_in(topic, number)}
                self.assertIn(codec, stored)

    def codecs_in(self, topic, number):
        return {batch["codec"] for lines in KAFKA.read_each(kafka_env.log_files(self.partition(topic, number)))
                for batch in kafka_env.batches(lines)}

    def test_kafka_derives_the_same_indexes_and_snapshot(self):
        self.create("small", segment_bytes=50_000, index_interval_bytes=500)
        for round_number in range(3):  # each run is a clean stop and a new start in the middle of a segment
            self.command("produce", "small", "-K:", lines=[line[:400] for line in self.lines(500, 100 + round_number)])
        ours = self.partition("small")
        self.assertGreater(len(kafka_env.log_files(ours)), 3)
        theirs = kafka_env.copy_logs(ours, self.directory / "small-0")
        loaded = KAFKA.answer("load", theirs, "segment.bytes=50000", "index.interval.bytes=500")
        self.assertEqual(loaded["log_end_offset"], 1_500)
        self.assert_same_partition(ours, theirs)

    def test_dump_log_finds_no_fault_in_our_directory(self):
        self.create("dumped", segment_bytes=50_000, index_interval_bytes=500)
        self.command("produce", "dumped", "-K:", lines=[line[:400] for line in self.lines(600, 7)])
        files = [str(file) for suffix in ("log", "index", "timeindex") for file in sorted(self.partition("dumped").glob(f"*.{suffix}"))]
        printed = KAFKA.lines("dump", "--deep-iteration", "--files", ",".join(files))
        self.assertEqual([line for line in printed if any(word in line for word in MISMATCH)], [])
        self.assertEqual(sum(line.startswith("| offset: ") for line in printed), 600)

    def test_log_append_time_is_what_kafka_reads(self):
        self.create("stamped", message_timestamp_type="LogAppendTime")
        self.command("produce", "stamped", "-K:", lines=self.lines(100, 3))
        self.assertEqual(self.assert_kafka_sees_what_we_see("stamped"), 100)
        batches = kafka_env.batches(KAFKA.lines("read", *kafka_env.log_files(self.partition("stamped"))))
        self.assertEqual([batch for batch in batches if not batch["log_append_time"]], [])

    def test_a_broker_takes_over_our_log_and_goes_on(self):
        self.create("adopted")
        self.command("produce", "adopted", "-K:", lines=self.lines(200, 4))
        theirs = kafka_env.copy_logs(self.partition("adopted"), self.directory / "adopted-0")
        more = self.directory / "more-0"
        KAFKA.lines("write", more, "records")
        batch = bytearray(kafka_env.log_files(more)[0].read_bytes()[:74])
        batch[:8] = (200).to_bytes(8, "big")
        (self.directory / "batch").write_bytes(batch)
        self.assertEqual(KAFKA.answer("append", theirs, self.directory / "batch")["log_end_offset"], 201)

    def test_we_take_over_a_log_that_kafka_wrote(self):
        for scenario in ("records", "codecs", "large", "segments", "idempotent", "random"):
            with self.subTest(scenario):
                theirs = self.directory / f"{scenario}-0"
                KAFKA.lines("write", theirs, scenario)
                self.create(scenario, retention_ms=-1, max_message_bytes=8 << 20)
                ours = self.partition(scenario)
                shutil.rmtree(ours, ignore_errors=True)
                kafka_env.copy_logs(theirs, ours)
                self.command("produce", scenario, "-K:", lines=["ours:after theirs"])
                self.assertEqual(self.consumed(scenario)[:-1], self.seen_by_kafka(theirs))
                self.assertEqual(self.consumed(scenario)[-1][2:], (b"ours", b"after theirs"))

    def test_we_show_of_kafkas_transactions_what_its_consumer_shows(self):
        scenarios = ("transactions", "indexes", "compaction-transactions")
        for scenario in scenarios:
            theirs = self.directory / f"{scenario}-0"
            KAFKA.lines("write", theirs, scenario)
            self.create(scenario, retention_ms=-1)
            ours = self.partition(scenario)
            shutil.rmtree(ours, ignore_errors=True)
            kafka_env.copy_logs(theirs, ours)
            self.command("produce", scenario, "-K:", lines=["ours:after theirs"])
        ends = self.assert_we_show_what_kafkas_consumer_shows(scenarios)
        open_in = {scenario for scenario, (stable, end) in ends.items() if stable < end}
        self.assertEqual(open_in, {"transactions"})
        # Nobody is going to end those. Aborted, they hold nothing up.
        for found in json.loads("".join(self.command("txn", "find-hanging", "--output", "json"))):
            self.command("txn", "abort-hanging", found["place"], "--start-offset", str(found["start_offset"]), "--yes")
        ends = self.assert_we_show_what_kafkas_consumer_shows(scenarios)
        self.assertEqual([scenario for scenario, (stable, end) in ends.items() if stable < end], [])

    def assert_we_show_what_kafkas_consumer_shows(self, topics):
        """Returns the last stable offset and the log end offset of each."""
        copies = [kafka_env.copy_logs(self.partition(topic), self.fresh() / f"{topic}-0") for topic in topics]
        ends = {}
        for topic, lines in zip(topics, KAFKA.each(["fetch", copy] for copy in copies)):
            offsets, uncommitted, committed = map(json.loads, lines)
            self.assertLess(len(committed["records"]), len(uncommitted["records"]))
            seen = [(offset, timestamp, unhex(key), unhex(value)) for offset, timestamp, key, value in committed["records"]]
            self.assertEqual(self.consumed(topic), seen, topic)
            ends[topic] = (offsets["last_stable_offset"], offsets["log_end_offset"])
        return ends

    def test_kafka_reads_what_compaction_left(self):
        self.create("keyed", cleanup_policy="compact", segment_bytes=50_000)
        lines = [line[:400] for line in self.lines(1_000, 5)]
        self.command("produce", "keyed", "-K:", lines=lines)
        self.command("topic", "compact", "keyed")
        self.assertLess(self.assert_kafka_sees_what_we_see("keyed"), 1_000)
        newest = dict(line.encode().split(b":", 1) for line in lines)
        self.assertEqual({key: value for _offset, _time, key, value in self.seen_by_kafka(self.partition("keyed"))}, newest)


def content(row, field):
    """A field of our JSON records: text, base64 where it is no text, or null."""
    if f"{field}_b64" in row:
        return base64.b64decode(row[f"{field}_b64"])
    return None if row[field] is None else row[field].encode()


def unhex(text):
    return None if text is None else bytes.fromhex(text)
