"""The other system is a Postfix or an Exim, configured as its manual says."""

import smtplib

import pytest

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
EVE = f"eve@{DOMAIN}"               # there, and not known here
NOBODY = f"nobody@{DOMAIN}"
STRANGER = "stranger@elsewhere.test"


class Pair:
    def __init__(self, here, there):
        self.here, self.there = here, there
        self.numbers = iter(range(1, 1000))

    def text(self):
        """A text with a subject of its own; the subject."""
        subject = f"number {next(self.numbers)}."
        return (f"From: <{STRANGER}>\r\nSubject: {subject}\r\n\r\n"
                "caf\xe9\r\n.dot\r\n").encode("latin-1"), subject.encode()

    def send_there(self, sender, recipients, text):
        with smtplib.SMTP(self.there.address, self.there.port, timeout=120,
                          local_hostname="client.test") as smtp:
            return smtp.sendmail(sender, recipients, text)

    def rcpt(self, server, recipient, sender=STRANGER):
        port = server.port if server is self.there else server.ports["smtp"]
        with smtplib.SMTP(server.address, port, timeout=120,
                          local_hostname="client.test") as smtp:
            smtp.ehlo()
            smtp.mail(sender)
            return smtp.rcpt(recipient)[0]

    def arrives(self, server, user, subject, count=1):
        from world import wait_until

        def having():
            return [mail for mail in server.mailbox(user) if subject in mail]
        wait_until(lambda: len(having()) >= count, 30,
                   f"{subject} for {user}", pause=0.2)
        assert len(having()) == count
        return having()


@pytest.fixture(scope="module", params=["postfix", "exim"])
def pair(request, shared_world):
    here = shared_world.server(f"beside-{request.param}", conf=(
        "limits {\n\tretry_min = 1\n\tretry_max = 2\n}"))
    there = getattr(shared_world, request.param)(
        domain=DOMAIN, users=["bob", "eve"], other=here.at)
    here.cli("domain", "create", DOMAIN, "--relay", there.at,
             "--forward-unknown")
    here.user(ALICE)
    here.cli("user", "create", BOB, "--mail-system", "alternate")
    return Pair(here, there)


def test_one_message_for_both_systems(pair):
    text, subject = pair.text()
    assert pair.here.send(STRANGER, [ALICE, BOB, EVE], text) == {}
    for server, user in ((pair.here, ALICE), (pair.there, "bob"),
                         (pair.there, "eve")):
        [mail] = pair.arrives(server, user, subject)
        assert b"caf\xe9" in mail and b"\n.dot" in mail
    assert pair.here.queue() == []


def test_the_other_system_is_the_entrance(pair):
    text, subject = pair.text()
    assert pair.send_there(STRANGER, [ALICE, BOB], text) == {}
    pair.arrives(pair.here, ALICE, subject)
    pair.arrives(pair.there, "bob", subject)


def test_unknown_is_refused_at_rcpt_on_both_sides(pair):
    assert pair.rcpt(pair.here, NOBODY) == 550
    assert pair.rcpt(pair.there, NOBODY) == 550
    assert pair.here.queue() == []


def test_colleagues_write_to_each_other(pair):
    text, subject = pair.text()
    assert pair.here.send(ALICE, [BOB], text, user=ALICE) == {}
    pair.arrives(pair.there, "bob", subject)
    text, subject = pair.text()
    assert pair.send_there(BOB, [ALICE], text) == {}
    pair.arrives(pair.here, ALICE, subject)


def test_plus_address_goes_as_given(pair):
    text, subject = pair.text()
    assert pair.here.send(STRANGER, [f"bob+news@{DOMAIN}"], text) == {}
    [mail] = pair.arrives(pair.there, "bob", subject)
    assert f"bob+news@{DOMAIN}".encode() in mail


def test_its_mail_waits_while_it_is_down(pair):
    text, subject = pair.text()
    pair.there.down()
    try:
        assert pair.here.send(STRANGER, [BOB, ALICE], text) == {}
        pair.arrives(pair.here, ALICE, subject)
        [entry] = pair.here.queue()
        assert [r["address"] for r in entry["recipients"]] == [BOB]
    finally:
        pair.there.up()
    pair.arrives(pair.there, "bob", subject)
    pair.here.wait_for_queue(0)
