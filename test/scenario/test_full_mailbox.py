"""A mailbox over its quota: who writes to it alone is told so at once."""

import smtplib

import pytest

DOMAIN = "example.test"
STRANGER = "x@elsewhere.test"
BIG = "Subject: big\r\n\r\n" + ("x" * 70 + "\r\n") * 200
FULL, ROOMY = f"full@{DOMAIN}", f"roomy@{DOMAIN}"


@pytest.fixture(scope="module")
def a(shared_world):
    a = shared_world.server("a")
    a.cli("domain", "create", DOMAIN)
    a.user(FULL, "--quota", "2K")
    a.user(ROOMY)
    return a


@pytest.mark.parametrize("user", [None, ROOMY])
def test_the_only_recipient(a, user):
    with pytest.raises(smtplib.SMTPDataError) as refused:
        a.send(user or STRANGER, FULL, BIG, user=user)
    assert refused.value.smtp_code == 452
    assert b"4.2.2" in refused.value.smtp_error
    assert a.queue() == []


def test_one_of_several_waits(a):
    assert a.send(STRANGER, [ROOMY, FULL], BIG) == {}
    [message] = a.queue()
    assert [r["address"] for r in message["recipients"]] == [FULL]
    assert "4.2.2" in message["recipients"][0]["last_reply"]
    a.cli("queue", "delete", "--all", "--yes")
