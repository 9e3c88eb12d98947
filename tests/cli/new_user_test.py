#!/usr/bin/env python3
"""What somebody meets who has not read the manual: asking for help, wrong places, no rights, no space, impatience. Cites INV-10."""

import json
import os
import signal
import subprocess
import time

from command import COMMAND, CommandTest, main

COMMANDS = (["topic"], ["topic", "create"], ["topic", "list"], ["topic", "describe"], ["topic", "alter"], ["topic", "add-partitions"],
            ["topic", "compact"], ["topic", "trim"], ["topic", "delete"], ["produce"], ["consume"], ["tail"], ["get"], ["count"], ["status"],
            ["du"], ["dump"], ["verify"], ["repair"], ["perf"], ["perf", "produce"], ["perf", "consume"], ["perf", "e2e"], ["perf", "fsync"], ["completion"])
NOBODY = 65534


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


class NewUser(CommandTest):
    def complains(self, words, status, *texts, **options):
        """Ends with `status`, one line on stderr that has all `texts`, and nothing on stdout."""
        process = self.start(*words, **options)
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out), (status, b""), err)
        self.assertEqual(len(err.splitlines()), 1, err)
        for text in texts:
            self.assertIn(text.encode(), err)

    def test_help_is_there_for_every_command_by_option_and_by_word(self):
        for words in ([], *COMMANDS):
            with self.subTest(words):
                by_option, err = self.run_command(*words, "--help")
                self.assertEqual(err, b"")
                self.assertIn(b"Usage: seriatim", by_option)
                self.assertEqual(self.run_command("help", *words)[0], by_option)
        self.complains(["help", "frobnicate"], 2, "unknown command frobnicate")
        self.assertEqual(self.run_command("-d", "help", "-q", "help", "topic")[0], self.run_command("topic", "--help")[0])

    def test_a_name_in_a_message_cannot_drive_the_terminal(self):
        self.create("t")
        for words in (["txn", "describe", "\x1b[2J"], ["consume", "\x1b[2J"], ["topic", "create", "\x1b[2J"], ["\x1b[2J"]):
            process = self.start("-d", self.data, *words)
            _, err = process.communicate(timeout=60)
            self.assertNotIn(b"\x1b", err)
            self.assertIn(b"[2J", err)

    def test_a_slip_in_any_command_is_answered_with_the_command(self):
        for words in COMMANDS:
            slip = [*words[:-1], words[-1][:-1] + "x"]
            with self.subTest(slip):
                self.complains(slip, 2, "unknown command " + slip[-1], "Did you mean: seriatim " + " ".join(words))

    def test_places_that_are_no_data_directory(self):
        os.mkdir(self.path("empty"))
        with open(self.path("file"), "wb") as file:
            file.write(b"text")
        for words in (["topic", "list"], ["status"], ["consume", "t", "-e"], ["verify"], ["du"], ["count", "t"]):
            with self.subTest(words):
                self.complains(["-d", "nowhere", *words], 3, "nowhere")
                self.complains(["-d", "empty", *words], 3, "NOT_A_DATA_DIRECTORY", "empty")
                self.complains(["-d", "file", *words], 3, "file")
                self.complains(words, 2, "-d DIR", "SERIATIM_DIR")
        self.complains(["-d", "file", "topic", "create", "t"], 3, "file is no directory")
        self.complains(["-d", "no/parent", "topic", "create", "t"], 3, "no/parent")
        self.assertEqual(os.listdir(self.path("empty")), [], "looking creates nothing")
        self.assertFalse(os.path.exists(self.path("nowhere")))

    def test_a_directory_that_is_not_there_is_answered_with_the_way_to_one(self):
        for words in (["topic", "list"], ["topic", "delete", "t", "--yes"], ["status"], ["consume", "t", "-e"], ["verify"], ["repair"], ["du"],
                      ["dump", "t:0"], ["txn", "list"], ["perf", "consume", "t"]):
            with self.subTest(words):
                self.complains(["-d", "nowhere", *words], 3, "there is no data directory nowhere", "seriatim -d nowhere topic create")

    def test_a_message_about_offsets_says_which_there_are(self):
        self.create("t")
        self.complains(["-d", self.data, "get", "t:0@0"], 3, "it holds no record, and the next record gets 0")
        self.produce("t", [b"1", b"2", b"3"])
        for place in ("t:0@3", "t:0@4"):
            self.complains(["-d", self.data, "get", place], 3, "holds 0 to 2" if place == "t:0@3" else "holds offsets 0 to 2",
                           "the next record gets 3")
        self.complains(["-d", self.data, "consume", "t", "-o", "7", "-e"], 3, "holds offsets 0 to 2")
        self.complains(["-d", self.data, "topic", "trim", "t", "--before", "7", "--yes"], 3, "holds offsets 0 to 2")
        self.complains(["-d", self.data, "consume", "t", "-p", "1"], 3, "no partition 1, only 0")

    def test_a_time_before_all_records_is_a_time(self):
        self.create("t")
        self.produce("t", [b"1"])
        for time_text in ("@1969-12-31T23:59:59Z", "@-30000d", "@0"):
            self.assertEqual(self.seriatim("consume", "t", "-e", "-o", time_text)[0], b"1\n")

    def test_an_unknown_setting_is_answered_with_those_there_are(self):
        self.create("t")
        self.complains(["-d", self.data, "topic", "alter", "t", "--config", "frobnicate=1"], 2, "there are ", "retention.ms", "segment.bytes")
        self.complains(["-d", self.data, "topic", "alter", "t", "--config", "retention=1"], 2, "did you mean \"retention.ms\"")

    def test_a_refused_topic_leaves_no_directory_behind(self):
        self.complains(["-d", self.data, "topic", "create", "t", "--config", "frobnicate=1"], 2, "frobnicate")
        self.complains(["-d", self.data, "topic", "create", "a b"], 2, "a topic name is")
        self.assertFalse(os.path.exists(self.data))

    def test_dump_of_an_empty_partition_says_so(self):
        self.create("t", 2)
        out, err = self.seriatim("dump", "t:1")
        self.assertEqual((out, err), (b"", b"nothing is stored in t:1 yet\n"))
        self.assertEqual(json.loads(self.seriatim("-q", "-j", "dump", "t:1", "--index")[0]), [])
        self.complains(["-d", self.data, "dump", "t:2"], 3, "topic t has no partition 2")
        self.complains(["-d", self.data, "dump", "tt:0"], 3, "there is no topic tt", "Did you mean t?")

    def test_a_missing_index_is_named_with_the_way_to_mend_it(self):
        self.create("t", 1, "--config", "segment.bytes=4096")
        self.produce("t", [b"%01000d" % i for i in range(20)])
        folder = os.path.join(self.data, "log", "t-0")
        indexes = sorted(name for name in os.listdir(folder) if name.endswith("index") and not name.endswith("txnindex"))
        self.assertGreater(len(indexes), 4)
        for name in (*indexes[:2], *indexes[-2:]):
            path = os.path.join(folder, name)
            os.rename(path, path + ".away")
            with self.subTest(name):
                for words in (["consume", "t", "-e"], ["count", "t", "--scan"], ["perf", "consume", "t"]):
                    process = self.start("-d", self.data, *words)
                    _, err = process.communicate(timeout=60)
                    self.assertEqual(process.returncode, 4, err)
                    for text in (b"CORRUPT_METADATA", path.encode(), b"seriatim repair"):
                        self.assertIn(text, err)
                self.assertEqual(self.run_command("-d", self.data, "verify", status=5)[1], b"")
            os.rename(path + ".away", path)
        self.create("other")
        os.remove(os.path.join(folder, [name for name in sorted(os.listdir(folder)) if name.endswith(".index")][-1]))
        self.what_one_damaged_partition_leaves("t", "other")
        self.seriatim("repair", "--yes")
        self.assertEqual(len(self.records("t")), 20)

    def what_one_damaged_partition_leaves(self, damaged, other):
        """The other topics are seen, and the damaged one can be looked at and deleted."""
        out, _ = self.run_command("-d", self.data, "-j", "topic", "list", status=4)
        self.assertEqual({row["topic"]: row["records"] for row in json.loads(out)}, {damaged: None, other: 0})
        out, _ = self.run_command("-d", self.data, "-j", "topic", "describe", damaged, status=4)
        self.assertIn("seriatim repair", json.loads(out)["partitions"][0]["damage"])
        out, _ = self.run_command("-d", self.data, "-j", "status", status=4)
        self.assertEqual(len(json.loads(out)["damage"]), 1)
        self.complains(["-d", self.data, "count", damaged], 4, "cannot be counted")
        _, err = self.seriatim("topic", "delete", damaged, "--dry-run")
        self.assertIn(b"damaged partitions", err)

    def test_without_rights_the_file_is_named(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        self.create("t")
        self.produce("t", [b"x"])
        os.chmod(self.folder, 0o755)
        for words in (["consume", "t", "-e"], ["topic", "list"], ["status"], ["verify"], ["topic", "create", "u"]):
            with self.subTest(words):
                self.complains(["-d", self.data, *words], 1, "PERMISSION_DENIED", self.data, "owner", preexec_fn=become_nobody)
        self.assertEqual([r["value"] for r in self.records("t")], ["x"])

    def test_a_lock_file_that_is_none_is_shown_and_stops_no_look(self):
        self.create("t")
        lock = os.path.join(self.data, "LOCK")
        def other_bytes():
            with open(lock, "wb") as file:
                file.write(b"not ours")
        for put in (other_bytes, lambda: os.mkfifo(lock), lambda: os.symlink("/etc/passwd", lock), lambda: os.mkdir(lock)):
            if os.path.isdir(lock):
                os.rmdir(lock)
            else:
                os.remove(lock)
            put()
            out, _ = self.seriatim("status")
            self.assertIn(b"writer: unknown", out)
            self.assertRegex(out, rb"lock UNREADABLE: .*LOCK")
            status = json.loads(self.seriatim("status", "-j")[0])
            self.assertIn(lock, status["writer_problem"])
            self.assertEqual(status["topics"], 1)
            self.seriatim("du")
            self.seriatim("verify")
            self.seriatim("count", "t")

    def test_a_link_is_no_way_out_of_the_directory(self):
        self.create("t")
        self.produce("t", [b"x"])
        log = os.path.join(self.data, "log", "t-0")
        os.rename(log, self.path("elsewhere"))
        os.symlink(self.path("elsewhere"), log)
        self.complains(["-d", self.data, "consume", "t", "-e"], 1, "symbolic link", log)
        self.complains(["-d", self.data, "produce", "t"], 1, "symbolic link", log)
        for name in ("../t", "/etc/passwd", "a/b", ".."):
            self.complains(["-d", self.data, "topic", "create", name], 2, "INVALID_TOPIC")
            self.complains(["-d", self.data, "consume", name, "-e"], 3, "UNKNOWN_TOPIC")
        os.remove(log)
        os.rename(self.path("elsewhere"), log)
        self.assertEqual([r["value"] for r in self.records("t")], ["x"])

    def test_a_full_disk_ends_produce_with_an_error_and_keeps_what_was_acknowledged(self):
        script = f"""
            mkdir data && mount -t tmpfs -o size=1m none data || exit 77
            S="{COMMAND} -q -d data/d"
            $S topic create t --config segment.bytes=65536 || exit 1
            head -c 400000 /dev/zero > data/filler
            head -c 3000000 /dev/zero | tr '\\0' x | fold -w 999 | $S produce t --report-acks acks; echo "full $?"
            rm data/filler; echo after | $S produce t --report-acks acks; echo "freed $?"
            $S verify >&2; echo "verify $?"
            echo "stored $($S consume t -e | wc -l) promised $(awk '{{n += $4 - $3 + 1}} END {{print n}}' acks)"
        """
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode == 77 or "unshare" in done.stderr:
            self.skipTest("no file system can be mounted here")
        self.assertIn("full 1\nfreed 0\nverify 0\n", done.stdout, done.stderr)
        self.assertIn("STORAGE_FULL", done.stderr)
        self.assertIn("Free space", done.stderr)
        _, stored, _, promised = done.stdout.splitlines()[-1].split()
        self.assertGreater(int(promised), 1)
        self.assertGreaterEqual(int(stored), int(promised))

    def test_an_interrupt_ends_every_command_that_goes_on(self):
        self.create("t")
        self.produce("t", [b"one"])
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            for words in (["consume", "t"], ["tail", "t"], ["perf", "produce", f"p{status}", "--records", "1000000000"],
                          ["perf", "e2e", f"e{status}", "--records", "1000000000", "--rate", "1000"]):
                with self.subTest(words=words, number=number):
                    process = self.start("-d", self.data, *words)
                    if words[0] == "perf":  # It has the directory as soon as its topic is there.
                        while not os.path.isdir(os.path.join(self.data, "log", words[2] + "-0")):
                            self.assertIsNone(process.poll())
                            time.sleep(0.01)
                    else:
                        self.assertEqual(process.stdout.readline(), b"one\n")
                    process.send_signal(number)
                    _, err = process.communicate(timeout=60)
                    self.assertEqual(process.returncode, status, err)
        self.seriatim("verify")

    def test_every_output_may_be_cut_off_by_its_reader(self):
        self.create("t", 1, "--config", "index.interval.bytes=100")
        self.produce("t", [b"x" * 100 for _ in range(20000)])
        for words in (["consume", "t", "-e"], ["consume", "t", "-e", "-J"], ["tail", "t", "-n", "20000", "-e"], ["dump", "t:0", "--records"],
                      ["dump", "t:0", "--index"], ["du", "--by", "file"], ["topic", "list"], ["--help"]):
            with self.subTest(words):
                process = self.start("-d", self.data, *words)
                process.stdout.read(1)
                process.stdout.close()
                err = process.stderr.read()
                process.stderr.close()
                self.assertEqual((process.wait(60), err), (0, b""))

    def test_unusual_input_is_stored_as_it_is(self):
        self.create("t", 1, "--config", "max.message.bytes=16MiB")
        long = b"L" * 5_000_000
        self.seriatim("produce", "t", stdin=b"")
        self.seriatim("produce", "t", "-K:", stdin=b"\x00\xff:\xfe\x00\r\n:\nno end")
        self.seriatim("produce", "t", stdin=long)
        sizes, _ = self.seriatim("consume", "t", "-e", "-f", "%K %S\\n")
        self.assertEqual(sizes, b"2 3\n0 0\n-1 6\n-1 5000000\n")
        self.assertEqual(self.seriatim("get", "t:0@0", "--value")[0], b"\xfe\x00\r")
        self.assertEqual(self.seriatim("get", "t:0@3", "--value")[0], long)

    def test_a_record_too_large_says_how_to_raise_the_limit(self):
        self.create("t")
        _, err = self.seriatim("produce", "t", stdin=b"x" * 2_000_000 + b"\n", status=1)
        self.assertIn(b"sent 0 records, 0 B", err)
        for text in (b"RECORD_TOO_LARGE", b"max.message.bytes (1048588)", b"seriatim topic alter"):
            self.assertIn(text, err)

    def test_inv_10_everything_in_a_directory_can_be_looked_at(self):
        self.create("t", 1, "--config", "segment.bytes=1024", "--config", "index.interval.bytes=0")
        for _ in range(3):
            self.produce("t", [b"k:" + b"x" * 300 for _ in range(3)], "-K:")
        self.seriatim("consume", "t", "-g", "readers", "--commit", "-c", "2")
        for folder, _, names in os.walk(os.path.join(self.data, "log")):
            for name in names:
                if name == "MOMENT":
                    continue  # Text, below.
                out, _ = self.run_command("dump", os.path.join(folder, name))
                # No producer has an id here, so the snapshots hold none.
                self.assertTrue(out or name.endswith(".snapshot") or os.path.getsize(os.path.join(folder, name)) == 0, name)
        for name, line in (("FORMAT", "seriatim data directory\n"), ("LOCK", "pid: "), ("log/MOMENT", "moment ")):
            with open(os.path.join(self.data, name), encoding="ascii") as file:
                self.assertIn(line, file.read())
        described, _ = self.seriatim("topic", "describe", "t", "-j")
        self.assertIn(b"segment.bytes", described)
        status = json.loads(self.seriatim("status", "-j")[0])
        self.assertEqual(status["groups"], 1)


if __name__ == "__main__":
    main()
