#!/usr/bin/env python3
"""Runs the commands that docs/hacking.md shows for test programs, in the build that CTest tests, and compares what they print."""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "scripts"), str(REPOSITORY / "tests" / "cli")]
from cli_examples_test import pattern_of, steps_of  # noqa: E402
from doc_blocks import blocks_of  # noqa: E402

PAGE = "docs/hacking.md"
BUILD = "build/dev/"  # as the page names it


class Commands(unittest.TestCase):
    def test_hacking_page(self):
        blocks = [block.lines for block in blocks_of((REPOSITORY / PAGE).read_text(encoding="utf-8")) if block.info == "console test"]
        self.assertGreaterEqual(len(blocks), 3, f"{PAGE} lost its examples")
        environment = {name: value for name, value in os.environ.items() if name not in ("SERIATIM_SEED", "SERIATIM_STATES")}
        for command, status, expected in (step for block in blocks for step in steps_of(block)):
            with self.subTest(command):
                self.assertIn(BUILD, command)
                done = subprocess.run(["bash", "-c", command.replace(BUILD, os.environ["SERIATIM_BUILD"] + "/")], env=environment,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240,
                                      check=False)
                self.assertEqual(done.returncode, status, f"$ {command}\n{done.stdout}")
                self.assertIsNotNone(re.fullmatch(pattern_of(expected), done.stdout), f"$ {command}\nprinted:\n{done.stdout}")
                self.assertNotIn("test cases: 0 |", done.stdout, f"$ {command}: it names no test case")


if __name__ == "__main__":
    if not os.environ.get("SERIATIM_BUILD"):
        sys.exit("set SERIATIM_BUILD to the build folder, or run this through ctest")
    unittest.main()
