#!/usr/bin/env python3
"""work: a command for each record of a topic, and what becomes of the record by how it ends."""

import json
import os
import re
import signal
import subprocess

from command import CommandTest, main

DONE = re.compile(rb"(\d+) accepted, (\d+) released, (\d+) rejected(?:, (\d+) too late)?\n\Z")


class Work(CommandTest):
    def words(self, *options, script=None, command=None, topic="t", group="g"):
        return ["-d", self.data, "work", topic, "--group", group, *options, "--", *(command or ["sh", "-c", script])]

    def work(self, *options, status=0, **how):
        """Works until the queue is empty; returns what the commands printed, and (accepted, released, rejected)."""
        out, err = self.run_command(*self.words("--exit-when-empty", *options, **how), status=status)
        return out, self.counts(err)

    def counts(self, err):
        found = DONE.search(err)
        self.assertIsNotNone(found, err)
        return tuple(int(number) for number in found.groups()[:3])

    def start_work(self, *options, **how):
        process = self.start(*self.words(*options, **how))
        for stream in (process.stdout, process.stderr):
            self.addCleanup(stream.close)
        return process

    def offsets(self, group="g"):
        """{(topic, partition): (start, end, lag)}"""
        rows = json.loads(self.seriatim("share", "offsets", group, "-j")[0])
        return {(row["topic"], row["partition"]): (row["start"], row["end"], row["lag"]) for row in rows}

    def fill(self, count=3, partitions=1, topic="t"):
        self.create(topic, partitions)
        self.produce(topic, [b"v%d" % i for i in range(count)])

    def wait_for_line(self, process, text):
        """Reads standard error up to the line with `text`; returns all of it."""
        read = b""
        while text not in read:
            line = process.stderr.readline()
            self.assertTrue(line, f"{text!r} never came: {read!r}")
            read += line
        return read

    # the answer for a record

    def test_exit_status_0_accepts_and_the_record_never_comes_again(self):
        self.fill()
        out, counts = self.work(script="cat; echo")
        self.assertEqual((out, counts), (b"v0\nv1\nv2\n", (3, 0, 0)))
        self.assertEqual(self.offsets(), {("t", 0): (3, 3, 0)})
        self.assertEqual(self.work(script="cat; echo"), (b"", (0, 0, 0)))
        self.produce("t", [b"new"])
        self.assertEqual(self.work(script="cat; echo"), (b"new\n", (1, 0, 0)))
        self.assertEqual(self.work(group="other", command=["true"])[1], (4, 0, 0))
        self.assertIn(b"clean:", self.seriatim("verify")[0])

    def test_exit_status_100_rejects_and_the_record_is_a_dead_letter(self):
        self.fill()
        _, counts = self.work("--dead-letters", "dead", script='test "$SERIATIM_OFFSET" != 1 || exit 100')
        self.assertEqual(counts, (2, 0, 1))
        letter, = self.records("dead")
        self.assertEqual((letter["key"], letter["value"]), (None, "v1"))
        headers = json.dumps(letter["headers"])
        for value in ("__dlq.errors.topic", "__dlq.errors.offset", "Offset rejected by client."):
            self.assertIn(value, headers)
        self.assertEqual(self.work(command=["false"])[1], (0, 0, 0))

    def test_any_other_end_releases_until_the_record_has_been_delivered_as_often_as_allowed(self):
        self.fill(1)
        for number, (script, told) in enumerate((("exit 1", "exit status 1"), ("exit 255", "exit status 255"),
                                                 ("kill -KILL $$", "signal 9 (Killed)"))):
            group = f"g{number}"
            _, err = self.run_command(*self.words("--exit-when-empty", "--deliveries", "3", "--dead-letters", f"dead{number}",
                                                  script=f'echo "$SERIATIM_DELIVERY_COUNT" >> {group}; {script}', group=group))
            self.assertEqual(self.counts(err), (0, 3, 0))
            self.assertIn(f"released t-0@0, delivery 3 of 3: {told}; it is not delivered again\n".encode(), err)
            with open(self.path(group), "rb") as file:
                self.assertEqual(file.read(), b"1\n2\n3\n")
            self.assertEqual([r["value"] for r in self.records(f"dead{number}")], ["v0"])
            self.assertEqual(self.offsets(group), {("t", 0): (1, 1, 0)})

    def test_a_record_that_waits_for_its_next_delivery_keeps_the_work_going(self):
        self.fill(2)
        out, counts = self.work("--backoff", "300ms", script='test -e failed || { touch failed; exit 1; }; echo "$SERIATIM_OFFSET x$SERIATIM_DELIVERY_COUNT"')
        self.assertEqual((out, counts), (b"1 x1\n0 x2\n", (2, 1, 0)), "others go on meanwhile")

    def test_a_command_that_reads_nothing_is_no_failure(self):
        self.create("t")
        self.produce("t", [b"x" * 900_000] * 3)
        self.assertEqual(self.work(command=["true"])[1], (3, 0, 0))

    def test_a_parent_that_ignores_its_children_does_not_make_failures_look_like_success(self):
        self.fill(1)
        process = self.start(*self.words("--exit-when-empty", "--deliveries", "2", command=["false"]),
                             preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        _, err = process.communicate(timeout=100)
        self.assertEqual(self.counts(err), (0, 2, 0))

    # what a command gets

    def test_the_environment_tells_where_the_record_is_from(self):
        self.create("t", 2)
        self.produce("t", [b"user-1:v"], "-K:", "-p", "1")
        show = 'echo "$SERIATIM_TOPIC $SERIATIM_PARTITION $SERIATIM_OFFSET ${SERIATIM_KEY-none} ${SERIATIM_KEY_B64-none} $SERIATIM_DELIVERY_COUNT"'
        self.assertEqual(self.work(script=show)[0], b"t 1 0 user-1 none 1\n")
        self.produce("t", [b"v"], "-p", "0")
        self.assertEqual(self.work(script=show)[0], b"t 0 0 none none 1\n")
        self.produce("t", [b'{"key_b64":"AP8=","value":"v"}'], "-J", "-p", "0")
        self.assertEqual(self.work(script=show)[0], b"t 0 1 none AP8= 1\n")

    def test_a_command_has_the_standard_descriptors_and_no_other(self):
        self.fill(1)
        self.assertEqual(self.work(command=["ls", "/proc/self/fd"])[0].split(), [b"0", b"1", b"2", b"3"], "3 is the folder that ls reads")

    def test_the_words_of_the_command_are_not_ours(self):
        self.fill(1)
        out, _ = self.work(command=["printf", "%s|", "[a,b]", "-q", "--help", "", "--", "x y"])
        self.assertEqual(out, b"[a,b]|-q|--help||--|x y|")

    # jobs and locks

    def test_jobs_run_at_the_same_time(self):
        self.fill(8, partitions=1)
        os.mkdir(self.path("here"))
        # Each waits until four are there, or have been.
        script = 'touch "here/$SERIATIM_OFFSET"; while [ "$(ls here | wc -l)" -lt 4 ]; do sleep 0.01; done'
        self.assertEqual(self.work("--jobs", "4", script=script)[1], (8, 0, 0))
        self.assertEqual(self.offsets(), {("t", 0): (8, 8, 0)})

    def test_every_record_is_done_by_one_job(self):
        self.create("t", 3)
        self.produce("t", [b"%d" % i for i in range(60)])
        out, counts = self.work("--jobs", "8", script='echo "$(cat)"')
        self.assertEqual(counts, (60, 0, 0))
        self.assertEqual(sorted(int(line) for line in out.split()), list(range(60)))

    def test_the_lock_is_renewed_while_the_command_runs(self):
        self.fill(1)
        out, counts = self.work("--lock", "1500ms", "--jobs", "2", script='echo "x$SERIATIM_DELIVERY_COUNT"; sleep 4')
        self.assertEqual((out, counts), (b"x1\n", (1, 0, 0)), "nobody else has got the record")

    def test_an_answer_that_comes_when_the_lock_has_run_out_does_not_count(self):
        self.fill(1)
        process = self.start_work("--exit-when-empty", "--lock", "200ms", "--deliveries", "1000",
                                  script='echo "x$SERIATIM_DELIVERY_COUNT"; while [ ! -e go ]; do sleep 0.01; done')
        self.assertEqual(process.stdout.readline(), b"x1\n")
        process.send_signal(signal.SIGSTOP)
        subprocess.run(["sleep", "0.5"], check=True)  # longer than the lock
        process.send_signal(signal.SIGCONT)
        said = self.wait_for_line(process, b"its lock is not renewed")
        with open(self.path("go"), "wb"):
            pass
        out, err = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 0)
        self.assertIn(b"too late t-0@0, delivery 1 of 1000: exit status 0\n", said + err)
        self.assertEqual(self.counts(err)[0], 1)
        self.assertIn(b"x2\n", out)

    def test_a_group_that_renews_nothing_lets_a_short_command_work(self):
        self.fill(2)
        self.seriatim("share", "config", "g", "share.renew.acknowledge.enable=false")
        self.assertEqual(self.work(command=["true"])[1], (2, 0, 0))

    # the end

    def test_an_interrupt_lets_the_running_command_end_and_starts_no_other(self):
        self.fill(3)
        process = self.start_work(script="echo here; while [ ! -e go ]; do sleep 0.01; done")
        self.assertEqual(process.stdout.readline(), b"here\n")
        process.send_signal(signal.SIGINT)
        self.wait_for_line(process, b"stopping when the commands that run have ended")
        with open(self.path("go"), "wb"):
            pass
        out, err = process.communicate(timeout=100)
        self.assertEqual((process.returncode, out, self.counts(err)), (130, b"", (1, 0, 0)))
        self.assertEqual(self.offsets(), {("t", 0): (1, 3, 2)})

    def test_a_second_signal_ends_the_command_and_a_third_kills_it(self):
        self.fill(1)
        for number, (script, told) in enumerate((("exec tail -f /dev/null", b"signal 15 (Terminated)"),
                                                 ("trap '' TERM; echo; while :; do sleep 0.01; done", b"signal 9 (Killed)"))):
            process = self.start_work(script=f"echo here; {script}", group=f"g{number}")
            self.assertEqual(process.stdout.readline(), b"here\n")
            if number == 1:
                self.assertEqual(process.stdout.readline(), b"\n", "the trap is set")
            process.send_signal(signal.SIGTERM)
            self.wait_for_line(process, b"a second signal ends them")
            process.send_signal(signal.SIGTERM)
            said = self.wait_for_line(process, b"a third signal kills them")
            if number == 1:
                process.send_signal(signal.SIGTERM)
            err = said + process.stderr.read()
            self.assertEqual(process.wait(100), 143)
            self.assertIn(b"released t-0@0, delivery 1 of 5: " + told, err)
            self.assertEqual(self.counts(err), (0, 1, 0))

    def test_a_work_that_waits_for_records_ends_when_it_is_interrupted(self):
        self.fill(1)
        process = self.start_work(script="echo done")
        self.assertEqual(process.stdout.readline(), b"done\n")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=100)
        self.assertEqual((process.returncode, self.counts(err)), (130, (1, 0, 0)))

    def test_a_killed_work_loses_no_record_and_no_count(self):
        self.fill(2)
        process = self.start_work(script="echo here; exec tail -f /dev/null")
        self.assertEqual(process.stdout.readline(), b"here\n")
        process.kill()
        process.wait(60)
        out, counts = self.work(script='echo "$SERIATIM_OFFSET x$SERIATIM_DELIVERY_COUNT"')
        self.assertEqual((sorted(out.splitlines()), counts), ([b"0 x2", b"1 x1"], (2, 0, 0)))

    # forms and failures

    def test_a_command_that_cannot_be_run_costs_no_delivery(self):
        self.fill(1)
        with open(self.path("plain"), "wb"):
            pass
        for command in ("no-such-command", "./plain", "./no/such"):
            _, err = self.run_command(*self.words(command=[command]), status=3)
            self.assertIn(b"the command " + command.encode(), err)
        self.assertEqual(self.work(script="echo x$SERIATIM_DELIVERY_COUNT")[0], b"x1\n")

    def test_a_command_that_goes_away_stops_the_work_at_once(self):
        self.fill(5)
        with open(self.path("once"), "wb") as file:
            file.write(b"#!/bin/sh\nrm once\n")
        os.chmod(self.path("once"), 0o755)
        _, err = self.run_command(*self.words("--exit-when-empty", command=["./once"]), status=3)
        self.assertRegex(err, rb"error NOT_FOUND: t-0@1: the command \./once cannot be started")
        self.assertIn(b"1 accepted, 0 released, 0 rejected\n", err)
        out, _ = self.work(script='echo "$SERIATIM_OFFSET x$SERIATIM_DELIVERY_COUNT"')
        self.assertEqual(out.splitlines(), [b"1 x2", b"2 x1", b"3 x1", b"4 x1"])

    def test_letters_that_cannot_be_written_stop_the_work_and_lose_nothing(self):
        self.fill(1)
        _, err = self.run_command(*self.words("--exit-when-empty", "--dead-letters", "no such topic", script="exit 100"), status=2)
        self.assertIn(b"no such topic", err)
        self.assertEqual(self.work("--dead-letters", "dead", script="exit 100")[1], (0, 0, 1))
        self.assertEqual([r["value"] for r in self.records("dead")], ["v0"])

    def test_settings_are_set_only_where_they_are_given(self):
        self.fill(1)
        self.seriatim("share", "config", "g", "share.delivery.count.limit=7")
        self.work("--lock", "2m", "--backoff", "5m", command=["true"])
        rows = {row["name"]: row["value"] for row in json.loads(self.seriatim("share", "config", "g", "-j")[0])}
        self.assertEqual((rows["share.delivery.count.limit"], rows["share.record.lock.duration.ms"]), ("7", "120000"))
        self.assertEqual((rows["share.retry.backoff.ms"], rows["share.retry.backoff.max.ms"]), ("300000", "300000"))
        for options in (["--lock", "0"], ["--lock", "soon"], ["--backoff", "soon"], ["--deliveries", "0"], ["--jobs", "0"]):
            self.run_command(*self.words(*options, command=["true"]), status=2)

    def test_what_is_missing_or_wrong_is_told(self):
        self.fill(1, topic="orders")
        for words, status, text in ((["work", "orders", "--", "true"], 2, b"--group GROUP"),
                                    (["work", "orders", "--group", "g"], 2, b"stands behind --"),
                                    (["work", "orders", "--group", "g", "true"], 2, b"stands behind --"),
                                    (["work", "ordres", "--group", "g", "--", "true"], 3, b"Did you mean orders?")):
            _, err = self.seriatim(*words, status=status)
            self.assertIn(text, err)
        self.seriatim("consume", "orders", "-g", "billing", "-e")
        _, err = self.seriatim("work", "orders", "--group", "billing", "--lock", "1m", "--", "true", status=3)
        self.assertIn(b"billing is a consumer group", err)
        _, err = self.seriatim("work", "orders", "--group", "billing", "--", "true", status=3)
        self.assertIn(b"seriatim group describe billing", err)

    def test_beside_a_writer_it_says_who_has_the_directory_and_what_to_do(self):
        self.fill(1)
        holder = self.start("-d", self.data, "produce", "t", stdin=subprocess.PIPE)
        for stream in (holder.stdout, holder.stderr):
            self.addCleanup(stream.close)
        holder.stdin.write(b"x\n")
        holder.stdin.flush()
        while len(self.records("t")) < 2:
            self.assertIsNone(holder.poll())
        _, err = self.run_command(*self.words(command=["true"]), status=6)
        self.assertIn(b"%d" % holder.pid, err)
        self.assertIn(b"Engine::share_consumer", err)
        holder.stdin.close()
        self.assertEqual(holder.wait(60), 0)

    def test_the_summary_has_the_forms_of_other_commands(self):
        self.fill(2)
        out, err = self.run_command("-j", *self.words("--exit-when-empty", command=["true"]))
        self.assertEqual((json.loads(out), err), ({"accepted": 2, "released": 0, "rejected": 0, "too_late": 0}, b""))
        self.produce("t", [b"x"])
        self.assertEqual(self.run_command("-q", *self.words("--exit-when-empty", "--deliveries", "1", command=["false"])), (b"", b""))


if __name__ == "__main__":
    main()
