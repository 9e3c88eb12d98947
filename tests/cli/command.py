"""Runs the seriatim command for the tests of this folder, each in a directory of its own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

COMMAND = os.environ.get("SERIATIM")
TIMEOUT_S = 120


class CommandTest(unittest.TestCase):
    """A temporary folder, and the command run in it on the data directory `data`."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="seriatim-cli-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.data = os.path.join(self.folder, "data")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self, *words, **options):
        """Starts the command; bytes in, bytes out."""
        environment = {k: v for k, v in os.environ.items() if k != "SERIATIM_DIR"}
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen([COMMAND, *words], cwd=self.folder, env=environment, **options)

    def run_command(self, *words, stdin=b"", status=0):
        """Runs the command to its end, checks its exit status, and returns (stdout, stderr) as bytes."""
        process = self.start(*words, stdin=subprocess.PIPE)
        out, err = process.communicate(stdin, timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, status, f"{' '.join(words)}\nstdout: {out!r}\nstderr: {err!r}")
        return out, err

    def seriatim(self, *words, **options):
        return self.run_command("-d", self.data, *words, **options)

    def create(self, topic, partitions=1, *options):
        self.seriatim("topic", "create", topic, "-p", str(partitions), *options)

    def produce(self, topic, lines, *options):
        """Appends `lines` (bytes, or a list of them) and returns what stderr said."""
        text = lines if isinstance(lines, bytes) else b"".join(line + b"\n" for line in lines)
        return self.seriatim("produce", topic, *options, stdin=text)[1]

    def records(self, topic, *options):
        """Everything in the topic, as consume -J shows it."""
        out, _ = self.seriatim("consume", topic, "-o", "beginning", "-e", "-J", *options)
        return [json.loads(line) for line in out.splitlines()]


def main():
    if not COMMAND:
        sys.exit("set SERIATIM to the path of the built command, or run this through ctest")
    unittest.main()
