#!/usr/bin/env python3
"""Checks the rules of the house: tidy.py RULE --source DIR --build DIR. Ends with 1 when one is
broken, with 77 when there is nothing to judge yet."""
import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

import objects  # noqa: E402
import sources  # noqa: E402

RULES = {
    "includes": sources.includes,
    "names": sources.names,
    "lengths": sources.lengths,
    "secrets": sources.secrets,
    "folder_map": sources.folder_map,
    "vendors": sources.vendors,
    "named_tests": sources.named_tests,
    "registered": objects.registered,
    "symbols": objects.symbols,
    "exports": objects.exports,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rule", choices=RULES)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--build", type=Path, default=None)
    arguments = parser.parse_args()
    try:
        problems = list(RULES[arguments.rule](arguments.source.resolve(), arguments.build))
    except FileNotFoundError as missing:
        print(f"skipped: {missing.filename or missing} is not there")
        return 77
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
