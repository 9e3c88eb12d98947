#!/usr/bin/env python3
"""A batch that is whole, in a form of its codec that is not read here, is told from a damaged one by every command."""

import json
import os
import struct

from batches import crc32c
from command import CommandTest, main

LENGTH_AT, CRC_AT, CRC_FROM, RECORDS_AT = 8, 17, 21, 61  # of Kafka's record batch, version 2
WINDOW_OF_256_MIB = bytes.fromhex("28b52ffd0090")  # the beginning of a zstd frame


class UnsupportedCodec(CommandTest):
    def setUp(self):
        """Three batches, of which the one in the middle cannot be read."""
        super().setUp()
        self.create("t")
        for value in (b"one" * 100, b"two" * 100, b"three" * 100):
            self.produce("t", [value], "-z", "zstd")
        self.log = os.path.join(self.data, "log", "t-0", "00000000000000000000.log")
        with open(self.log, "rb") as file:
            log = bytearray(file.read())
        start = 12 + struct.unpack(">i", log[LENGTH_AT:LENGTH_AT + 4])[0]
        end = start + 12 + struct.unpack(">i", log[start + LENGTH_AT:start + LENGTH_AT + 4])[0]
        log[start + RECORDS_AT:start + RECORDS_AT + len(WINDOW_OF_256_MIB)] = WINDOW_OF_256_MIB
        log[start + CRC_AT:start + CRC_AT + 4] = struct.pack(">I", crc32c(log[start + CRC_FROM:end]))
        with open(self.log, "wb") as file:
            file.write(log)

    def test_readers_name_the_feature_and_the_way_on(self):
        for words in (["consume", "t", "-e"], ["get", "t:0@1"], ["tail", "t", "-e"], ["count", "t", "--scan"]):
            with self.subTest(words):
                _, err = self.run_command("-d", self.data, *words, status=1)
                for text in (b"UNSUPPORTED_CODEC", self.log.encode(), b"offset 1", b"window above 128 MiB", b"next batch begins at offset 2"):
                    self.assertIn(text, err)
        self.assertEqual(self.seriatim("consume", "t", "-o", "2", "-e")[0], b"three" * 100 + b"\n")

    def test_checks_find_no_damage_and_repair_leaves_it_alone(self):
        report = json.loads(self.seriatim("verify", "-j")[0])
        self.assertEqual([(f["severity"], f["first_offset"], f["last_offset"]) for f in report["findings"]], [("note", 1, 1)])
        self.assertIn(b"clean but for the notes above", self.seriatim("verify")[0])
        with open(self.log, "rb") as file:
            before = file.read()
        for words in (["--dry-run"], ["--yes"], ["--yes", "--accept-loss"]):
            self.assertEqual(self.seriatim("repair", *words)[0], b"nothing to repair\n")
        with open(self.log, "rb") as file:
            self.assertEqual(file.read(), before)
        rows = [json.loads(line) for line in self.seriatim("--output", "jsonl", "dump", "t:0", "--records")[0].splitlines()]
        self.assertEqual([row["valid"] for row in rows if "valid" in row], [True, True, True])
        self.assertEqual(sum("fault" in row for row in rows), 1)


if __name__ == "__main__":
    main()
