#!/usr/bin/env python3
"""As a subproject seriatim sets no flags, builds no tests or tools and leaves no foreign cache variables.

check_subproject.py BUILD_DIR ENGINE_DIR
"""

import json
import re
import sys
from pathlib import Path

# Flags that make a program run here and not there, or break with the next compiler.
UNWANTED_FLAGS = re.compile(r"^-(?:W(?!l,)|march=|mtune=|Werror|fno-rtti|fno-exceptions)")
OWN_OPTION = re.compile(r"^(\w+):(?:BOOL|STRING)=")


def main():
    build, engine = Path(sys.argv[1]), Path(sys.argv[2])
    offences = []
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    # Merged sources (CMAKE_UNITY_BUILD) lie in the folder that mirrors the engine's.
    engine_build = build / "seriatim" / "engine"
    engine_commands = [c for c in commands
                       if Path(c["file"]).is_relative_to(engine) or Path(c["file"]).is_relative_to(engine_build)]
    if not engine_commands:
        offences.append(f"compile_commands.json has no file of {engine}; this test looks at nothing")
    for command in engine_commands:
        offences += [f"{command['file']}: compiled with {flag}" for flag in command["command"].split()
                     if UNWANTED_FLAGS.match(flag)]
    for command in commands:
        path = Path(command["file"])
        if path.is_relative_to(engine.parent) and not path.is_relative_to(engine) and "embed" not in path.parts:
            offences.append(f"{path}: not needed by an embedder, yet built")
    for line in (build / "CMakeCache.txt").read_text(encoding="utf-8").splitlines():
        option = OWN_OPTION.match(line)
        if option and not option.group(1).startswith(("SERIATIM_", "CMAKE_", "BUILD_SHARED_LIBS", "PKG_CONFIG")):
            offences.append(f"CMakeCache.txt: option {option.group(1)} lacks the prefix SERIATIM_")
    print("\n".join(offences) or f"{len(engine_commands)} files looked at")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
