#!/usr/bin/env python3
"""Counts what may not grow: methods and members of a class, files of a folder. Prints each offence and exits 1 if there is one.

A class that cannot be smaller, or not yet, stands in WAIVERS with what it has now and the reason; its counts may only go down,
and where they do the waiver must follow. Lines of files and functions are counted by tidy.py.
"""

import argparse
import re
import sys
from pathlib import Path

from check_upward_calls import blocks, own_part, without_comments

METHODS_MAX = 30
MEMBERS_MAX = 20
FILES_MAX = 25
FOLDERS = ("engine", "include", "cli", "bench", "examples", "scripts")

# (header, class) -> (methods, members, reason)
WAIVERS = {
    ("cli/commands/produce_session.hpp", "ProduceSession"): (22, 28, "counts, options and sending of one command are one class"),
    ("engine/catalog/catalog.hpp", "Catalog"): (38, 3, "a call for each kind of record, a few lines each over record_store"),
    ("engine/catalog/lmdb/lmdb_env.hpp", "Environment"): (31, 17, "opening, verification and transactions of one environment"),
    ("engine/consumer/consumer_impl.hpp", "ConsumerImpl"): (41, 13, "assignment, positions and polls share one list of partitions"),
    ("engine/directory/engine_impl.hpp", "EngineImpl"): (37, 41, "the list of an engine's parts, and opening beside it"),
    ("engine/journal/journal.hpp", "Journal"): (47, 36, "the roles of a group commit change hands under one mutex"),
    ("engine/partition/partition.hpp", "Partition"): (84, 42, "everything that the append mutex orders"),
    ("engine/partition/recovery/partition_recovery.hpp", "PartitionOpener"): (32, 15, "the steps of one recovery, in their order"),
    ("engine/partition/tail/tailing_log.hpp", "TailingLog"): (36, 15, "a PartitionLog's functions, and looks at a directory that changes"),
    ("engine/producer/producer_impl.hpp", "ProducerImpl"): (37, 10, "sends of four kinds that share topics, memory and deliveries"),
    ("engine/transaction/transaction_coordinator.hpp", "TransactionCoordinator"): (41, 12, "the states of a transaction change in one place"),
    ("engine/transaction/transactional_id.hpp", "Holder"): (3, 22, "one open handle of an id: its fields are the transaction"),
    ("include/seriatim/metrics.hpp", "Metrics"): (0, 38, "a list of numbers"),
}

SKIPPED = re.compile(r"^(?:using|friend|typedef|enum|class|struct|static_assert|public:|private:|protected:)\b")


def statements(body):
    """The declarations of a class, with defined functions' bodies cut away."""
    text = re.sub(r"\)([^;{}()]*)\{\}", r")\1;", body)
    text = own_part(text.replace("{", " {"))
    text = re.sub(r"\b(?:public|private|protected):", "", text)
    text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    return [" ".join(piece.split()) for piece in re.split(r";|\}(?!\s*[;,{(])", text) if piece.split()]


def counts(body):
    methods = members = 0
    for statement in statements(body):
        if SKIPPED.match(statement):
            continue
        plain = re.sub(r"SERIATIM_\w+\([^()]*(?:\([^()]*\)[^()]*)*\)", "", statement)
        plain = re.sub(r"std::function<[^;]*>", "Function", plain)
        if "(" in plain.split("=")[0]:
            methods += "= delete" not in statement and "= default" not in statement
        else:
            members += not plain.startswith("static constexpr")
    return methods, members


def check_classes(root, waivers):
    offences, seen = [], set()
    for path in sorted(p for folder in ("engine", "include", "cli") for p in (root / folder).rglob("*.hpp")):
        name_of_file = path.relative_to(root).as_posix()
        for name, body in blocks(without_comments(path.read_text(encoding="utf-8"))):
            methods, members = counts(body)
            seen.add((name_of_file, name))
            methods_max, members_max, _ = waivers.get((name_of_file, name), (METHODS_MAX, MEMBERS_MAX, ""))
            if methods > methods_max or members > members_max:
                offences.append(f"{name_of_file}:1: {name} has {methods} methods and {members} members, at most {methods_max} and "
                                f"{members_max}: give one of its duties a class of its own")
            elif (name_of_file, name) in waivers and (methods, members) != (methods_max, members_max):
                offences.append(f"{name_of_file}:1: {name} has {methods} methods and {members} members; say so in WAIVERS of "
                                "scripts/check_sizes.py, where more stands, or remove it there")
    offences += [f"scripts/check_sizes.py:1: WAIVERS names {name} of {file}, which does not exist; remove it"
                 for file, name in waivers if (file, name) not in seen]
    return offences


def check_folders(root):
    offences = []
    for top in FOLDERS:
        folders = [root / top, *(p for p in (root / top).rglob("*") if p.is_dir() and p.name != "__pycache__")]
        for folder in sorted(f for f in folders if f.is_dir()):
            count = sum(1 for p in folder.iterdir() if p.is_file())
            if count > FILES_MAX:
                offences.append(f"{folder.relative_to(root)}:1: {count} files, at most {FILES_MAX}: give some of them a room of their own")
    return offences


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="the checkout")
    root = parser.parse_args().root.resolve()
    offences = check_folders(root) + check_classes(root, WAIVERS)
    print("\n".join(offences), end="\n" if offences else "")
    print(f"check_sizes: {len(offences)} offences", file=sys.stderr)
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
