#!/usr/bin/env python3
"""Shows that every rule of scripts/tidy.py can fail, and that a clean checkout passes."""

import sys
import unittest

from checkout import REPOSITORY, CheckoutCase

sys.path.insert(0, str(REPOSITORY / "scripts"))
from cpp_functions import functions_of  # noqa: E402

# Put together here, so that this file passes the rules it tests and is not taken for the test of an invariant.
INV = "INV" + "-"
UNFINISHED = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "for" + " now", "in" + " a real"]
DOCUMENTED = """#pragma once
/// A topic.
/// Threads: any.
class Topic {
 public:
  /// Deletes it.
  /// Errors: closed.
  Result<void> remove();
  Result<void> remove(bool at_once);
};
"""


class TidyRules(CheckoutCase):
    tool = "tidy.py"

    def setUp(self):
        super().setUp()
        self.write("engine/base/clock.cpp", "int now() { return 0; }\n")
        self.write("engine/base/clock.hpp", f"#pragma once\n// Holds {INV}1.\n")
        self.write("tests/unit/base/clock_test.cpp", f"// Tests {INV}1.\n")
        self.write("include/seriatim/topic.hpp", DOCUMENTED)
        self.write("docs/invariants.md", f"# Invariants\n\n- {INV}1 Time passes.\n")
        self.write("docs/start.md", "# Start\n\n## First steps\n\n[on](#first-steps) and [more](invariants.md#invariants),\n"
                                    "`base/clock.hpp`, `engine/x/y.cpp`, `N.log`, <https://example.org>\n")

    def test_a_clean_checkout_passes(self):
        self.expect_clean()

    def test_a_long_file_is_reported(self):
        self.write("engine/base/table.hpp", "#pragma once\n" + "int a;\n" * 399)
        self.expect_clean()
        self.write("engine/base/table.hpp", "#pragma once\n" + "int a;\n" * 400)
        self.expect_offence("engine/base/table.hpp:401", "401 lines")

    def test_a_long_script_is_reported(self):
        self.write("run", "#!/bin/bash\n" + "true\n" * 400)
        self.expect_offence("run:401", "401 lines")

    def test_a_long_function_is_reported(self):
        self.write("engine/base/table.hpp", "#pragma once\ninline void f() {\n" + "  g();\n" * 69 + "}\n")
        self.expect_clean()
        self.write("engine/base/table.hpp", "#pragma once\ninline void f() {\n" + "  g();\n" * 70 + "}\n")
        self.expect_offence("engine/base/table.hpp:2", "f has 71 lines")

    def test_a_function_with_many_parameters_is_reported(self):
        self.write("engine/base/table.hpp", "#pragma once\ninline void f(int a, int b, int c, int d, int e, int g) {}\n")
        self.expect_offence("engine/base/table.hpp:2", "f has 6 parameters")

    def test_a_long_python_function_is_reported(self):
        self.write("scripts/x_tool.py", "def f():\n" + "    g()\n" * 71)
        self.expect_offence("scripts/x_tool.py:1", "f has 71 lines")

    def test_every_unfinished_word_is_reported(self):
        for word in UNFINISHED:
            with self.subTest(word=word):
                self.write("engine/base/table.hpp", f"#pragma once\n// {word}: later\n")
                self.expect_offence("engine/base/table.hpp:2", word)

    def test_unfinished_words_are_found_in_scripts_and_documents(self):
        for name in ("run", "docs/more.md", "cmake/x.cmake", "tests/CMakeLists.txt"):
            with self.subTest(name=name):
                self.write(name, f"#!/bin/bash\n# {UNFINISHED[0]}\n")
                self.expect_offence(f"{name}:2", UNFINISHED[0])
                self.write(name, "\n")

    def test_trailing_white_space_is_reported(self):
        self.write("cmake/x.cmake", "set(a b) \n")
        self.expect_offence("cmake/x.cmake:1", "white space")

    def test_a_header_without_pragma_once_is_reported(self):
        self.write("engine/base/table.hpp", "int a;\n")
        self.expect_offence("engine/base/table.hpp:1", "#pragma once")

    def test_a_source_without_a_test_is_reported(self):
        self.write("engine/base/bytes.cpp")
        self.expect_offence("engine/base/bytes.cpp:1", "tests/unit/base/bytes_test.cpp")

    def test_a_test_beside_the_layer_or_in_its_subfolder_counts(self):
        self.write("engine/format/compression/lz4.cpp")
        self.write("tests/unit/format/lz4_test.cpp")
        self.write("engine/format/compression/gzip.cpp")
        self.write("tests/unit/format/compression/gzip_test.cpp")
        self.expect_clean()

    def test_the_test_of_a_unit_counts_for_its_parts_but_not_for_other_units(self):
        self.write("engine/base/clock_manual.cpp")
        self.expect_clean()
        self.write("engine/base/clock_manual.hpp", "#pragma once\n")
        self.expect_offence("engine/base/clock_manual.cpp:1", "tests/unit/base/clock_manual_test.cpp")

    def test_a_waiver_needs_a_reason_a_source_and_a_missing_test(self):
        self.write("engine/base/bytes.cpp")
        self.write("tests/unit/waivers.txt", "engine/base/bytes.cpp: only calls what error_test covers\n")
        self.expect_clean()
        self.write("tests/unit/waivers.txt", "engine/base/bytes.cpp:\n")
        self.expect_offence("tests/unit/waivers.txt:1", "no reason")
        self.write("tests/unit/waivers.txt", "engine/base/bytes.cpp: only calls what error_test covers\n")
        self.write("tests/unit/base/bytes_test.cpp")
        self.expect_offence("tests/unit/waivers.txt:1", "has a test")
        self.write("tests/unit/waivers.txt", "engine/base/gone.cpp: this file was moved away\n")
        self.expect_offence("tests/unit/waivers.txt:1", "does not exist")

    def test_a_wide_line_of_a_document_is_reported(self):
        wide = "word " * 20 + "s"
        for good in (wide[1:], "| " + wide + " |", "x" * 101, f"```console run\n{wide}\n```", f"```\n{wide[1:]}\n```"):
            with self.subTest(good=good):
                self.write("docs/more.md", good + "\n")
                self.expect_clean()
        for text, line in ((wide, 1), (f"```\n{wide}\n```", 2), (f"```console run\n```\n{wide}", 3)):
            with self.subTest(text=text):
                self.write("docs/more.md", text + "\n")
                self.expect_offence(f"docs/more.md:{line}", "101 columns")

    def test_a_sentence_of_a_document_that_hides_who_acts_is_reported(self):
        word = "Wha" + "t"
        self.write("docs/more.md", f"## {word} it is\n\nReaders: all.\n\n`{word}`\n\n```\n{word}\n```\n")
        self.expect_clean()
        for text in (f"{word} is there stays.", f"Rows stay. {word} is not there comes.", f"| a | {word} is there |"):
            with self.subTest(text=text):
                self.write("docs/more.md", text + "\n")
                self.expect_offence("docs/more.md:1", word, "who acts")

    def test_a_link_to_nothing_is_reported(self):
        self.write("docs/more.md", "[gone](gone.md)\n")
        self.expect_offence("docs/more.md:1", "link to gone.md")

    def test_a_link_to_a_missing_heading_is_reported(self):
        self.write("docs/more.md", "[gone](start.md#gone)\n")
        self.expect_offence("docs/more.md:1", "no such heading")

    def test_a_file_name_that_does_not_exist_is_reported(self):
        for name in ("engine/base/gone.hpp", "base/gone.hpp", "gone.md"):
            with self.subTest(name=name):
                self.write("docs/more.md", f"See `{name}`.\n")
                self.expect_offence("docs/more.md:1", name)

    def test_a_planned_layer_may_be_named(self):
        self.write("docs/layers.md", "# Layers\n\n| layer | base |\n|---|---|\n| journal | x |\n")
        self.write("docs/more.md", "See `engine/journal`.\n")
        self.expect_clean()
        self.write("docs/more.md", "See `engine/diary`.\n")
        self.expect_offence("docs/more.md:1", "engine/diary")

    def test_an_undefined_invariant_is_reported(self):
        self.write("docs/more.md", f"{INV}7\n")
        self.expect_offence("docs/more.md:1", f"{INV}7 is not in")

    def test_an_invariant_that_no_test_cites_is_reported(self):
        self.write("tests/unit/base/clock_test.cpp")
        self.expect_offence("docs/invariants.md:1", f"{INV}1", "nothing in tests/ cites it")

    def test_a_rule_of_kafka_that_is_cited_must_be_on_its_page(self):
        self.write("engine/base/clock.hpp", f"#pragma once\n// Holds {INV}1 (kafka-log 2.10).\n")
        self.expect_offence("engine/base/clock.hpp:2", "kafka-log 2.10 is not in")
        self.write("docs/kafka_rules.md", "# Rules\n\n## kafka-log 2.10: retention\n")
        self.expect_clean()
        self.write("docs/more.md", "See kafka-log.\n")
        self.expect_offence("docs/more.md:1", "without a number")

    def test_a_rule_of_kafka_that_nothing_cites_is_reported(self):
        self.write("docs/kafka_rules.md", "# Rules\n\n## kafka-log 2.10: retention\n")
        self.expect_offence("docs/kafka_rules.md:3", "nothing cites kafka-log 2.10")

    def test_a_result_without_its_errors_is_reported(self):
        self.write("include/seriatim/topic.hpp", DOCUMENTED.replace("  /// Errors: closed.\n", "").replace(
            "  Result<void> remove(bool at_once);\n", ""))
        self.expect_offence("include/seriatim/topic.hpp:7", "remove", "Errors:")

    def test_a_result_without_its_threads_is_reported(self):
        self.write("include/seriatim/topic.hpp", DOCUMENTED.replace("/// Threads: any.\n", "").replace(
            "  Result<void> remove(bool at_once);\n", ""))
        self.expect_offence("include/seriatim/topic.hpp:7", "remove", "Threads:")


class FunctionScan(unittest.TestCase):
    """The brace reader behind the function limits."""

    def names(self, text):
        return [(f.name, f.parameters) for f in functions_of(text)]

    def test_functions_of_namespaces_and_classes_are_found(self):
        self.assertEqual(self.names("namespace a { class B : C { int f() const noexcept { return 1; } }; }"), [("f", 0)])
        self.assertEqual(self.names('class CAPABILITY("mutex") M { void lock() { } };'), [("lock", 0)])
        self.assertEqual(self.names("template <class A, class B> A f(std::map<A, B> m, int n = g(1, 2)) { }"), [("f", 2)])
        self.assertEqual(self.names("A::A(int a, int b) : a_(a), b_(b) { }"), [("A::A", 2)])
        self.assertEqual(self.names("bool B::operator()(int a) const { }"), [("B::operator()", 1)])

    def test_what_is_inside_a_function_is_not_another(self):
        self.assertEqual(self.names("void f() { if (a) { b(); } auto g = [](int x) { return x; }; }"), [("f", 0)])

    def test_initialisers_and_types_are_not_functions(self):
        self.assertEqual(self.names("const int rows[] = {f(1), f(2)}; struct A { int a = 1; }; enum class E { a };"), [])

    def test_braces_in_text_do_not_count(self):
        self.assertEqual(self.names('void f() { g("}"); /* } */ h(\'}\'); // }\n i(R"x(})x"); j(1\'000); }'), [("f", 0)])


if __name__ == "__main__":
    unittest.main()
