"""A scripted next hop: SMTP (or LMTP) by plain sockets, as hostile as asked.

    sink = world.sink()                       accepts everything
    sink.on["RCPT"] = "550 5.1.1 no such user"
    sink.on["RCPT"] = {"bob@example.test": "250 ok", None: "550 5.1.1 no"}
    sink.on["DOT"] = [Drop(), "250 2.0.0 ok"]  the first time, from then on
    sink.on["DOT"] = Delay(30, "250 2.0.0 ok")
    sink.on["MAIL"] = lambda session, argument: "451 4.3.0 later"

What can be answered: CONNECT EHLO HELO LHLO STARTTLS TLS AUTH XCLIENT MAIL RCPT DATA
BODY DOT BDAT RSET NOOP VRFY QUIT, and NEXT, before a command is read.  An answer is a text (lines joined by \\n make
a multiline reply), bytes (sent as they are, whole replies or not), an action
below, a list (used up one by one, the last stays), a dict by address, or a
function; None is what is said without a script.  TLS is said instead of a
handshake, BODY when the first octets of the content have come, CHUNK instead of
reading what BDAT brings; none of them is said unless it is in the script.

A session knows for such functions its .number, the .mails it has accepted, the
.errors and the .junk since then, what it has .seen, the .recipients of the mail
at hand and its .body_bytes.  `at_once` is
how many connections there may be; who comes beyond hears `beyond`, or is
refused by TCP when that is None.  conducts.py has a gallery of scripts.

What came is in sink.messages (exact bytes, dot stuffing undone; .wire is what
was on the wire up to the final dot), every command line in sink.commands.
down() and up() take the port away and bring it back.  Who says nothing for
`idle` seconds hears `idle_says`, if anything, and the connection is closed.  `pace` is how many
seconds the sink takes to read each piece of a content.
"""

import base64
import collections
import re
import select
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from world import claim_address, free_port, wait_until


class Drop:
    """Close the connection without an answer."""


class Reset:
    """The same with a TCP reset."""


class Hang:
    """Say nothing until the other side gives up or the sink ends."""


class Delay:
    def __init__(self, seconds, then="250 2.0.0 ok"):
        self.seconds, self.then = seconds, then


class Endless:
    """These bytes again and again, until the other side is gone."""

    def __init__(self, piece, most=64 << 20):
        self.piece, self.most = piece, most


class Cut:
    """These bytes, and then the connection is closed."""

    def __init__(self, answer):
        self.answer = answer


class Take:
    """The mail is taken, whatever is said (or done) then."""

    def __init__(self, then):
        self.then = then


class Nothing:
    """Nothing is said, and all goes on: of NEXT, BODY, TLS, CHUNK."""


class Ended(Exception):
    pass


class Message:
    """One accepted mail.  sender, recipients: as given, without brackets."""

    def __init__(self, session):
        self.sender, self.mail_parameters = session.sender
        self.recipients = [address for address, _ in session.recipients]
        self.rcpt_parameters = [words for _, words in session.recipients]
        self.peer = session.peer
        self.helo = session.helo
        self.tls = session.tls
        self.user = session.user
        self.client = session.client
        self.by_bdat = False
        self.data = self.wire = b""
        self.begun, self.time = session.begun, time.monotonic()

    def __repr__(self):
        return (f"<{self.sender} to {self.recipients}, "
                f"{len(self.data)} bytes>")


DEFAULTS = {
    "CONNECT": "220 sink.test ESMTP", "HELO": "250 sink.test",
    "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok",
    "DATA": "354 go ahead", "DOT": "250 2.0.0 ok", "BDAT": "250 2.0.0 ok",
    "RSET": "250 2.0.0 ok", "NOOP": "250 2.0.0 ok", "VRFY": "252 2.0.0 maybe",
    "QUIT": "221 2.0.0 bye", "STARTTLS": "220 2.0.0 go ahead",
    "AUTH": "235 2.7.0 welcome", "XCLIENT": "220 sink.test again",
}

JUNK = {"RSET", "NOOP", "VRFY", "EHLO", "HELO"}


class Session(threading.Thread):
    def __init__(self, sink, connection, peer):
        super().__init__(daemon=True)
        self.sink, self.connection, self.peer = sink, connection, peer
        self.begun = time.monotonic()   # nothing was said before
        self.pending = b""
        self.helo = self.user = None
        self.client = {}                # who it was told that it is
        self.tls = self.is_beyond = False
        self.number = self.mails = self.errors = self.junk = 0
        self.seen = collections.Counter()
        self.forget()

    def forget(self):
        self.sender, self.recipients, self.chunks = None, [], b""
        self.body_bytes = 0

    def is_left(self):
        """The client has closed its end, whether we have read so far or not."""
        if self.connection.fileno() < 0:        # a handshake is under way
            return False
        look = select.poll()
        look.register(self.connection, select.POLLRDHUP)
        return bool(look.poll(0))

    # ---- bytes

    def read_more(self, most=65536):
        try:
            more = self.connection.recv(most)
        except TimeoutError:
            if self.sink.idle_says:
                self.send(self.sink.idle_says)
            raise Ended from None
        except OSError:
            raise Ended from None
        if not more:
            raise Ended
        self.pending += more

    def read_line(self):
        while b"\r\n" not in self.pending:
            self.read_more()
        line, _, self.pending = self.pending.partition(b"\r\n")
        return line

    def read_data(self):
        """Exactly what the client sent up to CRLF.CRLF."""
        said = "BODY" not in self.sink.on
        while not (self.pending.startswith(b".\r\n")
                   or b"\r\n.\r\n" in self.pending):
            if self.pending and not said:
                said = True
                self.answer("BODY")
            if self.sink.pace and self.sink.ended.wait(self.sink.pace):
                raise Ended
            self.read_more(1 if self.sink.pace else 65536)
        if self.pending.startswith(b".\r\n"):
            data, self.pending = b"", self.pending[3:]
        else:
            data, _, self.pending = self.pending.partition(b"\r\n.\r\n")
            data += b"\r\n"
        return data

    def send(self, answer):
        if isinstance(answer, str):
            lines = answer.split("\n")
            code = lines[0][:3]
            lines = [lines[0]] + [line if line[:3] == code else
                                  f"{code} {line}" for line in lines[1:]]
            answer = b"".join(
                (line[:3] + ("-" if n + 1 < len(lines) else " ")
                 + line[4:] + "\r\n").encode() for n, line in enumerate(lines))
        try:
            self.connection.sendall(answer)
        except OSError:
            raise Ended from None
        self.errors += answer[:1] in (b"4", b"5")
        return answer[:1] if answer[:1] in (b"2", b"3") else b""

    # ---- answers

    def answer(self, verb, argument="", address=None, accept=None):
        """Perform what the script says: the reply's first digit in 2, 3.
        ACCEPT() is called before a 2 is said: who hears it may look."""
        self.seen[verb] += 1
        self.junk += verb in JUNK
        planned = self.sink.on.get(verb, self.default(verb))
        while True:
            if isinstance(planned, dict):
                planned = planned.get(address, planned.get(
                    None, DEFAULTS.get(verb)))
            elif isinstance(planned, list):
                with self.sink.lock:
                    planned = planned.pop(0) if len(planned) > 1 else \
                        planned[0]
            elif isinstance(planned, Delay):
                if self.sink.ended.wait(planned.seconds):
                    raise Ended
                planned = planned.then
            elif callable(planned) and not isinstance(planned, type):
                planned = planned(self, argument)
            elif planned is None:
                planned = self.default(verb)
            else:
                break
        if isinstance(planned, Nothing):
            return None
        if isinstance(planned, Take):
            if accept:
                accept()
            accept, planned = None, planned.then
        if isinstance(planned, Hang):
            self.hang()
        if isinstance(planned, Reset):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       b"\1\0\0\0\0\0\0\0")
            raise Ended
        if isinstance(planned, Drop):
            raise Ended
        if isinstance(planned, Endless):
            self.endless(planned)
        if isinstance(planned, Cut):
            self.send(planned.answer)
            raise Ended
        if accept and planned[:1] in ("2", b"2"):
            accept()
        return self.send(planned)

    def default(self, verb):
        if verb in ("EHLO", "LHLO"):
            words = list(self.sink.extensions)
            if self.sink.tls and self.tls:
                words.append("AUTH PLAIN")
            elif self.sink.tls:
                words.append("STARTTLS")
            return "\n".join(f"250 {word}" for word in ["sink.test"] + words)
        if verb == "BEYOND":
            return self.sink.beyond
        return DEFAULTS.get(verb, "500 5.5.2 what?")

    def hang(self):
        while True:
            self.read_more()

    def endless(self, what):
        piece = what.piece * (65536 // len(what.piece) + 1)
        while self.sink.sent_endlessly < what.most:
            self.send(piece)
            self.sink.sent_endlessly += len(piece)
        raise Ended

    # ---- the conversation

    def run(self):
        try:
            if self.is_beyond:
                self.answer("BEYOND")
                raise Ended
            self.answer("CONNECT")
            while True:
                if "NEXT" in self.sink.on:
                    self.answer("NEXT")
                line = self.read_line().decode("utf-8", "surrogateescape")
                self.sink.commands.append(line)
                verb, _, argument = line.partition(" ")
                verb = verb.upper()
                getattr(self, f"on_{verb.lower()}", self.on_other)(verb,
                                                                  argument)
                if verb == "QUIT":
                    raise Ended
        except Ended:
            pass
        finally:
            self.sink.ends(self)

    def on_other(self, verb, argument):
        self.answer(verb, argument)

    def on_ehlo(self, verb, argument):
        self.helo = argument
        self.forget()
        self.answer(verb, argument)

    on_helo = on_lhlo = on_ehlo

    def on_rset(self, verb, argument):
        self.forget()
        self.answer(verb, argument)

    def on_starttls(self, verb, argument):
        if not self.answer(verb, argument):
            return
        self.pending = b""
        if "TLS" in self.sink.on and self.answer("TLS") is not None:
            raise Ended
        try:
            self.connection = self.sink.tls.wrap_socket(self.connection,
                                                        server_side=True)
        except (ssl.SSLError, OSError):
            raise Ended from None
        self.tls = True
        self.forget()

    def on_auth(self, verb, argument):
        words = argument.split()
        if words[0].upper() == "PLAIN":
            if len(words) == 1:
                self.send("334 ")
                words.append(self.read_line().decode())
            parts = base64.b64decode(words[1]).split(b"\0")
            self.user = parts[1].decode()
            self.sink.passwords[self.user] = parts[2].decode()
        self.answer(verb, argument)

    def on_xclient(self, verb, argument):
        """Who the client is: the session begins anew, unless it is refused."""
        announced = [each for each in self.sink.extensions
                     if each.upper().startswith("XCLIENT")]
        if not announced or self.answer(verb, argument) != b"2":
            return announced or self.send("500 5.5.2 what?")
        self.client = dict(word.partition("=")[::2]
                           for word in argument.split())
        self.forget()

    @staticmethod
    def path(argument):
        """FROM:<a@b> SIZE=3 -> ("a@b", ["SIZE=3"])"""
        match = re.match(r'(?:FROM|TO):\s*<((?:"(?:\\.|[^"])*"|[^>"])*)>(.*)',
                         argument, re.I)
        return (match[1], match[2].split()) if match else (argument, [])

    def on_mail(self, verb, argument):
        path = self.path(argument)
        if self.answer(verb, argument, path[0]):
            self.sender, self.recipients, self.chunks = path, [], b""

    def on_rcpt(self, verb, argument):
        path = self.path(argument)
        if self.answer(verb, argument, path[0]):
            self.recipients.append(path)

    def on_data(self, verb, argument):
        if not self.sender or not self.recipients:
            self.send("503 5.5.1 no recipients")
            return
        if self.answer(verb, argument):
            wire = self.read_data()
            self.settle("DOT", re.sub(rb"(^|\r\n)\.", rb"\1", wire), wire)

    def on_bdat(self, verb, argument):
        if "CHUNK" in self.sink.on and \
                self.answer("CHUNK", argument) is not None:
            return
        words = argument.split()
        while len(self.pending) < int(words[0]):
            self.read_more()
        size = int(words[0])
        self.chunks += self.pending[:size]
        self.pending = self.pending[size:]
        if not self.sender or not self.recipients:
            self.send("503 5.5.1 no recipients")
        elif words[-1].upper() == "LAST":
            self.settle("BDAT", self.chunks, self.chunks)
        else:
            self.send("250 2.0.0 next")

    def settle(self, verb, data, wire):
        message = Message(self)
        message.data, message.wire = data, wire
        message.by_bdat = verb == "BDAT"
        self.sink.seen.append(message)
        self.body_bytes = len(data)
        accepted = []
        if self.sink.lmtp:
            for address in message.recipients:
                if self.answer(verb, address=address) == b"2":
                    accepted.append(address)
            message.recipients = accepted
        else:
            self.answer(verb, address=message.recipients[0],
                        accept=lambda: self.accept(message))
        self.forget()
        if accepted:
            self.sink.messages.append(message)


    def accept(self, message):
        self.mails += 1
        self.errors = self.junk = 0
        self.sink.messages.append(message)


class Sink:
    def __init__(self, name="sink", address=None, port=None, tls=False,
                 lmtp=False, extensions=("PIPELINING", "8BITMIME", "SMTPUTF8",
                                         "SIZE 104857600",
                                         "ENHANCEDSTATUSCODES", "DSN"),
                 on=None, pace=0, at_once=None,
                 beyond="421 4.7.0 too many connections", idle=None,
                 idle_says=None):
        self.name = name
        self.claim = None
        if address is None:
            address, self.claim = claim_address()
        self.address = address
        self.port = port or free_port(address)
        self.at = f"{self.address}:{self.port}"
        self.extensions = list(extensions)
        self.lmtp = lmtp
        self.tls = self_signed() if tls is True else tls or None
        self.on = dict(on or {})
        self.messages = []      # accepted
        self.seen = []          # whose body came, whatever we said then
        self.commands = []
        self.passwords = {}
        self.connections = 0
        self.most_at_once = 0
        self.at_once, self.beyond, self.sent_away = at_once, beyond, 0
        self.pace = pace
        self.idle, self.idle_says = idle, idle_says
        self.sent_endlessly = 0
        self.sessions = set()
        self.lock = threading.Lock()
        self.listener = None
        self.ended = threading.Event()

    def start(self):
        self.up()

    def up(self):
        self.ended = threading.Event()
        self.listen()

    def listen(self):
        listener = socket.socket(socket.AF_INET6 if ":" in self.address
                                 else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.pace:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # Whoever waited in the accept() of the one before has it for a moment.
        wait_until(lambda: self.binds(listener), 5, f"{self.at} free")
        listener.listen(256)
        self.listener = listener
        threading.Thread(target=self.accept, args=(listener,),
                         daemon=True).start()

    def binds(self, listener):
        try:
            listener.bind((self.address, self.port))
            return True
        except OSError:
            return False

    def accept(self, listener):
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(self.idle)
            session = Session(self, connection, peer[0])
            with self.lock:
                if self.listener is not listener:
                    connection.close()
                    return
                open = sum(not s.is_beyond and not s.is_left()
                           for s in self.sessions)
                session.is_beyond = self.at_once is not None and \
                    open >= self.at_once
                self.sessions.add(session)
                self.connections += 1
                session.number = self.connections
                self.sent_away += session.is_beyond
                self.most_at_once = max(self.most_at_once,
                                        open + (not session.is_beyond))
                session.start()     # before down() may want to join it
                if self.beyond is None and self.is_full():
                    self.close(listener)

    def is_full(self):
        return self.at_once is not None and len(self.sessions) >= self.at_once

    def ends(self, session):
        with self.lock:
            session.connection.close()
            self.sessions.discard(session)
            shut = self.beyond is None and self.listener and \
                self.listener.fileno() < 0
            if shut and not self.is_full():
                self.listen()

    @staticmethod
    def close(listener):
        try:
            listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        listener.close()

    def down(self):
        """Refuse connections, and cut those that are open."""
        self.ended.set()
        with self.lock:
            listener, self.listener = self.listener, None
            sessions = list(self.sessions)
        if listener:
            self.close(listener)
        for session in sessions:
            try:
                session.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for session in sessions:
            session.join(60)

    def recovers(self):
        """All is well from now on.  Who is connected is cut off first: he would
        have a mail taken from him, and not hear of it."""
        self.down()
        self.on.clear()
        self.up()

    def end(self):
        self.down()
        if self.claim:
            self.claim.close()

    def wait(self, count=1, timeout=20):
        """The messages, once at least COUNT were accepted."""
        wait_until(lambda: len(self.messages) >= count, timeout,
                   f"{self.name}: {count} messages, has {self.messages}")
        return list(self.messages)

    def stays(self, count, seconds=1.0):
        """Exactly COUNT messages now and SECONDS later."""
        time.sleep(seconds)
        assert len(self.messages) == count, self.messages

    def recipients(self):
        return sorted(r for m in self.messages for r in m.recipients)

    def log_tail(self):
        return "\n".join(self.commands[-40:] + [repr(m) for m in self.seen[-20:]])


_tls = None


def self_signed():
    global _tls
    if _tls is None:
        _tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                 "/CN=sink.test", "-keyout", file.name, "-out",
                 f"{file.name}.crt"], check=True, capture_output=True)
            _tls.load_cert_chain(f"{file.name}.crt", file.name)
            subprocess.run(["rm", "-f", f"{file.name}.crt"], check=True)
    return _tls
