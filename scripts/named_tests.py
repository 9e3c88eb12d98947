"""Tests that the documentation names. Each must exist, and prove what it is named for."""

import re

CODE_SPAN = re.compile(r"`([^`]+)`")
# Not waivers and the like; tests/unit/x/y_test.cpp stands for others.
TEST_FILE = re.compile(r"`(tests/(?:[\w-]{2,}/)*(?:\w{2,}\.(?:py|cpp))?)`")
CASE = re.compile(r'TEST_CASE\(\s*((?:"(?:\\.|[^"\\])*"\s*)+)')
PIECE = re.compile(r'"((?:\\.|[^"\\])*)"')
PYTHON_CASE = re.compile(r"^    def (test_\w+)\(self", re.MULTILINE)
PROGRAM = re.compile(r"^def main\(", re.MULTILINE)
INVARIANT_ROW = re.compile(r"^\| (INV-\d+) \|(.*)\|$", re.MULTILINE)
QUOTED = re.compile(r"`(tests/[^`\s]+)`: \"([^\"]+)\"")
TEST_SUFFIXES = {".cpp", ".py"}


def cases_of(path):
    """The names of the tests in a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        # A script that ctest runs as a whole is one test, by its own name.
        return PYTHON_CASE.findall(text) or [path.stem] * len(PROGRAM.findall(text))
    return ["".join(PIECE.findall(pieces)) for pieces in CASE.findall(text)]


def files_below(path):
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.suffix in TEST_SUFFIXES)
    return [path] if path.is_file() else []


def check_names(root, page, text):
    """Every `tests/...` has tests in it, and where `tests/...`: "a name" stands, one of that name, also over two lines."""
    offences = []
    text = " ".join(text.split())
    for name in TEST_FILE.findall(text):
        if not any(cases_of(file) for file in files_below(root / name)):
            offences.append(f"{page}: {name} has no test in it")
    for name, case in QUOTED.findall(text):
        if not any(case in cases_of(file) for file in files_below(root / name)):
            offences.append(f"{page}: {name} has no test called \"{case}\"")
    return offences


def check_invariants(root, page, text):
    """Every file that is to test an invariant cites it; an invariant without a test says that this version has no such part."""
    offences = []
    rows = INVARIANT_ROW.findall(text)
    if not rows:
        return [f"{page}: no row begins with the number of an invariant"]
    for number, row in rows:
        cells = row.split("|")
        named = TEST_FILE.findall(cells[-1])
        if not named and "in this version" not in row:
            offences.append(f"{page}: {number} names no test")
        for name in named:
            files = files_below(root / name)
            if not any(re.search(rf"\b{number}\b", file.read_text(encoding="utf-8")) for file in files):
                offences.append(f"{page}: {name} does not say that it tests {number}")
    return offences
