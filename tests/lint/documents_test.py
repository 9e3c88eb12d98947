#!/usr/bin/env python3
"""What the documentation shows is run by a test, and the tests it names exist; and a proof that both rules can fail."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from checkout import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
import guarantees  # noqa: E402
from doc_blocks import RUN_BY, blocks_of, strange_excerpts, unrun_blocks  # noqa: E402
from named_tests import cases_of, check_invariants, check_names  # noqa: E402

# Put together here, so that this file is not taken for the test of an invariant.
INV = "INV" + "-"
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md"), *(REPOSITORY / "docs" / "recipes").glob("*.md"),
                *(REPOSITORY / "tests").glob("*/README.md")])


def pages():
    """[(path in the repository, text)]"""
    return [(str(page.relative_to(REPOSITORY)), page.read_text(encoding="utf-8")) for page in PAGES]


class ThisCheckout(unittest.TestCase):
    def test_every_example_is_run_by_a_test(self):
        for_users = [(page, text) for page, text in pages() if not page.startswith("tests/")]
        offences = [f"{page}:{line}: {why}" for page, text in for_users for line, why in unrun_blocks(page, text)]
        self.assertEqual(offences, [])

    def test_every_excerpt_of_an_example_stands_there(self):
        examples = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "examples").glob("*.cpp")]
        offences = [f"{page}:{line}: {why}" for page, text in pages() for line, why in strange_excerpts(text, examples)]
        self.assertEqual(offences, [])

    def test_who_runs_the_examples_exists(self):
        for runner in RUN_BY.values():
            self.assertTrue((REPOSITORY / runner).is_file(), runner)

    def test_every_test_that_is_named_exists(self):
        self.assertEqual([offence for page, text in pages() for offence in check_names(REPOSITORY, page, text)], [])

    def test_every_invariant_is_cited_by_its_tests(self):
        text = (REPOSITORY / "docs" / "invariants.md").read_text(encoding="utf-8")
        self.assertEqual(check_invariants(REPOSITORY, "docs/invariants.md", text), [])

    def test_every_level_of_durability_that_promises_something_names_its_test(self):
        text = (REPOSITORY / "docs" / "durability.md").read_text(encoding="utf-8")
        rows = [line for line in text.splitlines() if re.match(r"\| `(none|leader|all)`", line)]
        self.assertEqual(len(rows), 3)
        for row in rows:
            promises_nothing = row.count("no promise") == 2 and row.startswith("| `none`")
            self.assertTrue(promises_nothing or "`tests/" in row, row)

    def test_every_promise_of_a_recipe_names_a_test_that_exists(self):
        self.assertEqual(guarantees.offences_of(REPOSITORY), [])

    def test_every_run_command_that_is_named_exists(self):
        usage = subprocess.run([REPOSITORY / "run", "help"], capture_output=True, text=True, check=True).stdout
        for page, text in pages():
            for word in re.findall(r"\./run (\w+)", text):
                self.assertIn(f"\n  {word} ", usage, page)

    def test_the_order_of_reading_names_every_page(self):
        text = (REPOSITORY / "docs" / "README.md").read_text(encoding="utf-8")
        names = [page.relative_to(REPOSITORY / "docs") for folder in ("", "recipes") for page in (REPOSITORY / "docs" / folder).glob("*.md")]
        unnamed = [str(name) for name in names if str(name) != "README.md" and f"]({name})" not in text]
        self.assertEqual(unnamed, [])

    def test_every_folder_of_tests_is_explained(self):
        text = (REPOSITORY / "docs" / "testing.md").read_text(encoding="utf-8")
        folders = [path.name for path in (REPOSITORY / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"]
        self.assertEqual([name for name in sorted(folders) if f"`tests/{name}`" not in text], [])


class Guarantees(unittest.TestCase):
    def offences(self, *rows):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "docs" / "recipes").mkdir(parents=True)
            (root / "tests" / "unit").mkdir(parents=True)
            (root / "tests" / "unit" / "x_test.cpp").write_text('TEST_CASE("it holds, whatever comes") {}\n', encoding="utf-8")
            table = "".join(f"| {row} |\n" for row in rows)
            (root / "docs" / "recipes" / "x.md").write_text(
                f"# X\n\n## Guarantees\n\n| promise | test |\n|---|---|\n{table}\n## Next\n", encoding="utf-8")
            (root / guarantees.PAGE).write_text(guarantees.page_of(root), encoding="utf-8")
            return guarantees.offences_of(root)

    def test_tests_that_exist_are_accepted(self):
        self.assertEqual(self.offences('It holds. | `x_test.cpp`: "it holds, whatever comes"', 'Too. | "it holds, ..."'), [])

    def test_tests_that_do_not_exist_are_offences(self):
        for row in ('It holds. | "it breaks"', "It holds. | `y_test.cpp`", "It holds. | look at the code"):
            self.assertEqual(len(self.offences(row)), 1, row)

    def test_a_page_without_promises_is_an_offence(self):
        self.assertEqual(len(self.offences()), 1)


class Blocks(unittest.TestCase):
    def test_an_excerpt_has_the_lines_of_an_example(self):
        page = "```cpp example\na();\n  b();\n```\n"
        self.assertEqual(strange_excerpts(page, ["int main() {\n  a();\n    b();\n}\n"]), [])
        self.assertEqual([line for line, _ in strange_excerpts(page, ["  a();\n  c();\n  b();\n"])], [1])

    def test_blocks_are_found_with_their_names_and_lines(self):
        found = blocks_of("a\n```console run\n$ x\n```\n~~~\n```\n~~~\n")
        self.assertEqual([(b.info, b.lines, b.line) for b in found], [("console run", ["$ x"], 2), ("", ["```"], 5)])

    def test_a_block_that_is_never_closed_is_refused(self):
        with self.assertRaisesRegex(ValueError, "line 2: the block is never closed"):
            blocks_of("a\n```\nb\n")

    def test_a_block_that_nobody_runs_is_reported(self):
        for page, block, word in (("docs/x.md", "```cpp\nint a;\n```", "no test runs"), ("README.md", "```bash\nls\n```", "no test runs"),
                                  ("README.md", "```\n$ ls\n```", "has to be called"), ("README.md", "```console\n$ ls\n```", "console run")):
            with self.subTest(block=block):
                self.assertEqual([word in why for _, why in unrun_blocks(page, block + "\n")], [True])
        self.assertEqual(unrun_blocks("README.md", "<!-- commands -->\n```console\n$ ls\n```\n<!-- /commands -->\n```cpp\n```\n"), [])


class NamedTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "tests" / "empty").mkdir(parents=True)
        (self.root / "tests" / "a_test.cpp").write_text(f'TEST_CASE("{INV}1: one, " "and two") {{}}\n', encoding="utf-8")
        (self.root / "tests" / "b_test.py").write_text("class B:\n    def test_b(self):\n        pass\n", encoding="utf-8")

    def test_names_of_tests_are_read(self):
        self.assertEqual(cases_of(self.root / "tests" / "a_test.cpp"), [f"{INV}1: one, and two"])
        self.assertEqual(cases_of(self.root / "tests" / "b_test.py"), ["test_b"])

    def test_a_test_that_does_not_exist_is_reported(self):
        good = f'`tests/a_test.cpp`: "{INV}1: one, and two" and `tests/b_test.py`: "test_b" in `tests/`'
        self.assertEqual(check_names(self.root, "p", good), [])
        self.assertEqual(len(check_names(self.root, "p", good.replace("two", "three"))), 1)
        self.assertEqual(check_names(self.root, "p", good.replace(" ", "\n  ")), [])
        self.assertEqual(len(check_names(self.root, "p", good.replace("two", "three").replace(" ", "\n  "))), 1)
        self.assertEqual(len(check_names(self.root, "p", "`tests/c_test.py` `tests/empty/`")), 2)

    def test_an_invariant_without_its_test_is_reported(self):
        good = f"| {INV}1 | holds | x | `tests/a_test.cpp` |\n| {INV}2 | holds | none in this version | |\n"
        self.assertEqual(check_invariants(self.root, "p", good), [])
        self.assertEqual(len(check_invariants(self.root, "p", good.replace("a_test.cpp", "b_test.py"))), 1)
        self.assertEqual(len(check_invariants(self.root, "p", good.replace(" in this version", ""))), 1)
        self.assertEqual(len(check_invariants(self.root, "p", "nothing")), 1)


if __name__ == "__main__":
    unittest.main()
