#!/usr/bin/env python3
"""Bad input as a person brings it: one line, the code, the exit code, and nothing changed."""
import shutil
import sqlite3
import sys
import unittest
from contextlib import closing
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from rig import Rig  # noqa: E402

CLOSED = "http://127.0.0.1:9/v1"
FILE = f'[[endpoint]]\nslug = "demo"\nbase_url = "{CLOSED}"\n'
BODY = '{"messages":[]}'


class BadInput(unittest.TestCase):
    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)
        self.run_byway, self.must = self.rig.run, self.rig.must

    def with_endpoint(self):
        self.must("init")
        self.must("endpoint", "add", "demo", "--url", CLOSED, "--no-key", "--no-probe")

    def fails(self, code, name, *arguments, **options):
        done = self.run_byway(*arguments, **options)
        self.assertEqual(done.code, code, done)
        self.assertRegex(done.err, rf"^byway: {name}: [^\n]+\n$", done)
        return done

    def test_B14_to_B18_a_bad_customer_key(self):
        self.with_endpoint()
        told = self.must("key", "mint", "--json").json()
        key = told["key"]
        other = self.must("key", "mint", "--json").json()["key"]
        for bad in ("' OR '1'='1", "a" * 100_000, "\udcff\udcfe", key[:-1], key + "0",
                    "xx" + key[2:], key[:30] + ("A" if key[30] != "A" else "B") + key[31:]):
            done = self.fails(1, "invalid_api_key", "call", "--model", "byo:demo/m", "--key", bad,
                              given=BODY)
            self.assertNotIn(bad[:60], done.err)
        self.must("key", "revoke", told["id"])
        self.fails(1, "invalid_api_key", "call", "--model", "byo:demo/m", "--key", key, given=BODY)
        self.fails(1, "upstream_error", "call", "--model", "byo:demo/m", "--key", other, given=BODY)

    def test_B19_B20_a_role_and_an_org_that_may_not(self):
        self.with_endpoint()
        viewer = self.must("key", "mint", "--role", "viewer", "--json").json()["key"]
        self.fails(1, "policy_forbidden", "call", "--model", "byo:demo/m", "--key", viewer,
                   given=BODY)
        self.fails(1, "policy_forbidden", "endpoint", "remove", "demo", "--key", viewer)
        self.must("org", "create", "acme")
        show = ("--org", "acme", "endpoint", "show")
        theirs = self.fails(1, "byo_endpoint_not_found", *show, "demo")
        absent = self.fails(1, "byo_endpoint_not_found", *show, "nope")
        self.assertEqual(theirs.err.replace("demo", "nope"), absent.err)

    def test_B43_a_model_that_is_not_allowed(self):
        self.must("init")
        self.must("endpoint", "add", "demo", "--url", CLOSED, "--no-key", "--no-probe", "--allow",
                  "gpt-4*", "--allow", "gpt-4o")
        for model in ("gpt-4o-evil", "gpt-4", "GPT-4o", "*"):
            self.fails(1, "byo_model_not_allowed", "call", "--model", f"byo:demo/{model}",
                       given=BODY)
        for model in ("gpt-4o", "gpt-4*"):
            self.fails(1, "upstream_error", "call", "--model", f"byo:demo/{model}", given=BODY)

    def test_B44_a_request_that_never_fits(self):
        self.with_endpoint()
        key = self.must("key", "mint", "--tpm", "50", "--json").json()["key"]
        self.fails(1, "policy_request_exceeds_limit", "call", "--model", "byo:demo/m", "--key", key,
                   given='{"messages":[],"max_tokens":51}')

    def test_B47_a_money_cap_without_prices(self):
        self.with_endpoint()
        self.fails(2, "registry_field_invalid", "key", "mint", "--cap-money-month", "5")
        self.assertEqual(self.must("key", "list", "--json").json(), [])

    def test_B60_a_registry_file_with_a_wrong_field(self):
        file = self.rig.folder / "byway.toml"
        for line in ("rpm = -1", "rpm = nan", "rpm = 1.5", 'rpm = "1"', "colour = 1",
                     "tpm = 18446744073709551616", 'slug = "two"', 'time_zone = "Europe/Berlin"'):
            with self.subTest(line):
                file.write_text(FILE + line + "\n")
                done = self.fails(3, "registry_invalid_file", "--registry", file, "endpoint",
                                  "list")
                self.assertIn("byway.toml:4:", done.err)
        file.write_text(FILE + "[org]\ncap_day = 5\n")
        self.fails(3, "registry_needs_store", "--registry", file, "endpoint", "list")

    def test_B60_a_limit_that_is_none(self):
        self.with_endpoint()
        for value in ("-1", "nan", "1e3", "18446744073709551616", ""):
            self.fails(2, "registry_field_invalid", "endpoint", "set", "demo", f"rpm={value}")
        self.fails(2, "registry_field_invalid", "endpoint", "set", "demo", "colour=red")
        self.assertIsNone(self.must("endpoint", "show", "demo", "--json").json().get("rpm"))

    def test_B61_an_audit_log_that_was_edited_reordered_or_cut(self):
        self.with_endpoint()
        for name in ("a", "b", "c"):
            self.must("alias", "set", name, "byo:demo/m")
        copy = self.rig.folder / "copy"
        shutil.copy(self.rig.store, copy)
        for statement, seq in (
                ("UPDATE audit SET org = 'other' WHERE seq = 2", 2),
                ("UPDATE audit SET seq = 1000 + seq WHERE seq IN (2, 3);"
                 "UPDATE audit SET seq = 1005 - seq WHERE seq > 1000", 2),
                ("DELETE FROM audit WHERE seq = 3", 3),
                ("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", None)):
            with self.subTest(statement):
                shutil.copy(copy, self.rig.store)
                with closing(sqlite3.connect(self.rig.store)) as database, database:
                    database.executescript(statement)
                done = self.fails(1, "store_audit_broken", "audit", "verify")
                if seq:
                    self.assertIn(f"record {seq}", done.err)

    def test_B62_a_store_of_a_newer_version(self):
        self.must("init")
        with closing(sqlite3.connect(self.rig.store)) as database, database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            database.execute(f"PRAGMA user_version = {version + 1}")
        before = self.rig.store.read_bytes()
        self.fails(3, "store_schema_newer", "endpoint", "list")
        self.fails(3, "store_schema_newer", "endpoint", "add", "demo", "--url", CLOSED, "--no-key",
                   "--no-probe")
        self.assertEqual(self.rig.store.read_bytes(), before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
