"""What was answered 250 arrives, whatever happens to the engine."""

import glob
import hashlib
import imaplib
import random
import re
import signal
import smtplib
import subprocess
import threading
import time
from collections import Counter

import pytest

from splitmail import no_checks
from world import wait_until

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
STRANGER = "stranger@elsewhere.test"
CONF = "limits {\n\tretry_min = 1\n\tretry_max = 2\n}"


@pytest.fixture
def server(world):
    server = world.server("a", conf=CONF)
    server.sink = world.sink()
    server.cli("domain", "create", DOMAIN, "--relay", server.sink.at)
    server.user(ALICE)
    server.cli("user", "create", BOB, "--mail-system", "alternate")
    return server


class Traffic:
    """Senders in threads, several mails a session.  accepted: subjects that
    were answered 250; broken: (where, why) of begun mails that were not."""

    def __init__(self, server, mails, senders=4):
        self.server, self.left = server, mails
        self.accepted, self.broken = [], []
        self.lock, self.stopped = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.send, args=(n,))
                        for n in range(senders)]
        for thread in self.threads:
            thread.start()

    def send(self, sender):
        number = 0
        while not self.stopped.is_set():
            try:
                with self.server.smtp(timeout=60) as smtp:
                    smtp.ehlo()
                    for _ in range(20):
                        with self.lock:
                            if self.left <= 0:
                                return
                            self.left -= 1
                        number += 1
                        self.mail(smtp, f"mail-{sender}-{number}", number)
                        if self.stopped.is_set():
                            return
            except (OSError, smtplib.SMTPException):
                time.sleep(0.1)

    def mail(self, smtp, subject, number):
        where = "MAIL"
        to = [[ALICE], [BOB], [ALICE, BOB]][number % 3]
        try:
            code, text = smtp.mail(STRANGER)
            if code == 421:
                raise smtplib.SMTPServerDisconnected(text)
            for user in to:
                where = "RCPT"
                code, text = smtp.rcpt(user)
                if code != 250:
                    raise smtplib.SMTPResponseException(code, text)
            where = "DATA"
            code, text = smtp.data(
                f"Subject: {subject}\r\n\r\n" + "x" * 70 + "\r\n")
            if code != 250:
                raise smtplib.SMTPResponseException(code, text)
        except (OSError, smtplib.SMTPException) as trouble:
            if where != "MAIL":
                self.broken.append((where, repr(trouble)))
            raise
        for user in to:
            self.accepted.append((user, subject))

    def done(self):
        return not any(thread.is_alive() for thread in self.threads)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)


def arrived(server):
    got = Counter((ALICE, subject) for subject in server.subjects(ALICE))
    for message in server.sink.messages:
        subject = message.data.partition(b"Subject: ")[2].split(b"\r\n")[0]
        got.update((user, subject.decode()) for user in message.recipients)
    return got


def everything_arrived(server, traffic):
    """Each accepted mail is there, once the queue is empty."""
    server.wait_for_queue(0, timeout=90)
    got = arrived(server)
    lost = [mail for mail in traffic.accepted if not got[mail]]
    assert lost == []
    return got


@pytest.mark.timeout(400)
def test_kill_9_at_random_moments_loses_nothing(server):
    traffic = Traffic(server, mails=2000)
    kills = 0
    try:
        while not traffic.done() and kills < 40:
            time.sleep(random.uniform(0.2, 2.0))
            server.kill_engine()
            kills += 1
        wait_until(traffic.done, 240, "2000 mails sent")
    finally:
        traffic.stop()
    assert kills >= 3
    # A kill may catch each sender once, no more.
    assert len(traffic.accepted) > 2000
    everything_arrived(server, traffic)


def test_everything_dies_at_once_and_comes_back(server):
    """SIGKILL for the supervisor, Dovecot and the engine together."""
    server.sink.down()      # so that there is something in the queue
    traffic = Traffic(server, mails=10000)
    try:
        wait_until(lambda: len(traffic.accepted) > 100, 60, "traffic")
        server.kill()
    finally:
        traffic.stop()
    server.sink.up()
    server.serve()
    everything_arrived(server, traffic)


def test_sighup_in_traffic_disturbs_nobody(server):
    traffic = Traffic(server, mails=10000)
    try:
        for _ in range(5):
            time.sleep(0.5)
            server.reload()
        time.sleep(0.5)
    finally:
        traffic.stop()
    assert traffic.broken == []
    assert len(traffic.accepted) > 50
    got = everything_arrived(server, traffic)
    assert max(got.values()) == 1


def fingerprints(server):
    """Of the certificates SMTP and IMAP show."""
    smtp = server.smtp()
    smtp.starttls(context=no_checks())
    imap = imaplib.IMAP4_SSL(server.address, server.ports["imaps"],
                             ssl_context=no_checks(), timeout=30)
    shown = [hashlib.sha256(s.getpeercert(True)).hexdigest()
             for s in (smtp.sock, imap.sock)]
    smtp.close()
    imap.shutdown()
    return shown


def test_sighup_takes_a_new_certificate_everywhere(server):
    before = fingerprints(server)
    assert before[0] == before[1]
    conf = open(f"{server.data}/splitmail.conf").read()
    pems = {}
    for key in ("certificate", "key"):
        words = re.search(rf'\b{key}\s*=\s*"?([^"\s}}]+)', conf)
        pems[key] = words[1] if words else \
            glob.glob(f"{server.data}/**/*{key[:3]}*.pem", recursive=True)[0]
        if not pems[key].startswith("/"):
            pems[key] = f"{server.data}/{pems[key]}"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=renewed.test", "-keyout", pems["key"],
                    "-out", pems["certificate"]], check=True,
                   capture_output=True)
    server.reload()
    wait_until(lambda: before[0] not in fingerprints(server)
               and before[1] not in fingerprints(server), 10,
               "the new certificate")
    assert len(set(fingerprints(server))) == 1


def test_sigterm_in_traffic_finishes_what_was_begun(server):
    traffic = Traffic(server, mails=10000)
    try:
        wait_until(lambda: len(traffic.accepted) > 100, 60, "traffic")
        server.stop()
    finally:
        traffic.stop()
    assert traffic.broken == []
    server.serve()
    got = everything_arrived(server, traffic)
    assert max(got.values()) == 1


def test_sigterm_waits_for_a_body_that_is_on_its_way(server):
    smtp = server.smtp()
    smtp.ehlo()
    smtp.mail(STRANGER)
    smtp.rcpt(ALICE)
    smtp.putcmd("data")
    assert smtp.getreply()[0] == 354
    smtp.send("Subject: slow\r\n\r\n")
    server.process.send_signal(signal.SIGTERM)
    time.sleep(1)
    smtp.send("the end\r\n.\r\n")
    assert smtp.getreply()[0] == 250
    smtp.close()
    server.stop()
    server.serve()
    wait_until(lambda: server.subjects(ALICE) == ["slow"], 20, "the mail")
