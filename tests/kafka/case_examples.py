"""The oracle against bytes whose meaning is known: proves that the tool itself can be trusted, in both directions."""

import json

import format_examples as ex
import kafka_env
from comparison import Scratch

KAFKA = None


def prepare(kafka, _options):
    global KAFKA
    KAFKA = kafka


class Examples(Scratch):
    def file(self, content, name="x.log"):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    def read(self, content, code=0):
        return [json.loads(line) for line in KAFKA.lines("read", self.file(content), code=code)]

    def segment(self, content, base):
        self.file(content, f"t-0/{base:020}.log")
        return self.directory / "t-0"

    def test_every_worked_example_is_one_valid_batch(self):
        for name, content in ex.GOOD.items():
            with self.subTest(name):
                lines = self.read(content)
                self.assertTrue(lines[0]["batch"]["valid"])
                self.assertEqual(lines[0]["batch"]["crc"], content[17:21].hex())
                self.assertEqual(lines[-1], {"end": {"position": len(content)}})
                self.assertEqual(len(lines), 2 + lines[0]["batch"]["count"])

    def test_records_are_read_with_keys_headers_and_sequences(self):
        got = [line["record"] for line in self.read(ex.IDEMPOTENT)[1:-1]]
        self.assertEqual([r["offset"] for r in got], [100, 101, 102])
        self.assertEqual([r["sequence"] for r in got], [7, 8, 9])
        self.assertEqual([r["timestamp"] - ex.T for r in got], [0, 5, -3])
        self.assertEqual([r["key"] for r in got], [b"user-1".hex(), None, b"user-1".hex()])
        self.assertEqual([r["value"] for r in got], [b"v1".hex(), b"v2".hex(), None])
        self.assertEqual(got[0]["headers"], [["6831", "01"], ["6832", None]])

    def test_every_codec_gives_the_same_records(self):
        for codec, content in ex.COMPRESSED.items():
            lines = self.read(content)
            self.assertEqual(lines[0]["batch"]["codec"], codec)
            self.assertEqual([line["record"]["value"] for line in lines[1:-1]], [ex.TEXT.hex()] * 2)

    def test_append_time_is_the_time_of_every_record(self):
        self.assertEqual(self.read(ex.APPEND_TIME)[1]["record"]["timestamp"], ex.T + 123_456)

    def test_markers_are_told_apart(self):
        for content, control in ((ex.COMMIT, "commit"), (ex.ABORT, "abort")):
            record = self.read(content)[1]["record"]
            self.assertEqual((record["control"], record["coordinator_epoch"]), (control, 0))

    def test_a_flipped_bit_is_reported_and_not_hidden(self):
        content = bytearray(ex.IDEMPOTENT)
        content[-8] ^= 1
        self.assertFalse(self.read(bytes(content))[0]["batch"]["valid"])

    def test_an_unknown_codec_and_a_wrong_count_are_faults(self):
        self.assertIn("fault", self.read(ex.set_bytes(ex.ONE_RECORD, 21, b"\0\5"), code=3)[-1])
        for count in (2, 4):
            content = ex.set_bytes(ex.IDEMPOTENT, 57, count.to_bytes(4, "big"))
            self.assertIn("fault", self.read(content, code=3)[-1])

    def test_a_tail_of_zeros_is_a_fault_and_a_torn_batch_is_not(self):
        whole = ex.IDEMPOTENT + ex.TRANSACTIONAL
        lines = self.read(whole + bytes(4096), code=3)
        self.assertEqual(lines[-1]["fault"]["position"], len(whole))
        self.assertEqual(self.read(whole + ex.COMMIT[:40])[-1], {"end": {"position": len(whole)}})

    def test_recovery_cuts_zeros_and_finds_the_open_transaction(self):
        found = KAFKA.answer("rebuild", self.segment(ex.IDEMPOTENT + ex.TRANSACTIONAL + bytes(4096), 100), 100)
        self.assertEqual((found["bytes_cut"], found["next_offset"], found["first_undecided_offset"]), (4096, 104, 103))

    def test_recovery_cuts_everything_from_the_first_bad_batch(self):
        damaged = bytearray(ex.IDEMPOTENT + ex.TRANSACTIONAL)
        damaged[100] ^= 1
        found = KAFKA.answer("rebuild", self.segment(bytes(damaged), 100), 100)
        self.assertEqual((found["bytes_cut"], found["next_offset"]), (len(damaged), 100))

    def test_indexes_and_snapshot_are_derived_from_the_log_alone(self):
        KAFKA.lines("write", self.directory / "indexes-0", "indexes")
        copy = kafka_env.copy_logs(self.directory / "indexes-0", self.directory / "copy-0")
        self.assertEqual(KAFKA.answer("rebuild", copy, 0)["next_offset"], 14)
        for directory in (self.directory / "indexes-0", copy):
            for name, content in ex.DERIVED.items():
                self.assertEqual((directory / name).read_bytes().hex(), content.hex(), f"{directory.name}/{name}")

    def compacted(self, content):
        """What Kafka's cleaner leaves at time T of a log that starts at offset 100."""
        directory = self.directory / "compact-0"
        KAFKA.lines("append", directory, self.file(content), "start=100", f"now={ex.T}")
        KAFKA.lines("compact", directory, f"now={ex.T}", f"delete.retention.ms={ex.DAY_MS}")
        return (directory / f"{100:020}.log").read_bytes()

    def test_the_cleaner_stamps_a_tombstone_with_its_delete_horizon(self):
        self.assertEqual(self.compacted(ex.IDEMPOTENT).hex(), ex.TOMBSTONE.hex())

    def test_the_cleaner_keeps_a_remnant_for_the_producer(self):
        newer = ex.set_bytes(ex.IDEMPOTENT, 0, (103).to_bytes(8, "big"))
        first = self.compacted(ex.IDEMPOTENT + self.without_producer(newer))[:len(ex.REMNANT)]
        self.assertEqual(first.hex(), ex.REMNANT.hex())

    def without_producer(self, batch):
        """The same batch from a producer without an id."""
        plain = ex.set_bytes(batch, 43, b"\xff" * 14)
        return ex.set_bytes(plain, 17, crc32c(plain[21:]).to_bytes(4, "big"))


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
