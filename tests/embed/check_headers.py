#!/usr/bin/env python3
"""Compiles every public header on its own: check_headers.py [--refused TEXT] INCLUDE_DIR... -- COMPILER FLAG...

With --refused none of them may compile: the first error has TEXT, and at most one more follows it.
"""

import argparse
import subprocess
import sys
from pathlib import Path


def compiles(process):
    sys.stderr.write(process.stderr)
    return process.returncode == 0


def is_refused(process, text):
    errors = [line for line in process.stderr.splitlines() if "error: " in line]
    if process.returncode != 0 and errors and text in errors[0] and len(errors) <= 2:
        return True
    sys.stderr.write(f"expected '{text}' as the first error and at most one more, not\n{process.stderr[:2000]}\n")
    return False


def main():
    split = sys.argv.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("--refused")
    parser.add_argument("folders", nargs="+", type=Path)
    arguments, command = parser.parse_args(sys.argv[1:split]), sys.argv[split + 1:]
    headers = sorted(h.relative_to(folder).as_posix() for folder in arguments.folders for h in folder.glob("seriatim/**/*.hpp"))
    if not headers:
        print(f"no headers under {[str(f) for f in arguments.folders]}", file=sys.stderr)
        return 1
    includes = [f"-I{folder}" for folder in arguments.folders]
    failed = []
    for header in headers:
        source = f"#include <{header}>\n#include <{header}>\n"
        process = subprocess.run([*command, *includes, "-x", "c++", "-"], input=source, text=True, check=False, stderr=subprocess.PIPE)
        if not (is_refused(process, arguments.refused) if arguments.refused else compiles(process)):
            failed.append(header)
    print(f"{len(headers) - len(failed)} of {len(headers)} headers {'are refused' if arguments.refused else 'compile alone'}", *failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
