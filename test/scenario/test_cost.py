"""A body costs what it weighs: instructions and writes are counted, in what a
session does with the bytes of a message (src/smtp/body_cost.c)."""

import os
import re
import shutil
import subprocess

import pytest

from splitmail import ROOT

BINARY = os.path.join(ROOT, "build-test", "src", "smtp", "body_cost")
SIZE = 300_000
PIECE = 65536           # LIMIT_BODY_PIECE_BYTES
HEAD = b"Subject: x\r\n\r\n"
LINE = b"This line has seventy octets, as the lines of ordinary mail have, " \
    b"ab.\r\n"
DEAREST = 10            # times an octet of ordinary mail
CHUNK = 600             # instructions for a BDAT, however small

pytestmark = pytest.mark.skipif(not shutil.which("valgrind"),
                                reason="valgrind counts the instructions")


def cost(folder, wire, chunks=0):
    """(instructions, writes) of WIRE."""
    path, counts = str(folder / "wire"), str(folder / "counts")
    with open(path, "wb") as file:
        file.write(wire)
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}",
         "--toggle-collect=cost_*", BINARY, path, str(chunks)],
        capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    collected = re.search(r"Collected : (\d+)", done.stderr)
    return int(collected[1]), int(done.stdout)


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory):
    """Instructions for an octet."""
    wire = HEAD + LINE * (SIZE // len(LINE)) + b".\r\n"
    instructions, writes = cost(tmp_path_factory.mktemp("ordinary"), wire)
    assert writes <= SIZE // PIECE + 2
    return instructions / len(wire)


KINDS = {
    "stuffed lines": (HEAD, b"..x\r\n"),
    "lone dots": (HEAD, b"..\r\n"),
    "rows of dots": (HEAD, b"...\r\n.....\r\n..\r\n"),
    "dots that end no line": (HEAD, b".x\r\n"),
    "empty lines": (HEAD, b"\r\n"),
    "lines of an octet": (HEAD, b"x\r\n"),
    "lines of 7": (HEAD, b"1234567\r\n"),
    "lines of 1000": (HEAD, b"x" * 998 + b"\r\n"),
    "no line end": (HEAD, b"x"),
    "eight bits": (HEAD, b"\xc3\xa4\xff\x80\xfe\xa0 .\r\n"),
    "bare LF": (HEAD, b"x\n"),
    "bare CR": (HEAD, b"x\r"),
    "NUL": (HEAD, b"\0"),
    "a dot and a CR": (HEAD, b".\r.\r\n"),
    "no header": (b"", b"text\r\n"),
    "only a header": (b"", b"X-A: This field has seventy octets, as many of "
                           b"real mail have, abc\r\n"),
    "short fields": (b"", b"a:\r\n"),
    "folded": (b"Subject: x\r\n", b" \r\n"),
    "one field": (b"Subject: ", b"x"),
    "one folded field": (b"Subject: x\r\n", b" " + b"y" * 90 + b"\r\n"),
    "trails": (b"", b"Splitmail-Trail: x\r\n"),
    "eight bits in fields": (b"", b"X-A: \xc3\xa4\xc3\xa4\xc3\xa4\r\n"),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_input_is_dear(ordinary, tmp_path, kind):
    head, piece = kind
    wire = head + piece * (SIZE // len(piece)) + b"\r\n.\r\n"
    instructions, writes = cost(tmp_path, wire)
    assert writes <= SIZE // PIECE + 2
    assert instructions / len(wire) < DEAREST * ordinary


@pytest.mark.parametrize("size", [1, 2, 7, 50, 1000, 50000])
def test_chunks_are_gathered(ordinary, tmp_path, size):
    """Each is a command, which costs what a command costs; its octets cost no
    more than those of DATA."""
    wire = HEAD + LINE * (SIZE // len(LINE))
    instructions, writes = cost(tmp_path, wire, size)
    assert writes <= SIZE // PIECE + 2
    assert instructions < 2 * ordinary * SIZE + CHUNK * SIZE / size
