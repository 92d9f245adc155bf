"""A signature outlives the way through: of mail as odd as it may be, with a filter
that adds a field, to another system and to a mailbox, by DATA and by BDAT."""

import base64
import subprocess

import dkim
import pytest

from odd_mail import DOMAIN as SIGNER
from odd_mail import odd_mail

DOMAIN = "example.test"
BOB, ANN = f"bob@{DOMAIN}", f"ann@{DOMAIN}"
WAYS = [(header, body) for header in (b"relaxed", b"simple")
        for body in (b"relaxed", b"simple")]


class Key:
    """A key, and the DNS that has it."""

    def __init__(self, folder):
        path = f"{folder}/key"
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", path,
                        "1024"], check=True, capture_output=True)
        with open(path, "rb") as file:
            self.private = file.read()
        public = subprocess.run(["openssl", "rsa", "-in", path, "-pubout",
                                 "-outform", "DER"], check=True,
                                capture_output=True).stdout
        self.record = b"v=DKIM1; p=" + base64.b64encode(public)

    def lookup(self, name, timeout=5):
        return self.record

    def sign(self, letter):
        return dkim.sign(letter.bytes, b"s", SIGNER.encode(), self.private,
                         canonicalize=WAYS[letter.number % 4],
                         include_headers=[b"from", b"to", b"subject",
                                          b"date", b"x-a"]) + letter.bytes

    def is_good(self, text):
        return dkim.verify(text, dnsfunc=self.lookup)


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return Key(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def server(shared_world):
    """BOB is at the other system, ANN here."""
    sink, milter = shared_world.sink(), shared_world.milter()
    server = shared_world.server("a")
    server.sink = sink
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.user(BOB, "--mail-system", "alternate")
    server.user(ANN)
    milter.on["E"] = [b"i\0\0\0\1X-Checked\0yes\0", b"c"]
    server.cli("filter", "create", "f", "--socket", milter.socket)
    return server


def hand_in(smtp, text, is_utf8, by_chunks):
    options = ["BODY=8BITMIME"] + ["SMTPUTF8"] * is_utf8
    assert smtp.mail("j@odd.test", options)[0] == 250
    for each in BOB, ANN:
        assert smtp.rcpt(each)[0] == 250
    if not by_chunks:
        assert smtp.docmd("DATA")[0] == 354
        smtp.send(b"".join(b"." * line.startswith(b".") + line
                           for line in text.splitlines(keepends=True)) +
                  b".\r\n")
        return smtp.getreply()
    third = len(text) // 3
    for chunk, last in (text[:third], ""), (text[third:], " LAST"):
        smtp.send(f"BDAT {len(chunk)}{last}\r\n".encode() + chunk)
        code, said = smtp.getreply()
    return code, said


def judge(key, text, signed, letter):
    """Behind our lines, and with the filter's, it is what was signed."""
    where = f"mail {letter.number}"
    front, checked, rest = text.partition(b"X-Checked: yes\r\n")
    assert checked and b"Received: from client" in front, where
    assert rest == signed, where
    assert key.is_good(text), where
    assert not key.is_good(text.replace(b"bob@", b"bab@")), where


@pytest.mark.parametrize("n", [24, pytest.param(1000, marks=pytest.mark.long)])
def test_signatures_outlive_a_filter(server, key, n):
    server.sink.messages.clear()
    letters = [odd_mail(n, number) for number in range(n)]
    signed = [key.sign(letter) for letter in letters]
    assert all(map(key.is_good, signed))
    before = len(server.mailbox(ANN))
    for letter, text in zip(letters, signed):
        if letter.number % 50 == 0:
            smtp = server.smtp()
            smtp.ehlo("client.test")
        code, said = hand_in(smtp, text, letter.is_utf8, letter.number // 4 % 2)
        assert code == 250, (letter.number, said)
    arrived = server.sink.wait(n, timeout=60)
    assert len(arrived) == n
    for letter, text, message in zip(letters, signed, arrived):
        judge(key, message.data, text, letter)
    kept = server.wait_for_mail(ANN, before + n, timeout=60)[before:]
    for letter, text, mail in zip(letters, signed, kept):
        judge(key, mail, text, letter)
