#!/usr/bin/env python3
"""Runs the commands of docs/performance.md on a small selection of benchmarks: they exist, and the report reads what they write."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "scripts"))
from doc_blocks import blocks_of  # noqa: E402

# One figure and its floor: enough for a ratio. The figures of a debug build mean nothing and are not looked at.
SELECTION = ["--benchmark_filter=^(bare_)?append_single", "--benchmark_min_time=0.001"]
# The arguments that make a script short, and what it prints.
SCRIPTS = {"bench/report.py": ([], "single append, time per record"),
           "bench/consume_json.py": (["--records", "1000", "--rounds", "1"], "ratio")}


def commands():
    page = REPOSITORY / "docs" / "performance.md"
    lines = [line for b in blocks_of(page.read_text(encoding="utf-8")) if b.info == "console bench" for line in b.lines]
    return [shlex.split(line[2:], comments=True) for line in lines if line.startswith("$ ")]


def main():
    bench = os.environ.get("SERIATIM_BENCH")
    if not bench or not os.environ.get("SERIATIM"):
        sys.exit("set SERIATIM_BENCH and SERIATIM to the paths of the built seriatim_bench and seriatim, or run this through ctest")
    unseen = set(SCRIPTS)
    with tempfile.TemporaryDirectory(prefix="seriatim-bench-") as folder:
        for words in commands():
            if words[:2] == ["./run", "bench"]:
                words = [bench, *words[2:], *SELECTION]
            script = next((word for word in words if word in SCRIPTS), None)
            short, figure = SCRIPTS.get(script, ([], ""))
            words = [str(REPOSITORY / word) if word.startswith("bench/") else word for word in [*words, *short]]
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
            if done.returncode != 0:
                sys.exit(f"{shlex.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
            if figure not in done.stdout:
                sys.exit(f"{shlex.join(words)} printed no \"{figure}\":\n{done.stdout}")
            unseen.discard(script)
    if unseen:
        sys.exit(f"docs/performance.md does not say how to run {', '.join(sorted(unseen))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
