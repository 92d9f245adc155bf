"""What another system gives back: dropped when the mailbox has that very mail,
delivered in any doubt."""

import re

import pytest

from traffic import FAST, STRANGER, Tenant
from world import wait_until


@pytest.fixture(scope="module")
def shared_server(shared_world):
    return shared_world.server("a", conf=FAST)


@pytest.fixture
def server(shared_server, world):
    """The other system has a list with alice, who is hosted here, on it."""
    server = Tenant(world, shared_server)
    server.list = f"list@{server.domain}"
    server.cli("user", "create", server.list, "--mail-system", "alternate")
    return server


def mail(subject="invoice", text="text", message_id="<template@app.test>",
         date="Mon, 23 Nov 2026 01:00:00 +0000", more=""):
    fields = ["From: <app@elsewhere.test>\r\nTo: x@own.test\r\n",
              f"Date: {date}\r\n" if date else "",
              f"Subject: {subject}\r\n",
              f"Message-ID: {message_id}\r\n" if message_id else "", more]
    return f"{''.join(fields)}\r\n{text}\r\n".encode()


def send(server, recipients, wire, sender=STRANGER):
    with server.smtp() as smtp:
        assert smtp.sendmail(sender, recipients, wire) == {}


def arrived(server, count):
    wait_until(lambda: len(server.sink.messages) >= count, what="a mail there")
    return server.sink.messages[count - 1]


def give_back(server, message, to=None, change=lambda data: data):
    """As a list does: with an envelope of its own."""
    send(server, [to or server.alice], change(message.data),
         f"list-owner@{server.domain}")


def dropped(server):
    return server.log().count("status=dropped")


CHANGES = {
    "nothing": lambda data: data,
    "trace": lambda data: b"Received: from a by b; today\r\n"
                          b"DKIM-Signature: v=1;\r\n b=abc\r\n"
                          b"List-Id: <list.example.test>\r\n" + data,
    "folding": lambda data: data.replace(b"Subject: ", b"Subject:\r\n\t"),
    "an empty line at the end": lambda data: data + b"\r\n",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("size", [1, 100, 200000])
def test_the_same_mail_is_not_delivered_twice(server, change, size):
    send(server, [server.alice, server.list],
         mail(text="x" * 70 + "\r\n" * size))
    give_back(server, arrived(server, 1), change=change)
    server.wait_for_mail(server.alice, 1)
    assert dropped(server) == 1


DOUBTS = {
    "a footer": lambda data: data + b"-- \r\nthe list\r\n",
    "another subject": lambda data: data.replace(b"Subject: ",
                                                 b"Subject: [list] "),
    "another date": lambda data: data.replace(b"01:00:00", b"01:00:01"),
    "no message-id": lambda data: re.sub(rb"Message-ID:.*\r\n", b"", data),
    "another field": lambda data: b"Importance: high\r\n" + data,
    "sent on by a person": lambda data: b"Resent-From: a@b.test\r\n" + data,
    "no trail": lambda data: re.sub(rb"Splitmail-Trail:.*\r\n", b"", data),
    "no Received": lambda data: re.sub(rb"Received:.*\r\n([ \t].*\r\n)*", b"",
                                       data),
    "quoted printable": lambda data: data.replace(b"text", b"te=78t"),
}


@pytest.mark.parametrize("change", DOUBTS.values(), ids=DOUBTS)
def test_a_changed_mail_is_delivered(server, change):
    send(server, [server.alice, server.list], mail())
    give_back(server, arrived(server, 1), change=change)
    server.wait_for_mail(server.alice, 2)
    assert dropped(server) == 0


PAIRS = {
    "other texts, one message-id": ({"text": "one"}, {"text": "two"}),
    "other subjects": ({"subject": "one"}, {"subject": "two"}),
    "an empty message-id": ({"message_id": "<>"},
                            {"message_id": "<>", "text": "two"}),
    "no message-id": ({"message_id": ""}, {"message_id": "", "text": "two"}),
    "another field": ({}, {"more": "Importance: high\r\n"}),
    "equal in every octet": ({}, {}),
    "equal, without id and date": ({"message_id": "", "date": ""},) * 2,
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_another_mail_is_delivered(server, pair):
    """Whatever it has in common with one that alice got: the first goes to
    her and to bob, the second to the list, which gives it back for her."""
    first, second = pair
    send(server, [server.alice, server.bob], mail(**first))
    send(server, [server.list], mail(**second))
    give_back(server, arrived(server, 2))
    server.wait_for_mail(server.alice, 2)
    assert dropped(server) == 0


def test_a_mail_sent_again_by_a_person_is_delivered(server):
    send(server, [server.alice, server.bob], mail())
    send(server, [server.alice, server.bob], mail())
    server.wait_for_mail(server.alice, 2)
    arrived(server, 2)


def test_another_detail_is_another_place(server):
    send(server, [server.alice, server.list], mail())
    give_back(server, arrived(server, 1), to=f"alice+list@{server.domain}")
    server.wait_for_mail(server.alice, 2)


def test_two_mailboxes_have_it_each(server):
    """The note of one is not the other's."""
    carol = server.user(f"carol@{server.domain}")
    send(server, [server.alice, server.list], mail())
    give_back(server, arrived(server, 1), to=carol)
    server.wait_for_mail(server.alice, 1)
    server.wait_for_mail(carol, 1)


def test_a_mail_without_a_header_comes_back(server):
    send(server, [server.alice, server.list], b"just text\r\n")
    give_back(server, arrived(server, 1))
    server.wait_for_mail(server.alice, 1)
    assert dropped(server) == 1
