#!/usr/bin/env python3
"""Caps as a person meets them: each call a process of its own, at a server that counts."""
import json
import random
import signal
import subprocess
import sys
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from rig import WAIT_SECONDS, Rig  # noqa: E402

REPLY = json.dumps({"choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 3, "completion_tokens": 2}}).encode()


class Counting:
    """A server of one answer that counts its requests."""

    def __init__(self, delay=0.0):
        self.seen = 0
        self.lock = threading.Lock()
        counting = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                with counting.lock:
                    counting.seen += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                threading.Event().wait(delay)
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(REPLY)))
                self.end_headers()
                self.wfile.write(REPLY)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # who calls may be killed midway
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


class Limits(unittest.TestCase):
    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)
        self.must = self.rig.must
        self.must("init")

    def serve(self, delay=0.0):
        server = Counting(delay)
        self.addCleanup(server.end)
        self.must("endpoint", "add", "demo", "--url", server.url, "--no-key", "--no-probe")
        return server

    def mint(self, *options):
        return self.must("key", "mint", *options, "--json").json()

    def start_calls(self, key, count):
        return [self.rig.start("call", "--op", "chat", "--model", "byo:demo/m", "--body", "-",
                               "--key", key, "--json", stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                for _ in range(count)]

    def codes(self, processes):
        """Of the calls that ended by themselves: "ok", or the error's code."""
        told = []
        for process in processes:
            _, err = process.communicate('{"messages":[]}', timeout=WAIT_SECONDS)
            if process.returncode >= 0:
                told.append("ok" if process.returncode == 0 else json.loads(err)["error"]["code"])
        return told

    def test_as_many_processes_as_there_are_units_are_let_through(self):
        server = self.serve()
        key = self.mint("--cap-day", "20")["key"]
        told = []
        for _ in range(4):
            told += self.codes(self.start_calls(key, 7))
        self.assertEqual(server.seen, 20)
        self.assertEqual(told.count("ok"), 20)
        self.assertEqual(told.count("spend_cap_exceeded"), 8)
        self.assertEqual(told[:14].count("spend_cap_exceeded"), 0)
        sums = self.must("usage", "--by", "key", "--json").json()
        self.assertEqual(sums["upstream"]["input_tokens"], 60)
        self.must("audit", "verify")

    def test_killed_processes_never_let_the_cap_be_passed_and_lose_no_record(self):
        server = self.serve(delay=0.05)
        minted = self.mint("--cap-day", "30")
        rng = random.Random(7)
        for _ in range(6):
            processes = self.start_calls(minted["key"], 6)
            for process in processes:
                process.stdin.write('{"messages":[]}')
                process.stdin.close()
            for process in processes:
                if rng.random() < 0.5:
                    time.sleep(rng.random() * 0.05)
                    process.send_signal(signal.SIGKILL)
            for process in processes:
                process.wait(WAIT_SECONDS)
                process.stdout.close()
                process.stderr.close()
        self.assertLessEqual(server.seen, 30)
        self.must("explain", "--model", "byo:demo/m", "--key", minted["key"])
        self.must("audit", "verify")
        records = [json.loads(line) for line in
                   self.must("audit", "tail", "-n", "1000", "--json").out.splitlines()]
        intents = [line for line in records if line["kind"] == "intent"]
        ended = [line["request_id"] for line in records if line["kind"] in ("outcome", "in_doubt")
                 and line["request_id"] in {intent["request_id"] for intent in intents}]
        self.assertGreaterEqual(len(intents), server.seen)
        self.assertEqual(len(ended), len(set(ended)))
        self.assertEqual(len(ended), len(intents))

    def test_explain_shows_what_is_left(self):
        self.serve()
        minted = self.mint("--cap-day", "5", "--rpm", "60/3")
        self.assertEqual(self.codes(self.start_calls(minted["key"], 2)), ["ok", "ok"])
        told = self.must("explain", "--model", "byo:demo/m", "--key", minted["key"],
                         "--json").json()
        left = {limit["name"]: limit["left"] for limit in told["limits"]}
        self.assertEqual(left["cap_day"], 3)
        self.assertIn("cap_day", self.must("explain", "--model", "byo:demo/m", "--key",
                                           minted["key"]).out)


if __name__ == "__main__":
    unittest.main()
