"""Runs the steps of wire/cases.jsonl against a server (see wire/README.md)."""

import base64
import contextlib
import os
import re
import socket
import ssl
import struct
import time

from splitmail import no_checks
from world import PATIENCE

PERHAPS = 12           # for one that need not come
SILENCE = 0.7          # no more replies are coming, on a line that goes on
ESCAPES = {"r": 13, "n": 10, "t": 9, "0": 0, "\\": 92}


class Wrong(AssertionError):
    pass


def unescape(text):
    out, at = bytearray(), 0
    while at < len(text):
        char, after = text[at], text[at + 1:at + 2]
        if char == "\\" and after in ESCAPES:
            out.append(ESCAPES[after])
            at += 2
        elif char == "\\" and after == "x":
            out.append(int(text[at + 2:at + 4], 16))
            at += 4
        else:
            out += char.encode()
            at += 1
    return bytes(out)


def expand(text, variables):
    """${rep:N:..} innermost first, then names, then ${b64:..}."""
    inner = re.compile(r"\$\{rep:(\d+):((?:(?!\$\{rep:)[^}])*)\}", re.S)
    before = None
    while before != text:
        before = text
        text = inner.sub(lambda m: m[2] * int(m[1]), text)
    for name, value in variables.items():
        text = text.replace("${%s}" % name, value)
    return re.sub(r"\$\{b64:([^}]*)\}", lambda m: base64.b64encode(
        unescape(m[1])).decode(), text)


class Line:
    """One connection: bytes out, whole replies in."""

    def __init__(self, address, port, name, source=None):
        self.raw = self.socket = socket.create_connection(
            (address, port), timeout=PATIENCE,
            source_address=source and (source, 0))
        self.name, self.pending, self.ended, self.heard = name, b"", False, []

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            self.ended = True

    def read_more(self, patience):
        """False when the connection has ended."""
        if self.ended:
            return False
        try:
            self.socket.settimeout(max(patience, 0.01))
            more = self.socket.recv(65536)
        except (socket.timeout, ssl.SSLWantReadError):
            return True
        except OSError:
            more = b""
        self.pending += more
        self.ended = not more
        return not self.ended

    def reply(self, patience=PATIENCE):
        """A whole reply, its lines joined by \\n; None: none came."""
        end, lines = time.monotonic() + patience, []
        while True:
            line, newline, rest = self.pending.partition(b"\n")
            if newline:
                self.pending = rest
                lines.append(line.rstrip(b"\r").decode("latin1"))
                if lines[-1][3:4] != "-":
                    break
            elif not self.read_more(end - time.monotonic()) or \
                    time.monotonic() >= end:
                break
        if not lines:
            return None
        self.heard.append("\n".join(lines))
        return self.heard[-1]

    def replies(self, seconds):
        end, found = time.monotonic() + seconds, []
        while time.monotonic() < end and not (self.ended and
                                              b"\n" not in self.pending):
            reply = self.reply(end - time.monotonic())
            if reply is not None:
                found.append(reply)
        return found

    def last_words(self):
        """We say no more: all replies to what was said, until the server has
        closed, too.  It has then done with the connection."""
        with socket.socket(fileno=os.dup(self.socket.fileno())) as half, \
                contextlib.suppress(OSError):
            half.shutdown(socket.SHUT_WR)
        return self.replies(PATIENCE)

    def start_tls(self, must):
        asked = self.heard and self.heard[-1].startswith("220") and \
            len(self.heard) > 1
        if must and not asked:
            self.send(b"STARTTLS\r\n")
            reply = self.reply()
            if not reply or not reply.startswith("220"):
                raise Wrong(f"STARTTLS: {reply}")
        try:
            self.socket.settimeout(PATIENCE)
            self.socket = no_checks().wrap_socket(self.raw,
                                                  server_hostname=self.name)
            self.pending = b""
        except (OSError, ValueError) as trouble:
            self.ended = True
            if must:
                raise Wrong(f"TLS: {trouble}") from None

    def end_tls(self):
        try:
            self.socket.settimeout(0.3)
            self.raw = self.socket.unwrap()
        except (OSError, ValueError):
            pass
        self.socket = socket.socket(fileno=os.dup(self.socket.fileno()))

    def reset(self):
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
        self.raw.close()

    def close(self):
        self.socket.close()


def talks(steps):
    """Do STEPS go on with the connection there is?"""
    for step in steps:
        if step in ("new", "close", "rst"):
            return step == "rst"
        if step != "<alive":
            return True
    return False


class Dialogue:
    def __init__(self, address, port, name, variables, source=None):
        self.to = (address, port, name, source)
        self.variables, self.line = variables, None

    def run(self, steps):
        """True: the server has ended the connection and all that came of it."""
        try:
            for number, step in enumerate(steps):
                self.goes_on = talks(steps[number + 1:])
                self.step(step)
            if self.line.socket.fileno() != -1:
                self.line.last_words()
            return self.line.ended
        finally:
            if self.line:
                self.line.close()

    def bytes(self, text):
        return unescape(expand(text, self.variables))

    def connect(self):
        if self.line:
            self.line.close()
        self.line = Line(*self.to)
        return self.line

    def want(self, pattern, reply, match=re.match):
        if reply is None or not match(pattern, reply):
            raise Wrong(f"wanted {pattern}, heard {str(reply)[:200]}")

    def hear(self, step):
        line = self.line or self.connect()
        kind, pattern = step[1:2], step[2:]
        if step == "<x":
            end = time.monotonic() + PATIENCE
            while not line.ended and time.monotonic() < end:
                line.replies(0.3)
            if not line.ended:
                raise Wrong("the server does not close")
        elif step == "<noop":
            line.send(b"NOOP\r\n")
            self.want("250", line.reply())
        elif step == "<alive":
            other = Line(*self.to)
            self.want("220", other.reply())
            other.close()
        elif kind == "!":
            for reply in (line.replies(SILENCE) if self.goes_on
                          else line.last_words()):
                if re.search(pattern, reply, re.M):
                    raise Wrong(f"heard {reply[:200]}")
        elif kind == "?":
            reply = line.reply(PERHAPS)
            if reply is not None:
                self.want(pattern, reply)
        elif kind == "~":
            self.want(pattern, line.reply(), re.search)
        else:
            self.want(step[1:], line.reply())

    def loop(self, step):
        times, text, pattern = re.match(r"loopr (\d+) >(.*) (\^.*)$",
                                        step).groups()
        for count in range(int(times)):
            self.line.send(self.bytes(text.replace("${i}", str(count))))
            reply = self.line.reply()
            if reply is None and self.line.ended:
                return
            self.want(pattern, reply)
            if reply.startswith("421"):
                return

    def step(self, step):
        word, _, rest = step.partition(" ")
        if step[0] == ">":
            (self.line or self.connect()).send(self.bytes(step[1:]))
        elif step[0] == "<":
            self.hear(step)
        elif word == "early":
            self.connect().send(self.bytes(rest[1:]))
        elif word in ("tls", "tls?"):
            self.line.start_tls(word == "tls")
        elif word == "tlsclose":
            self.line.end_tls()
        elif word == "wait":
            time.sleep(float(rest))
        elif word == "new":
            self.connect()
        elif word == "close":
            self.line.close()
        elif word == "rst":
            self.line.reset()
        elif word == "slow":
            pause, text = rest.split(" ", 1)
            for byte in self.bytes(text):
                self.line.send(bytes([byte]))
                time.sleep(float(pause))
        elif word == "loopr":
            self.loop(step)
        elif word == "drain":
            seconds, pattern, least = rest.split(" ")
            heard = self.line.replies(float(seconds))
            while len(heard) < int(least):
                heard.append(self.line.reply())
            for reply in heard:
                self.want(pattern, reply)
        elif word == "noread":
            self.line.socket.settimeout(2)
            self.line.send(self.bytes(rest[1:]))
        else:
            raise ValueError(f"no such step: {step}")
