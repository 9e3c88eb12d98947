"""Data directories with transactions in them: a play of the transaction tool, from a seed, in the states it leaves."""

import json
import os
import pathlib
import random
import shutil

import kafka_env
from comparison import snapshot_entries

# One more seed per run may be given; those here are run always.
SEEDS = [1, 2, 3] + [int(word) for word in os.environ.get("SERIATIM_TEST_SEED", "").split()]
STEPS = 400
PARTITIONS = [("ledger", 0), ("orders", 0), ("orders", 1)]


class History:
    """A play of one seed. `closed`: the engine was closed, which aborts what is open. `running`: a copy from before, with open transactions,
    one of them far behind the end. `reopened`: the engine has been opened and closed on such a copy, as after its death. `compacted`: as
    `closed`, and compacted by an engine. `trimmed`: as `closed`, and the first half was deleted. `grown`: compacted
    as well, then played on and compacted again; `growing` is a copy from before its close."""

    def __init__(self, tool, folder, seed):
        self.tool = tool
        self.folder = folder
        self.seed = seed
        self.random = random.Random(seed)
        self.config = [f"segment.bytes={self.random.randrange(4_000, 10_000)}", f"index.interval.bytes={self.random.choice([0, 600, 4096])}"]
        print(f"seed {seed}: {' '.join(self.config)}", flush=True)
        folder.mkdir()
        self.played = json.loads(tool("play", folder / "closed", folder / "running", seed, STEPS, "retention.ms=-1", *self.config)[0])
        shutil.copytree(folder / "running", folder / "reopened")
        tool("reopen", folder / "reopened")
        for state, command in (("compacted", "compact"), ("trimmed", "trim")):
            shutil.copytree(folder / "closed", folder / state)
            tool(command, folder / state)
        shutil.copytree(folder / "closed", folder / "grown")
        tool("grow", folder / "grown", folder / "growing", seed + 1_000_000, STEPS // 2)


class Place:
    """A partition of a history in one of its states. No test changes it: there are `logs` to work with."""

    def __init__(self, history, state, topic, number):
        self.history = history
        self.config = history.config
        self.name = {"seed": history.seed, "state": state, "partition": f"{topic}-{number}"}
        self._directory, self._topic, self._number = history.folder / state, topic, number
        self.path = self._directory / "log" / f"{topic}-{number}"

        self.log_start = json.loads(self.view()[0])["log_start_offset"]

    def view(self, *starts):
        """What our readers see of it from each offset on."""
        return self.history.tool("view", self._directory, self._topic, self._number, *starts)

    def starts(self):
        """Offsets to read from: the ends, what is beside them, and some between."""
        ends = json.loads(self.view()[0])
        stable, end = ends["last_stable_offset"], ends["log_end_offset"]
        between = (self.history.random.randrange(self.log_start, end) for _ in range(6))
        return sorted({self.log_start, stable - 1, stable, min(stable + 1, end), end, *between})

    def logs(self, folder):
        """A copy of its .log files, as they are handed to Kafka. Alone, unless some were deleted: then a snapshot tells of what they held."""
        copy = kafka_env.copy_logs(self.path, folder / self.path.name)
        if self.log_start > 0:
            shutil.copy(self.path / kafka_env.log_files(copy)[0].with_suffix(".snapshot").name, copy)
        return copy


def places(histories, *states):
    return [Place(history, state, *at) for history in histories for state in states for at in PARTITIONS]


ABORT_BYTES = 34
SEAL_BYTES = 28


def aborts(directory):
    """The entries of the transaction index of each segment, as hex. No file is the same as an empty one, and what
    stands behind the entries is ours."""
    found = {}
    for log in kafka_env.log_files(directory):
        index = pathlib.Path(log).with_suffix(".txnindex")
        entries = index.read_bytes() if index.exists() else b""
        if len(entries) % ABORT_BYTES == SEAL_BYTES:
            entries = entries[:-SEAL_BYTES]
        found[index.name] = entries.hex(" ", ABORT_BYTES)
    return found


def snapshots(directory):
    """offset -> the producers that the snapshot tells of."""
    return {int(file.stem): snapshot_entries(file.read_bytes()) for file in pathlib.Path(directory).glob("*.snapshot")}
