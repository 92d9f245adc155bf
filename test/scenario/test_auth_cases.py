"""Logins at the submission port: who guesses, forges or is no longer allowed
gets nowhere, and disturbs nobody else."""

import base64
import concurrent.futures
import contextlib
import os
import smtplib
import socket
import threading
import time

import pytest

from dialogue import Dialogue
from splitmail import no_checks
from world import claim_address, within

OWN = "own.test"
ALICE, BOB, CAROL, DORA = (f"{name}@{OWN}" for name in
                           ("alice", "bob", "carol", "dora"))
OUT = "somebody@elsewhere.test"
HELLO = ["<^220", ">EHLO client.test\\r\\n", "<^250", "tls",
         ">EHLO client.test\\r\\n", "<^250"]
LOGIN = [">AUTH PLAIN ${PLAIN_OK}\\r\\n", "<^235"]

# What follows EHLO inside TLS.
CASES = {
    "cancelled with *": [">AUTH PLAIN\\r\\n", "<^334", ">*\\r\\n", "<^501",
                         "<noop"],
    "no base64": [">AUTH PLAIN !!!notbase64\\r\\n", "<^501 5.5.2", "<noop"],
    "no base64 after the challenge": [
        ">AUTH PLAIN\\r\\n", "<^334", ">=====\\r\\n", "<^501", "<noop"],
    "only one NUL": [">AUTH PLAIN ${b64:\\x00alice@own.test}\\r\\n",
                     "<^(501|535)", "<noop"],
    "no NUL": [">AUTH PLAIN ${b64:alice}\\r\\n", "<^(501|535)", "<noop"],
    "nothing": [">AUTH PLAIN =\\r\\n", "<^(501|535)", "<noop"],
    "no mechanism": [">AUTH\\r\\n", "<^501", "<noop"],
    "somebody else's identity": [
        ">AUTH PLAIN ${b64:bob@own.test\\x00alice@own.test\\x00"
        "secret-alice}\\r\\n", "<^(501|535)", "<noop",
        ">MAIL FROM:<${U}>\\r\\n", "<^530"],
    "LF in the name": [">AUTH PLAIN ${b64:\\x00alice@own.test\\nOK\\t1\\x00x}"
                       "\\r\\n", "<^(501|535)", "<noop"],
    "TAB in the name": [">AUTH PLAIN ${b64:\\x00alice@own.test\\tnologin\\x00"
                        "secret-alice}\\r\\n", "<^(501|535)", "<noop"],
    "LF in a response": [">AUTH LOGIN\\r\\n", "<^334",
                         ">${b64:alice@own.test\\nOK\\t1}\\r\\n",
                         "<^(501|535)", "<noop"],
    "9000 octets": [">AUTH PLAIN ${b64:\\x00${rep:9000:u}\\x00p}\\r\\n",
                    "<^(500|501|535)", "<alive"],
    "20000 octets": [">AUTH PLAIN\\r\\n", "<^334",
                     ">${rep:20000:A}\\r\\n", "<^(500|501|421)", "<alive"],
    "unknown mechanism": [">AUTH GSSAPI\\r\\n", "<^504", "<noop"],
    "mechanisms that prove nothing": [
        ">AUTH EXTERNAL =\\r\\n", "<^504", ">AUTH ANONYMOUS =\\r\\n", "<^504"],
    "injected mechanism": [">AUTH PLAIN\\tresp=x\\r\\n", "<^5", "<noop"],
    "a second time": [*LOGIN, ">AUTH PLAIN ${PLAIN_OK}\\r\\n", "<^503",
                      "<noop"],
    "within a mail": [*LOGIN, ">MAIL FROM:<${U}>\\r\\n", "<^250",
                      ">AUTH PLAIN ${PLAIN_OK}\\r\\n", "<^503"],
    "without a login": [">MAIL FROM:<a@b.test>\\r\\n", "<^530 5.7.0",
                        ">RCPT TO:<${U}>\\r\\n", "<^503"],
    "a bounce without a login": [">MAIL FROM:<>\\r\\n", "<^530"],
    "empty name and password": [">AUTH LOGIN\\r\\n", "<^334", ">\\r\\n",
                                "<^(334|501|535)", ">\\r\\n",
                                "<^(500|501|535)"],
    "empty password": [">AUTH PLAIN ${b64:\\x00alice@own.test\\x00}\\r\\n",
                       "<^(501|535)", "<noop"],
    "other case": [">AUTH PLAIN ${b64:\\x00ALICE@OWN.TEST\\x00secret-alice}"
                   "\\r\\n", "<^235", ">MAIL FROM:<${U}>\\r\\n", "<^250",
                   ">RSET\\r\\n", "<^250", ">MAIL FROM:<${A}>\\r\\n", "<^553"],
    "other people's senders": [
        *LOGIN, ">MAIL FROM:<bob@own.test>\\r\\n", "<^553",
        ">MAIL FROM:<nosuch@own.test>\\r\\n", "<^553",
        ">MAIL FROM:<alice@elsewhere.test>\\r\\n", "<^553",
        ">MAIL FROM:<alice@own.test.elsewhere.test>\\r\\n", "<^553",
        ">MAIL FROM:<\"alice@own.test\"@elsewhere.test>\\r\\n", "<^553",
        ">MAIL FROM:<>\\r\\n", "<^250"],
    "logged in, then STARTTLS": [*LOGIN, ">STARTTLS\\r\\n", "<^503"],
    "logged in, then EHLO": [*LOGIN, ">EHLO other.test\\r\\n", "<^250",
                             ">MAIL FROM:<${U}>\\r\\n", "<^250"],
}


@pytest.fixture(scope="module")
def server(shared_world):
    server = shared_world.server(
        "auth", conf="limits {\n\trecipients_per_minute = 40\n}")
    sink = shared_world.sink(name="other")
    server.cli("domain", "create", OWN, "--relay", sink.at)
    for user in (ALICE, CAROL, DORA):
        server.user(user)
    server.cli("user", "create", BOB, "--mail-system", "alternate")
    server.sink = sink
    return server


def plain(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def guess(server, source, times=12):
    """Wrong passwords on one connection: (replies, seconds)."""
    begun, codes = time.monotonic(), []
    smtp = smtplib.SMTP(server.address, server.ports["submission"],
                        source_address=(source, 0), timeout=120)
    smtp.starttls(context=no_checks())
    smtp.ehlo()
    try:
        for n in range(times):
            codes.append(smtp.docmd(
                f"AUTH PLAIN {plain(ALICE, f'wrong{n}')}")[0])
            if codes[-1] == 421:
                break
    except smtplib.SMTPServerDisconnected:
        pass
    smtp.close()
    return codes, time.monotonic() - begun


@pytest.fixture(scope="module")
def guessing(server):
    """Six who guess Alice's password, while all the other tests run."""
    sources = [claim_address() for _ in range(6)]
    with concurrent.futures.ThreadPoolExecutor(len(sources)) as pool:
        yield [pool.submit(guess, server, address) for address, _ in sources]
    for _, claim in sources:
        claim.close()


def test_guessing_disturbs_nobody(server, guessing):
    """Mail on port 25, and whoever knows the password, from elsewhere."""
    time.sleep(0.5)
    begun = time.monotonic()
    assert server.send("stranger@elsewhere.test", CAROL) == {}
    assert time.monotonic() - begun < within(5), "port 25 is starved"
    server.submit(ALICE).quit()
    assert not any(guesser.done() for guesser in guessing)


@pytest.mark.parametrize("name", CASES)
def test_case(server, name):
    # From an address of its own: each failure there makes the next slower.
    source, claim = claim_address()
    variables = {"U": ALICE, "A": BOB,
                 "PLAIN_OK": plain(ALICE, "secret-alice")}
    Dialogue(server.address, server.ports["submission"], OWN, variables,
             source).run([*HELLO, *CASES[name]])
    claim.close()


def test_no_login_before_tls_nor_at_port_25(server):
    """Not offered, and refused when it is tried all the same."""
    token = plain(ALICE, "secret-alice")
    for port in ("submission", "smtp"):
        with smtplib.SMTP(server.address, server.ports[port],
                          timeout=120) as smtp:
            smtp.ehlo()
            assert "auth" not in smtp.esmtp_features
            assert smtp.docmd(f"AUTH PLAIN {token}")[0] in (503, 538)


CHANGES = {
    "disabled": ("enabled=no", "enabled=yes"),
    "moved to the other system": ("mail_system=alternate",
                                  "mail_system=hosted"),
    "without mail": ("mail_system=none", "mail_system=hosted"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_rights_end_within_a_session(server, name):
    """The very next MAIL is refused; what was begun before is not spoilt."""
    away, back = CHANGES[name]
    with server.submit(DORA) as smtp:
        assert smtp.mail(DORA)[0] == 250
        smtp.rset()
        server.cli("user", "set", DORA, away)
        code, said = smtp.mail(DORA)
        assert code in (530, 535, 550, 553), said
        assert smtp.mail("")[0] in (530, 535, 550, 553)
        server.cli("user", "set", DORA, back)
        assert smtp.mail(DORA)[0] == 250


ENDED = 530


@pytest.mark.parametrize("name", CHANGES)
def test_rights_end_within_a_mail(server, name):
    """Neither another recipient nor the body is taken, and nothing is sent."""
    away, back = CHANGES[name]
    subject = f"never-{name}".encode()
    with server.submit(DORA) as smtp, server.submit(DORA) as other:
        for session in (smtp, other):
            assert session.mail(DORA)[0] == 250
            assert session.rcpt(CAROL)[0] == 250
        assert other.docmd("DATA")[0] == 354
        server.cli("user", "set", DORA, away)
        assert smtp.rcpt(OUT)[0] == ENDED
        assert smtp.data(b"Subject: %s\r\n\r\nx\r\n" % subject)[0] == ENDED
        other.send(b"Subject: %s\r\n\r\nx\r\n.\r\n" % subject)
        assert other.getreply()[0] == ENDED
        server.cli("user", "set", DORA, back)
        assert smtp.mail(DORA)[0] == 250
    assert not any(subject in mail for mail in server.mailbox(CAROL))


def test_a_session_is_his_who_knows_the_password(server):
    """Not after it was changed, nor for the next one at the address, nor for
    him under another name; and one may log in again where one is."""
    gina, password = f"gina@{OWN}", "another-one-9"
    server.user(gina)
    with server.submit(gina) as smtp:
        assert smtp.mail(gina)[0] == 250
        server.cli("user", "password", gina, "--password-stdin",
                   input=password + "\n")
        assert smtp.rcpt(CAROL)[0] == ENDED
        smtp.rset()
        assert smtp.mail("")[0] == ENDED
        assert smtp.docmd(f"AUTH PLAIN {plain(gina, password)}")[0] == 235
        assert smtp.mail(gina)[0] == 250
        smtp.rset()
        server.cli("user", "rename", gina, f"regina@{OWN}")
        assert smtp.mail(gina)[0] == ENDED
        server.cli("user", "rename", f"regina@{OWN}", gina)
        assert smtp.mail(gina)[0] == 250
        smtp.rset()
        server.cli("user", "delete", gina, "--yes")
        server.user(gina, password=password)
        assert smtp.mail(gina)[0] == ENDED


def test_an_address_that_goes_ends_the_mail_begun_with_it(server):
    other = f"caroline@{OWN}"
    server.cli("address", "add", CAROL, other)
    with server.submit(CAROL) as smtp:
        assert smtp.mail(other)[0] == 250
        assert smtp.rcpt(ALICE)[0] == 250
        server.cli("address", "remove", other)
        assert smtp.rcpt(DORA)[0] == 553
        assert smtp.data("Subject: never\r\n\r\nx\r\n")[0] == 553


AUTHORS = {
    "herself": ("From: Alice <alice@own.test>", None),
    "herself with a detail": ("From: Alice+list@Own.Test", None),
    "another": ("From: Bob <bob@own.test>", "bob@own.test"),
    "another beside her": ("From: alice@own.test, bob@own.test",
                           "bob@own.test"),
    "another in a second From": (
        "From: alice@own.test\r\nFrom: bob@own.test", "bob@own.test"),
    "another as Sender": ("From: alice@own.test\r\nSender: bob@own.test",
                          "bob@own.test"),
    "somebody elsewhere": ("From: <boss@bank.test>", "boss@bank.test"),
    "resent as another": ("From: x@bank.test\r\nResent-From: alice@own.test",
                          "x@bank.test"),
    "in the name only": ('From: "bob@own.test" <alice@own.test>', None),
    "in a name without quotes": ("From: bob@own.test <alice@own.test>",
                                 "bob@own.test"),
    "in a group": ("From: all: alice@own.test, bob@own.test;",
                   "bob@own.test"),
    "folded": ("From: Alice\r\n <bob@own.test>", "bob@own.test"),
    "broken": ("From: Alice <alice@own.test", "From"),
    "as a group she may send as": ("From: team@own.test", None),
    "nobody": ("X-From: bob@own.test", None),
    "behind a line that is no field": (
        "X: y\r\nno field\r\nFrom: bob@own.test", "no field"),
    "behind a line of mbox": (
        "From alice@own.test Mon Jan  1 00:00:00 2024\r\n"
        "From: bob@own.test", "bob@own.test"),
}


def test_authors_where_the_domain_minds(server):
    """From and its like have to be the user's own, and the refusal names
    what is not; by default nothing is looked at."""
    server.cli("group", "create", f"team@{OWN}", "--member", ALICE,
               "--senders", "members")

    def answer(smtp, header):
        smtp.mail(ALICE)
        smtp.rcpt(CAROL)
        code, said = smtp.data(f"{header}\r\nSubject: t\r\n\r\nx\r\n")
        return code, said.decode()

    with server.submit(ALICE) as smtp:
        for header, _ in AUTHORS.values():
            assert answer(smtp, header)[0] == 250, header
        server.cli("domain", "set", OWN, "from_header=own")
        for name, (header, bad) in AUTHORS.items():
            code, said = answer(smtp, header)
            assert code == (550 if bad else 250), (name, said)
            assert not bad or said.startswith("5.7.1") and bad in said
        server.cli("domain", "set", OWN, "from_header=accept")


def test_sending_as_a_group_and_a_shared_mailbox(server):
    """Who is allowed to, by envelope; the right can be taken away within a
    mail."""
    crew, desk = f"crew@{OWN}", f"desk@{OWN}"
    server.cli("group", "create", crew, "--member", ALICE)
    server.cli("shared", "create", desk)
    with server.submit(ALICE) as smtp:
        for sender in (crew, desk):
            assert smtp.mail(sender)[0] == 553
        server.cli("group", "set", crew, "senders=members")
        server.cli("shared", "set", desk, f"senders={CAROL}, {crew}")
        for sender in (crew, f"desk+x@{OWN}"):
            assert smtp.mail(sender)[0] == 250
            smtp.rset()
        assert smtp.mail(desk)[0] == 250
        assert smtp.rcpt(CAROL)[0] == 250
        server.cli("group", "remove", crew, ALICE)
        assert smtp.rcpt(DORA)[0] == 553
    assert server.cli("shared", "show", desk)["senders"] == [CAROL, crew]


def test_trust_that_ends_within_a_mail(server):
    """A system that is trusted no more begins anew, as a stranger."""
    source, claim = claim_address()
    server.cli("system", "create", "gate", "--hosts", "192.0.2.9",
               "--may-relay", "--trust", source)
    with server.smtp(source=source) as smtp:
        smtp.ehlo()
        smtp.mail("x@elsewhere.test")
        assert smtp.rcpt(OUT)[0] == 250
        server.cli("system", "set", "gate", "trust=")
        assert smtp.rcpt(f"2{OUT}")[0] == 451
        assert smtp.data("Subject: never\r\n\r\nx\r\n")[0] == 451
        assert smtp.mail("x@elsewhere.test")[0] == 250
        assert smtp.rcpt(OUT)[0] == 550
    claim.close()
    server.cli("system", "delete", "gate", "--yes")
    assert server.queue() == []


def test_rights_of_a_deleted_user_end(server):
    eve = f"eve@{OWN}"
    server.user(eve)
    with server.submit(eve) as smtp:
        server.cli("user", "delete", eve, "--yes")
        assert smtp.mail(eve)[0] in (530, 535, 550, 553)
        assert smtp.mail("")[0] in (530, 535, 550, 553)


def test_an_address_that_is_taken_away_is_no_sender(server):
    other = f"carola@{OWN}"
    server.cli("address", "add", CAROL, other)
    with server.submit(CAROL) as smtp:
        assert smtp.mail(other)[0] == 250
        smtp.rset()
        server.cli("address", "remove", other)
        assert smtp.mail(other)[0] == 553
        assert smtp.mail(CAROL)[0] == 250


def test_one_login_sends_so_much_a_minute(server):
    """Then 450 4.7.1, logged; another login goes on."""
    frank = f"frank@{OWN}"
    server.user(frank)
    codes = []
    with server.submit(frank) as smtp:
        assert smtp.mail(frank)[0] == 250
        for n in range(45):
            code, said = smtp.rcpt(f"carol+{n}@{OWN}")
            codes.append(code)
            if code == 450:
                break
        assert said.startswith(b"4.7.1")
    assert codes.count(450) == 1 and len(codes) == 41
    assert "450 4.7.1" in server.log()
    assert server.send(CAROL, CAROL, user=CAROL) == {}


def test_guessing_is_slow_and_short(server, guessing):
    """421 within ten guesses, each slower than the one before."""
    for guesser in guessing:
        codes, seconds = guesser.result(timeout=280)
        assert codes[-1] == 421 and len(codes) <= 10, codes
        assert set(codes[:-1]) == {535}
        assert seconds > len(codes), "guesses cost nothing"
    assert "SASL PLAIN authentication failed" in server.log()


class OtherAuth:
    """In Dovecot's place, until the end of `with`: says OK to everybody, with
    FIELDS."""

    def __init__(self, server, fields):
        self.path = os.path.join(server.data, "dovecot/run/auth-client")
        self.fields = fields

    def __enter__(self):
        os.rename(self.path, self.path + ".away")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.rename(self.path + ".away", self.path)

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.talk, daemon=True,
                                 args=self.listener.accept()[:1]).start()

    def talk(self, peer):
        file = peer.makefile("rwb")
        file.write(b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n"
                   b"COOKIE\t" + b"0" * 32 + b"\nDONE\n")
        file.flush()
        for line in file:
            words = line.split(b"\t")
            if words[0] == b"AUTH":
                file.write(b"OK\t%s\tuser=%s%s\n" % (
                    words[1], ALICE.encode(), self.fields))
                file.flush()


@pytest.mark.parametrize("fields, answer", [
    (b"", 235), (b"\tproxy\thost=192.0.2.1\tport=143\tpass=x", 535),
    (b"\tnologin\treason=closed", 535)])
def test_a_password_that_another_server_checks_is_no_login(world, fields,
                                                           answer):
    server = world.server("a")
    server.cli("domain", "create", OWN)
    server.user(ALICE)
    with OtherAuth(server, fields), smtplib.SMTP(
            server.address, server.ports["submission"], timeout=120) as smtp:
        smtp.starttls(context=no_checks())
        smtp.ehlo()
        said = smtp.docmd("AUTH PLAIN " + base64.b64encode(
            f"\0{ALICE}\0any".encode()).decode())
        assert said[0] == answer
        assert smtp.mail(ALICE)[0] >= 500, "and OK is not enough"
