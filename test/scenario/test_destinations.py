"""Operators of mail hosts that want less of us: they are left alone for some
time, and nobody else waits for that."""

import re
import time

import pytest

from sink import Sink
from world import within, wait_until

ALICE = "alice@one.test"
CONF = ("dns {\n\tservers = { \"127.0.0.1\" }\n}\n"
        "limits {\n\tretry_min = 2\n\tretry_max = 60\n\tthreads = 2\n%s}\n")
TEXT = "Subject: hello\r\n\r\nhello\r\n"
DOMAINS = 60
# All by two hosts of one operator, and somebody else.
ZONE = "\n".join(
    [f"d{i}.example. MX 10 mx{i % 2}.big.com." for i in range(DOMAINS)]
    + ["mx0.big.com. A 127.0.25.1", "mx1.big.com. A 127.0.25.2",
       "far.example. MX 10 mx.far.example.", "mx.far.example. A 127.0.25.3"])
SLOW_DOWN = ["421 4.7.0 Try again later, closing connection. (EHLO)",
             "450 4.7.1 Error: too much mail from 192.0.2.1",
             "451 4.7.650 The mail server [192.0.2.1] has been temporarily "
             "rate limited due to IP reputation"]


class Internet:
    def __init__(self, world, more=""):
        world.names(ZONE)
        self.server = world.server("a", conf=CONF % more)
        self.big = [world.sink(name=f"big{i}", address=f"127.0.25.{i + 1}",
                               port=25) for i in range(2)]
        self.far = world.sink(name="far", address="127.0.25.3", port=25)
        self.server.cli("domain", "create", "one.test")
        self.server.user(ALICE)

    def send(self, *recipients):
        assert self.server.send(ALICE, list(recipients), TEXT,
                                user=ALICE) == {}

    def say(self, verb, answer):
        for sink in self.big:
            sink.on[verb] = answer

    def asked(self):
        return sum(sink.connections for sink in self.big)

    def taken(self):
        return sum(len(sink.messages) for sink in self.big)

    def listed(self):
        return self.server.cli("destination", "list")


@pytest.fixture
def internet(own_network, world):
    return Internet(world)


@pytest.mark.parametrize("verb, answer", [
    ("CONNECT", SLOW_DOWN[0]), ("MAIL", SLOW_DOWN[0]), ("MAIL", SLOW_DOWN[1]),
    ("RCPT", SLOW_DOWN[2]), ("DOT", SLOW_DOWN[1])])
def test_who_wants_less_is_left_alone(internet, verb, answer):
    internet.say(verb, answer)
    internet.send("x@d0.example")
    [one] = wait_until(internet.listed)
    assert one["name"] == "big.com"
    assert answer in one["last_reply"]
    assert one["until"]
    asked = internet.asked()
    # Whoever it is for, by whichever host.
    internet.send(*[f"y@d{i}.example" for i in range(DOMAINS)])
    internet.send("z@far.example")
    internet.far.wait(1, timeout=20)
    wait_until(lambda: internet.server.waiting() == 2)
    time.sleep(1)
    assert internet.asked() <= asked + 1
    [one] = internet.listed()
    assert one["waiting"] >= DOMAINS
    said = internet.server.run("status").stdout
    assert "want less mail from here for now:\n  big.com: " in said
    reply = internet.server.queue()[1]["recipients"][0]["last_reply"]
    assert "big.com wants less mail from here for now: " in reply
    # One tries, twice as many each time; then all of it goes.
    internet.say(verb, None)
    wait_until(lambda: internet.taken() and
               not internet.server.waiting(), 120)
    assert sorted({r for s in internet.big for m in s.messages
                   for r in m.recipients}) == sorted(
        ["x@d0.example"] + [f"y@d{i}.example" for i in range(DOMAINS)])
    assert internet.server.log().count("big.com takes mail as before") == 1


def test_longer_each_time_and_tried_when_somebody_wants(internet):
    internet.say("MAIL", SLOW_DOWN[1])
    internet.send(*[f"y@d{i}.example" for i in range(DOMAINS)])
    for sink in internet.big:
        sink.on["MAIL"] = SLOW_DOWN[1]
    rests = []

    def seen():
        said = re.findall(r"big.com wants less mail from here",
                          internet.server.log())
        return len(said)
    began = time.monotonic()
    while len(rests) < 3:
        before = seen()
        wait_until(lambda: seen() > before or not rests and before, 60)
        rests.append(time.monotonic() - began)
        if not rests[1:]:
            began = time.monotonic()
    # 2, 4, 8 seconds and so on, not a mail for each of sixty domains
    assert internet.asked() < 20
    asked = internet.asked()
    assert "What waits for big.com is tried now." in \
        internet.server.run("destination", "retry", "big.com").stdout
    wait_until(lambda: internet.asked() > asked
               or sum(len(s.commands) for s in internet.big), 20)
    assert "nobody.example does not rest" in \
        internet.server.refused("destination", "retry", "nobody.example")


@pytest.mark.parametrize("answer", [
    "450 4.2.0 <x@d0.example>: Recipient address rejected: Greylisted",
    "451 4.7.1 Greylisting in action, please come back later",
    "450 4.2.1 The user you are trying to contact is receiving mail too "
    "quickly", "452 4.2.2 mailbox full", "421 4.3.2 shutting down"])
def test_what_is_about_one_of_them_is_nobody_else_s(internet, answer):
    internet.big[0].on["RCPT"] = {"x@d0.example": answer, None: "250 ok"}
    internet.send("x@d0.example")
    wait_until(lambda: internet.big[0].commands)
    internet.send("y@d2.example")
    internet.big[0].wait(1, timeout=20)
    assert internet.listed() == []


@pytest.mark.parametrize("most", [1, 2, 7])
def test_no_more_at_once_than_is_set(own_network, world, most):
    internet = Internet(world, f"\tdestination_mails = {most}\n")
    under_way, seen = [0], [0]

    def slowly(session, argument):
        under_way[0] += 1
        seen[0] = max(seen[0], under_way[0])
        time.sleep(0.1)
        under_way[0] -= 1
    internet.say("MAIL", slowly)
    internet.send(*[f"y@d{i}.example" for i in range(DOMAINS)])
    wait_until(lambda: internet.taken() == DOMAINS, 60)
    assert seen[0] <= most
    internet.server.wait_for_queue(0)


def test_no_more_in_a_minute_than_is_set(own_network, world):
    internet = Internet(world, "\tdestination_mails_per_minute = 7\n")
    internet.send(*[f"y@d{i}.example" for i in range(20)])
    internet.send("z@far.example")
    internet.far.wait(1, timeout=20)
    wait_until(lambda: internet.taken() == 7)
    time.sleep(2)
    assert internet.taken() == 7
