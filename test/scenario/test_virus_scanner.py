"""ClamAV, by its milter: what has a virus in it is refused in the session."""

import smtplib
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from filter_programs import EICAR

pytestmark = pytest.mark.long

DOMAIN = "example.test"
BOB = f"bob@{DOMAIN}"


def letter(attachment):
    message = EmailMessage()
    message["Subject"] = "one"
    message.set_content("hello\n")
    message.add_attachment(attachment, maintype="application",
                           subtype="octet-stream", filename="a.bin")
    return message.as_bytes(policy=SMTP)


def reply(server, text):
    with server.smtp() as smtp:
        smtp.ehlo("client.test")
        smtp.mail("x@y.test")
        smtp.rcpt(BOB)
        code, said = smtp.data(text)
        return code, said.decode()


def test_a_virus_is_refused_and_the_rest_passes(world):
    clamav, sink = world.clamav(), world.sink()
    server = world.server("a")
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.user(BOB, "--mail-system", "alternate")
    server.cli("filter", "create", "clamav", "--socket", clamav.socket)
    assert server.cli("filter", "show", "clamav")["answers"]
    assert reply(server, letter(b"harmless"))[0] == 250
    assert "X-Virus-Status: Clean" in sink.wait(1)[0].data.decode()
    code, said = reply(server, letter(EICAR.encode()))
    assert code == 550 and "Own.Test" in said
    assert reply(server, letter(b"harmless"))[0] == 250
    assert len(sink.wait(2)) == 2
    # its daemon is gone: it says so, and the mail is put off
    clamav.down()
    with server.smtp() as smtp, pytest.raises(smtplib.SMTPException):
        smtp.sendmail("x@y.test", BOB, letter(b"harmless"))
