"""What is sent on to the Internet bears a sender that may come from here, by
whatever way it was sent on, and what is returned to it finds the sender."""

import pytest

from test_logins import Sieve
from world import wait_until

DOMAIN = "example.test"
NEWS = "News.Letter@bank.test"
FRIEND = "friend@elsewhere.test"
CONF = "limits {\n\tretry_min = 1\n\tretry_max = 2\n}"
TEXT = "Message-ID: <{}@bank.test>\r\nSubject: t\r\n\r\nhello\r\n"


def local(name):
    return f"{name}@{DOMAIN}"


@pytest.fixture(scope="module")
def sender(shared_world):
    """A server whose way to the Internet is a sink."""
    out = shared_world.sink(name="out")
    server = shared_world.server("a", conf=CONF)
    server.out = out
    server.cli("domain", "create", DOMAIN)
    server.cli("domain", "create", "caught.test", "--catch-all", FRIEND)
    server.cli("system", "create", "out", "--hosts", out.at, "--smart-host",
               "--tls", "none")
    for name in ("forward", "copy", "alice", "sieve"):
        server.user(local(name))
    server.cli("user", "set", local("forward"), f"forward={FRIEND}",
               "forward_copy=no")
    server.cli("user", "set", local("copy"), f"forward={FRIEND}",
               "forward_copy=yes")
    server.cli("group", "create", local("group"), "--member", local("alice"),
               "--member", FRIEND)
    server.user("sieve@caught.test")
    for user in (local("sieve"), "sieve@caught.test"):
        Sieve(server, user).install(f'redirect "{FRIEND}";\r\n')
    return server


def sent_on(server, sender, recipient, number=iter(range(10000))):
    """With which sender it came out."""
    subject = f"n{next(number)}"
    assert server.send(sender, recipient, TEXT.format(subject)) == {}
    return wait_until(lambda: [m.sender for m in server.out.messages
                               if f"<{subject}@".encode() in m.data],
                      20, f"{subject} at the other side", 0.1)[0]


WAYS = ["forward@" + DOMAIN, "copy@" + DOMAIN, "group@" + DOMAIN,
        "sieve@" + DOMAIN, "sieve@caught.test", "anything@caught.test"]


@pytest.mark.parametrize("way", WAYS)
def test_by_all_ways_alike(sender, way):
    """Rewritten, as an address of the domain that sent it on; a sender of
    ours and the null sender stay."""
    was = sent_on(sender, NEWS, way)
    assert was.startswith("SRS0=") and "=bank.test=News.Letter@" in was
    assert was.endswith("@" + way.split("@")[1])
    assert f"sent on as from=<{was}>" in sender.log()
    assert sent_on(sender, local("alice"), way) == local("alice")
    assert sent_on(sender, "", way) == ""


def answer(server, sender, recipient):
    with server.smtp() as smtp:
        smtp.ehlo()
        assert smtp.mail(sender)[0] == 250
        code, said = smtp.rcpt(recipient)
        return code, said.decode()


def test_what_is_returned(sender):
    """Only from <>, only what was made here, whatever became of the case."""
    was = sent_on(sender, NEWS, local("forward"))
    for address in (was, was.lower(), was.upper()):
        assert answer(sender, "", address)[0] == 250
    assert answer(sender, "x@elsewhere.test", was)[0] == 550
    left, forged = was.split("=", 2)[1], was
    forged = was.replace(left, "a" * len(left))
    code, said = answer(sender, "", forged)
    assert code == 550 and "5.1.1" in said and "has not made" in said
    count = len(sender.out.messages)
    assert sender.send("", was, TEXT.format("returned")) == {}
    wait_until(lambda: len(sender.out.messages) > count, 20, "its return")
    bounce = sender.out.messages[-1]
    assert bounce.sender == "" and bounce.recipients == [NEWS]


def test_one_that_was_sent_on_before(sender):
    """It becomes an SRS1 one, and goes back to the first forwarder."""
    first = "SRS0=abcd=2X=bank.test=news@forwarder.test"
    was = sent_on(sender, first, local("forward"))
    assert was.startswith("SRS1=") and was.endswith("@" + DOMAIN)
    count = len(sender.out.messages)
    assert sender.send("", was, TEXT.format("back")) == {}
    wait_until(lambda: len(sender.out.messages) > count, 20, "its return")
    assert sender.out.messages[-1].recipients == [first]


def test_it_stays_the_same_in_the_queue(sender):
    """At every attempt, after a restart too, and its own report goes to the
    sender himself."""
    sender.out.down()
    assert sender.send(NEWS, local("copy"), TEXT.format("later")) == {}
    sender.wait_for_queue(1)
    sender.restart()
    sender.out.up()
    sender.run("queue", "retry", "--all")
    [was] = wait_until(lambda: [m.sender for m in sender.out.messages
                                if b"<later@" in m.data], 30, "the mail")
    assert was.startswith("SRS0=") and was.endswith("@" + DOMAIN)
    sender.wait_for_queue(0)


def test_route_says_so(sender):
    facts = [r["fact"] for r in sender.route(local("forward"))["reasons"]]
    assert any("SRS" in fact and DOMAIN in fact for fact in facts), facts
