#!/usr/bin/env python3
"""Shows that every rule of scripts/tidy_comments.py can fail, and that sound comments pass."""

import sys
import unittest
from pathlib import Path

from checkout import REPOSITORY, CheckoutCase

sys.path.insert(0, str(REPOSITORY / "scripts"))
from tidy_comments import check_comments  # noqa: E402

HEADER = "engine/base/table.hpp"
HIDDEN = ("What", "Who", "Whoever", "Whatever", "Whose", "Those")


def offences(name, *lines):
    """[(line, message)]"""
    return check_comments(Path(name), "\n".join((*lines, "")), is_script="." not in name)


class CommentRules(unittest.TestCase):
    def expect(self, found, line, *words):
        self.assertEqual([number for number, _ in found], [line], found)
        for word in words:
            self.assertIn(word, found[0][1])

    def test_fields_on_lines_of_their_own_pass(self):
        self.assertEqual(offences(HEADER, "/// Holds rows.", "/// Errors: closed. Every other call is refused then.",
                                  "/// Threads: any.", "///   Cost: a look-up.", "int a;  ///< Source: arbitrary.",
                                  'const char* b = "x // y. Errors: none";'), [])

    def test_a_field_inside_running_text_is_reported(self):
        for label in ("Errors:", "Threads:", "Durability:", "Lifetime:", "Cost:", "Source:", "@param row", "@return",
                      "Errors (the rows stay):"):
            for before in ("/// Holds rows.", "  // Holds", "int a;  ///< Rows;", "/// Threads: any."):
                with self.subTest(label=label, before=before):
                    self.expect(offences(HEADER, "", f"{before} {label} none."), 2, label.split()[0].rstrip(":"), "its own line")

    def test_a_field_inside_a_block_comment_is_reported(self):
        self.expect(offences(HEADER, "/* Holds rows.", " * Rows are numbers. Cost: a look-up. */"), 2, "Cost")

    def test_a_wide_comment_is_reported(self):
        self.assertEqual(offences(HEADER, "// " + "x" * 107), [])
        self.expect(offences(HEADER, "// " + "x" * 108), 1, "111 columns")

    def test_a_sentence_that_hides_who_acts_is_reported(self):
        for word in HIDDEN:
            for before in ("// ", "/// Holds rows. ", "// Rows: ", "// (Rows.) ", "/* ", "int a;  ///< ", "  // row; "):
                with self.subTest(word=word, before=before):
                    self.expect(offences(HEADER, f"{before}{word} reads it waits. */"), 1, f"'{word}'", "who acts")

    def test_such_a_word_inside_a_sentence_or_a_quotation_passes(self):
        self.assertEqual(offences(HEADER, "// Says what is there, for whoever reads it.",
                                  '// `What` and "Who" are words of a table.', 'const char* a = "Who";'), [])

    def test_such_a_sentence_is_found_in_scripts_and_docstrings(self):
        for name, lines, line in (("run", ("#!/bin/bash", "# {} comes."), 2), ("x.cmake", ("set(a b)  # {} comes.",), 1),
                                  ("x.py", ("a = 1", "# {} comes."), 2),
                                  ("x.py", ("def f():", '    """Adds.', "", "    {} comes.", '    """'), 4)):
            with self.subTest(name=name):
                self.expect(offences(name, *(text.format(HIDDEN[0]) for text in lines)), line, HIDDEN[0])


class TidyAsksThem(CheckoutCase):
    tool = "tidy.py"

    def setUp(self):
        super().setUp()
        self.write(".clang-format", "ColumnLimit: 110\nReflowComments: false\n")
        self.write("docs/invariants.md", "# Invariants\n")

    def test_an_offence_is_reported_with_its_place(self):
        self.expect_clean()
        self.write(HEADER, f"#pragma once\n// {HIDDEN[0]} waits.\n")
        self.expect_offence(f"{HEADER}:2", "who acts")

    def test_a_formatter_that_breaks_comments_anew_is_reported(self):
        self.write(".clang-format", "ColumnLimit: 110\n")
        self.expect_offence(".clang-format:1", "ReflowComments: false")


if __name__ == "__main__":
    unittest.main()
