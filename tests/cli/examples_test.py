#!/usr/bin/env python3
"""The programs of the guide, as a reader runs them, against the stand-in server."""
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from rig import BIN, CANARY, WAIT_SECONDS, Rig, Standin  # noqa: E402

EXAMPLES = Path(os.environ["BYWAY_SOURCE_DIR"]) / "examples"


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.standin = Standin("--key", CANARY, "--delay-ms", "1")
        cls.rig = Rig()
        cls.rig.must("init")
        cls.rig.must("endpoint", "add", "demo", "--url", cls.standin.url, "--key-stdin",
                     given=CANARY)

    @classmethod
    def tearDownClass(cls):
        cls.rig.close()
        assert cls.standin.end() == 0

    def run_example(self, name, *arguments, environment=None):
        done = subprocess.run([BIN / name, *arguments], capture_output=True, text=True,
                              env={**self.rig.environment, **(environment or {})},
                              timeout=WAIT_SECONDS)
        self.assertNotIn(CANARY, done.stdout + done.stderr)
        return done

    def on_store(self, name):
        done = self.run_example(name, str(self.rig.store), "byo:demo/hello")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_a_call_prints_text_and_provider(self):
        self.assertRegex(self.on_store("01_call"), r'^Hello! You said: "Hello" .*\nbyo:demo\n$')

    def test_a_stream_prints_text_and_how_it_ended(self):
        self.assertRegex(self.on_store("02_stream"),
                         r'^Hello! You said: "Hello" .*\nfinish stop, 26 tokens\n$')

    def test_a_coroutine_awaits_two_calls(self):
        first, second = self.on_store("03_coroutine").splitlines()
        self.assertIn('"one"', first)
        self.assertIn('"two"', second)

    def test_a_registry_file_names_its_endpoints_and_embeds(self):
        file = self.rig.folder / "byway.toml"
        text = (EXAMPLES / "byway.toml").read_text()
        file.write_text(text.replace("http://127.0.0.1:8000/v1", self.standin.url))
        done = self.run_example("04_registry_file", str(file), "byo:local/hello",
                                environment={"MY_KEY": CANARY})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout,
                         f"local {self.standin.url} key {CANARY[:4]}...\n2 vectors of 8\n")

    def test_a_customer_key_calls_until_it_is_revoked(self):
        self.assertRegex(self.on_store("05_customer_key"),
                         r'^Hello! You said: "Hello" .*\ninvalid_api_key \(revoked\)\n$')

    def test_a_policy_of_ones_own_is_asked_and_told_how_the_call_ended(self):
        file = self.rig.folder / "policy.toml"
        file.write_text(f'[[endpoint]]\nslug = "demo"\nbase_url = "{self.standin.url}"\n'
                        f'key = "env:MY_KEY"\n')
        done = self.run_example("06_policy", str(file), "byo:demo/hello",
                                environment={"MY_KEY": CANARY})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r'^Hello! You said: "Hello"')
        self.assertRegex(done.stderr, r"^bw-req-\w{26} byo:demo/hello: ok\n$")

    def test_metadata_is_told_as_headers_of_a_failure_too(self):
        told = self.on_store("07_metadata")
        self.assertIn("x-byway-provider: byo:demo\n", told)
        self.assertRegex(told, r"x-byway-request-id: bw-req-\w{26}\n")
        done = self.run_example("07_metadata", str(self.rig.store), "byo:nobody/hello")
        self.assertEqual(done.returncode, 1)
        self.assertIn("x-byway-attempts: 0\n", done.stdout)

    def test_wrong_use_says_what_is_right(self):
        for name in ("01_call", "02_stream", "03_coroutine", "04_registry_file", "05_customer_key",
                     "06_policy", "07_metadata"):
            done = self.run_example(name)
            self.assertEqual(done.returncode, 2)
            self.assertIn("usage: ", done.stderr)
            self.assertIn(name, done.stderr)

    def test_a_failure_is_told_and_is_exit_code_1(self):
        for name in ("01_call", "02_stream", "03_coroutine"):
            done = self.run_example(name, str(self.rig.store), "byo:demo/no-such-model")
            self.assertEqual(done.returncode, 1)
            self.assertIn("upstream_error", done.stderr)
            done = self.run_example(name, "/nowhere/byway.db", "byo:demo/hello")
            self.assertEqual(done.returncode, 1)

    def test_the_guide_shows_the_examples_as_they_are(self):
        examples = "".join(path.read_text() for path in EXAMPLES.glob("*.*"))
        shown = 0
        for page in (EXAMPLES.parent / "docs/guide").glob("*.md"):
            for block in re.findall(r"^```(?:cpp|toml)\n(.*?)^```", page.read_text(), re.M | re.S):
                shown += 1
                self.assertIn(block, examples, page.name)
        self.assertGreater(shown, 2)

    def test_an_example_is_short(self):
        for path in EXAMPLES.glob("0*.cpp"):
            self.assertLess(path.read_text().count("\n"), 60, path.name)


if __name__ == "__main__":
    unittest.main()
