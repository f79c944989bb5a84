#!/usr/bin/env python3
"""byway key, org and alias, and what a customer key may do on the command line."""
import json
import re
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from rig import CANARY, Rig, Standin  # noqa: E402

FORM = re.compile(r"bw_(live|test)_([0-9A-Za-z]{16})_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}")


def setUpModule():
    global standin
    standin = Standin("--key", CANARY, "--delay-ms", "1")


def tearDownModule():
    assert standin.end() == 0


class Keys(unittest.TestCase):
    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)
        self.addCleanup(lambda: self.assertEqual(self.rig.leaks(), []))
        self.run_byway, self.must = self.rig.run, self.rig.must
        self.must("init")
        self.add("demo")

    def add(self, slug, *options):
        self.must("endpoint", "add", slug, "--url", standin.url, "--key-stdin", "--no-probe",
                  *options, given=CANARY)

    def mint(self, *options):
        told = self.must("key", "mint", "--json", *options).json()
        self.assertEqual(list(told), ["id", "key", "name", "mode"])
        return told

    def fails(self, code, name, *arguments, **options):
        done = self.run_byway(*arguments, **options)
        self.assertEqual(done.code, code, done)
        self.assertRegex(done.err, rf"^byway: {name}: ", done)
        return done

    def test_a_key_is_shown_once_and_never_stored(self):
        told = self.mint("--name", "ci", "--test")
        match = FORM.fullmatch(told["key"])
        self.assertEqual(match.groups(), ("test", told["id"]))
        self.assertEqual((told["name"], told["mode"]), ("ci", "test"))
        for command in (["list"], ["show", told["id"]], ["list", "--json"],
                        ["show", told["id"], "--json"]):
            done = self.must("key", *command)
            self.assertIn(told["id"], done.out)
            self.assertNotIn(told["key"][26:69], done.out + done.err)
        for path in self.rig.folder.rglob("*"):
            if path.is_file():
                self.assertNotIn(told["key"][26:69].encode(), path.read_bytes())

    def test_for_people_the_key_stands_alone_on_standard_output(self):
        done = self.must("key", "mint")
        self.assertRegex(done.out, rf"^{FORM.pattern}\n$")
        self.assertIn("once", done.err)

    def test_a_key_makes_calls_that_its_list_names(self):
        key = self.mint("--allow", "byo:demo/hello")["key"]
        self.must("chat", "byo:demo/hello", "Hi", "--key", key)
        self.must("chat", "byo:demo/hello", "Hi", environment={"BYWAY_KEY": key})
        self.fails(1, "model_not_allowed", "chat", "byo:demo/other", "Hi", "--key", key)
        self.fails(1, "invalid_api_key", "chat", "byo:demo/hello", "Hi", "--key", key[:-1] + "_")
        told = self.must("explain", "--model", "byo:demo/hello", "--json", "--key", key).json()
        self.assertEqual((told["ok"], told["key_id"], told["org"]), (True, key[8:24], "local"))

    def test_a_revoked_key_is_refused(self):
        told = self.mint()
        self.assertEqual(self.must("key", "revoke", told["id"], "--json").json()["state"],
                         "revoked")
        self.fails(1, "invalid_api_key", "call", "--op", "models", "--model", "byo:demo", "--key",
                   told["key"])
        self.fails(1, "byo_endpoint_not_found", "key", "revoke", "0" * 16)

    def test_a_rotation_keeps_the_id_and_overlaps(self):
        old = self.mint()
        new = self.must("key", "rotate", old["id"], "--overlap", "1h", "--json").json()
        self.assertEqual(new["id"], old["id"])
        for key in (old["key"], new["key"]):
            self.must("explain", "--model", "byo:demo/hello", "--key", key)
        last = self.must("key", "rotate", old["id"], "--json").json()
        self.must("explain", "--model", "byo:demo/hello", "--key", last["key"])
        self.fails(1, "invalid_api_key", "chat", "byo:demo/hello", "Hi", "--key", new["key"])
        self.fails(2, "usage", "key", "rotate", old["id"], "--overlap", "soon")

    def test_fields_are_set_shown_and_checked(self):
        told = self.mint("--rpm", "60/10", "--tpm", "5000", "--cap-day", "7", "--expires",
                         "2100-01-31", "--region", "eu", "--pii", "off")
        shown = self.must("key", "show", told["id"], "--json").json()
        self.assertEqual((shown["rpm"], shown["rpm_burst"], shown["tpm"], shown["cap_day"]),
                         (60, 10, 5000, 7))
        self.assertEqual((shown["expires"], shown["region"], shown["pii"], shown["state"]),
                         ("2100-01-31T00:00:00Z", "eu", "off", "good"))
        shown = self.must("key", "set", told["id"], "rpm=30", "cap_day=null", "role=viewer",
                          "--json").json()
        self.assertEqual((shown["rpm"], shown["rpm_burst"], shown["cap_day"], shown["role"]),
                         (30, None, None, "viewer"))
        for change in ("rpm=-1", "cap_day=0", "cap_day=nan", "colour=red", "allow=gpt-4*/x",
                       "cap_money_month=5"):
            self.fails(2, "registry_field_invalid", "key", "set", told["id"], change)
        for flags in (["--cap-day", "-1"], ["--cap-day", "0"], ["--cap-tokens-day", "0"],
                      ["--pii", "some"]):
            self.fails(2, "registry_field_invalid", "key", "mint", *flags)
        for flags in (["--rpm", "fast"], ["--cap-day", "nan"], ["--role", "root"]):
            self.fails(2, "usage", "key", "mint", *flags)

    def test_a_token_cap_holds_over_processes(self):
        told = self.mint("--cap-tokens-day", "300", "--cap-tokens-month", "9000")
        shown = self.must("key", "show", told["id"], "--json").json()
        self.assertEqual((shown["cap_tokens_day"], shown["cap_tokens_month"]), (300, 9000))
        self.assertIn("tokens a day 300, tokens a month 9000",
                      self.must("key", "show", told["id"]).out)
        self.fails(1, "policy_bound_unknown", "chat", "byo:demo/hello", "Hi", "--key",
                   told["key"])

        def left():
            limits = self.must("explain", "--model", "byo:demo/hello", "--json", "--key",
                               told["key"]).json()["limits"]
            return {limit["name"]: limit["left"] for limit in limits}

        chat = ("chat", "byo:demo/hello", "Hi", "--max-tokens", "100", "--key", told["key"])
        passed = 0
        while passed < 100 and (done := self.run_byway(*chat)).code == 0:
            passed += 1
            before = left()
        self.assertGreater(passed, 0)
        self.assertRegex(done.err, "^byway: spend_cap_exceeded: .*300 tokens a day; the next ")
        self.assertEqual(left(), before)
        self.assertEqual(before["cap_tokens_month"] - before["cap_tokens_day"], 8700)
        self.must("key", "set", told["id"], "cap_tokens_day=null")
        self.must(*chat)

    def test_an_org_has_caps_of_tokens_and_money(self):
        told = self.must("org", "limits", "--cap-tokens-day", "50", "--cap-tokens-month", "600",
                         "--json").json()
        self.assertEqual((told["cap_tokens_day"], told["cap_tokens_month"]), (50, 600))
        self.assertRegex(self.must("org", "list").out, r"(?m)^local +none +none +50 +600 +none")
        self.fails(1, "policy_request_exceeds_limit", "chat", "byo:demo/hello", "Hi",
                   "--max-tokens", "100")
        self.fails(2, "registry_field_invalid", "org", "limits", "--cap-tokens-day", "0")
        self.fails(2, "registry_field_invalid", "org", "limits", "--cap-money-month", "5")
        self.must("endpoint", "set", "demo", "price_input=1", "price_output=2")
        self.must("org", "limits", "--cap-money-month", "5")
        self.fails(2, "registry_field_invalid", "endpoint", "set", "demo", "price_input=null")

    def test_a_role_decides_what_may_be_administered(self):
        viewer = {"BYWAY_KEY": self.mint("--role", "viewer")["key"]}
        self.must("endpoint", "list", environment=viewer)
        self.fails(1, "policy_forbidden", "endpoint", "disable", "demo", environment=viewer)
        self.fails(1, "policy_forbidden", "key", "list", environment=viewer)
        self.fails(1, "policy_forbidden", "chat", "byo:demo/hello", "Hi", environment=viewer)
        admin = {"BYWAY_KEY": self.mint("--role", "admin")["key"]}
        self.must("endpoint", "disable", "demo", environment=admin)
        self.fails(1, "policy_forbidden", "org", "list", environment=admin)
        self.fails(1, "policy_forbidden", "vault", "rotate-master", environment=admin)

    def test_an_org_sees_its_own_things_alone(self):
        self.must("org", "create", "acme")
        self.fails(1, "registry_duplicate_slug", "org", "create", "acme")
        names = [org["name"] for org in self.must("org", "list", "--json").json()]
        self.assertEqual(names, ["acme", "local"])
        told = self.must("--org", "acme", "org", "limits", "--cap-day", "5", "--audit", "strict",
                         "--json").json()
        self.assertEqual((told["name"], told["cap_day"], told["audit"]), ("acme", 5, "strict"))
        self.fails(2, "registry_field_invalid", "org", "limits", "--cap-day", "0")
        key = self.must("--org", "acme", "key", "mint", "--json").json()
        self.fails(1, "byo_endpoint_not_found", "chat", "byo:demo/hello", "Hi", "--key",
                   key["key"])
        self.fails(1, "byo_endpoint_not_found", "key", "show", key["id"])

    def test_an_alias_goes_to_its_first_model_that_passes(self):
        self.add("spare")
        self.must("endpoint", "disable", "spare")
        self.must("alias", "set", "fast", "byo:spare/hello", "byo:demo/hello")
        done = self.must("chat", "fast", "Hi")
        self.assertIn("byo:demo", done.err)
        told = self.must("explain", "--model", "fast", "--json").json()
        self.assertEqual((told["alias"], told["provider"]), ("fast", "byo:demo"))
        self.assertEqual([(it["model"], it["reason"]["code"]) for it in told["dropped"]],
                         [("byo:spare/hello", "byo_endpoint_disabled")])
        self.assertIn("passed over", self.must("explain", "--model", "fast").out)
        key = self.mint("--allow", "fast")["key"]
        self.must("chat", "fast", "Hi", "--key", key)
        self.fails(1, "model_not_allowed", "chat", "byo:demo/hello", "Hi", "--key", key)
        listed = self.must("alias", "list", "--json").json()
        self.assertEqual(listed[0]["models"][0], {"model": "byo:spare/hello", "weight": None})
        self.must("alias", "set", "fast", "byo:demo/hello=3", "byo:spare/hello=1", "--require",
                  "chat")
        self.assertIn("byo:demo/hello=3", self.must("alias", "list").out)
        self.fails(2, "usage", "alias", "set", "fast", "byo:demo/hello=nan")
        self.fails(2, "registry_field_invalid", "alias", "set", "Fast", "byo:demo/hello")
        self.must("alias", "remove", "fast")
        self.fails(1, "byo_endpoint_not_found", "chat", "fast", "Hi")
        self.assertEqual(json.loads(self.must("alias", "list", "--json").out), [])

    def test_a_store_may_have_a_prefix_of_its_own(self):
        other = self.rig.folder / "other.db"
        self.must("--store", other, "init", "--key-prefix", "acme")
        self.assertTrue(self.must("--store", other, "key", "mint").out.startswith("acme_live_"))
        self.fails(2, "registry_field_invalid", "--store", self.rig.folder / "x.db", "init",
                   "--key-prefix", "A_B")


if __name__ == "__main__":
    unittest.main()
