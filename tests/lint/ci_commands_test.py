#!/usr/bin/env python3
"""README.md names the two commands, and what CI takes out of it is exactly them."""

import subprocess
import sys
import unittest

from checkout import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
from readme_commands import commands_of  # noqa: E402

GOOD = "text\n<!-- commands -->\n```console\n$ ./run demo   # shows it\n$ ./run test\n```\n<!-- /commands -->\n./run clean\n"


class ReadmeCommands(unittest.TestCase):
    def test_the_two_commands_are_taken_without_prompt_and_comment(self):
        self.assertEqual(commands_of(GOOD), ["./run demo", "./run test"])

    def test_a_readme_without_its_markers_is_refused(self):
        with self.assertRaisesRegex(ValueError, "0 blocks"):
            commands_of(GOOD.replace("<!-- commands -->", ""))

    def test_a_missing_or_third_command_is_refused(self):
        for bad in (GOOD.replace("$ ./run test\n", ""), GOOD.replace("$ ./run test", "$ ./run test\n$ ./run bench")):
            with self.assertRaisesRegex(ValueError, "one ./run demo and one ./run test"):
                commands_of(bad)

    def test_this_readme_and_the_run_script_agree(self):
        readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
        usage = subprocess.run([REPOSITORY / "run", "help"], capture_output=True, text=True, check=True).stdout
        for command in commands_of(readme):
            self.assertIn(f"  {command.split()[1]} ", usage)


if __name__ == "__main__":
    unittest.main()
