"""Rules that are read off a build. Each yields one line per breach."""
import json
import re
import shutil
import subprocess

import sources

# What a library must not do to its host: print, end it, or take its signals.
FORBIDDEN = {"printf", "fprintf", "vprintf", "vfprintf", "dprintf", "puts", "fputs", "putchar",
             "perror", "abort", "exit", "_exit", "_Exit", "quick_exit", "__assert_fail", "signal",
             "sigaction", "__printf_chk", "__fprintf_chk", "__vfprintf_chk", "_ZSt4cout",
             "_ZSt4cerr", "_ZSt4clog"}
PUBLIC = re.compile(r"^(?:(?:typeinfo|typeinfo name|vtable) for )?"
                    r"(?:byway::[A-Z]|byway::testing::|byway::(?:name_of|operation_of|operator"
                    r"|create_store|generate_master_key|headers_of|probe_endpoint|write_key_file"
                    r"|write_passphrase_file)\b"
                    r"|byway_|[\w:<>*& ]+ byway::[A-Z])")


def nm(*arguments):
    program = shutil.which("nm")
    if not program:
        raise FileNotFoundError(2, "", "nm")
    done = subprocess.run([program, *arguments], check=True, text=True, capture_output=True)
    return done.stdout


def registered(source, build):
    """Every test is built and run, and every source file is built."""
    with open(build / "compile_commands.json") as file:
        built = {entry["file"] for entry in json.load(file)}
    for path, name in sources.files(source, "src", "tests", suffixes={".cpp"}):
        is_wanted = name.startswith("src/") or path.stem.endswith("_test")
        if name.startswith("src/cli/") and not any("/src/cli/" in file for file in built):
            continue
        if is_wanted and str(path) not in built:
            yield f"{name} is not built"


def symbols(_source, build):
    """Whoever prints or ends the process: the object and the symbol."""
    library = build / "lib" / "libbyway.a"
    if not library.exists():
        raise FileNotFoundError(2, "", str(library))
    for line in nm("-A", "--undefined-only", str(library)).splitlines():
        place, _, symbol = line.rpartition(" ")
        if symbol.split("@")[0] in FORBIDDEN:
            yield f"{place.split(':')[1]} uses {symbol}"


def exports(_source, build):
    """The shared library shows the public API and nothing else."""
    library = build / "lib" / "libbyway.so"
    if not library.exists():
        raise FileNotFoundError(2, "", str(library))
    shown = 0
    for line in nm("-D", "-C", "--defined-only", str(library)).splitlines():
        symbol = line.split(" ", 2)[2]
        shown += 1
        if not PUBLIC.match(symbol):
            yield f"libbyway.so shows {symbol}"
    if shown < 10:
        yield f"libbyway.so shows {shown} symbols: the map hides the API"
