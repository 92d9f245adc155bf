"""Name servers that lie, loop or fail: a mail goes on or its sender is told,
never in a circle; and a system is known by its address."""

import subprocess

import pytest

from others import parse_report, text
from world import wait_until

ALICE = "alice@example.test"
CONF = ("dns {\n\tservers = { \"127.0.0.1\" }\n}\n"
        "limits {\n\tretry_min = 1\n\tretry_max = 2\n}")
MANY = "\n".join(f"many.example. MX {n} h{n}.many.example." for n in range(300))
ZONE = f"""
    {MANY}
    h299.many.example.  A 127.0.25.1
    h0.many.example.    A 127.0.25.1
    alias.example.      MX 10 round.example.
    round.example.      CNAME about.example.
    about.example.      CNAME round.example.
    circle.example.     CNAME circle.example.
    zero.example.       MX 10 zero-host.example.
    zero-host.example.  A 0.0.0.0
    own.example.        MX 10 self.splitmail.test.
    behind.example.     MX 10 good.example.
    behind.example.     MX 20 self.splitmail.test.
    behind.example.     MX 30 never.example.
    good.example.       A 127.0.25.9
    never.example.      A 127.0.25.1
    self.splitmail.test. A 127.0.25.1
    greets.example.     MX 10 as-us.example.
    as-us.example.      A 127.0.25.2
    literal.example.    MX 10 127.0.25.1.
    nothing.example.    MX 10 nowhere.nothing.example.
    half.example.       MX 10 gone.half.example.
    half.example.       MX 20 h0.many.example.
    trouble.example.    MX 10 broken.trouble.example.
    later.example.      MX 10 h0.many.example.
"""


class Internet:
    def __init__(self, world):
        self.names = world.names(ZONE)
        self.server = world.server("self", conf=CONF)
        self.sink = world.sink(name="mx", address="127.0.25.1", port=25)
        self.greeter = world.sink(name="as-us", address="127.0.25.2",
                                  port=25)
        self.greeter.on["EHLO"] = "250 self.splitmail.test"
        self.server.cli("domain", "create", "example.test")
        self.server.user(ALICE)

    def send(self, recipient):
        self.names.asked.clear()
        return self.server.send(ALICE, recipient, text(recipient).decode(),
                                user=ALICE)

    def reports(self, recipient):
        return [mail for mail in self.server.mailbox(ALICE)
                if recipient.encode() in mail]

    def report(self, recipient):
        """The fields of the only report about RECIPIENT."""
        wait_until(lambda: self.reports(recipient), 40,
                   f"a report about {recipient}", 0.3)
        [mail] = self.reports(recipient)
        _, _, [fields] = parse_report(mail)
        return fields

    def waiting(self, recipient):
        return [r for entry in self.server.queue()
                for r in entry["recipients"]
                if r["address"] == recipient and r["last_reply"]]

    def waits(self, recipient):
        return wait_until(lambda: self.waiting(recipient), 30,
                          f"{recipient} in the queue", 0.3)[0]


REFUSED = {
    "nobody has such a domain": ("x@missing.example", "5.1.2"),
    "an MX at 0.0.0.0": ("x@zero.example", "5.4.4"),
    "an MX that does not exist": ("x@nothing.example", "5.4.4"),
    "an MX that is us": ("x@own.example", "5.4.6"),
    "an MX that greets with our name": ("x@greets.example", "5.4.6"),
}
# Perhaps a mistake that somebody mends.
UNCLEAR = ["x@alias.example", "x@circle.example", "x@literal.example"]


def test_names(own_network, world):
    """One world for all, because each begins with an empty network."""
    internet = Internet(world)
    deliverable(internet)
    undeliverable(internet)
    temporary(internet)


def deliverable(internet):
    # No more hosts are tried, and no more names asked, than is sensible.
    assert internet.send("x@many.example") == {}
    [message] = internet.sink.wait(1, timeout=120)
    assert message.recipients == ["x@many.example"]
    assert len(internet.names.asked) < 60
    # A host that is gone is passed over.
    assert internet.send("x@half.example") == {}
    internet.sink.wait(2, timeout=120)


def undeliverable(internet):
    for recipient in [recipient for recipient, _ in REFUSED.values()] + UNCLEAR:
        assert internet.send(recipient) == {}, recipient
    for what, (recipient, status) in REFUSED.items():
        fields = internet.report(recipient)
        assert fields["Action"] == "failed", what
        assert fields["Status"] == status, what
    assert internet.greeter.seen == []
    # Tried for a while, or told at once; never given to anybody.
    for recipient in UNCLEAR:
        wait_until(lambda: internet.waiting(recipient) or
                   internet.reports(recipient), 30, recipient, 0.3)
    # Those that come after us in the list are no way on.
    assert internet.send("x@behind.example") == {}
    internet.waits("x@behind.example")
    assert len(internet.sink.seen) == 2


def temporary(internet):
    internet.names.trouble["later.example."] = "SERVFAIL"
    internet.names.trouble["broken.trouble.example."] = "SERVFAIL"
    assert internet.send("x@later.example") == {}
    assert internet.send("x@trouble.example") == {}
    assert internet.waits("x@later.example")["last_reply"].startswith("451")
    assert internet.waits("x@trouble.example")["last_reply"].startswith("451")
    internet.names.trouble.clear()
    internet.server.cli("queue", "retry", "--domain", "later.example")
    internet.sink.wait(3, timeout=60)


def rcpt(server, recipient, source=None):
    with server.smtp(source=source) as smtp:
        smtp.ehlo()
        smtp.mail("s@elsewhere.example")
        code, said = smtp.rcpt(recipient)
        return code, said.decode()


def test_a_system_is_known_by_its_address(own_network, world):
    """Whoever calls from the relay's address gets nothing back, and has no
    rights; a neighbour is a stranger."""
    for last in (2, 3, 4):
        subprocess.run(["ip", "address", "add", f"10.77.0.{last}/24", "dev",
                        "lo"], check=True)
    names = world.names("other.example. A 10.77.0.4")
    server = world.server("a", conf=CONF)
    relay = world.sink(address="10.77.0.2", port=2525)
    named = world.sink(address="10.77.0.4", port=2525)
    server.cli("domain", "create", "example.test", "--relay", relay.at,
               "--forward-unknown")
    server.cli("system", "create", "named", "--hosts", "other.example:2525")
    server.user(ALICE)
    for user, *words in (("bob", ), ("nick", "system=named")):
        server.cli("user", "create", f"{user}@example.test", "--mail-system",
                   "alternate")
        if words:
            server.cli("user", "set", f"{user}@example.test", *words)
    for source, recipient, want in (
            ("10.77.0.2", "bob", "550 5.4.6"),
            ("10.77.0.2", "unknown", "550 5.1.1"),
            ("10.77.0.2", "alice", "250 2.1.5"),
            ("10.77.0.2", "nick", "250 2.1.5"),
            ("10.77.0.4", "nick", "550 5.4.6"),
            ("10.77.0.4", "bob", "250 2.1.5"),
            ("10.77.0.4", "unknown", "250 2.1.5"),
            ("10.77.0.3", "bob", "250 2.1.5"),
            ("10.77.0.3", "nick", "250 2.1.5"),
            (None, "unknown", "250 2.1.5")):
        code, said = rcpt(server, f"{recipient}@example.test", source)
        assert f"{code} {said}".startswith(want), (source, recipient, said)
    for source in ("10.77.0.2", "10.77.0.4"):
        assert rcpt(server, "x@elsewhere.example", source)[0] == 550
    server.cli("domain", "set", "example.test", "own_senders=refuse")
    with server.smtp(source="10.77.0.2") as smtp:
        smtp.ehlo()
        assert smtp.mail("bob@example.test")[0] == 550
    # What was accepted from it is not given back later, either.
    server.send("s@elsewhere.example", "nick@example.test",
                text("named").decode())
    named.wait(1)
    assert relay.seen == [] and ("other.example.", "A") in names.asked
