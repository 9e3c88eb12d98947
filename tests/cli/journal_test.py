#!/usr/bin/env python3
"""The journal as the command shows it (INV-10): frame by frame, damage told with its place, the figures of status."""

import glob
import json
import os
import signal
import subprocess

from command import CommandTest, main


class Journal(CommandTest):
    def kill_a_writer(self, topic, lines):
        """Sends lines one by one with acks all, so that each has a frame of its own, and kills the writer before it can close."""
        report = self.path("acks")
        writer = self.start("-d", self.data, "produce", topic, "-p", "0", "--report-acks", report, stdin=subprocess.PIPE)
        for count, line in enumerate(lines, 1):
            writer.stdin.write(line + b"\n")
            writer.stdin.flush()
            while self.lines_of(report) < count:
                self.assertIsNone(writer.poll(), "the writer lives until it is killed")
        writer.send_signal(signal.SIGKILL)
        writer.communicate(timeout=60)

    def lines_of(self, path):
        if not os.path.exists(path):
            return 0
        with open(path, "rb") as file:
            return file.read().count(b"\n")

    def journal_files(self):
        return sorted(glob.glob(os.path.join(self.data, "journal", "*.journal")))

    def rows(self, file, status=0, *options):
        out, _ = self.run_command("dump", file, "--output", "jsonl", *options, status=status)
        return [json.loads(line) for line in out.splitlines()]

    def frames(self, status=0):
        return [row for file in self.journal_files() for row in self.rows(file, status) if "type" in row]

    def flip(self, path, position):
        with open(path, "r+b") as file:
            file.seek(position)
            byte = file.read(1)[0]
            file.seek(position)
            file.write(bytes([byte ^ 1]))

    def begun_file(self):
        """The file that a killed writer wrote to."""
        return next(file for file in self.journal_files() if any("type" in row for row in self.rows(file)))

    def test_every_frame_is_shown_with_its_place_and_what_it_carries(self):
        self.create("orders", 2)
        self.kill_a_writer("orders", [b"one", b"two", b"three"])
        frames = self.frames()
        self.assertEqual([f["type"] for f in frames], ["batch"] * 3)
        self.assertEqual([f["lsn"] for f in frames], [1, 2, 3])
        self.assertEqual([f["base_offset"] for f in frames], [0, 1, 2])
        self.assertEqual({(f["topic"], f["partition"]) for f in frames}, {("orders", 0)})
        self.assertEqual(frames[0]["position"] + frames[0]["size"], frames[1]["position"])
        rows = self.rows(self.begun_file(), 0, "--records")
        self.assertEqual([r["value"] for r in rows if "value" in r], ["one", "two", "three"])
        for name in ("table", "json"):
            out, _ = self.run_command("dump", self.begun_file(), "--output", name)
            self.assertIn(b"base_offset", out)
        self.assertEqual(json.loads(out)[-1]["end"].split(":")[0], "zeros")

    def test_a_commit_is_shown_with_group_and_positions(self):
        self.create("orders", 2)
        self.produce("orders", [b"a", b"b"], "-p", "1")
        self.seriatim("consume", "orders", "-g", "mail", "--commit", "-e")
        commits = [f for f in self.frames() if f["type"] == "committed_offsets"]
        self.assertEqual(len(commits), 1)
        self.assertEqual(commits[0]["group"], "mail")
        self.assertEqual([(p["topic"], p["partition"], p["offset"]) for p in commits[0]["positions"] if p["offset"]], [("orders", 1, 2)])

    def test_without_a_catalog_topics_are_told_by_their_ids(self):
        self.create("orders")
        self.kill_a_writer("orders", [b"one"])
        os.remove(os.path.join(self.data, "catalog", "data.mdb"))
        frame = self.frames()[0]
        self.assertIsNone(frame["topic"])
        self.assertRegex(frame["topic_id"], "^[0-9a-f]{32}$")

    def test_damage_is_told_with_its_place_and_what_follows_is_shown(self):
        self.create("orders")
        self.kill_a_writer("orders", [b"one", b"two", b"three"])
        file = self.begun_file()
        second = self.frames()[1]
        self.flip(file, second["position"] + 30)
        rows = self.rows(file, 4)
        fault = next(row for row in rows if "fault" in row)
        self.assertEqual((fault["lsn"], fault["position"]), (2, second["position"]))
        self.assertIn("frame 2 was stored and cannot be read", fault["fault"])
        self.assertEqual([row["lsn"] for row in rows if "type" in row], [1, 3])

    def test_the_torn_end_of_a_write_is_no_damage(self):
        self.create("orders")
        self.kill_a_writer("orders", [b"one", b"two"])
        file = self.begun_file()
        self.flip(file, self.frames()[1]["position"] + 30)
        rows = self.rows(file)
        self.assertEqual([row["lsn"] for row in rows if "type" in row], [1])
        self.assertIn("end", rows[-1])

    def status(self, status=0):
        return json.loads(self.seriatim("status", "-j", status=status)[0])

    def test_status_tells_what_a_dead_writer_left_and_what_a_clean_close_covered(self):
        self.create("orders")
        self.kill_a_writer("orders", [b"one", b"two"])
        left = self.status()["journal"]
        self.assertEqual((left["live"], left["files"], left["durable_lsn"], left["checkpoint_lsn"]), (False, 1, 2, 0))
        self.assertGreater(left["bytes_in_use"], 1024)
        self.assertIsNone(left["oldest_wait_us"])
        self.produce("orders", [b"three"])
        closed = self.status()["journal"]
        self.assertEqual((closed["durable_lsn"], closed["checkpoint_lsn"], closed["bytes_in_use"]), (3, 3, 0))
        self.assertGreater(closed["checkpoint_time"], 1_700_000_000_000)

    def test_status_of_a_live_writer_is_what_it_publishes(self):
        self.create("orders")
        report = self.path("acks")
        writer = self.start("-d", self.data, "produce", "orders", "--report-acks", report, stdin=subprocess.PIPE)
        writer.stdin.write(b"one\n")
        writer.stdin.flush()
        journal = {"live": False}
        while not journal["live"] or journal["durable_lsn"] != 1:
            self.assertIsNone(writer.poll())
            journal = self.status()["journal"]
        self.assertEqual(journal["files"], 1)
        out, _ = self.seriatim("status")
        self.assertRegex(out, rb"durable LSN 1 .* oldest commit under way: ")
        self.assertRegex(out, rb"\nbackground time-outs .*, checkpoint .*, compaction ")
        jobs = {job["name"]: job for job in self.status()["background"]}
        self.assertEqual(jobs["checkpoint"]["period_ms"], 60_000)
        self.assertGreater(jobs["journal files"]["last_end"], 1_700_000_000_000)
        self.assertEqual(jobs["journal files"]["failures"], 0)
        self.assertIsNone(jobs["journal files"]["failure"])
        writer.communicate(timeout=60)

    def test_status_tells_a_damaged_journal(self):
        self.create("orders")
        self.kill_a_writer("orders", [b"one", b"two", b"three"])
        self.flip(self.begun_file(), 1024 + 30)
        damage = self.status(4)["damage"]
        self.assertIn("journal frame 1", damage[0])

    def test_perf_fsync_measures_the_disk_and_the_commits_that_share_a_sync(self):
        out, _ = self.run_command("perf", "fsync", self.folder, "--duration", "100ms", "-j")
        rows = json.loads(out)["measurements"]
        self.assertEqual([row["producers"] for row in rows], [0, 1, 8, 64])
        for row in rows:
            self.assertGreater(row["commits"], 0)
            self.assertGreater(row["syncs"], 0)
            self.assertGreater(row["latency_ns"]["p99"], 0)
        self.assertEqual(rows[0]["commits_per_sync"], 1)
        self.assertGreater(rows[3]["commits_per_sync"], 1)
        self.assertEqual(os.listdir(self.folder), [], "nothing is left")
        for words in (["--duration", "0s"], ["--size", "1GiB"]):
            self.run_command("perf", "fsync", self.folder, *words, status=2)
        self.run_command("perf", "fsync", self.path("none"), status=3)

    def test_files_that_hold_no_journal_are_told_apart(self):
        self.create("orders")
        self.kill_a_writer("orders", [b"one"])
        spare = self.path("00000000000000000009.journal")
        with open(spare, "wb") as file:
            file.write(bytes(65536))
        self.assertIn("spare", self.rows(spare)[0]["state"])
        with open(spare, "r+b") as file:
            file.write(b"x")
        self.assertIn("neither copy", self.rows(spare, 4)[0]["fault"])
        with open(spare, "wb") as file:
            file.write(b"short")
        self.assertIn("neither copy", self.rows(spare, 4)[0]["fault"])


if __name__ == "__main__":
    main()
