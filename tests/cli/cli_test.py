#!/usr/bin/env python3
"""The byway command against the stand-in server: what it prints, where, and how it exits."""
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
import unittest
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from rig import CANARY, Rig, Standin  # noqa: E402

RECORD = ["ok", "error", "text", "reasoning", "tools", "finish", "usage", "embeddings", "items",
          "notes", "deltas", "attempts", "provider", "model_served", "request_id", "status",
          "latency_ms", "overhead_us"]
ERROR = ["code", "class", "cause", "status", "message", "retryable", "sent", "retry_after_ms"]
HELLO = json.dumps({"messages": [{"role": "user", "content": "Hello"}]})
# Nobody listens there: port 1 needs root and has no service.
CLOSED = "http://127.0.0.1:1/v1"


def read_terminal(fd):
    try:
        return os.read(fd, 65536)
    except OSError:  # the other side is closed
        return b""


def setUpModule():
    global standin, slow
    standin = Standin("--key", CANARY, "--delay-ms", "1")
    slow = Standin("--delay-ms", "300")


def tearDownModule():
    assert standin.end() == 0
    assert slow.end() == 0


class Command(unittest.TestCase):
    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)
        self.addCleanup(lambda: self.assertEqual(self.rig.leaks(), []))
        self.run_byway, self.must = self.rig.run, self.rig.must

    def with_endpoint(self):
        self.must("init")
        self.must("endpoint", "add", "demo", "--url", standin.url, "--key-stdin", "--model",
                  "hello", given=CANARY + "\n")

    def add_unprobed(self, slug, url, *options):
        self.must("endpoint", "add", slug, "--url", url, "--no-probe", *(options or ["--no-key"]))

    def fails(self, code, name, *arguments, **options):
        """Exit code and the one line on standard error."""
        done = self.run_byway(*arguments, **options)
        self.assertEqual(done.code, code, done)
        self.assertRegex(done.err, rf"^byway: {name}: [^\n]+\n", done)
        return done

    def record(self, *arguments, **options):
        done = self.run_byway("call", "--record", *arguments, **options)
        self.assertEqual(done.out.count("\n"), 1, done)
        record = done.json()
        self.assertEqual(list(record)[:len(RECORD)], RECORD)
        self.assertEqual(done.code, 0 if record["ok"] else 1, done)
        self.assertEqual(done.err, "")
        if not record["ok"]:
            self.assertEqual(list(record["error"]), ERROR)
        return record


class Stores(Command):
    def test_init_makes_a_store_and_a_key_that_only_the_owner_reads(self):
        done = self.must("init")
        key = Path(f"{self.rig.store}.key")
        for path in (self.rig.store, key):
            self.assertIn(str(path), done.out)
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertIn("Back up", done.out)

    def test_init_touches_nothing_that_is_there(self):
        self.must("init")
        before = self.rig.store.read_bytes()
        self.fails(3, "store_exists", "init")
        self.assertEqual(self.rig.store.read_bytes(), before)

    def test_init_answers_in_json(self):
        told = self.must("init", "--json").json()
        self.assertEqual(told, {"store": str(self.rig.store), "key_file": f"{self.rig.store}.key"})

    def test_init_takes_a_key_from_the_environment_and_writes_no_file(self):
        key = {"BYWAY_MASTER_KEY": "ab" * 32}
        self.assertIsNone(self.must("init", "--json", environment=key).json()["key_file"])
        self.assertFalse(Path(f"{self.rig.store}.key").exists())
        self.must("endpoint", "list", environment=key)
        self.fails(3, "vault_kek_wrong", "endpoint", "list",
                   environment={"BYWAY_MASTER_KEY": "cd" * 32})

    def test_the_default_place_is_the_users_data_folder(self):
        place = {"BYWAY_STORE": "", "XDG_DATA_HOME": str(self.rig.folder / "data")}
        told = self.must("--json", "init", environment=place).json()
        self.assertEqual(told["store"], str(self.rig.folder / "data/byway/byway.db"))
        place["XDG_DATA_HOME"] = ""
        told = self.must("--json", "init", environment=place).json()
        self.assertEqual(told["store"], str(self.rig.folder / ".local/share/byway/byway.db"))

    def test_a_store_that_is_missing_is_exit_code_3(self):
        done = self.fails(3, "store_not_found", "endpoint", "list")
        self.assertEqual((done.out, done.err.count("\n")), ("", 1))
        done = self.run_byway("--json", "endpoint", "list")
        self.assertEqual((done.code, done.error()["code"]), (3, "store_not_found"))


class Usage(Command):
    def test_wrong_usage_is_exit_code_2(self):
        self.must("init")
        for arguments in ([], ["nonsense"], ["endpoint"], ["endpoint", "add"], ["chat"],
                          ["call", "--op", "sing"], ["call", "--attempts", "0"],
                          ["call", "--total-ms", "-1"], ["endpoint", "set", "demo", "novalue"],
                          ["endpoint", "add", "demo", "--url", CLOSED],
                          ["endpoint", "add", "demo", "--url", CLOSED, "--no-key", "--key-stdin"],
                          ["--store", "a", "--registry", "b", "endpoint", "list"],
                          ["call", "--header", "nocolon"], ["call", "--body", "/nowhere/x"]):
            with self.subTest(arguments):
                self.assertEqual(self.fails(2, "usage", *arguments).out, "")

    def test_a_misspelt_command_is_guessed(self):
        self.assertIn("did you mean `endpoint`", self.run_byway("enpoint", "list").err)
        self.assertIn("did you mean `rotate`", self.run_byway("endpoint", "rotat", "x").err)
        self.assertNotIn("did you mean", self.run_byway("xylophone").err)

    def test_wrong_usage_answers_in_json(self):
        done = self.run_byway("--json", "nonsense")
        self.assertEqual((done.code, done.error()["code"]), (2, "usage"))

    def test_every_command_has_help_and_every_group_an_example(self):
        groups = ("init", "endpoint", "chat", "call", "explain", "vault")
        for words in [*([group] for group in groups),
                      *(["endpoint", word] for word in ("add", "set", "rotate", "export", "test"))]:
            with self.subTest(words):
                self.assertIn("Example", self.must(*words, "--help").out)
        for word in ("list", "show", "enable", "disable", "remove", "import"):
            self.assertIn("Usage", self.must("endpoint", word, "--help").out)

    def test_a_bad_value_is_exit_code_2_with_its_own_code(self):
        self.must("init")
        add = ("endpoint", "add", "--no-probe", "--no-key", "--url")
        self.fails(2, "registry_slug_invalid", *add, CLOSED, "No")
        self.fails(2, "registry_url_invalid", *add, "ftp://example.com", "demo")
        self.fails(2, "registry_url_insecure", *add, "http://example.com", "demo")
        self.fails(2, "net_ssrf_blocked", *add, "https://169.254.169.254", "demo")
        self.fails(2, "registry_field_invalid", *add, CLOSED, "demo", "--dialect", "klingon")
        self.fails(2, "registry_field_invalid", *add, CLOSED, "demo", "--extra", "[1]")


class Endpoints(Command):
    def test_a_key_from_standard_input_is_sealed_and_shown_by_four_letters(self):
        self.with_endpoint()
        done = self.must("endpoint", "list")
        self.assertIn("byo:demo", done.out)
        self.assertIn(CANARY[:4] + "...", done.out)
        told = self.must("endpoint", "show", "demo", "--json").json()
        self.assertEqual((told["slug"], told["key"], told["key_generation"], told["key_opens"]),
                         ("demo", CANARY[:4] + "...", 1, True))
        self.assertEqual(self.must("endpoint", "list", "--json").json(), [told])

    def test_a_key_from_the_environment_works_as_well(self):
        self.must("init")
        self.must("endpoint", "add", "demo", "--url", standin.url, "--key-env", "DEMO_KEY",
                  environment={"DEMO_KEY": CANARY})
        self.must("endpoint", "test", "demo")
        self.fails(2, "vault_secret_invalid", "endpoint", "add", "other", "--url", standin.url,
                   "--key-env", "NOT_SET_ANYWHERE")

    def test_keys_of_a_dialect_are_changed_by_json(self):
        self.must("init")
        own = {"extends": "vllm", "stream": {"finish": "optional"}}
        self.add_unprobed("demo", CLOSED, "--no-key", "--dialect", json.dumps(own))
        self.assertEqual(self.must("endpoint", "show", "demo", "--json").json()["dialect"], own)
        self.assertRegex(self.must("endpoint", "list").out, r"byo:demo .* changed\n")
        self.assertIn("vllm (changed)", self.must("explain", "--model", "byo:demo/m").out)
        own["transport"] = {"stall_ms": 7}
        self.must("endpoint", "set", "demo", "dialect=" + json.dumps(own))
        self.assertIn('"stall_ms":7', self.must("endpoint", "show", "demo").out)
        moved = str(self.rig.folder / "moved.toml")
        self.must("endpoint", "export", moved)
        self.must("endpoint", "remove", "demo")
        self.must("endpoint", "import", moved)
        self.assertEqual(self.must("endpoint", "show", "demo", "--json").json()["dialect"], own)
        for wrong in ('{"colour":"red"}', '{"stream":{"finish":1}}', "{"):
            self.fails(2, "registry_field_invalid", "endpoint", "set", "demo", "dialect=" + wrong)

    def test_one_line_feed_is_taken_off_a_key_and_no_more(self):
        self.must("init")
        add = ("endpoint", "add", "demo", "--url", standin.url, "--no-probe", "--key-stdin")
        self.fails(2, "vault_secret_invalid", *add, given=CANARY + "\n\n")
        self.fails(2, "vault_secret_invalid", *add, given="\n")
        self.must(*add, given=CANARY)

    def test_what_the_probe_found_is_in_the_answer(self):
        self.must("init")
        told = self.must("--json", "endpoint", "add", "demo", "--url", standin.url, "--key-stdin",
                         given=CANARY).json()
        self.assertEqual(list(told), ["endpoint", "warnings", "probe"])
        probe = told["probe"]
        self.assertEqual({name: probe[name] for name in
                          ("usable", "reachable", "tls", "key_accepted", "model", "model_known",
                           "models_listed", "chat", "stream", "usage_in_stream", "context_length",
                           "embeddings", "problem")},
                         {"usable": True, "reachable": True, "tls": None, "key_accepted": True,
                          "model": "hello", "model_known": True, "models_listed": 2, "chat": True,
                          "stream": True, "usage_in_stream": True, "context_length": 4096,
                          "embeddings": None, "problem": None})
        self.assertIn("x-ratelimit-limit-requests", probe["rate_headers"])

    def test_a_server_that_cannot_be_used_is_not_saved(self):
        self.must("init")
        done = self.fails(1, "upstream_error", "endpoint", "add", "wrong", "--url", standin.url,
                          "--key-stdin", given="sk-another-key-000000")
        self.assertRegex(done.out, r"key accepted +no")
        done = self.fails(1, "upstream_error", "endpoint", "add", "gone", "--url", CLOSED,
                          "--no-key")
        self.assertRegex(done.out, r"reachable +no")
        self.fails(1, "upstream_error", "endpoint", "add", "other", "--url", standin.url,
                   "--key-stdin", "--model", "no-such-model", given=CANARY)
        self.assertEqual(self.must("endpoint", "list", "--json").json(), [])
        self.assertEqual(list(self.rig.temporary.iterdir()), [])

    def test_a_probe_that_ctrl_c_ends_leaves_nothing_behind(self):
        self.must("init")
        process = self.rig.start("endpoint", "add", "slow", "--url", slow.url, "--no-key")
        until = time.monotonic() + 5
        while not any(self.rig.temporary.iterdir()) and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(10), 130)
        self.assertEqual(list(self.rig.temporary.iterdir()), [])
        self.assertEqual(self.must("endpoint", "list", "--json").json(), [])

    def test_without_a_probe_it_says_what_was_not_checked(self):
        self.must("init")
        done = self.must("endpoint", "add", "gone", "--url", CLOSED, "--no-key", "--no-probe")
        self.assertIn("Not checked", done.err)
        self.fails(1, "upstream_error", "endpoint", "test", "gone")

    def test_a_slug_is_added_once(self):
        self.with_endpoint()
        self.fails(1, "registry_duplicate_slug", "endpoint", "add", "demo", "--url", standin.url,
                   "--no-key")

    def test_a_pasted_operation_is_cut_off_with_a_warning(self):
        self.must("init")
        done = self.must("endpoint", "add", "demo", "--url", standin.url + "/chat/completions",
                         "--key-stdin", given=CANARY)
        self.assertIn("byway: warning:", done.err)
        self.assertEqual(self.must("endpoint", "show", "demo", "--json").json()["base_url"],
                         standin.url)

    def test_fields_are_set_all_or_none(self):
        self.with_endpoint()
        self.must("endpoint", "set", "demo", "allow=hello,acme/hello-large", "region=eu",
                  "timeouts.total_ms=9000", "name=A name = this")
        told = self.must("endpoint", "show", "demo", "--json").json()
        self.assertEqual((told["allow"], told["region"], told["timeouts"]["total_ms"],
                          told["name"]),
                         (["hello", "acme/hello-large"], "eu", 9000, "A name = this"))
        self.fails(2, "registry_field_invalid", "endpoint", "set", "demo", "region=us", "colour=1")
        self.assertEqual(self.must("endpoint", "show", "demo", "--json").json()["region"], "eu")
        self.fails(1, "byo_model_not_allowed", "chat", "byo:demo/other", "Hello")

    def test_another_host_needs_the_key_again(self):
        self.with_endpoint()
        elsewhere = "base_url=http://localhost:1/v1"
        self.fails(1, "vault_origin_changed", "endpoint", "set", "demo", elsewhere)
        self.must("endpoint", "set", "demo", elsewhere, "--key-stdin", given=CANARY + "x")

    def test_a_disabled_endpoint_refuses_until_it_is_enabled(self):
        self.with_endpoint()
        self.must("endpoint", "disable", "demo")
        self.fails(1, "byo_endpoint_disabled", "chat", "byo:demo/hello", "Hello")
        self.must("endpoint", "enable", "demo")
        self.must("chat", "byo:demo/hello", "Hello")

    def test_a_key_is_rotated(self):
        self.with_endpoint()
        self.fails(1, "vault_no_change", "endpoint", "rotate", "demo", "--key-stdin", given=CANARY)
        told = self.must("--json", "endpoint", "rotate", "demo", "--key-stdin",
                         given="sk-another-key-000000").json()
        self.assertEqual(told["key_generation"], 2)
        self.fails(1, "upstream_error", "chat", "byo:demo/hello", "Hello")
        self.fails(2, "usage", "endpoint", "rotate", "demo")

    def test_a_removed_endpoint_is_gone_and_its_slug_free(self):
        self.with_endpoint()
        self.assertEqual(self.must("--json", "endpoint", "remove", "demo").json(),
                         {"removed": "demo"})
        self.fails(1, "byo_endpoint_not_found", "endpoint", "show", "demo")
        self.fails(1, "byo_endpoint_not_found", "endpoint", "remove", "demo")
        self.add_unprobed("demo", CLOSED)

    def test_the_registry_travels_as_toml_with_sealed_keys(self):
        self.with_endpoint()
        file = self.rig.folder / "out.toml"
        self.must("endpoint", "export", file)
        self.assertEqual(self.must("endpoint", "export").out, file.read_text())
        key = ("--master-key-file", f"{self.rig.store}.key")
        other = {"BYWAY_STORE": str(self.rig.folder / "other.db")}
        self.must("init", *key, environment=other)
        self.must("endpoint", "import", file, *key, environment=other)
        self.must("endpoint", "test", "demo", *key, environment=other)
        self.must("--registry", file, *key, "chat", "byo:demo", "Hello")
        third = {"BYWAY_STORE": str(self.rig.folder / "third.db")}
        self.must("init", environment=third)
        self.fails(3, "vault_kek_wrong", "endpoint", "import", file, environment=third)

    def test_a_registry_file_is_read_only(self):
        file = self.rig.folder / "byway.toml"
        file.write_text(f'[[endpoint]]\nslug = "demo"\nbase_url = "{standin.url}"\n'
                        'key = "env:DEMO_KEY"\n')
        demo = {"DEMO_KEY": CANARY}
        self.must("--registry", file, "endpoint", "test", "demo", environment=demo)
        self.fails(3, "registry_read_only", "--registry", file, "endpoint", "remove", "demo",
                   environment=demo)
        file.write_text('[[endpoint]]\nslug = "demo"\ncolour = 1\n')
        self.fails(3, "registry_invalid_file", "--registry", file, "endpoint", "list")

    def test_the_probe_says_what_more_works_when_asked(self):
        self.with_endpoint()
        told = self.must("endpoint", "test", "demo", "--thorough", "--json").json()
        self.assertEqual((told["tools"], told["json_schema"], told["embeddings"],
                          told["dimensions"]), (True, True, True, 8))
        self.assertEqual([step["name"] for step in told["steps"]],
                         ["models", "chat", "stream", "tools", "json_schema", "logprobs", "echo",
                          "embeddings"])
        shown = self.must("endpoint", "show", "demo", "--json").json()["capabilities"]
        self.assertEqual((shown["tools"], shown["dimensions"], shown["probed_at"]),
                         (True, 8, told["probed_at"]))
        self.assertRegex(self.must("endpoint", "show", "demo").out, r"last probe +20.*usable")
        plan = self.must("explain", "--model", "byo:demo/hello", "--json").json()
        self.assertEqual(plan["capabilities"], shown)
        done = self.fails(1, "upstream_error", "endpoint", "test", "demo", "--model", "no-such")
        self.assertRegex(done.out, r"model known +no")


class Calls(Command):
    def test_a_call_prints_the_upstreams_bytes(self):
        self.with_endpoint()
        done = self.must("call", "--model", "byo:demo/hello", given=HELLO)
        request = urllib.request.Request(
            standin.url + "/chat/completions", json.dumps({"model": "hello", "messages": [
                {"role": "user", "content": "Hello"}]}).encode(),
            {"Authorization": f"Bearer {CANARY}"})
        with urllib.request.urlopen(request) as answer:
            self.assertEqual(done.out, answer.read().decode())

    def test_a_body_comes_from_a_file_too(self):
        self.with_endpoint()
        body = self.rig.folder / "body.json"
        body.write_text('{"model":"byo:demo/hello","input":["a","b"]}')
        record = self.record("--op", "embeddings", "--body", body)
        self.assertEqual([len(vector) for vector in record["embeddings"]], [8, 8])
        self.assertEqual((record["text"], record["items"], record["finish"]), ("", None, None))

    def test_events_of_a_stream_come_one_on_a_line(self):
        self.with_endpoint()
        done = self.must("call", "--stream", "--model", "byo:demo/hello", given=HELLO)
        events = [json.loads(line) for line in done.out.splitlines()]
        self.assertGreater(len(events), 10)
        self.assertEqual(events[-1]["choices"][0]["finish_reason"], "stop")

    def test_the_record_of_a_good_call(self):
        self.with_endpoint()
        record = self.record("--model", "byo:demo/hello", given=HELLO)
        self.assertIn('You said: "Hello"', record["text"])
        self.assertEqual(record["usage"], {"prompt_tokens": 1, "completion_tokens": 26,
                                           "total_tokens": 27})
        self.assertEqual((record["finish"], record["deltas"], record["attempts"],
                          record["provider"], record["model_served"], record["status"],
                          record["tools"], record["notes"]),
                         ("stop", 0, 1, "byo:demo", "hello", 200, [], []))
        self.assertRegex(record["request_id"], "^bw-req-[0-9A-Z]{26}$")

    def test_a_stream_gives_the_same_record_but_for_its_deltas(self):
        self.with_endpoint()
        whole = self.record("--model", "byo:demo/hello", given=HELLO)
        body = HELLO[:-1] + ',"stream_options":{"include_usage":true}}'
        streamed = self.record("--stream", "--model", "byo:demo/hello", given=body)
        self.assertEqual(streamed["deltas"], 26)
        for name in ("deltas", "request_id", "latency_ms", "overhead_us"):
            whole.pop(name), streamed.pop(name)
        self.assertEqual(whole, streamed)

    def test_the_record_of_models_lists_their_ids(self):
        self.with_endpoint()
        self.assertEqual(self.record("--op", "models", "--model", "byo:demo")["items"],
                         ["hello", "acme/hello-large"])

    def test_the_record_of_a_refused_key(self):
        self.must("init")
        self.rig.must("endpoint", "add", "demo", "--url", standin.url, "--no-probe", "--key-stdin",
                      given="sk-wrong-key-0000000")
        record = self.record("--model", "byo:demo/hello", given=HELLO)
        error = record["error"]
        self.assertEqual((error["code"], error["class"], error["status"], error["sent"],
                          error["retryable"]), ("upstream_error", "auth", 401, "yes", False))
        self.assertEqual((record["provider"], record["status"], record["attempts"]),
                         ("byo:demo", 401, 1))

    def test_the_record_of_an_unknown_model(self):
        self.with_endpoint()
        error = self.record("--model", "byo:demo/no-such", given=HELLO)["error"]
        self.assertEqual((error["class"], error["status"]), ("not_found_model", 404))

    def test_the_record_of_a_server_that_is_not_there(self):
        self.must("init")
        self.add_unprobed("gone", CLOSED)
        record = self.record("--model", "byo:gone/hello", given=HELLO)
        error = record["error"]
        self.assertEqual((error["class"], error["cause"], error["status"], error["sent"]),
                         ("unavailable", "net_connect_failed", None, "no"))
        self.assertIsNone(record["status"])

    def test_the_record_of_a_call_that_took_too_long(self):
        self.must("init")
        self.add_unprobed("slow", slow.url)
        begin = time.monotonic()
        for flag, cause in (("--first-byte-ms", "timeout_first_byte"),
                            ("--total-ms", "timeout_total")):
            error = self.record("--model", "byo:slow/hello", flag, "100", given=HELLO)["error"]
            self.assertEqual((error["class"], error["cause"]), ("timeout", cause))
        error = self.record("--stream", "--model", "byo:slow/hello", "--first-token-ms", "100",
                            given=HELLO)["error"]
        self.assertEqual((error["class"], error["cause"]), ("timeout", "timeout_first_token"))
        self.assertLess(time.monotonic() - begin, 6)

    def test_the_record_of_a_cut_stream_holds_what_had_arrived(self):
        self.must("init")
        self.add_unprobed("slow", slow.url)
        record = self.record("--stream", "--model", "byo:slow/hello", "--total-ms", "700",
                             given=HELLO)
        self.assertEqual((record["ok"], record["text"], record["deltas"]),
                         (False, "Hello! You", 2))

    def test_the_record_of_our_own_refusals(self):
        self.with_endpoint()
        for model, given, code in (("byo:none/x", HELLO, "byo_endpoint_not_found"),
                                   ("hello", HELLO, "byo_endpoint_not_found"),
                                   ("Hello/x", HELLO, "request_invalid_model"),
                                   ("byo:demo/hello", "{", "request_invalid_json")):
            error = self.record("--model", model, given=given)["error"]
            self.assertEqual((error["code"], error["class"], error["sent"]), (code, None, "no"))
        error = self.record("--model", "byo:demo/hello", "--key", "bw_live_x", given=HELLO)["error"]
        self.assertEqual(error["code"], "invalid_api_key")
        error = self.record("--model", "byo:demo/hello", given=HELLO,
                            environment={"BYWAY_KEY": "bw_live_x"})["error"]
        self.assertEqual(error["code"], "invalid_api_key")

    def test_a_record_comes_even_when_the_store_does_not_open(self):
        error = self.record("--model", "byo:demo/hello", given=HELLO)["error"]
        self.assertEqual(error["code"], "store_not_found")

    def test_a_failed_call_is_one_line_on_standard_error(self):
        self.with_endpoint()
        done = self.fails(1, "upstream_error", "call", "--model", "byo:demo/no", given=HELLO)
        self.assertEqual((done.out, done.err.count("\n")), ("", 1))
        done = self.run_byway("call", "--json", "--model", "byo:demo/no", given=HELLO)
        self.assertEqual(done.error()["code"], "upstream_error")

    def test_explain_says_what_would_be_done_and_does_nothing(self):
        self.must("init")
        self.add_unprobed("gone", CLOSED)
        told = self.must("explain", "--model", "byo:gone/m/x", "--total-ms", "7", "--json").json()
        self.assertEqual((told["ok"], told["provider"], told["model"], told["url"],
                          told["key_generation"], told["timeouts"]["total_ms"], told["refusal"]),
                         (True, "byo:gone", "m/x", CLOSED + "/chat/completions", 0, 7, None))
        done = self.run_byway("explain", "--model", "byo:none/x", "--json")
        self.assertEqual((done.code, done.json()["ok"], done.json()["refusal"]["code"]),
                         (1, False, "byo_endpoint_not_found"))
        self.fails(1, "byo_endpoint_not_found", "explain", "--model", "byo:none/x")


class Chats(Command):
    def test_the_answer_is_on_standard_output_and_the_rest_beside_it(self):
        self.with_endpoint()
        done = self.must("chat", "byo:demo/hello", "Good day")
        self.assertRegex(done.out, '^Hello! You said: "Good day" [^\x1b]*would\\.\n$')
        self.assertRegex(done.err, r"^byo:demo hello \| 2 \+ 27 tokens \| [\d.]+ s, first token "
                                   r"[\d.]+ s \| overhead \d+ us\n$")

    def test_a_prompt_comes_from_standard_input_and_a_model_from_the_endpoint(self):
        self.with_endpoint()
        self.assertIn('said: "From afar"', self.must("chat", "byo:demo", given="From afar").out)
        self.add_unprobed("bare", CLOSED)
        self.fails(1, "request_invalid_model", "chat", "byo:bare", "Hello")

    def test_options_reach_the_model(self):
        self.with_endpoint()
        done = self.must("chat", "byo:demo", "Hello", "--max-tokens", "2", "--system", "Be brief",
                         "--temperature", "0")
        self.assertEqual(done.out, "Hello! You\n")
        self.assertIn("| 3 + 2 tokens |", done.err)
        self.assertIn("finish length", done.err)

    def test_json_gives_the_record(self):
        self.with_endpoint()
        record = self.must("chat", "--json", "byo:demo", "Hello").json()
        self.assertEqual((list(record), record["ok"]), (RECORD, True))

    def test_ctrl_c_ends_the_call_and_exits_with_130(self):
        self.must("init")
        self.add_unprobed("slow", slow.url)
        for command in (["chat", "byo:slow/hello", "Hello"],
                        ["call", "--record", "--model", "byo:slow/hello"]):
            with self.subTest(command):
                process = self.rig.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE)
                process.stdin.write(HELLO)
                process.stdin.close()
                if command[0] == "chat":
                    self.assertEqual(process.stdout.read(1), "H")
                else:
                    time.sleep(0.5)
                begin = time.monotonic()
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(10), 130)
                self.assertLess(time.monotonic() - begin, 2)
                out, err = process.stdout.read(), process.stderr.read()
                process.stdout.close(), process.stderr.close()
                self.assertEqual(err, "")
                if command[0] == "call":
                    self.assertEqual(json.loads(out)["error"]["code"], "request_cancelled")

    def test_a_reader_that_goes_away_ends_the_call_quietly(self):
        self.must("init")
        self.add_unprobed("slow", slow.url)
        process = self.rig.start("chat", "byo:slow/hello", "Hello", stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        self.assertEqual(process.stdout.read(1), "H")
        process.stdout.close()
        self.assertEqual(process.wait(10), 1)
        self.assertEqual(process.stderr.read(), "")
        process.stderr.close()

    def on_terminal(self, *arguments, typed):
        """What a terminal shows of a command, with its exit code."""
        ours, theirs = pty.openpty()
        process = self.rig.start(*arguments, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        shown = b""
        while chunk := read_terminal(ours):
            shown += chunk
            if typed and b": " in shown:
                os.write(ours, typed.encode())
                typed = ""
        os.close(ours)
        self.rig.outputs.append(shown.decode())
        return process.wait(10), shown.decode()

    def test_a_terminal_is_not_moved_by_what_a_model_says(self):
        self.with_endpoint()
        prompt = "up\x1b[2J and\u009b2J away"
        code, shown = self.on_terminal("chat", "byo:demo", prompt, typed="")
        self.assertEqual(code, 0)
        self.assertIn("up [2J and 2J away", shown)
        self.assertIn("\x1b[2mbyo:demo", shown)
        self.assertIn(prompt, self.must("chat", "byo:demo", prompt).out)

    def test_a_key_that_is_typed_is_not_shown(self):
        self.must("init")
        code, shown = self.on_terminal("endpoint", "add", "demo", "--url", standin.url,
                                       "--key-stdin", typed=CANARY + "\n")
        self.assertEqual(code, 0, shown)
        self.assertIn("not shown", shown)

    def test_a_full_disk_is_a_failure(self):
        self.with_endpoint()
        with open("/dev/full", "w") as full:
            process = self.rig.start("chat", "byo:demo", "Hello", stdout=full,
                                     stderr=subprocess.PIPE)
            _, err = process.communicate(timeout=30)
        self.assertEqual((process.returncode, err),
                         (1, "byway: output: standard output cannot be written\n"))


class Vaults(Command):
    def test_every_key_opens_before_and_after_a_new_master_key(self):
        self.with_endpoint()
        old = Path(f"{self.rig.store}.key").read_bytes()
        self.assertEqual(self.must("vault", "check", "--json").json(), {"records": 1, "broken": []})
        told = self.must("vault", "rotate-master", "--json").json()
        self.assertEqual(told, {"version": 2, "rewrapped": 1, "broken": []})
        self.assertNotEqual(Path(f"{self.rig.store}.key").read_bytes(), old)
        told = self.must("vault", "status", "--json").json()
        self.assertFalse(told["rotating"])
        active = [key for key in told["master_keys"] if key["state"] == "active"]
        self.assertEqual([(key["version"], key["records"], key["present"]) for key in active],
                         [(2, 1, True)])
        self.assertIn("1 open", self.must("vault", "check").out)
        self.must("chat", "byo:demo", "Hello")


if __name__ == "__main__":
    unittest.main()
