#!/usr/bin/env python3
"""Measures `consume -J` against plain `consume` of the same records: the processor's time of both, by turns, and their ratio.

The records are hot and the output goes to /dev/null, so that both do nothing but read, write out and, the one of them, make JSON. A run's
ratio is that of the medians. With --check, a missed bar is an error.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
BAR = 5.0
VALUE_BYTES = 100


def processor_seconds(command, *words):
    """User and system time of one run of the command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([command, *words], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", default=os.environ.get("SERIATIM", str(REPOSITORY / "build/release/cli/seriatim")),
                        help="the built command (default: $SERIATIM, else that of the preset release)")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each of the two")
    parser.add_argument("--check", action="store_true", help="end with 1 if the bar is missed")
    arguments = parser.parse_args()
    plain, json = [], []
    with tempfile.TemporaryDirectory(prefix="seriatim-bench-") as folder:
        data = ["-q", "-d", os.path.join(folder, "data")]
        subprocess.run([arguments.command, *data, "perf", "produce", "load", "--records", str(arguments.records), "--batch", "100",
                        "--size", str(VALUE_BYTES)], check=True, stdout=subprocess.DEVNULL)
        read = [*data, "consume", "load", "-e"]
        processor_seconds(arguments.command, *read)  # From here on the records are hot.
        for _ in range(arguments.rounds):
            plain.append(processor_seconds(arguments.command, *read))
            json.append(processor_seconds(arguments.command, *read, "-J"))
    ratio = statistics.median(json) / statistics.median(plain)
    for name, times in (("consume", plain), ("consume -J", json)):
        print(f"{name:<12}{statistics.median(times):8.3f} s ({min(times):.3f}-{max(times):.3f}) of the processor's time, {arguments.records} records")
    print(f"{'ratio':<12}{ratio:8.2f}, bar: at most {BAR:g}: {'met' if ratio <= BAR else 'MISSED'}")
    return 1 if arguments.check and ratio > BAR else 0


if __name__ == "__main__":
    sys.exit(main())
