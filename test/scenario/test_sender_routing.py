"""A stranger writes a route into a local part: a next system that would obey it,
because it trusts us, never gets to see it."""

import smtplib

import pytest

from world import wait_until

DOMAIN = "example.test"
VICTIM = "victim@ext.example"
STRANGER = "stranger@elsewhere.test"

# Each is a local part that some system takes for a way to VICTIM.
ROUTES = ["victim%ext.example", '"victim%ext.example"', "ext.example!victim",
          '"victim@ext.example"', f"victim%ext.example%{DOMAIN}",
          "a.example!ext.example!victim"]


def rcpt(at, recipient, sender=STRANGER, text="Subject: x\r\n\r\nx\r\n"):
    """(code, status) at RCPT, or after the mail when that was accepted."""
    host, _, port = at.rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=60) as smtp:
        smtp.ehlo()
        smtp.mail(sender)
        code, said = smtp.docmd(f"RCPT TO:<{recipient}>")
        if code == 250:
            code, said = smtp.data(text)
        return code, said.decode().split()[0]


class Place:
    """Splitmail before a Postfix as its package is, which sends what is not
    its own to INTERNET."""

    def __init__(self, world, name, forward_unknown):
        self.server = server = world.server(name)
        self.internet = world.sink(name=f"{name}-internet")
        host, _, port = self.internet.at.rpartition(":")
        self.postfix = world.stock_postfix(
            name=f"{name}-stock", domain=DOMAIN, users=["bob", "carol"],
            settings={"mynetworks": f"{server.address}/32",
                      "relayhost": f"[{host}]:{port}"})
        server.cli("domain", "create", DOMAIN, "--relay", self.postfix.at,
                   *(["--forward-unknown"] if forward_unknown else []))
        server.user(f"alice@{DOMAIN}")
        server.cli("user", "create", f"bob@{DOMAIN}", "--mail-system",
                   "alternate")


@pytest.fixture(scope="module")
def unknowns(shared_world):
    return Place(shared_world, "unknowns", forward_unknown=True)


@pytest.fixture(scope="module")
def knowns(shared_world):
    return Place(shared_world, "knowns", forward_unknown=False)


def nothing_got_out(place):
    """The Postfix has nothing to send, and has sent nothing: a mail that came
    last is through."""
    count = len(place.postfix.mailbox("bob"))
    assert rcpt(place.server.at, f"bob@{DOMAIN}")[0] == 250
    wait_until(lambda: len(place.postfix.mailbox("bob")) > count, 30,
               "the mail to bob")
    assert place.postfix.queue() == []
    assert place.internet.messages == []


def test_the_postfix_obeys_whom_it_trusts(unknowns):
    """It would: a user with rights here may, and it sends that on."""
    server, internet = unknowns.server, unknowns.internet
    with server.submit(f"alice@{DOMAIN}") as smtp:
        smtp.sendmail(f"alice@{DOMAIN}", f"victim%ext.example@{DOMAIN}",
                      "Subject: x\r\n\r\nx\r\n")
    [message] = internet.wait(1)
    assert message.recipients == [VICTIM]
    internet.messages.clear()


@pytest.mark.parametrize("dot", ["", "."])
@pytest.mark.parametrize("route", ROUTES)
def test_no_route_as_an_unknown_address(unknowns, route, dot):
    assert rcpt(unknowns.server.at, f"{route}@{DOMAIN}{dot}") == (550, "5.7.1")
    nothing_got_out(unknowns)


@pytest.mark.parametrize("route", ROUTES)
def test_no_route_as_a_detail(knowns, route):
    quoted = route.startswith('"')
    local = f'"bob+{route[1:]}' if quoted else f"bob+{route}"
    assert rcpt(knowns.server.at, f"{local}@{DOMAIN}") == (550, "5.7.1")
    assert rcpt(knowns.server.at, f"{route}@{DOMAIN}") == (550, "5.1.1")
    nothing_got_out(knowns)


def test_route_says_so(unknowns):
    said = unknowns.server.cli("route", f"victim%ext.example@{DOMAIN}")
    assert (said["code"], said["status"]) == (550, "5.7.1")
    assert "sender-routing" in [r["id"] for r in said["reasons"]]


def test_the_null_sender_gets_no_further(unknowns):
    assert rcpt(unknowns.server.at, f"{ROUTES[0]}@{DOMAIN}",
                sender="")[0] == 550
    nothing_got_out(unknowns)
