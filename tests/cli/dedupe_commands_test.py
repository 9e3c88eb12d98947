#!/usr/bin/env python3
"""seriatim dedupe: shows the windows that applications keep, forgets an id, and purges a window."""

import json
import os
import subprocess

from command import CommandTest, main

DEDUPE = os.environ.get("SERIATIM_DEDUPE")


class Dedupe(CommandTest):
    def handle(self, last):
        """An application handles the messages 0 to `last`, each once, under the name "m". Returns the values of its topic."""
        return subprocess.run([DEDUPE, self.data, "finish", str(last)], check=True, capture_output=True).stdout.decode().split()

    def create_window(self):
        subprocess.run([DEDUPE, self.data, "create"], check=True)
        self.handle(9)

    def rows(self, *words):
        return json.loads(self.seriatim("-j", "dedupe", *words)[0])

    def test_names_and_ids_are_listed(self):
        self.create_window()
        self.assertEqual(self.rows("list"), [{"name": "m"}])
        rows = self.rows("list", "m")
        self.assertEqual([row["id"] for row in rows], [str(i) for i in range(10)])
        self.assertEqual(rows[7]["result"], "result 7")
        self.assertEqual([row["id"] for row in self.rows("list", "m", "--from", "3", "-n", "2")], ["3", "4"])
        described = self.rows("describe", "m")[0]
        self.assertEqual((described["ids"], described["results"], described["result_bytes"]), (10, 10, 80))
        self.assertEqual((described["window_ms"], described["window_ids"]), (24 * 3600 * 1000, 1_000_000))

    def test_an_id_that_is_forgotten_is_handled_again(self):
        self.create_window()
        _, err = self.seriatim("dedupe", "forget", "m", "7")
        self.assertEqual(err, b"id 7 is forgotten: its next message is a first\n")
        self.assertIn(b"does not remember the id 7", self.seriatim("dedupe", "forget", "m", "7", status=3)[1])
        self.assertEqual(self.handle(9), [str(i) for i in range(10)] + ["7"])

    def test_the_window_of_an_application_stays_as_it_is(self):
        self.create_window()
        before = self.rows("describe", "m")[0]
        self.seriatim("dedupe", "forget", "m", "7")
        after = self.rows("describe", "m")[0]
        self.assertEqual((after["window_ms"], after["window_ids"]), (before["window_ms"], before["window_ids"]))
        self.assertEqual(after["ids"], 9)

    def test_a_purge_asks_first_and_forgets_all(self):
        self.create_window()
        self.assertIn(b"forgets 10 ids of deduplicator m", self.seriatim("dedupe", "purge", "m", "--dry-run")[1])
        self.seriatim("dedupe", "purge", "m", status=2)
        self.assertEqual(self.rows("describe", "m")[0]["ids"], 10)
        self.assertIn(b"forgot 10 ids of deduplicator m", self.seriatim("dedupe", "purge", "m", "--yes")[1])
        self.assertEqual(self.rows("list"), [])
        self.assertEqual(len(self.handle(9)), 20)

    def test_a_name_that_is_not_there_makes_nothing(self):
        self.create_window()
        for words in (["list", "n"], ["describe", "n"], ["forget", "n", "7"], ["purge", "n", "--yes"]):
            with self.subTest(words):
                err = self.seriatim("dedupe", *words, status=3)[1]
                self.assertIn(b"Did you mean m?", err)
        self.assertEqual(self.rows("list"), [{"name": "m"}])


if __name__ == "__main__":
    main()
