#!/usr/bin/env python3
"""Finds functions of the engine's headers that only tests call. Prints each offence and exits 1 if there is one.

A search for identifiers: a function counts as called if its name occurs in engine/, cli/, bench/, examples/ or include/ more
often than it is declared and defined there. A function with the name of another that is called is not found.
"""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

from cpp_functions import functions_of, without_literals

CALLERS = ("engine", "cli", "bench", "examples", "include")
NAME = re.compile(r"[A-Za-z_]\w*")
NOT_A_TYPE = r"(?!(?:return|co_return|co_await|throw|new|delete|else|if|case|using|typedef)\b)"
# A type, then a name in snake_case and its parenthesis. Constructors, destructors and operators have no such name.
DECLARED = re.compile(rf"^[ \t]*{NOT_A_TYPE}(?:[\w:]+(?:<[^;{{}}()]*>)?(?:::\w+)*[\s&*]+)+([a-z]\w*)\s*\(", re.MULTILINE)

# Tests need these of the engine, and have no other way to it.
ALLOWED = {
    "advance_ms": "the clock that stands still is for tests, of every layer",
    "set_wall_ms": "as advance_ms",
    "run_due": "runs the due jobs in a test's own thread, by a test's own clock",
    "observe": "the seam at which a test sees what is stored through a map",
    "remembered_aborts": "a bound that nothing but this number shows",
    "producer_id_end": "what was reserved, read again as another process reads it",
    "list_configs": "a test sets every setting to its limits, and compares the defaults with Kafka's",
}


def read_sources(root):
    """({name: (path, line)} of the engine's headers, {name: how often it is called})"""
    declared, calls = {}, Counter()
    for path in sorted(p for folder in CALLERS for p in (root / folder).rglob("*") if p.suffix in (".hpp", ".cpp")):
        source = path.read_text(encoding="utf-8")
        text = without_literals(source)
        calls.update(NAME.findall(text))
        if path.suffix == ".cpp":
            calls.subtract(function.name.rpartition("::")[2] for function in functions_of(source))
            continue
        for match in DECLARED.finditer(text):
            calls[match.group(1)] -= 1
            if path.is_relative_to(root / "engine"):
                declared.setdefault(match.group(1), (path.relative_to(root), text.count("\n", 0, match.start(1)) + 1))
    return declared, calls


def offences_of(root, allowed):
    declared, calls = read_sources(root)
    uncalled = {name for name in declared if calls[name] <= 0}
    found = [f"{path}:{line}: only tests call {name}: delete it with them, or call it"
             for name, (path, line) in sorted(declared.items(), key=lambda entry: entry[1]) if name in uncalled - set(allowed)]
    return found + [f"scripts/check_callers.py:1: ALLOWED names {name}, which "
                    + ("is called" if name in declared else "no header declares") + ": take it out"
                    for name in allowed if name not in uncalled]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    offences = offences_of(parser.parse_args().root, ALLOWED)
    print("\n".join(offences), end="\n" if offences else "")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
