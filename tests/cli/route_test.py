#!/usr/bin/env python3
"""route: bindings that are made, shown and taken away, and messages that go by them."""

import json

from command import CommandTest, main


class Route(CommandTest):
    def bind(self, *words):
        return int(self.seriatim("route", "bind", "r", *words)[0])

    def publish(self, *words, status=0):
        out, _ = self.seriatim("route", "publish", "r", *words, status=status)
        return out.decode().splitlines()

    def targets(self, *words):
        rows = json.loads(self.seriatim("-j", "route", "test", "r", *words)[0])
        return [row["target"] for row in rows]

    def setUp(self):
        super().setUp()
        for topic in ("a", "b", "c"):
            self.create(topic)

    def test_each_kind_of_binding(self):
        self.assertEqual(self.bind("a", "--key", "k"), 1)
        self.assertEqual(self.bind("b", "--pattern", "k.#"), 2)
        self.assertEqual(self.bind("c", "-H", "h=1", "-H", "g"), 3)
        self.assertEqual(self.bind("c", "-H", "x=1", "-H", "y=1", "--any"), 4)
        self.assertEqual(self.bind("a", "--key", "k"), 1, "it is there already")
        self.assertEqual(self.publish("k", "v"), ["a:0@0", "b:0@0"])
        self.assertEqual(self.publish("q", "v", "-H", "h=1", "-H", "g=7"), ["c:0@0"])
        self.assertEqual(self.targets("q", "-H", "y=1"), ["c"])
        self.assertEqual(self.bind("b", "--fan-out"), 5)
        self.assertEqual(self.targets("nothing"), ["b"])
        self.seriatim("route", "unbind", "r", "5")
        self.seriatim("route", "test", "r", "nothing", status=3)
        self.seriatim("route", "unbind", "r", "5", status=3)

    def test_priority_and_expiry_are_headers(self):
        self.bind("a", "--key", "k", "--priority", "5=b", "--priority", "9=c")
        self.assertEqual(self.targets("k", "--priority", "8"), ["b"])
        self.assertEqual(self.publish("k", "v", "--priority", "9", "--ttl", "1h", "-k", "key"), ["c:0@0"])
        record = self.records("c")[0]
        headers = dict(record["headers"])
        self.assertEqual((record["key"], record["value"]), ("key", "v"))
        self.assertEqual((headers["seriatim.routing_key"], headers["seriatim.priority"]), ("k", "9"))
        self.assertEqual(int(headers["seriatim.expires_ms"]) - record["timestamp"] - 3_600_000 in range(-60_000, 60_000), True)

    def test_unroutable_is_an_error_or_goes_to_the_alternate(self):
        self.bind("a", "--key", "k")
        self.assertEqual(self.publish("x", "v", status=3), [])
        self.assertEqual(self.publish("x", "v", "--alternate", "c"), ["c:0@0"])
        self.seriatim("route", "publish", "r", "x", "v", "--alternate", "none", status=3)

    def test_wrong_words_are_told(self):
        for words in (["a"], ["a", "--key", "k", "--fan-out"], ["a", "--key", "k", "-H", "h=1"], ["a", "-H", "=1"], ["a", "--key", "k", "--any"],
                      ["a", "--key", "k", "--priority", "5"], ["a", "--key", "k", "--priority", "256=b"],
                      ["a", "--key", "k" * 256]):
            with self.subTest(words):
                self.seriatim("route", "bind", "r", *words, status=2)
        self.seriatim("route", "bind", "r", "none", "--fan-out", status=3)
        self.seriatim("route", "list", "r", status=3)
        self.bind("a", "--key", "k")
        _, err = self.seriatim("route", "list", "rr", status=3)
        self.assertIn(b"Did you mean r?", err)
        self.seriatim("route", "unbind", "r", "x", status=2)
        self.seriatim("route", "publish", "s", "k", "v", status=3)
        self.assertEqual(json.loads(self.seriatim("-j", "route", "list")[0])[0]["router"], "r")


if __name__ == "__main__":
    main()
