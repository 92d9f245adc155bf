"""Senders in threads, and the account of what they were told.

    traffic = Traffic(server, mails=2000, senders=4)
    ...
    traffic.stop()
    arrived = everything_arrived(server, sink, traffic)

Each mail has a subject of its own.  accepted: (user, subject) of what was
answered 250; unsure: subjects whose outcome the sender did not learn, because
the connection was lost after the dot; broken: (where, why) of mails that were
begun and not answered 250.
"""

import contextlib
import smtplib
import threading
import time
from collections import Counter

from splitmail import no_checks

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"     # hosted, alternate
FRIEND = "friend@elsewhere.test"
STRANGER = "stranger@elsewhere.test"
ROUNDS = [[ALICE], [BOB], [ALICE, BOB]]
FAST = "limits {\n\tretry_min = 1\n\tretry_max = 2\n}"
PER_SESSION = 20
LARGE = "large " * 40000            # a spool file


def split_server(world, name="a", conf=FAST, **settings):
    """Alice is hosted, Bob lives at server.sink."""
    server = world.server(name, conf=conf, **settings)
    server.sink = world.sink()
    server.cli("domain", "create", DOMAIN, "--relay", server.sink.at)
    server.user(ALICE)
    server.cli("user", "create", BOB, "--mail-system", "alternate")
    return server


class Tenant:
    """A server that others share, as one test sees it: with a domain, users and
    another system of its own, as in split_server().  Everything else is the
    server's."""

    def __init__(self, world, server):
        self.server, self.sink = server, world.sink()
        number = server.tenants = getattr(server, "tenants", 0) + 1
        self.domain = f"d{number}.test"
        self.alice, self.bob = f"alice@{self.domain}", f"bob@{self.domain}"
        self.begun = len(server.log())
        server.cli("domain", "create", self.domain, "--relay", self.sink.at)
        server.user(self.alice)
        server.cli("user", "create", self.bob, "--mail-system", "alternate")

    def __getattr__(self, name):
        return getattr(self.server, name)

    def log(self):
        """Since this test began."""
        return self.server.log()[self.begun:]


def text(subject, body="x" * 70):
    return f"Subject: {subject}\r\n\r\n{body}\r\n"


@contextlib.contextmanager
def old_sessions(server, user):
    """One of SMTP within TLS, in the middle of a mail, the first of USER, and one
    of IMAP: whatever happens meanwhile, both go on."""
    smtp = server.smtp()
    smtp.starttls(context=no_checks())
    smtp.ehlo()
    smtp.mail(STRANGER)
    imap = server.imap(user)
    imap.select()
    yield
    assert smtp.rcpt(user)[0] == 250
    assert smtp.data(text("old session"))[0] == 250
    smtp.quit()
    assert imap.noop()[0] == "OK" and imap.select()[1] == [b"1"]
    imap.logout()


class Traffic:
    def __init__(self, server, mails, senders=4, rounds=ROUNDS, users=0,
                 large=0):
        """USERS of the SENDERS submit as Alice to FRIEND; every LARGEth mail
        is large."""
        self.server, self.left = server, mails
        self.rounds, self.large = rounds, large
        self.accepted, self.broken, self.unsure = [], [], set()
        self.lock, self.stopped = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.send, args=(n, n < users),
                                         daemon=True)
                        for n in range(senders)]
        for thread in self.threads:
            thread.start()

    def take(self):
        with self.lock:
            if self.left <= 0 or self.stopped.is_set():
                return False
            self.left -= 1
            return True

    def session(self, is_user):
        if is_user:
            return self.server.submit(ALICE, timeout=60)
        smtp = self.server.smtp(timeout=60)
        smtp.ehlo()
        return smtp

    def send(self, sender, is_user):
        number = 0
        while self.left > 0 and not self.stopped.is_set():
            try:
                with self.session(is_user) as smtp:
                    for _ in range(PER_SESSION):
                        if not self.take():
                            return
                        number += 1
                        to = [FRIEND] if is_user else \
                            self.rounds[number % len(self.rounds)]
                        self.mail(smtp, ALICE if is_user else STRANGER, to,
                                  f"mail-{sender}-{number}", number)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.05)

    def mail(self, smtp, sender, to, subject, number):
        is_large = self.large and number % self.large == 0
        where = "MAIL"
        try:
            expect(250, smtp.mail(sender))
            for user in to:
                where = "RCPT"
                expect(250, smtp.rcpt(user))
            where = "DATA"
            with self.lock:
                self.unsure.add(subject)
            expect(250, smtp.data(text(subject, LARGE) if is_large
                                  else text(subject)))
        except (OSError, smtplib.SMTPException) as trouble:
            if not isinstance(trouble, smtplib.SMTPServerDisconnected):
                self.unsure.discard(subject)
            # A 421 before anything was begun is an orderly end.
            if where != "MAIL":
                self.broken.append((where, repr(trouble)))
            raise
        with self.lock:
            self.unsure.discard(subject)
            self.accepted += [(user, subject) for user in to]

    def done(self):
        return not any(thread.is_alive() for thread in self.threads)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)


def expect(code, reply):
    if reply[0] == 421:
        raise smtplib.SMTPServerDisconnected(reply[1])
    if reply[0] != code:
        raise smtplib.SMTPResponseException(*reply)


def subject_of(message):
    return message.data.partition(b"Subject: ")[2].split(b"\r\n")[0].decode()


def arrived_at(*sinks):
    got = Counter()
    for sink in sinks:
        for message in sink.messages:
            got.update((user, subject_of(message))
                       for user in message.recipients)
    return got


def arrived(server, *sinks):
    return arrived_at(*sinks) + Counter(
        (ALICE, subject) for subject in server.subjects(ALICE))


def everything_arrived(server, traffic, *sinks, timeout=60):
    """Each accepted mail is there, once the queue is empty."""
    server.wait_for_queue(0, timeout=timeout)
    got = arrived(server, *sinks)
    lost = [mail for mail in traffic.accepted if not got[mail]]
    assert lost == []
    return got
