#!/usr/bin/env python3
"""Writes docs/guide/errors.md from include/byway/error_codes.def; with --check only compares (exit 1 when they differ)."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
rows = re.findall(r'^BYWAY_ERROR\((\d+), (\w+), (\d+), (\w+), "([^"]*)"\)',
                  (root / "include/byway/error_codes.def").read_text(), re.M)
groups = {"10": "Vault", "11": "Registry", "12": "Network", "13": "Store", "14": "Policy", "15": "Request",
          "16": "Upstream", "19": "Internal"}
page = ["""# Errors

Every `Error` has a `code()` with a stable number and `name()`, a `message()` for people, and whether the request was
`sent()` (no, maybe, yes). `json()` gives OpenAI's shape, `status()` the HTTP status a server should answer with.

An upstream's failure is always `upstream_error`, with a class (`upstream_class()`), a cause in one word (`cause()`), the
upstream's own status (`http_status()`) and its own words, bounded and with keys masked (`detail()`). `status()` then goes by
class, so that a hopeless call never looks like one worth retrying:

| status | classes |
| --- | --- |
| 400 | invalid_request, unsupported, context_length, content_filter |
| 404 | not_found_model |
| 413 | payload_too_large |
| 424 | auth, quota, not_found_route, config_error |
| 429 | rate_limited |
| 502 | unavailable, upstream_error, stream_truncated, stream_error, protocol_error, cancelled |
| 503 | overloaded, unavailable_starting |
| 504 | timeout |
"""]
seen = None
for number, name, status, kind, meaning in rows:
    group = groups[number[:2]]
    if group != seen:
        page.append(f"## {group}\n\n| number | name | status | type | when |\n| --- | --- | --- | --- | --- |")
        seen = group
    page.append(f"| {number} | `{name}` | {status} | {kind} | {meaning} |")
    following = rows[rows.index((number, name, status, kind, meaning)) + 1:]
    if not following or groups[following[0][0][:2]] != group:
        page.append("")

text = "\n".join(page).rstrip() + "\n"
target = root / "docs/guide/errors.md"
if "--check" not in sys.argv:
    target.write_text(text)
elif target.read_text() != text:
    sys.exit("docs/guide/errors.md is not what error_codes.def says: run docs/guide/make_errors_page.py")
