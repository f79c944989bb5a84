"""Rules that are read off the source text. Each yields one line per breach."""
import re
from pathlib import Path

import cpp_text

LAYERS = {"base": 0, "wire": 1, "policy": 2, "registry": 2, "vault": 2, "transport": 2, "store": 2,
          "router": 3, "c_api": 4, "cli": 4}
# Whose contract a public header is; the others are words that every layer shares.
PUBLIC_LEVELS = {"vault.hpp": 2, "transport.hpp": 2, "policy.hpp": 2, "policies.hpp": 2,
                 "audit.hpp": 2, "registry.hpp": 2, "endpoint.hpp": 2, "pending.hpp": 3,
                 "stream.hpp": 3, "admin.hpp": 3, "router.hpp": 3, "byway.hpp": 3, "byway.h": 4}
# Other people's headers, and the folders that may know them.
FOREIGN = {"sqlite3.h": {"store"}, "curl/": {"transport", "registry"}, "toml++/": {"registry"},
           "CLI/": {"cli"}, "sys/epoll.h": {"transport"}}
BANNED = {"Manager", "Helper", "Util", "Impl", "Base", "Data", "Info", "Context", "Handler"}
BANNED |= {word + "s" for word in BANNED}
# "Base URL" is the field's own term.
ALLOWED_NAMES = re.compile(r"BaseUrl|base_url")
EXPOSE_SECRET = Path(__file__).parent / "expose_secret.txt"
EVP = {"src/base/digest.cpp", "src/vault/sealed_box.cpp"}
LINE_MAX, FUNCTION_MAX, FILE_MAX = 100, 70, 400
CODE = {".hpp", ".cpp", ".h", ".c", ".py"}


def files(source, *folders, suffixes=frozenset({".hpp", ".cpp", ".h", ".c"})):
    for folder in folders:
        for path in sorted((source / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path, path.relative_to(source).as_posix()


def include_lines(text):
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(2)


def level_of(name):
    """(level, folder) of an include of our own; None for other people's."""
    if name.startswith("byway/"):
        return PUBLIC_LEVELS.get(name[len("byway/"):], 0), None
    folder = name.split("/")[0]
    return (LAYERS[folder], folder) if folder in LAYERS and "/" in name else None


def includes(source, _build=None):
    """c_api, cli -> router -> {policy, registry, vault, transport, store} -> wire -> base."""
    for path, name in files(source, "src"):
        folder = name.split("/")[1]
        for number, included in include_lines(path.read_text()):
            own = level_of(included)
            where = f"{name}:{number}: {included}"
            if own and own[0] > LAYERS[folder]:
                yield f"{where} stands above {folder}"
            elif own and own[1] and own[0] == LAYERS[folder] and own[1] != folder:
                yield f"{where} stands beside {folder}; boxes do not include each other"
            for foreign, folders in FOREIGN.items():
                if included.startswith(foreign) and folder not in folders:
                    yield f"{where} is for {', '.join(sorted(folders))} alone"
    for path, name in files(source, "include"):
        for number, included in include_lines(path.read_text()):
            is_standard = re.fullmatch(r"[a-z_]+(\.h)?", included)
            if not included.startswith("byway/") and not is_standard:
                yield f"{name}:{number}: {included} in a public header"


def words_of(name):
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+", name)


def names(source, _build=None):
    declared = re.compile(r"\b(?:class|struct|union|enum|concept|using)\s+(?:class\s+)?"
                          r"(?:\[\[\w+\]\]\s*)?([A-Z]\w*)")
    lower = {word.lower() for word in BANNED}
    for path, name in files(source, "src", "include", "tests", "examples", "bindings",
                            suffixes=CODE):
        stem = ALLOWED_NAMES.sub("", path.stem)
        for word in set(stem.lower().split("_")) & lower:
            yield f"{name}: '{word}' in a file name says nothing"
        if path.suffix == ".py":
            continue
        for number, line in enumerate(cpp_text.stripped(path.read_text()).splitlines(), 1):
            for found in declared.findall(line):
                for word in set(words_of(ALLOWED_NAMES.sub("", found))) & BANNED:
                    yield f"{name}:{number}: '{word}' in {found} says nothing"


def lengths(source, _build=None):
    for path, name in files(source, "src", "include", "tests", "examples", "bindings",
                            suffixes=CODE):
        text = path.read_text()
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > LINE_MAX:
                yield f"{name}:{number}: {len(line)} columns, {LINE_MAX} at most"
        if not name.startswith(("src/", "include/")):
            continue
        lines = text.count("\n")
        if lines > FILE_MAX:
            yield f"{name}: {lines} lines, {FILE_MAX} at most"
        for first, last, head in cpp_text.functions(text):
            length = last - first + 1
            if length > FUNCTION_MAX:
                what = " ".join(head.split())[-60:]
                yield f"{name}:{first}: {length} lines of '{what}', {FUNCTION_MAX} at most"


def secrets(source, _build=None):
    listed = {line.split("#")[0].strip() for line in EXPOSE_SECRET.read_text().splitlines()}
    used = set()
    for path, name in files(source, "src", "include", "examples"):
        text = cpp_text.stripped(path.read_text())
        for number, line in enumerate(text.splitlines(), 1):
            is_declared = name == "include/byway/secret.hpp"
            if "expose_secret" in line and not is_declared:
                used.add(name)
                if name not in listed:
                    yield f"{name}:{number}: expose_secret() outside tests/tidy/expose_secret.txt"
            if re.search(r"\bEVP_", line) and name not in EVP:
                yield f"{name}:{number}: EVP_ outside {', '.join(sorted(EVP))}"
    for name in sorted(listed - used - {""}):
        yield f"tests/tidy/expose_secret.txt: {name} does not use it"


def vendors(source, _build=None):
    """A server's oddities are data: no code asks which dialect or which company it is."""
    presets = {path.stem for path in (source / "src/wire/dialects").glob("*.json")}
    if not presets:
        return
    # "generic" is the default of a setting; OpenAI's record is the empty one.
    word = re.compile("|".join(sorted(presets - {"generic", "openai"}, key=len, reverse=True)))
    asked = re.compile(r"\b(?:dialect\w*(?:\.|->)|settings\.dialect\b.*)(?:name)?\s*[=!]=")
    for path, name in files(source, "src", "include"):
        # The table of what a probe may propose: data as well.
        if name.endswith("src/wire/dialect_marks.cpp"):
            continue
        text = re.sub(r"//[^\n]*", "", path.read_text())
        for number, line in enumerate(text.splitlines(), 1):
            literals = re.findall(r'"((?:\\.|[^"\\])*)"', line)
            for literal in literals:
                if word.fullmatch(literal.lower()):
                    yield f"{name}:{number}: '{literal}' belongs into src/wire/dialects"
            for called in re.findall(r"\b(?:is|for|if|as)_([a-z0-9_]+)", line):
                if word.match(called):
                    yield f"{name}:{number}: '{called}' belongs into src/wire/dialects"
            if asked.search(line):
                yield f"{name}:{number}: asks which dialect it is"


def folder_map(source, _build=None):
    text = (source / "ARCHITECTURE.md").read_text()
    section = re.search(r"^## Folder map$(.*?)(?=^## |\Z)", text, re.M | re.S)
    if not section:
        yield "ARCHITECTURE.md: no section '## Folder map'"
        return
    told = set(re.findall(r"^\|\s*`?(src/\w+)/?`?\s*\|", section.group(1), re.M))
    there = {"/".join(name.split("/")[:2]) for _, name in files(source, "src")
             if name.count("/") > 1}
    for name in sorted(told - there):
        yield f"ARCHITECTURE.md: {name} is not there"
    for name in sorted(there - told):
        yield f"ARCHITECTURE.md: {name} is missing from the folder map"


def cases(path):
    """The names of a test file's cases."""
    text = path.read_text()
    if path.suffix == ".py":
        return set(re.findall(r"^\s*def (test_\w+)\(", text, re.M))
    found = set()
    for literals in re.findall(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', text):
        found.add("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)))
    return found


def named_tests(source, _build=None):
    """Tables of the documentation whose last column is `test` name a file under tests and a case of
    it, or say that the row is not built."""
    known = {}
    for path in sorted((source / "docs").rglob("*.md")):
        name = path.relative_to(source).as_posix()
        is_table = False
        for number, line in enumerate(path.read_text().splitlines(), 1):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if not line.startswith("|"):
                is_table = False
            elif cells[-1] == "test":
                is_table = True
            elif is_table and not set(cells[-1]) <= set("- "):
                if cells[-1].startswith("not built"):
                    continue
                match = re.fullmatch(r"`([\w./]+)`: (.+)", cells[-1])
                if not match:
                    yield f"{name}:{number}: '{cells[-1]}' names no test"
                    continue
                file = source / "tests" / match.group(1)
                if file not in known:
                    known[file] = cases(file) if file.is_file() else None
                if known[file] is None:
                    yield f"{name}:{number}: tests/{match.group(1)} is not there"
                elif match.group(2) not in known[file]:
                    yield f"{name}:{number}: tests/{match.group(1)} has no '{match.group(2)}'"
