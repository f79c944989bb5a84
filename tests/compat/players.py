"""Plays the transcripts to Byway and to the official clients, each with a player of its own."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import judge

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TRANSCRIPTS = ROOT / "tests/wire/transcripts"
KEY = "sk-wire-canary-7d2f9c41aa05"
CALL_MS = 10_000
# Limits that the client's API can express; where a transcript's failure is that another limit
# passed, the client is not judged.
LIMITS = {"npm": {"first-byte-ms"}, "pypi": {"first-byte-ms", "stall-ms"}}


class Unavailable(Exception):
    """A client cannot be had on this machine; says why."""


def binaries():
    return Path(os.environ.get("BYWAY_BIN_DIR", ROOT / "build/release/bin"))


def cache():
    base = os.environ.get("BYWAY_CACHE") or \
        os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "byway")
    return Path(base) / "compat"


def all_runs():
    """The runs that one command makes: not several calls, nor a look that only the library has."""
    for name in ("byway", "wire-player"):
        if not (binaries() / name).exists():
            raise Unavailable(f"{binaries() / name} is not there: build it, or set BYWAY_BIN_DIR")
    done = subprocess.run([binaries() / "wire-player", "--dir", TRANSCRIPTS, "--list"],
                          capture_output=True, text=True, check=True)
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    return [run for run in runs if run["name"].startswith("T") and not run["is_library_only"]]


@contextlib.contextmanager
def player():
    """A fresh player; gives its address, and afterwards how often a redirect was followed."""
    seen = {}
    with subprocess.Popen([binaries() / "wire-player", "--dir", TRANSCRIPTS, "--port", "0"],
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            seen["url"] = process.stdout.readline().rsplit(" ", 1)[1].strip().rstrip("/")
            yield seen
        finally:
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read()
            process.wait(20)
    seen["strays"] = int(rest.split(" connections where", 1)[0].rsplit("\n", 1)[-1])


def play_byway(runs):
    results = {}
    with player() as seen, tempfile.TemporaryDirectory(prefix="byway-compat-") as folder:
        registry = Path(folder) / "byway.toml"
        for run in runs:
            lines = ["[[endpoint]]", f'slug = "{run["slug"]}"', f"dialect = '{run['dialect']}'",
                     f'base_url = "{seen["url"]}{run["base"]}"',
                     f'headers = ["x-wire: {run["name"]}"]', *run["lines"]]
            lines += ['key = "env:WIRE_KEY"'] if run["has_key"] else []
            registry.write_text("\n".join(lines) + "\n")
            is_models = run["options"].get("op") == "models"
            words = [binaries() / "byway", "--registry", registry, "call", "--record", "--model",
                     f"byo:{run['slug']}" + ("" if is_models else f"/{run['model']}")]
            for name, value in run["options"].items():
                words += ["--" + name] + ([value] if value else [])
            done = subprocess.run(words, input=run["body"], capture_output=True, text=True,
                                  env={**os.environ, "WIRE_KEY": KEY}, check=False)
            try:
                results[run["name"]] = judge.judge_record(run, json.loads(done.stdout))
            except ValueError:
                results[run["name"]] = "no record: " + done.stderr.strip()
    return results, seen["strays"]


def job_of(run, url, way):
    options = run["options"]
    return {"url": f"{url}/{run['name']}{run['base']}", "key": KEY, "way": way,
            "op": options.get("op", "chat"), "stream": "stream" in options,
            "body": {"model": run["model"], **(json.loads(run["body"]) if run["body"] else {})},
            "total_ms": CALL_MS,
            "first_byte_ms": int(options.get("first-byte-ms", 0)),
            "stall_ms": int(options.get("stall-ms", 0))}


def is_judged(run, client, way):
    """Whether the client has the operation, and its API the means."""
    operation = run["options"].get("op", "chat")
    if operation == "rerank" or "attempts" in run["options"] or run["dialect"].startswith("{"):
        return False
    # The transcripts leave out Responses events that the helpers insist on.
    if way == "helper" and not (operation == "chat" and "stream" in run["options"]):
        return False
    error = judge.merged(run["records"]).get("error") or {}
    return error.get("class") != "timeout" or bool(LIMITS[client] & set(run["options"]))


def play_client(runs, client, way, command):
    asked = [run for run in runs if is_judged(run, client, way)]
    with player() as seen:
        jobs = "".join(json.dumps(job_of(run, seen["url"], way)) + "\n" for run in asked)
        done = subprocess.run(command, input=jobs, capture_output=True, text=True, check=False)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    if len(records) != len(asked):
        raise RuntimeError(f"{client} stopped after {len(records)} calls: {done.stderr[-500:]}")
    judged = {run["name"]: judge.judge_client(run, record) for run, record in zip(asked, records)}
    return {name: why for name, why in judged.items() if why is not None}, seen["strays"]


def install(home, wanted, commands, log):
    """Runs the commands once for this list of packages."""
    marker = home / "complete"
    if marker.exists() and marker.read_text() == wanted:
        return
    print(f"installing into {home}", file=sys.stderr)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    with open(log, "w", encoding="utf-8") as out:
        for command in commands:
            try:
                done = subprocess.run(command, stdout=out, stderr=out, cwd=home, check=False)
            except FileNotFoundError:
                raise Unavailable(f"{command[0]} is missing") from None
            if done.returncode != 0:
                raise Unavailable(f"{' '.join(map(str, command))} failed (is the registry "
                                  f"reachable?), see {log}")
    marker.write_text(wanted)


def npm_client():
    """The command that makes calls with the npm package, under the Node that it asks for."""
    wanted = (HERE / "package.json").read_text()
    home = cache() / "npm"
    cache().mkdir(parents=True, exist_ok=True)
    install(home, wanted,
            [["cp", HERE / "package.json", home],
             ["npm", "install", "--no-audit", "--no-fund", "--fetch-retries=0"]],
            cache() / "npm.log")
    # Packages are looked for beside the program.
    shutil.copy(HERE / "client.mjs", home / "client.mjs")
    return [home / "node_modules/node/bin/node", home / "client.mjs"]


def pypi_client():
    wanted = (HERE / "requirements.txt").read_text()
    home = cache() / "pypi"
    cache().mkdir(parents=True, exist_ok=True)
    install(home, wanted, [[sys.executable, "-m", "venv", home],
                           [home / "bin/pip", "--disable-pip-version-check", "install",
                            "--no-deps", "-r", HERE / "requirements.txt"]], cache() / "pypi.log")
    return [home / "bin/python", HERE / "client.py"]


def versions():
    node = json.loads((HERE / "package.json").read_text())["dependencies"]
    python = dict(line.split("==") for line in (HERE / "requirements.txt").read_text().split())
    return {"npm": f"openai {node['openai']}, Node {node['node']}",
            "pypi": f"openai {python['openai']}, Python {sys.version.split()[0]}"}
