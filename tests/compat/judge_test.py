#!/usr/bin/env python3
"""What counts as right in the comparison, and that every transcript is in it."""
import json
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import judge  # noqa: E402
import page  # noqa: E402
import players  # noqa: E402

FAILS = {"records": [{"ok": False, "error": {"class": "stream_truncated"}}]}
HELLO = {"records": [{"ok": True, "text": "Hello", "finish": "stop", "attempts": 1,
                      "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}]}


class Judging(unittest.TestCase):
    def test_a_truncated_stream_told_as_success_is_wrong(self):
        self.assertEqual(judge.judge_client(FAILS, {"ok": True, "text": "Hel"}),
                         "success, with text 'Hel'")

    def test_any_exception_is_right_where_a_failure_is_due(self):
        self.assertEqual(judge.judge_client(FAILS, {"ok": False, "why": "SomeError: x"}), "")

    def test_a_client_that_still_waits_is_not_judged(self):
        self.assertIsNone(judge.judge_client(FAILS, {"ok": None, "why": "no end"}))

    def test_a_client_is_compared_by_what_it_can_say(self):
        said = {"ok": True, "text": "Hello", "finish": "stop",
                "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}
        self.assertEqual(judge.judge_client(HELLO, said), "")
        self.assertEqual(judge.judge_client(HELLO, {**said, "finish": "eos_token"}), "")
        self.assertIn("finish", judge.judge_client(HELLO, {**said, "finish": "length"}))
        self.assertIn("text", judge.judge_client(HELLO, {**said, "text": "Hell"}))
        self.assertIn("usage", judge.judge_client(HELLO, {**said, "usage": None}))
        self.assertEqual(judge.judge_client(HELLO, {"ok": False, "why": "A: b\nc"}), "A: b")

    def test_byway_is_compared_by_everything(self):
        run = {**HELLO, "notes": ["no_done"], "ranges": [], "lengths": [], "lacks": []}
        said = {**HELLO["records"][0], "notes": ["no_done"]}
        self.assertEqual(judge.judge_record(run, said), "")
        self.assertIn("notes", judge.judge_record(run, {**said, "notes": []}))
        self.assertIn("attempts", judge.judge_record(run, {**said, "attempts": 2}))


class Page(unittest.TestCase):
    def test_every_transcript_has_a_row_or_is_for_the_library_alone(self):
        results = json.loads((HERE / "results.json").read_text())
        there = set(page.by_file(results["runs"]))
        for file in players.TRANSCRIPTS.glob("T*.wire"):
            for_library = any(word in file.read_text(encoding="utf-8") for word in
                              ("\ncalls ", "\ncancel-after-first-delta", "\nfirst-token-within"))
            self.assertTrue(file.stem in there or for_library,
                            f"{file.stem} was not played: run tests/compat/run")

    def test_byway_is_right_about_all_of_them(self):
        results = json.loads((HERE / "results.json").read_text())
        self.assertEqual({name for name, row in results["runs"].items() if row["byway"]}, set())


if __name__ == "__main__":
    unittest.main()
