"""The part of tidy that reads comments: how sentences begin, where field labels stand, how long a line is."""

import ast
import io
import re
import tokenize

from cpp_functions import LITERALS

# The width that .clang-format gives the code; it leaves comments alone, since breaking lines anew glues lists,
# tables and field labels into running text.
COLUMNS_MAX = 110

FORMATTED = {".cpp", ".hpp", ".h"}
BRACED = FORMATTED | {".c", ".java"}
HASHED = {".sh", ".cmake"}

# A sentence that begins so hides who acts. Capital letters begin a sentence, wherever in the line it stands.
HIDDEN_ACTOR = re.compile(r"\b(?:What|Who|Whoever|Whatever|Whose|Those)\b")
QUOTED = re.compile(r'`[^`]*`|"[^"]*"')
LABEL = re.compile(r"(?<=\S)\s+((?:Errors|Threads|Durability|Lifetime|Cost|Source)(?=:| \()|@(?:param|return)\b)")


def braced_comments(text):
    """(line, text) of each comment line of C++ or Java."""
    for match in LITERALS.finditer(text):
        comment = match.group()
        if comment.startswith(("//", "/*")):
            first = text.count("\n", 0, match.start()) + 1
            for number, line in enumerate(comment.splitlines(), first):
                yield number, re.sub(r"^\s*(?://[/!]?<?|/\*+|\*/|\*(?=\s))|\*/$", "", line)


def python_comments(text):
    """(line, text) of each comment and each line of a docstring."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("#")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            docstring = node.body[0]
            yield from enumerate(text.splitlines()[docstring.lineno - 1:docstring.end_lineno], docstring.lineno)


def hashed_comments(text):
    """(line, text) of each comment of a shell script or a CMake file. A # that a word or a quote hides is none."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"^(?:[^#\"']*\s)?#(?!!)(.*)$", line)
        if match:
            yield number, match.group(1)


def comments_of(path, text, is_script):
    if path.suffix in BRACED:
        return braced_comments(text)
    if path.suffix == ".py":
        return python_comments(text)
    if path.suffix in HASHED or path.name == "CMakeLists.txt" or is_script:
        return hashed_comments(text)
    return ()


def check_comments(path, text, is_script):
    """[(line, what is wrong)] of one source file."""
    offences = []
    comments = list(comments_of(path, text, is_script))
    for number, comment in comments:
        hidden = HIDDEN_ACTOR.search(QUOTED.sub("", comment))
        if hidden:
            offences.append((number, f"a sentence of a comment begins with '{hidden.group()}': name who acts (the caller, the "
                                     "writer, the reader, ...) or the thing itself"))
        label = LABEL.search(comment) if path.suffix in BRACED else None
        if label:
            offences.append((number, f"'{label.group(1)}' inside running text: a field begins its own line"))
    if path.suffix in FORMATTED:
        commented = {number for number, _ in comments}
        for number, line in enumerate(text.splitlines(), 1):
            if number in commented and len(line) > COLUMNS_MAX:
                offences.append((number, f"a comment of {len(line)} columns, at most {COLUMNS_MAX}"))
    return offences


def check_formatter(root):
    """The formatter must not break the lines of comments anew."""
    path = root / ".clang-format"
    if path.is_file() and "ReflowComments: false" not in path.read_text(encoding="utf-8").splitlines():
        return [".clang-format:1: without 'ReflowComments: false' the formatter glues lists and tables of comments together"]
    return []
