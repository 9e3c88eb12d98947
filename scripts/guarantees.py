#!/usr/bin/env python3
"""docs/guarantees.md: what each recipe promises, gathered from the pages of docs/recipes, with the test that proves it.

guarantees.py          says what is wrong with the page, and with the tests that the tables name
guarantees.py --write  writes the page anew"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from named_tests import cases_of, files_below  # noqa: E402

PAGE = "docs/guarantees.md"
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
SECTION = re.compile(r"^## Guarantees\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (?!promise \||---)(.+?) \| (.+) \|$", re.MULTILINE)
NAMED_FILE = re.compile(r"`((?:tests/)?[\w/]+_test\.(?:cpp|py))[^`]*`")
NAMED_CASE = re.compile(r'"([^"]+)"')
INTRODUCTION = """# Guarantees

Readers: people who ask what holds, and how it is known. Each row is a promise of a recipe and the
test that proves it; the tables stand in the pages of the recipes, and `scripts/guarantees.py
--write` gathers them here. For what a commit survives see [durability.md](durability.md), for
delivery by groups [groups.md](groups.md), for work queues [work_queue.md](work_queue.md), for the
rules of the engine [invariants.md](invariants.md).
"""


def recipes(root):
    """[(name of the page, title, [(promise, test)])]"""
    found = []
    for page in sorted((root / "docs" / "recipes").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        section = SECTION.search(text)
        found.append((page.name, TITLE.search(text).group(1), ROW.findall(section.group(1)) if section else []))
    return found


def page_of(root):
    parts = [INTRODUCTION]
    for name, title, rows in recipes(root):
        table = "".join(f"| {promise} | {test} |\n" for promise, test in rows)
        parts.append(f"\n## [{title}](recipes/{name})\n\n| promise | test |\n|---|---|\n{table}")
    return "".join(parts)


def offences_of(root):
    files = files_below(root / "tests")
    cases = {case for file in files for case in cases_of(file)}
    offences = []
    for name, _, rows in recipes(root):
        if not rows:
            offences.append(f"docs/recipes/{name}: no table below '## Guarantees'")
        for promise, test in rows:
            named_files, named_cases = NAMED_FILE.findall(test), NAMED_CASE.findall(test)
            if not named_files and not named_cases and "the same" not in test:
                offences.append(f"docs/recipes/{name}: names no test for '{promise}'")
            offences += [f"docs/recipes/{name}: there is no test {file}" for file in named_files
                         if not any(str(path).endswith("/" + file) for path in files)]
            # Of a long name the beginning is enough, with dots for the rest.
            offences += [f"docs/recipes/{name}: no test is called \"{case}\"" for case in named_cases
                         if not any(known == case or (case.endswith("...") and known.startswith(case[:-3].rstrip(" ;:,")))
                                    for known in cases)]
    page = root / PAGE
    if not page.is_file() or page.read_text(encoding="utf-8") != page_of(root):
        offences.append(f"{PAGE}: is not what the pages of the recipes say; run scripts/guarantees.py --write")
    return offences


def main():
    root = Path(__file__).resolve().parents[1]
    if sys.argv[1:] == ["--write"]:
        (root / PAGE).write_text(page_of(root), encoding="utf-8")
    offences = offences_of(root)
    print("\n".join(offences) if offences else "guarantees: 0 offences")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
