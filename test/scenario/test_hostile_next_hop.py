"""A next hop that lies, breaks, babbles or falls silent costs nobody a mail:
nothing is lost, nothing is given twice, and nothing it says is more than text."""

import concurrent.futures
import re
import time

import pytest

from others import ALICE, STRANGER, Here, speak, text, the_report
from sink import Cut, Delay, Drop, Endless, Hang, Reset
from world import within

CONF = "limits {\n\tthreads = 2\n\tretry_min = 1\n\tretry_max = 1\n}"
# For those who are silent on purpose: what is to be heard within the session may
# take longer on a slow machine.
HASTY = CONF.replace("}", "\thandover = 3\n\tdata = 5\n}")


@pytest.fixture(scope="module")
def here(shared_world):
    return Here(shared_world, CONF)


@pytest.fixture(scope="module")
def hasty(shared_world):
    return Here(shared_world, HASTY, "hasty")


# ---- whatever it does, the mail is kept and arrives when it is well again

INJECTED = b"220 go\r\n250-evil.test\r\n250 AUTH PLAIN\r\n"
TROUBLES = {
    "greeting is silence": {"CONNECT": Hang()},
    "greeting is HTTP": {"CONNECT": b"HTTP/1.1 400 Bad Request\r\n\r\n"},
    "greeting is 250": {"CONNECT": "250 hello"},
    "greeting is 421": {"CONNECT": "421 4.3.2 not now"},
    "greeting is 450": {"CONNECT": "450 4.3.2 not now"},
    "greeting is 554": {"CONNECT": "554 5.7.1 go away"},
    "greeting is binary": {"CONNECT": bytes(range(256)) * 8 + b"\r\n"},
    "greeting never ends": {"CONNECT": Endless(b"220-welcome\r\n")},
    "greeting has no line end": {"CONNECT": Endless(b"x")},
    "greeting answers in advance": {
        "CONNECT": b"220 hi\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"
                   b"250 delivered\r\n"},
    "EHLO is 421": {"EHLO": "421 4.3.2 not now"},
    "EHLO is 354": {"EHLO": "354 go on"},
    "EHLO drops": {"EHLO": Drop()},
    "EHLO never ends": {"EHLO": Endless(b"250-x\r\n")},
    "EHLO and HELO are refused": {"EHLO": "502 5.5.1 no",
                                  "HELO": "502 5.5.1 no"},
    "EHLO changes its code": {"EHLO": b"250-sink.test\r\n550 no\r\n"},
    "MAIL is 421": {"MAIL": "421 4.3.2 not now"},
    "MAIL is 451": {"MAIL": "451 4.3.0 not now"},
    "MAIL is 354": {"MAIL": "354 go on"},
    "MAIL resets": {"MAIL": Reset()},
    "RCPT is 421": {"RCPT": "421 4.3.2 not now"},
    "RCPT is 450": {"RCPT": "450 4.2.1 not now"},
    "RCPT is 354": {"RCPT": "354 go on"},
    "RCPT is silence": {"RCPT": Hang()},
    "RCPT has no line end": {"RCPT": Endless(b"250 ok ")},
    "RCPT has two digits": {"RCPT": b"25 ok\r\n"},
    "RCPT has four digits": {"RCPT": b"2500 ok\r\n"},
    "RCPT is 999": {"RCPT": b"999 ok\r\n"},
    "DATA is 421": {"DATA": "421 4.3.2 not now"},
    "DATA is 451": {"DATA": "451 4.3.0 not now"},
    "DATA is 250": {"DATA": "250 2.0.0 ok"},
    "DATA drops": {"DATA": Drop()},
    "DATA is 354 and the outcome at once": {
        "DATA": b"354 go\r\n250 2.0.0 delivered\r\n"},
    "dot is 421": {"DOT": "421 4.3.2 not now"},
    "dot is 451": {"DOT": "451 4.3.0 not now"},
    "dot is 354": {"DOT": "354 more"},
    "dot drops": {"DOT": Drop()},
    "dot resets": {"DOT": Reset()},
    "dot is half a reply": {"DOT": Cut(b"250-half\r\n")},
}
REQUIRED = ("--tls", "required")
# The same for a system that needs TLS: and never a word in clear text.
TLS_TROUBLES = {
    "STARTTLS is not offered": {"EHLO": "250 sink.test\n250 PIPELINING"},
    "STARTTLS is refused": {"STARTTLS": "454 4.7.0 not now"},
    "STARTTLS is refused for good": {"STARTTLS": "502 5.5.1 no"},
    "STARTTLS drops": {"STARTTLS": Drop()},
    "STARTTLS has more behind it": {"STARTTLS": INJECTED},
    "handshake is garbage": {"TLS": b"this is not TLS\r\n" * 20},
    "handshake is dropped": {"TLS": Drop()},
}


def one_trouble(hasty, script, with_tls):
    """What the client heard, what waited, what the sink saw meanwhile."""
    other = hasty.other(tls=with_tls, system=REQUIRED if with_tls else (),
                       on=script)
    begun = time.monotonic()
    reply = other.send()
    assert time.monotonic() - begun < within(30), "the client waits too long"
    waiting = other.waits()
    saw = list(other.sink.commands)
    other.sink.recovers()
    return other, reply, waiting, saw


@pytest.fixture(scope="module")
def troubles(hasty):
    """All of them at once: each takes seconds, and none needs the others."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        yield {name: pool.submit(one_trouble, hasty, script, tls)
               for scripts, tls in ((TROUBLES, False), (TLS_TROUBLES, True))
               for name, script in scripts.items()}


@pytest.mark.parametrize("name", [*TROUBLES, *TLS_TROUBLES])
def test_mail_survives_trouble(troubles, name):
    """The client hears 250, the mail waits and arrives once all is well."""
    other, reply, waiting, _ = troubles[name].result(timeout=280)
    assert reply[0] == 250, reply
    assert waiting["last_reply"] or waiting["attempts"] == 0
    other.is_done()


@pytest.mark.parametrize("name", TLS_TROUBLES)
def test_no_clear_text_where_tls_is_required(troubles, name):
    other, _, waiting, saw = troubles[name].result(timeout=280)
    assert not any(re.match("MAIL|RCPT|DATA|AUTH", line) for line in saw), saw
    assert re.match(r"4\d\d 4\.(7|4)\.\d", waiting["last_reply"])
    other.is_done()
    assert other.sink.messages[0].tls


def test_endless_replies_are_not_listened_to(troubles):
    for name in ("greeting never ends", "greeting has no line end",
                 "EHLO never ends", "RCPT has no line end"):
        other, *_ = troubles[name].result(timeout=280)
        assert other.sink.sent_endlessly < 16 << 20, name


# ---- what it refuses, the sender hears; and it is told once

@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
def test_a_refusal_of_all_is_the_reply_of_the_session(here, verb):
    """The code and the enhanced status are the next hop's."""
    other = here.other(on={verb: f"554 5.6.{len(verb)} we refuse {verb}"})
    code, said = other.send()
    assert code == 554 and said.startswith(f"5.6.{len(verb)} "), said
    assert f"refuse {verb}" in said
    assert not other.queued() and not other.sink.messages


@pytest.mark.parametrize("said", [
    "554 5.7.1 Relay access denied", "550 5.7.1 Client host blocked using dnsbl",
    "550 5.7.1 Sender address rejected"])
def test_what_it_has_against_us_is_not_about_the_address(here, said):
    """The next mail to him is tried, and not taken for one to nobody."""
    other = here.other(on={"RCPT": said})
    assert other.send()[0] == int(said[:3])
    other.sink.on.clear()
    assert other.send()[0] == 250
    other.is_done()


def test_one_accepts_the_other_refuses(here):
    """One recipient is delivered, the sender gets one report of the other."""
    one, two = here.other(), here.other(
        on={"DOT": "550-5.1.1 bad\n550 5.1.1 user <b>x</b>"})
    with here.server.submit(ALICE) as smtp:
        assert speak(smtp, ALICE, [one.bob, two.bob], text("mixed"))[0] == 250
    one.is_done()
    report, fields = the_report(here.server, two.bob)
    assert fields["Action"] == "failed" and fields["Status"] == "5.1.1"
    assert fields["Diagnostic-Code"].startswith("smtp; 550 5.1.1")
    assert not two.queued()


def test_words_of_a_reply_stay_words(here):
    """CVE-2020-8794: short and forged lines become no fields of the report,
    no lines of the log, and no command."""
    evil = (b"553-\r\n553-dispatcher: local_mail\r\n553-type: mda\r\n"
            b"553-Action: delivered\r\n553-\x1b[2J\x00\xff<script>\r\n553\r\n")
    fine, other = here.other(), here.other(on={"DOT": evil})
    with here.server.submit(ALICE) as smtp:
        assert speak(smtp, ALICE, [fine.bob, other.bob], text("x"))[0] == 250
    report, fields = the_report(here.server, other.bob)
    assert fields["Action"] == "failed"
    assert not {"dispatcher", "type"} & {name.lower() for name in fields}
    assert report.as_bytes().count(b"\x1b") == 0
    assert not re.search(r"^(dispatcher|type):", here.server.log(), re.M)
    assert "\x1b" not in here.server.log() and "\0" not in here.server.log()


def test_strange_text_of_a_reply_is_escaped(here):
    """8 bit, ESC, NUL and length: the queue's JSON and the log stay valid."""
    said = b"450 4.2.0 \xff\xfe\x1b]0;t\x07\x00<script>\"'\\" + b"w" * 4000
    other = here.other(on={"DOT": said + b"\r\n"})
    assert other.send()[0] == 250
    shown = other.waits()["last_reply"]
    assert "<script>" in shown and len(shown) < 4200
    assert not re.search(r"[\x00-\x1f\x7f]", shown)
    done = here.server.run("queue", "list")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.stdout)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", here.server.log())


def test_code_only_is_success(here):
    other = here.other(on={"DOT": b"250\r\n"})
    assert other.send()[0] == 250
    other.is_done()


def test_helo_where_ehlo_is_unknown(here):
    """No extension is used then."""
    other = here.other(on={"EHLO": "500 5.5.1 what?"})
    assert other.send(options=" BODY=8BITMIME SIZE=100")[0] == 250
    other.is_done()
    message = other.sink.messages[0]
    assert message.helo and message.mail_parameters == []


def test_the_first_is_done_the_second_is_tried_again_alone(here):
    other = here.other(names=("bob", "carol"))
    carol = f"carol@{other.domain}"
    other.sink.on["RCPT"] = {carol: ["450 4.2.1 not now"] * 2 + ["250 ok"]}
    assert other.send([other.bob, carol])[0] == 250
    other.is_done(2)
    assert [m.recipients for m in other.sink.messages] == [[other.bob],
                                                           [carol]]


# ---- TLS

def test_opportunistic_tls_that_breaks(here):
    """Once more in clear text, on a new connection, and delivered once."""
    for script in ({"TLS": Drop()}, {"TLS": b"garbage" * 100},
                   {"STARTTLS": Drop()}, {"STARTTLS": "454 4.7.0 no"}):
        other = here.other(tls=True, on=script)
        assert other.send()[0] == 250, script
        other.is_done()
        [message] = other.sink.messages
        assert not message.tls, script


def test_nothing_said_before_tls_is_believed_in_it(here):
    """A STARTTLS reply with an EHLO reply behind it: the connection ends."""
    other = here.other(tls=True, on={"STARTTLS": INJECTED})
    assert other.send()[0] == 250
    other.is_done()
    assert not other.sink.messages[0].tls
    assert not any(line.startswith("AUTH") for line in other.sink.commands)


def test_certificates(here):
    """Opportunistic takes any, verified waits with 4.7.5."""
    other = here.other(tls=True)
    assert other.send()[0] == 250
    other.is_done()
    assert other.sink.messages[0].tls
    with open(here.hosts, "a") as file:
        file.write(f"{other.sink.address} verified.test\n")
    here.server.cli("system", "create", "verified", "--hosts",
                    f"verified.test:{other.sink.port}", "--tls", "verified")
    here.server.cli("user", "set", other.bob, "system=verified")
    other.sink.commands.clear()
    assert other.send()[0] == 250
    assert other.waits()["last_reply"].startswith("451 4.7.5")
    assert not any(line.startswith("MAIL") for line in other.sink.commands)
    here.server.cli("user", "set", other.bob, "system=")
    here.server.cli("queue", "delete", "--domain", other.domain, "--yes")


def test_required_tls_that_fails_is_heard_at_rcpt(here):
    """Where the mail of a system that is down is not kept: 4xx, no 354."""
    other = here.other(tls=True, on={"TLS": Drop()},
                       system=[*REQUIRED, "--when-down", "defer"])
    with here.server.smtp() as smtp:
        smtp.ehlo()
        smtp.docmd(f"MAIL FROM:<{STRANGER}>")
        assert smtp.docmd(f"RCPT TO:<{other.bob}>")[0] == 451
        assert smtp.docmd("DATA")[0] == 503
    assert not any(line.startswith("MAIL") for line in other.sink.commands)


# ---- what goes out is what came in

CONTENTS = {
    "stuffed dots": b"Subject: t\r\n\r\n..\r\n...\r\n..a\r\n",
    "a long line": b"Subject: t\r\n\r\n" + b"z" * 5000 + b"\r\n",
    "a long line of dots": b"Subject: t\r\n\r\nx" + b"." * 5000 + b"\r\n",
    "eight bits": b"Subject: t\r\n\r\n\xe4\xf6\xfc \xff\r\n",
    "no header": b"\r\nonly a body\r\n",
    "no body": b"Subject: t\r\n",
    "nothing": b"",
}
FORBIDDEN = {
    "bare CR": b"Subject: t\r\n\r\nx\r\n.\rMAIL FROM:<evil@own.test>\r\n",
    "bare LF": b"Subject: t\r\n\r\nx\n.\nMAIL FROM:<evil@own.test>\r\n",
    "dot LF": b"Subject: t\r\n\r\nx\r\n.\nQUIT\r\n",
    "NUL": b"Subject: t\r\n\r\nx\r\n\0.\r\nMAIL FROM:<evil@own.test>\r\n",
}


@pytest.mark.parametrize("chunking", [False, True])
@pytest.mark.parametrize("name", CONTENTS)
def test_contents_go_out_unchanged(here, name, chunking):
    """One end of data, dots doubled once, each octet in its place."""
    other = here.other()
    if chunking:
        other.sink.extensions.append("CHUNKING")
    content = CONTENTS[name]
    want = re.sub(rb"(^|\r\n)\.", rb"\1", content)
    # The second over the same connection goes in one shot; each of the
    # server's two loops has its own.
    for count in range(1, 4 if chunking else 2):
        code, said = other.send(wire=content)
        assert code == 250, said
        other.is_done(count)
    for message in other.sink.messages:
        assert message.data.endswith(b"\r\n" + want if want else b"\r\n")
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", message.wire)
        assert message.by_bdat or not re.search(rb"(?m)^\.[^.]",
                                                message.wire)
    assert any(message.by_bdat for message in other.sink.messages) == chunking


@pytest.mark.parametrize("name", FORBIDDEN)
def test_forbidden_octets_are_not_passed_on(here, name):
    other = here.other()
    code, said = other.send(wire=FORBIDDEN[name])
    assert 500 <= code < 600, said
    other.sink.stays(0, 0.2)
    assert not any("evil" in line for line in other.sink.commands)


def test_a_chunk_without_line_end_gets_one(here):
    other = here.other()
    chunk = b"Subject: t\r\n\r\nno final newline"
    with here.server.smtp() as smtp:
        smtp.ehlo()
        smtp.docmd(f"MAIL FROM:<{STRANGER}>")
        smtp.docmd(f"RCPT TO:<{other.bob}>")
        smtp.send(b"BDAT %d LAST\r\n" % len(chunk) + chunk)
        assert smtp.getreply()[0] == 250
    other.is_done()
    assert other.sink.messages[0].data.endswith(b"no final newline\r\n")


def test_handed_over_or_kept_the_bytes_are_the_same(here):
    """One Received in front, whichever way a mail took."""
    other = here.other()
    content = b"".join(b"X-%d: a\r\n" % n for n in range(20)) + \
        b"\r\n" + b"".join(b"%d ...\r\n" % n for n in range(30000))
    assert other.send(wire=content)[0] == 250
    other.is_done()
    other.sink.down()
    assert other.send(wire=content)[0] == 250
    other.waits()
    other.sink.up()
    other.is_done(2)
    for message in other.sink.messages:
        head, _, body = message.data.partition(b"X-0: a\r\n")
        assert b"X-0: a\r\n" + body == content
        assert re.findall(rb"(?m)^([\w-]+):", head) == \
            [b"Received", b"Splitmail-Trail"]


def test_eight_bits_to_a_system_that_does_not_say_so(here):
    """As they are, and without a BODY parameter it does not know."""
    other = here.other(extensions=["PIPELINING"])
    assert other.send(wire=CONTENTS["eight bits"],
                      options=" BODY=8BITMIME")[0] == 250
    other.is_done()
    [message] = other.sink.messages
    assert message.mail_parameters == []
    assert message.data.endswith(CONTENTS["eight bits"])


def test_no_utf8_address_to_a_system_without_smtputf8(here):
    """5.6.7 at RCPT, and never the raw address."""
    other = here.other(extensions=["PIPELINING", "8BITMIME"],
                       forward_unknown=True)
    with here.server.smtp() as smtp:
        smtp.ehlo()
        smtp.docmd(f"MAIL FROM:<{STRANGER}> SMTPUTF8 BODY=8BITMIME")
        smtp.send(f"RCPT TO:<b\u00f6b@{other.domain}>\r\n".encode())
        code, said = smtp.getreply()
        assert code in (550, 553) and said.startswith(b"5.6.7"), said
    assert not any("b\u00f6b" in line for line in other.sink.commands)


def test_declared_utf8_that_is_not_needed_is_no_obstacle(here):
    other = here.other(extensions=["PIPELINING", "8BITMIME"])
    assert other.send(options=" SMTPUTF8")[0] == 250
    other.is_done()
    assert "SMTPUTF8" not in other.sink.messages[0].mail_parameters


def test_utf8_header_to_a_system_without_smtputf8(here):
    other = here.other(extensions=["PIPELINING", "8BITMIME"])
    code, said = other.send(options=" SMTPUTF8 BODY=8BITMIME",
                            wire="Subject: gr\u00fc\u00df\r\n\r\nx\r\n".encode())
    assert code == 550 and said.startswith("5.6.7"), said
    assert not other.sink.messages and not other.queued()


# ---- the client's answer and our responsibility

def half_a_mail(other):
    smtp = other.server.smtp()
    smtp.ehlo()
    smtp.docmd(f"MAIL FROM:<{STRANGER}>")
    assert smtp.docmd(f"RCPT TO:<{other.bob}>")[0] == 250
    assert smtp.docmd("DATA")[0] == 354
    smtp.send(b"Subject: half\r\n\r\nthe beginning\r\n")
    return smtp


def test_half_a_mail_reaches_nobody(hasty):
    """The client is gone, or silent, before the final dot."""
    gone, silent = hasty.other(), hasty.other()
    half_a_mail(gone).close()
    begun = time.monotonic()
    smtp = half_a_mail(silent)
    assert smtp.getreply()[0] == 421
    assert 3 < time.monotonic() - begun < within(15)
    smtp.close()
    for other in (gone, silent):
        other.sink.stays(0, 0)
        assert not any(re.match("DATA|BDAT", line)
                       for line in other.sink.commands)


def test_a_client_that_leaves_after_the_dot_changes_nothing(here):
    other = here.other(on={"DOT": Delay(1)})
    smtp = half_a_mail(other)
    smtp.send(b".\r\n")
    smtp.close()
    other.is_done()


def test_a_next_hop_that_closes_within_the_content(here):
    """The client's 250 comes with the message on the disk."""
    other = here.other(on={"BODY": Drop()})
    assert other.send(wire=b"Subject: t\r\n\r\n" + b"x" * 70 * 30000 + b"\r\n"
                      )[0] == 250
    other.waits()
    other.sink.recovers()
    other.is_done()


def test_a_next_hop_that_refuses_within_the_content(here):
    other = here.other(on={"BODY": Cut(b"552 5.3.4 too much\r\n")})
    lines = b"0123456789abcdef0123456789abcdef\r\n" * 60000
    code, said = other.send(wire=b"Subject: t\r\n\r\n" + lines)
    assert code in (250, 552), said
    if code == 552:
        assert not other.queued()
    else:
        here.server.cli("queue", "delete", "--domain", other.domain, "--yes")


def test_one_takes_it_the_other_is_gone_at_the_dot(here):
    one, two = here.other(), here.other(on={"DOT": [Drop(), "250 ok"]})
    assert one.send([one.bob, two.bob])[0] == 250
    two.is_done()
    one.is_done()


def test_replies_to_a_pipelining_client_stay_in_order(here):
    other = here.other(on={"RCPT": "550 5.1.1 no such user"},
                       forward_unknown=True)
    with here.server.smtp() as smtp:
        smtp.ehlo()
        smtp.send(f"MAIL FROM:<{STRANGER}>\r\nRCPT TO:<x{other.bob}>\r\n"
                  "DATA\r\nRSET\r\n".encode())
        assert [smtp.getreply()[0] for _ in range(4)] == [250, 550, 503, 250]
    assert not any(line.startswith("DATA") for line in other.sink.commands)


def test_mails_of_one_session_are_not_mixed(here):
    """RSET and a second mail to another next hop."""
    one, two = here.other(), here.other()
    with here.server.smtp() as smtp:
        smtp.ehlo()
        smtp.docmd(f"MAIL FROM:<{STRANGER}>")
        smtp.docmd(f"RCPT TO:<{one.bob}>")
        smtp.docmd("RSET")
        assert speak(smtp, STRANGER, [two.bob], text("two"))[0] == 250
        assert speak(smtp, STRANGER, [one.bob], text("one"))[0] == 250
    for other, subject in ((one, b"Subject: one"), (two, b"Subject: two")):
        other.is_done()
        [message] = other.sink.messages
        assert message.recipients == [other.bob] and subject in message.data


def test_size_limit_of_the_next_hop_counts_before_the_content(here):
    """A size that was declared is refused at RCPT, as soon as the host has said
    what it takes; others afterwards."""
    other = here.other(extensions=["PIPELINING", "SIZE 100000"])
    assert other.send()[0] == 250
    with here.server.smtp() as smtp:
        smtp.ehlo()
        smtp.docmd(f"MAIL FROM:<{STRANGER}> SIZE=200000")
        code, said = smtp.docmd(f"RCPT TO:<{other.bob}>")
        assert code == 552 and said.startswith(b"5.3.4"), said
    code, said = other.send(wire=b"Subject: t\r\n\r\n" + b"x\r\n" * 50000)
    assert code == 552 and said.startswith("5.3.4"), said
    assert not other.queued()
    assert other.send()[0] == 250
    other.is_done(2)


def test_a_slow_reader_slows_nobody_else(hasty):
    """Its mails crawl; others', of the same message even, do not."""
    slow, other = hasty.other(pace=1), hasty.other()
    content = b"Subject: t\r\n\r\n" + b"0123456789\r\n" * 800000
    begun = time.monotonic()
    assert other.send([slow.bob, other.bob], wire=content)[0] == 250
    assert time.monotonic() - begun < within(20)
    other.is_done()
    assert slow.send()[0] == 250
    assert other.send()[0] == 250
    other.is_done(2)
    hasty.server.cli("queue", "hold", "--domain", slow.domain)
    slow.sink.down()
    hasty.server.cli("queue", "delete", "--domain", slow.domain, "--yes")
