"""Finds function bodies in C++ and Java sources by their braces: enough to measure them, not a parser."""

import re
from dataclasses import dataclass

LITERALS = re.compile(
    r'R"(?P<delimiter>[^()\\ ]{0,16})\(.*?\)(?P=delimiter)"'  # raw string
    r'|//[^\n]*|/\*.*?\*/'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",  # a character; the look-behind leaves 1'000 alone
    re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
TEMPLATE = re.compile(r"^\s*template\s*<")
TYPE_HEAD = re.compile(r"\b(?:class|struct|union|enum|interface|record)\b[^()=]*(?:\([^()]*\)[^()=]*)?$")
NOT_A_NAME = {"alignas", "decltype", "noexcept", "explicit", "__attribute__", "requires", "if", "for", "while", "switch"}
CALLABLE = re.compile(r"((?:\w+::)*operator\s*(?:\(\)|[^\s\w(]+|\s[\w:<>]+)|[~\w:]+)\s*\(")


@dataclass
class Function:
    name: str
    line: int  # where its body begins
    lines: int  # of the body
    parameters: int


def blank(match):
    """White space of the same shape, so that line numbers stay right."""
    return re.sub(r"[^\n]", " ", match.group())


def without_literals(text):
    """The source with comments, strings, characters and preprocessor lines blanked."""
    return DIRECTIVE.sub(blank, LITERALS.sub(blank, text))


def without_template(head):
    """The declaration behind its `template <...>` prefixes."""
    while TEMPLATE.match(head):
        depth, at = 0, head.index("<")
        for at in range(head.index("<"), len(head)):
            depth += {"<": 1, ">": -1}.get(head[at], 0)
            if depth == 0:
                break
        head = head[at + 1:]
    return head


def parameters_of(head):
    """(name, parameter count) of a function's declaration, or None if it is none."""
    for match in CALLABLE.finditer(head):
        name = match.group(1).strip()
        if name in NOT_A_NAME:
            continue
        depth, commas, is_empty = 1, 0, True
        for character in head[match.end():]:
            if character in "([{<":
                depth += 1
            elif character in ")]}>":
                depth -= 1
                if depth == 0:
                    return name, 0 if is_empty else commas + 1
            elif character == "," and depth == 1:
                commas += 1
            if not character.isspace():
                is_empty = False
    return None


def scope_kind(head, enclosing, parentheses):
    """What an opening brace opens: 'outer' (namespace or type), 'function' or 'inner' (anything else)."""
    if enclosing != "outer" or parentheses:
        return "inner"
    head = without_template(head)
    if re.search(r"\bnamespace\b", head) or head.strip() == "extern" or TYPE_HEAD.search(head):
        return "outer"
    return "function" if "(" in head and not head.rstrip().endswith("=") else "inner"


def functions_of(text):
    """Every function with a body in the source text."""
    functions = []
    scopes = []  # (kind, head, line of the brace)
    head, parentheses, line = "", 0, 1
    for character in without_literals(text):
        line += character == "\n"
        if character == "{":
            enclosing = scopes[-1][0] if scopes else "outer"
            scopes.append((scope_kind(head, enclosing, parentheses), head, line, parentheses))
            head, parentheses = "", 0
        elif character == "}" and scopes:
            kind, its_head, its_line, parentheses = scopes.pop()
            found = parameters_of(without_template(its_head)) if kind == "function" else None
            if found:
                functions.append(Function(found[0], its_line, line - its_line, found[1]))
            head = ""
        elif character == ";" and not parentheses:
            head = ""
        else:
            parentheses += {"(": 1, ")": -1}.get(character, 0)
            head += character
    return functions
