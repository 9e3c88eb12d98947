#!/usr/bin/env python3
"""The table of counter ids in docs/data_directory.md is that of the source, and each counter is a field of Metrics."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


class CounterIds(unittest.TestCase):
    def test_the_document_has_the_ids_of_the_source(self):
        source = re.findall(r'CounterId\{(\d+), "(\w+)", &Metrics::(\w+)\}', text("engine/directory/upkeep/counter_ids.hpp"))
        table = text("docs/data_directory.md").split("| id | counter |", 1)[1].split("\n\n", 1)[0]
        documented = re.findall(r"^\| (\d+) \| `(\w+)` \|$", table, re.MULTILINE)
        self.assertGreater(len(source), 30)
        for _, name, field in source:
            self.assertEqual(name, field)
        self.assertEqual(documented, [(number, name) for number, name, _ in source])

    def test_every_field_of_metrics_has_one(self):
        fields = re.findall(r"std::uint64_t (\w+)\s*=", text("include/seriatim/metrics.hpp"))
        names = re.findall(r'CounterId\{\d+, "(\w+)"', text("engine/directory/upkeep/counter_ids.hpp"))
        self.assertEqual(sorted(fields), sorted(names))


if __name__ == "__main__":
    unittest.main()
