"""Assignors: ours give random groups, generation after generation, what Kafka's give them."""

import collections
import os
import unittest

import kafka_env
from comparison import Scratch, scratch_directory

KAFKA = None
COORDINATOR = None
TOOLS = None
PAIRS = []
GROUPS = 2_000
# 2,000 groups from the seed 1 on are run always; from each further seed on 200.
SEEDS = [(1, GROUPS)] + [(int(word), GROUPS // 10) for word in os.environ.get("SERIATIM_TEST_SEED", "").split()]
# Which partition of a topic moves is decided in Kafka by the order of a hash set, in about 1 of 20,000 groups with different subscriptions.
OTHER_CHOICES_MAX = 10


def prepare(kafka, options):
    global KAFKA, COORDINATOR, TOOLS
    KAFKA = kafka
    TOOLS = options
    COORDINATOR = kafka_env.coordinator(options.cache)
    COORDINATOR.require()


def counts(answer):
    """member -> topic -> how many partitions"""
    found = {}
    for member in answer.split("\t"):
        name, partitions = member.split(" ")
        found[name] = collections.Counter(at.split(":")[0] for at in partitions.split(",") if at != "-")
    return found


def setUpModule():
    """Of all seeds what was asked, with what ours answer."""
    folder = scratch_directory(unittest.addModuleCleanup)
    requests, answers = folder / "requests", folder / "answers"
    for first, count in SEEDS:
        print(f"groups from the seed {first} on, {count} of them", flush=True)
        kafka_env.checked(kafka_env.run([TOOLS.group_tool, "play", first, count, requests, answers]))
        PAIRS.extend(zip(requests.read_text().splitlines(), answers.read_text().splitlines(), strict=True))


class Groups(Scratch):
    def of(self, *names):
        chosen = [pair for pair in PAIRS if pair[0].split("\t")[0] in names]
        seen = collections.Counter(request.split("\t")[0] for request, _answer in chosen)
        for name in names:
            self.assertGreater(seen[name], GROUPS)
        file = self.fresh() / "requests"
        file.write_text("".join(request + "\n" for request, _answer in chosen))
        return chosen, file

    def told(self, request, ours, theirs):
        return "\n".join(["", *request.split("\t"), f"ours:    {ours}", f"Kafka's: {theirs}"])

    def test_assignors_of_consumers_give_what_ours_give(self):
        chosen, file = self.of("range", "roundrobin", "sticky", "cooperative-sticky")
        theirs = KAFKA.lines("assign", file)
        self.assertEqual(len(theirs), len(chosen))
        others = 0
        for (request, ours), their in zip(chosen, theirs):
            if ours == their:
                continue
            others += 1
            self.assertIn(request.split("\t")[0], ("sticky", "cooperative-sticky"), self.told(request, ours, their))
            self.assertEqual(counts(ours), counts(their), self.told(request, ours, their))
        self.assertLessEqual(others, OTHER_CHOICES_MAX)

    def test_assignors_of_the_coordinator_give_what_ours_give(self):
        """Exactly, also uniform: its members and topics are handed over in the order that ours serves them in."""
        chosen, file = self.of("range", "uniform")
        theirs = kafka_env.checked(COORDINATOR.call(file))
        self.assertEqual(len(theirs), len(chosen))
        for (request, ours), their in zip(chosen, theirs):
            self.assertEqual(ours, their, self.told(request, ours, their))
