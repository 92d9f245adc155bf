"""What the code says of itself: tables of C, and the API's document.

The commands and splitmail.conf come from splitmail-reference (JSON); what is in
.def files and base/limits.h is read where it stands.
"""

import json
import os
import re

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
STRING = r'"((?:\\.|[^"\\])*)"'


def path_of(name):
    return os.path.join(SOURCE, name)


def read(name):
    with open(path_of(name), encoding="utf-8") as file:
        return file.read()


def unquoted(text):
    return re.sub(r"\\(.)", r"\1", text)


def reference(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def rows(name, macro):
    """Of a .def file: (section, values) of each MACRO(...); strings without
    their quotes."""
    section = ""
    for line in read(name).split("\n"):
        title = re.match(r"/\* ---- (.*?) ---- \*/$", line)
        row = re.match(rf"{macro}\((.*)\)$", line)
        if title:
            section = title[1]
        if row:
            yield section, split_row(row[1])


def split_row(text):
    """'a, "b, c", 3' -> ["a", "b, c", "3"]"""
    return [unquoted(quoted) if bare == "" else bare for quoted, bare in
            re.findall(rf'\s*(?:{STRING}|([^,"]+))\s*(?:,|$)', text)]


LIMIT = re.compile(r"^\t(\w+) = (\d+),[ \t]*(?:/\* (.*?) \*/)?", re.S | re.M)


def words_of(comment):
    return " ".join(re.sub(r"\n\s*\* ", " ", comment).split())


def limits():
    """(section, what it is about, [(name, number, reason)]) of base/limits.h."""
    body = read("src/base/limits.h").split("enum {\n")[1].split("\n};")[0]
    body = re.sub(r"=\n\s+", "= ", body)
    body = re.sub(r"(\d),\n[ \t]+/\*", r"\1, /*", body)
    # A comment in a line of its own begins a section.
    for part in re.split(r"^\t/\* ", body, flags=re.M)[1:]:
        title, _, rest = part.partition("*/")
        title, _, about = words_of(title).partition(": ")
        yield title, about, [(name, int(number), words_of(reason))
                             for name, number, reason in LIMIT.findall(rest)]


LOGGED = re.compile(r"\blog_(fact|warn|error)\(\s*([^,]+?),\s*"
                    rf"((?:{STRING}|PRI\w+|\s)+)", re.S)
# Not for an administrator's eyes: what is said by nobody who serves.
NOT_LOGGED = re.compile(r"_test|/sim/|rt/log\.c$")


def log_lines():
    """(level, part as C has it, format) of each line that the log can have."""
    for folder, folders, names in os.walk(path_of("src")):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not name.endswith(".c") or NOT_LOGGED.search(path):
                continue
            with open(path, encoding="utf-8") as file:
                for level, part, text, _ in LOGGED.findall(file.read()):
                    yield level, part.strip(), unquoted("".join(
                        re.findall(STRING, text)))


def api():
    return json.loads(read("src/console/openapi.json"))
