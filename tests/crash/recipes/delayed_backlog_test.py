#!/usr/bin/env python3
"""Many delayed messages with random due times, and a kill in the middle of their delivery: all once, in due order, in bounded memory.

--messages 1000000 is what docs/recipes/delayed_messages.md promises; CI has fewer.
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile
import time

HEAP_MAX = 64 << 20


def run(words):
    """What a process says in lines of a name and a number."""
    began = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"FAILED: {' '.join(words)}: {done.stderr}")
    figures = dict(line.split() for line in done.stdout.splitlines() if " " in line)
    print(f"{words[2]}: {time.monotonic() - began:.2f} s {figures}", flush=True)
    if int(figures.get("heap", 0)) > HEAP_MAX:
        sys.exit(f"FAILED: {words[2]} took {figures['heap']} bytes of heap, at most {HEAP_MAX}")
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SERIATIM_SEED", random.randrange(1 << 32))))
    options = parser.parse_args()
    print(f"SERIATIM_SEED={options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="seriatim-backlog-") as scratch:
        directory = os.path.join(scratch, "data")
        sized = [str(options.messages), str(options.seed)]
        run([options.program, directory, "fill", *sized])
        process = subprocess.Popen([options.program, directory, "deliver"], stdout=subprocess.PIPE, text=True)
        while process.stdout.readline() not in ("ready\n", ""):
            pass
        # Some time within a delivery, on whatever machine; one that ends before is no harm.
        time.sleep(random.Random(options.seed).uniform(0.1, 0.5) * options.messages / 400_000)
        process.kill()
        process.communicate()
        left = int(run([options.program, directory, "deliver"])["delivered"])
        print(f"killed with {left} of {options.messages} left", flush=True)
        run([options.program, directory, "check", *sized])


if __name__ == "__main__":
    main()
