"""A user logs in with any of his own addresses, as he writes it, and is one
and the same; nobody else gets in by it."""

import base64
import re
import socket
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest

from splitmail import no_checks
from test_logins import Sieve
from world import claim_address, within

DOMAIN, ALIAS, IDN = "example.test", "example.net", "müller.example"
A_LABELS = "xn--mller-kva.example"
MARY, BOB, TEAM, INFO = (f"{name}@{DOMAIN}" for name in
                         ("mary", "bob", "team", "info"))
SECRET = "secret-mary"

HERS = {
    "default": MARY,
    "alias": f"mary.smith@{DOMAIN}",
    "domain alias": f"mary@{ALIAS}",
    "alias at the domain alias": f"mary.smith@{ALIAS}",
    "in capitals": "MARY.SMITH@EXAMPLE.NET",
    "of one name only": f"once@{ALIAS}",
    "that lives elsewhere": f"there@{DOMAIN}",
    "that gets no mail": f"none@{DOMAIN}",
    "U-labels": f"mary@{IDN}",
    "U-labels in capitals": f"MARY@{IDN.upper()}",
    "U-labels, decomposed": unicodedata.normalize("NFD", f"mary@{IDN}"),
    "A-labels": f"mary@{A_LABELS}",
    "not ASCII": f"élodie@{DOMAIN}",
    "not ASCII, with a capital": f"Élodie@{IDN}",
}
NOBODYS = {
    "without a domain": "mary",
    "with a space behind": f"{MARY} ",
    "with a space before": f" {MARY}",
    "of one name only, at another": f"once@{DOMAIN}",
    "with a detail": f"mary+shop@{DOMAIN}",
    "a group's": TEAM,
    "a shared mailbox's": INFO,
    "postmaster's": f"postmaster@{DOMAIN}",
    "unknown": f"nobody@{DOMAIN}",
    "without accents": f"elodie@{DOMAIN}",
    "two domains": f"mary@{ALIAS}@{DOMAIN}",
    "SQL": f"x' OR '1'='1@{DOMAIN}",
    "SQL behind": f"mary@{DOMAIN}' OR '1'='1",
}


@pytest.fixture(scope="module")
def server(shared_world):
    server = shared_world.server("names")
    sink = shared_world.sink(name="other")
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.cli("domain", "set", DOMAIN, f"aliases={ALIAS}, {IDN}")
    server.user(MARY)
    server.user(BOB)
    for address in ("mary.smith@*", f"once@{ALIAS}", "there@*", "none@*",
                    "élodie@*"):
        server.cli("address", "add", MARY, address)
    server.cli("address", "set", f"there@{DOMAIN}", "home=alternate")
    server.cli("address", "set", f"none@{DOMAIN}", "home=none")
    server.cli("group", "create", TEAM, "--member", MARY)
    server.cli("shared", "create", INFO)
    server.send("x@elsewhere.test", MARY)
    server.wait_for_mail(MARY)
    return server


def token(name, password):
    return base64.b64encode(f"\0{name}\0{password}".encode()).decode()


# Service: its port, and what is said there once TLS is up.
SERVICES = {
    "imap": ("imaps", "a AUTHENTICATE PLAIN {}"),
    "pop3": ("pop3s", "AUTH PLAIN {}"),
    "submission": ("submissions", "AUTH PLAIN {}"),
}


def log_in(server, service, name, password=SECRET, source=None):
    """The session's file, and the last line of the answer."""
    port, line = SERVICES[service]
    raw = socket.create_connection((server.address, server.ports[port]), 120,
                                   source and (source, 0))
    file = no_checks().wrap_socket(raw).makefile("rwb")
    file.readline()
    if service == "submission":
        say(file, "EHLO client.test")
    return file, say(file, line.format(token(name, password)))


def say(file, line):
    """What is answered, without IMAP's untagged and SMTP's other lines."""
    file.write(line.encode() + b"\r\n")
    file.flush()
    while True:
        said = file.readline().decode()
        if not said.startswith("* ") and not re.match(r"\d\d\d-", said):
            return said.strip()


@pytest.mark.parametrize("name", HERS)
def test_her_own_address(server, name):
    """All services let her in, to her one mailbox and her own senders."""
    imap, said = log_in(server, "imap", HERS[name])
    assert said.startswith("a OK"), said
    assert say(imap, "b SELECT INBOX").startswith("b OK")
    imap.write(b"c STATUS INBOX (MESSAGES)\r\n")
    imap.flush()
    assert b"MESSAGES 1)" in imap.readline(), "another, empty mailbox"
    assert log_in(server, "pop3", HERS[name])[1].startswith("+OK")
    Sieve(server, HERS[name], SECRET)
    smtp, said = log_in(server, "submission", HERS[name])
    assert said.startswith("235"), said
    for sender, code in ((MARY, "250"), (f"mary.smith@{ALIAS}", "250"),
                         (BOB, "553")):
        assert say(smtp, f"MAIL FROM:<{sender}>").startswith(code)
        say(smtp, "RSET")


def refusal(server, service, name, password):
    """From an address of its own: each failure makes the next one slower."""
    source, claim = claim_address()
    said = log_in(server, service, name, password, source)[1]
    claim.close()
    return re.sub(r" \(.*secs\)", "", said)


def test_nobodys_address(server):
    """Refused in the words of a wrong password, whatever the service."""
    tries = [(service, name, SECRET) for service in SERVICES
             for name in NOBODYS.values()]
    tries += [(service, HERS["alias"], "wrong") for service in SERVICES]
    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(lambda one: refusal(server, *one), tries))
        wrong = dict(zip(SERVICES, pool.map(
            lambda service: refusal(server, service, MARY, "wrong"),
            SERVICES)))
    for (service, name, _), answer in zip(tries, said):
        assert answer == wrong[service], name


def test_other_spellings_are_no_more_guesses(server):
    """Whoever changes the name with each guess is slowed down as much."""
    source, claim = claim_address()
    begun = time.monotonic()
    names = [MARY, HERS["alias"], HERS["U-labels"]]
    for name in names:
        assert log_in(server, "imap", name, "wrong",
                      source)[1].startswith("a NO")
    claim.close()
    assert time.monotonic() - begun > 2 + 4, "no guess cost more"


def test_she_is_known_by_one_name(server):
    """In the logs, to doveadm, and for the end of her sessions."""
    name = f"eve.adams@{IDN}"
    eve = server.user(f"eve@{DOMAIN}")
    server.cli("address", "add", eve, "eve.adams@*")
    imap, said = log_in(server, "imap", name, "secret-eve")
    assert said.startswith("a OK"), said
    smtp, said = log_in(server, "submission", name, "secret-eve")
    assert said.startswith("235"), said
    assert say(smtp, f"MAIL FROM:<{eve}>").startswith("250")
    assert say(smtp, f"RCPT TO:<{BOB}>").startswith("250")
    assert f"sasl_username={eve}" in server.log()
    server.cli("user", "password", eve, "--password-stdin",
               input="another-one-9\n")
    # Dovecot's last word, or the end
    begun = time.monotonic()
    imap.readline()
    assert time.monotonic() - begun < within(60), "the session goes on"
    assert say(smtp, f"RCPT TO:<{MARY}>").startswith("530")
