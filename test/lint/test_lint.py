"""Each rule of lint.py is broken once on purpose, and kept once."""

import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))

CLEAN = {
    "meson.build": "add_project_arguments('-Wvla')\n",
    "src/levels": "level 0 base\nlevel 1 rt wire\nlevel 3 route\n"
                  "level 5 smtp\nonly uv.h rt\n"
                  "only sqlite3.h db tests\n"
                  "kernel sys/ unistd.h\n"
                  "only kernel rt tests route/route.c\n",
    "src/base/str.h": "struct str { char *p; };\n",
    "src/rt/fiber.h": '#include "base/str.h"\n'
                      "int waits fiber_sleep(long until);\n"
                      "int fiber_count(void);\n",
    "src/rt/fiber.c": "#include <uv.h>\n"
                      '#include "rt/fiber.h"\n'
                      "int waits fiber_sleep(long until)\n{\n\treturn 0;\n}\n",
    "src/route/route.h": "int waits route_decide(int asker);\n"
                         "int route_name(\n\tint route);\n",
    "src/route/route.c": '#include "rt/fiber.h"\n'
                         "static int ask(int n)\n{\n"
                         "\treturn fiber_sleep(n);\n}\n\n"
                         "int route_decide(int asker)\n{\n"
                         "\treturn ask(asker);\n}\n\n"
                         "int route_name(int route)\n{\n"
                         "\treturn fiber_count();\n}\n",
}


@pytest.fixture
def lint(tmp_path):
    """lint(path=text, ...) -> (exit status, output) of a clean tree with
    these files replaced or appended to (+path)."""
    def run(changes=None):
        tree = dict(CLEAN)
        for path, text in (changes or {}).items():
            if path.startswith("+"):
                tree[path[1:]] = tree.get(path[1:], "") + text
            else:
                tree[path] = text
        for path, text in tree.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        done = subprocess.run([sys.executable, f"{HERE}/lint.py", tmp_path],
                              capture_output=True, text=True)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr
    return run


def test_clean_tree_passes(lint):
    status, out = lint()
    assert status == 0, out
    assert "0 errors, 0 warnings" in out


@pytest.mark.parametrize("path, text, expect", [
    # upward
    ("+src/base/str.h", '#include "rt/fiber.h"\n', "str.h:2: arrow"),
    ("+src/route/route.c", '#include "smtp/session.h"\n',
     "must not include smtp"),
    # same level, other folder
    ("src/wire/reply.c", '#include "rt/fiber.h"\n', "reply.c:1: arrow"),
    ("src/wire/reply.c", '#  include "rt/fiber.h"\n', "reply.c:1: arrow"),
    # not written from src/
    ("+src/rt/fiber.c", '#include "fiber.h"\n', "not written from src/"),
    # a folder without a level
    ("src/misc/util.c", "int x;\n", "util.c:1: arrow"),
    ("src/smtp/session.c", "#include <uv.h>\n", "session.c:1: only"),
    ("src/smtp/session_test.c", "#include <uv.h>\n", "session_test.c:1: only"),
    ("src/smtp/session.c", "#include <sys/stat.h>\n", "session.c:1: only"),
    ("src/route/guard.c", "#include <unistd.h>\n", "guard.c:1: only"),
    ("src/smtp/session.c", "#include <sqlite3.h>\n",
     "belongs to db; use their"),
])
def test_wrong_arrow_fails(lint, path, text, expect):
    status, out = lint({path: text})
    assert status == 1
    assert expect in out


def test_what_tests_may_include_passes(lint):
    status, out = lint({"src/smtp/session_test.c": "#include <sqlite3.h>\n",
                        "src/smtp/smtp_test_world.h":
                        "#include <sqlite3.h>\n"})
    assert status == 0, out


CIRCLE = {
    "src/wire/low.c": "int low(void)\n{\n\treturn 0;\n}\n",
    "src/wire/high.c": "int high(void)\n{\n\treturn low();\n}\n",
}


def test_files_that_need_each_other_fail(lint):
    status, out = lint(CIRCLE)
    assert status == 0, out
    status, out = lint({**CIRCLE, "src/wire/low.c":
                        "int low(void)\n{\n\treturn high();\n}\n"})
    assert status == 1
    assert "high.c:1: circle: high.c -> low.c -> high.c: high, low" in out


def test_a_table_of_functions_leads_back(lint):
    status, out = lint({**CIRCLE, "src/wire/low.c": '#include "wire/all.def"\n'
                        "int low(void)\n{\n\treturn 0;\n}\n",
                        "src/wire/all.def": "ENTRY(high, 1)\n"})
    assert status == 1
    assert "circle" in out


def test_own_function_of_the_same_name_is_no_circle(lint):
    status, out = lint({**CIRCLE, "src/wire/low.c":
                        "static int high(void)\n{\n\treturn 0;\n}\n\n"
                        "int low(void)\n{\n\treturn high();\n}\n"})
    assert status == 0, out


def test_a_function_that_is_handed_on_leads_back(lint):
    status, out = lint({**CIRCLE, "src/wire/low.c":
                        "int low(void)\n{\n\treturn run(high);\n}\n"})
    assert status == 1
    assert "high.c -> low.c -> high.c" in out


@pytest.mark.parametrize("code", [
    "int low(int high)\n{\n\treturn high;\n}\n",
    "int low(void)\n{\n\tint *high = 0, n;\n\n\treturn *high;\n}\n",
    "int low(struct high *h)\n{\n\treturn h->high;\n}\n",
])
def test_what_is_only_called_like_a_function_is_no_circle(lint, code):
    status, out = lint({**CIRCLE, "src/wire/low.c": code})
    assert status == 0, out


def test_a_folder_in_a_folder_is_a_list_of_its_own(lint):
    inner = {"src/wire/linux/low.c": CIRCLE["src/wire/low.c"],
             "src/wire/sim/low.c": CIRCLE["src/wire/low.c"],
             "src/wire/sim/high.c": CIRCLE["src/wire/high.c"]}
    status, out = lint(inner)
    assert status == 0, out
    status, out = lint({**inner, "src/wire/sim/low.c":
                        "int low(void)\n{\n\treturn high();\n}\n"})
    assert status == 1
    assert "src/wire/sim/high.c:1: circle" in out


@pytest.mark.parametrize("name", ["strcpy", "strcat", "sprintf", "strtok",
                                  "atoi", "gets", "alloca",
                                  "randombytes_buf"])
def test_banned_call_fails(lint, name):
    status, out = lint({"src/wire/reply.c":
                        f"void f(char *p)\n{{\n\t{name} (p);\n}}\n"})
    assert status == 1
    assert f"src/wire/reply.c:3: banned: {name}()" in out


def test_banned_name_elsewhere_passes(lint):
    status, out = lint({"src/wire/reply.c":
                        "/* not strcpy(a, b) */\n// nor gets(x)\n"
                        'static const char *s = "atoi(\\"1\\")";\n'
                        "int x_strcpy(void)\n{\n\treturn p->gets(1) + "
                        "q.atoi(s) + snprintf(0, 0, s);\n}\n"})
    assert status == 0, out


@pytest.mark.parametrize("question", [
    'strstr(cause(), "full")', 'strcasestr(cause(), strerror(28))',
    '!strcmp("full", cause())', 'str_ends(str_of(cause()), S("full"))',
])
def test_decision_by_a_sentence_fails(lint, question):
    text = f"int is_full(void)\n{{\n\treturn {question};\n}}\n"
    status, out = lint({"src/wire/reply.c": text})
    assert status == 1
    assert "src/wire/reply.c:3: cause: str" in out
    assert lint({"src/wire/reply.c": "\n",
                 "src/wire/reply_test.c": text})[0] == 0


def test_a_sentence_is_handed_on(lint):
    status, out = lint({"src/wire/reply.c":
                        "int f(int n)\n{\n\treturn cause_kind() == n &&\n"
                        "\t       (arena_str(str_of(cause())) || "
                        "!strcmp(x, y) ? fail(cause()) : n);\n}\n"})
    assert status == 0, out


def test_unmarked_wait_fails_directly(lint):
    status, out = lint({"+src/route/route.h": "int route_quick(int n);\n",
                        "+src/route/route.c": "\nint route_quick(int n)\n{\n"
                        "\tif (n)\n\t\treturn fiber_sleep(n);\n"
                        "\treturn 0;\n}\n"})
    assert status == 1
    assert "waits: route_quick() calls fiber_sleep()" in out


def test_unmarked_wait_fails_through_statics(lint):
    status, out = lint({"+src/route/route.h": "int route_quick(int n);\n",
                        "+src/route/route.c": "\nint route_quick(int n)\n{\n"
                        "\treturn ask(n);\n}\n"})
    assert status == 1
    assert "waits: route_quick() calls ask()" in out


def test_wait_marked_only_where_it_is_defined_fails(lint):
    status, out = lint({"+src/route/route.h": "int route_quick(int n);\n",
                        "+src/route/route.c":
                        "\nint waits route_quick(int n)\n{\n"
                        "\treturn 0;\n}\n"})
    assert status == 1
    assert "route_quick() is marked here and not in its header" in out


def test_starting_a_waiting_fiber_is_no_wait(lint):
    status, out = lint({"+src/route/route.h": "int route_start(int n);\n",
                        "+src/route/route.c": "\nint route_start(int n)\n{\n"
                        '\treturn fiber_start("ask", ask, n);\n}\n'})
    assert status == 0, out


MUTANTS = ('PLANTED(asks_late, "route/route.c",\n\t"It asks too late.")\n'
           'PLANTED(asks_twice, "route/route.c", "It asks twice.")\n')
PLANTED = ("\nint late(void)\n{\n\treturn MUTANT(asks_late);\n}\n\n"
           "int twice(void)\n{\n\treturn MUTANT(asks_twice);\n}\n")


def test_planted_faults(lint):
    def planted(line, code, path="src/route/route.c"):
        return lint({"src/base/mutants.def": line, "+src/route/route.c": "",
                     "+" + path: code})
    assert planted(MUTANTS, PLANTED)[0] == 0
    for line, code, what in [
            ("", PLANTED, "route.c:19: mutant: asks_late: mutants.def has it "
             "in no file"),
            (MUTANTS, PLANTED.replace("MUTANT(asks_twice)", "0"),
             "mutants.def:3: mutant: asks_twice is planted nowhere"),
            (MUTANTS, PLANTED.replace("asks_twice", "asks_late"),
             "route.c:24: mutant: asks_late is planted twice"),
            (MUTANTS + MUTANTS, PLANTED, "mutants.def:4: mutant: asks_late is "
             "there twice"),
            (MUTANTS.replace("route/route.c", "rt/fiber.c", 1), PLANTED,
             "mutants.def:1: mutant: nothing is planted in rt/fiber.c"),
    ]:
        status, out = planted(line, code)
        assert status == 1
        assert what in out, out
    status, out = planted(MUTANTS, PLANTED, "src/route/route_test.c")
    assert "route_test.c:4: mutant: asks_late: mutants.def has it in " \
        "route/route.c" in out


def test_a_long_function_is_only_a_warning(lint):
    status, out = lint({"src/wire/reply.c":
                        "int f(void)\n{\n" + "\tg();\n" * 70 + "}\n"})
    assert status == 0
    assert "f() has 73 lines" in out


@pytest.mark.parametrize("name, lines, expect", [
    ("big.c", 601, 1), ("big.h", 601, 1), ("big_test.c", 601, 1),
    ("big.c", 600, 0), ("big.def", 700, 0),
])
def test_a_long_file_fails(lint, name, lines, expect):
    status, out = lint({f"src/wire/{name}": "int x;\n" * lines})
    assert status == expect, out
    assert (f"{name}:1: size: {lines} lines" in out) == bool(expect)


def test_vla_warning_must_stay_on(lint):
    status, out = lint({"meson.build": "project('x', 'c')\n"})
    assert status == 1
    assert "meson.build:1: vla" in out


TABLE = ('REFUSAL(gone, "{name} is gone.")\n'
         'REFUSAL(many,\n\t"{n} user: {names}.|"\n\t"{n} users: {names}.")\n'
         'REFUSAL(plain, "No.")\n')
CALLS = ('\trefuse(c, "x", gone, V("name", f(a, b)));\n'
         '\tmissing(c, g(1, "gone,"), many, V("n", n),\n'
         '\t\tV("names", names));\n\tx = REFUSE_plain;\n')


def test_sentences_and_their_values(lint):
    def said(calls):
        return lint({"src/route/refusals.def": TABLE,
                     "src/route/said.c": "void say(void)\n{\n" + calls +
                     "}\n"})
    status, out = said(CALLS)
    assert status == 0, out
    for old, new, line, what in [
            ('V("name", f', 'V("nome", f', 3, "gone has the values name, "
             "given are nome"),
            (', V("name", f(a, b))', "", 3, "given are -"),
            ('V("n", n)', 'V("n", n), V("x", n)', 4, "many has"),
            ("\t\tV(\"names\", names)", '\t\tV("n", 1)', 4, "many has"),
    ]:
        assert old in CALLS
        status, out = said(CALLS.replace(old, new))
        assert status == 1
        assert f"said.c:{line}: said" in out and what in out, out
    status, out = said(CALLS.replace("REFUSE_plain", "0"))
    assert status == 1
    assert "refusals.def:5: said: nothing says plain" in out


def test_machine_paths_fail(lint):
    home = "/home" + "/alice"
    status, out = lint({"docs/manual.md": f"look in {home}/x\n"})
    assert status == 1
    assert "docs/manual.md:1: machine" in out
    status, out = lint({"docs/manual.md": "https://example.org/home" +
                        "/alice and ./home" + "/bob\n"})
    assert status == 0, out


def test_lock_file_must_not_name_a_registry(lint):
    status, out = lint({"web/package-lock.json":
                        '{\n "resolved": "https://r.example/x.tgz"\n}\n'})
    assert status == 1
    assert "package-lock.json:2: machine" in out


def test_this_tree_has_every_folder_in_the_table():
    root = os.path.join(HERE, "..", "..")
    with open(f"{root}/src/levels", encoding="utf-8") as table:
        known = {f for line in table if line.startswith("level")
                 for f in line.split()[2:]}
    assert known >= {d.name for d in os.scandir(f"{root}/src") if d.is_dir()}


def test_the_format_is_clang_formats(lint):
    said = lint({".clang-format": "UseTab: Always\nIndentWidth: 8\n",
                 "src/base/one.c": "int one;\n"})
    if "the format is not checked" in said[1]:
        pytest.skip(said[1])
    assert "base/one.c" not in said[1]
    status, out = lint({".clang-format": "UseTab: Always\nIndentWidth: 8\n",
                        "src/base/one.c": "int one;\n    int  two;\n"})
    assert status == 1
    assert "src/base/one.c:1: format" in out
