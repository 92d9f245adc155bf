"""Out of office: mail to any of one's own addresses is answered, other mail is
not."""

import pytest

from test_logins import Sieve
from world import wait_until

DOMAIN, ALIAS = "example.test", "example.net"
MARY, EVE, TEAM = (f"{name}@{DOMAIN}" for name in ("mary", "eve", "team"))
OWN = f"mary.smith@{DOMAIN}"


@pytest.fixture(scope="module")
def away(shared_world):
    sink = shared_world.sink()
    server = shared_world.server("a")
    server.cli("domain", "create", DOMAIN, f"aliases={ALIAS}")
    server.user(MARY, "--address", "mary.smith@*")
    server.user(EVE)
    server.cli("user", "set", EVE, f"forward={MARY}")
    server.cli("domain", "set", DOMAIN, f"catch_all={MARY}")
    server.cli("group", "create", TEAM, "--member", MARY)
    server.cli("domain", "create", "friends.test", "--relay", sink.at,
               "--forward-unknown")
    Sieve(server, MARY).install('require "vacation";\r\n'
                                'vacation :days 1 "I am away.";\r\n')
    return server, sink


CASES = {       # envelope, header: is it answered?
    "login": (MARY, f"To: {MARY}", True),
    "capitals": ("Mary@Example.TEST", "To: Mary <MARY@example.test>", True),
    "an alias": (OWN, f"To: {OWN}", True),
    "the domain's alias": (f"mary@{ALIAS}", f"To: mary@{ALIAS}", True),
    "a detail": (f"mary+shop@{DOMAIN}", f"To: mary+shop@{DOMAIN}", True),
    "an alias's detail": (f"mary.smith+shop@{ALIAS}",
                          f"To: mary.smith+shop@{ALIAS}", True),
    "in Cc, folded, among others": (
        OWN, "To: a@b.test\r\nCc: x@y.test,\r\n \"Smith, Mary\" <%s>" % OWN,
        True),
    "another own one in the header": (MARY, f"To: mary.smith@{ALIAS}", True),
    "one alias for another": (f"mary@{ALIAS}", f"To: {OWN}", True),
    "Bcc": (MARY, "To: others@elsewhere.test", False),
    "Bcc by an alias": (OWN, "To: others@elsewhere.test", False),
    "no To at all": (MARY, "X-Nothing: here", False),
    "a group": (TEAM, f"To: {TEAM}", False),
    "a group, and she too": (TEAM, f"To: {TEAM}\r\nCc: {OWN}", True),
    "sent on by somebody else": (EVE, f"To: {EVE}", False),
    "what nobody has": (f"nobody@{DOMAIN}", f"To: nobody@{DOMAIN}", False),
    "a list": (OWN, f"To: {OWN}\r\nList-Id: <l.test>", False),
    "a machine": (OWN, f"To: {OWN}\r\nAuto-Submitted: auto-generated", False),
}


@pytest.mark.parametrize("case", CASES)
def test_who_is_answered(away, case):
    server, sink = away
    recipient, header, answered = CASES[case]
    number = list(CASES).index(case)
    sender = f"friend{number}@friends.test"
    before = len(server.mailbox(MARY))
    server.send(sender, recipient, f"From: {sender}\r\n{header}\r\n"
                f"Message-ID: <{number}@friends.test>\r\nSubject: hi\r\n\r\n"
                "hello\r\n")
    wait_until(lambda: len(server.mailbox(MARY)) > before, 20, "the mail")
    if answered:
        wait_until(lambda: any(m.recipients == [sender]
                               for m in sink.messages), 20, "an answer")
    else:
        # What is answered later has come before.
        probe = f"probe{number}@friends.test"
        server.send(probe, MARY, f"From: {probe}\r\nTo: {MARY}\r\n"
                    f"Message-ID: <p{number}@friends.test>\r\n\r\nx\r\n")
        wait_until(lambda: any(m.recipients == [probe]
                               for m in sink.messages), 20, "a later answer")
        assert not [m for m in sink.messages if m.recipients == [sender]]


def test_the_envelope_is_told_as_it_was(away):
    server, _ = away
    for recipient in (OWN, f"mary.smith+a@{ALIAS}"):
        before = len(server.mailbox(MARY))
        server.send("x@friends.test", recipient,
                    f"To: {recipient}\r\nAuto-Submitted: auto-generated\r\n"
                    "\r\nhello\r\n")
        wait_until(lambda: len(server.mailbox(MARY)) > before, 20, "the mail")
        assert f"Delivered-To: {recipient}\r\n".encode() in server.mailbox(
            MARY)[-1]
