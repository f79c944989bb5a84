"""The part of docs/compatibility.md about the official clients, from what was seen."""
import itertools

import made_page

from players import TRANSCRIPTS

PLACE = ("clients", "tests/compat/run")
COLUMNS = {"byway": "Byway", "npm_loop": "npm, loop", "npm_helper": "npm, helper",
           "pypi_loop": "PyPI, loop", "pypi_helper": "PyPI, helper"}


def title_of(name):
    """The comment that the file begins with."""
    lines = (TRANSCRIPTS / f"{name}.wire").read_text(encoding="utf-8").splitlines()
    comment = itertools.takewhile(lambda line: line.startswith("#"), lines)
    return " ".join(line.lstrip("# ") for line in comment)


def by_file(runs):
    files = {}
    for name, row in runs.items():
        files.setdefault(name.split(".")[0], {})[name] = row
    return files


def cell(rows, column):
    judged = [row[column] for row in rows.values() if column in row]
    if not judged:
        return "-"
    wrong = sum(bool(why) for why in judged)
    if not wrong:
        return "yes"
    return "**no**" if len(judged) == 1 else f"**no** ({wrong} of {len(judged)})"


def summary(results):
    rows = []
    for column, title in COLUMNS.items():
        judged = {name: row[column] for name, row in results["runs"].items() if column in row}
        silent = [name for name, why in judged.items() if why.startswith("success, ")
                  and name in results["failures"]]
        right = sum(not why for why in judged.values())
        rows.append([title, f"{right} of {len(judged)}", len(silent), results["strays"][column]])
    return made_page.table(
        ["", "right", "failures told as success", "connections where a redirect pointed"], rows)


def escaped(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def render(results):
    versions = "; ".join(f"{name}: {told}" for name, told in results["versions"].items())
    text = f"Last run on {results['date']}: {versions}.\n\n" + summary(results) + "\n"
    files = by_file(results["runs"])
    text += made_page.table(
        ["transcript", "what it holds", *COLUMNS.values()],
        [[name, escaped(title_of(name)), *(cell(rows, column) for column in COLUMNS)]
         for name, rows in files.items()])
    text += "\n## What went wrong\n\n"
    for name, row in results["runs"].items():
        wrong = {}
        for column, why in row.items():
            if why:
                wrong.setdefault(why, []).append(COLUMNS[column])
        for why, columns in wrong.items():
            text += f"- {name}, {' and '.join(columns)}: {escaped(why[:160])}\n"
    return text + "\n"
