"""The fenced blocks of a Markdown page. Every example in the documentation is taken from there by the test that runs it."""

import re
from dataclasses import dataclass

FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$")

# The names that a block may have, and the test that runs it. A block without a name is a drawing, which nothing runs.
RUN_BY = {
    "console run": "tests/cli/cli_examples_test.py",
    "console bench": "tests/docs/bench_commands_test.py",
    "console test": "tests/docs/test_commands_test.py",
    "console": ".ci/run",
    "cpp": "tests/docs/readme_project.py",
    "cpp example": "examples/CMakeLists.txt",
    "cmake": "tests/docs/readme_project.py",
}
PAGES_OF = {"cpp": {"README.md"}, "cmake": {"README.md"}, "console": {"README.md"},
            "console run": {"README.md", "docs/cli.md", "docs/hacking.md", "docs/work_queue.md",
                            "docs/recipes/backlog.md", "docs/recipes/routing.md"}, "console bench": {"docs/performance.md"},
            "console test": {"docs/hacking.md"}}
COMMANDS_OPEN, COMMANDS_CLOSE = "<!-- commands -->", "<!-- /commands -->"


@dataclass
class Block:
    info: str
    lines: list
    line: int
    is_between_commands: bool


def strange_excerpts(text, examples):
    """[(line, why)] of the blocks 'cpp example' that stand in none of the examples, which tests run: indented as they like, else the same."""
    offences = []
    for block in blocks_of(text):
        excerpt = "\n".join(line.strip() for line in block.lines)
        if block.info == "cpp example" and not any(excerpt in "\n".join(line.strip() for line in example.splitlines()) for example in examples):
            offences.append((block.line, "these lines stand in no file of examples/"))
    return offences


def blocks_of(text):
    """The blocks of a page, in order. Raises ValueError if one is never closed."""
    blocks, block, fence, between = [], None, "", False
    for number, line in enumerate(text.splitlines(), 1):
        found = FENCE.match(line)
        if block is None:
            between = (between or COMMANDS_OPEN in line) and COMMANDS_CLOSE not in line
            if found:
                fence = found.group(2)
                block = Block(found.group(3), [], number, between)
        elif found and found.group(2).startswith(fence) and not found.group(3):
            blocks.append(block)
            block = None
        else:
            block.lines.append(line)
    if block is not None:
        raise ValueError(f"line {block.line}: the block is never closed")
    return blocks


def unrun_blocks(page, text):
    """[(line, why no test runs the block)] of the page, given by its path in the repository."""
    offences = []
    for block in blocks_of(text):
        if not block.info:
            if any(line.lstrip().startswith("$ ") for line in block.lines):
                offences.append((block.line, "a block with commands has to be called one of: " + ", ".join(RUN_BY)))
        elif block.info == "cpp example" and page.startswith("docs/recipes/"):
            continue  # See strange_excerpts.
        elif page not in PAGES_OF.get(block.info, ()):
            offences.append((block.line, f"no test runs a block '{block.info}' of this page; see RUN_BY in scripts/doc_blocks.py"))
        elif block.info == "console" and not block.is_between_commands:
            offences.append((block.line, f"CI runs what is between {COMMANDS_OPEN} and {COMMANDS_CLOSE} only; "
                                         "call it 'console run' to have its output compared"))
    return offences
