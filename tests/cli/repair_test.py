#!/usr/bin/env python3
"""repair: what it mends by itself, what it gives up only when told, and that the directory works afterwards."""

import glob
import json
import os
import shutil
import signal
import subprocess

from command import CommandTest, main


class Repair(CommandTest):
    def fill(self, lines=60):
        """Topic t with several small segments, closed; the values are 0, 1, 2, ..."""
        self.create("t", 1, "--config", "segment.bytes=4096", "--config", "index.interval.bytes=256")
        for start in range(0, lines, 10):
            self.produce("t", [b"%d:%s" % (i, b"x" * 100) for i in range(start, start + 10)])

    def values(self):
        return [int(r["value"].split(":")[0]) for r in self.records("t")]

    def files(self, pattern):
        return sorted(glob.glob(os.path.join(self.data, pattern)))

    def flip(self, path, position):
        with open(path, "r+b") as file:
            file.seek(position)
            byte = file.read(1)[0]
            file.seek(position)
            file.write(bytes([byte ^ 1]))

    def repair(self, *words, status=0):
        return json.loads(self.seriatim("-j", "repair", *words, status=status)[0])

    def kill_a_writer(self, lines):
        report = self.path("acks")
        writer = self.start("-d", self.data, "produce", "t", "-p", "0", "--report-acks", report, stdin=subprocess.PIPE)
        for count, line in enumerate(lines, 1):
            writer.stdin.write(line + b"\n")
            writer.stdin.flush()
            while not os.path.exists(report) or os.path.getsize(report) < count * len("t 0 0 0\n"):
                self.assertIsNone(writer.poll(), "the writer lives until it is killed")
        writer.send_signal(signal.SIGKILL)
        writer.communicate(timeout=60)

    def test_a_sound_directory_has_nothing_to_repair(self):
        self.fill()
        out, _ = self.seriatim("repair")
        self.assertEqual(out, b"nothing to repair\n")

    def test_it_asks_first_and_a_dry_run_changes_nothing(self):
        self.fill()
        index = self.files("log/t-0/*.index")[0]
        os.remove(index)
        _, err = self.seriatim("repair", status=2)
        self.assertIn(b"--yes", err)
        out, _ = self.seriatim("repair", "--dry-run", status=5)
        self.assertIn(b"would", out)
        self.assertFalse(os.path.exists(index))

    def test_derived_files_are_made_again(self):
        self.fill()
        kinds = ("log/t-0/*0.index", "log/t-0/*0.timeindex")
        paths = [path for kind in kinds for path in self.files(kind) if os.path.getsize(path) > 0]
        self.assertGreater(len(paths), 2)
        for number, path in enumerate(paths):
            if number % 2 == 0:
                os.remove(path)
            else:
                self.flip(path, 2)
        self.seriatim("verify", status=5)
        report = self.repair("--yes")
        self.assertTrue(all(step["done"] for step in report["steps"]), report)
        self.assertEqual(report["left"], [])
        self.seriatim("verify")
        for path in paths:
            self.assertGreater(os.path.getsize(path), 0, path)
        self.assertEqual(self.values(), list(range(60)))

    def test_a_damaged_snapshot_is_moved_aside(self):
        self.fill()
        path = self.files("log/t-0/*.snapshot")[0]
        self.flip(path, 3)
        self.seriatim("verify", status=5)
        self.repair("--yes")
        self.assertTrue(os.path.exists(path + ".damaged"))
        self.seriatim("verify")
        self.assertEqual(self.values(), list(range(60)))

    def test_format_is_written_again_from_the_catalog(self):
        self.fill()
        path = os.path.join(self.data, "FORMAT")
        with open(path, "rb") as file:
            original = file.read()
        self.flip(path, 70)
        _, err = self.seriatim("count", "t", status=4)
        self.assertIn(b"seriatim repair", err)
        self.repair("--yes")
        with open(path, "rb") as file:
            self.assertEqual(file.read(), original)
        self.assertTrue(os.path.exists(path + ".damaged"))
        os.remove(path)
        self.repair("--yes")
        self.assertEqual(self.values(), list(range(60)))

    def test_leftovers_of_a_crash_are_told_and_go(self):
        self.fill()
        left = [os.path.join(self.data, "log", "t-0", "0" * 20 + suffix) for suffix in (".index.tmp", ".log.deleted", ".log.cleaned")]
        left.append(os.path.join(self.data, "journal", "0" * 18 + "99.journal.tmp"))
        for path in left:
            with open(path, "wb") as file:
                file.write(b"left")
        report = self.repair("--yes")
        self.assertEqual(len([s for s in report["steps"] if s["done"]]), 4, report)
        self.assertEqual([path for path in left if os.path.exists(path)], [])

    def test_what_a_killed_writer_left_is_brought_home(self):
        self.fill(10)
        self.kill_a_writer([b"10:", b"11:"])
        report = self.repair("--yes")
        # Beside what was just being made when it died.
        self.assertTrue(any("frames of the last run" in step["what"] for step in report["steps"]), report)
        self.assertEqual(self.values(), list(range(12)))

    def damage_batch(self, log, number):
        """Flips a bit in a record of batch `number` of a log; returns its offsets."""
        out, _ = self.run_command("dump", log, "--output", "jsonl")
        batch = json.loads(out.splitlines()[number])
        self.flip(log, batch["position"] + 80)
        return list(range(batch["base_offset"], batch["last_offset"] + 1))

    def test_damaged_batches_are_given_up_only_when_told_and_everything_else_stays(self):
        # One batch in the middle of a segment, the last one of another, one of the active segment.
        for segment, number in ((0, 1), (1, -1), (-1, 0)):
            with self.subTest(segment=segment):
                shutil.rmtree(self.data, ignore_errors=True)
                self.fill()
                log = self.files("log/t-0/*.log")[segment]
                lost = self.damage_batch(log, number)
                with open(log, "rb") as file:
                    damaged = file.read()
                self.seriatim("verify", status=4)
                kept = self.repair("--yes", status=4)
                self.assertFalse(all(step["done"] for step in kept["steps"]))
                with open(log, "rb") as file:
                    self.assertEqual(file.read(), damaged, "nothing is given up by itself")
                report = self.repair("--yes", "--accept-loss")
                told = next(s["what"] for s in report["steps"] if "written anew" in s["what"] and s["done"] and "Without" in s["what"])
                self.assertIn(f"{lost[0]}..{lost[-1]}", told)
                with open(log + ".damaged", "rb") as file:
                    self.assertEqual(file.read(), damaged, "the damaged file is kept as it was")
                self.seriatim("verify")
                self.assertEqual(self.values(), [i for i in range(60) if i not in lost])
                self.produce("t", [b"60:"])
                self.assertEqual([r["offset"] for r in self.records("t")][-1], 60)
                self.assertEqual(self.repair("--dry-run"), {"steps": [], "left": []})

    def test_a_damaged_journal_is_given_up_only_when_told_and_its_frames_are_saved(self):
        self.create("t")
        self.kill_a_writer([b"%d:" % i for i in range(5)])
        journal = next(p for p in self.files("journal/*.journal") if b'"type"' in self.run_command("dump", p, "-j")[0])
        frames = [json.loads(line) for line in self.run_command("dump", journal, "--output", "jsonl")[0].splitlines()]
        third = next(f for f in frames if f.get("lsn") == 3 and "type" in f)
        self.flip(journal, third["position"] + 30)
        _, err = self.seriatim("produce", "t", stdin=b"5:\n", status=4)
        self.assertIn(b"journal frame 3", err)
        self.assertIn(b"seriatim repair", err)
        out, _ = self.seriatim("repair", "--yes", status=4)
        self.assertIn(b"NOT DONE", out)
        self.seriatim("produce", "t", stdin=b"5:\n", status=4)
        report = self.repair("--yes", "--accept-loss")
        self.assertTrue(any("without frames 3 to 3" in step["what"] and step["done"] for step in report["steps"]), report)
        self.assertTrue(os.path.exists(journal + ".damaged"))
        # The kill took nothing from the page cache: the segment has the record whose frame is lost.
        self.assertEqual(self.values(), list(range(5)))
        self.produce("t", [b"5:"])
        self.assertEqual(self.values(), list(range(6)))
        self.seriatim("verify")

    def test_a_damaged_catalog_is_refused_with_what_to_do(self):
        self.fill()
        self.flip(os.path.join(self.data, "catalog", "data.mdb"), 4096 * 2 + 10)
        with open(os.path.join(self.data, "catalog", "data.mdb"), "r+b") as file:
            file.write(b"nothing" * 2000)
        _, err = self.seriatim("repair", "--yes", status=4)
        self.assertIn(b"Restore that one file", err)

    def test_a_live_writer_and_a_foreign_directory_are_refused(self):
        self.create("t")
        writer = self.start("-d", self.data, "produce", "t", "--report-acks", self.path("acks"), stdin=subprocess.PIPE)
        writer.stdin.write(b"x\n")
        writer.stdin.flush()
        while not os.path.exists(self.path("acks")):
            self.assertIsNone(writer.poll())
        self.seriatim("repair", "--yes", status=6)
        writer.communicate(timeout=60)
        self.run_command("-d", self.folder, "repair", status=3)


if __name__ == "__main__":
    main()
