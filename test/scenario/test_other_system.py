"""The other system is down, slow, or in a bad mood: nothing is lost, nothing
is bounced that need not be, and everything arrives once."""

import email
import email.policy
import time

import pytest

from sink import Delay, Drop, Hang
from world import wait_until

DOMAIN = "example.test"
ALICE, BOB, CAROL = (f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol"))
STRANGER = "stranger@elsewhere.test"
FAST = ("limits {\n\tretry_min = 1\n\tretry_max = 2\n\thandover = 3\n}")


def with_other(world, conf=FAST, **domain):
    sink = world.sink()
    server = world.server("a", conf=conf)
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.user(ALICE)
    for user in (BOB, CAROL):
        server.cli("user", "create", user, "--mail-system", "alternate")
    return server, sink


def text(subject):
    return f"Subject: {subject}\r\n\r\nhello\r\n"


def rcpt(server, recipient):
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail(STRANGER)
        return smtp.rcpt(recipient)


def arrived(sink, count, timeout=30):
    wait_until(lambda: len(sink.messages) >= count, timeout,
               f"{count} mails at the other system")
    time.sleep(1)
    assert len(sink.messages) == count


def test_down_known_is_kept_unknown_is_deferred(world):
    server, sink = with_other(world)
    sink.down()
    server.cli("domain", "set", DOMAIN, "forward_unknown=yes")
    begun = time.monotonic()
    assert server.send(STRANGER, BOB, text("kept")) == {}
    assert time.monotonic() - begun < 10
    code, reply = rcpt(server, f"unknown@{DOMAIN}")
    assert code == 451 and reply.startswith(b"4.4.1"), reply
    [entry] = server.queue()
    [recipient] = entry["recipients"]
    assert entry["sender"] == STRANGER
    assert recipient["address"] == BOB and recipient["state"] == "waiting"
    assert recipient["last_reply"]
    sink.up()
    arrived(sink, 1)
    assert sink.messages[0].recipients == [BOB]
    server.wait_for_queue(0)


def test_known_by_verification_is_kept_too(world):
    server, sink = with_other(world)
    server.cli("domain", "set", DOMAIN, "forward_unknown=yes")
    assert rcpt(server, f"unknown@{DOMAIN}")[0] == 250
    sink.down()
    assert server.send(STRANGER, f"unknown@{DOMAIN}", text("kept")) == {}
    sink.up()
    arrived(sink, 1)


@pytest.mark.parametrize("where", ["RCPT", "DATA", "DOT"])
def test_temporary_refusal(world, where):
    server, sink = with_other(world)
    fine = {"RCPT": "250 2.1.5 ok", "DATA": "354 go", "DOT": "250 ok"}[where]
    sink.on[where] = ["451 4.3.0 not now"] * 3 + [fine]
    assert server.send(STRANGER, BOB, text("later")) == {}
    arrived(sink, 1)
    server.wait_for_queue(0)


@pytest.mark.parametrize("where", ["CONNECT", "RCPT"])
def test_hangs(world, where):
    """It takes the connection and says nothing."""
    server, sink = with_other(world)
    sink.on[where] = Hang()
    begun = time.monotonic()
    assert server.send(STRANGER, BOB, text("hung")) == {}
    assert time.monotonic() - begun < 25
    assert len(server.queue()) == 1
    del sink.on[where]
    sink.down()
    sink.up()
    arrived(sink, 1, timeout=60)


def test_connection_lost_after_the_dot(world):
    server, sink = with_other(world)
    sink.on["DOT"] = [Drop(), "250 2.0.0 ok"]
    assert server.send(STRANGER, BOB, text("dropped")) == {}
    wait_until(lambda: len(sink.messages) >= 1, 30, "the second try")
    server.wait_for_queue(0)


def test_slow_answer_is_delivered_once(world):
    server, sink = with_other(world)
    sink.on["DOT"] = Delay(12)
    begun = time.monotonic()
    assert server.send(STRANGER, BOB, text("slow")) == {}
    assert 2 < time.monotonic() - begun < 10, "answered at the limit"
    [entry] = server.queue()
    assert entry["recipients"][0]["address"] == BOB
    server.wait_for_queue(0, timeout=30)
    arrived(sink, 1)
    assert sum(line.startswith("DATA") or line.startswith("BDAT")
               for line in sink.commands) == 1


def test_an_answer_after_half_a_minute(world):
    """With the limits an administrator gets: answered after 20 s, the running
    attempt goes on and settles it."""
    server, sink = with_other(world, conf="")
    sink.on["DOT"] = Delay(30)
    begun = time.monotonic()
    assert server.send(STRANGER, BOB, text("slow")) == {}
    assert 15 < time.monotonic() - begun < 28
    server.wait_for_queue(0, timeout=40)
    arrived(sink, 1)


def test_refused_after_the_body(world):
    """All recipients refused: the refusal is the sender's reply."""
    server, sink = with_other(world)
    sink.on["DOT"] = "554 5.6.0 we do not like it"
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail(STRANGER)
        smtp.rcpt(BOB)
        code, reply = smtp.data(text("spam"))
        assert code == 554 and b"5.6.0" in reply
    assert server.queue() == []


def test_mixed_outcome_makes_a_dsn(world):
    server, sink = with_other(world)
    sink.on["DOT"] = "554 5.6.0 we do not like it"
    assert server.send(ALICE, [ALICE, BOB], text("mixed"), user=ALICE) == {}
    mails = server.wait_for_mail(ALICE, 2)
    [report] = [mail for mail in mails if b"multipart/report" in mail]
    fields = recipient_fields(report)
    assert fields["Final-Recipient"].endswith(BOB)
    assert fields["Action"] == "failed" and fields["Status"] == "5.6.0"
    server.wait_for_queue(0)


def recipient_fields(report):
    """The per-recipient fields of a DSN that has just one (RFC 3464)."""
    mail = email.message_from_bytes(report, policy=email.policy.default)
    assert mail.get_content_type() == "multipart/report"
    assert mail.get_param("report-type") == "delivery-status"
    human, status, original = mail.iter_parts()
    assert human.get_content_type() == "text/plain"
    assert status.get_content_type() == "message/delivery-status"
    assert original.get_content_type() in ("message/rfc822",
                                           "text/rfc822-headers")
    per_message, per_recipient = status.get_payload()
    assert per_message["Reporting-MTA"].startswith("dns;")
    return per_recipient


def test_expiry_makes_a_dsn(world):
    server, sink = with_other(world, conf=(
        "limits {\n\tretry_min = 1\n\tretry_max = 1\n\texpiry = 4\n}"))
    sink.down()
    assert server.send(ALICE, BOB, text("never"), user=ALICE) == {}
    [report] = server.wait_for_mail(ALICE, 1, timeout=40)
    fields = recipient_fields(report)
    assert fields["Action"] == "failed"
    assert fields["Status"].startswith(("4.", "5."))
    assert f"rfc822;{BOB}" in fields["Final-Recipient"].replace(" ", "")
    assert b"Return-Path: <>" in report
    server.wait_for_queue(0)


def test_nothing_is_told_to_a_null_sender(world):
    server, sink = with_other(world, conf=(
        "limits {\n\tretry_min = 1\n\tretry_max = 1\n\texpiry = 3\n}"))
    sink.down()
    assert server.send("", BOB, text("from nobody")) == {}
    server.wait_for_queue(0, timeout=40)
    assert server.mailbox(ALICE) == []


def test_failover_and_failback(world):
    first, second = world.sink(), world.sink()
    server = world.server("a", conf=FAST)
    server.cli("domain", "create", DOMAIN, "--relay",
               f"{first.at}, {second.at}")
    server.cli("user", "create", BOB, "--mail-system", "alternate")
    server.send(STRANGER, BOB, text("one"))
    arrived(first, 1)
    first.down()
    server.send(STRANGER, BOB, text("two"))
    arrived(second, 1)
    first.up()

    def back():
        server.send(STRANGER, BOB, text("three"))
        return len(first.messages) > 1
    wait_until(back, 40, "the first host's return", pause=2)


def test_both_sides_forward_unknowns(world):
    a = world.server("a")
    b = world.server("b")
    for here, there in ((a, b), (b, a)):
        here.cli("domain", "create", DOMAIN, "--relay", there.at,
                 "--forward-unknown")
    a.user(ALICE)
    for server in (a, b):
        begun = time.monotonic()
        code, reply = rcpt(server, f"nobody@{DOMAIN}")
        assert code == 550, reply
        assert time.monotonic() - begun < 1
        assert rcpt(server, ALICE)[0] == 250
    assert a.queue() == [] and b.queue() == []


def test_queue_tools(world):
    server, sink = with_other(world, conf=(
        "limits {\n\tretry_min = 600\n\tretry_max = 600\n}"))
    sink.down()
    for n in range(4):
        server.send(ALICE, BOB, text(f"tools {n}"), user=ALICE)
    entries = server.wait_for_queue(4)
    ids = [entry["id"] for entry in entries]
    assert server.cli("queue", "show", ids[0])["id"] == ids[0]
    server.cli("queue", "hold", "--id", ids[0])
    server.cli("queue", "delete", "--id", ids[1])
    server.cli("queue", "bounce", "--id", ids[2])
    server.wait_for_mail(ALICE, 1)
    server.wait_for_queue(2)
    sink.up()
    time.sleep(6)          # a host that was down is not asked at once
    server.cli("queue", "retry", "--recipient", BOB)
    arrived(sink, 1)
    [held] = server.queue()
    assert held["id"] == ids[0]
    assert held["recipients"][0]["state"] == "held"
    server.cli("queue", "release", "--domain", DOMAIN)
    server.cli("queue", "retry", "--id", ids[0])
    arrived(sink, 2)
    assert "no message" in server.refused("queue", "show", "nosuch").lower()


def test_a_long_queue_flows_when_the_system_returns(world):
    """Not so many a look, but as fast as the other system takes them."""
    server, sink = with_other(world, conf=(
        "limits {\n\tretry_min = 600\n\tretry_max = 600\n}"))
    sink.down()
    with server.smtp() as smtp:
        for n in range(600):
            assert smtp.sendmail(STRANGER, BOB, text(f"long {n}")) == {}
    sink.up()
    time.sleep(6)          # a host that was down is not asked at once
    server.cli("queue", "retry", "--all")
    server.wait_for_queue(0, timeout=25)
    arrived(sink, 600)


def test_what_waits_flows_when_the_system_takes_mail_again(world):
    """The first mail that gets through hurries the others."""
    server, sink = with_other(world, conf=(
        "limits {\n\tretry_min = 600\n\tretry_max = 600\n}"))
    sink.down()
    for n in range(3):
        server.send(STRANGER, BOB, text(f"waits {n}"))
    [held] = {entry["id"] for entry in server.queue()[:1]}
    server.cli("queue", "hold", "--id", held)
    sink.up()

    def through():
        server.send(STRANGER, CAROL, text("a new one"))
        return sink.messages
    wait_until(through, 30, "a mail that gets through", pause=1)
    wait_until(lambda: [e["id"] for e in server.queue()] == [held], 20,
               "the queue, but for what is held")
