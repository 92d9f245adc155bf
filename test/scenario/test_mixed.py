"""Mail for several systems: what a filter refuses, none of them gets; and of a
content that one of them refuses afterwards only who has sent it hears."""

import re

import pytest

from world import wait_until

DOMAINS = "one.test", "two.test", "here.test"
STRANGER = "s@elsewhere.test"
CONF = "limits {\n\tretry_min = 1\n\tretry_max = 1\n}"


@pytest.fixture(scope="module")
def server(shared_world):
    """Users on two systems, and mailboxes here; reports go to a third."""
    server = shared_world.server("a", conf=CONF)
    server.sinks = [shared_world.sink(name=name) for name in ("one", "two")]
    for domain, sink in zip(DOMAINS, server.sinks):
        server.cli("domain", "create", domain, "--relay", sink.at)
        server.fill(domain, 20, mail_system="1")
    server.cli("domain", "create", DOMAINS[2])
    server.fill(DOMAINS[2], 20, mail_system="0")
    server.back = shared_world.sink(name="back")
    server.cli("system", "create", "out", "--hosts", server.back.at,
               "--smart-host", "--tls", "none")
    return server


@pytest.fixture
def milter(server, shared_world):
    milter = shared_world.milter()
    server.cli("filter", "create", "f", "--socket", milter.socket)
    for sink in (*server.sinks, server.back):
        sink.messages.clear()
        sink.on.clear()
    yield milter
    server.cli("filter", "delete", "f", "--yes")
    milter.end()
    shared_world.members.remove(milter)


def recipients(count):
    return [f"user{n // 3 + 1}@{DOMAINS[n % 3]}" for n in range(count)]


def send(server, to, sender=STRANGER, **parameters):
    with server.smtp() as smtp:
        smtp.ehlo("mx.elsewhere.test")
        assert smtp.mail(sender)[0] == 250
        for each in to:
            assert smtp.rcpt(each, **parameters)[0] == 250
        return smtp.data("Subject: t\r\n\r\nhello\r\n")


def in_mailboxes(server):
    return len(re.findall("to=<user[0-9]+@here.test>.*status=sent",
                          server.log()))


@pytest.mark.parametrize("count", [2, 7, 50])
def test_what_a_filter_refuses_nobody_gets(server, milter, count):
    milter.on["E"] = [b"r"]
    before = in_mailboxes(server)
    assert send(server, recipients(count))[0] == 550
    assert not server.queue() and in_mailboxes(server) == before
    milter.on["E"] = [b"c"]
    assert send(server, recipients(count))[0] == 250
    assert not server.waiting()
    came = sum(len(m.recipients) for sink in server.sinks
               for m in sink.messages)
    assert came + in_mailboxes(server) - before == count
    assert not server.back.messages


def found(milter, *results):
    field = "; ".join((" a.splitmail.test",) + results)
    milter.on["E"] = [b"i\0\0\0\1Authentication-Results\0%b\0"
                      % field.encode(), b"c"]


def withheld(server):
    return server.log().count(
        ": nobody is told: neither SPF nor DKIM says")


def refused_late(server, count):
    """One of the systems refuses the content when the others have it."""
    for verb in "DOT", "BDAT":
        server.sinks[0].on[verb] = "554 5.7.1 this is spam"
    assert send(server, recipients(count))[0] == 250
    wait_until(lambda: not server.queue(), 30, "an end")
    assert len(server.sinks[1].messages) >= 1


SPF = "spf=pass smtp.mailfrom=elsewhere.test"
NOBODY = ["spf=fail smtp.mailfrom=elsewhere.test", "dkim=none"]


@pytest.mark.parametrize("count", [2, 7, 50])
@pytest.mark.parametrize("results, told", [
    (NOBODY, False),
    (["spf=none", "dkim=pass header.d=unlike.test"], False),
    (["spf=pass smtp.mailfrom=unlike.test"], False),
    (["dkim=pass header.d=test", "spf=fail"], False),
    ([SPF, "dkim=none"], True),
    (["spf=fail", "dkim=pass header.d=elsewhere.test"], True),
    (["spf=fail", "dkim=pass header.d=mail.elsewhere.test"], True),
    (["spf=temperror", "dkim=none"], True),     # it is not known
    (["dmarc=none"], True),                     # it was not looked for
    ([], True),
])
def test_who_hears_of_a_refused_content(server, milter, results, told, count):
    if count > 2 and results not in (NOBODY, [SPF, "dkim=none"]):
        pytest.skip("the same with two")
    if results:
        found(milter, *results)
    else:
        milter.on["E"] = [b"c"]
    before = withheld(server)
    refused_late(server, count)
    theirs = sum(r.endswith(DOMAINS[0]) for r in recipients(count))
    if told:
        [report] = server.back.wait(1)
        assert report.sender == "" and report.recipients == [STRANGER]
        assert report.data.count(b"Final-Recipient:") == theirs
        assert withheld(server) == before
    else:
        assert withheld(server) == before + theirs
        assert not server.back.messages


def test_who_is_unknown_is_still_told_of(server, milter):
    """What is said of an address tells nobody's spam."""
    found(milter, *NOBODY)
    to = [f"user20@{domain}" for domain in DOMAINS[:2]]
    server.sinks[0].on["RCPT"] = "550 5.1.1 nobody"
    assert send(server, to)[0] == 250
    server.back.wait(1)


def test_it_is_known_after_a_restart(server, milter):
    found(milter, *NOBODY)
    server.sinks[0].down()
    assert send(server, recipients(2))[0] == 250
    server.kill_engine()
    for verb in "DOT", "BDAT":
        server.sinks[0].on[verb] = "554 5.7.1 this is spam"
    server.sinks[0].up()
    wait_until(lambda: not server.queue(), 60, "an end")
    assert "nobody is told: neither SPF" in server.log().rpartition("ready")[2]
    assert not server.back.messages


def test_users_are_always_told(server, milter):
    server.user("ann@here.test")
    found(milter, *NOBODY)
    for verb in "DOT", "BDAT":
        server.sinks[0].on[verb] = "554 5.7.1 this is spam"
    server.send("ann@here.test", recipients(2), user="ann@here.test")
    server.wait_for_mail("ann@here.test")


def test_they_are_counted(server):
    server.stop()       # then it says what it has counted
    # the engine of before was killed
    since = server.log().rpartition("confined: ")[2]
    assert server.counters()["dsns_withheld"] == since.count(
        ": nobody is told: neither SPF") > 0
