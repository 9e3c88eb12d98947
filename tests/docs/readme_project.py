#!/usr/bin/env python3
"""Makes a project of what README.md shows, program and CMake lines as they stand there, and runs what was built of it.

    readme_project.py write FOLDER     writes CMakeLists.txt and main.cpp
    readme_project.py run PROGRAM      runs it in a folder of its own; it has to print the record it stored
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "scripts"))
from doc_blocks import blocks_of  # noqa: E402


def block(info):
    found = [b for b in blocks_of((REPOSITORY / "README.md").read_text(encoding="utf-8")) if b.info == info]
    if len(found) != 1:
        sys.exit(f"README.md has {len(found)} blocks '{info}'; this test knows what to do with one")
    return "\n".join(found[0].lines) + "\n"


def write(folder):
    folder.mkdir(parents=True, exist_ok=True)
    find, link = block("cmake").rstrip("\n").split("\n", 1)
    (folder / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(readme LANGUAGES CXX)\n"
                                           f"{find}\nadd_executable(app main.cpp)\n{link}\n", encoding="utf-8")
    (folder / "main.cpp").write_text(block("cpp"), encoding="utf-8")
    return 0


def run(program):
    value = re.search(r'\.value = "(\w+)"', block("cpp")).group(1)
    with tempfile.TemporaryDirectory(prefix="seriatim-readme-") as folder:
        done = subprocess.run([program.resolve()], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 0 and done.stdout == value + "\n":
        return 0
    print(f"{program} ended with {done.returncode} and printed {done.stdout!r}, not {value!r}\n{done.stderr}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit({"write": write, "run": run}[sys.argv[1]](Path(sys.argv[2])))
