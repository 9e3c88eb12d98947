#!/usr/bin/env python3
"""Compares the table of upward calls in docs/layers.md with the code. Prints each offence and exits 1 if there is one.

An upward call is one that a layer makes without knowing the layer that answers: through a std::function that a type of the
engine keeps, or through a virtual function that another layer overrides. Each can meet locks of the layer that answers, so the
table says which locks the caller holds.
"""

import argparse
import re
import sys
from pathlib import Path

from check_layers import table_rows

TYPE = re.compile(r"^( *)(?:class|struct)\s+(?:\w+\([^)]*\)\s+)?(\w+)(?:\s+final)?\s*(?::[^;{]*)?\{", re.MULTILINE)
MEMBER = re.compile(r"std::function<[^;]*?>\s+(\w+)(?:\s+SERIATIM_\w+\([^)]*\))?;", re.DOTALL)
PURE = re.compile(r"virtual\s[^;{]*=\s*0;")
BASE = re.compile(r"\b(?:class|struct)\s+\w+(?:\s+final)?\s*:\s*([^{;]+)\{")


def blocks(text):
    """(name, body) of every type of a header; a nested type's body is also in its outer one's."""
    for match in TYPE.finditer(text):
        depth, at = 1, match.end()
        while depth and at < len(text):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        yield match.group(2), text[match.end():at]


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


def own_part(body):
    """A type's body without the bodies inside it."""
    depth, kept = 0, []
    for character in body.replace("{}", ""):
        depth -= character == "}"
        kept.append(character if depth == 0 else "")
        depth += character == "{"
    return "".join(kept)


def layer_of(path, root):
    return path.relative_to(root / "engine").parts[0]


def calls_of(root):
    """Name of each upward call -> the header that declares it, and its line."""
    calls, interfaces, derived = {}, {}, {}
    for path in sorted((root / "engine").rglob("*.[ch]pp")):
        text = without_comments(path.read_text(encoding="utf-8"))
        for bases in BASE.findall(text):
            for base in re.findall(r"(\w+)\s*(?:,|$)", bases.strip()):
                derived.setdefault(base, set()).add(layer_of(path, root))
        if path.suffix != ".hpp":
            continue
        for name, body in blocks(text):
            for member in MEMBER.findall(own_part(body)):
                calls[f"{name}::{member.rstrip('_')}"] = path
            if PURE.search(own_part(body)):
                interfaces[name] = path
    for name, path in interfaces.items():
        if derived.get(name, set()) - {layer_of(path, root)}:
            calls[name] = path
    return calls


def check(root):
    page = root / "docs" / "layers.md"
    rows = table_rows(page.read_text(encoding="utf-8"), "call")
    if len(rows) < 3:
        raise ValueError(f"{page}: no table whose first column is 'call'; restore it")
    told = {row[0].strip("`") for row in rows[2:]}
    calls = calls_of(root)
    offences = [f"{calls[name].relative_to(root)}:1: docs/layers.md does not list the upward call {name}: say who answers it, and "
                "which locks the caller holds" for name in sorted(set(calls) - told)]
    offences += [f"docs/layers.md:1: no code makes the upward call {name}; remove its row" for name in sorted(told - set(calls))]
    offences += [f"docs/layers.md:1: the row of {row[0]} has an empty cell" for row in rows[2:] if not all(row)]
    return offences


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="the checkout")
    root = parser.parse_args().root.resolve()
    try:
        offences = check(root)
    except (OSError, ValueError) as error:
        print(f"check_upward_calls: {error}", file=sys.stderr)
        return 2
    print("\n".join(offences), end="\n" if offences else "")
    print(f"check_upward_calls: {len(offences)} offences", file=sys.stderr)
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
