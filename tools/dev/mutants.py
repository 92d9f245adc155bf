#!/usr/bin/python3
"""Are planted faults found (src/base/mutants.def)?

usage: mutants.py BUILD [--units] [--worlds N] [--about SUBJECT] [--table FILE]
                  [NAME...]

BUILD has -Dmutants=true.  Each mutant named (all) is woken in turn: in worlds,
seed after seed, until one of them does not balance, or, with --units, in the
unit tests of what it is planted in and of what uses that, until one is red.
--about tries only the worlds of one subject.
--table writes what the worlds found into FILE, between its two marks; rows of
faults that were not tried stay, and so does what a row says of unit tests.
Seconds are the processor's: others may use this machine.

Exit 1: one was not found.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TABLE = re.compile(r'^PLANTED\((\w+),\s*"([^"]+)",\s*"([^"]+)"\)', re.M)
FOLDERS = ["queue", "route", "filter", "deliver", "smtp", "sim"]	# who uses whom
PATIENCE_S = 120	# a mutant may wait for ever
BEGIN, END = "<!-- mutants: begin -->", "<!-- mutants: end -->"


def mutants():
    with open(f"{ROOT}/src/base/mutants.def", encoding="utf-8") as table:
        return TABLE.findall(table.read())


def processor_s():
    """What those took that were run and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command, name=""):
    """(exit status, seconds, output); status -1: it did not end."""
    environment = dict(os.environ, SPLITMAIL_MUTANT=name,
                       SPLITMAIL_CHEAP_PASSWORDS="1")
    before = processor_s()
    try:
        done = subprocess.run(command, env=environment, timeout=PATIENCE_S,
                              stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, errors="replace",
                              stderr=subprocess.STDOUT)
        status, said = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        status, said = -1, (late.stdout or b"").decode(errors="replace")
    return status, processor_s() - before, said


# ---- unit tests ----------------------------------------------------------

def unit_tests(build):
    """name -> command, of the folders that faults are planted in."""
    listed = subprocess.run(["meson", "introspect", "--tests", build],
                            capture_output=True, text=True, check=True)
    return {test["name"]: test["cmd"] for test in json.loads(listed.stdout)
            if test["name"].split("/")[0] in FOLDERS and
            test["name"] != "sim/worlds"}


def red_line(said):
    found = re.findall(r"^\[  FAILED  \] (\w+)$", said, re.M)
    return found[0] if found else (said.strip().splitlines() or ["?"])[-1]


class Units:
    """Only tests that are green without a mutant say anything."""

    def __init__(self, build):
        self.tests = []
        for name, command in unit_tests(build).items():
            status, seconds, said = run(command)
            if status:
                print(f"{name} is red without any: {red_line(said)}")
            else:
                self.tests.append((seconds, name, command))

    def find(self, name, where):
        """What found it, or None; and the seconds."""
        folder = where.split("/")[0].replace("rt", "queue")
        spent, first = 0, FOLDERS.index(folder)
        for _, test, command in sorted(
                self.tests, key=lambda t: (t[1].split("/")[0] != folder,
                                           t[0])):
            if FOLDERS.index(test.split("/")[0]) < first:
                continue
            status, seconds, said = run(command, name)
            spent += seconds
            if status:
                return f"{test}: {red_line(said)}", spent
        return None, spent


# ---- worlds --------------------------------------------------------------

class Worlds:
    AT_ONCE = 10

    def __init__(self, build, most, about):
        self.program = f"{build}/test/sim/splitmail-sim"
        self.most = most
        self.only = ["--about", about] if about else []
        if not os.path.exists(self.program):
            sys.exit("there are no worlds in this tree: try --units")

    def find(self, name, where):
        spent = 0
        for first in range(1, self.most + 1, self.AT_ONCE):
            status, seconds, said = run([self.program, "--mutant", name,
                                         "--seed", str(first),
                                         "--worlds", str(self.AT_ONCE),
                                         "--shrink", "0"] + self.only)
            spent += seconds
            wrong = re.search(r"^WRONG in world (\d+): (.*)", said, re.M)
            if wrong:
                return f"world {wrong[1]}: {wrong[2]}", spent
            if status:
                return f"world {first} or later: {red_line(said)}", spent
        return None, spent


# ---- all of it -----------------------------------------------------------

ROW = re.compile(r"^\| (.*?) \| `.*?` \| (.*?) \| (.*?) \| (.*?) *\|$", re.M)


def write_table(path, rows):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(BEGIN)
    old, after = rest.split(END)
    known = {row[0]: row[1:] for row in ROW.findall(old)}
    tried = {sentence: ((found or "–").split(": ")[0].removeprefix("world "),
                        f"{seconds:.1f}")
             for sentence, found, seconds in rows}
    lines = ["| fault | planted in | world | s | unit test |",
             "|---|---|---|---|---|"]
    for _, where, sentence in mutants():
        *ours, unit = known.get(sentence, ("–", "", ""))
        world, seconds = tried.get(sentence, ours)
        lines.append(f"| {sentence} | `{where}` "
                     f"| {world} | {seconds} | {unit} |")
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END +
                   after)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--units", action="store_true")
    parser.add_argument("--worlds", type=int, default=1000,
                        help="so many at most")
    parser.add_argument("--about", help="worlds of this subject only")
    parser.add_argument("--table")
    parser.add_argument("names", nargs="*")
    wish = parser.parse_intermixed_args()
    unknown = set(wish.names) - {name for name, _, _ in mutants()}
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")

    finder = Units(wish.build) if wish.units else Worlds(wish.build,
                                                         wish.worlds,
                                                         wish.about)
    rows, missed, spent = [], 0, 0
    for name, where, sentence in mutants():
        if wish.names and name not in wish.names:
            continue
        found, seconds = finder.find(name, where)
        missed += not found
        spent += seconds
        print(f"{'found' if found else 'NOT FOUND'} {name} ({seconds:.1f} s)"
              f"{': ' + found if found else ''}", flush=True)
        rows.append((sentence, found, seconds))
    if wish.table:
        write_table(wish.table, rows)
    print(f"{len(rows) - missed} of {len(rows)} found in {spent:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
