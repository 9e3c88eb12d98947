#!/usr/bin/env python3
"""No function of the engine is there for tests alone, and a proof that this rule can fail."""

import sys
import unittest

from checkout import REPOSITORY, CheckoutCase

sys.path.insert(0, str(REPOSITORY / "scripts"))
from check_callers import ALLOWED, offences_of  # noqa: E402

HEADER = """#pragma once
/// Counts with tally(), which is no call.
class Table {
 public:
  explicit Table(int size);
  std::map<std::string, int> tally(int first,
                                   int last) const;
  int rows() const noexcept { return rows_; }
};
Result<void> open_table();
"""


class ThisCheckout(unittest.TestCase):
    def test_every_function_of_the_engine_has_a_caller_outside_tests(self):
        self.assertEqual(offences_of(REPOSITORY, ALLOWED), [])


class Callers(CheckoutCase):
    def setUp(self):
        super().setUp()
        self.write("engine/base/table.hpp", HEADER)
        self.write("engine/base/table.cpp", "std::map<std::string, int> Table::tally(int first, int last) const { return {}; }\n"
                                            "Result<void> open_table() { return {}; }\n")
        self.write("cli/main.cpp", 'int main() { Table table(1); open_table(); return table.rows() + table.tally(1, 2).size(); }\n')

    def expect(self, *places, allowed=()):
        found = offences_of(self.root, allowed)
        self.assertEqual([offence.split(": ")[0] for offence in found], list(places), found)

    def test_functions_that_are_called_pass(self):
        self.expect()

    def test_a_function_that_only_a_test_calls_is_reported(self):
        self.write("cli/main.cpp", '// open_table() and table.tally()\nint main() { return Table(1).rows() + strlen("tally(1, 2)"); }\n')
        self.write("tests/unit/base/table_test.cpp", "int main() { open_table(); Table(1).tally(1, 2); }\n")
        self.expect("engine/base/table.hpp:6", "engine/base/table.hpp:10")
        self.expect("engine/base/table.hpp:6", allowed={"open_table": "a reason"})

    def test_a_member_function_with_its_body_in_the_header_is_reported(self):
        self.write("cli/main.cpp", "int main() { open_table(); return Table(1).tally(1, 2).size(); }\n")
        self.expect("engine/base/table.hpp:8")

    def test_a_function_that_is_allowed_without_need_is_reported(self):
        self.expect("scripts/check_callers.py:1", "scripts/check_callers.py:1", allowed={"rows": "a reason", "gone": "a reason"})


if __name__ == "__main__":
    unittest.main()
