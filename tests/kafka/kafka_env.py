"""Fetches Kafka's jars, compiles the oracle, and runs it and our own programs. Standard library only."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

SOURCES = pathlib.Path(__file__).resolve().parent
# A JVM that lives for half a second is fastest with the first compiler tier only.
JAVA_FLAGS = ["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


class ToolMissing(Exception):
    """java, javac or mvn is not on this machine."""


class SetupFailed(Exception):
    """The tools are there, but the oracle could not be made with them."""


def run(command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)


def digest(files):
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()[:16]


class Kafka:
    """Kafka's classes behind a program of ours, built once into a cache folder. The program is tests/kafka/oracle if nothing else is said."""

    def __init__(self, cache, pom="pom.xml", sources=("oracle/*.java",), main="Oracle", variable="SERIATIM_KAFKA_JARS"):
        self.cache = pathlib.Path(cache)
        self.pom = SOURCES / pom
        self.main = main
        self.java_files = sorted(file for pattern in sources for file in SOURCES.glob(pattern))
        self.variable = variable
        given = os.environ.get(variable)
        self.jars_are_given = bool(given)
        self.jars = pathlib.Path(given) if given else self.cache / f"jars-{digest([self.pom])}"
        self.classes = self.cache / f"classes-{digest(self.java_files + [self.pom])}"

    def set_up(self):
        """Makes everything that is missing. Whole folders appear by rename, so that a killed run leaves nothing half done."""
        self.cache.mkdir(parents=True, exist_ok=True)
        if not list(self.jars.glob("kafka-clients-*.jar")):
            self._fetch()
        if not self.classes.is_dir():
            self._compile()

    def is_set_up(self):
        return self.classes.is_dir() and bool(list(self.jars.glob("kafka-clients-*.jar")))

    def require(self):
        """For the tests after setup: says which of the two it is when there is no oracle."""
        need("java")
        if not self.is_set_up():
            need("javac")
            need("mvn")
            raise SetupFailed(f"no oracle under {self.cache}: run the test kafka.setup first")

    def _fetch(self):
        if self.jars_are_given:
            raise SetupFailed(f"{self.variable}={self.jars} has no kafka-clients-*.jar: point it at a folder with the jars of {self.pom}")
        need("mvn")
        with tempfile.TemporaryDirectory(dir=self.cache) as scratch:
            target = pathlib.Path(scratch) / "jars"
            done = run(["mvn", "-B", "-q", "-f", self.pom, "dependency:copy-dependencies", "-DincludeScope=runtime",
                        f"-DoutputDirectory={target}"])
            if done.returncode != 0 or not list(target.glob("kafka-clients-*.jar")):
                raise SetupFailed(f"mvn could not fetch the jars of {self.pom}. Without a network, set {self.variable} to a folder "
                                  f"that has them, or leave these tests out with ctest -LE kafka.\n{done.stdout}{done.stderr}")
            shutil.rmtree(self.jars, ignore_errors=True)
            target.rename(self.jars)

    def _compile(self):
        need("javac")
        with tempfile.TemporaryDirectory(dir=self.cache) as scratch:
            target = pathlib.Path(scratch) / "classes"
            done = run(["javac", "-Werror", "-Xlint:all,-serial,-classfile,-path", "-d", target, "-cp", f"{self.jars}/*", *self.java_files])
            if done.returncode != 0:
                raise SetupFailed(f"javac refused {self.main}.java and what is with it in tests/kafka:\n{done.stdout}{done.stderr}")
            target.rename(self.classes)

    def call(self, *arguments, **options):
        return run(["java", *JAVA_FLAGS, "-cp", f"{self.classes}:{self.jars}/*", self.main, *arguments], **options)

    def lines(self, *arguments, code=0):
        """The JSON lines of a command that must end with `code`."""
        return checked(self.call(*arguments), code)

    def read_each(self, files):
        """What Kafka's reader finds in each of several sound files, from one run."""
        found, current = [], []
        for line in self.lines("read", *files):
            current.append(line)
            if line.startswith('{"end"'):
                found.append(current)
                current = []
        return found

    def each(self, commands):
        """The JSON lines of every command, from one run."""
        script = "".join("\t".join(map(str, command)) + "\n" for command in commands)
        found, current = [], []
        for line in checked(self.call("each", input=script)):
            if line.startswith('{"exit_code"'):
                found.append(current)
                current = []
            else:
                current.append(line)
        return found

    def answer(self, *arguments):
        """The one JSON object of a command that prints one."""
        return json.loads(self.lines(*arguments)[0])


def coordinator(cache):
    """Kafka's group coordinator, of a later version: its jars have a class path of their own."""
    return Kafka(cache, pom="coordinator/pom.xml", sources=("coordinator/*.java", "oracle/GroupRequest.java"), main="Coordinator",
                 variable="SERIATIM_KAFKA_COORDINATOR_JARS")


def checked(done, code=0):
    if done.returncode != code:
        raise AssertionError(f"{' '.join(map(str, done.args[-6:]))} ended with {done.returncode} instead of {code}\n"
                             f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout.splitlines()


def need(tool):
    if shutil.which(tool) is None:
        raise ToolMissing(f"{tool} is not installed (Debian: openjdk-17-jdk-headless, maven)")


def batches(lines):
    return [parsed["batch"] for parsed in map(json.loads, lines) if "batch" in parsed]


def records(lines):
    return [line for line in lines if line.startswith('{"record"')]


def log_files(directory):
    return sorted(pathlib.Path(directory).glob("*.log"))


def copy_logs(source, target):
    """A partition directory with nothing but the .log files, as they are handed to Kafka."""
    target.mkdir(parents=True)
    for file in log_files(source):
        shutil.copy(file, target)
    return target
