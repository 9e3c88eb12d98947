#!/usr/bin/env python3
"""consume -g as a member of its group, and what another process can say of members."""

import json
import subprocess

from command import CommandTest, main

SAYS = b"this command is its only member"


class GroupMembers(CommandTest):
    def rows(self, *words):
        return json.loads(self.seriatim(*words, "-j")[0])

    def fill(self, *topics):
        for topic in topics:
            self.create(topic, 2)
            for partition in range(2):
                self.produce(topic, [b"%s%d" % (topic.encode(), i) for i in range(3)], "-p", str(partition))

    def committed(self, group):
        lines = self.seriatim("group", "export", group)[0].decode().splitlines()
        return {(topic, int(partition)): int(offset) for topic, partition, offset in (line.split(",") for line in lines)}

    def test_several_topics_are_read_to_their_end_and_stored(self):
        self.fill("t", "u")
        out, err = self.seriatim("consume", "t", "u", "-g", "g", "-c", "12")
        self.assertEqual(sorted(out.split()), sorted(b"%s%d" % (topic, i) for topic in (b"t", b"u") for i in range(3) for _ in range(2)))
        self.assertEqual(err.count(SAYS), 1)
        self.assertEqual(self.committed("g"), {(topic, partition): 3 for topic in "tu" for partition in range(2)})
        self.produce("u", [b"new"], "-p", "1")
        self.assertEqual(self.seriatim("consume", "t", "u", "t", "-g", "g", "-c", "1")[0], b"new\n")

    def test_what_was_not_printed_is_not_stored(self):
        self.create("t")
        self.produce("t", [b"%d" % i for i in range(9)])
        for expected in (b"0\n1\n", b"2\n3\n"):
            self.assertEqual(self.seriatim("consume", "t", "-g", "g", "-c", "2")[0], expected)
        self.assertEqual(self.committed("g"), {("t", 0): 4})

    def test_who_chooses_where_to_read_is_no_member(self):
        self.fill("t")
        for choice in (["-o", "beginning", "-e"], ["-e"], ["-p", "0", "-c", "1"], ["--no-commit", "-c", "1"]):
            with self.subTest(choice):
                _, err = self.seriatim("consume", "t", "-g", choice[0].strip("-"), *choice)
                self.assertNotIn(SAYS, err)

    def test_a_topic_that_is_not_there_is_an_error(self):
        self.fill("topic")
        _, err = self.seriatim("consume", "topic", "topik", "-g", "g", "-c", "1", status=3)
        self.assertIn(b"Did you mean topic?", err)

    def test_members_are_told_of_by_the_process_that_has_them(self):
        self.fill("t")
        self.seriatim("consume", "t", "-g", "g", "-e")
        self.assertEqual(self.rows("group", "members", "g"), {"group": "g", "state": "empty", "members": []})
        out, err = self.seriatim("group", "members", "g")
        self.assertEqual(out, b"group g   state empty   members none\n")
        self.assertIn(b"nobody has the directory open", err)
        self.assertIn(b"group list", self.seriatim("group", "members", "no", status=3)[1])
        reader = self.start("-d", self.data, "consume", "t", "-g", "g", stdin=subprocess.DEVNULL)
        self.addCleanup(reader.wait)
        for stream in (reader.stdout, reader.stderr):
            self.addCleanup(stream.close)
        self.addCleanup(reader.kill)
        self.assertIn(SAYS, reader.stderr.readline())
        self.assertEqual(self.rows("group", "members", "g"), {"group": "g", "state": "unknown", "members": None})
        for words in (["members", "g"], ["describe", "g"]):
            self.assertIn(b"(pid %d), and only there" % reader.pid, self.seriatim("group", *words)[1])
        self.assertIn(b"(pid %d)" % reader.pid, self.seriatim("group", "members", "new", status=3)[1])
        _, err = self.seriatim("consume", "t", "-g", "g", "-c", "1", status=6)
        self.assertIn(b"belong to that process", err)
        self.assertIn(b"--no-commit", err)


if __name__ == "__main__":
    main()
