"""The part of docs/compatibility.md about real servers: difference files and kept results."""
import json
from pathlib import Path

import conformance
import made_page

HERE = Path(__file__).resolve().parent
PLACE = ("real servers", "tests/real/run --page")
RESULTS = HERE / "results.json"


def results():
    return json.loads(RESULTS.read_text())


def keep(name, version, date):
    """Notes a run in which the server did all that its difference file says."""
    kept = results()
    kept[name].update(version=version, date=date)
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


def differences(name):
    return json.loads((HERE / "differences" / f"{name}.json").read_text())


def render():
    kept = results()
    expected = {name: differences(name) for name in kept}
    rows = [["last run", *(server["date"] for server in kept.values())]]
    for check in conformance.CHECKS:
        name = check.__name__
        rows.append([name, *(expected[server].get(name, {"gives": "yes"})["gives"]
                             for server in kept)])
    text = made_page.table(["check", *kept], rows) + "\n## Why they differ\n"
    for name, server in kept.items():
        text += f"\n**{server['title']}: {server['version']}**\n\n"
        for check, told in expected[name].items():
            why = told["why"][0].upper() + told["why"][1:]
            text += f"- {check}: {told['gives']}. {why}.\n"
    return text + "\n"
