"""One server and as many other mail systems as a test wants, each a sink.

    here = Here(world, conf="limits { ... }")
    other = here.other(on={"DOT": "451 4.3.0 not now"})     see sink.py
    code, text = other.send()                               to other.bob
    other.waits()                                           in the queue
    other.is_done()                                         arrived, once
"""

import email
import email.policy
import threading

from world import wait_until

HOME = "home.test"
ALICE = f"alice@{HOME}"
STRANGER = "stranger@elsewhere.test"
# What is put off is tried again at once.
FAST = "limits {\n\tretry_min = 1\n\tretry_max = 1\n}"


class Here:
    """A server, and as many other systems as there are tests."""

    def __init__(self, world, conf="", name="here"):
        self.world = world
        self.hosts = f"{world.subfolder(name + '-names')}/hosts"
        open(self.hosts, "w").close()
        self.server = world.server(
            name, conf=f"{conf}\ndns {{\n\thosts = \"{self.hosts}\"\n}}")
        self.server.cli("domain", "create", HOME)
        self.server.user(ALICE)
        self.numbers = iter(range(1, 10000))
        self.lock = threading.Lock()

    def other(self, names=("bob",), system=(), forward_unknown=False, **sink):
        """A domain whose users live at a sink of its own."""
        with self.lock:
            number = next(self.numbers)
            sink = self.world.sink(name=f"sink{number}", **sink)
        domain, name = f"d{number}.test", f"s{number}"
        words = ["domain", "create", domain, "--relay", sink.at]
        self.server.cli(*words, *(["--forward-unknown"] if forward_unknown
                                  else []))
        if system:
            self.server.cli("system", "create", name, "--hosts", sink.at,
                            *system)
        for user in names:
            self.server.cli("user", "create", f"{user}@{domain}",
                            "--mail-system", "alternate")
            if system:
                self.server.cli("user", "set", f"{user}@{domain}",
                                f"system={name}")
        return Other(self.server, sink, domain)


class Other:
    def __init__(self, server, sink, domain):
        self.server, self.sink, self.domain = server, sink, domain
        self.bob = f"bob@{domain}"

    def send(self, recipients=None, sender=STRANGER, wire=None, options=""):
        """One mail, its octets as given, dots stuffed already.  The final
        reply; or the first one that is not what it should be."""
        with self.server.smtp() as smtp:
            smtp.ehlo()
            return speak(smtp, sender, recipients or [self.bob],
                         wire or text(self.domain), options)

    def has_left(self):
        """What was handed over, and all that came of it."""
        wait_until(lambda: not self.server.waiting(self.domain), 20,
                   "an empty queue")

    def queued(self):
        """The queue's entries with a recipient in this domain."""
        return [entry for entry in self.server.queue()
                if any(r["address"].endswith("@" + self.domain)
                       for r in entry["recipients"])]

    def waits(self):
        [entry] = self.queued()
        [recipient] = entry["recipients"]
        assert recipient["state"] == "waiting"
        return recipient

    def is_done(self, count=1):
        """COUNT mails arrived, none is left, and none comes again."""
        self.sink.wait(count, timeout=40)
        self.has_left()
        self.sink.stays(count, 0.3)


def text(subject):
    return f"Subject: {subject}\r\n\r\nhello\r\n".encode()


def speak(smtp, sender, recipients, wire, options=""):
    code, said = smtp.docmd(f"MAIL FROM:<{sender}>{options}")
    if code != 250:
        return code, said.decode()
    for recipient in recipients:
        code, said = smtp.docmd(f"RCPT TO:<{recipient}>")
        if code != 250:
            return code, said.decode()
    code, said = smtp.docmd("DATA")
    if code != 354:
        return code, said.decode()
    smtp.send(wire + b".\r\n")
    code, said = smtp.getreply()
    return code, said.decode()


def parse_report(mail):
    """(mail, per-message fields, [per-recipient fields]) of a DSN that is
    what RFC 3464 wants."""
    mail = email.message_from_bytes(mail, policy=email.policy.default)
    assert mail.get_content_type() == "multipart/report"
    assert mail.get_param("report-type") == "delivery-status"
    assert mail["Auto-Submitted"] == "auto-replied"
    human, status, original = mail.iter_parts()
    assert human.get_content_type() == "text/plain"
    assert status.get_content_type() == "message/delivery-status"
    assert original.get_content_type() in ("message/rfc822",
                                           "text/rfc822-headers")
    per_message, *per_recipient = status.get_payload()
    assert per_message["Reporting-MTA"].startswith("dns;")
    assert not any(fields.defects for fields in per_recipient)
    return mail, per_message, per_recipient


def the_report(server, about, timeout=20):
    """The only DSN in ALICE's mailbox that is about ABOUT: (mail, fields)."""
    def reports():
        return [mail for mail in server.mailbox(ALICE)
                if f"rfc822;{about}".encode() in mail.replace(b"; ", b";")]
    wait_until(reports, timeout, f"a report about {about}", 0.2)
    [mail] = reports()
    assert b"Return-Path: <>" in mail
    mail, _, [fields] = parse_report(mail)
    return mail, fields


def rcpt(server, recipient, sender=STRANGER, source=None, parameters=""):
    with server.smtp(source=source) as smtp:
        smtp.ehlo()
        smtp.mail(sender)
        code, said = smtp.docmd(f"RCPT TO:<{recipient}>{parameters}")
        return code, said.decode()


def with_subject(server, user, subject):
    return server.subjects(user).count(subject)
