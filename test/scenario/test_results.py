"""Authentication-Results: nobody but filters here says so in this server's name
(RFC 8601 5), and all else of a mail stays as it came."""

import pytest

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
FORGED = b"spf=pass smtp.mailfrom=example.test;\r\n\tdmarc=pass"
TEXT = b"line one\r\n.\r\nAuthentication-Results: a.splitmail.test; none\r\n"


@pytest.fixture(scope="module")
def server(shared_world):
    sink = shared_world.sink()
    server = shared_world.server("a")
    server.sink = sink
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.user(ALICE)
    server.user(BOB, "--mail-system", "alternate")
    return server


def arrived(server, text, **how):
    """What stands behind our lines."""
    server.sink.messages.clear()
    assert server.send("x@y.test", BOB, text, **how) == {}
    [message] = server.sink.wait(1)
    head, _, rest = message.data.partition(b"Splitmail-Trail: ")
    assert head.startswith(b"Received: ")
    return rest.split(b"\r\n", 1)[1]


A, B, C = b"Subject: one\r\n two\r\n", b"X-A:1\r\n", b"To: x\r\n"
CLAIMS = {
    "plain": b"Authentication-Results: a.splitmail.test; %b\r\n",
    "case": b"AUTHENTICATION-results:A.SplitMail.TEST ;%b\r\n",
    "version": b"Authentication-Results: a.splitmail.test 1; %b\r\n",
    "blank": b"Authentication-Results \t:\ta.splitmail.test; %b\r\n",
    "folded": b"Authentication-Results:\r\n\ta.splitmail.test;\r\n\t%b\r\n",
    "comment": b"Authentication-Results: (mx\r\n (a)) a.splitmail.test (b);"
               b"%b\r\n",
    "quoted": b'Authentication-Results: "a.splitmail.test"; %b\r\n',
    "root": b"Authentication-Results: a.splitmail.test.; %b\r\n",
}


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("milters", [0, 1])
def test_what_claims_to_be_ours_is_taken_out(server, shared_world, claim,
                                             milters):
    field = CLAIMS[claim] % FORGED
    milter = shared_world.milter() if milters else None
    if milter:
        server.cli("filter", "create", "f", "--socket", milter.socket)
    try:
        for text in (field + A + B, A + field + B, A + B + field,
                     field + A + field + B + field):
            assert arrived(server, text + b"\r\n" + TEXT) == \
                A + B + b"\r\n" + TEXT
    finally:
        if milter:
            server.cli("filter", "delete", "f", "--yes")
            assert milter.mails() and not [
                field for field in milter.said("L")
                if field.startswith(b"Auth")]


@pytest.mark.parametrize("field", [
    b"Authentication-Results: mx.else.test; " + FORGED + b"\r\n",
    b"Authentication-Results: xa.splitmail.test; " + FORGED + b"\r\n",
    b"Authentication-Results: a.splitmail.test.else.test; none\r\n",
    b"Authentication-Results: else.test; spf=pass (a.splitmail.test)\r\n",
    b"ARC-Authentication-Results: i=1; a.splitmail.test; spf=pass\r\n",
    b"X-Authentication-Results: a.splitmail.test; spf=pass\r\n",
    b"Authentication-Results:\r\n",
])
def test_what_others_say_stays(server, field):
    text = A + field + B + b"\r\n" + TEXT
    assert arrived(server, text) == text


@pytest.mark.parametrize("many", [2, 7, 50, 1000])
def test_however_many_there_are(server, many):
    field = CLAIMS["plain"] % FORGED
    text = b"".join(b"X-%d: 1\r\n" % n for n in range(many))
    mixed = b"".join(b"X-%d: 1\r\n" % n + field for n in range(many))
    assert arrived(server, mixed + b"\r\n" + TEXT) == text + b"\r\n" + TEXT


def test_a_header_of_nothing_else(server):
    field = CLAIMS["plain"] % FORGED
    assert arrived(server, field + b"\r\n" + TEXT) == b"\r\n" + TEXT
    # a line of an mbox, a header that ends in the middle, one without a text
    mbox = b"From x@y.test Mon Nov 23 01:34:02 2026\r\n"
    assert arrived(server, mbox + field + A + b"\r\n" + TEXT).endswith(
        A + b"\r\n" + TEXT)
    assert arrived(server, A + field + b"no field\r\n" + TEXT) == \
        A + b"no field\r\n" + TEXT
    assert arrived(server, field + A) == A


def test_a_body_in_a_file(server):
    field = CLAIMS["plain"] % FORGED
    body = b"".join(b"%070d\r\n" % n for n in range(20000))
    assert arrived(server, A + field + b"\r\n" + body) == A + b"\r\n" + body


def test_who_is_believed(server):
    """A trusted system is; a user is not."""
    field = CLAIMS["plain"] % FORGED
    text = field + A + b"\r\n" + TEXT
    assert server.send(ALICE, BOB, text, user=ALICE) == {}
    server.sink.messages.clear()
    server.send(ALICE, BOB, text, user=ALICE)
    [message] = server.sink.wait(1)
    assert FORGED not in message.data and A in message.data
    server.cli("system", "create", "else", "--hosts", "192.0.2.1", "--trust",
               "127.0.0.0/8")
    try:
        assert arrived(server, text) == text
    finally:
        server.cli("system", "delete", "else", "--yes")
    assert arrived(server, text) == A + b"\r\n" + TEXT
