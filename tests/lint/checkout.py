"""A small made-up checkout on which a rule can be broken."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent


class CheckoutCase(unittest.TestCase):
    """Subclasses name the tool; each test writes files and says what the tool must report."""

    tool = ""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)

    def write(self, name, text=""):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run_tool(self):
        return subprocess.run([sys.executable, "-B", REPOSITORY / "scripts" / self.tool, "--root", self.root],
                              capture_output=True, text=True, check=False)

    def expect_clean(self):
        result = self.run_tool()
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)

    def expect_offence(self, where, *words):
        """Exactly one offence, reported for `where` (file:line), whose message has all `words`."""
        result = self.run_tool()
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 1, result.stdout)
        self.assertTrue(lines[0].startswith(where + ": "), lines[0])
        for word in words:
            self.assertIn(word, lines[0])
