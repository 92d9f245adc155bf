"""An address that lives on both systems moves while the mail for one of them
waits: what was delivered is not delivered again."""

import os

import pytest

from world import wait_until

DOMAIN = "example.test"
BOTH, ALICE = f"both@{DOMAIN}", f"alice@{DOMAIN}"
STRANGER = "stranger@elsewhere.test"
TEXT = "Subject: once\r\n\r\nx\r\n"
FAST = "limits {\n\tretry_min = 1\n\tretry_max = 2\n}"


@pytest.fixture
def place(world):
    sink = world.sink()
    server = world.server("a", conf=FAST)
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.user(BOTH)
    server.user(ALICE)
    server.cli("address", "set", BOTH, "home=both")
    return server, sink


MOVES = {"hosted": ("address", "set", BOTH, "home=hosted"),
         "there": ("address", "set", BOTH, "home=alternate"),
         "alternate user": ("user", "set", BOTH, "mail_system=alternate")}


@pytest.mark.parametrize("move", MOVES)
def test_the_other_systems_part_waits(place, move):
    server, sink = place
    sink.down()
    assert server.send(STRANGER, BOTH, TEXT) == {}
    assert len(server.mailbox(BOTH)) == 1
    server.cli(*MOVES[move])
    sink.up()
    server.wait_for_queue(0)
    assert len(sink.messages) == (0 if move == "hosted" else 1)
    if move != "alternate user":        # nobody logs in to his mailbox
        assert len(server.mailbox(BOTH)) == 1


@pytest.mark.parametrize("move", MOVES)
def test_the_mailboxs_part_waits(place, move):
    server, sink = place
    lmtp = os.path.join(server.data, "dovecot/run/lmtp")
    os.rename(lmtp, f"{lmtp}.away")
    assert server.send(STRANGER, BOTH, TEXT) == {}
    wait_until(lambda: len(sink.messages) == 1, 30, "the other system's")
    [entry] = server.queue()
    assert len(entry["recipients"]) == 1
    server.cli(*MOVES[move])
    os.rename(f"{lmtp}.away", lmtp)
    server.wait_for_queue(0)
    assert len(sink.messages) == 1
    if move == "hosted":
        assert len(server.mailbox(BOTH)) == 1


def test_the_copy_of_a_forward_moves_with_its_user(place):
    """There is no other part of it."""
    server, sink = place
    bob = f"bob@{DOMAIN}"
    server.user(bob)
    server.cli("user", "set", bob, "mail_system=alternate",
               f"forward={ALICE}", "forward_copy=yes")
    sink.down()
    assert server.send(STRANGER, bob, TEXT) == {}
    assert len(server.mailbox(ALICE)) == 1
    server.cli("user", "set", bob, "mail_system=hosted")
    sink.up()
    server.wait_for_queue(0)
    assert sink.messages == []
    assert len(server.mailbox(bob)) == len(server.mailbox(ALICE)) == 1
