"""The part of tidy that reads documents: links, file names, invariants and rules of Kafka must exist, lines must be short."""

import re

from tidy_comments import HIDDEN_ACTOR, QUOTED

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE_SPAN = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^\s*(`{3,}|~{3,})\s*(.*)$")
HEADING = re.compile(r"^#{1,6}\s+(.*)$")
FILE_NAME = re.compile(r"^[\w.+-]+(?:/[\w.+-]+)*/?$")
# x/y.cpp, N.log: names that stand for others.
PLACEHOLDER = re.compile(r"(?:^|/)[a-zA-Z](?:[_./]|$)")
INVARIANT = re.compile(r"\bINV-(\d+)\b")
INVARIANTS = "docs/invariants.md"
KAFKA_RULE = re.compile(r"\bkafka-(?:log|groups)\b(?:\s+(\d+(?:\.\d+)*))?")
KAFKA_RULES = "docs/kafka_rules.md"
COLUMNS_MAX = 100
CITING = {".cpp", ".hpp", ".md", ".py"}


def anchors_of(text):
    """The anchors a Markdown page offers: its headings, lower case, words joined by hyphens."""
    anchors = set()
    for line in text.splitlines():
        heading = HEADING.match(line)
        if heading:
            words = re.sub(r"[^\w\s-]", "", heading.group(1).lower())
            anchors.add(re.sub(r"\s", "-", words.strip()))
    return anchors


def link_offence(root, page, target):
    """What is wrong with a link of `page`, or None."""
    if re.match(r"[a-z]+:", target):
        return None
    name, _, anchor = target.partition("#")
    path = (page.parent / name) if name else page
    if not path.exists():
        return f"link to {target}: there is no such file"
    if anchor and path.suffix == ".md" and anchor not in anchors_of(path.read_text(encoding="utf-8")):
        return f"link to {target}: {path.relative_to(root) if path.is_relative_to(root) else path} has no such heading"
    return None


def names_a_file(root, text):
    """Whether a code span is meant as a file of this repository, as opposed to one of a data directory."""
    if not FILE_NAME.match(text) or PLACEHOLDER.search(text):
        return False
    first = text.split("/")[0]
    if "/" not in text:
        return text.endswith(".md")
    if (root / "engine" / first).is_dir():
        return text.endswith((".hpp", ".cpp"))
    return first != "build" and (root / first).is_dir()


def file_exists(root, page, name):
    if name.startswith("seriatim/"):
        name = f"include/{name}"
    layers = root / "docs" / "layers.md"
    if name.startswith("engine/") and layers.is_file():
        # A layer that the table plans may be named before its folder exists.
        layer = name.rstrip("/").removeprefix("engine/")
        if f"\n| {layer} |" in layers.read_text(encoding="utf-8"):
            return True
    return any((base / name).exists() for base in (root, root / "engine", page.parent))


def check_page(root, page):
    """Offences of one Markdown page. Fenced blocks are somebody's terminal, not links."""
    offences = []
    fence = None  # the name of the block that is open
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{page.relative_to(root)}:{number}"
        found = FENCE.match(line)
        if found:
            fence = found.group(2) if fence is None else None
        # A block with a name is run by a test, and shows what a program takes or prints: it cannot be wrapped.
        if len(line) > COLUMNS_MAX and not line.startswith("|") and not fence and " " in line.strip():
            offences.append(f"{where}: {len(line)} columns, at most {COLUMNS_MAX}: wrap it")
        if fence is not None:
            continue
        hidden = HIDDEN_ACTOR.search(QUOTED.sub("", line))
        if hidden and not HEADING.match(line):
            offences.append(f"{where}: a sentence begins with '{hidden.group()}': name who acts or the thing itself")
        for target in LINK.findall(CODE_SPAN.sub("", line)):
            wrong = link_offence(root, page, target)
            if wrong:
                offences.append(f"{where}: {wrong}")
        for name in CODE_SPAN.findall(line):
            if names_a_file(root, name) and not file_exists(root, page, name):
                offences.append(f"{where}: `{name}` does not exist")
    return offences


def check_invariants(root, files):
    """Numbers cited must be defined, and what the engine says it holds must be cited by a test."""
    path = root / INVARIANTS
    defined = set(INVARIANT.findall(path.read_text(encoding="utf-8"))) if path.is_file() else set()
    offences = []
    cited = {"engine": set(), "tests": set()}
    for file in files:
        relative = file.relative_to(root)
        if file.suffix not in CITING or file == path:
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            for invariant in INVARIANT.findall(line):
                cited.get(relative.parts[0], set()).add(invariant)
                if invariant not in defined:
                    offences.append(f"{relative}:{number}: INV-{invariant} is not in {INVARIANTS}")
    untested = sorted(cited["engine"] - cited["tests"], key=int)
    return offences + [f"{INVARIANTS}:1: engine/ holds INV-{n}, and nothing in tests/ cites it" for n in untested]


def check_kafka_rules(root, files):
    """Each rule of Kafka that is cited, `kafka-log 2.10`, has its heading in KAFKA_RULES, and each that has one is cited."""
    path = root / KAFKA_RULES
    defined = {}  # rule: line of its heading
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.is_file() else (), 1):
        rule = KAFKA_RULE.search(line) if HEADING.match(line) else None
        if rule:
            defined[rule.group()] = number
    offences, cited = [], set()
    for file in files:
        if file.suffix not in CITING - {".py"} or file == path:
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            for rule in KAFKA_RULE.finditer(line):
                cited.add(rule.group())
                if not rule.group(1):
                    offences.append(f"{file.relative_to(root)}:{number}: '{rule.group()}' without a number: cite a rule of {KAFKA_RULES}")
                elif rule.group() not in defined:
                    offences.append(f"{file.relative_to(root)}:{number}: {rule.group()} is not in {KAFKA_RULES}")
    return offences + [f"{KAFKA_RULES}:{line}: nothing cites {rule}: take it out" for rule, line in defined.items() if rule not in cited]


def check(root, files):
    offences = []
    for file in files:
        if file.suffix == ".md":
            offences += check_page(root, file)
    return offences + check_invariants(root, files) + check_kafka_rules(root, files)
