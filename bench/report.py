#!/usr/bin/env python3
"""Reads the JSON of seriatim_bench and prints each figure as a ratio to its floor of the same run, with the bar it has to meet.

Ratios, because these machines are shared and noisy: only two figures of one run can be compared. With --check, a missed bar is an error.
"""
import argparse
import json
import sys

# name, figure, floor, how the two compare, bar.
# "rate": items (or bytes) per second of the figure over the floor's, at least the bar. "time": time per item over the floor's, at most the bar;
# "p99_us": that counter over the floor's, at most the bar.
BARS = [
    ("single append, time per record over bare length + CRC + memcpy", "append_single/leader", "bare_append_single", "time", 3.0),
    ("single append, time over the same format without a log: clock, framing, lock, copy", "append_single/leader", "bare_append_batch_of_one", "time", None),
    ("batched append, bytes over memcpy + CRC into a file that grows", "append_batch", "bare_append_batch", "rate", 0.6),
    ("batched append, bytes over memcpy + CRC into pages that were there before", "append_batch", "bare_append_batch_prefaulted", "rate", None),
    ("hot replay with CRC, 100 B, bytes over CRC and walk without a log", "hot_replay/100", "bare_decode/100", "rate", None),
    ("hot replay with CRC, 100 B, bytes over bare mapped read", "hot_replay/100", "bare_mapped_read/1000", "rate", 0.6),
    ("hot replay with CRC, 1 KB, bytes over bare mapped read", "hot_replay/1000", "bare_mapped_read/1000", "rate", 0.6),
    ("journal commit, 1 producer, rate over bare pwrite + fdatasync", "journal_commit/1", "bare_commit/1", "rate", 0.9),
    ("journal commit, 1 producer, p99 over bare pwrite + fdatasync", "journal_commit/1", "bare_commit/1", "p99_us", 1.3),
    ("journal commit, 8 producers, rate over a bare group commit", "journal_commit/8", "bare_group_commit/8", "rate", 0.8),
    ("journal commit, 8 producers, rate over a bare commit thread", "journal_commit/8", "bare_commit_thread/8", "rate", 0.8),
    ("journal commit, 64 producers, rate over a bare group commit", "journal_commit/64", "bare_group_commit/64", "rate", 0.8),
    ("journal commit, 64 producers, rate over a bare commit thread", "journal_commit/64", "bare_commit_thread/64", "rate", 0.8),
    ("two groups in flight, 8 producers, rate over one, both bare", "bare_two_groups/8", "bare_group_commit/8", "rate", None),
    ("two groups in flight, 64 producers, rate over one, both bare", "bare_two_groups/64", "bare_group_commit/64", "rate", None),
    ("durable append, 1 producer, rate over bare pwrite + fdatasync", "append_durable/1", "bare_commit/1", "rate", 0.9),
    ("durable append, 1 producer, p99 over bare pwrite + fdatasync", "append_durable/1", "bare_commit/1", "p99_us", 1.3),
    ("durable append, 8 producers on 8 partitions, rate over a bare group commit", "append_durable/8", "bare_group_commit/8", "rate", 0.8),
    ("durable append, 64 producers on 64 partitions, rate over a bare group commit", "append_durable/64", "bare_group_commit/64", "rate", 0.8),
    ("64 producers, time per record on 64 partitions over one partition", "append_durable/64", "append_durable_one_partition/64", "time", 1.2),
    ("64 records waited for together, time on 64 partitions over one partition", "append_64_records_to_64/1", "append_64_records_to_1/1", "time", None),
    ("positions and records, 8 threads, rate over records alone", "positions_durable/8", "append_durable/8", "rate", 0.8),
    ("idempotent append, time over a plain one", "append_idempotent/1", "append_leader/1", "time", 1.1),
    # 500,000 a second where a single append reaches its 10,000,000: a machine that is slower at the one is slower at the other.
    ("transaction of 4 records and a position at acks = leader, time over a plain append", "transaction_at_leader/1", "append_leader/1", "time", 20.0),
    ("transaction of 4 records and a position, 1 thread, p50 over one durable append", "transaction/1", "append_durable/1", "p50_us", 1.2),
    ("the same, rate over RocksDB doing the same", "transaction/1", "rocksdb_transaction/1", "rate", 1.0),
    ("the same, rate over SQLite doing the same", "transaction/1", "sqlite_transaction/1", "rate", 1.0),
    ("transactions, 16 threads, rate over RocksDB", "transaction/16", "rocksdb_transaction/16", "rate", 2.0),
    ("transactions, 16 threads, rate over SQLite", "transaction/16", "sqlite_transaction/16", "rate", 5.0),
    ("commit of a key at acks = leader, 1,000,000 keys pending, p99 over none pending", "commit_pending_million/1", "commit_pending_none/1", "p99_us", 1.2),
    ("poll of a member of a group, time over a poll of assigned partitions", "poll_subscribed/1", "poll_assigned/1", "time", 1.1),
    ("commit of a member at acks = leader, time over one of a consumer that assigns", "commit_member/1", "commit_alone/1", "time", None),
    ("commit_async of a member at acks = leader, time over commit_sync", "commit_async/1", "commit_member/1", "time", None),
    ("relay into another topic at acks = leader, rate over the slower of replay and batched append", "relay/1", "relay_slower/1", "rate", 0.6),
    ("parallel consume by key, empty handler, rate over a plain poll loop", "parallel_per_key/1", "plain_poll/1", "rate", 0.3),
    ("durable append, 1 producer, rate over RocksDB", "append_durable/1", "rocksdb/1", "rate", 1.0),
    ("durable append, 8 producers, rate over RocksDB", "append_durable/8", "rocksdb/8", "rate", 1.5),
    ("durable append, 64 producers, rate over RocksDB", "append_durable/64", "rocksdb/64", "rate", 1.5),
    ("durable append, 1 producer, rate over SQLite", "append_durable/1", "sqlite/1", "rate", 1.0),
    ("durable append, 8 producers, rate over SQLite", "append_durable/8", "sqlite/8", "rate", 1.5),
    ("durable append, 64 producers, rate over SQLite", "append_durable/64", "sqlite/64", "rate", 1.5),
]
# Benchmarks whose contestants take turns.
IN_TURN = ("in_turn", "leader_in_turn", "pending_in_turn", "group_in_turn", "commits_in_turn", "relay_in_turn", "parallel_in_turn")
ABSOLUTE = [
    ("scans of 10 entries, 1,000,000 keys pending, per second: 50 us each", "scan_pending_million/1", 20_000),
    ("parallel consume by key, empty handler, records per second", "parallel_per_key/1", 3_000_000),
    ("single append, records per second", "append_single/leader", 10_000_000),
    ("transactions of 4 records and a position at acks = leader, per second", "transaction_leader", 500_000),
]


def plain(name):
    """The benchmark's name without what Google Benchmark appends."""
    parts = [part for part in name.split("/") if not part.startswith(("iterations:", "real_time", "manual_time", "min_time"))]
    return "/".join(parts)


def contestants(benchmark):
    """What a benchmark of IN_TURN measured side by side, as if each had been a benchmark: NAME/THREADS."""
    figures = {}
    for key, value in benchmark.items():
        name, _, what = key.partition(":")
        if what:
            figures.setdefault(f"{name}/{plain(benchmark['run_name']).split('/')[1]}", {"time_unit": "ns"})[what] = value
    for figure in figures.values():
        figure["items_per_second"] = figure["per_second"]
        figure["real_time"] = 1e9 / figure["per_second"]
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("json", help="output of seriatim_bench --benchmark_format=json")
    parser.add_argument("--check", action="store_true", help="end with 1 if a bar is missed")
    options = parser.parse_args()
    with open(options.json, encoding="utf-8") as file:
        report = json.load(file)
    figures = {}
    for benchmark in report["benchmarks"]:
        if benchmark.get("run_type") == "aggregate" and benchmark.get("aggregate_name") != "median":
            continue
        name = plain(benchmark.get("run_name", benchmark["name"]))
        if name.split("/")[0] in IN_TURN:
            figures.update(contestants(benchmark))
        else:
            figures[name] = benchmark
    missed = False
    for name, figure in sorted(figures.items()):
        rate = figure.get("items_per_second")
        size = figure.get("bytes_per_second")
        print(f"{name:<36} {figure['real_time']:>14.1f} {figure['time_unit']}"
              + (f"  {rate / 1e6:>10.3f} M/s" if rate else "") + (f"  {size / 1e9:>8.2f} GB/s" if size else ""))
    print()
    for title, name, floor, kind, bar in BARS:
        if name not in figures or floor not in figures:
            continue
        if kind in ("time", "p50_us", "p99_us"):
            field = "real_time" if kind == "time" else kind
            ratio = figures[name][field] / figures[floor][field]
            met = bar is None or ratio <= bar
            wanted = f"at most {bar}" if bar else "no bar"
        else:
            unit = "bytes_per_second" if "bytes_per_second" in figures[floor] else "items_per_second"
            ratio = figures[name][unit] / figures[floor][unit]
            met = bar is None or ratio >= bar
            wanted = f"at least {bar}" if bar else "no bar"
        missed |= not met
        print(f"{'ok    ' if met else 'MISSED'} {ratio:6.2f}  ({wanted})  {title}")
    for title, name, bar in ABSOLUTE:
        if name not in figures:
            continue
        rate = figures[name]["items_per_second"]
        met = rate >= bar
        missed |= not met
        print(f"{'ok    ' if met else 'MISSED'} {rate / 1e6:6.2f} M/s  (at least {bar / 1e6:g})  {title}")
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
