#!/usr/bin/env python3
"""Output: always valid JSON, results on stdout only, and every way in which stdout can fail."""

import base64
import json
import os
import subprocess

from command import COMMAND, CommandTest, main

LISTINGS = (["topic", "list"], ["topic", "describe", "t"], ["status"], ["du"], ["du", "--by", "file"], ["du", "--by", "topic"], ["count", "t"],
            ["verify"], ["repair"], ["dump", "t:0", "--records", "--index"], ["get", "t:0@0"])


class OutputForms(CommandTest):
    def test_json_is_valid_for_any_bytes(self):
        self.create("t")
        fields = (None, b"", b"plain", b"quote\" back\\slash", b"\x00\x01\x1f\x7f", b"\xff\xfe", b"\xc3\xa9", b"\xed\xa0\x80", "\u2028".encode())
        lines = []
        for key in fields:
            for value in fields:
                record = {}
                for name, content in (("key", key), ("value", value)):
                    record[name if content is None else name + "_b64"] = None if content is None else base64.b64encode(content).decode()
                lines.append(json.dumps(record).encode())
        self.produce("t", lines, "-J")
        shown = self.records("t")
        expected = [(key, value) for key in fields for value in fields]
        self.assertEqual([(self.bytes_of(r, "key"), self.bytes_of(r, "value")) for r in shown], expected)

    def bytes_of(self, record, name):
        self.assertNotEqual(name in record, name + "_b64" in record)
        if name + "_b64" in record:
            content = base64.b64decode(record[name + "_b64"], validate=True)
            with self.assertRaises(UnicodeDecodeError, msg="text must go as text"):
                content.decode("utf-8")
            return content
        return None if record[name] is None else record[name].encode()

    def test_what_goes_out_comes_back_the_same(self):
        self.create("t", 3)
        lines = [b'{"key":"k%d","value_b64":"%s","timestamp":%d,"headers":[["a","1"],["a",null]]}' % (i, base64.b64encode(os.urandom(i)), i)
                 for i in range(50)]
        lines.append(b'{"value":null,"headers_b64":[["/w==","AA=="]]}')
        self.produce("t", lines, "-J")
        out, _ = self.seriatim("consume", "t", "-e", "-J")
        copy = self.path("copy")
        self.run_command("-d", copy, "topic", "create", "t", "-p", "3")
        self.run_command("-d", copy, "produce", "t", "-J", stdin=out)
        again, _ = self.run_command("-d", copy, "consume", "t", "-e", "-J")
        self.assertEqual(sorted(out.splitlines()), sorted(again.splitlines()))

    def test_null_and_empty(self):
        self.create("t")
        self.produce("t", [b":", b"k:", b":v"], "-K:", "-Z")
        self.assertEqual([(r["key"], r["value"]) for r in self.records("t")], [(None, None), ("k", None), (None, "v")])
        out, _ = self.seriatim("consume", "t", "-e", "-Z", "-K:")
        self.assertEqual(out, b"NULL:NULL\nk:NULL\nNULL:v\n")

    def test_every_listing_is_json_on_request(self):
        self.create("t", 2)
        self.produce("t", [b"a", b"b"], "-p", "0")
        for words in LISTINGS:
            with self.subTest(words):
                json.loads(self.seriatim(*words, "--output", "json")[0])
                json.loads(self.seriatim("-j", *words)[0])
                for line in self.seriatim(*words, "--output", "jsonl")[0].splitlines():
                    json.loads(line)

    def test_json_is_valid_whatever_the_names_are(self):
        odd = os.fsdecode(b"\xff\"\n")
        self.data = self.path("data" + odd)
        self.create("t")
        self.seriatim("produce", "t", "--transactional-id", odd, stdin=b"v\n")
        self.seriatim("consume", "t", "-g", odd, "--commit", "-e")
        self.seriatim("half", "prepare", odd, "t", odd, "-k", odd)
        self.seriatim("route", "bind", odd, "t", "-H", odd + "=" + odd)
        self.seriatim("produce", "t", "-H", odd + "=" + odd, "-k", odd, stdin=b"\xfe\n")
        listings = [*LISTINGS, ["txn", "list"], ["txn", "describe", odd], ["producer", "list"], ["producer", "describe", "t:0"], ["state", "list"],
                    ["half", "list"], ["route", "list"], ["group", "list"], ["group", "describe", odd], ["group", "lag", odd], ["group", "lag", odd, odd],
                     ["group", "export"], ["group", "reset", odd, "--to-earliest", "-q"], ["consume", "t", "-e"], ["tail", "t", "-e"]]
        journal = os.path.join(self.data, "journal")
        listings += [["dump", os.path.join(journal, name), "--records"] for name in os.listdir(journal) if name.endswith(".journal")]
        for words in listings:
            lines = words[0] in ("consume", "tail")
            for form in (["-J"],) if lines else (["-j"], ["--output", "jsonl"]):
                with self.subTest(words=words, form=form):
                    out, err = self.seriatim(*words, *form)
                    for text in [out.decode("utf-8")] if form == ["-j"] else out.decode("utf-8").splitlines():
                        json.loads(text)
                    self.assertEqual(err, b"")
        rows = json.loads(self.seriatim("-j", "txn", "list")[0])
        self.assertIn(base64.b64encode(os.fsencode(odd)).decode(), [row.get("transactional_id_b64") for row in rows])
        os.remove(os.path.join(self.data, "log", "t-0", "00000000000000000000.index"))
        report = json.loads(self.run_command("-d", self.data, "-j", "verify", status=5)[0])
        self.assertEqual(len(report["findings"]), 1)

    def test_tsv_has_a_header_and_as_many_cells_in_each_row(self):
        self.create("t", 2)
        for words in (["topic", "list"], ["du"], ["count", "t"]):
            rows = [line.split(b"\t") for line in self.seriatim(*words, "--output", "tsv")[0].splitlines()]
            self.assertGreater(len(rows), 1)
            self.assertEqual({len(row) for row in rows}, {len(rows[0])})

    def test_notes_go_to_stderr_and_quiet_silences_them(self):
        out, err = self.seriatim("topic", "create", "t")
        self.assertEqual(out, b"")
        self.assertIn(b"created topic t", err)
        out, err = self.seriatim("-q", "produce", "t", stdin=b"x\n")
        self.assertEqual((out, err), (b"", b""))

    def test_quiet_silences_the_plan_of_what_is_agreed_to(self):
        self.create("t")
        self.produce("t", [b"a", b"b"])
        self.assertIn(b"takes away", self.run_command("-q", "-d", self.data, "topic", "trim", "t", "--before", "1", "--dry-run")[1])
        self.assertEqual(self.run_command("-q", "-d", self.data, "topic", "trim", "t", "--before", "1", "--yes")[1], b"")
        self.assertEqual(self.run_command("-q", "-d", self.data, "topic", "delete", "t", "--yes")[1], b"")
        self.create("t")
        self.assertIn(b"deletes topic t", self.seriatim("topic", "delete", "t", "--yes")[1])

    def test_a_full_device_is_an_error(self):
        self.create("t")
        self.produce("t", [b"x"])
        for words in (["consume", "t", "-e"], ["topic", "list"], ["--help"], ["verify"], ["get", "t:0@0"]):
            with self.subTest(words), open("/dev/full", "wb") as full:
                process = self.start("-d", self.data, *words, stdout=full)
                _, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 1)
                self.assertIn(b"standard output", err)

    def test_a_reader_that_has_seen_enough_is_no_error(self):
        self.create("t")
        self.produce("t", [b"x" * 1000 for _ in range(5000)])
        process = self.start("-d", self.data, "consume", "t", "-e")
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        self.assertEqual((process.wait(60), err), (0, b""))

    def test_closed_descriptors_do_no_harm(self):
        self.create("t")
        self.produce("t", [b"x"])
        for closing in (">&-", "<&-", "2>&-", ">&- 2>&- <&-"):
            with self.subTest(closing):
                script = f'"{COMMAND}" -d "{self.data}" consume t -e {closing}; "{COMMAND}" -d "{self.data}" topic create u --if-not-exists {closing}'
                done = subprocess.run(["sh", "-c", script], capture_output=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
        self.seriatim("verify")
        self.assertEqual([r["value"] for r in self.records("t")], ["x"])

    def test_completion_scripts_are_valid_for_their_shell(self):
        for shell, check in (("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])):
            out, _ = self.run_command("completion", shell)
            self.assertIn(b"partitions", out)
            script = self.path("script")
            with open(script, "wb") as file:
                file.write(out)
            if subprocess.run(["which", shell], capture_output=True, check=False).returncode == 0:
                subprocess.run([*check, script], check=True, timeout=60)

    def test_bash_completion_offers_what_fits(self):
        out, _ = self.run_command("completion", "bash")
        def offered(*words):
            script = out.decode() + 'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _seriatim; printf "%s\\n" "${COMPREPLY[@]}"'
            done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True, timeout=60, cwd=self.folder)
            return done.stdout.split()
        self.assertIn("create", offered("seriatim", "topic", "cr"))
        self.assertIn("--partitions", offered("seriatim", "-d", "x", "topic", "create", "t", "--par"))
        self.assertEqual(offered("seriatim", "produce", "t", "--acks", "l"), ["leader"])
        self.assertIn("tsv", offered("seriatim", "--output", ""))
        self.assertEqual(offered("seriatim", "group", "delete-"), ["delete-offsets"])
        self.assertIn("--to-earliest", offered("seriatim", "group", "reset", "g", "--to-"))

    def test_every_command_has_help_with_an_example(self):
        out, _ = self.run_command("--help")
        for name in ("topic", "produce", "consume", "tail", "get", "count", "status", "du", "group", "dump", "verify", "repair", "perf", "completion"):
            self.assertIn(name.encode(), out)
            words = {"topic": ["topic", "create"], "group": ["group", "reset"], "perf": ["perf", "produce"]}.get(name, [name])
            help_text, _ = self.run_command(*words, "--help")
            self.assertRegex(help_text, rb"Examples?:\n", name)
        out, _ = self.run_command("--version")
        self.assertRegex(out, rb"^seriatim \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    main()
