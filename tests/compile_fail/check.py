#!/usr/bin/env python3
"""check.py COMPILER INCLUDE_DIR FILE: compiles FILE without and with -DBAD."""
import re
import subprocess
import sys
from pathlib import Path

FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow",
         "-Wconversion", "-Werror"]


def compile_it(compiler, include, source, *more):
    command = [compiler, *FLAGS, f"-I{include}", *more, source]
    return subprocess.run(command, text=True, capture_output=True, check=False)


def main():
    compiler, include, source = sys.argv[1:4]
    first_line = Path(source).read_text().splitlines()[0]
    expected = re.search(r"expect: (.*)", first_line)
    if not expected:
        print("no 'expect: <regular expression>' in the first line")
        return 1
    good = compile_it(compiler, include, source)
    if good.returncode != 0:
        print("does not compile without BAD:\n" + good.stderr)
        return 1
    bad = compile_it(compiler, include, source, "-DBAD")
    if bad.returncode == 0:
        print("compiles with BAD")
        return 1
    if not re.search(expected.group(1), bad.stderr):
        print(f"fails for another reason than '{expected.group(1)}':\n" + bad.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
