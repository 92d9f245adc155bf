"""Mail to the Internet goes where its MX records say."""

import email

import pytest

ALICE = "alice@example.test"
ZONE = """
    two.example.     MX 10 mx1.two.example.
    two.example.     MX 20 mx2.two.example.
    mx1.two.example. A 127.0.25.1
    mx2.two.example. A 127.0.25.2
    plain.example.   A 127.0.25.3
    null.example.    MX 0 .
    gone.example.    MX 10 nowhere.gone.example.
    empty.example.   TXT "nothing here takes mail"
"""
CONF = ("dns {\n\tservers = { \"127.0.0.1\" }\n}\n"
        "limits {\n\tretry_min = 1\n\tretry_max = 2\n}")
TEXT = "Subject: hello\r\n\r\nhello\r\n"


@pytest.fixture
def internet(own_network, world):
    class Internet:
        names = world.names(ZONE)
        server = world.server("a", conf=CONF)
        first = world.sink(name="mx1", address="127.0.25.1", port=25)
        second = world.sink(name="mx2", address="127.0.25.2", port=25)
        plain = world.sink(name="plain", address="127.0.25.3", port=25)

        def send(self, *recipients):
            return self.server.send(ALICE, list(recipients), TEXT, user=ALICE)
    Internet.server.cli("domain", "create", "example.test")
    Internet.server.user(ALICE)
    return Internet()


def test_first_mx_then_the_next(internet):
    assert internet.send("x@two.example") == {}
    internet.first.wait(1, timeout=120)
    internet.first.down()
    assert internet.send("y@two.example") == {}
    [message] = internet.second.wait(1, timeout=120)
    assert message.recipients == ["y@two.example"]
    assert message.sender == ALICE
    assert len(internet.first.messages) == 1
    internet.server.wait_for_queue(0)


def test_no_mx_means_the_address_itself(internet):
    assert internet.send("x@plain.example") == {}
    internet.plain.wait(1, timeout=120)


@pytest.mark.parametrize("domain", ["null.example", "nowhere.example",
                                    "empty.example"])
def test_a_domain_without_mail_is_refused_or_told(internet, domain):
    """At once in the session, or by a report; never silence."""
    from smtplib import SMTPRecipientsRefused
    try:
        internet.send(f"x@{domain}")
    except SMTPRecipientsRefused as refused:
        [(code, _)] = refused.recipients.values()
        assert code in (550, 556)
        return
    [mail] = internet.server.wait_for_mail(ALICE, timeout=120)
    report = email.message_from_bytes(mail)
    assert report.get_content_type() == "multipart/report"
    internet.server.wait_for_queue(0)


def test_name_server_trouble_is_not_the_end(internet):
    internet.names.trouble["two.example."] = "SERVFAIL"
    assert internet.send("x@two.example") == {}
    [entry] = internet.server.wait_for_queue(1)
    assert entry["recipients"][0]["state"] == "waiting"
    internet.names.trouble.clear()
    internet.server.cli("queue", "retry")
    internet.first.wait(1, timeout=60)
    internet.server.wait_for_queue(0)


def test_a_stranger_cannot_relay(internet):
    with internet.server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail("x@elsewhere.test")
        assert smtp.rcpt("y@two.example")[0] in (550, 554)
