"""A system that is to be told by XCLIENT who a stranger is: what it hears, of
whose mail, and what comes of it where that does not work."""

import collections
import re

import pytest

from conducts import CONDUCTS, EXTENSIONS
from others import ALICE, Here, text
from world import wait_until

ALL = "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"
CONF = "limits {\n\tthreads = 2\n\tretry_min = 1\n\tretry_max = 1\n}"


@pytest.fixture(scope="module")
def here(shared_world):
    return Here(shared_world, CONF)


def other(here, *names, announced=ALL, settings=(), **sink):
    sink.setdefault("extensions", EXTENSIONS + ((announced,) if announced
                                                else ()))
    return here.other(names=names or ("bob",), system=("--xclient", *settings),
                      **sink)


def send(there, source="127.0.25.9", helo="mx.else.test", ehlo=True,
         sender="s@elsewhere.test", recipients=None):
    with there.server.smtp(source=source) as smtp:
        (smtp.ehlo if ehlo else smtp.helo)(helo)
        port = smtp.sock.getsockname()[1]
        assert smtp.mail(sender)[0] == 250
        for recipient in recipients or [there.bob]:
            assert smtp.rcpt(recipient)[0] == 250
        assert smtp.data(text(there.domain))[0] == 250
        return port


def test_it_is_told_who_the_client_is(here):
    there = other(here)
    port = send(there)
    [message] = there.sink.wait(1)
    assert message.client == {"ADDR": "127.0.25.9", "NAME": "[UNAVAILABLE]",
                              "PORT": str(port), "PROTO": "ESMTP",
                              "HELO": "mx.else.test"} or \
        message.client["NAME"] == "[TEMPUNAVAIL]"
    assert message.helo == "mx.else.test"
    send(there, source="127.0.25.10", helo="other.test", ehlo=False)
    second = there.sink.wait(2)[1]
    assert second.client["ADDR"] == "127.0.25.10"
    assert second.client["PROTO"] == "SMTP"
    assert second.client["HELO"] == second.helo == "other.test"


@pytest.mark.parametrize("announced, said", [
    ("XCLIENT ADDR", ["ADDR"]), ("XCLIENT HELO ADDR PORT",
                                 ["ADDR", "PORT", "HELO"]),
    ("xclient addr name", ["ADDR", "NAME"]),
    ("XCLIENT NAME HELO", []), ("XCLIENT", []), (None, []),
])
def test_what_is_announced_is_said(here, announced, said):
    there = other(here, announced=announced)
    send(there)
    [message] = there.sink.wait(1)
    assert list(message.client) == said
    assert (message.helo == "mx.else.test") == bool(said)


def test_one_after_the_other_over_one_connection(here):
    there = other(here)
    for n in range(7):
        send(there, source=f"127.0.25.{n + 1}", helo=f"mx{n}.test")
        message = there.sink.wait(n + 1)[n]
        assert message.client["ADDR"] == f"127.0.25.{n + 1}"
        assert message.helo == f"mx{n}.test"
    asked = collections.Counter(m.peer for m in there.sink.messages)
    assert max(asked.values()) >= 2


def test_whose_mail_it_is_not_said_of(here):
    """A user's, a trusted system's, and what the server has to report; however
    much of a stranger's goes there meanwhile."""
    there = other(here, "bob", "carol")
    for n in range(3):
        send(there)
        there.server.send(ALICE, there.bob, text("own"), user=ALICE)
    wait_until(lambda: len(there.sink.messages) == 6, 20, "all mail")
    for message in there.sink.messages:
        assert bool(message.client) == (message.sender != ALICE)
        assert (message.helo == "mx.else.test") == (message.sender != ALICE)
    here.server.cli("system", "create", "believed", "--hosts", "192.0.2.1",
                    "--trust", "127.0.25.77/32")
    send(there, source="127.0.25.77")
    assert not there.sink.wait(7)[6].client
    # a report to somebody there
    there.sink.down()
    send(there, sender=f"carol@{there.domain}")
    there.sink.on["RCPT"] = {there.bob: "550 5.1.1 nobody", None: "250 ok"}
    there.sink.up()
    report = there.sink.wait(8, timeout=60)[7]
    assert report.sender == "" and not report.client
    assert report.recipients == [f"carol@{there.domain}"]


def test_it_is_known_after_a_restart(here, shared_world):
    there = other(here)
    there.sink.down()
    port = send(there)
    here.server.kill_engine()
    there.sink.up()
    [message] = there.sink.wait(1, timeout=60)
    assert message.client["ADDR"] == "127.0.25.9"
    assert message.client["PORT"] == str(port)
    assert message.helo == "mx.else.test"


def test_without_the_setting_nothing_is_said(here):
    there = here.other(system=("--when-down", "defer"),
                       extensions=EXTENSIONS + (ALL,))
    send(there)
    [message] = there.sink.wait(1)
    assert not message.client
    assert not [c for c in there.sink.commands if c.startswith("XCLIENT")]


XCLIENTS = [name for name in CONDUCTS if name.startswith("XCLIENT")]


@pytest.mark.parametrize("size", [1, 2, 7, 50])
@pytest.mark.parametrize("name", XCLIENTS)
def test_mail_arrives_all_the_same(here, name, size):
    """Once each; and as a stranger's only where it is known to be believed."""
    conduct = CONDUCTS[name]
    users = [f"u{n}" for n in range(size)]
    if size == 50 and name not in ("XCLIENT works", "XCLIENT closes"):
        pytest.skip("the same as with 7")
    there = other(here, "bob", *users, **conduct.sink())
    addresses = [f"{user}@{there.domain}" for user in users]
    for n in range(2):
        send(there, source=f"127.0.25.{n + 1}", recipients=addresses)
    send(there, source="127.0.25.3")
    wait_until(lambda: len(there.sink.messages) >= 3
               and not there.server.waiting(there.domain), 40, "all mail")
    came = collections.Counter(r for m in there.sink.messages
                               for r in m.recipients)
    assert came == {**{address: 2 for address in addresses}, there.bob: 1}
    for message in there.sink.messages:
        assert bool(message.client) == (name == "XCLIENT works")
    if name in ("XCLIENT closes", "XCLIENT is silent"):
        assert "no_xclient" in {each["what"] for each in here.server.cli(
            "system", "show", f"s{there.domain[1:-5]}")["learnt"]}


# ---- Postfix

def postfix(world, here, name, **settings):
    there = world.stock_postfix(name=name, domain=f"{name}.test",
                                users=["bob"], settings=settings)
    here.cli("system", "create", name, "--hosts", there.at, "--xclient",
             "--tls", "none")
    here.cli("domain", "create", f"{name}.test", "--relay", there.at)
    here.user(f"bob@{name}.test", "--mail-system", "alternate")
    here.cli("user", "set", f"bob@{name}.test", f"system={name}")
    return there


def test_a_postfix_sees_the_true_client(world):
    """...and one that does not announce it gets the mail, too."""
    here = world.server("here")
    here.cli("domain", "create", "own.test")
    here.user("alice@own.test")
    knows = postfix(world, here, "knows",
                    smtpd_authorized_xclient_hosts="127.0.0.0/8")
    plain = postfix(world, here, "plain")
    for there in knows, plain:
        for source in "127.0.25.9", "127.0.25.10":
            with here.smtp(source=source) as smtp:
                smtp.ehlo("mx.else.test")
                smtp.sendmail("s@elsewhere.test", [f"bob@{there.domain}"],
                              "Subject: t\r\n\r\nhello\r\n")
        here.send("alice@own.test", f"bob@{there.domain}",
                  user="alice@own.test")
        there.wait_for_mail("bob", 3)
    with open(knows.log_path) as file:
        log = file.read()
    clients = re.findall(r"smtpd\[\d+\]: [0-9A-F]+: client=(\S+)", log)
    told = [client for client in clients if "[127.0.25." in client]
    assert told == ["unknown[127.0.25.9]", "unknown[127.0.25.10]"], clients
    assert len(clients) == 3
    heard = [mail.decode() for mail in knows.mailbox("bob")]
    assert sum("from mx.else.test (unknown [127.0.25.9])" in mail
               for mail in heard) == 1, heard
    with open(plain.log_path) as file:
        assert "127.0.25" not in "".join(re.findall("client=.*", file.read()))
