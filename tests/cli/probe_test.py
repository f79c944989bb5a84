#!/usr/bin/env python3
"""The probe against servers that have one oddity each (docs/design/0001-probe.md)."""
import json
import sys
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from rig import Rig  # noqa: E402

MODELS = {"object": "list", "data": [{"id": "m1", "meta": {"n_ctx": 512}}]}
CHAT = {"id": "c", "object": "chat.completion", "model": "m1", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
EMBEDDINGS = {"object": "list", "model": "m1", "data": [
    {"object": "embedding", "index": 0, "embedding": [0.5, 0.25, 1]}]}


def refused(status, message, code=None):
    return status, {"error": {"message": message, "type": "invalid_request_error", "param": None,
                              "code": code}}


def events(body):
    chunk = {"id": "c", "object": "chat.completion.chunk", "model": "m1"}
    yield {**chunk, "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]}
    yield {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}
    if body.get("stream_options", {}).get("include_usage"):
        yield {**chunk, "choices": [], "usage": CHAT["usage"]}


class Server:
    """Answers well, but for what `oddity(path, body)` answers instead."""

    def __init__(self, oddity):
        self.seen = []
        outer = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                self.answer(None)

            def do_POST(self):
                self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def answer(self, body):
                path = self.path.removeprefix("/v1/")
                outer.seen.append((path, body))
                status, said = oddity(path, body) or outer.good(path, body)
                kind = "application/json"
                if isinstance(said, str):
                    kind, bytes_ = "text/event-stream", said.encode()
                else:
                    bytes_ = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(bytes_)))
                self.end_headers()
                self.wfile.write(bytes_)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    @staticmethod
    def good(path, body):
        if path == "models":
            return 200, MODELS
        if path == "embeddings":
            return 200, EMBEDDINGS
        if path == "chat/completions" and body.get("stream"):
            return 200, "".join(f"data: {json.dumps(event)}\n\n" for event in events(body)) + \
                "data: [DONE]\n\n"
        return (200, CHAT) if path == "chat/completions" else refused(404, "Not Found")

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Probe(unittest.TestCase):
    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.close)
        self.rig.must("init")

    def probe(self, oddity, *options):
        """The report of `endpoint add`, and whether the endpoint was saved."""
        self.server = Server(oddity)
        self.addCleanup(self.server.close)
        done = self.rig.run("--json", "endpoint", "add", "odd", "--url", self.server.url,
                            "--no-key", *options)
        self.assertIn(done.code, (0, 1), done)
        is_saved = self.rig.run("endpoint", "show", "odd").code == 0
        report = done.json()["probe"]
        self.assertEqual((done.code == 0, is_saved), (report["usable"], report["usable"]), done)
        return report

    def expect(self, report, **fields):
        self.assertEqual({name: report[name] for name in fields}, fields, report)

    def test_a_server_without_oddities_is_asked_three_times_and_sent_one_word(self):
        report = self.probe(lambda path, body: None)
        self.expect(report, usable=True, chat=True, stream=True, usage_in_stream=True,
                    context_length=512, key_accepted=None, embeddings=None, model="m1")
        self.assertEqual(self.server.seen, [
            ("models", None),
            ("chat/completions", {"model": "m1", "stream": False, "max_tokens": 1,
                                  "messages": [{"role": "user", "content": "Hi"}]}),
            ("chat/completions", {"model": "m1", "stream": True, "max_tokens": 1,
                                  "stream_options": {"include_usage": True},
                                  "messages": [{"role": "user", "content": "Hi"}]})])

    def test_a_server_without_a_list_of_models_is_a_good_one(self):
        def oddity(path, body):
            return refused(404, "Not Found") if path == "models" else None
        self.expect(self.probe(oddity, "--model", "m1"), usable=True, models_listed=None, chat=True)

    def test_without_a_model_to_try_and_without_a_list_it_says_so(self):
        def oddity(path, body):
            return refused(404, "Not Found") if path == "models" else None
        self.expect(self.probe(oddity), usable=False, reachable=True, model=None)

    def test_max_completion_tokens_is_used_where_the_server_names_it(self):
        def oddity(path, body):
            if body and "max_tokens" in body:
                return refused(400, "Unsupported parameter: 'max_tokens' is not supported with "
                                    "this model. Use 'max_completion_tokens' instead.")
            return None
        self.expect(self.probe(oddity), usable=True, chat=True, stream=True)

    def test_a_server_that_refuses_stream_options_streams_without(self):
        def oddity(path, body):
            return refused(400, "stream_options: extra fields not permitted") \
                if body and "stream_options" in body else None
        self.expect(self.probe(oddity), usable=True, stream=True, usage_in_stream=False)
        done = self.rig.must("chat", "byo:odd/m1", "Hello")
        self.assertEqual(done.out, "a\n")
        self.assertIn("tokens not told", done.err)

    def test_a_whole_answer_to_a_stream_is_no_stream(self):
        def oddity(path, body):
            return (200, CHAT) if body and body.get("stream") else None
        self.expect(self.probe(oddity), usable=True, chat=True, stream=False)

    def test_a_server_of_embeddings_alone_is_usable(self):
        def oddity(path, body):
            return refused(404, "Not Found") if path == "chat/completions" else None
        self.expect(self.probe(oddity), usable=True, chat=False, completions=False,
                    embeddings=True, dimensions=3, stream=None)

    def test_a_tag_says_what_to_try_first(self):
        report = self.probe(lambda path, body: None, "--tag", "embeddings")
        self.expect(report, usable=True, embeddings=True, chat=None)
        self.assertEqual([path for path, _ in self.server.seen], ["models", "embeddings"])

    def test_a_server_that_wants_a_key_after_the_list_says_so(self):
        def oddity(path, body):
            return refused(401, "No key", "invalid_api_key") if path != "models" else None
        report = self.probe(oddity)
        self.expect(report, usable=False, reachable=True, key_accepted=False, models_listed=1)
        self.assertEqual(report["problem"]["class"], "auth")
        self.assertEqual(len(self.server.seen), 2)

    def test_a_server_that_is_loading_is_reached_and_not_usable(self):
        def oddity(path, body):
            return 503, {"error": {"message": "Loading model", "type": "unavailable_error",
                                   "code": 503}}
        report = self.probe(oddity, "--model", "m1")
        self.expect(report, usable=False, reachable=True)
        self.assertEqual(report["problem"]["class"], "unavailable_starting")

    def test_an_error_inside_200_is_an_error(self):
        def oddity(path, body):
            return (200, {"error": {"message": "Rate limited upstream", "code": 429}}) \
                if body else None
        report = self.probe(oddity)
        self.expect(report, usable=False, chat=False)
        self.assertEqual(report["problem"]["class"], "rate_limited")


if __name__ == "__main__":
    unittest.main()
