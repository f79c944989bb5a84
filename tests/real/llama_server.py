"""llama.cpp's HTTP server, started with llama-server's own options.

The package xllamacpp carries llama.cpp's C++ server (the code of `llama-server`) as a
Python extension that runs on every x86-64 with AVX2 and on arm64. Python only sets the
parameters here: connections, JSON, queue and model are all llama.cpp's.

An option that is not listed below is refused, never ignored.
"""

import argparse
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "packages"))
import xllamacpp  # noqa: E402


def parameters(argv):
    cli = argparse.ArgumentParser(prog="llama-server", allow_abbrev=False)
    cli.add_argument("-m", "--model", required=True)
    cli.add_argument("--host", default="127.0.0.1")
    cli.add_argument("--port", type=int, default=8080,
                     help="0 takes a free port, printed on stdout")
    cli.add_argument("-c", "--ctx-size", type=int, default=0)
    cli.add_argument("-n", "--predict", type=int, default=-1)
    cli.add_argument("-np", "--parallel", type=int, default=1)
    cli.add_argument("-t", "--threads", type=int, default=2)
    cli.add_argument("-b", "--batch-size", type=int, default=2048)
    cli.add_argument("-ub", "--ubatch-size", type=int, default=512)
    cli.add_argument("-a", "--alias")
    cli.add_argument("--api-key", action="append", default=[])
    cli.add_argument("--jinja", action=argparse.BooleanOptionalAction, default=True)
    cli.add_argument("--chat-template-file")
    cli.add_argument("--slots", action=argparse.BooleanOptionalAction, default=True)
    cli.add_argument("--metrics", action="store_true")
    cli.add_argument("--embeddings", "--embedding", action="store_true")
    cli.add_argument("--pooling", choices=["none", "mean", "cls", "last"])
    cli.add_argument("--warmup", action=argparse.BooleanOptionalAction, default=True)
    cli.add_argument("--sse-ping-interval", type=int, default=30)
    cli.add_argument("--threads-http", type=int, default=-1)
    cli.add_argument("--self-test", action="store_true", help="generate two tokens and exit")
    args = cli.parse_args(argv)

    params = xllamacpp.CommonParams()
    params.model.path = args.model
    params.hostnames = [args.host]
    params.port = args.port
    params.n_ctx = args.ctx_size
    params.n_predict = args.predict
    params.n_parallel = args.parallel
    params.cpuparams.n_threads = args.threads
    params.cpuparams_batch.n_threads = args.threads
    params.n_batch = args.batch_size
    params.n_ubatch = args.ubatch_size
    if args.alias:
        params.model_alias = {args.alias}
    params.api_keys = args.api_key
    params.use_jinja = args.jinja
    if args.chat_template_file:
        with open(args.chat_template_file, encoding="utf-8") as template:
            params.chat_template = template.read()
    params.endpoint_slots = args.slots
    params.endpoint_metrics = args.metrics
    params.embedding = args.embeddings
    if args.embeddings:
        # What llama-server does at start: an input must fit one physical batch.
        params.n_batch = min(args.batch_size, args.ubatch_size)
    if args.pooling:
        params.pooling_type = getattr(
            xllamacpp.llama_pooling_type, "LLAMA_POOLING_TYPE_" + args.pooling.upper()
        )
    params.warmup = args.warmup
    params.sse_ping_interval = args.sse_ping_interval
    params.n_threads_http = args.threads_http
    return args, params


def main(argv):
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # like SIGTERM: ends at once, while loading too
    args, params = parameters(argv)
    server = xllamacpp.Server(params)
    if args.self_test:
        answer = server.handle_completions({"prompt": "One two", "max_tokens": 2})
        return 0 if answer["usage"]["completion_tokens"] == 2 else 1
    print(f"listening on {server.listening_address}", flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
