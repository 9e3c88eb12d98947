#!/usr/bin/env python3
"""Shows that every count of scripts/check_sizes.py can fail, and that waivers may only go down."""

import sys
import unittest

from checkout import REPOSITORY, CheckoutCase

sys.path.insert(0, str(REPOSITORY / "scripts"))
from check_sizes import check_classes, check_folders, counts  # noqa: E402

HEADER = """#pragma once
class Table {{
 public:
  explicit Table(int size) : size_(size) {{}}
  Table(const Table&) = delete;
  int rows() const noexcept {{ return size_; }}  // a body is no member;
{methods}
 private:
  struct Row {{
    int first = 0;
    int second = 0;
  }};
  static constexpr int rows_max = 3;
{members}
  int size_ = 0;
}};
"""


class Sizes(CheckoutCase):
    def write_class(self, methods, members):
        self.write("engine/base/table.hpp", HEADER.format(
            methods="".join(f"  Result<std::map<int, int>> step_{i}(const std::function<void(int)>& body);\n" for i in range(methods)),
            members="".join(f"  std::atomic<int> member_{i}_{{0}};\n" for i in range(members))))

    def test_a_class_at_the_limits_passes(self):
        self.write_class(28, 19)
        self.assertEqual(check_classes(self.root, {}), [])

    def test_one_method_more_is_reported(self):
        self.write_class(29, 0)
        self.assertIn("Table has 31 methods", check_classes(self.root, {})[0])

    def test_one_member_more_is_reported(self):
        self.write_class(0, 20)
        self.assertIn("21 members", check_classes(self.root, {})[0])

    def test_a_waiver_holds_for_what_it_says_and_may_only_go_down(self):
        waiver = {("engine/base/table.hpp", "Table"): (40, 21, "a reason")}
        self.write_class(38, 20)
        self.assertEqual(check_classes(self.root, waiver), [])
        self.write_class(39, 20)
        self.assertEqual(len(check_classes(self.root, waiver)), 1)
        self.write_class(37, 20)
        self.assertIn("where more stands", check_classes(self.root, waiver)[0])

    def test_a_waiver_of_nothing_is_reported(self):
        self.assertIn("does not exist", check_classes(self.root, {("engine/base/gone.hpp", "Gone"): (40, 21, "a reason")})[0])

    def test_guarded_members_and_functions_kept_are_members(self):
        self.assertEqual(counts("int a_ SERIATIM_GUARDED_BY(mutex_) = 0;\nstd::function<void(int)> tell_;\nvoid f() const;\n"), (1, 2))

    def test_a_folder_with_too_many_files_is_reported(self):
        for i in range(25):
            self.write(f"engine/base/file_{i}.hpp")
        self.assertEqual(check_folders(self.root), [])
        self.write("engine/base/one_more.hpp")
        self.assertIn("26 files", check_folders(self.root)[0])


if __name__ == "__main__":
    unittest.main()
