"""The conformance list: what a server that says it speaks OpenAI does, seen through Byway.

Every check is one or two `byway call --record` and gives one word for what was seen. "yes" is what
OpenAI does. differences/SERVER.json names each check that gives another word, with the reason; any
other deviation, in either direction, is a failure. Shapes are judged, never texts.
"""
import json
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = [{"type": "function", "function": {
    "name": "get_time", "description": "Tells the time",
    "parameters": {"type": "object", "properties": {}}}}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "flag", "schema": {
    "type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"],
    "additionalProperties": False}}}


class Server:
    """A registered server: `slug` with the right key, `wrong` with another."""

    def __init__(self, byway, registry, model, environment):
        self.byway, self.registry, self.model = byway, registry, model
        self.environment = environment

    def call(self, body=None, op="chat", stream=False, slug="real"):
        body = dict(body or {})
        if op == "chat":
            body.setdefault("messages", [{"role": "user", "content": "Count to one hundred."}])
        if op in ("chat", "completions"):
            # A drawn text may end before its bound.
            body.setdefault("temperature", 0)
        words = [self.byway, "--registry", self.registry, "call", "--model",
                 f"byo:{slug}" if op == "models" else f"byo:{slug}/{self.model}",
                 "--op", op, "--record", "--total-ms", "120000"] + ["--stream"] * stream
        done = subprocess.run(words, input=json.dumps(body) if op != "models" else "",
                              capture_output=True, text=True, env=self.environment, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise RuntimeError(f"no record of {op}: {done.stdout!r} {done.stderr!r}") from None


def word(record, *conditions):
    """yes, or what is wrong in a word."""
    if not record["ok"]:
        error = record["error"]
        return f"{error['class'] or error['code']} {error['status']}"
    return "yes" if all(conditions) else "no"


def failed(record, *classes):
    """Whether it failed as it should."""
    if record["ok"]:
        return "answered"
    return "yes" if record["error"]["class"] in classes else word(record)


def chat(server):
    got = server.call({"max_tokens": 8})
    return word(got, got["text"], got["finish"] == "length", got["usage"])


def max_completion_tokens(server):
    got = server.call({"max_completion_tokens": 4})
    return word(got, got["finish"] == "length", (got["usage"] or {}).get("completion_tokens") == 4)


def chat_stream(server):
    got = server.call({"max_tokens": 8}, stream=True)
    return word(got, got["text"], got["finish"] == "length", got["deltas"] > 0)


def stream_ends_with_done(server):
    got = server.call({"max_tokens": 2}, stream=True)
    return word(got, "no_done" not in got["notes"])


def usage_in_stream(server):
    got = server.call({"max_tokens": 8, "stream_options": {"include_usage": True}}, stream=True)
    return word(got, (got["usage"] or {}).get("completion_tokens") == 8)


def completions(server):
    got = server.call({"prompt": "One two three", "max_tokens": 4}, op="completions")
    return word(got, got["text"], got["usage"])


def completions_stream(server):
    got = server.call({"prompt": "One two three", "max_tokens": 4}, op="completions", stream=True)
    return word(got, got["text"])


def models(server):
    got = server.call(op="models")
    return word(got, server.model in (got["items"] or []))


def tool_call(server):
    got = server.call({"tools": TOOLS, "tool_choice": "required", "max_tokens": 64})
    return word(got, [tool["name"] for tool in got["tools"]] == ["get_time"])


def tool_call_stream(server):
    got = server.call({"tools": TOOLS, "tool_choice": "required", "max_tokens": 64}, stream=True)
    return word(got, [tool["name"] for tool in got["tools"]] == ["get_time"])


def json_schema(server):
    got = server.call({"response_format": SCHEMA, "max_tokens": 64, "temperature": 0})
    if not got["ok"]:
        return word(got)
    try:
        return word(got, list(json.loads(got["text"])) == ["ok"])
    except ValueError:
        return "no"


def embeddings(server):
    got = server.call({"input": ["a cat", "a dog"]}, op="embeddings")
    return word(got, len(got["embeddings"] or []) == 2)


def embeddings_base64(server):
    plain = server.call({"input": "a cat"}, op="embeddings")
    coded = server.call({"input": "a cat", "encoding_format": "base64"}, op="embeddings")
    if not (plain["ok"] and coded["ok"]):
        return word(coded if plain["ok"] else plain)
    pairs = zip(plain["embeddings"][0], coded["embeddings"][0], strict=True)
    return word(coded, all(abs(a - b) < 1e-4 for a, b in pairs))


def wrong_key(server):
    return failed(server.call({"max_tokens": 1}, slug="wrong"), "auth")


def context_overflow(server):
    long = {"messages": [{"role": "user", "content": "word " * 4000}], "max_tokens": 1}
    return failed(server.call(long), "context_length")


def context_overflow_stream(server):
    long = {"messages": [{"role": "user", "content": "word " * 4000}], "max_tokens": 1}
    return failed(server.call(long, stream=True), "context_length")


def bad_value(server):
    return failed(server.call({"max_tokens": "x"}), "invalid_request")


CHECKS = [chat, max_completion_tokens, chat_stream, stream_ends_with_done, usage_in_stream,
          completions, completions_stream, models, tool_call, tool_call_stream, json_schema,
          embeddings, embeddings_base64, wrong_key, context_overflow, context_overflow_stream,
          bad_value]


def compare(name, server):
    """Rows of (check, word, verdict); verdict is empty for OpenAI's behaviour."""
    expected = json.loads((HERE / "differences" / f"{name}.json").read_text())
    unknown = set(expected) - {check.__name__ for check in CHECKS}
    if unknown:
        raise RuntimeError(f"differences/{name}.json names no check: {sorted(unknown)}")
    rows = []
    for check in CHECKS:
        seen = check(server)
        wanted = expected.get(check.__name__, {"gives": "yes", "why": ""})
        rows.append((check.__name__, seen,
                     wanted["why"] if seen == wanted["gives"] else f"EXPECTED {wanted['gives']}"))
    return rows
