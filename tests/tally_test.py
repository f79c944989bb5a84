#!/usr/bin/env python3
"""The tally counts Catch2's test cases, crashes and skips."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TALLY = Path(__file__).with_name("tally.py")
PASSED = "All tests passed (12 assertions in 5 test cases)"
FAILED = "test cases: 49 | 47 passed | 2 failed\nassertions: 10 | 8 passed | 2 failed"


def tally(*tests):
    with tempfile.TemporaryDirectory() as folder:
        rows = "".join(f'<testcase name="t{at}" status="{status}"><system-out>{output}</system-out>'
                       "</testcase>" for at, (status, output) in enumerate(tests))
        file = Path(folder) / "tests.xml"
        file.write_text(f"<testsuite>{rows}</testsuite>")
        done = subprocess.run([sys.executable, str(TALLY), f"dev={file}"], text=True,
                              capture_output=True, check=False)
    return done.returncode, done.stdout.splitlines()


class Tally(unittest.TestCase):
    def test_test_cases_are_counted(self):
        status, lines = tally(("run", PASSED), ("run", "no Catch2 at all"))
        self.assertEqual((status, lines[-1]), (0, "6 passed, 0 failed, 0 skipped"))
        self.assertEqual(lines[-2], "100% tests passed, 0 tests failed out of 2")

    def test_failures_and_crashes_are_counted(self):
        status, lines = tally(("run", PASSED), ("fail", FAILED), ("fail", "Segmentation fault"))
        self.assertEqual((status, lines[-1]), (1, "52 passed, 3 failed, 0 skipped"))
        self.assertEqual(lines[:2], ["failed: dev/t1", "failed: dev/t2"])

    def test_a_crash_after_the_last_test_case_is_a_failure(self):
        status, lines = tally(("fail", PASSED))
        self.assertEqual((status, lines[-1]), (1, "5 passed, 1 failed, 0 skipped"))

    def test_a_skip_tells_its_reason(self):
        status, lines = tally(("run", PASSED), ("notrun", "skipped: no llama-server"))
        self.assertEqual((status, lines[-1]), (0, "5 passed, 0 failed, 1 skipped"))
        self.assertEqual(lines[0], "skipped: dev/t1: no llama-server")

    def test_nothing_run_is_a_failure(self):
        self.assertEqual(tally()[0], 1)
        self.assertEqual(tally(("notrun", "skipped: x"))[0], 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
