"""Mail as it really is: shapes of headers, addresses and names that no grammar
has, and that arrive all the same."""

import re

import pytest

from traffic import FAST, STRANGER, Tenant
from world import wait_until


@pytest.fixture(scope="module")
def shared_server(shared_world):
    return shared_world.server("a", conf=FAST)


@pytest.fixture
def server(shared_server, world):
    return Tenant(world, shared_server)


def send(server, recipient, wire, sender=STRANGER):
    with server.smtp() as smtp:
        smtp.ehlo()
        assert smtp.mail(sender)[0] == 250
        assert smtp.rcpt(recipient)[0] == 250
        assert smtp.docmd("DATA")[0] == 354
        smtp.send(re.sub(rb"(?m)^\.", b"..", wire) + b".\r\n")
        return smtp.getreply()


# ---- the shape of a header

SHAPES = {
    "text": b"just text\r\nmore text\r\n",
    "one line": b"x\r\n",
    "blank": b"\r\n",
    "nothing": b"",
    "blank line first": b"\r\nSubject: not one\r\n\r\ntext\r\n",
    "space first": b" folded into nothing\r\nSubject: x\r\n\r\ntext\r\n",
    "tab line first": b"\t\r\nSubject: x\r\n\r\ntext\r\n",
    "mbox line": b"From a@b.test Mon Nov 23 01:00:00 2026\r\n"
                 b"Subject: x\r\n\r\ntext\r\n",
    "colon first": b": no name\r\n\r\ntext\r\n",
    "eight bits first": b"\xc3\xbc: x\r\n\r\ntext\r\n",
    "dots": b".\r\n..\r\n.x\r\n",
    "only a header": b"Subject: x\r\nX-A: b\r\n",
    "header and blank": b"Subject: x\r\n\r\n",
    "header, then text": b"Subject: x\r\ntext without a blank line\r\n",
    "whole": b"From: <a@b.test>\r\nSubject: x\r\n\r\ntext\r\n",
    "url": b"http://a.test/\r\n\r\ntext\r\n",
}
HAS_FIELDS = {"only a header", "header and blank", "header, then text",
              "whole", "url"}


def behind_ours(name, wire):
    """The line of an mbox is made a field, for which no octet is changed."""
    if name == "mbox line":
        return b"X-Mailbox-Line: " + wire
    return wire if name in HAS_FIELDS or wire[:2] == b"\r\n" else \
        b"\r\n" + wire


def split(received):
    """Our fields, and what stands behind them: a blank line is ours where
    the mail had no field."""
    head = re.match(rb"(?:(?:Return-Path|Delivered-To|Received|"
                    rb"Splitmail-Trail): [^\n]*\r\n(?:[ \t][^\n]*\r\n)*)*",
                    received)[0]
    return head, received[len(head):]


@pytest.mark.parametrize("kept", [False, True], ids=["handed over", "kept"])
def test_our_fields_stand_in_the_header_of_any_mail(server, kept):
    """And the bytes behind them are the sender's."""
    if kept:
        server.sink.down()
    for shape in SHAPES.values():
        assert send(server, server.bob, shape)[0] == 250
        wait_until(lambda: kept or server.sink.messages, what="a mail")
    if kept:
        server.sink.up()
    wait_until(lambda: len(server.sink.messages) == len(SHAPES),
               what="all mails")
    arrived = sorted(split(m.data) for m in server.sink.messages)
    for head, _ in arrived:
        assert re.findall(rb"(?m)^([\w-]+):", head) == \
            [b"Received", b"Splitmail-Trail"]
    assert sorted(rest for _, rest in arrived) == sorted(
        behind_ours(name, wire) for name, wire in SHAPES.items())


def test_mailboxes_get_mail_of_any_shape(server):
    """Return-Path, Delivered-To and Received in the header, the sender's
    bytes behind them."""
    for shape in SHAPES.values():
        assert send(server, server.alice, shape)[0] == 250
    mails = [split(m) for m in
             server.wait_for_mail(server.alice, len(SHAPES))]
    for (head, rest), (name, wire) in zip(mails, SHAPES.items()):
        assert re.findall(rb"(?m)^([\w-]+):", head) == \
            [b"Return-Path", b"Delivered-To", b"Received", b"Received"]
        assert rest == behind_ours(name, wire), name


# ---- addresses

VERP = "bounce+aaaaaaaaaaaaaaaaaa==a==rrrrrrrrrrrrrrrrrrrrrrrrrrr==ddddd-" \
    "divers==5288513"
SRS = "SRS0=fGv9=BC=a.ccdefghijklmn.test=bounce-4IDNASXYtY_FG21s4IoV1XzCf" \
    "CtHkb2RZY_qdGZ8Q-6A"
CAF = "gmailuser+caf_=website_8b506e99-b5c5-4e14-8294-f5ebd6083faa=" \
    "mail.jam.in"
IMCEAEX = "IMCEAEX-_O=MMS_OU=EXCHANGE+20ADMINISTRATIVE+20GROUP+20+28FYDIBO" \
    "HF23SPDLT+29_CN=RECIPIENTS_CN=User6ed4e168-addd-4b03-95f5-b9c9a421957358d"
ODD = ["foo..bar", ".foo", "foo.", "..a..", VERP, SRS, CAF, IMCEAEX]
LONG = ["x" * n for n in (64, 65, 128, 256, 512)]
TEXT = b"Subject: x\r\n\r\nx\r\n"


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_mail_of_real_senders_is_taken(server, who):
    """The sender is told to the other system as it was written, and stands in
    Return-Path (in quotes where Dovecot thinks it needs them)."""
    senders = [f"{local}@elsewhere.test" for local in ODD + LONG]
    for sender in senders:
        assert send(server, getattr(server, who), TEXT, sender)[0] == 250
    if who == "bob":
        wait_until(lambda: len(server.sink.messages) == len(senders))
        assert [m.sender for m in server.sink.messages] == senders
    else:
        mails = server.wait_for_mail(server.alice, len(senders))
        assert [re.match(rb"Return-Path: <(.*)>\r\n", m)[1].decode()
                .replace('"', "") for m in mails] == senders


def rcpt(server, address):
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail(STRANGER)
        return smtp.rcpt(address)


def test_such_addresses_are_unknown_here_like_others(server):
    """And where the domain sends them on, they arrive as they are written."""
    addresses = [f"{local}@{server.domain}" for local in ODD + LONG]
    assert {rcpt(server, address)[0] for address in addresses} == {550}
    server.cli("domain", "set", server.domain, "forward_unknown=yes")
    for address in addresses:
        assert send(server, address, TEXT)[0] == 250
    assert [m.recipients for m in server.sink.messages] == \
        [[address] for address in addresses]


def test_such_addresses_are_caught_as_others(server):
    server.cli("domain", "set", server.domain, f"catch_all={server.alice}")
    for local in ODD + LONG:
        assert send(server, f"{local}@{server.domain}", TEXT)[0] == 250
    server.wait_for_mail(server.alice, len(ODD + LONG))


@pytest.mark.parametrize("length", [65, 500])
def test_a_long_detail_reaches_its_mailbox(server, length):
    local = "alice+" + "d" * (length - 6)
    assert send(server, f"{local}@{server.domain}",
                TEXT)[0] == 250
    server.wait_for_mail(server.alice)


@pytest.mark.parametrize("local", ["foo..bar", "b\u200bob", "bob\u00ad"])
def test_left_of_all_names_is_refused_in_its_own_words(server, local):
    """What it is parsed with is nobody's business."""
    said = server.refused("address", "add", server.alice, f"{local}@*")
    assert "invalid" not in said
    assert "not seen, U+" in said or "foo..bar" in said, said


@pytest.mark.parametrize("local", ["foo..bar", ".foo", "foo.", "x" * 65])
def test_what_is_created_here_keeps_to_the_letter(server, local):
    address = f"{local}@{server.domain}"
    assert "local part" in server.refused("user", "create", address)
    assert "local part" in server.refused("group", "create", address)


def test_paths_without_brackets(server):
    with server.smtp() as smtp:
        smtp.docmd("EHLO", "my printer")
        assert smtp.docmd("MAIL", "FROM:printer@elsewhere.test SIZE=9")[0] == \
            250
        assert smtp.docmd("RCPT", f"TO:{server.bob}")[0] == 250
        assert smtp.data(b"scan\r\n")[0] == 250
    [message] = wait_until(lambda: server.sink.messages)
    assert message.sender == "printer@elsewhere.test"
    assert message.recipients == [server.bob]
    assert message.data.startswith(b"Received: from [127.")


@pytest.mark.parametrize("name", ["my printer", "host..x", "-x-", "DESKTOP_1",
                                  "mfp-\u00fc", "192.168.1.7", "(none)"])
def test_no_name_of_a_client_is_worth_its_mail(server, name):
    with server.smtp() as smtp:
        smtp.command_encoding = "utf-8"
        assert smtp.docmd("EHLO", name)[0] == 250
        assert smtp.mail(STRANGER)[0] == 250


# ---- large headers

def addresses(size, width=400):
    """A To: of SIZE octets, WIDTH to a line at most."""
    lines, line = [], "To:"
    for n in range(size // 21):
        line += f" user{n:07}@to.test,"
        if len(line) > width:
            lines.append(line)
            line = ""
    return ("\r\n".join(lines + [line]).rstrip(",") + "\r\n").encode()


HEADERS = {
    "113 KB of addresses": addresses(113_000),
    "1 MB of addresses": addresses(1_040_000),
    "a line for each of 29,000": b"To: a@b.test" +
                                 b",\r\n user@to.test" * 29_000 + b"\r\n",
    "1 MB in one line": addresses(1_040_000, 1 << 20),
    "1 MB of short addresses": b"To: " + b"a@b,\r\n " * 4990 +
                               b"a@b," * 250_000 + b"a@b\r\n",
    "as many fields as can be": b"X-A: b\r\n" * 4990,
    "as many recipients fields": b"To: a@b\r\n" * 4990,
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_large_headers_are_taken(server, header):
    """By the other system and by the mailbox, byte for byte."""
    wire = header + b"From: a@b.test\r\nSubject: large\r\n\r\ntext\r\n"
    for user in (server.bob, server.alice):
        assert send(server, user, wire)[0] == 250
    [message] = wait_until(lambda: server.sink.messages)
    assert message.data.endswith(b"\r\n" + wire)
    [mail] = server.wait_for_mail(server.alice)
    assert mail.endswith(b"\r\n" + wire)
    assert server.subjects(server.alice) == ["large"]


@pytest.mark.parametrize("header", [
    addresses(1_060_000), b"X-A: b\r\n" * 5001, b"X-A: " + b"b" * 1_048_570,
    b"X-A: b\r\n" + b" c\r\n" * 30_000],
    ids=["octets", "fields", "one line", "lines"])
def test_larger_headers_are_refused(server, header):
    code, said = send(server, server.alice, header + b"\r\ntext\r\n")
    assert (code, said[:5]) == (552, b"5.3.4")
