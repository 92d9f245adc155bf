"""What becomes of mail by what its filters say, and what becomes of it when they
do not."""

import itertools
import re
import smtplib
import subprocess

import dkim
import pytest

from api import Api
from milter import KEEPS_BLANKS, SILENT
from world import wait_until, within

DOMAIN = "example.test"
BOB, CARL = f"bob@{DOMAIN}", f"carl@{DOMAIN}"
HEADER = b"Subject: one\r\n two\r\nX-A: 1\r\nx-a:2\r\n"
BODY = b"line one\r\n.\r\nline two\r\n"
GTUBE = ("XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL"
         "*C.34X")


@pytest.fixture(scope="module")
def server(shared_world):
    """One whose mail goes to a sink, so that each byte of it can be seen."""
    sink = shared_world.sink()
    server = shared_world.server("a")
    server.sink = sink
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    for user in (BOB, CARL):
        server.user(user, "--mail-system", "alternate")
    return server


@pytest.fixture
def milter(server, shared_world):
    milter = shared_world.milter()
    server.cli("filter", "create", "f", "--socket", milter.socket)
    server.sink.messages.clear()
    yield milter
    server.cli("filter", "delete", "f", "--yes")
    milter.end()
    shared_world.members.remove(milter)


def send(server, *recipients, text=HEADER + b"\r\n" + BODY):
    """The reply to the whole of it."""
    with server.smtp() as smtp:
        smtp.ehlo("client.test")
        assert smtp.mail("x@y.test")[0] == 250
        for each in recipients or [BOB]:
            assert smtp.rcpt(each)[0] == 250
        code, said = smtp.data(text)
        return f"{code} {said.decode()}"


def arrived(server):
    """What stands before and behind our lines in the only message."""
    [message] = server.sink.wait(1)
    before, _, rest = message.data.partition(b"Received: from client")
    trail = rest.split(b"Splitmail-Trail: ", 1)[1]
    return before, trail.split(b"\r\n", 1)[1]


CHANGES = {
    "nothing": ([], b"", HEADER, BODY),
    "add": ([b"hX-B\0001\0"], b"", HEADER + b"X-B: 1\r\n", BODY),
    "add, folded": ([b"hX-B\0one\n\ttwo\0"], b"",
                    HEADER + b"X-B: one\r\n\ttwo\r\n", BODY),
    "add, with another in it": (
        [b"hX-B\0one\r\nBcc: two\0"], b"",
        HEADER + b"X-B: one\r\n\tBcc: two\r\n", BODY),
    "insert before ours": ([b"i\0\0\0\0X-B\0001\0"], b"X-B: 1\r\n", HEADER,
                           BODY),
    "insert behind ours": ([b"i\0\0\0\1X-B\0001\0"], b"",
                           b"X-B: 1\r\n" + HEADER, BODY),
    "insert far behind": ([b"i\0\0\1\0X-B\0001\0"], b"",
                          HEADER + b"X-B: 1\r\n", BODY),
    "change": ([b"m\0\0\0\1Subject\0three\0"], b"",
               b"Subject: three\r\nX-A: 1\r\nx-a:2\r\n", BODY),
    "change the second": ([b"m\0\0\0\2X-A\0003\0"], b"",
                          b"Subject: one\r\n two\r\nX-A: 1\r\nX-A: 3\r\n", BODY),
    "delete": ([b"m\0\0\0\1X-A\0\0"], b"",
               b"Subject: one\r\n two\r\nx-a:2\r\n", BODY),
    "ours is not meant": ([b"m\0\0\0\1Received\0\0"], b"", HEADER, BODY),
    "another body": ([b"bnew\r\n", b"b.\nand long"], b"", HEADER,
                     b"new\r\n.\r\nand long\r\n"),
    "no body": ([b"b"], b"", HEADER, b""),
}

@pytest.mark.parametrize("what", CHANGES)
def test_each_change_is_made_and_nothing_else(server, milter, what):
    packets, front, header, body = CHANGES[what]
    milter.on["E"] = packets + [b"c"]
    assert send(server).startswith("250 2.0.0 Ok: handed over")
    assert arrived(server) == (front, header + b"\r\n" + body)


@pytest.mark.parametrize("steps", [0, SILENT, KEEPS_BLANKS])
def test_what_a_filter_is_told(server, milter, steps):
    milter.steps = steps
    send(server)
    assert milter.mails() == ["CHMRTLLLNBE"]
    blank = b" " if steps & KEEPS_BLANKS else b""
    assert milter.said("L") == [
        b"Subject\0" + blank + b"one\n two\0", b"X-A\0" + blank + b"1\0",
        b"x-a\0" + b"2\0"]
    assert b"".join(milter.said("B")) == BODY
    [connect] = milter.said("C")
    assert connect.startswith(b"localhost\0004")
    assert milter.said("M") == [b"<x@y.test>\0"]
    assert milter.said("R") == [f"<{BOB}>\0".encode()]
    told = b"".join(milter.said("D"))
    assert b"{daemon_name}\0" + server.hostname.encode() + b"\0" in told
    # mail after mail comes by the same connection, of each thread
    with server.smtp() as smtp:
        for _ in range(3):
            smtp.sendmail("x@y.test", BOB, HEADER + b"\r\n" + BODY)
    # or by one each, where it answers each step (libmilter)
    assert len(milter.mails()) == 4
    assert len(milter.visits) <= (2 if steps == SILENT else 4)


def test_a_large_body_is_told_in_pieces(server, milter):
    body = b"".join(b"%070d\r\n" % n for n in range(5000))
    send(server, text=HEADER + b"\r\n" + body)
    assert b"".join(milter.said("B")) == body
    assert max(len(piece) for piece in milter.said("B")) == 65535
    assert arrived(server) == (b"", HEADER + b"\r\n" + body)


@pytest.mark.parametrize("packets, says", [
    ([b"r"], "550 5.7.1 Command rejected"),
    ([b"t"], "451 4.7.1 Service unavailable - try again later"),
    ([b"hX\0y\0", b"y554-5.7.1 one\r\n554 5.7.1 100%% two\0"],
     "554 5.7.1 one\n5.7.1 100% two"),
    ([b"y421 4.3.2 later\0"], "451 4.3.2 later"),
])
def test_mail_is_refused(server, milter, packets, says):
    milter.on["E"] = packets
    assert send(server) == says
    assert not server.sink.messages
    [line] = [line for line in server.log().splitlines()
              if "milter-reject: END-OF-MESSAGE" in line][-1:]
    assert "from=<x@y.test> proto=ESMTP helo=<client.test> milter=f" in line


def test_what_a_filter_says_is_counted(server, milter):
    milter.on["E"] = [b"r"]
    send(server)
    token = server.run("admin", "token", "create", "admin0",
                       "prometheus").stdout.split()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    wait_until(lambda: re.search(
        r'splitmail_filter_verdicts_total\{filter="f",verdict="refused"\} [1-9]',
        Api(server).raw("GET", "/metrics", headers=headers).text), 20, "one")


def test_a_greylister_is_heard_by_the_client(server, milter):
    milter.on["R"] = [b"y451 4.7.1 Greylisted\0"]
    with server.smtp() as smtp:
        smtp.ehlo("client.test")
        smtp.mail("x@y.test")
        assert smtp.rcpt(BOB) == (451, b"4.7.1 Greylisted")
        del milter.on["R"]
        assert smtp.rcpt(CARL)[0] == 250
        assert smtp.data(HEADER + b"\r\n" + BODY)[0] == 250
        milter.on["M"] = [b"r"]
        assert smtp.mail("x@y.test")[0] == 550
    assert server.sink.wait(1)[0].recipients == [CARL]
    assert "NOQUEUE: milter-reject: RCPT from unknown[" in server.log()
    assert "milter-reject: MAIL from unknown[" in server.log()


def test_mail_that_a_filter_makes_vanish(server, milter):
    milter.on["E"] = [b"d"]
    assert send(server).startswith("250 2.0.0 Ok")
    assert "milter-discard: END-OF-MESSAGE from unknown[" in server.log()
    milter.on["E"] = [f"-<{BOB}>\0".encode(), b"c"]
    assert send(server).startswith("250 2.0.0 Ok")
    assert not server.sink.messages and server.waiting() == 0


def test_mail_that_a_filter_holds(server, milter):
    milter.on["E"] = [b"qlooks odd\0", b"c"]
    assert send(server).startswith("250 2.0.0 Ok: queued")
    [entry] = server.wait_for_queue(1)
    assert "held" in str(entry) and "f: looks odd" in str(entry)
    assert "milter-hold: END-OF-MESSAGE from unknown[" in server.log()
    server.cli("queue", "release", "--id", entry["id"])
    assert arrived(server) == (b"", HEADER + b"\r\n" + BODY)


def test_another_sender_and_other_recipients(server, milter):
    milter.on["E"] = [b"e<new@y.test>\0", f"+<{CARL}>\0".encode(),
                      f"-<{BOB}>\0".encode(), b"+<x@elsewhere.test>\0", b"c"]
    assert send(server).startswith("250 2.0.0 Ok")
    [message] = server.sink.wait(1)
    assert (message.sender, message.recipients) == ("new@y.test", [CARL])
    assert "filter f adds <x@elsewhere.test>, in vain" in server.log()


@pytest.mark.parametrize("when_down", ["later", "accept", "hold"])
@pytest.mark.parametrize("trouble", ["gone", "dies", "lies"])
def test_a_filter_that_is_down(server, milter, when_down, trouble):
    server.cli("filter", "set", "f", f"when_down={when_down}")
    if trouble == "gone":
        milter.end()
    milter.on["E"] = {"gone": None, "dies": None,
                      "lies": [b"hX-B\0b\0", b"Z\0\0"]}[trouble]
    try:
        said = send(server)
    except AssertionError:
        said = "refused at MAIL"
    if when_down == "later":
        assert said == ("refused at MAIL" if trouble == "gone" else
                        "451 4.7.1 Service unavailable - try again later")
        assert not server.sink.messages
    elif when_down == "accept":
        assert arrived(server) == (b"", HEADER + b"\r\n" + BODY)
    else:
        [entry] = server.wait_for_queue(1)
        assert "f: the filter is down" in str(entry)
        server.cli("queue", "delete", "--id", entry["id"], "--yes")


# ---- our own notices

users = itertools.count()


@pytest.fixture
def gone(server):
    """Somebody who was there when he was asked for, and whom no mail reaches."""
    address = f"gone{next(users)}@{DOMAIN}"
    server.user(address, "--mail-system", "alternate")
    server.sink.messages.clear()
    server.sink.on["RCPT"] = lambda session, argument: \
        "550 5.1.1 no such user" if address in argument and \
        session.sender[0] else "250 2.1.5 ok"
    yield address
    del server.sink.on["RCPT"]


@pytest.mark.parametrize("answer", [
    [b"r"], [b"y550 5.7.1 spam\0"], [b"t"], [b"d"], [b"hX-A\0no\0", b"r"],
    [b"qquarantined\0", b"c"], [b"x"], None],
    ids=["refused", "with words", "later", "discarded", "changed and refused",
         "held", "no protocol", "hung up"])
def test_a_notice_is_signed_and_neither_refused_nor_lost(
        server, shared_world, gone, answer):
    """What one filter says of it keeps no other from changing it."""
    strict, signer = shared_world.milter(), shared_world.milter()
    strict.on["E"] = answer
    signer.on["E"] = [b"i\0\0\0\0X-Signed\0yes\0", b"c"]
    for name, milter in ("strict", strict), ("signer", signer):
        server.cli("filter", "create", name, "--socket", milter.socket,
                   "--direction", "out")
    try:
        assert server.send(BOB, [BOB, gone], "Subject: one\r\n\r\nhello\r\n") \
            == {}
        mails = {b"multipart/report" in mail.data: mail
                 for mail in server.sink.wait(2)}
        assert b"X-Signed" not in mails[False].data
        dsn = mails[True]
        assert dsn.sender == "" and dsn.recipients == [BOB]
        assert dsn.data.startswith(b"X-Signed: yes\r\n")
        assert b"X-A: no" not in dsn.data
        assert gone.encode() in dsn.data
        # asked once each, as nobody's mail from here, as of a program
        for milter in strict, signer:
            [mail] = milter.mails()
            assert milter.said("M")[0].startswith(b"<>\0")
            assert any(b"{auth_authen}\0local\0" in data
                       for data in milter.said("D"))
        server.wait_for_queue(0)
        assert len(server.sink.messages) == 2
    finally:
        for name, milter in ("strict", strict), ("signer", signer):
            server.cli("filter", "delete", name, "--yes")
            milter.end()
            shared_world.members.remove(milter)


def test_a_notice_does_not_wait_for_silent_filters(server, shared_world,
                                                   gone):
    milter = shared_world.milter()
    milter.on["E"] = []
    server.cli("filter", "create", "silent", "--socket", milter.socket,
               "--direction", "out")
    try:
        server.send(BOB, [BOB, gone], "Subject: one\r\n\r\nhello\r\n")
        server.sink.wait(2, timeout=within(30))
        server.wait_for_queue(0)
    finally:
        server.cli("filter", "delete", "silent", "--yes")
        milter.end()
        shared_world.members.remove(milter)


# ---- real filters

@pytest.fixture(scope="module")
def signing(shared_world):
    """A key, and a server with a user whose mail leaves for a sink."""
    folder = shared_world.subfolder("keys")
    key = f"{folder}/key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True,
                   capture_output=True)
    der = subprocess.run(["openssl", "rsa", "-in", key, "-pubout"],
                         check=True, capture_output=True).stdout
    public = b"".join(der.splitlines()[1:-1])
    sink = shared_world.sink(name="out")
    server = shared_world.server("signing")
    server.sink, server.key, server.public = sink, key, public
    server.cli("domain", "create", DOMAIN)
    server.user(f"ann@{DOMAIN}")
    server.cli("system", "create", "out", "--hosts", sink.at, "--smart-host",
               "--tls", "none")
    return server


def lookup(server):
    return lambda name, timeout=5: b"v=DKIM1; k=rsa; p=" + server.public


@pytest.fixture
def program(signing, shared_world, request):
    """A real filter, for mail of one direction."""
    name, direction = request.param
    program = getattr(shared_world, name)(f"{name}-{direction}",
                                          key=signing.key)
    signing.sink.messages.clear()
    signing.cli("filter", "create", name, "--socket", program.socket,
                "--direction", direction)
    yield program
    signing.cli("filter", "delete", name, "--yes")


@pytest.mark.parametrize("program", [("rspamd", "out"), ("opendkim", "out")],
                         indirect=True)
def test_what_is_signed_is_signed_when_it_arrives(signing, program):
    """Also the Date and Message-ID that the client forgot."""
    server = signing
    text = (f"From: ann@{DOMAIN}\r\nTo: x@y.test\r\nSubject: one\r\n two"
            "\r\n\r\n.\r\nhello\r\n")
    assert server.send(f"ann@{DOMAIN}", "x@y.test", text,
                       user=f"ann@{DOMAIN}") == {}
    [message] = server.sink.wait(1)
    assert f"d={DOMAIN}".encode() in message.data
    assert b"\r\nDate:" in message.data and b"\r\nMessage-ID:" in message.data
    assert dkim.verify(message.data, dnsfunc=lookup(server))
    assert not dkim.verify(message.data.replace(b"hello", b"hullo"),
                           dnsfunc=lookup(server))


def test_who_has_logged_in_is_told(signing, shared_world):
    server, ann = signing, f"ann@{DOMAIN}"
    milter = shared_world.milter()
    server.cli("filter", "create", "f", "--socket", milter.socket,
               "--listener", "submission")
    server.send(ann, "x@y.test", "Subject: t\r\n\r\nhello\r\n", user=ann)
    server.send("x@y.test", ann)
    server.cli("filter", "delete", "f", "--yes")
    told = b"".join(milter.said("D"))
    assert f"{{auth_authen}}\0{ann}\0{{auth_type}}\0PLAIN\0".encode() in told
    assert b"{tls_version}\0TLSv1.3\0{cipher}\0" in told
    assert milter.mails() == ["CHMRTLLLNBE"]    # and Date, and Message-ID


@pytest.mark.parametrize("program", [("rspamd", "in")], indirect=True)
def test_rspamd_refuses_spam_in_the_session(signing, program):
    server, ann = signing, f"ann@{DOMAIN}"
    before = len(server.mailbox(ann))
    with pytest.raises(smtplib.SMTPDataError) as refused:
        server.send("x@y.test", ann, f"Subject: spam\r\n\r\n{GTUBE}\r\n")
    assert refused.value.smtp_code == 554
    assert b"5.7.1" in refused.value.smtp_error
    assert server.send("x@y.test", ann, "Subject: ham\r\n\r\nhello\r\n") == {}
    mail = server.wait_for_mail(ann, before + 1)[-1]
    assert b"Subject: ham" in mail and b"X-Spamd-Result" in mail
