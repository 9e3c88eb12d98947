#!/usr/bin/env python3
"""Runs the examples of docs/cli.md, docs/hacking.md, docs/work_queue.md, docs/recipes/*.md and README.md and compares what they print.

Every fenced block that begins ```console run is run, all of a page in one folder and in their order. A line beginning with `$ ` is a command for bash, the
lines up to the next one are what it prints on standard output and standard error together. In those, ... stands for any characters of a line, and
a line of ... alone for any number of lines. A command ends with exit status 0, unless the line after it is `# exit status N`.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "scripts"))
from doc_blocks import blocks_of  # noqa: E402

STATUS = re.compile(r"# exit status (\d+)")


def steps_of(lines):
    """[(command, status, [expected lines])] of one block."""
    steps = []
    for line in lines:
        status = STATUS.fullmatch(line)
        if line.startswith("$ "):
            steps.append([line[2:], 0, []])
        elif status:
            steps[-1][1] = int(status.group(1))
        else:
            steps[-1][2].append(line)
    return steps


def pattern_of(lines):
    """A pattern for the whole output."""
    parts = []
    for line in lines:
        if line == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r"[^\n]*".join(re.escape(piece) for piece in line.split("...")) + r" *\n")
    return "".join(parts)


class Examples(unittest.TestCase):
    def test_cli_page(self):
        self.check_page("docs/cli.md", 10)

    def test_readme(self):
        self.check_page("README.md", 1)

    def test_hacking_page(self):
        self.check_page("docs/hacking.md", 1)

    def test_work_queue_page(self):
        self.check_page("docs/work_queue.md", 4)

    def test_routing_page(self):
        self.check_page("docs/recipes/routing.md", 1)

    def test_backlog_page(self):
        self.check_page("docs/recipes/backlog.md", 5)

    def check_page(self, page, blocks_min):
        text = (REPOSITORY / page).read_text(encoding="utf-8")
        blocks = [block.lines for block in blocks_of(text) if block.info == "console run"]
        self.assertGreaterEqual(len(blocks), blocks_min, f"{page} lost its examples")
        folder = tempfile.mkdtemp(prefix="seriatim-docs-")
        self.addCleanup(shutil.rmtree, folder)
        environment = {k: v for k, v in os.environ.items() if k != "SERIATIM_DIR"}
        environment["PATH"] = os.path.dirname(os.path.abspath(environment["SERIATIM"])) + ":" + environment["PATH"]
        for block in blocks:
            for command, status, expected in steps_of(block):
                done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
                with self.subTest(command):
                    self.assertEqual(done.returncode, status, f"$ {command}\n{done.stdout}")
                    self.assertIsNotNone(re.fullmatch(pattern_of(expected), done.stdout),
                                         "$ {}\nprinted:\n{}\nthe document has:\n{}\n".format(command, done.stdout, "\n".join(expected)))

    def test_wildcards_can_fail(self):
        self.assertIsNotNone(re.fullmatch(pattern_of(["a ... c", "..."]), "a b c\nd\ne\n"))
        self.assertIsNone(re.fullmatch(pattern_of(["a ... c"]), "a b\nc\n"))
        self.assertIsNone(re.fullmatch(pattern_of(["a"]), "a\nb\n"))
        self.assertEqual(steps_of(["$ x", "# exit status 3", "y", "$ z"]), [["x", 3, ["y"]], ["z", 0, []]])


if __name__ == "__main__":
    if not os.environ.get("SERIATIM"):
        sys.exit("set SERIATIM to the path of the built command, or run this through ctest")
    unittest.main()
