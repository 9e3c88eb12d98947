#!/usr/bin/env python3
"""Runs the commands of docs/performance.md on a small selection of benchmarks: they exist, and the report reads what they write."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tools"))
from doc_blocks import blocks_of  # noqa: E402

# One figure and its floor: enough for a ratio. The figures of a debug build mean nothing and are not looked at.
SELECTION = ["--benchmark_filter=^(bare_)?append_single", "--benchmark_min_time=0.001"]


def commands():
    page = REPOSITORY / "docs" / "performance.md"
    lines = [line for b in blocks_of(page.read_text(encoding="utf-8")) if b.info == "console bench" for line in b.lines]
    return [shlex.split(line[2:], comments=True) for line in lines if line.startswith("$ ")]


def main():
    bench = os.environ.get("SERIATIM_BENCH")
    if not bench:
        sys.exit("set SERIATIM_BENCH to the path of the built seriatim_bench, or run this through ctest")
    output = ""
    with tempfile.TemporaryDirectory(prefix="seriatim-bench-") as folder:
        for words in commands():
            if words[:2] == ["./run", "bench"]:
                words = [bench, *words[2:], *SELECTION]
            words = [str(REPOSITORY / word) if word.startswith("bench/") else word for word in words]
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
            if done.returncode != 0:
                sys.exit(f"{shlex.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
            output = done.stdout
    if "single append, time per record" not in output:
        sys.exit(f"the last command of docs/performance.md printed no ratio:\n{output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
