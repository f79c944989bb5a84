#!/usr/bin/env python3
"""headers.py COMPILER INCLUDE_DIR: compiles every public header alone, and twice in one file."""
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

import check  # noqa: E402


def problem_of(compiler, include, header):
    twice = ["-include", header, "-include", header, "-x", "c++"]
    done = check.compile_it(compiler, include, "/dev/null", *twice)
    return done.stderr if done.returncode else ""


def main():
    compiler, include = sys.argv[1:3]
    paths = sorted(Path(include).rglob("*.hpp"))
    headers = [path.relative_to(include).as_posix() for path in paths]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = list(pool.map(lambda header: problem_of(compiler, include, header), headers))
    for problem in filter(None, problems):
        print(problem)
    return 1 if any(problems) or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
