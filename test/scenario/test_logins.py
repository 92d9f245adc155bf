"""Who is hosted here logs in; who is not, does not, whatever the service."""

import base64
import imaplib
import poplib
import smtplib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from splitmail import ANSWER, no_checks
from world import wait_until

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
DORA, NOBODY = f"dora@{DOMAIN}", f"nobody@{DOMAIN}"
STRANGER = "stranger@elsewhere.test"
REFUSED = (imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPException,
           ConnectionError)


class Sieve:
    """As much of a ManageSieve client (RFC 5804) as the tests need."""

    def __init__(self, server, user, password=None):
        raw = socket.create_connection(
            (server.address, server.ports["sieve"]), timeout=ANSWER)
        self.file = raw.makefile("rwb")
        self.answer()
        self.say(b"STARTTLS")
        self.raw = no_checks().wrap_socket(raw)
        self.file = self.raw.makefile("rwb")
        self.answer()
        token = f"\0{user}\0{password or server.passwords[user]}".encode()
        self.say(b'AUTHENTICATE "PLAIN" "%s"' % base64.b64encode(token))

    def answer(self):
        while True:
            line = self.file.readline()
            word = line.split(b" ")[0].strip()
            if word == b"OK":
                return
            if word in (b"NO", b"BYE", b""):
                raise imaplib.IMAP4.error(line)

    def say(self, line):
        self.file.write(line + b"\r\n")
        self.file.flush()
        self.answer()

    def install(self, script):
        text = script.encode()
        self.say(b'PUTSCRIPT "s" {%d+}\r\n%s' % (len(text), text))
        self.say(b'SETACTIVE "s"')
        self.file.close()
        self.raw.close()


def attempts(server, user, password):
    return {
        "imap": lambda: server.imap(user, password).logout(),
        "imap with STARTTLS": lambda: server.imap(user, password,
                                                  tls=False).logout(),
        "pop3": lambda: server.pop3(user, password).quit(),
        "sieve": lambda: Sieve(server, user, password),
        "submission": lambda: server.submit(user, password).quit(),
        "submissions": lambda: server.submits(user, password).quit(),
    }


def result(attempt):
    try:
        attempt()
        return "in"
    except REFUSED as refusal:
        return type(refusal).__name__


def results(server, user, password):
    """By service.  All at once: each failure costs the next one seconds."""
    tries = attempts(server, user, password)
    with ThreadPoolExecutor(len(tries)) as pool:
        return dict(zip(tries, pool.map(result, tries.values())))


@pytest.fixture
def server(world):
    sink = world.sink()
    server = world.server("a")
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.user(ALICE)
    for user in (BOB, DORA):
        server.user(user)
    server.cli("user", "set", BOB, "mail_system=alternate")
    server.cli("user", "set", DORA, "enabled=no")
    return server


def test_hosted_users_only_and_all_others_alike(server):
    assert set(results(server, ALICE, "secret-alice").values()) == {"in"}
    with ThreadPoolExecutor(4) as pool:
        wrong, *others = pool.map(
            lambda login: results(server, *login),
            [(ALICE, "wrong"), (BOB, "secret-bob"), (DORA, "secret-dora"),
             (NOBODY, "secret")])
    assert "in" not in wrong.values()
    assert all(other == wrong for other in others), others


@pytest.mark.parametrize("name", ["o'brien", "a.b-c_d", "x!#$&/=?^`|~z"])
def test_unusual_names_log_in(server, name):
    user = server.user(f"{name}@{DOMAIN}", password="a-secret")
    assert set(results(server, user, "a-secret").values()) == {"in"}
    server.send(STRANGER, user)
    server.wait_for_mail(user)
    with pytest.raises(REFUSED):
        server.imap(f"x' OR '1'='1@{DOMAIN}", "a-secret")


def test_more_sessions_than_a_hundred(server):
    users = [server.user(f"u{n}@{DOMAIN}", password="a-secret") for n in range(3)]
    open_ones = [server.imap(users[n % 3], "a-secret") for n in range(130)]
    assert all(imap.noop()[0] == "OK" for imap in open_ones)
    for imap in open_ones:
        imap.shutdown()


def test_no_password_in_clear_text(server):
    with smtplib.SMTP(server.address, server.ports["submission"]) as smtp:
        smtp.ehlo()
        assert "auth" not in smtp.esmtp_features
        assert smtp.docmd("AUTH PLAIN AGEAYg==")[0] in (530, 538)


def test_becoming_alternate_ends_open_sessions(server):
    imap = server.imap(ALICE)
    imap.select("INBOX")
    submission = server.submit(ALICE)
    server.cli("user", "set", ALICE, "mail_system=alternate")

    def ended():
        try:
            imap.noop()
            return False
        except (imaplib.IMAP4.abort, OSError, ssl.SSLError):
            return True
    wait_until(ended, 10, "the end of the IMAP session", pause=0.3)
    assert submission.mail(ALICE)[0] >= 500, "may still send as hosted user"
    submission.close()
    with pytest.raises(REFUSED):
        server.imap(ALICE)
    server.cli("user", "set", ALICE, "mail_system=hosted")
    server.imap(ALICE).logout()


def test_password_change(server):
    server.cli("user", "password", ALICE, "--password-stdin",
               input="another-secret\n")
    with pytest.raises(REFUSED):
        server.imap(ALICE, "secret-alice")
    server.imap(ALICE, "another-secret").logout()


def test_sieve_redirect_and_vacation_leave_through_the_engine(world, server):
    sink = world.sink()
    server.cli("domain", "create", "other.test", "--relay", sink.at,
               "--forward-unknown")
    Sieve(server, ALICE).install(
        'require ["copy", "vacation"];\r\n'
        'redirect :copy "friend@other.test";\r\n'
        'vacation :days 1 :addresses ["%s"] "I am away.";\r\n' % ALICE)
    server.send("boss@other.test", ALICE,
                f"From: boss@other.test\r\nTo: {ALICE}\r\n"
                "Message-ID: <1@other.test>\r\nSubject: hi\r\n\r\nhello\r\n")
    server.wait_for_mail(ALICE)
    wait_until(lambda: len(sink.messages) == 2, 20, "redirect and vacation")
    by_recipient = {m.recipients[0]: m for m in sink.messages}
    assert b"hello" in by_recipient["friend@other.test"].data
    assert b"I am away." in by_recipient["boss@other.test"].data


def test_quota_is_enforced(server):
    server.cli("user", "set", ALICE, "quota=1M")
    text = "Subject: big\r\n\r\n" + ("x" * 76 + "\r\n") * 8000
    server.send(STRANGER, ALICE, text)
    server.wait_for_mail(ALICE)
    # It is full now.  With BOB's copy, hers is kept for a later try.
    server.cli("user", "set", BOB, "mail_system=hosted")
    with pytest.raises(smtplib.SMTPDataError, match="4.2.2"):
        server.send(STRANGER, ALICE, text)
    assert server.send(STRANGER, [ALICE, BOB], text) == {}
    assert server.send(STRANGER, [BOB, ALICE], text) == {}
    entries = server.queue()
    assert len(entries) == 2 and "4.2.2" in str(entries), entries
    server.cli("user", "set", ALICE, "quota=100M")
    server.cli("queue", "retry")
    server.wait_for_queue(0)
    assert len(server.mailbox(ALICE)) == 3
