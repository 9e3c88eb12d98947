#!/usr/bin/env python3
"""Kills an example with kill -9 at random moments and begins it again (INV-4): a message for every row, once.

The examples compare the database with the log themselves, at the end of a run that is left alone.
"""
import argparse
import random
import subprocess
import sys
import tempfile
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("example")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="seriatim-outbox-") as folder:
        command = [arguments.example, folder + "/data"]
        began = time.monotonic()
        subprocess.run(command, check=True)
        whole_s = time.monotonic() - began
        killed = 0
        for _ in range(arguments.kills):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            time.sleep(chance.random() * whole_s)
            process.kill()
            status = process.wait()
            if status > 0:
                sys.exit(f"{arguments.example} ended with {status} where another was killed before; seed {arguments.seed}")
            killed += status < 0
        print(f"killed {killed} of {arguments.kills} runs", flush=True)
        if killed == 0:
            sys.exit("no run was killed: nothing was tested")
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
