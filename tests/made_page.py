"""docs/compatibility.md has sections that programs write, each between its own two marks."""
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs/compatibility.md"


def marks(name, command):
    return f"<!-- {name}: made by {command} -->", f"<!-- end of {name} -->"


def section(name, command):
    """What stands between the marks now."""
    begin, end = marks(name, command)
    text = PAGE.read_text(encoding="utf-8")
    return text.split(begin + "\n", 1)[1].split(end, 1)[0]


def write_section(name, command, text):
    begin, end = marks(name, command)
    before, rest = PAGE.read_text(encoding="utf-8").split(begin + "\n", 1)
    after = rest.split(end, 1)[1]
    PAGE.write_text(before + begin + "\n" + text + end + after, encoding="utf-8")


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
