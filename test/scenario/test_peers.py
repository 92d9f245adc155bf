"""The other systems the tests use really are mail systems."""

import smtplib

import pytest

from sink import Delay, Drop, Hang, Reset
from world import wait_until

TEXT = "Subject: hello\r\nFrom: <x@y.test>\r\n\r\none\r\n.two\r\n"


def connect(peer, timeout=120):
    return smtplib.SMTP(peer.address, peer.port, timeout=timeout,
                        local_hostname="client.test")


@pytest.mark.parametrize("kind", ["postfix", "exim"])
def test_peer_delivers_to_its_own_users(world, kind):
    peer = getattr(world, kind)(users=["bob", "eve"])
    with connect(peer) as smtp:
        refused = smtp.sendmail("x@y.test", [
            "bob@example.test", "eve+news@example.test"], TEXT)
    assert refused == {}
    [mail] = peer.wait_for_mail("bob")
    assert b"Subject: hello" in mail and mail.endswith(b"\none\n.two\n")
    peer.wait_for_mail("eve")


@pytest.mark.parametrize("kind", ["postfix", "exim"])
def test_peer_refuses_strangers_of_its_domain(world, kind):
    peer = getattr(world, kind)(users=["bob"])
    with connect(peer) as smtp:
        smtp.ehlo()
        smtp.mail("x@y.test")
        assert smtp.rcpt("nobody@example.test")[0] == 550
        assert smtp.rcpt("bob@elsewhere.test")[0] in (550, 554)
        assert smtp.rcpt("bob@example.test")[0] == 250


@pytest.mark.parametrize("kind", ["postfix", "exim"])
def test_peer_hands_the_others_to_the_other_system(world, kind):
    sink = world.sink()
    peer = getattr(world, kind)(users=["bob"], other=sink.at)
    with connect(peer) as smtp:
        smtp.sendmail("x@y.test", ["alice@example.test",
                                   "bob@example.test"], TEXT)
    [message] = sink.wait(1)
    assert message.recipients == ["alice@example.test"]
    assert message.peer == peer.address
    assert message.data.endswith(b"\r\none\r\n.two\r\n")
    peer.wait_for_mail("bob")


@pytest.mark.parametrize("kind", ["postfix", "exim"])
def test_peer_asks_the_other_system_at_rcpt(world, kind):
    sink = world.sink(on={"RCPT": {"alice@example.test": "250 2.1.5 ok",
                                   None: "550 5.1.1 no such user"}})
    peer = getattr(world, kind)(users=["bob"], other=sink.at)
    with connect(peer) as smtp:
        smtp.ehlo()
        smtp.mail("x@y.test")
        assert smtp.rcpt("alice@example.test")[0] == 250
        assert smtp.rcpt("nobody@example.test")[0] == 550
        assert smtp.rcpt("bob@example.test")[0] == 250
    assert not sink.seen


@pytest.mark.parametrize("kind", ["postfix", "exim"])
def test_peer_comes_back(world, kind):
    peer = getattr(world, kind)(users=["bob"])
    peer.down()
    with pytest.raises(OSError):
        connect(peer)
    peer.up()
    with connect(peer) as smtp:
        smtp.sendmail("x@y.test", ["bob@example.test"], TEXT)
    peer.wait_for_mail("bob")


# ---- the sink


def test_sink_records_exact_bytes(world):
    sink = world.sink()
    body = b"a: b\r\n\r\n.dot\r\n..two\r\n\xff\x80 8 bit\r\n"
    with connect(sink) as smtp:
        smtp.sendmail("x@y.test", ["q@z.test", "r@z.test"], body,
                      mail_options=["BODY=8BITMIME"],
                      rcpt_options=["NOTIFY=NEVER"])
    [message] = sink.wait(1)
    assert message.data == body
    assert message.sender == "x@y.test"
    assert "BODY=8BITMIME" in message.mail_parameters
    assert message.recipients == ["q@z.test", "r@z.test"]
    assert message.rcpt_parameters == [["NOTIFY=NEVER"]] * 2
    assert sink.connections == 1


def test_sink_says_what_the_script_says(world):
    sink = world.sink(on={
        "RCPT": {"bad@z.test": "550 5.1.1 no\nreally no"},
        "DOT": ["451 4.3.0 first later", "250 2.0.0 then fine"]})
    with connect(sink) as smtp:
        smtp.ehlo()
        smtp.mail("x@y.test")
        assert smtp.rcpt("bad@z.test") == (550, b"5.1.1 no\nreally no")
        assert smtp.rcpt("good@z.test")[0] == 250
        assert smtp.data("one\r\n") == (451, b"4.3.0 first later")
        smtp.sendmail("x@y.test", ["good@z.test"], "two\r\n")
    assert [m.data for m in sink.messages] == [b"two\r\n"]
    assert len(sink.seen) == 2


@pytest.mark.parametrize("action, error", [
    (Drop(), smtplib.SMTPServerDisconnected),
    (Reset(), smtplib.SMTPServerDisconnected),
    (Hang(), OSError)])
def test_sink_misbehaves_after_the_dot(world, action, error):
    sink = world.sink(on={"DOT": action})
    smtp = connect(sink)
    smtp.ehlo()
    for words in "MAIL FROM:<x@y.test>", "RCPT TO:<q@z.test>", "DATA":
        assert smtp.docmd(words)[0] in (250, 354)
    smtp.send(TEXT + ".\r\n")
    wait_until(lambda: sink.seen, what="a mail")
    smtp.sock.settimeout(2)
    with pytest.raises(error):
        smtp.getreply()
    smtp.close()
    assert len(sink.seen) == 1 and not sink.messages


def test_sink_is_slow_speaks_tls_and_goes_away(world):
    import ssl
    sink = world.sink(tls=True, on={"DOT": Delay(0.5)})
    context = ssl._create_unverified_context()
    with connect(sink) as smtp:
        smtp.starttls(context=context)
        smtp.login("user", "word")
        smtp.sendmail("x@y.test", ["q@z.test"], TEXT)
    [message] = sink.wait(1)
    assert message.tls and message.user == "user"
    assert sink.passwords == {"user": "word"}
    sink.down()
    with pytest.raises(OSError):
        connect(sink)
    sink.up()
    connect(sink).quit()
