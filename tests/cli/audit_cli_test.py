#!/usr/bin/env python3
"""byway audit and usage on the command line."""
import csv
import io
import json
import shutil
import sqlite3
import sys
import unittest
from contextlib import closing
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from rig import CANARY, Rig  # noqa: E402


class Audit(unittest.TestCase):
    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)
        self.addCleanup(lambda: self.assertEqual(self.rig.leaks(), []))
        self.run_byway, self.must = self.rig.run, self.rig.must
        self.must("init")
        self.must("endpoint", "add", "demo", "--url", "http://127.0.0.1:9/v1", "--key-stdin",
                  "--no-probe", given=CANARY)
        self.key = self.must("key", "mint", "--name", "ci", "--role", "viewer", "--json").json()

    def lines(self, *arguments):
        return [json.loads(line) for line in self.must(*arguments).out.splitlines()]

    def tamper(self, *statements):
        with closing(sqlite3.connect(self.rig.store)) as database, database:
            for statement in statements:
                database.execute(statement)

    def verdict(self):
        done = self.run_byway("audit", "verify", "--json")
        return done.code, done.json()

    def test_every_change_leaves_a_record_and_none_holds_a_key(self):
        self.must("endpoint", "disable", "demo")
        self.must("endpoint", "set", "demo", "name=Demo", "tags=chat")
        self.must("endpoint", "rotate", "demo", "--key-stdin", given=CANARY[:-1] + "x")
        self.must("alias", "set", "fast", "byo:demo/m")
        self.must("alias", "remove", "fast")
        self.must("key", "set", self.key["id"], "rpm=60")
        self.must("key", "rotate", self.key["id"])
        self.must("key", "revoke", self.key["id"])
        self.must("org", "limits", "--cap-day", "100")
        self.must("org", "create", "acme")
        self.must("vault", "rotate-master")
        self.must("endpoint", "remove", "demo")
        told = [(line["action"], line["subject"])
                for line in self.lines("audit", "tail", "-n", "100", "--json")]
        key = self.key["id"]
        self.assertEqual(told, [
            ("endpoint.add", "demo"), ("key.mint", key), ("endpoint.disable", "demo"),
            ("endpoint.set", "demo name,tags"), ("endpoint.rotate", "demo"),
            ("alias.set", "fast"), ("alias.remove", "fast"), ("key.set", f"{key} rpm"),
            ("key.rotate", key), ("key.revoke", key), ("org.limits", "local cap_day"),
            ("vault.rotate", "2"), ("endpoint.remove", "demo")])
        acme = self.lines("--org", "acme", "audit", "tail", "--json")
        self.assertEqual([line["action"] for line in acme], ["org.create"])
        self.assertIn("endpoint.remove demo", self.must("audit", "tail").out)
        self.assertEqual(len(self.must("audit", "tail", "-n", "2").out.splitlines()), 3)
        code, verdict = self.verdict()
        self.assertEqual((code, verdict["ok"], verdict["records"]), (0, True, 14))
        self.assertIn("records 1 to 14", self.must("audit", "verify").out)

    def test_a_change_that_fails_leaves_no_record(self):
        self.assertNotEqual(self.run_byway("endpoint", "set", "demo", "rpm=-1").code, 0)
        self.assertNotEqual(self.run_byway("endpoint", "remove", "absent").code, 0)
        self.assertEqual(len(self.lines("audit", "tail", "--json")), 2)

    def test_tampering_is_found_and_the_record_named(self):
        self.must("alias", "set", "fast", "byo:demo/m")
        copy = self.rig.folder / "copy"
        shutil.copy(self.rig.store, copy)
        self.tamper("UPDATE audit SET org = 'other' WHERE seq = 2")
        done = self.run_byway("audit", "verify")
        self.assertEqual(done.code, 1, done)
        self.assertRegex(done.err, "^byway: store_audit_broken: .*record 2")
        code, verdict = self.verdict()
        self.assertEqual((code, verdict["ok"], verdict["bad_seq"]), (1, False, 2))
        shutil.copy(copy, self.rig.store)
        self.assertEqual(self.verdict()[0], 0)

    def test_after_a_restore_the_alarm_ends_when_it_is_accepted(self):
        copy = self.rig.folder / "copy"
        shutil.copy(self.rig.store, copy)
        self.must("alias", "set", "fast", "byo:demo/m")
        shutil.copy(copy, self.rig.store)
        self.assertEqual(self.verdict()[1]["bad_seq"], 3)
        self.must("alias", "set", "other", "byo:demo/m")
        self.must("alias", "set", "third", "byo:demo/m")
        self.assertEqual(self.verdict()[0], 1)
        self.must("audit", "accept")
        self.assertEqual(self.verdict()[0], 0)
        last = self.lines("audit", "tail", "--json")[-1]
        self.assertEqual(last["action"], "audit.accept")
        self.assertIn("record 3", last["subject"])

    def test_a_viewer_reads_and_does_not_prune(self):
        key = ("--key", self.key["key"])
        self.must("audit", "tail", *key)
        self.must("usage", *key)
        self.assertIn("policy_forbidden", self.run_byway("usage", "prune", "--before",
                                                         "2030-01-01", *key).err)
        self.assertIn("policy_forbidden", self.run_byway("audit", "accept", *key).err)

    def test_export_writes_json_lines_of_a_stretch_of_time(self):
        lines = self.lines("audit", "export")
        self.assertEqual([line["seq"] for line in lines], [1, 2])
        self.assertEqual(lines[0]["kind"], "change")
        self.assertRegex(lines[0]["at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(self.lines("audit", "export", "--since", "2200-01-01"), [])
        done = self.run_byway("audit", "export", "--since", "yesterday")
        self.assertIn("registry_field_invalid", done.err)

    def test_usage_is_grouped_and_its_two_sums_are_kept_apart(self):
        told = self.must("usage", "--by", "key,day", "--json").json()
        self.assertEqual(told["rows"], [])
        self.assertEqual(told["upstream"]["calls"], 0)
        self.assertEqual(told["platform"], {})
        rows = list(csv.reader(io.StringIO(self.must("usage", "--by", "endpoint", "--csv").out)))
        self.assertEqual(rows[0][:2], ["endpoint", "calls"])
        self.assertIn("Billed by the upstreams: 0 tokens in", self.must("usage").out)
        self.assertEqual(self.run_byway("usage", "--by", "colour").code, 2)

    def test_a_pruned_log_goes_on_to_verify(self):
        told = self.must("usage", "prune", "--before", "2200-01-01", "--json").json()
        self.assertEqual(told, {"records": 2, "seq": 2})
        self.must("alias", "set", "fast", "byo:demo/m")
        code, verdict = self.verdict()
        self.assertEqual((code, verdict["first_seq"], verdict["records"]), (0, 3, 2))
        self.assertEqual(self.lines("audit", "tail", "--json")[0]["kind"], "cut")
        told = self.must("usage", "prune", "--before", "2001-01-01", "--json").json()
        self.assertEqual(told["records"], 0)
        self.tamper("DELETE FROM audit WHERE seq = 3", "UPDATE audit_log SET cut_seq = 3")
        self.assertEqual(self.verdict()[0], 1)


if __name__ == "__main__":
    unittest.main()
