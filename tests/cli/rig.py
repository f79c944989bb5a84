"""What the tests of the command share: the stand-in server, a folder, and the command itself."""
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

BIN = Path(os.environ["BYWAY_BIN_DIR"])
CANARY = "sk-canary-2f8d1c7ab94e6035"
WAIT_SECONDS = 60


class Standin:
    """byway-standin on a port of its own, ended by its process id."""

    def __init__(self, *options):
        self.process = subprocess.Popen([BIN / "byway-standin", "--port", "0", *options],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rpartition(":")[2])
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def end(self):
        self.process.terminate()
        self.process.wait(WAIT_SECONDS)
        self.process.stdout.close()
        return self.process.returncode


class Done:
    """How a run of the command ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def error(self):
        """The error object of --json, which is one line on standard error."""
        return json.loads(self.err)["error"]

    def __repr__(self):
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


class Rig:
    """A folder with a store. Every output is searched for the canary key."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="byway-cli-"))
        self.store = self.folder / "byway.db"
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.outputs = []
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder),
                            "TMPDIR": str(self.temporary), "BYWAY_STORE": str(self.store)}
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS") or name == "LD_LIBRARY_PATH":
                self.environment[name] = value

    def close(self):
        shutil.rmtree(self.folder)

    def start(self, *arguments, environment=None, **options):
        return subprocess.Popen([BIN / "byway", *map(str, arguments)], text=True,
                                env={**self.environment, **(environment or {})}, **options)

    def run(self, *arguments, given="", environment=None):
        process = self.start(*arguments, environment=environment, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = process.communicate(given, timeout=WAIT_SECONDS)
        self.outputs.append(out + err)
        return Done(process.returncode, out, err)

    def must(self, *arguments, **options):
        done = self.run(*arguments, **options)
        if done.code != 0:
            raise AssertionError(f"byway {' '.join(map(str, arguments))}: {done}")
        return done

    def leaks(self):
        """Every place that holds the canary key in clear."""
        found = [f"output {text!r}" for text in self.outputs if CANARY in text]
        for path in self.folder.rglob("*"):
            if path.is_file() and CANARY.encode() in path.read_bytes():
                found.append(str(path))
        return found
