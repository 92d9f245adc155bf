"""A person sends a message again that has come through here before: that is a
new mail, here and at the next Splitmail; what really loops is cut as ever."""

import smtplib

import pytest

from test_topology import trail_of

DOMAIN = "example.test"
ALICE, BOB, FAR, FAR2, TEAM, CAROL = (
    f"{name}@{DOMAIN}" for name in ("alice", "bob", "far", "far2", "team",
                                    "carol"))
STRANGER = "stranger@elsewhere.test"
TEXT = "From: stranger@elsewhere.test\r\nSubject: first\r\n\r\nhello\r\n"


@pytest.fixture
def place(world):
    """The server, the other system behind a second Splitmail and beside it."""
    sink = world.sink()
    server = world.server("a")
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    for user in ALICE, BOB:
        server.user(user)
    for user in FAR, FAR2:
        server.cli("user", "create", user, "--mail-system", "alternate")
    server.cli("group", "create", TEAM, "--member", FAR, "--member", FAR2,
               "--member", BOB)
    return server, sink


def came_through(place, *recipients):
    """TEXT as it is at the other system, with the trail of all."""
    server, sink = place
    assert server.send(STRANGER, list(recipients), TEXT) == {}
    message = sink.messages[-1]
    assert trail_of(message)
    sink.messages.clear()
    return message.data


def resend(server, data, *recipients):
    with server.submit(ALICE) as smtp:
        return smtp.sendmail(ALICE, list(recipients), data)


@pytest.mark.parametrize("before", [[FAR], [FAR, FAR2], [TEAM],
                                    [FAR, FAR2, TEAM]])
def test_to_whoever_had_it(place, before):
    server, sink = place
    data = came_through(place, *before)
    for recipients in [FAR], [FAR2], [FAR, FAR2], [TEAM], [FAR, BOB]:
        bob_had = len(server.mailbox(BOB))
        assert resend(server, data, *recipients) == {}
        server.wait_for_queue(0)
        there = sorted(r for m in sink.messages for r in m.recipients)
        assert there == (sorted([FAR, FAR2]) if recipients == [TEAM] else
                         sorted(set(recipients) - {BOB}))
        assert len(server.mailbox(BOB)) - bob_had == (
            BOB in recipients or TEAM in recipients)
        sink.messages.clear()
    assert server.mailbox(ALICE) == []          # no bounce


@pytest.mark.parametrize("whose", ["mailbox", "other system"])
def test_a_mailbox_that_has_it_gets_it_again(place, whose):
    """The same to the letter, and a moment ago."""
    server, sink = place
    whole = ("Date: Mon, 1 Jan 2024 12:00:00 +0000\r\n"
             "Message-ID: <one@elsewhere.test>\r\n" + TEXT)
    assert server.send(STRANGER, [TEAM], whole) == {}
    [mine] = server.wait_for_mail(BOB)
    data = mine if whose == "mailbox" else sink.messages[-1].data
    assert resend(server, data, TEAM) == {}
    server.wait_for_mail(BOB, 2)


def test_once_more_and_once_more(place):
    """It has been sent again by a person before."""
    server, sink = place
    data = came_through(place, FAR)
    for _ in range(3):
        assert resend(server, data, FAR) == {}
        [message] = sink.wait(1)
        sink.messages.clear()
        data = message.data


def test_from_anybody_else_it_is_a_loop(place):
    server, sink = place
    data = came_through(place, FAR)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        server.send(STRANGER, FAR, data)
    assert refused.value.smtp_code == 550
    assert b"5.4.6" in refused.value.smtp_error
    # and what was resent, and comes back then, is one
    assert resend(server, data, FAR) == {}
    [message] = sink.wait(1)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        server.send(STRANGER, FAR, message.data)
    assert b"5.4.6" in refused.value.smtp_error


def test_at_the_next_splitmail_it_is_new_too(world):
    """The master has expanded the group already when alice of the slave sends
    the message to it again."""
    master, slave = world.server("master"), world.server("slave")
    master.cli("domain", "create", DOMAIN, "--relay", slave.at)
    slave.cli("domain", "create", DOMAIN, "--relay", master.at,
              "--forward-unknown")
    master.cli("system", "create", "slave", "--hosts", slave.at)
    master.user(CAROL)
    master.cli("user", "create", ALICE, "--mail-system", "alternate")
    slave.user(ALICE)
    master.cli("group", "create", TEAM, "--member", ALICE, "--member", CAROL)
    assert master.send(STRANGER, TEAM, TEXT) == {}
    [data] = slave.wait_for_mail(ALICE)
    master.wait_for_mail(CAROL)
    assert b"Splitmail-Trail" in data
    assert resend(slave, data, TEAM) == {}
    master.wait_for_mail(CAROL, 2)
