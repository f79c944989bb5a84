#!/usr/bin/env python3
"""Each rule finds its breach, and lets good code be."""
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

import cpp_text  # noqa: E402
import objects  # noqa: E402
import sources  # noqa: E402


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.source = Path(self.folder.name).resolve()

    def put(self, name, text):
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def breaches(self, rule, *arguments):
        return list(rule(self.source, *arguments))

    def expect(self, rule, *words):
        found = self.breaches(rule)
        self.assertEqual(len(found), len(words), found)
        for word, line in zip(words, found):
            self.assertIn(word, line)

    def test_an_include_may_not_go_up_or_sideways(self):
        self.put("src/base/a.cpp", '#include "wire/x.hpp"\n')
        self.put("src/vault/b.cpp", '#include "store/x.hpp"\n#include <byway/router.hpp>\n')
        self.put("src/wire/c.cpp", "#include <byway/vault.hpp>\n#include <sqlite3.h>\n")
        self.expect(sources.includes, "above base", "beside vault", "above vault", "above wire",
                    "store alone")

    def test_an_include_may_go_down(self):
        self.put("src/router/a.cpp", '#include "store/x.hpp"\n#include <byway/router.hpp>\n')
        self.put("src/store/b.cpp", '#include "base/x.hpp"\n#include <byway/error.hpp>\n'
                                    '#include "store/y.hpp"\n#include <sqlite3.h>\n')
        self.expect(sources.includes)

    def test_a_public_header_has_no_dependency(self):
        self.put("include/byway/a.hpp", "#include <fmt/format.h>\n#include <vector>\n"
                                        "#include <byway/b.hpp>\n#include <stdint.h>\n")
        self.expect(sources.includes, "fmt/format.h")

    def test_a_name_says_something(self):
        self.put("src/base/string_utils.hpp", "")
        self.put("src/base/base_url.hpp", "struct BaseUrl {};\nclass Database;\nstruct X {};\n")
        self.put("src/base/c.hpp", "class CallContext;\nenum class DataKind { a };\n"
                                   "struct [[nodiscard]] FooImpl {};\n// class OldManager\n")
        self.expect(sources.names, "Context", "Data", "Impl", "utils")

    def test_lines_files_and_functions_have_a_length(self):
        body = "  f();\n" * 69
        self.put("src/a.cpp", "void ok() {\n" + body[:-7] + "}\n")
        self.put("src/b.cpp", "void long_one() {\n" + body + "}\n")
        self.put("src/c.cpp", "// " + "\u20ac" * 97 + "\n// " + "x" * 98 + "\n")
        self.put("src/d.cpp", "\n" * 401)
        self.put("tests/e.cpp", "\n" * 401)
        self.expect(sources.lengths, "long_one", "src/c.cpp:2", "401 lines")

    def test_functions_are_found_where_they_are(self):
        text = ('namespace a {\nstruct S : B {\n  S() noexcept : a_{1}, b_(2) {\n    f({3});\n  }\n'
                '  int m() const { return 1; }\n  int x = 0;\n  A y{1};\n};\n'
                'int f(int a = g({1}))\n{\n  auto l = [&](int b) {\n    return b;\n  };\n'
                '  if (a) {\n  }\n  return \'{\';  // }\n}\n'
                'const std::map<int, int> table = {\n  {1, 2}, {f(3), 4},\n};\n'
                'template <class T>\nauto h(T t) -> decltype(t) {\n}\n}\n')
        found = [(first, last) for first, last, _ in cpp_text.functions(text)]
        self.assertEqual(found, [(3, 5), (6, 6), (11, 18), (23, 24)])

    def test_secrets_are_exposed_in_listed_files_alone(self):
        listed = sources.EXPOSE_SECRET
        self.addCleanup(setattr, sources, "EXPOSE_SECRET", listed)
        sources.EXPOSE_SECRET = self.put("list.txt",
                                         "src/vault/a.cpp  # why\nsrc/vault/gone.cpp\n")
        self.put("src/vault/a.cpp", "f(key.expose_secret());\n")
        self.put("src/vault/b.cpp", "f(key.expose_secret());\n// expose_secret\n")
        self.put("src/vault/c.cpp", "EVP_sha256();\n")
        self.put("src/base/digest.cpp", "EVP_sha256();\n")
        self.expect(sources.secrets, "b.cpp:1", "c.cpp:1: EVP_", "gone.cpp")

    def test_the_folder_map_matches_the_tree(self):
        self.put("src/wire/a.cpp", "")
        self.put("src/base/a.cpp", "")
        self.put("ARCHITECTURE.md", "# A\n\n## Folder map\n\n| folder | what |\n| --- | --- |\n"
                                    "| src/wire | x |\n| `src/old` | y |\n\n"
                                    "## More\n| src/base |\n")
        self.expect(sources.folder_map, "src/old", "src/base")

    def test_code_does_not_ask_which_server_it_is(self):
        self.put("src/wire/dialects/azure_v1.json", "{}")
        self.put("src/wire/dialects/ollama.json", "{}")
        self.put("src/wire/a.cpp", 'x("my-ollama is");  // "ollama"\ny("Ollama");\n'
                                   'if (is_azure_v1(a)) {\n}\nif (dialect.name == other) {\n')
        self.expect(sources.vendors, "a.cpp:2", "a.cpp:3", "a.cpp:5")

    def test_a_table_of_tests_names_cases_that_are_there(self):
        self.put("tests/a/b_test.cpp", 'TEST_CASE("one "\n    "case: \\"x\\"", "[b]") {}\n')
        self.put("tests/c_test.py", "    def test_it_works(self):\n")
        self.put("docs/x.md", "| rule | test |\n| --- | --- |\n"
                 '| r | `a/b_test.cpp`: one case: \\"x\\" |\n| r | `c_test.py`: test_it_works |\n'
                 "| r | not built: later |\n| r | `a/b_test.cpp`: gone |\n| r | `a/d.cpp`: x |\n"
                 "| r | trust me |\n\n| test | other |\n| --- | --- |\n| a | b |\n")
        self.expect(sources.named_tests, "has no 'gone'", "a/d.cpp is not there", "names no test")

    def test_every_test_is_registered(self):
        known = self.put("src/base/a.cpp", "")
        self.put("src/base/b.cpp", "")
        self.put("tests/base/a_test.cpp", "")
        self.put("tests/base/piece.cpp", "")
        self.put("compile_commands.json", json.dumps([{"file": str(known)}]))
        self.assertEqual(self.breaches(objects.registered, self.source),
                         ["src/base/b.cpp is not built", "tests/base/a_test.cpp is not built"])

    def test_exports_are_told_from_insides(self):
        for symbol in ("byway::Router::open(byway::RouterOptions)", "vtable for byway::Clock",
                       "typeinfo for byway::ResultError", "byway::name_of(byway::Sent)"):
            self.assertTrue(objects.PUBLIC.match(symbol), symbol)
        for symbol in ("byway::base::make_ulid()", "fmt::v9::format()", "vtable for byway::base::X",
                       "void std::vector<byway::Endpoint>::push_back()"):
            self.assertFalse(objects.PUBLIC.match(symbol), symbol)


if __name__ == "__main__":
    unittest.main(verbosity=2)
