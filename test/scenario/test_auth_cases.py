"""Logins at the submission port: who guesses, forges or is no longer allowed
gets nowhere, and disturbs nobody else."""

import base64
import concurrent.futures
import smtplib
import time

import pytest

from dialogue import Dialogue
from splitmail import no_checks
from world import claim_address

OWN = "own.test"
ALICE, BOB, CAROL, DORA = (f"{name}@{OWN}" for name in
                           ("alice", "bob", "carol", "dora"))
OUT = "somebody@elsewhere.test"
HELLO = ["<^220", ">EHLO client.test\\r\\n", "<^250", "tls",
         ">EHLO client.test\\r\\n", "<^250"]
LOGIN = [">AUTH PLAIN ${PLAIN_OK}\\r\\n", "<^235"]

# What follows EHLO inside TLS.
CASES = {
    "cancelled with *": [">AUTH PLAIN\\r\\n", "<^334", ">*\\r\\n", "<^501",
                         "<noop"],
    "no base64": [">AUTH PLAIN !!!notbase64\\r\\n", "<^501 5.5.2", "<noop"],
    "no base64 after the challenge": [
        ">AUTH PLAIN\\r\\n", "<^334", ">=====\\r\\n", "<^501", "<noop"],
    "only one NUL": [">AUTH PLAIN ${b64:\\x00alice@own.test}\\r\\n",
                     "<^(501|535)", "<noop"],
    "no NUL": [">AUTH PLAIN ${b64:alice}\\r\\n", "<^(501|535)", "<noop"],
    "nothing": [">AUTH PLAIN =\\r\\n", "<^(501|535)", "<noop"],
    "no mechanism": [">AUTH\\r\\n", "<^501", "<noop"],
    "somebody else's identity": [
        ">AUTH PLAIN ${b64:bob@own.test\\x00alice@own.test\\x00"
        "secret-alice}\\r\\n", "<^(501|535)", "<noop",
        ">MAIL FROM:<${U}>\\r\\n", "<^530"],
    "LF in the name": [">AUTH PLAIN ${b64:\\x00alice@own.test\\nOK\\t1\\x00x}"
                       "\\r\\n", "<^(501|535)", "<noop"],
    "TAB in the name": [">AUTH PLAIN ${b64:\\x00alice@own.test\\tnologin\\x00"
                        "secret-alice}\\r\\n", "<^(501|535)", "<noop"],
    "LF in a response": [">AUTH LOGIN\\r\\n", "<^334",
                         ">${b64:alice@own.test\\nOK\\t1}\\r\\n",
                         "<^(501|535)", "<noop"],
    "9000 octets": [">AUTH PLAIN ${b64:\\x00${rep:9000:u}\\x00p}\\r\\n",
                    "<^(500|501|535)", "<alive"],
    "20000 octets": [">AUTH PLAIN\\r\\n", "<^334",
                     ">${rep:20000:A}\\r\\n", "<^(500|501|421)", "<alive"],
    "unknown mechanism": [">AUTH GSSAPI\\r\\n", "<^504", "<noop"],
    "mechanisms that prove nothing": [
        ">AUTH EXTERNAL =\\r\\n", "<^504", ">AUTH ANONYMOUS =\\r\\n", "<^504"],
    "injected mechanism": [">AUTH PLAIN\\tresp=x\\r\\n", "<^5", "<noop"],
    "a second time": [*LOGIN, ">AUTH PLAIN ${PLAIN_OK}\\r\\n", "<^503",
                      "<noop"],
    "within a mail": [*LOGIN, ">MAIL FROM:<${U}>\\r\\n", "<^250",
                      ">AUTH PLAIN ${PLAIN_OK}\\r\\n", "<^503"],
    "without a login": [">MAIL FROM:<a@b.test>\\r\\n", "<^530 5.7.0",
                        ">RCPT TO:<${U}>\\r\\n", "<^503"],
    "a bounce without a login": [">MAIL FROM:<>\\r\\n", "<^530"],
    "empty name and password": [">AUTH LOGIN\\r\\n", "<^334", ">\\r\\n",
                                "<^(334|501|535)", ">\\r\\n",
                                "<^(500|501|535)"],
    "empty password": [">AUTH PLAIN ${b64:\\x00alice@own.test\\x00}\\r\\n",
                       "<^(501|535)", "<noop"],
    "other case": [">AUTH PLAIN ${b64:\\x00ALICE@OWN.TEST\\x00secret-alice}"
                   "\\r\\n", "<^235", ">MAIL FROM:<${U}>\\r\\n", "<^250",
                   ">RSET\\r\\n", "<^250", ">MAIL FROM:<${A}>\\r\\n", "<^553"],
    "other people's senders": [
        *LOGIN, ">MAIL FROM:<bob@own.test>\\r\\n", "<^553",
        ">MAIL FROM:<nosuch@own.test>\\r\\n", "<^553",
        ">MAIL FROM:<alice@elsewhere.test>\\r\\n", "<^553",
        ">MAIL FROM:<alice@own.test.elsewhere.test>\\r\\n", "<^553",
        ">MAIL FROM:<\"alice@own.test\"@elsewhere.test>\\r\\n", "<^553",
        ">MAIL FROM:<>\\r\\n", "<^250"],
    "logged in, then STARTTLS": [*LOGIN, ">STARTTLS\\r\\n", "<^503"],
    "logged in, then EHLO": [*LOGIN, ">EHLO other.test\\r\\n", "<^250",
                             ">MAIL FROM:<${U}>\\r\\n", "<^250"],
}


@pytest.fixture(scope="module")
def server(shared_world):
    server = shared_world.server(
        "auth", conf="limits {\n\trecipients_per_minute = 40\n}")
    sink = shared_world.sink(name="other")
    server.cli("domain", "create", OWN, "--relay", sink.at)
    for user in (ALICE, CAROL, DORA):
        server.user(user)
    server.cli("user", "create", BOB, "--mail-system", "alternate")
    server.sink = sink
    return server


def plain(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def guess(server, source, times=12):
    """Wrong passwords on one connection: (replies, seconds)."""
    begun, codes = time.monotonic(), []
    smtp = smtplib.SMTP(server.address, server.ports["submission"],
                        source_address=(source, 0), timeout=60)
    smtp.starttls(context=no_checks())
    smtp.ehlo()
    try:
        for n in range(times):
            codes.append(smtp.docmd(
                f"AUTH PLAIN {plain(ALICE, f'wrong{n}')}")[0])
            if codes[-1] == 421:
                break
    except smtplib.SMTPServerDisconnected:
        pass
    smtp.close()
    return codes, time.monotonic() - begun


@pytest.fixture(scope="module")
def guessing(server):
    """Six who guess Alice's password, while all the other tests run."""
    sources = [claim_address() for _ in range(6)]
    with concurrent.futures.ThreadPoolExecutor(len(sources)) as pool:
        yield [pool.submit(guess, server, address) for address, _ in sources]
    for _, claim in sources:
        claim.close()


def test_guessing_disturbs_nobody(server, guessing):
    """Mail on port 25, and whoever knows the password, from elsewhere."""
    time.sleep(0.5)
    begun = time.monotonic()
    assert server.send("stranger@elsewhere.test", CAROL) == {}
    assert time.monotonic() - begun < 5, "port 25 is starved"
    server.submit(ALICE).quit()
    assert not any(guesser.done() for guesser in guessing)


@pytest.mark.parametrize("name", CASES)
def test_case(server, name):
    # From an address of its own: each failure there makes the next slower.
    source, claim = claim_address()
    variables = {"U": ALICE, "A": BOB,
                 "PLAIN_OK": plain(ALICE, "secret-alice")}
    Dialogue(server.address, server.ports["submission"], OWN, variables,
             source).run([*HELLO, *CASES[name]])
    claim.close()


def test_no_login_before_tls_nor_at_port_25(server):
    """Not offered, and refused when it is tried all the same."""
    token = plain(ALICE, "secret-alice")
    for port in ("submission", "smtp"):
        with smtplib.SMTP(server.address, server.ports[port],
                          timeout=20) as smtp:
            smtp.ehlo()
            assert "auth" not in smtp.esmtp_features
            assert smtp.docmd(f"AUTH PLAIN {token}")[0] in (503, 538)


CHANGES = {
    "disabled": ("enabled=no", "enabled=yes"),
    "moved to the other system": ("mail_system=alternate",
                                  "mail_system=hosted"),
    "without mail": ("mail_system=none", "mail_system=hosted"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_rights_end_within_a_session(server, name):
    """The very next MAIL is refused; what was begun before is not spoilt."""
    away, back = CHANGES[name]
    with server.submit(DORA) as smtp:
        assert smtp.mail(DORA)[0] == 250
        smtp.rset()
        server.cli("user", "set", DORA, away)
        code, said = smtp.mail(DORA)
        assert code in (530, 535, 550, 553), said
        assert smtp.mail("")[0] in (530, 535, 550, 553)
        server.cli("user", "set", DORA, back)
        assert smtp.mail(DORA)[0] == 250


def test_rights_of_a_deleted_user_end(server):
    eve = f"eve@{OWN}"
    server.user(eve)
    with server.submit(eve) as smtp:
        server.cli("user", "delete", eve)
        assert smtp.mail(eve)[0] in (530, 535, 550, 553)
        assert smtp.mail("")[0] in (530, 535, 550, 553)


def test_an_address_that_is_taken_away_is_no_sender(server):
    other = f"carola@{OWN}"
    server.cli("address", "add", CAROL, other)
    with server.submit(CAROL) as smtp:
        assert smtp.mail(other)[0] == 250
        smtp.rset()
        server.cli("address", "remove", other)
        assert smtp.mail(other)[0] == 553
        assert smtp.mail(CAROL)[0] == 250


def test_one_login_sends_so_much_a_minute(server):
    """Then 450 4.7.1, logged; another login goes on."""
    frank = f"frank@{OWN}"
    server.user(frank)
    codes = []
    with server.submit(frank) as smtp:
        assert smtp.mail(frank)[0] == 250
        for n in range(45):
            code, said = smtp.rcpt(f"carol+{n}@{OWN}")
            codes.append(code)
            if code == 450:
                break
        assert said.startswith(b"4.7.1")
    assert codes.count(450) == 1 and len(codes) == 41
    assert "450 4.7.1" in server.log()
    assert server.send(CAROL, CAROL, user=CAROL) == {}


def test_guessing_is_slow_and_short(server, guessing):
    """421 within ten guesses, each slower than the one before."""
    for guesser in guessing:
        codes, seconds = guesser.result(timeout=90)
        assert codes[-1] == 421 and len(codes) <= 10, codes
        assert set(codes[:-1]) == {535}
        assert seconds > len(codes), "guesses cost nothing"
    assert "SASL PLAIN authentication failed" in server.log()
