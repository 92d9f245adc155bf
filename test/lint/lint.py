#!/usr/bin/python3
"""The rules of STYLE.md that a machine can check.

usage: lint.py [ROOT]

Fails (exit 1) on
  arrow    an include of a folder that is not below the including one
           (the table is src/levels), or one not written from src/
  only     a library's or the kernel's header included outside the folder
           that owns it
  circle   files of one folder that need each other: a calls b, b calls a
           (calls, or hands on; a folder in a folder is one of its own)
  banned   a call to a function that cannot know the room it writes to, or
           has its random numbers from elsewhere than rt
  cause    a decision by the sentence of a failure
  waits    a function whose header does not say `waits` although it calls,
           itself or through static functions of its file, one that does
  said     a sentence of a table (refusals.def and its like) that nothing
           says, or a call whose V() are not the {values} of its sentence
  size     a file of more than 600 lines
  vla      meson.build without -Wvla
  mutant   a planted fault (base/mutants.h) without its line in mutants.def, in
           another file than that line says, twice, or in none
  format   C that is not as clang-format leaves it (of the version that
           FORMATTER says; others break lines elsewhere): ./dev format
  machine  a path or address of somebody's machine; "resolved" in a lock file
Only warns of the largest functions.

Every finding is one line, FILE:LINE: RULE: what and what to do.
"""

import os
import re
import shutil
import subprocess
import sys

BANNED = {
    "strcpy": "memcpy with a checked length",
    "strcat": "base/buf.h",
    "sprintf": "snprintf or base/buf.h",
    "vsprintf": "vsnprintf",
    "strtok": "base/str.h",
    "atoi": "a parser of base/str.h that can refuse",
    "gets": "rt/stream.h",
    "alloca": "base/arena.h",
    "randombytes_buf": "rt/random.h",
    "randombytes_uniform": "rt/random.h",
}
FILE_LINES = 600
FORMATTER = "clang-format version 14"   # as it is in Debian 12
FUNCTION_LINES = 60
WARNINGS_SHOWN = 10

# Split so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:work|home|root)" + r"/[\w.-]+")
SKIPPED = {".git", "node_modules", "__pycache__", ".pytest_cache"}
KEYWORDS = {"if", "while", "for", "switch", "return", "sizeof", "do", "else",
            "defined", "typeof", "_Static_assert", "__attribute__"}


class Lint:
    def __init__(self, root):
        self.root = root
        self.errors = []
        self.warnings = []

    def error(self, path, line, rule, text):
        self.errors.append(f"{os.path.relpath(path, self.root)}:{line}: "
                           f"{rule}: {text}")

    def warn(self, size, path, line, text):
        self.warnings.append((size, f"{os.path.relpath(path, self.root)}:"
                              f"{line}: size: {text}"))


# ---- reading C ----------------------------------------------------------

TOKENS = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text, keep_strings=False):
    """TEXT without comments (and strings), every line still in its place."""
    def spaces(match):
        token = match.group()
        if keep_strings and token[0] in "\"'":
            return token
        return re.sub(r"[^\n]", " ", token)
    return TOKENS.sub(spaces, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


DEFINITION = re.compile(
    r"^(?P<head>[A-Za-z_][^;{}#=]*?\b(?P<name>\w+)\s*\([^;{}]*\)[^;{}()]*)\n"
    r"\{(?P<body>.*?)^\}", re.S | re.M)


def functions(code):
    """(name, head, body, offset, offset of the end) of each definition."""
    for match in DEFINITION.finditer(code):
        name = re.search(r"(\w+)\s*\(", match["head"])
        # waits and must_check are no names; attributes come after the name.
        if name and name[1] not in KEYWORDS:
            yield (name[1], match["head"], match["body"], match.start(),
                   match.end())


def calls(body):
    return set(re.findall(r"(?<![\w.>])(\w+)\s*\(", body)) - KEYWORDS


DECLARATION = re.compile(r"^[A-Za-z_][^;{}#]*?\([^;{}]*\)[^;{}]*;", re.S | re.M)


def declared(code):
    """name -> whether it waits, for each function a header declares."""
    found = {}
    # Preprocessor lines are no part of the declaration that follows.
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", "", code, flags=re.M)
    for match in DECLARATION.finditer(code):
        text = match.group()
        name = re.search(r"(\w+)\s*\(", text)
        if name and not text.startswith("typedef"):
            found[name[1]] = bool(re.search(r"\bwaits\b",
                                            text[:name.start(1)]))
    return found


# ---- the rules ----------------------------------------------------------

def read_levels(path):
    levels, only, kernel = {}, {}, []
    with open(path, encoding="utf-8") as table:
        for line in table:
            words = line.split("#")[0].split()
            if not words:
                continue
            if words[0] == "level":
                levels.update({folder: int(words[1]) for folder in words[2:]})
            elif words[0] == "only":
                only[words[1]] = set(words[2:])
            elif words[0] == "kernel":
                kernel += words[1:]
            else:
                raise SystemExit(f"{path}: cannot read: {line.rstrip()}")
    only.update({header: only["kernel"] for header in kernel})
    return levels, only


TEST = re.compile(r"_(test(_\w+)?|bench)\.[ch]$")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


def may_include(path, folder, owners):
    return (folder in owners or
            any(path.endswith(f"src/{file}") for file in owners) or
            ("tests" in owners and TEST.search(path)))


def check_includes(lint, path, folder, code, levels, only):
    for match in INCLUDE.finditer(code):
        line, name = line_of(code, match.start()), match[2]
        owners = only.get(name) or only.get(name.split("/")[0] + "/")
        if owners and not may_include(path, folder, owners):
            lint.error(path, line, "only", f"<{name}> belongs to "
                       f"{' and '.join(sorted(owners - {'tests'}))}; "
                       "use their header")
        if match[1] == "<":
            continue
        target = name.split("/")[0]
        if "/" not in name or target not in levels:
            if os.path.exists(os.path.join(os.path.dirname(path), name)):
                lint.error(path, line, "arrow", f'"{name}" is not written '
                           f'from src/: use "{folder}/..."')
            continue
        if target != folder and levels[target] >= levels[folder]:
            lint.error(path, line, "arrow",
                       f"{folder} (level {levels[folder]}) must not include "
                       f"{target} (level {levels[target]}): {name}")


def is_test(path, text):
    """relay_test.c tests relays, and is none."""
    return TEST.search(path) and re.search(r'#include "\S*test', text)


def exported(code):
    return {name for name, head, _, _, _ in functions(code)
            if not re.search(r"\bstatic\b", head)}


# A name behind its type; a function that is called like it is not meant.
VARIABLE = re.compile(r"\b(?!return\b|else\b|case\b|goto\b)\w+[\s*]+(\w+)\s*"
                      r"(?:[,;=)\[]|$)", re.M)


def uses(code, tables):
    """The names that the file may have from elsewhere: of functions that it calls
    or hands on, itself or in a table that it includes."""
    text = blank(code)
    variables = set(VARIABLE.findall(text))
    names = calls(text) | (
        set(re.findall(r"(?<![\w.>])(?<!struct )(?<!enum )[A-Za-z_]\w*", text)) -
        variables)
    for match in INCLUDE.finditer(code):
        names |= set(re.findall(r"\w+", tables.get(match[2], "")))
    return names - {name for name, _, _, _, _ in functions(blank(code))}


def way_back(needs, start):
    """The shortest way from START to itself along NEEDS, or nothing."""
    ways, seen = [[start]], set()
    for way in ways:
        for file in sorted(needs[way[-1]]):
            if file == start:
                return way + [start]
            if file not in seen:
                seen.add(file)
                ways.append(way + [file])
    return []


def check_circles(lint, sources, src):
    """Needs the whole folder.  One circle is told at a time: its smallest."""
    inside = {os.path.relpath(path, src): text
              for path, _, text, _ in sources
              if not path.endswith("_fuzz.c") and not is_test(path, text)}
    for folder in sorted({os.path.dirname(path) for path in inside}):
        code = {os.path.basename(path): text for path, text in inside.items()
                if os.path.dirname(path) == folder and path.endswith(".c")}
        tables = {path: blank(text) for path, text in inside.items()
                  if os.path.dirname(path) == folder and path.endswith(".def")
                  and not list(sentences(text))}
        home = {name: file for file, text in code.items()
                for name in exported(blank(text))}
        taken = {file: uses(text, tables) & set(home)
                 for file, text in code.items()}
        needs = {file: {home[name] for name in names} - {file}
                 for file, names in taken.items()}
        circles = sorted((way for way in (way_back(needs, file)
                                          for file in sorted(code)) if way),
                         key=len)
        if circles:
            way = circles[0]
            lint.error(os.path.join(src, folder, way[0]), 1,
                       "circle", " -> ".join(way) + ": " + ", ".join(
                           sorted(name for a, b in zip(way, way[1:])
                                  for name in taken[a] if home[name] == b)))


def check_banned(lint, path, code):
    for match in re.finditer(r"(?<![\w.>])(\w+)\s*\(", code):
        if match[1] in BANNED:
            lint.error(path, line_of(code, match.start()), "banned",
                       f"{match[1]}(): use {BANNED[match[1]]}")


def check_waits(lint, path, code, declarations):
    """Close the set over the file's own functions, then compare."""
    defined = {}
    for name, head, body, start, _ in functions(code):
        defined[name] = (re.search(r"\bstatic\b", head), calls(body),
                         line_of(code, start), bool(re.search(r"\bwaits\b",
                                                              head)))
    waiting = {n for n, d in defined.items() if d[3]}
    waiting |= {n for n, waits in declarations.items() if waits}
    # A static of this name hides a function declared elsewhere.
    waiting -= {n for n, d in defined.items() if d[0] and not d[3]}
    because = {}
    grown = True
    while grown:
        grown = False
        for name, (static, called, _, _) in defined.items():
            if name in waiting:
                continue
            reason = sorted(called & waiting)
            if reason:
                because[name] = reason[0]
                waiting.add(name)
                grown = True
    for name, reason in because.items():
        if not defined[name][0] and declarations.get(name) is False:
            lint.error(path, defined[name][2], "waits",
                       f"{name}() calls {reason}(), which waits: mark it in "
                       "its header")
    for name, (static, _, line, marked) in defined.items():
        if marked and not static and declarations.get(name) is False:
            lint.error(path, line, "waits", f"{name}() is marked here and "
                       "not in its header")


# Tables of sentences: the macro of a line -> the calls that say one, each with
# the place of the id among its arguments.
SAYINGS = {
    "REFUSAL": {"refuse": 2, "missing": 2},
    "PROBLEM": {"problem": 1},
    "FACT": {"because": 1},
    "TRIAL": {"fault": 1},
}
PREFIXES = {"REFUSAL": "REFUSE_", "PROBLEM": "PROBLEM_",
            "FACT": "FACT_", "TRIAL": "TRIAL_"}
SAYING = re.compile(r'^(\w+)\((\w+),((?:[^"\n]|"(?:\\.|[^"\\\n])*"|\n)*?)\)$',
                    re.M)


def sentences(text):
    """(macro, id, names of its values, offset) of each line of a table."""
    for match in SAYING.finditer(text):
        if match[1] in SAYINGS:
            yield (match[1], match[2], set(re.findall(r"\{(\w+)\}", match[3])),
                   match.start())


def arguments(code, start):
    """Those of the call whose parenthesis opens at START."""
    found, depth, at = [], 0, start
    for offset in range(start, len(code)):
        if code[offset] in "([{":
            depth += 1
        elif code[offset] in ")]}":
            depth -= 1
        if depth == 0 or (depth == 1 and code[offset] == ","):
            found.append(code[at + 1:offset].strip())
            at = offset
        if depth == 0:
            break
    return found


COMPARISON = re.compile(r"\b(strn?(?:case)?str|strn?(?:case)?cmp|"
                        r"str_(?:same|find|starts|ends|compare)\w*)\(")


def check_cause(lint, path, code):
    for match in COMPARISON.finditer(code):
        if any(re.search(r"\bcause\(\)", given)
               for given in arguments(code, match.end() - 1)):
            lint.error(path, line_of(code, match.start()), "cause",
                       f"{match[1]}(): a sentence is for people; decide by "
                       "cause_kind()")


def check_said(lint, sources):
    """Needs the whole tree: a table here, its calls in other files."""
    tables, said = {}, set()
    for path, _, text, _ in sources:
        if path.endswith(".def"):
            for macro, name, values, offset in sentences(text):
                tables.setdefault(macro, {})[name] = (values, path,
                                                      line_of(text, offset))
    for macro, table in tables.items():
        for path, _, text, _ in sources:
            if not path.endswith(".c"):
                continue
            code = blank(text, keep_strings=True)
            for match in re.finditer(r"\b(%s)\(" % "|".join(SAYINGS[macro]),
                                     code):
                given = arguments(code, match.end() - 1)
                place = SAYINGS[macro][match[1]]
                if len(given) <= place or given[place] not in table:
                    continue
                name = given[place]
                said.add((macro, name))
                values = {v for each in given[place + 1:]
                          for v in re.findall(r'^V\("(\w+)"', each)}
                # n may also only say how many a list would have.
                if values - {"n"} != table[name][0] - {"n"} or \
                        table[name][0] - values:
                    lint.error(path, line_of(code, match.start()), "said",
                               f"{name} has the values "
                               f"{', '.join(sorted(table[name][0])) or '-'}"
                               f", given are "
                               f"{', '.join(sorted(values)) or '-'}")
            said |= {(macro, name) for name in re.findall(
                rf"\b{PREFIXES[macro]}(\w+)", code)}
        for name, (_, path, line) in table.items():
            if (macro, name) not in said:
                lint.error(path, line, "said", f"nothing says {name}")


PLANTED = re.compile(r'^PLANTED\((\w+),\s*"([^"]+)"', re.M)
PLANTED_IN = ("smtp/", "filter/", "route/", "deliver/", "queue/", "rt/sim/")


def check_mutants(lint, sources, src):
    """Needs the whole tree: the table, and the one place of each."""
    wanted = {}
    for path, _, text, _ in sources:
        if os.path.relpath(path, src) == "base/mutants.def":
            for match in PLANTED.finditer(text):
                line = (path, line_of(text, match.start()))
                if match[1] in wanted:
                    lint.error(*line, "mutant", f"{match[1]} is there twice")
                if not match[2].startswith(PLANTED_IN):
                    lint.error(*line, "mutant",
                               f"nothing is planted in {match[2]}")
                wanted[match[1]] = (match[2], *line)
    planted = set()
    for path, _, _, code in sources:
        inside = os.path.relpath(path, src)
        if inside.startswith("base/mutants."):
            continue
        for match in re.finditer(r"\bMUTANT\((\w+)\)", code):
            where = wanted.get(match[1], ("no file",))[0]
            if where != inside:
                lint.error(path, line_of(code, match.start()), "mutant",
                           f"{match[1]}: mutants.def has it in {where}")
            elif match[1] in planted:
                lint.error(path, line_of(code, match.start()), "mutant",
                           f"{match[1]} is planted twice")
            planted.add(match[1])
    for name, (_, path, line) in wanted.items():
        if name not in planted:
            lint.error(path, line, "mutant", f"{name} is planted nowhere")


def check_sizes(lint, path, code):
    lines = code.count("\n")
    if lines > FILE_LINES and path.endswith((".c", ".h")):
        lint.error(path, 1, "size", f"{lines} lines in one file, at most "
                   f"{FILE_LINES}: split it by subject")
    for name, _, _, start, end in functions(code):
        lines = code.count("\n", start, end) + 1
        if lines > FUNCTION_LINES:
            lint.warn(lines, path, line_of(code, start),
                      f"{name}() has {lines} lines")


def check_machine(lint, path, text):
    for match in MACHINE_PATH.finditer(text):
        lint.error(path, line_of(text, match.start()), "machine",
                   f"a path of somebody's machine: {match.group()}")
    if os.path.basename(path) in ("package-lock.json", "npm-shrinkwrap.json"):
        match = re.search(r'"resolved"\s*:', text)
        if match:
            lint.error(path, line_of(text, match.start()), "machine",
                       '"resolved" names a registry: npm install with '
                       "omit-lockfile-registry-resolved=true")


# ---- all of it ----------------------------------------------------------

def formatter():
    """clang-format, where it is the version that FORMATTER says."""
    path = shutil.which("clang-format")
    if path:
        said = subprocess.run([path, "--version"], capture_output=True,
                              text=True).stdout
        if FORMATTER in said:
            return path
    print(f"lint: the format is not checked: no {FORMATTER} here")
    return None


def check_format(lint, paths):
    program = formatter()
    if not program or not os.path.exists(
            os.path.join(lint.root, ".clang-format")):
        return
    said = subprocess.run([program, "--dry-run", "--ferror-limit=1", *paths],
                          capture_output=True, text=True, cwd=lint.root)
    for path, line in re.findall(r"^(.+?):(\d+):\d+: .*-Wclang-format",
                                 said.stderr, re.M):
        lint.error(os.path.join(lint.root, path), line, "format",
                   "not as clang-format has it: ./dev format mends it")


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (UnicodeDecodeError, FileNotFoundError):
        return None


def files(root):
    for folder, names, found in os.walk(root):
        top = folder == root
        names[:] = sorted(n for n in names if n not in SKIPPED
                          and not (top and re.match(r"build(-|$)", n)))
        for name in sorted(found):
            path = os.path.join(folder, name)
            # In a work tree beside the first one, .git is a file.
            if name not in SKIPPED and not os.path.islink(path):
                yield path


def run(root):
    lint = Lint(root)
    src = os.path.join(root, "src")
    levels, only = read_levels(os.path.join(src, "levels"))

    sources, declarations = [], {}
    for path in files(root):
        text = read(path)
        if text is None:
            continue
        check_machine(lint, path, text)
        inside = os.path.relpath(path, src).split(os.sep)
        if inside[0] == ".." or not re.search(r"\.(c|h|def)$", path):
            continue
        if len(inside) < 2 or inside[0] not in levels:
            lint.error(path, 1, "arrow", "its folder has no level in "
                       "src/levels")
            continue
        sources.append((path, inside[0], text, blank(text)))
        if path.endswith(".h"):
            declarations.update(declared(blank(text)))

    for path, folder, text, code in sources:
        check_includes(lint, path, folder, blank(text, keep_strings=True),
                       levels, only)
        check_banned(lint, path, code)
        if path.endswith(".c") and not path.endswith(("_test.c", "_fuzz.c")):
            check_waits(lint, path, code, declarations)
            check_cause(lint, path, code)
        check_sizes(lint, path, code)

    check_format(lint, [path for path in files(root)
                        if path.endswith((".c", ".h"))])
    check_circles(lint, sources, src)
    check_said(lint, sources)
    check_mutants(lint, sources, src)

    build = os.path.join(root, "meson.build")
    if "-Wvla" not in (read(build) or ""):
        lint.error(build, 1, "vla", "arrays of variable length are banned: "
                   "-Wvla has to be among the warnings")
    return lint


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "..", "..")
    lint = run(os.path.realpath(root))
    largest = sorted(lint.warnings, reverse=True)
    for _, text in largest[:WARNINGS_SHOWN]:
        print(f"warning: {text}")
    if len(largest) > WARNINGS_SHOWN:
        print(f"warning: {len(largest) - WARNINGS_SHOWN} more are long")
    for text in lint.errors:
        print(text)
    print(f"lint: {len(lint.errors)} errors, {len(largest)} warnings")
    return 1 if lint.errors else 0


if __name__ == "__main__":
    sys.exit(main())
