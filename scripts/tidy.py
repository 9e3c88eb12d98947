#!/usr/bin/env python3
"""Checks the rules of docs/style.md that a script can check. Prints each offence and exits 1 if there is one."""

import argparse
import ast
import re
import sys
from pathlib import Path

import tidy_comments
import tidy_docs
from cpp_functions import functions_of

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 5

FOLDERS = (".ci", "bench", "cli", "cmake", "docs", "engine", "examples", "include", "packaging", "scripts", "tests")
BRACED = {".cpp", ".hpp", ".h", ".java"}
CODE = BRACED | {".py", ".sh", ".cmake", ".c"}
TEXT = CODE | {".md", ".txt", ".json", ".in", ".map", ".xml", ".patch"}

# Written so that this file does not offend its own rule.
BANNED = re.compile(r"\bTO[D]O\b|\bFIX[M]E\b|\bX[X]X\b|\bHAC[K]\b|\bfor[ ]now\b|\bin[ ]a[ ]real\b", re.IGNORECASE)
RESULT_DECLARATION = re.compile(r"^(?:  )?(?:(?:SERIATIM_API|static|virtual|inline|friend|constexpr|\[\[\w+\]\])\s+)*"
                                r"Result<.*?>\s+(\w+)\(")
CLASS_DECLARATION = re.compile(r"^(?:class|struct)\b[^;]*\{$")
COROUTINE_PROTOCOL = re.compile(r"^await_|^operator")
WAIVERS = "tests/unit/waivers.txt"


def is_script(path):
    """Scripts without a suffix: run, .ci/run, scripts/lint."""
    return not path.suffix and path.read_bytes()[:2] == b"#!"


class Tidy:
    """Collects offences of one checkout."""

    def __init__(self, root):
        self.root = root
        self.offences = []
        self.files = [p for p in root.iterdir() if p.is_file() and not p.name.startswith(".git")]
        for folder in FOLDERS:
            self.files += [p for p in (root / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        self.files.sort()

    def report(self, path, line, message):
        self.offences.append(f"{path.relative_to(self.root)}:{line}: {message}")

    def check(self):
        for path in self.files:
            if path.suffix in TEXT or is_script(path):
                self.check_text(path, path.read_text(encoding="utf-8"))
        self.check_mirrored_tests()
        self.offences += tidy_comments.check_formatter(self.root)
        self.offences += tidy_docs.check(self.root, self.files)
        return self.offences

    def check_text(self, path, text):
        lines = text.splitlines()
        is_code = path.suffix in CODE or is_script(path) or path.name == "CMakeLists.txt"
        if is_code and len(lines) > FILE_LINES_MAX:
            self.report(path, len(lines), f"{len(lines)} lines, at most {FILE_LINES_MAX}: give one of its duties a file of its own")
        for number, line in enumerate(lines, 1):
            found = BANNED.search(line)
            if found:
                self.report(path, number, f"'{found.group()}': finish it, or open an issue; the tree holds no promises")
            if path.suffix != ".patch" and path.suffix != ".md" and line != line.rstrip():
                self.report(path, number, "white space at the end of the line")
        for number, message in tidy_comments.check_comments(path, text, is_script(path)):
            self.report(path, number, message)
        if path.suffix in BRACED:
            self.check_functions(path, functions_of(text))
        if path.suffix == ".py":
            self.check_python(path, text)
        if path.suffix == ".hpp" and "#pragma once" not in text:
            self.report(path, 1, "a header begins with #pragma once")
        if path.suffix == ".hpp" and path.is_relative_to(self.root / "include"):
            self.check_public_docs(path, lines)

    def check_functions(self, path, functions):
        for function in functions:
            self.check_size(path, function.line, function.name, function.lines)
            if function.parameters > PARAMETERS_MAX:
                self.report(path, function.line, f"{function.name} has {function.parameters} parameters, at most "
                                                 f"{PARAMETERS_MAX}: pass a struct")

    def check_size(self, path, line, name, size):
        if size > FUNCTION_LINES_MAX:
            self.report(path, line, f"{name} has {size} lines, at most {FUNCTION_LINES_MAX}: name its steps")

    def check_python(self, path, text):
        for node in ast.walk(ast.parse(text, str(path))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.check_size(path, node.lineno, node.name, node.end_lineno - node.lineno)

    def check_public_docs(self, path, lines):
        """Every public function that returns a Result says which errors, and from which threads."""
        block, class_block, shared_block = [], [], []
        for number, line in enumerate(lines, 1):
            stripped = line.strip()
            if stripped.startswith("///"):
                block.append(stripped)
                continue
            if CLASS_DECLARATION.match(line):
                class_block = block
            elif line.startswith("}"):
                class_block = []
            declared = RESULT_DECLARATION.match(line)
            if declared and not COROUTINE_PROTOCOL.match(declared.group(1)):
                # Overloads that follow each other without a blank line share one comment.
                shared_block = block or shared_block
                self.check_result_doc(path, number, declared.group(1), shared_block, class_block)
            elif not stripped:
                shared_block = []
            if not stripped.startswith("template"):
                block = []

    def check_result_doc(self, path, line, name, block, class_block):
        text = " ".join(block)
        if not re.search(r"\bErrors\b", text):
            self.report(path, line, f"{name} returns a Result; say in its /// comment which 'Errors:'")
        if not re.search(r"\bThreads\b", text + " ".join(class_block)):
            self.report(path, line, f"{name} returns a Result; say 'Threads:' in its or its class's /// comment")

    def check_mirrored_tests(self):
        """Every engine/x/y.cpp is tested by a tests/unit/x/y_test.cpp, or waived."""
        waivers = self.read_waivers()
        for path in sorted((self.root / "engine").rglob("*.cpp")):
            relative = path.relative_to(self.root / "engine")
            source = f"engine/{relative}"
            has_test = self.has_test(path, relative)
            if not has_test and source not in waivers:
                self.report(path, 1, f"has no tests/unit/{relative.parent}/{path.stem}_test.cpp; write it, or waive it with a "
                                     f"reason in {WAIVERS}")
            if has_test and source in waivers:
                self.report(self.root / WAIVERS, waivers[source], f"{source} has a test; remove its waiver")
        for source, line in waivers.items():
            if not (self.root / source).is_file():
                self.report(self.root / WAIVERS, line, f"{source} does not exist; remove its waiver")

    def has_test(self, path, relative):
        """The test may lie in the layer's folder or mirror its subfolders. A source without a header of its own is a part of
        a unit, a_b.cpp of a.hpp, and that unit's test counts."""
        stems = [path.stem]
        if not path.with_suffix(".hpp").is_file():
            words = path.stem.split("_")
            stems += ["_".join(words[:count]) for count in range(1, len(words))]
        unit = self.root / "tests" / "unit"
        folders = {unit / relative.parent, unit / relative.parts[0]}
        return any((folder / f"{stem}_test.cpp").is_file() for folder in folders for stem in stems)

    def read_waivers(self):
        """Source -> line number, from lines 'engine/x/y.cpp: reason'."""
        path = self.root / WAIVERS
        waivers = {}
        if not path.is_file():
            return waivers
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            source, _, reason = line.partition(":")
            if len(reason.split()) < 3:
                self.report(path, number, "a waiver is 'engine/x/y.cpp: reason'; this one gives no reason")
            waivers[source.strip()] = number
        return waivers


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="the checkout")
    root = parser.parse_args().root.resolve()
    try:
        offences = Tidy(root).check()
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        print(f"tidy: cannot read the checkout: {error}", file=sys.stderr)
        return 2
    print("\n".join(offences), end="\n" if offences else "")
    print(f"tidy: {len(offences)} offences", file=sys.stderr)
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
