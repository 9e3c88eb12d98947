#!/usr/bin/env python3
"""The demonstration runs on files it is given, compares what it must, and fails loudly."""

import gzip
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "examples" / "demo" / "run_demo"


class Demo(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="seriatim-demo-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.scratch = os.path.join(self.folder, "tmp")
        os.mkdir(self.scratch)

    def demo(self, *paths):
        environment = dict(os.environ, TMPDIR=self.scratch)
        return subprocess.run([str(SCRIPT), *paths], env=environment, capture_output=True, text=True, timeout=250, check=False)

    def test_runs_on_files_and_folders(self):
        folder = os.path.join(self.folder, "input")
        os.mkdir(folder)
        with gzip.open(os.path.join(folder, "changelog.gz"), "wt") as file:
            for i in range(2000):
                file.write(f"thing (1.{i}) stable; urgency=low\n\n  * Change {i}.\n\n -- A Person <a@example.org>  Mon, 1 Jan 2024\n\n")
        with open(os.path.join(folder, "dpkg.log"), "w", encoding="ascii") as file:
            for i in range(3000):
                file.write(f"2026-11-22 17:38:46 status installed pkg{i % 40}:amd64 1.{i}\n")
        with open(os.path.join(folder, "binary"), "wb") as file:
            file.write(os.urandom(300_000))
        done = self.demo(folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout.splitlines()[-1], r"^demo OK in \d+\.\d s$")
        self.assertEqual(os.listdir(self.scratch), [], "nothing is left behind")

    def test_says_which_step_failed(self):
        done = self.demo(os.path.join(self.folder, "missing"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("demo FAILED in step 1", done.stdout)


if __name__ == "__main__":
    if not os.environ.get("SERIATIM_DEMO"):
        sys.exit("set SERIATIM_DEMO to the path of the built seriatim-demo, or run this through ctest")
    unittest.main()
