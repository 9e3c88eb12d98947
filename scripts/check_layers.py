#!/usr/bin/env python3
"""Checks every #include against the tables in docs/layers.md. Prints each offence and exits 1 if there is one."""

import argparse
import fnmatch
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

SOURCE_SUFFIXES = {".hpp", ".cpp", ".h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')

STANDARD_HEADERS = set("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits
clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint
cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem forward_list fstream functional
future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory
memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator semaphore
set shared_mutex source_location span sstream stack stdexcept stop_token streambuf string string_view strstream syncstream
system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector
version
""".split())
# version.hpp is made by the build; the other is missing on purpose (language.hpp).
NO_FILES = {"version", "needs_cplusplus_20"}
# The C API must compile as C, where these are the names.
C_HEADERS = {"stddef.h", "stdint.h", "stdbool.h"}


@dataclass
class Rules:
    """The tables of layers.md."""

    layers: dict = field(default_factory=dict)  # layer -> set of layers it may include
    public: dict = field(default_factory=dict)  # layer -> set of public header stems, or None for all
    rooms: dict = field(default_factory=dict)  # folder of a layer that has subfolders -> rooms of that layer it may include
    third_party: list = field(default_factory=list)  # (pattern, folder)


def table_rows(text, first_column):
    """The cells of the Markdown table whose header row begins with `first_column`, header included."""
    rows = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if rows and not cells:
            return rows
        if rows or (cells and cells[0] == first_column):
            rows.append(cells)
    return rows


def names_in(cell):
    return {name.strip() for name in cell.split(",") if name.strip()}


def read_rules(path):
    """Raises ValueError if layers.md does not hold the tables in the form this script reads."""
    text = path.read_text(encoding="utf-8")
    rules = Rules()
    folders = table_rows(text, "layer")
    if len(folders) < 3:
        raise ValueError(f"{path}: no table whose first column is 'layer'; restore it")
    for layer, below, public in folders[2:]:
        # Lowest first: a row names rows above it only.
        unknown = names_in(below) - set(rules.layers)
        if unknown:
            raise ValueError(f"{path}: row '{layer}' names {sorted(unknown)}, which no row above it is about")
        rules.layers[layer] = names_in(below) | {layer}
        rules.public[layer] = None if public == "all" else names_in(public)
    rooms = table_rows(text, "room")
    if len(rooms) < 3:
        raise ValueError(f"{path}: no table whose first column is 'room'; restore it")
    rules.rooms = {room: names_in(names) for room, names in rooms[2:]}
    named = set().union(*rules.rooms.values())
    if named - set(rules.rooms):
        raise ValueError(f"{path}: rooms without a row: {sorted(named - set(rules.rooms))}")
    third_party = table_rows(text, "header")
    if len(third_party) < 3:
        raise ValueError(f"{path}: no table whose first column is 'header'; restore it")
    rules.third_party = [(pattern.strip("`"), folder) for pattern, folder in third_party[2:]]
    return rules


def includes_of(path):
    """Yields (line number, name, is_quoted) of every include of a file."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) or match.group(2), match.group(2) is not None


class Checker:
    """Collects offences of one checkout."""

    def __init__(self, root):
        self.root = root
        self.rules = read_rules(root / "docs" / "layers.md")
        self.offences = []
        self.graph = {}  # header -> headers it includes, as paths relative to the root

    def report(self, path, line, message):
        self.offences.append(f"{path.relative_to(self.root)}:{line}: {message}")

    def check(self):
        for folder, check_file in (("engine", self.check_engine_file), ("include", self.check_public_file),
                                   ("examples", self.check_example_file)):
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in SOURCE_SUFFIXES:
                    check_file(path)
        self.check_cycles()
        return self.offences

    def check_engine_file(self, path):
        parts = path.relative_to(self.root / "engine").parts
        layer = parts[0]
        if len(parts) < 2 or layer not in self.rules.layers:
            self.report(path, 1, "is in no layer that docs/layers.md knows; move it, or add its folder to the table")
            return
        room = self.room_of(path)
        if room != layer and room not in self.rules.rooms:
            self.report(path, 1, f"{room} is no room that docs/layers.md knows; move the file, or add its folder to the table")
        for line, name, is_quoted in includes_of(path):
            if is_quoted:
                self.check_engine_include(path, line, name)
            elif name.startswith("seriatim/"):
                self.check_public_include(path, line, name, self.rules.public[layer])
            else:
                self.check_foreign_include(path, line, name)

    def check_engine_include(self, path, line, name):
        layer = path.relative_to(self.root / "engine").parts[0]
        if name.startswith("seriatim/"):
            self.report(path, line, f'public headers are included as <{name}>')
            return
        target = self.root / "engine" / name
        if not target.is_file():
            self.report(path, line, f'"{name}" is no file under engine/; write "layer/file.hpp"')
            return
        target_layer = name.split("/")[0]
        if target_layer not in self.rules.layers[layer]:
            self.report(path, line, f"{layer} may not include {target_layer} ({name}); see docs/layers.md")
        room, target_room = self.room_of(path), self.room_of(target)
        if target_layer == layer and target_room != room and target_room not in self.rules.rooms.get(room, set()):
            self.report(path, line, f"{room} may not include {target_room} ({name}); see the rooms in docs/layers.md")
        if name.endswith("_private.hpp") and target.parent != path.parent:
            self.report(path, line, f"{name} is private to its folder")
        self.graph.setdefault(path, []).append(target)

    def room_of(self, path):
        return path.parent.relative_to(self.root / "engine").as_posix()

    def check_public_include(self, path, line, name, allowed):
        target = self.root / "include" / name
        stem = Path(name).stem
        if not target.is_file() and stem not in NO_FILES:
            self.report(path, line, f"<{name}> is no public header")
        elif allowed is not None and stem not in allowed:
            self.report(path, line, f"this folder may not include <{name}>; see the last column in docs/layers.md")
        self.graph.setdefault(path, []).append(target)

    def check_foreign_include(self, path, line, name):
        if name in STANDARD_HEADERS:
            return
        relative = path.relative_to(self.root)
        for pattern, folder in self.rules.third_party:
            if fnmatch.fnmatch(name, pattern):
                if not relative.is_relative_to(folder):
                    self.report(path, line, f"<{name}> is included in {folder} only")
                return
        if relative.is_relative_to("engine/os") and path.suffix == ".cpp":
            return
        self.report(path, line, f"<{name}> is neither a C++ standard header nor allowed here: POSIX headers belong in "
                                "engine/os/*.cpp, third-party ones where docs/layers.md puts them")

    def check_public_file(self, path):
        for line, name, is_quoted in includes_of(path):
            if name.startswith("seriatim/") and not is_quoted:
                self.check_public_include(path, line, name, None)
            elif is_quoted or name not in STANDARD_HEADERS and not (path.suffix == ".h" and name in C_HEADERS):
                self.report(path, line, f"a public header includes the standard library and <seriatim/...> only, not {name}")

    def check_example_file(self, path):
        """Its own folder's headers and, for the demonstration, the command's helpers; nothing of engine/."""
        cli, demo = self.root / "cli", self.root / "examples" / "demo"
        folders = [path.parent, cli] if path.is_relative_to(demo) else [path.parent]
        for line, name, is_quoted in includes_of(path):
            if is_quoted and not any((folder / name).is_file() for folder in folders):
                self.report(path, line, f'an example includes public headers as <seriatim/...>, not "{name}"')

    def check_cycles(self):
        done, on_path = set(), []

        def visit(path):
            if path in on_path:
                ring = [str(p.relative_to(self.root)) for p in on_path[on_path.index(path):] + [path]]
                self.report(path, 1, "includes itself: " + " -> ".join(ring))
                return
            if path in done:
                return
            on_path.append(path)
            for target in self.graph.get(path, []):
                visit(target)
            on_path.pop()
            done.add(path)

        for path in sorted(self.graph):
            visit(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="the checkout")
    root = parser.parse_args().root.resolve()
    try:
        offences = Checker(root).check()
    except (OSError, ValueError) as error:
        print(f"check_layers: {error}", file=sys.stderr)
        return 2
    print("\n".join(offences), end="\n" if offences else "")
    print(f"check_layers: {len(offences)} offences", file=sys.stderr)
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
