#!/usr/bin/env python3
"""Kills an example with kill -9 at random moments and begins it again (INV-4): a message for every row, once.

The examples compare the database with the log themselves, at the end of a run that is left alone.
"""
import subprocess
import tempfile
import time

import killing
from killing import Failure


def main(options, chance):
    with tempfile.TemporaryDirectory(prefix="seriatim-outbox-") as folder:
        command = [options.example, folder + "/data"]
        began = time.monotonic()
        killing.run(command)
        whole_s = time.monotonic() - began
        killed = 0
        for _ in range(options.kills):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            time.sleep(chance.random() * whole_s)
            process.kill()
            status = process.wait()
            if status > 0:
                raise Failure(f"{options.example} ended with {status} where another was killed before")
            killed += status < 0
        print(f"killed {killed} of {options.kills} runs", flush=True)
        if killed == 0:
            raise Failure("no run was killed: nothing was tested")
        killing.run(command)


if __name__ == "__main__":
    killing.run_test(main, ["example"], 20, __doc__)
