"""What kills the engine does not do so for ever: the message is found, held
and named, and the rest of the queue flows."""

import os
import re
import signal
import socket
import time

import pytest

from sink import Hang
from test_status import status
from world import wait_until, within

DOMAIN = "example.test"
STRANGER = "x@elsewhere.test"
POISON = f"poison@{DOMAIN}"
FAST = "limits {\n\tretry_min = 1\n\tretry_max = 2\n}"
FAULTS = [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL,
          signal.SIGFPE]


def deaths(server):
    return len(re.findall(r"engine ended with status \d+", server.log()))


def users(n):
    return [f"user{i}@{DOMAIN}" for i in range(1, n + 1)]


def with_users(world, conf=FAST, **settings):
    a = world.server("a", conf=conf, **settings)
    a.sink = world.sink()
    a.cli("domain", "create", DOMAIN, "--relay", a.sink.at)
    a.fill(DOMAIN, 40, mail_system="1")
    a.cli("user", "create", POISON, "--mail-system", "alternate")
    return a


def keep(a, *recipients):
    """A mail each, answered 250 and kept: the system is down."""
    for one in recipients:
        assert a.send(STRANGER, one, f"Subject: {one}\r\n\r\nx\r\n") == {}


def held(a):
    return {r["address"]: r["last_reply"] for m in a.queue()
            for r in m["recipients"] if r["state"] == "held"}


def answers_soon(a):
    """Port 25 is there again within seconds of any moment: RESTART_MAX_MS is
    10 s."""
    begun = time.monotonic()
    while True:
        try:
            with socket.create_connection((a.address, a.ports["smtp"]),
                                          20) as s:
                if s.recv(4) == b"220 ":
                    return
        except OSError:
            pass
        assert time.monotonic() - begun < within(7), "port 25 is away"
        time.sleep(0.05)


def killers():
    """Alone, each; among thirty others, one of them."""
    long = pytest.mark.long
    for place, word, number in [
            ("attempt", POISON, signal.SIGSEGV),
            ("route", "poison-sender", signal.SIGABRT),
            ("load", "poison-sender", signal.SIGBUS)]:
        yield (place, word, number, 0)
        yield pytest.param(place, word, number, 1, marks=long)
        yield pytest.param(place, word, number, 30,
                           marks=[] if place == "attempt" else long)


@pytest.mark.parametrize("place, word, number, others", killers())
def test_the_one_that_kills_is_held(world, place, word, number, others):
    a = with_users(world)
    a.sink.down()
    keep(a, *users(others))
    assert a.send("poison-sender@y.test", POISON) == {}
    a.stop()
    a.environment["SPLITMAIL_FAULT"] = f"{place} {word} {int(number)}"
    a.sink.up()
    a.serve(timeout=60)
    found = wait_until(lambda: held(a), 60, "it is held", pause=0.2)
    assert list(found) == [POISON]
    assert "the server died three times" in found[POISON]
    a.wait_for_queue(1, 60)
    # What was delivered in the moment of a death may have come twice.
    assert set(a.sink.recipients()) == set(users(others))
    assert deaths(a) == 3
    [message] = a.queue()
    assert status(a)["held_deadly"] == [message["id"]]
    assert f"{message['id']}: held: the engine died three times" in a.log()
    assert message["id"] in a.run("status").stdout
    # It is held for good, through any restart; mail goes on.
    a.kill_engine()
    last = users(40)[-1]
    keep(a, last)
    wait_until(lambda: last in a.sink.recipients(), 20, "mail that goes on")
    assert list(held(a)) == [POISON] and status(a)["held_deadly"]


def test_it_is_released_when_the_fault_is_mended(world):
    a = with_users(world)
    a.sink.down()
    keep(a, POISON)
    a.environment["SPLITMAIL_FAULT"] = f"attempt {POISON} 11"
    a.restart()
    a.sink.up()
    wait_until(lambda: held(a), 60, "it is held", pause=0.2)
    del a.environment["SPLITMAIL_FAULT"]
    a.restart()
    assert list(held(a)) == [POISON]
    a.cli("queue", "release", "--recipient", POISON)
    a.sink.wait(1)
    a.wait_for_queue(0)
    assert status(a)["held_deadly"] == []


@pytest.mark.parametrize("count", [
    pytest.param(2, marks=pytest.mark.long), 12])
def test_several_that_kill(world, count):
    """Each is found, and the engine is back at once each time."""
    a = with_users(world)
    a.sink.down()
    poison = [f"user{i}@{DOMAIN}" for i in range(1, count + 1)]
    for one in poison:
        assert a.send("poison-sender@y.test", one) == {}
    keep(a, *users(40)[count:count + 10])
    a.stop()
    a.environment["SPLITMAIL_FAULT"] = "route poison-sender 6"
    a.sink.up()
    a.serve(timeout=60)
    wait_until(lambda: len(held(a)) == count, 120, "all are held", pause=0.5)
    assert sorted(held(a)) == sorted(poison)
    a.sink.wait(10)
    a.wait_for_queue(count, 60)
    assert deaths(a) <= count + 2
    answers_soon(a)


@pytest.mark.parametrize("number", [
    number if number in (signal.SIGILL, signal.SIGFPE) else
    pytest.param(number, marks=pytest.mark.long)    # the first test has them
    for number in FAULTS])
def test_every_fault_counts(world, number):
    a = with_users(world)
    a.sink.down()
    keep(a, POISON)
    a.environment["SPLITMAIL_FAULT"] = f"attempt {POISON} {int(number)}"
    a.restart()
    wait_until(lambda: held(a), 60, "it is held", pause=0.2)
    assert deaths(a) == 3


def test_what_hangs_when_the_engine_dies_three_times(world):
    """Nothing is known but that it was under way, alone, each time."""
    a = with_users(world)
    a.sink.on["DOT"] = Hang()
    a.configure("limits {\n\thandover = 1\n}")
    a.restart()
    keep(a, POISON)
    for n in range(3):
        assert held(a) == {}
        wait_until(lambda: a.sink.commands.count("DATA") > n, 30,
                   f"attempt {n + 1}")
        a.kill_engine(signal.SIGABRT)
        answers_soon(a)
    wait_until(lambda: held(a), 20, "it is held")


def test_kills_are_nobodys_fault(world):
    a = with_users(world)
    a.sink.on["DOT"] = Hang()
    a.configure("limits {\n\thandover = 1\n}")
    a.restart()
    keep(a, POISON)
    for n in range(4):
        wait_until(lambda: a.sink.commands.count("DATA") > n, 30,
                   f"attempt {n + 1}")
        a.kill_engine()
    assert held(a) == {}
    a.sink.recovers()
    a.sink.wait(1, timeout=40)


def test_deaths_in_a_session_hold_nothing(world):
    """A client's mail that kills has no 250: what waits in the queue at the
    same time is not to blame, and port 25 is back each time."""
    a = with_users(world)
    a.sink.down()
    keep(a, *users(3))
    a.configure("limits {\n\tretry_min = 3600\n\tretry_max = 3600\n}")
    a.environment["SPLITMAIL_FAULT"] = "route session-poison 11"
    a.restart()
    wait_until(lambda: all(m["recipients"][0]["attempts"] for m in a.queue()),
               20, "they were tried")
    for _ in range(6):
        with pytest.raises(Exception, match="losed|reset"):
            a.send("session-poison@y.test", POISON)
        answers_soon(a)
    assert held(a) == {} and len(a.queue()) == 3
    a.sink.up()
    a.cli("queue", "retry", "--all")
    a.sink.wait(3, timeout=120)


def test_suspects_that_hang_do_not_keep_the_killer(world):
    """Innocent suspects that take long: the trial goes on meanwhile."""
    a = with_users(world, conf="limits {\n\tretry_min = 1\n\tretry_max = 2\n"
                               "\thandover = 1\n}")
    slow = users(2)
    a.sink.on["MAIL"] = Hang()
    keep(a, *slow)
    assert a.send("poison-sender@y.test", POISON) == {}
    a.environment["SPLITMAIL_FAULT"] = "route poison-sender 11"
    a.stop()
    a.serve(timeout=60)
    wait_until(lambda: held(a), 90, "the killer is held", pause=0.5)
    assert list(held(a)) == [POISON]
