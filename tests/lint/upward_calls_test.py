#!/usr/bin/env python3
"""Shows that a call into a higher layer that docs/layers.md does not list is found, and one that is gone."""

import sys
import unittest

from checkout import REPOSITORY, CheckoutCase

sys.path.insert(0, str(REPOSITORY / "scripts"))
from check_upward_calls import check  # noqa: E402

PAGE = """# Layers

| call | made by | answered by | locks that the caller holds |
|---|---|---|---|
| `Options::make_room` | journal | directory | none |
| `Listener` | journal | consumer | none |
"""


class UpwardCalls(CheckoutCase):
    def setUp(self):
        super().setUp()
        self.write("docs/layers.md", PAGE)
        self.write("engine/journal/options.hpp", "struct Options {\n  std::function<bool(int, const std::string&)> make_room{};\n};\n")
        self.write("engine/journal/listener.hpp", "class Listener {\n public:\n  virtual void on_append() = 0;\n};\n")
        self.write("engine/consumer/parker.hpp", "class Parker final : public journal::Listener {\n  void on_append() override;\n};\n")

    def test_a_table_that_is_right_passes(self):
        self.assertEqual(check(self.root), [])

    def test_functions_that_last_as_long_as_a_call_are_none(self):
        self.write("engine/journal/journal.hpp", "class Journal {\n  void each(const std::function<void()>& visit);\n};\n")
        self.assertEqual(check(self.root), [])

    def test_a_function_that_is_kept_and_not_listed_is_reported(self):
        self.write("engine/journal/journal.hpp", "class Journal {\n  std::function<void()> tell_;\n};\n")
        self.assertIn("Journal::tell", check(self.root)[0])

    def test_a_kept_function_of_a_nested_type_is_reported_once(self):
        self.write("engine/journal/journal.hpp", "class Journal {\n  struct Sink {\n    std::function<void()> tell{};\n  };\n};\n")
        self.assertEqual(len(check(self.root)), 1)

    def test_an_interface_that_another_layer_answers_and_is_not_listed_is_reported(self):
        self.write("engine/journal/visitor.hpp", "struct Visitor {\n  virtual void frame() = 0;\n};\n")
        self.write("engine/consumer/replay.cpp", "class Replay final : public journal::Visitor {};\n")
        self.assertIn("Visitor", check(self.root)[0])

    def test_an_interface_of_one_layer_is_no_upward_call(self):
        self.write("engine/journal/visitor.hpp", "struct Visitor {\n  virtual void frame() = 0;\n};\nclass Own : public Visitor {};\n")
        self.assertEqual(check(self.root), [])

    def test_a_row_without_a_call_is_reported(self):
        self.write("engine/journal/options.hpp")
        self.assertIn("no code makes the upward call Options::make_room", check(self.root)[0])

    def test_a_row_that_does_not_name_the_locks_is_reported(self):
        self.write("docs/layers.md", PAGE.replace("| consumer | none |", "| consumer | |"))
        self.assertIn("empty cell", check(self.root)[0])


if __name__ == "__main__":
    unittest.main()
