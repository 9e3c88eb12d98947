#!/usr/bin/env python3
"""The forms that other programs rely on: topic create, produce, consume -J, verify."""

import json
import os
import subprocess

from command import COMMAND, CommandTest, main


class FixedForms(CommandTest):
    def test_create_produce_consume_verify(self):
        self.seriatim("topic", "create", "orders", "-p", "4", "--config", "retention.ms=-1", "--config", "segment.bytes=1048576")
        lines = [b"user-%d:order %d" % (i % 10, i) for i in range(1000)]
        self.produce("orders", lines, "-K:")
        records = self.records("orders")
        self.assertEqual(len(records), 1000)
        self.assertEqual(set(records[0]), {"topic", "partition", "offset", "timestamp", "key", "value", "headers"})
        self.assertEqual({r["topic"] for r in records}, {"orders"})
        for key in range(10):
            of_key = [r for r in records if r["key"] == f"user-{key}"]
            self.assertEqual(len({r["partition"] for r in of_key}), 1, "a key has one partition")
            self.assertEqual([r["value"] for r in of_key], [f"order {i}" for i in range(key, 1000, 10)])
        for partition in range(4):
            offsets = [r["offset"] for r in records if r["partition"] == partition]
            self.assertEqual(offsets, list(range(len(offsets))))
        out, _ = self.seriatim("verify")
        self.assertIn(b"clean", out)

    def test_acks_words(self):
        self.create("t")
        for acks in ("none", "leader", "all"):
            self.produce("t", [acks.encode()], "--acks", acks)
        self.assertEqual([r["value"] for r in self.records("t")], ["none", "leader", "all"])

    def test_offset_expressions(self):
        self.create("t")
        self.produce("t", [b"%d" % i for i in range(100)])
        def values(*options):
            out, _ = self.seriatim("consume", "t", "-e", *options)
            return [int(line) for line in out.split()]
        self.assertEqual(values(), list(range(100)))
        self.assertEqual(values("-o", "97"), [97, 98, 99])
        self.assertEqual(values("-o", "-3"), [97, 98, 99])
        self.assertEqual(values("-o", "+97"), [97, 98, 99])
        self.assertEqual(values("-o", "end"), [])
        self.assertEqual(values("-o", "10:12"), [10, 11])
        self.assertEqual(values("-o", ":2"), [0, 1])
        self.assertEqual(values("-o", "-1000"), list(range(100)))
        self.assertEqual(values("-o", "98:1000"), [98, 99])
        self.assertEqual(values("-o", "@-1h"), list(range(100)))
        self.assertEqual(values("-o", "@2999-01-01"), [])
        self.assertEqual(values("-o", "s@0", "-o", "e@1"), [])
        self.assertEqual(values("-c", "5", "-o", "50"), [50, 51, 52, 53, 54])

    def test_timestamps_are_searched(self):
        self.create("t")
        lines = [b'{"value":"%d","timestamp":%d}' % (i, 1000 * i) for i in range(10)]
        self.produce("t", lines, "-J")
        out, _ = self.seriatim("consume", "t", "-e", "-o", "@4500:@7000")
        self.assertEqual(out.split(), [b"5", b"6"])
        out, _ = self.seriatim("consume", "t", "-e", "-o", "s@8000")
        self.assertEqual(out.split(), [b"8", b"9"])

    def test_named_reader_resumes(self):
        self.create("t", 2)
        self.produce("t", [b"%d:%d" % (i, i) for i in range(100)], "-K:")
        first, _ = self.seriatim("consume", "t", "-g", "billing", "--commit", "-c", "37")
        second, _ = self.seriatim("consume", "t", "-g", "billing", "--commit", "-e")
        third, _ = self.seriatim("consume", "t", "-g", "billing", "-e")
        other, _ = self.seriatim("consume", "t", "-g", "audit", "-e")
        self.assertEqual(len(first.split()), 37)
        self.assertEqual(sorted(int(v) for v in first.split() + second.split()), list(range(100)))
        self.assertEqual(third, b"")
        self.assertEqual(len(other.split()), 100)

    def test_a_group_has_no_lag_behind_what_it_consumed_and_starts_over_after_a_reset(self):
        self.create("t", 2)
        self.produce("t", [b"%d" % i for i in range(10)], "-p", "0")
        self.produce("t", [b"x", b"y"], "-p", "1", "--transactional-id", "importer", "--every", "1")
        self.seriatim("consume", "t", "-g", "g", "-o", "beginning", "-e")
        def lag():
            return [[row[key] for key in ("topic", "partition", "committed", "end", "lag")] for row in json.loads(self.seriatim("group", "lag", "g", "-j")[0])]
        self.assertEqual(lag(), [["t", 0, 10, 10, 0], ["t", 1, 4, 4, 0]])
        self.seriatim("group", "reset", "g", "--to-earliest", "--execute")
        self.assertEqual(lag(), [["t", 0, 0, 10, 10], ["t", 1, 0, 4, 4]])
        self.assertEqual(len(self.seriatim("consume", "t", "-g", "g", "-e")[0].split()), 12)

    def test_templates_and_keys(self):
        self.create("t")
        self.produce("t", [b"k:v"], "-K:", "-H", "trace=4bf9")
        out, _ = self.seriatim("consume", "t", "-e", "-f", "%t %p %o %k=%v %K %S %h%%\\n")
        self.assertEqual(out, b"t 0 0 k=v 1 1 trace=4bf9%\n")
        out, _ = self.seriatim("consume", "t", "-e", "-f", "%v{hex} %v{base64}")
        self.assertEqual(out, b"76 dg==")
        out, _ = self.seriatim("consume", "t", "-e", "-K", "\\t", "-D", ";")
        self.assertEqual(out, b"k\tv;")

    def test_partition_choice(self):
        self.create("t", 8)
        self.produce("t", [b"a"], "-p", "5")
        self.assertEqual([r["partition"] for r in self.records("t")], [5])
        self.assertEqual(self.records("t", "-p", "0-4,6"), [])
        self.assertEqual(len(self.records("t", "-p", "5")), 1)

    def test_codecs_store_the_same_records(self):
        self.create("t")
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            self.produce("t", [codec.encode() * 100], "-z", codec)
        self.assertEqual([r["value"] for r in self.records("t")], [c * 100 for c in ("none", "gzip", "snappy", "lz4", "zstd")])
        out, _ = self.run_command("-d", self.data, "dump", "t:0", "--output", "jsonl")
        self.assertEqual([json.loads(line)["codec"] for line in out.splitlines()], ["none", "gzip", "snappy", "lz4", "zstd"])

    def test_files_as_records(self):
        self.create("t")
        for name, content in (("one", b"a\nb\n"), ("two", b"\x00\xff")):
            with open(self.path(name), "wb") as file:
                file.write(content)
        self.seriatim("produce", "t", "one", "two")
        self.seriatim("produce", "t", "-l", "one")
        values = [self.seriatim("get", f"t:0@{i}", "--value")[0] for i in range(4)]
        self.assertEqual(values, [b"a\nb\n", b"\x00\xff", b"a", b"b"])

    def test_tail_and_count(self):
        self.create("t", 3)
        lines = [b'{"key":"%d","value":"%d","timestamp":%d}' % (i, i, 1000 + i) for i in range(60)]
        self.produce("t", lines, "-J")
        out, _ = self.seriatim("tail", "t", "-n", "5", "-e")
        self.assertEqual([int(v) for v in out.split()], [55, 56, 57, 58, 59])
        out, _ = self.seriatim("count", "t", "--scan", "-j")
        self.assertEqual(sum(row["records"] for row in json.loads(out)), 60)

    def test_the_directory_is_found(self):
        self.run_command("-d", self.path("seriatim-data"), "topic", "create", "here")
        below = self.path("a", "b")
        os.makedirs(below)
        def listed(**environment):
            done = subprocess.run([COMMAND, "topic", "list", "--output", "tsv"], cwd=below, capture_output=True, text=True, timeout=60, check=True,
                                  env={**{k: v for k, v in os.environ.items() if k != "SERIATIM_DIR"}, **environment})
            return [line.split("\t")[0] for line in done.stdout.splitlines()[1:]]
        self.assertEqual(listed(), ["here"], "the nearest seriatim-data upward")
        self.create("there")
        self.assertEqual(listed(SERIATIM_DIR=self.data), ["there"])

    def test_interactive_line_is_not_held_back(self):
        self.create("t")
        producer = self.start("-d", self.data, "produce", "t", stdin=subprocess.PIPE)
        reader = self.start("-d", self.data, "consume", "t")
        producer.stdin.write(b"first\n")
        producer.stdin.flush()
        self.assertEqual(reader.stdout.readline(), b"first\n")
        producer.stdin.write(b"second\n")
        producer.stdin.flush()
        self.assertEqual(reader.stdout.readline(), b"second\n")
        producer.stdin.close()
        self.assertEqual(producer.wait(60), 0)
        reader.terminate()
        self.assertEqual(reader.wait(60), 143)
        for process in (producer, reader):
            process.stdout.close()
            process.stderr.close()


if __name__ == "__main__":
    main()
