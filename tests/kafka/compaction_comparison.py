"""Our compaction against Kafka's cleaner: what both have left of the same logs, batch by batch and record by record."""

import kafka_env
from comparison import Scratch, comparable
from transaction_history import aborts


class CompactionComparison(Scratch):
    def assert_same_aborts(self, ours, theirs):
        self.assertEqual(aborts(ours), aborts(theirs), "transaction indexes: ours, then Kafka's")

    def compare_compacted(self, segment_tool, ours, theirs, cleaned_to, parted_alike):
        """Returns whether our logs had a difference that there may be (see the README). After a first pass the sizes of compressed batches
        and that difference may part the segments elsewhere: they are not `parted_alike`."""
        our, their = (segments(segment_tool, directory) for directory in (ours, theirs))
        known = [line for lines in their.values() for line in lines]
        kept = {name: [line for line in lines if line in known or not is_only_ours(line, lines, cleaned_to)] for name, lines in our.items()}
        if parted_alike:
            self.assertEqual(kept.keys(), their.keys())
            for name in kept:
                self.assert_same_lines(kept[name], their[name])
            self.assert_same_aborts(ours, theirs)
        else:
            self.assert_same_lines([line for lines in kept.values() for line in lines], known)
            self.assertEqual("".join(aborts(ours).values()), "".join(aborts(theirs).values()), "transaction indexes: ours, then Kafka's")
        return kept != our


def segments(segment_tool, directory):
    """name -> batches and records of each log."""
    found = {}
    for log in kafka_env.log_files(directory):
        lines = kafka_env.checked(kafka_env.run([segment_tool, "read", log]))
        found[log.name] = [comparable(line) for line in lines if not line.startswith('{"end"')]
    return found


def is_only_ours(line, segment, end):
    """A batch without its records that Kafka 3.9.0 leaves out: the last of what was cleaned (Kafka keeps it since KAFKA-17076), or the only one
    of a segment (Kafka leaves an empty segment)."""
    batch = line.get("batch")
    return batch is not None and batch["count"] == 0 and (batch["last_offset"] + 1 == end or segment == [line])
