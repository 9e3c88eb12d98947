#!/usr/bin/env python3
"""Checks the subjects of the commits that are submitted. Prints each offence and exits 1 if there is one.

They are the commits that `origin/main` does not have. Where it has them all, as in a fresh clone of the submission, or is not
there, they are the last RECENT ones. A tree without a repository of its own (an unpacked archive) has none.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

CHARACTERS_MAX = 72
RECENT = 50  # arbitrary
UNFINISHED = re.compile(r"WIP\d*\b|(?:fixup|squash|amend)!", re.IGNORECASE)


def git(root, *arguments):
    """Its output, or None where it fails or is not installed."""
    # The owner of the directory does not matter here: the caller runs the checkout's scripts already.
    command = ["git", "-c", "safe.directory=*", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def submitted(root, recent=RECENT):
    """[(commit, subject)], the newest first; None where `root` is no repository, or there is no git."""
    top = git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top.rstrip("\n")).resolve() != Path(root).resolve():
        return None
    listing = ("log", "--no-merges", "--format=%h %s")
    log = git(root, *listing, "origin/main..HEAD", "--") or git(root, *listing, f"--max-count={recent}", "HEAD", "--")
    return [tuple(line.split(" ", 1)) for line in (log or "").splitlines()]


def offences_of(commits):
    """["commit: what is wrong and what to do"]"""
    offences = []
    for commit, subject in commits:
        if UNFINISHED.match(subject):
            offences.append(f"{commit}: '{subject}' is unfinished work: squash it, and say what the commit does")
        if len(subject) > CHARACTERS_MAX:
            offences.append(f"{commit}: its subject has {len(subject)} characters, at most {CHARACTERS_MAX}: the rest goes to the body")
        if not subject.strip():
            offences.append(f"{commit}: it has no subject: say what it does")
    return offences


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    commits = submitted(parser.parse_args().root)
    if commits is None:
        print("no repository here: no commits to check", file=sys.stderr)
        return 0
    offences = offences_of(commits)
    print("\n".join(offences), end="\n" if offences else "")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
