#!/usr/bin/env python3
"""tally.py PRESET=FILE...: sums ctest's JUnit files. Lists what failed or was skipped and why,
then ctest's closing line for the whole and "N passed, N failed, N skipped"; exit 1 on failure."""
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

ALL_PASSED = re.compile(r"All tests passed \(\d+ assertions? in (\d+) test cases?\)")
SOME_FAILED = re.compile(r"^test cases:\s*(\d+)\s*\|(.*)$", re.M)


def cases_of(output):
    """(passed, failed) test cases of a Catch2 program; None for another program."""
    found = ALL_PASSED.search(output)
    if found:
        return int(found.group(1)), 0
    found = SOME_FAILED.search(output)
    if not found:
        return None
    failed = re.search(r"(\d+) failed", found.group(2))
    failures = int(failed.group(1)) if failed else 0
    return int(found.group(1)) - failures, failures


def reason_of(output):
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if line.lower().startswith("skip")]
    reason = (told or lines or ["no reason given"])[0]
    return re.sub(r"^skip(ped)?:?\s*", "", reason, flags=re.I)


def main():
    passed = failed = skipped = programs = bad_programs = 0
    for argument in sys.argv[1:]:
        preset, _, name = argument.partition("=")
        if not Path(name).exists():
            print(f"failed: {preset}: ctest left no result")
            failed, programs, bad_programs = failed + 1, programs + 1, bad_programs + 1
            continue
        for test in xml.parse(name).getroot().iter("testcase"):
            output = test.findtext("system-out") or ""
            where = f"{preset}/{test.get('name')}"
            status = test.get("status")
            if status in ("notrun", "disabled"):
                skipped += 1
                print(f"skipped: {where}: {reason_of(output)}")
                continue
            programs += 1
            good, bad = cases_of(output) or ((1, 0) if status == "run" else (0, 1))
            if status != "run":
                bad_programs += 1
                bad = max(bad, 1)  # a crash outside any test case
                print(f"failed: {where}")
            passed, failed = passed + good, failed + bad
    share = 100 * (programs - bad_programs) // programs if programs else 0
    print(f"\n{share}% tests passed, {bad_programs} tests failed out of {programs}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not programs else 0


if __name__ == "__main__":
    sys.exit(main())
