#!/usr/bin/python3
"""What a mail costs: instructions, counted by callgrind, of conversations that
are always the same (test/sim/cost.c).

usage: cost.py [--renew] BINARY

Counted is the engine, with the libraries it calls, and neither the simulated
world around it nor what it plays: two runs are equal.  Ordinary mail may
cost at most 3 % more than test/sim/cost.expected says, if we and those
libraries were made by what that was written with; --renew writes it.  No
text may be dear, whatever it was made of.

One line for each: "ok", "DEAR" or "skipped".
"""

import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EXPECTED = os.path.join(HERE, "..", "..", "test", "sim", "cost.expected")

MORE = 3                # % more than expected that are let pass
DEAREST = 10            # times an octet of ordinary text
CHUNK = 10_000          # instructions for a BDAT, however small
PIECE = 65536           # LIMIT_BODY_PIECE_BYTES
SHOWN = 5               # parts of which it is told how they grew

# The C library chooses what fits the processor: everywhere the same.
SAME_EVERYWHERE = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-AVX512BW,"
                      "-ERMS,-FSRM,-BMI2,-LZCNT,-MOVBE,-RTM",
    "OPENSSL_ia32cap": "0",
    "SPLITMAIL_CHEAP_PASSWORDS": "1",
}


class Case:
    def __init__(self, line, parts):
        self.name, *numbers = line.split()
        self.mails, self.octets, self.changes, self.code = map(int, numbers)
        self.parts = {part: n // self.mails for part, n in parts.items()
                      if n >= self.mails}
        self.total = sum(self.parts.values())

    @property
    def is_ordinary(self):
        return self.mails > 1 or self.name == "large"


# ---- counting -----------------------------------------------------------

def part_of(path, binary, file):
    """Who is charged; None: the world."""
    if path != binary:
        return re.match(r"\w*", os.path.basename(path))[0] or "rest"
    if re.search(r"\b(test/sim|rt/sim|dns_sim)\b", file):
        return None
    inside = re.search(r"\bsrc/(\w+)/", file)
    return inside[1] if inside else "rest"


def charged(lines, binary):
    """part -> instructions, of callgrind's dump.  What a library does for the
    world is the world's: the cost of its calls is taken off again."""
    parts = {}

    def charge(part, cost):
        if part:
            parts[part] = parts.get(part, 0) + cost

    ob = fl = cob = None
    is_call = False
    for line in lines:
        key, _, value = line.rstrip("\n").partition("=")
        if key == "ob":
            ob = value
        elif key == "fl":
            fl = value
        elif key == "cob":
            cob = value
        elif key == "calls":
            is_call = True
        elif re.match(r"[\d+*-]\S* \d+$", key):
            cost = int(key.split()[1])
            if not is_call:
                charge(part_of(ob, binary, fl), cost)
            elif cob and cob != binary and not part_of(ob, binary, fl):
                charge(part_of(cob, binary, ""), -cost)
            is_call, cob = False, cob if not is_call else None
    return parts


def count(binary):
    """What it is made of, and the cases."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=measured",
             "--dump-after=measured", "--compress-strings=no",
             "--compress-pos=no", f"--callgrind-out-file={folder}/out",
             binary],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **SAME_EVERYWHERE}, timeout=3600)
        if done.returncode != 0:
            raise SystemExit(f"{done.stderr}\ncost: {binary} ended with "
                             f"{done.returncode}")
        made_of, *lines = done.stdout.splitlines()
        cases = []
        for number, line in enumerate(lines, 1):
            with open(f"{folder}/out.{number}", encoding="utf-8") as dump:
                cases.append(Case(line, charged(dump, binary)))
        return made_of, cases


# ---- what was expected --------------------------------------------------

HEAD = """\
# What a mail costs, in instructions: ./dev cost compares, ./dev cost --renew
# writes this.  Behind the sum: whose they are.
"""


def write_expected(made_of, cases):
    with open(EXPECTED, "w", encoding="utf-8") as file:
        file.write(f"{HEAD}{made_of}\n")
        for case in cases:
            parts = sorted(case.parts.items(), key=lambda p: -p[1])
            file.write(f"{case.name} {case.total}: " + ", ".join(
                f"{part} {n}" for part, n in parts) + "\n")


def read_expected():
    """made of, name -> (total, part -> instructions)"""
    with open(EXPECTED, encoding="utf-8") as file:
        made_of, *lines = [line.strip() for line in file if line[0] != "#"]
    cases = {}
    for line in lines:
        name, total, parts = re.match(r"(\S+) (\d+): (.*)", line).groups()
        cases[name] = (int(total), {
            part: int(n) for part, n in
            (each.split() for each in parts.split(", "))})
    return made_of, cases


def growth(case, before):
    """Which parts have it."""
    more = {part: case.parts.get(part, 0) - before.get(part, 0)
            for part in case.parts.keys() | before.keys()}
    largest = sorted(more.items(), key=lambda p: -abs(p[1]))[:SHOWN]
    return ", ".join(f"{part} {n:+}" for part, n in largest if n)


# ---- judging ------------------------------------------------------------

def judge_ordinary(cases):
    made_of, expected = read_expected()
    for case in cases:
        if case.code != 250 or case.name not in expected:
            yield False, f"{case.name}: {case.code}, or nothing is expected"
            continue
        total, parts = expected[case.name]
        percent = 100 * (case.total - total) / total
        text = (f"{case.name}: {case.total} instructions a mail, "
                f"{percent:+.2f} % ({growth(case, parts)})")
        if percent < -MORE:
            text += "; ./dev cost --renew keeps it so"
        yield percent <= MORE, text


def judge_text(case, octet):
    """OCTET: what one of ordinary text costs."""
    most = DEAREST * octet * case.octets
    if case.name.startswith("chunks-of-"):
        size = int(case.name.rpartition("-")[2])
        most = 2 * octet * case.octets + CHUNK * case.octets / size
    text = (f"{case.name}: {case.total / case.octets:.1f} instructions an "
            f"octet, at most {most / case.octets:.1f}; {case.changes} changes "
            "of the disk")
    return (case.total <= most and
            case.changes <= case.octets // PIECE + 3), text


def main():
    renew = sys.argv[1:2] == ["--renew"]
    binary = os.path.realpath(sys.argv[-1])
    made_of, cases = count(binary)
    ordinary = [case for case in cases if case.is_ordinary]
    texts = [case for case in cases if not case.is_ordinary]
    if renew:
        write_expected(made_of, ordinary)
    bad = 0
    if made_of == read_expected()[0]:
        verdicts = list(judge_ordinary(ordinary))
    else:
        verdicts = []
        for case in ordinary:
            print(f"skipped {case.name}: {case.total} instructions a mail, of "
                  f"{made_of}; expected is what {read_expected()[0]} makes")
    octet = next(case.total / case.octets for case in texts
                 if case.name == "ordinary-text")
    verdicts += [judge_text(case, octet) for case in texts]
    for is_good, text in verdicts:
        print(f"{'ok  ' if is_good else 'DEAR'} {text}")
        bad += not is_good
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
