#!/usr/bin/env python3
"""Breaks one rule of the engine after another, each by a patch of this folder, and demands that the test which names the
rule fails. A suite that was never red proves nothing.

Works in a copy of this checkout, build/sabotage; the checkout itself is not touched. Exits 1 if a patch survives."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "build" / "sabotage"
TREE = WORK / "tree"
BUILD = WORK / "build"

sys.path.insert(0, str(ROOT / "scripts"))
from named_tests import cases_of, files_below  # noqa: E402

# A test that takes longer has not failed: it hangs.
PATIENCE_S = 300
FIELD = re.compile(r"^(Rule|Program|Test|Crashes): (.+)$", re.MULTILINE)
SUMMARY = re.compile(r"test cases:\s+(\d+) \|\s+(\d+) passed \|\s+(\d+) failed")


@dataclass
class Sabotage:
    """A patch and what its header says."""
    path: Path
    rule: str
    program: str
    test: str
    crashes: bool

    @property
    def name(self):
        return self.path.stem


def read_patch(path):
    header = path.read_text(encoding="utf-8").split("\n--- ", 1)[0]
    fields = dict(FIELD.findall(header))
    missing = {"Rule", "Program", "Test"} - fields.keys()
    if missing:
        raise ValueError(f"{path.name}: its header has no {', '.join(sorted(missing))}")
    return Sabotage(path, fields["Rule"], fields["Program"], fields["Test"], fields.get("Crashes") == "yes")


def patches(words=()):
    chosen = [read_patch(path) for path in sorted(HERE.glob("*.patch"))]
    unknown = [word for word in words if not any(word in patch.name for patch in chosen)]
    if unknown:
        raise ValueError(f"no patch has '{unknown[0]}' in its name; --list shows them")
    return [patch for patch in chosen if not words or any(word in patch.name for word in words)]


def git_apply(patch, tree, *options):
    # Without the repository around the tree, to which paths would be relative otherwise.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(Path(tree).parent)}
    return subprocess.run(["git", "apply", *options, str(patch.path)], cwd=tree, env=environment, capture_output=True, text=True,
                          check=False)


def offences_of(patch, root=ROOT):
    """Why a patch would be of no use: it does not apply, breaks no rule by number or section, or names no test."""
    offences = []
    if not re.search(r"INV-\d+|DESIGN \d+", patch.rule):
        offences.append(f"{patch.path.name}: the rule names neither an invariant (INV-n) nor a section (DESIGN n)")
    applied = git_apply(patch, root, "--check")
    if applied.returncode != 0:
        offences.append(f"{patch.path.name}: does not apply any more: {applied.stderr.strip()}")
    folder = patch.program.removeprefix("test_")
    sources = (files_below(root / "tests" / "unit" / folder) or files_below(root / "tests" / folder) or
               sorted((root / "tests").rglob(f"{folder}_test.cpp")) or
               sorted((root / "tests").rglob(f"{folder}_*_test.cpp")))
    count = sum(cases_of(source).count(patch.test) for source in sources)
    if count != 1:
        offences.append(f"{patch.path.name}: {patch.program} has {count} tests called \"{patch.test}\"")
    return offences


def sync_tree():
    """Makes the copy like the checkout. A file that differs gets the time of now: a build tool that compares times must not
    take what was built from a broken source for up to date."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    for name in names:
        source, copy = ROOT / name, TREE / name
        if copy.is_file() and copy.read_bytes() == source.read_bytes():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        shutil.copymode(source, copy)
    for path in [path for path in TREE.rglob("*") if path.is_file()]:
        if str(path.relative_to(TREE)) not in names:
            path.unlink()


def configure():
    command = ["cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
               # Nothing is debugged here, and the tests are what takes long to compile.
               "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -D_GLIBCXX_ASSERTIONS", "-DSERIATIM_BUILD_EXAMPLES=OFF",
               "-DSERIATIM_BUILD_TOOLS=OFF"]
    if shutil.which("ccache"):
        command.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"cmake failed:\n{done.stdout}{done.stderr}")


def build(programs):
    jobs = os.environ.get("SERIATIM_JOBS", str(os.cpu_count()))
    command = ["cmake", "--build", BUILD, "--parallel", jobs, "--target", *programs]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run_test(patch):
    """'passed', 'failed', or what else happened to the test."""
    program = next(path for path in (BUILD / "tests").rglob(patch.program) if path.is_file())
    # A comma would end the name.
    name = patch.test.replace(",", "?")
    environment = dict(os.environ)
    if Path("/dev/shm").is_dir():
        environment["TMPDIR"] = "/dev/shm"
    try:
        done = subprocess.run([program, f"--test-case={name}", "--no-colors"], capture_output=True, text=True, timeout=PATIENCE_S,
                              env=environment, errors="replace", check=False)
    except subprocess.TimeoutExpired:
        return "hung"
    if done.returncode < 0 or "CRASHED" in done.stdout:
        return "crashed"
    summary = SUMMARY.search(done.stdout)
    if summary is None or int(summary.group(1)) != 1:
        return "did not run"
    return "failed" if int(summary.group(3)) == 1 and done.returncode != 0 else "passed"


def verdict_of(patch):
    """What became of the test with the rule broken; '' if that is what the patch is to show."""
    applied = git_apply(patch, TREE)
    if applied.returncode != 0:
        return f"does not apply: {applied.stderr.strip()}"
    try:
        built = build([patch.program])
        if built.returncode != 0:
            return f"does not build:\n{built.stdout[-2000:]}"
        outcome = run_test(patch)
    finally:
        sync_tree()
    if outcome == "failed" or (outcome == "crashed" and patch.crashes):
        return ""
    return f"SURVIVED: the test {outcome}" if outcome == "passed" else f"the test {outcome}"


def check_unbroken(chosen):
    """The tests pass without a patch, or their failing would show nothing."""
    sync_tree()
    configure()
    built = build(sorted({patch.program for patch in chosen}))
    if built.returncode != 0:
        raise RuntimeError(f"the tests do not build:\n{built.stdout[-4000:]}")
    broken = [patch for patch in chosen if run_test(patch) != "passed"]
    if broken:
        raise RuntimeError("these fail without a patch: " + "; ".join(f"{p.program}: {p.test}" for p in broken))


def run(chosen):
    print(f"building {len({patch.program for patch in chosen})} test programs in {WORK.relative_to(ROOT)}", flush=True)
    check_unbroken(chosen)
    verdicts = {}
    for number, patch in enumerate(chosen, 1):
        begun = time.monotonic()
        verdicts[patch.name] = verdict_of(patch)
        print(f"[{number}/{len(chosen)}] {patch.name}: {verdicts[patch.name] or 'caught'} "
              f"({time.monotonic() - begun:.0f} s)", flush=True)
    print(f"\n{'rule broken':44} {'caught by':16} test")
    for patch in chosen:
        print(f"{patch.name:44} {'NOBODY' if verdicts[patch.name] else patch.program:16} {patch.test}")
    survivors = [name for name, verdict in verdicts.items() if verdict]
    print(f"\n{len(chosen) - len(survivors)} of {len(chosen)} caught")
    return 1 if survivors else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="part of a patch's name; default: all of them")
    parser.add_argument("--list", action="store_true", help="print the patches with the rules they break")
    parser.add_argument("--check", action="store_true", help="only look whether each applies and names a test")
    arguments = parser.parse_args()
    try:
        chosen = patches(arguments.names)
        if arguments.list:
            for patch in chosen:
                print(f"{patch.name:44} {patch.rule}")
            return 0
        if arguments.check:
            offences = [offence for patch in chosen for offence in offences_of(patch)]
            print("\n".join(offences) or f"{len(chosen)} patches apply")
            return 1 if offences or not chosen else 0
        return run(chosen)
    except (ValueError, RuntimeError) as error:
        print(f"sabotage: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
