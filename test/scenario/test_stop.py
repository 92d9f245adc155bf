"""Stop and reload while mail comes and goes: what was begun is finished,
nothing is lost, and nobody who is in the middle notices."""

import contextlib
import hashlib
import imaplib
import signal
import socket
import subprocess
import time

import pytest

from sink import Delay, Hang
from splitmail import no_checks
from traffic import (ALICE, BOB, FAST, STRANGER, Traffic, everything_arrived,
                     old_sessions, split_server, text)
from world import can_connect, children, gone, wait_until, within

# Nothing is in the middle: how long a stop may take.  Who waits for nothing is
# killed after 60.
PROMPT = 20


@pytest.fixture
def server(world):
    return split_server(world)


def sigterm(server):
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: not can_connect(server.address, server.ports["smtp"]),
               10, "port 25 is closed")


def ends(server, seconds=PROMPT):
    """Within SECONDS, with status 0, and nobody left behind."""
    server.stop(within(seconds))


# ---- SIGTERM

def test_sigterm_in_traffic_finishes_what_was_begun(server):
    traffic = Traffic(server, mails=10000, senders=6, large=20)
    try:
        wait_until(lambda: len(traffic.accepted) > 100, 60, "traffic")
        ends(server)
    finally:
        traffic.stop()
    assert traffic.broken == []
    server.serve()
    got = everything_arrived(server, traffic, server.sink)
    assert max(got.values()) == 1


@contextlib.contextmanager
def client(server):
    """Without the QUIT that smtplib's own ends with."""
    smtp = server.smtp()
    smtp.ehlo()
    try:
        yield smtp
    finally:
        smtp.close()


@contextlib.contextmanager
def in_data(server, recipient, subject):
    with client(server) as smtp:
        begin_data(smtp, recipient, subject)
        yield smtp


def begin_data(smtp, recipient, subject):
    smtp.mail(STRANGER)
    smtp.rcpt(recipient)
    smtp.putcmd("data")
    assert smtp.getreply()[0] == 354
    smtp.send(f"Subject: {subject}\r\n\r\n")


def test_sigterm_waits_for_bodies_and_for_nobody_else(server):
    idle, fresh = server.smtp(), server.smtp()
    idle.ehlo()
    with in_data(server, ALICE, "slow a") as a, \
            in_data(server, BOB, "slow b") as b:
        sigterm(server)
        for smtp in (idle, fresh):
            code, reply = smtp.getreply()
            assert code == 421 and reply.startswith(b"4.3.2"), reply
            smtp.close()
        time.sleep(0.5)
        for smtp in (a, b):
            smtp.send("the end\r\n.\r\n")
            assert smtp.getreply()[0] == 250
            # One mail is finished, another is not begun.
            assert smtp.docmd("MAIL FROM:<>")[0] == 421
    ends(server)
    server.serve()
    server.wait_for_queue(0)
    assert server.subjects(ALICE) == ["slow a"]
    assert [m.recipients for m in server.sink.messages] == [[BOB]]


def test_sigterm_in_the_middle_of_commands(server):
    """MAIL was answered: the mail may be finished."""
    with client(server) as smtp:
        smtp.mail(STRANGER)
        sigterm(server)
        assert smtp.rcpt(ALICE)[0] == 250
        assert smtp.data(text("finished"))[0] == 250
    ends(server)
    server.serve()
    assert server.subjects(ALICE) == ["finished"]


def test_sigterm_does_not_wait_for_a_next_hop_that_is_silent(server):
    """No dot was sent: the attempt ends, the mail is kept."""
    server.sink.on["DATA"] = [Hang(), "354 go ahead"]
    with in_data(server, BOB, "hangs") as smtp:
        smtp.send(".\r\n")
        wait_until(lambda: "DATA" in server.sink.commands, what="the attempt")
        sigterm(server)
        assert smtp.getreply()[0] == 250
    ends(server)
    server.serve()
    server.sink.wait(1)
    server.wait_for_queue(0)
    server.sink.stays(1)


def test_sigterm_waits_for_an_answer_to_the_dot(server):
    """The other system has the mail and takes its time: it is not sent
    again."""
    server.sink.on["DOT"] = Delay(6)
    with in_data(server, BOB, "slow") as smtp:
        smtp.send(".\r\n")
        wait_until(lambda: server.sink.seen, what="the mail at the other system")
        sigterm(server)
        assert smtp.getreply()[0] == 250
    ends(server, 50)
    server.serve()
    server.wait_for_queue(0)
    server.sink.stays(1)


def test_a_session_that_never_ends_does_not_hold_up_the_stop(world):
    """A client that says nothing more after DATA loses its mail, as it would
    by the time limit: nothing was promised."""
    server = split_server(world, conf=FAST.replace("}", "\tdata = 5\n}"))
    with in_data(server, ALICE, "never"):
        sigterm(server)
        ends(server, 25)


def test_a_second_server_can_start_at_once(server):
    """Nothing of the old one holds a port, a lock or a socket."""
    with contextlib.ExitStack() as stack:
        imap = server.imap(ALICE)
        stack.callback(imap.shutdown)
        imap.select()
        family = children(server.process.pid)
        ends(server)
        assert all(gone(pid) for pid in family)
        server.serve()
        assert server.send(STRANGER, ALICE, text("new")) == {}


# ---- SIGHUP

def renew_certificate(server, name="renewed.test"):
    folder = f"{server.data}/tls"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-keyout", f"{folder}/key.pem",
                    "-out", f"{folder}/cert.pem"], check=True,
                   capture_output=True)


def certificates(server):
    """What SMTP with STARTTLS, SMTP with TLS and IMAP show."""
    smtp = server.smtp()
    smtp.starttls(context=no_checks())
    raw = socket.create_connection((server.address,
                                    server.ports["submissions"]), timeout=120)
    submissions = no_checks().wrap_socket(raw)
    imap = imaplib.IMAP4_SSL(server.address, server.ports["imaps"],
                             ssl_context=no_checks(), timeout=120)
    shown = [hashlib.sha256(s.getpeercert(True)).hexdigest()
             for s in (smtp.sock, submissions, imap.sock)]
    smtp.close()
    submissions.close()
    imap.shutdown()
    return shown


def test_sighup_in_traffic_disturbs_nobody(server):
    """Not even when the certificate is new each time, so that Dovecot reads
    everything again."""
    traffic = Traffic(server, mails=10000)
    try:
        for round in range(5):
            wait_until(lambda: len(traffic.accepted) > 15 * (round + 1),
                       what=f"traffic of round {round}")
            if round == 4:
                break
            if round > 1:
                renew_certificate(server, f"round{round}.test")
            server.reload()
    finally:
        traffic.stop()
    assert traffic.broken == []
    got = everything_arrived(server, traffic, server.sink)
    assert max(got.values()) == 1


def test_sighup_shows_a_new_certificate_and_keeps_old_sessions(server):
    before = certificates(server)
    assert len(set(before)) == 1
    with old_sessions(server, ALICE):
        renew_certificate(server)
        server.reload()
        wait_until(lambda: set(certificates(server)).isdisjoint(before), 20,
                   "the new certificate")
        assert len(set(certificates(server))) == 1


def test_sighup_with_a_certificate_that_is_none(server):
    """The old one stays, and the log says why."""
    before = certificates(server)
    with open(f"{server.data}/tls/cert.pem", "w") as file:
        file.write("no certificate\n")
    server.reload()
    wait_until(lambda: "the old certificate stays" in server.log(), 10,
               "a word in the log")
    assert certificates(server) == before
    assert server.send(STRANGER, ALICE, text("goes on")) == {}
