"""Reads C++ well enough for the rules: text without comments and strings, and where functions
begin and end in it. Made for clang-formatted code, not for any code."""
import re

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\\ ]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
CONTROL = re.compile(r"^\s*(?:\}?\s*else\b|if\b|for\b|while\b|switch\b|do\b|try\b|catch\b)")
TYPE = re.compile(r"\b(?:class|struct|union|enum)\b[^()]*$|\benum\b")


def stripped(text):
    """The text with comments gone and literals emptied; every line stays on its line."""
    def blank(match):
        found = match.group(0)
        lines = "\n" * found.count("\n")
        return lines if found.startswith("/") else '""' + lines
    return TOKEN.sub(blank, text)


def kind_of(head, inside):
    """What a brace opens, told by the text before it and by what it stands in."""
    head = re.sub(r"^\s*#.*$", "", head, flags=re.M).strip()
    if re.search(r"\bnamespace\b", head) or head.endswith('extern ""'):
        return "namespace"
    if inside not in ("namespace", "type"):
        return "block"
    if "(" in head and not CONTROL.match(head) and not head.endswith("="):
        # A member initialiser in braces is part of the head of the function that follows.
        is_member = re.search(r"\)[^;{}]*(?<!:):(?!:).*[\w>]$", head, re.S)
        return "initialiser" if is_member and not re.search(
            r"\b(?:const|noexcept|override|final|mutable)$", head) else "function"
    return "type" if TYPE.search(head) else "block"


def functions(text):
    """(first line, last line, head) of each function body at namespace or class level."""
    text = stripped(text)
    found, stack, head_start, line, depth = [], ["namespace"], 0, 1, 0
    opened = []
    for at, byte in enumerate(text):
        if byte == "\n":
            line += 1
        elif byte == "(":
            depth += 1
        elif byte == ")":
            depth -= 1
        elif byte == "{":
            kind = "block" if depth > 0 else kind_of(text[head_start:at], stack[-1])
            stack.append(kind)
            opened.append((line, text[head_start:at].strip()))
            if kind not in ("initialiser",) and depth == 0:
                head_start = at + 1
        elif byte == "}" and len(stack) > 1:
            kind, (first, head) = stack.pop(), opened.pop()
            if kind == "function":
                found.append((first, line, head))
            if kind != "initialiser" and depth == 0:
                head_start = at + 1
        elif byte == ";" and depth == 0 and stack[-1] != "initialiser":
            head_start = at + 1
    return found
