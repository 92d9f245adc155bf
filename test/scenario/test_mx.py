"""MX records as they are found: unusual ones lead somewhere, or it is said at
once that they lead nowhere."""

import collections
import email

import pytest

from world import wait_until

ALICE = "alice@one.test"
CONF = ("dns {\n\tservers = { \"127.0.0.1\" }\n}\n"
        "limits {\n\tretry_min = 1\n\tretry_max = 2\n\tthreads = 1\n}\n")
TEXT = "Subject: hello\r\n\r\nhello\r\n"
HERE = "mx.here.example. A 127.0.25.1"
ZONE = "\n".join([
    HERE,
    "null.example.     MX 0 .",
    "null.example.     A 127.0.25.1",
    # against RFC 7505 3: it has others, and is no null MX
    "half.example.     MX 0 .", "half.example. MX 10 mx.here.example.",
    "alias.example.    MX 10 www.alias.example.",
    "www.alias.example. CNAME mx.here.example.",
    "nothing.example.  MX 10 gone.nothing.example.",
    "partly.example.   MX 10 gone.nothing.example.",
    "partly.example.   MX 20 mx.here.example.",
    "a.example.        A 127.0.25.1",
    "cname.example.    CNAME a.example.",
    "loop.example.     MX 10 a.splitmail.test.",
    "backup.example.   MX 10 mx.here.example.",
    "backup.example.   MX 20 a.splitmail.test.",
    "a.splitmail.test. A 127.0.25.9",
    *[f"many.example. MX {10 + i} gone{i}.nothing.example." for i in range(9)],
    "many.example.     MX 30 mx.here.example.",
    *[f"fifty.example. MX 10 m{i}.fifty.example." for i in range(50)],
    *[f"m{i}.fifty.example. A 127.0.26.{i + 1}" for i in range(50)],
    "pair.example.     MX 10 p1.pair.example.",
    "pair.example.     MX 10 p2.pair.example.",
    "p1.pair.example.  A 127.0.25.1", "p2.pair.example. A 127.0.25.2",
])


class Internet:
    def __init__(self, world):
        self.names = world.names(ZONE)
        self.server = world.server("a", conf=CONF)
        self.here = world.sink(name="here", address="127.0.25.1", port=25)
        self.server.cli("domain", "create", "one.test")
        self.server.user(ALICE)

    def send(self, *recipients):
        return self.server.send(ALICE, list(recipients), TEXT, user=ALICE)


@pytest.fixture
def internet(own_network, world):
    return Internet(world)


@pytest.mark.parametrize("domain", [
    "half", "alias", "partly", "a", "cname", "backup", "many"])
def test_leads_somewhere(internet, domain):
    assert internet.send(f"x@{domain}.example") == {}
    [message] = internet.here.wait(1, timeout=60)
    assert message.recipients == [f"x@{domain}.example"]


@pytest.mark.parametrize("domain, status", [
    ("null", "5.1.10"), ("nothing", "5.4.4"), ("loop", "5.4.6"),
    ("unheard", "5.1.2")])
def test_leads_nowhere_and_that_is_said_at_once(internet, domain, status):
    assert internet.send(f"x@{domain}.example") == {}
    [mail] = internet.server.wait_for_mail(ALICE, timeout=60)
    report = email.message_from_bytes(mail)
    assert report.get_content_type() == "multipart/report"
    assert f"Status: {status}" in report.as_string()
    internet.server.wait_for_queue(0)
    assert not internet.here.messages


@pytest.mark.parametrize("trouble", ["SERVFAIL", "REFUSED"])
@pytest.mark.parametrize("name", ["backup.example.", "mx.here.example."])
def test_what_is_not_known_now_waits(internet, name, trouble):
    internet.names.trouble[name] = trouble
    assert internet.send("x@backup.example") == {}
    [entry] = internet.server.wait_for_queue(1)
    wait_until(lambda: "451 4.4.3" in
               internet.server.queue()[0]["recipients"][0]["last_reply"])
    assert not internet.server.mail_files()
    internet.names.trouble.clear()
    internet.server.cli("queue", "retry")
    internet.here.wait(1, timeout=60)
    internet.server.wait_for_queue(0)


def test_equals_are_shared_out(internet, world):
    other = world.sink(name="other", address="127.0.25.2", port=25)
    for sink in internet.here, other:
        sink.on["DOT"] = "250 ok"
    for i in range(24):
        assert internet.send(f"x{i}@pair.example") == {}
        wait_until(lambda: len(internet.here.messages + other.messages) > i)
    assert internet.here.messages and other.messages


def test_one_of_fifty(internet, world):
    """As many as are tried of one domain: whichever those are, one of them is
    there in the end."""
    sinks = [world.sink(name=f"m{i}", address=f"127.0.26.{i + 1}", port=25)
             for i in range(50)]
    for i in range(12):
        assert internet.send(f"x{i}@fifty.example") == {}
    wait_until(lambda: sum(len(s.messages) for s in sinks) == 12, 60)
    found = collections.Counter(
        r for s in sinks for m in s.messages for r in m.recipients)
    assert set(found.values()) == {1}
    internet.server.wait_for_queue(0)
