#!/usr/bin/env python3
"""The subjects of the commits that are submitted, and a proof that each rule about them can fail."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from checkout import REPOSITORY, CheckoutCase

sys.path.insert(0, str(REPOSITORY / "scripts"))
from commit_subjects import CHARACTERS_MAX, git, offences_of, submitted  # noqa: E402

LONG = "x" * (CHARACTERS_MAX + 1)
# Of the machine's settings none counts (signing, templates, hooks).
ALONE = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@a",
         "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@a"}


class ThisCheckout(unittest.TestCase):
    def test_what_is_submitted_has_sound_subjects(self):
        commits = submitted(REPOSITORY)
        if commits is None:
            self.skipTest("this tree has no repository")
        self.assertEqual(offences_of(commits), [])


class Subjects(unittest.TestCase):
    def test_sound_subjects_pass(self):
        self.assertEqual(offences_of([("a", "x" * CHARACTERS_MAX), ("b", "ü" * CHARACTERS_MAX), ("c", "Wipes what was cut")]), [])

    def test_unfinished_work_is_reported(self):
        for subject in ("WIP", "WIP3", "wip: retention", "fixup! Lint", "squash! Lint"):
            with self.subTest(subject=subject):
                self.assertEqual(["unfinished" in offence for offence in offences_of([("a", subject)])], [True])

    def test_a_long_or_empty_subject_is_reported(self):
        self.assertEqual(["73 characters" in offence for offence in offences_of([("a", LONG)])], [True])
        self.assertEqual(len(offences_of([("a", "")])), 1)


@unittest.skipIf(git(".", "version") is None, "there is no git")
class Ranges(CheckoutCase):
    tool = "commit_subjects.py"

    def setUp(self):
        super().setUp()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments):
        subprocess.run(["git", "-C", self.root, *arguments], check=True, capture_output=True, env=ALONE)

    def commit(self, *subjects):
        for subject in subjects:
            self.git("commit", "--quiet", "--allow-empty", "--message", subject)

    def expect_subjects(self, *subjects):
        self.assertEqual([subject for _, subject in submitted(self.root)], list(subjects))

    def test_a_repository_without_commits_passes(self):
        self.expect_clean()

    def test_without_an_origin_the_last_commits_count(self):
        self.commit("WIP", "second", LONG)
        self.expect_subjects(LONG, "second", "WIP")
        self.assertEqual(len(self.run_tool().stdout.splitlines()), 2)
        self.assertEqual([subject for _, subject in submitted(self.root, recent=2)], [LONG, "second"])

    def test_with_an_origin_only_what_it_does_not_have_counts(self):
        self.commit("WIP")
        self.git("update-ref", "refs/remotes/origin/main", "HEAD")
        self.commit("sound")
        self.expect_clean()
        self.commit("WIP2")
        self.expect_subjects("WIP2", "sound")

    def test_in_a_fresh_clone_the_last_commits_count(self):
        self.commit("sound", "WIP")
        with tempfile.TemporaryDirectory() as clone:
            subprocess.run(["git", "clone", "--quiet", f"file://{self.root}", clone], check=True, capture_output=True, env=ALONE)
            self.assertEqual([subject for _, subject in submitted(Path(clone))], ["WIP", "sound"])

    def test_a_tree_inside_another_repository_has_no_commits(self):
        self.commit("WIP")
        self.write("archive/README.md")
        self.assertIsNone(submitted(self.root / "archive"))
        with tempfile.TemporaryDirectory() as archive:
            self.assertIsNone(submitted(Path(archive)))


if __name__ == "__main__":
    unittest.main()
