#!/usr/bin/env python3
"""Prints the commands README.md promises: the console lines between <!-- commands --> and <!-- /commands -->.

CI runs what this prints, so an edit of README.md that breaks them breaks CI.
"""

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"<!-- commands -->(.*?)<!-- /commands -->", re.DOTALL)
# "$ ./run test   # why" is the command ./run test.
LINE = re.compile(r"^\s*(?:\$ )?(\./run\s.*?)\s*(?:#.*)?$")


def commands_of(text):
    """The commands in order. Raises ValueError unless they are one ./run demo and one ./run test."""
    blocks = BLOCK.findall(text)
    if len(blocks) != 1:
        raise ValueError(f"{len(blocks)} blocks <!-- commands --> ... <!-- /commands -->; there must be exactly one")
    commands = [match.group(1) for match in map(LINE.match, blocks[0].splitlines()) if match]
    if sorted(command.split()[1] for command in commands) != ["demo", "test"]:
        raise ValueError(f"the commands are {commands}; there must be one ./run demo and one ./run test")
    return commands


def main():
    readme = Path(__file__).resolve().parent.parent / "README.md"
    try:
        commands = commands_of(readme.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"{readme}: {error}", file=sys.stderr)
        return 1
    wanted = sys.argv[1:]
    print("\n".join(c for c in commands if not wanted or c.split()[1] in wanted))
    return 0


if __name__ == "__main__":
    sys.exit(main())
