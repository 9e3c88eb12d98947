#!/usr/bin/env python3
"""Compiles every public header on its own: check_headers.py INCLUDE_DIR... -- COMPILER FLAG..."""

import subprocess
import sys
from pathlib import Path


def main():
    split = sys.argv.index("--")
    folders, command = [Path(d) for d in sys.argv[1:split]], sys.argv[split + 1:]
    headers = sorted(h for folder in folders for h in folder.glob("seriatim/*.hpp"))
    if not headers:
        print(f"no headers under {[str(f) for f in folders]}", file=sys.stderr)
        return 1
    failed = []
    for header in headers:
        source = f"#include <seriatim/{header.name}>\n#include <seriatim/{header.name}>\n"
        includes = [f"-I{folder}" for folder in folders]
        if subprocess.run([*command, *includes, "-x", "c++", "-"], input=source, text=True, check=False).returncode != 0:
            failed.append(header.name)
    print(f"{len(headers) - len(failed)} of {len(headers)} headers compile alone", *failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
