#!/usr/bin/env python3
"""check_case.py SOURCE COMPILER FLAG...: SOURCE compiles, and with -DMISUSE fails for the reason it names.

The first line of SOURCE is "// must fail: REGULAR EXPRESSION", found in the compiler's first error.
"""

import re
import subprocess
import sys
from pathlib import Path

REASON = re.compile(r"^// must fail: (.+)$")


def main():
    source, command = Path(sys.argv[1]), sys.argv[2:]
    reason = REASON.match(source.read_text(encoding="utf-8").splitlines()[0])
    if not reason:
        print(f"{source}: its first line must be '// must fail: REGULAR EXPRESSION'", file=sys.stderr)
        return 1
    proper = subprocess.run([*command, source], check=False)
    if proper.returncode != 0:
        print(f"{source}: does not compile without MISUSE, so that its failure with it proves nothing", file=sys.stderr)
        return 1
    misuse = subprocess.run([*command, "-DMISUSE", source], capture_output=True, text=True, check=False)
    if misuse.returncode == 0:
        print(f"{source}: the misuse compiles", file=sys.stderr)
        return 1
    errors = [line for line in misuse.stderr.splitlines() if " error: " in line]
    if not errors or not re.search(reason.group(1), errors[0]):
        print(f"{source}: fails, but not for '{reason.group(1)}':\n{misuse.stderr}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
