"""own_senders = verify: who writes in the name of a domain of ours is judged by
what a filter has found out about it, in this conversation."""

import re
import smtplib
import subprocess

import dkim
import pytest

DOMAIN, ALIAS, PLAIN = "own.test", "own.example", "plain.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{PLAIN}"
OK = (250, "handed over")
FORGED = (550, "5.7.1 Nothing says that this is from own.test")
LATER = (451, "4.7.1 Whether this is from own.test")
ODD = (550, "5.7.1 The sender or From cannot be read")


@pytest.fixture(scope="module")
def server(shared_world):
    sink = shared_world.sink()
    server = shared_world.server("a")
    server.sink = sink
    server.cli("domain", "create", DOMAIN, "--alias", ALIAS,
               "own_senders=verify")
    server.cli("domain", "create", PLAIN, "--relay", sink.at)
    server.user(ALICE)
    server.user(BOB, "--mail-system", "alternate")
    return server


@pytest.fixture
def milter(server, shared_world):
    milter = shared_world.milter()
    server.cli("filter", "create", "f", "--socket", milter.socket)
    yield milter
    server.cli("filter", "delete", "f", "--yes")
    milter.end()
    shared_world.members.remove(milter)


def says(milter, *results, host="a.splitmail.test", name=None):
    field = "; ".join((f" {host}",) + results)
    milter.on["E"] = [b"i\0\0\0\1%b\0%b\0" % (
        (name or "Authentication-Results").encode(), field.encode()), b"c"]


def send(server, sender=ALICE, author=ALICE, front="", to=BOB):
    header = f"{front}From: {author}\r\n" if author else front
    with server.smtp() as smtp:
        smtp.ehlo("client.test")
        assert smtp.mail(sender)[0] == 250
        assert smtp.rcpt(to)[0] == 250
        code, said = smtp.data(f"{header}Subject: t\r\n\r\nhello\r\n")
        return code, said.decode()


def check(answer, expected):
    assert answer[0] == expected[0] and expected[1] in answer[1], answer


SPF = f"spf=pass (a) smtp.mailfrom={ALICE}"
DKIM = f"dkim=pass header.d={DOMAIN} header.s=s1"
DMARC = f"dmarc=pass (policy=reject) header.from={DOMAIN}"
NO_SPF = f"spf=fail smtp.mailfrom={ALICE}"
NO_DKIM, NO_DMARC = "dkim=none", f"dmarc=fail header.from={DOMAIN}"


@pytest.mark.parametrize("results, expected", [
    ([SPF, NO_DKIM], OK),
    ([NO_SPF, DKIM], OK),
    ([NO_SPF, NO_DKIM, DMARC], OK),
    ([SPF, DKIM, DMARC], OK),
    ([SPF.replace("own.test", "OWN.Test")], OK),
    (["dkim=fail header.d=own.test", DKIM], OK),
    ([NO_SPF, NO_DKIM, NO_DMARC], FORGED),
    ([NO_SPF], FORGED),
    (["spf=softfail"], FORGED),
    (["spf=none", "dkim=none", "dmarc=none"], FORGED),
    # of somebody else, or of nobody knows whom
    (["spf=pass smtp.mailfrom=x@else.test"], FORGED),
    (["spf=pass smtp.helo=own.test"], FORGED),
    (["spf=pass"], FORGED),
    (["dkim=pass header.d=else.test", NO_SPF], FORGED),
    (["dkim=pass header.d=x.own.test"], FORGED),
    (["dkim=pass header.d=own.test.else.test"], FORGED),
    (["dkim=pass header.d=test"], FORGED),
    (["arc=pass header.d=own.test", "spf=none"], FORGED),
    # it may be found out later
    (["spf=temperror smtp.mailfrom=own.test", NO_DKIM], LATER),
    (["spf=none", "dkim=temperror header.d=own.test"], LATER),
    (["spf=temperror", DKIM], OK),
    # nothing was looked for, or it cannot be read
    (["none"], LATER),
    (["auth=pass smtp.auth=x"], LATER),
    (["dkim=pass (x header.d=own.test"], LATER),
])
def test_who_writes_as_a_colleague(server, milter, results, expected):
    says(milter, *results)
    check(send(server), expected)
    # an alias is another name, and has a record of its own
    aliased = [re.sub("own.test", ALIAS, r, flags=re.I) for r in results]
    says(milter, *aliased)
    check(send(server, f"alice@{ALIAS}", f"alice@{ALIAS}"),
          (expected[0], expected[1].replace("own.test", ALIAS)))


def test_the_reason_is_said(server, milter):
    says(milter, NO_SPF, NO_DKIM, NO_DMARC)
    assert "spf=fail, dkim=none, dmarc=fail" in send(server)[1]
    assert re.search("reject: END-OF-MESSAGE from .*Nothing says",
                     server.log())


@pytest.mark.parametrize("sender, author, results, expected", [
    # only the sender is of ours, or only the author
    (ALICE, "x@else.test", [SPF], OK),
    (ALICE, "x@else.test", [NO_SPF, "dmarc=pass header.from=else.test"],
     FORGED),
    ("x@else.test", ALICE, ["spf=pass smtp.mailfrom=else.test", NO_DMARC],
     FORGED),
    ("x@else.test", ALICE, ["spf=pass smtp.mailfrom=else.test", DKIM], OK),
    ("", ALICE, ["spf=pass smtp.helo=else.test", "dkim=none"], FORGED),
    ("", ALICE, [DMARC], OK),
    # one of several authors; a name; a list that is none
    ("x@else.test", f"x@else.test, Alice <{ALICE}>", ["spf=none"], FORGED),
    ("x@else.test", f"x@else.test, Alice <{ALICE}>", [DMARC], OK),
    ("x@else.test", f"team: {ALICE};", ["spf=none"], FORGED),
    ("x@else.test", f"x@else.test\r\nFrom: {ALICE}", ["spf=none"], FORGED),
    ("x@else.test", f"{ALICE} <x@else.test>", ["spf=none"], FORGED),
    ("x@else.test", f"<{ALICE}", [DMARC], ODD),
    ("x@else.test", f"{ALICE} \"", [DMARC], ODD),
    # nobody of ours
    ("x@else.test", "y@else.test", ["spf=fail", NO_DMARC], OK),
    ("x@x.own.test", "y@own.test.else.test", ["spf=fail"], OK),
    (BOB, BOB, ["spf=fail smtp.mailfrom=plain.test"], OK),
    ("x@else.test", None, ["spf=fail"], OK),
    ("x@else.test", "\"own.test\" <x@else.test>", ["spf=fail"], OK),
    ("x@else.test", "<x@else.test", ["spf=fail"], OK),
])
def test_sender_and_author(server, milter, sender, author, results, expected):
    says(milter, *results)
    check(send(server, sender, author), expected)


def test_what_came_with_the_mail_is_not_believed(server, milter):
    """Nor is what a filter says in another's name."""
    mine = f"Authentication-Results: a.splitmail.test; {DKIM}; {SPF}\r\n"
    says(milter, NO_SPF)
    check(send(server, front=mine), FORGED)
    milter.on["E"] = [b"c"]
    check(send(server, front=mine), LATER)
    says(milter, DKIM, host="else.test")
    check(send(server, front=mine), LATER)
    says(milter, DKIM, name="X-Authentication-Results")
    check(send(server, front=mine), LATER)


@pytest.mark.parametrize("sender, author", [
    ('"a);dkim=pass header.d=own.test"@else.test', ALICE),
    ("x@else.test", f'"a;dkim=pass header.d=own.test"@else.test, {ALICE}'),
    ('"a)b"@own.test', "x@else.test"),
])
def test_what_could_pass_for_a_result_is_refused(server, milter, sender,
                                                 author):
    """A filter that quotes nothing of what a stranger writes."""
    says(milter, "spf=none (domain of x); dkim=pass header.d=own.test")
    check(send(server, sender, author), ODD)


@pytest.mark.parametrize("when_down", ["accept", "hold", "later"])
def test_without_anybody_who_looks_it_is_later(server, milter, when_down):
    server.cli("filter", "set", "f", f"when_down={when_down}")
    milter.on["E"] = None
    code, said = send(server)
    assert code == 451
    check(send(server, "x@else.test", "x@else.test"),
          (451, "") if when_down == "later" else (250, ""))
    for entry in server.queue():
        server.cli("queue", "delete", "--id", entry["id"], "--yes")


def test_without_a_filter_it_is_later(server):
    check(send(server), LATER)
    check(send(server, "x@else.test", "x@else.test"), OK)
    assert "no filter says, in Authentication-Results" in server.log()


def test_who_sets_it_is_told_what_it_needs(server, shared_world):
    def said(*settings):
        return server.run("domain", "set", DOMAIN, *settings).stdout
    assert "filter enable rspamd" in said("own_senders=verify")
    assert "filter" not in said("own_senders=verify", "own_senders=accept")
    milter = shared_world.milter()
    for direction in "out", "in":
        server.cli("filter", "create", direction, "--socket", milter.socket,
                   "--direction", direction)
        assert ("filter enable" in said("own_senders=verify")) == \
            (direction == "out")
    for direction in "out", "in":
        server.cli("filter", "delete", direction, "--yes")


def test_a_header_that_hides_one(server, milter):
    """Dovecot reads on behind a line that is no field."""
    says(milter, "spf=pass smtp.mailfrom=x@else.test", "dmarc=none")
    hidden = f"no field\r\nFrom: {ALICE}\r\n"
    check(send(server, "x@else.test", None, front=hidden), ODD)
    check(send(server, "x@else.test", "x@else.test",
               front="no field\r\n"), OK)


def test_who_may(server, milter):
    """A user, and a trusted system."""
    says(milter, NO_SPF)
    assert server.send(ALICE, ALICE, f"From: {ALICE}\r\n\r\nhello\r\n",
                       user=ALICE) == {}
    server.cli("system", "create", "else", "--hosts", "192.0.2.1", "--trust",
               "127.0.0.0/8")
    try:
        check(send(server), OK)
    finally:
        server.cli("system", "delete", "else", "--yes")
    check(send(server), FORGED)


def test_it_is_in_force_at_the_next_mail(server, milter):
    says(milter, NO_SPF)
    for value, expected in (("accept", OK), ("verify", FORGED)):
        server.cli("domain", "set", DOMAIN, f"own_senders={value}")
        assert server.cli("domain", "show", DOMAIN)["own_senders"] == value
        check(send(server), expected)
    server.cli("domain", "set", DOMAIN, "own_senders=refuse")
    with pytest.raises(smtplib.SMTPSenderRefused):
        server.send(ALICE, BOB)
    server.cli("domain", "set", DOMAIN, "own_senders=verify")


# ---- with Rspamd, and names of its own

ZONE = """
    own.test.                TXT "v=spf1 ip4:127.0.25.9 -all"
    s1._domainkey.own.test.  TXT {key}
    _dmarc.own.test.         TXT "v=DMARC1; p=none"
    else.test.               TXT "v=spf1 ip4:127.0.25.8 -all"
    else.test.               A 127.0.25.8
"""


@pytest.fixture
def internet(own_network, world):
    folder = world.subfolder("keys")
    for command in (("genrsa", "-out", "key", "2048"),
                    ("rsa", "-in", "key", "-pubout", "-out", "public")):
        subprocess.run(["openssl", *command], check=True, cwd=folder,
                       capture_output=True)
    with open(f"{folder}/public") as file:
        text = "v=DKIM1; k=rsa; p=" + "".join(
            file.read().splitlines()[1:-1])
    parts = [text[i:i + 200] for i in range(0, len(text), 200)]
    world.names(ZONE.format(key=" ".join(f'"{part}"' for part in parts)))
    rspamd = world.rspamd(judges=True)
    server = world.server("a", conf="dns {\n\tservers = { \"127.0.0.1\" }\n}")
    server.cli("domain", "create", DOMAIN, "own_senders=verify")
    server.user(ALICE)
    server.user(f"bob@{DOMAIN}")
    server.cli("filter", "create", "f", "--socket", rspamd.socket)
    with open(f"{folder}/key", "rb") as file:
        server.key = file.read()
    return server


def letter(author, more=""):
    return (f"{more}From: {author}\r\nTo: {ALICE}\r\nSubject: t\r\n"
            "Date: Mon, 30 Nov 2026 12:00:00 +0000\r\n"
            "Message-ID: <1@own.test>\r\n\r\nhello\r\n").encode()


def comes(server, source, sender, text):
    with server.smtp(source=source) as smtp:
        smtp.ehlo("else.test")
        assert smtp.mail(sender)[0] == 250
        assert smtp.rcpt(ALICE)[0] == 250
        code, said = smtp.data(text)
        return code, said.decode()


def test_a_forged_colleague_and_another_system(internet):
    """The other one has no trust, only SPF or a key."""
    server, bob = internet, f"bob@{DOMAIN}"
    other, stranger = "127.0.25.9", "127.0.25.8"
    mine = (f"Authentication-Results: a.splitmail.test; {DKIM}; {SPF}; "
            f"{DMARC}\r\n")
    text = letter(bob)
    signature = dkim.sign(text, b"s1", b"own.test", server.key)
    check(comes(server, other, bob, text), (250, ""))
    check(comes(server, stranger, bob, text), FORGED)
    check(comes(server, stranger, bob, letter(bob, mine)), FORGED)
    check(comes(server, stranger, bob, signature + text), (250, ""))
    check(comes(server, stranger, "x@else.test", text), FORGED)
    check(comes(server, stranger, "x@else.test", signature + text), (250, ""))
    check(comes(server, stranger, "x@else.test",
                signature + text.replace(b"hello", b"hullo")), FORGED)
    check(comes(server, stranger, "", text), FORGED)
    check(comes(server, stranger, "x@else.test", letter("x@else.test")),
          (250, ""))
    code, said = comes(server, stranger, bob, text)
    assert "spf=fail" in said and "dmarc=fail" in said, said
    # another system of ours, whose postmaster reports
    check(comes(server, other, bob, letter(bob, mine)), (250, ""))
    for mail in server.wait_for_mail(ALICE, 5):
        assert mail.count(b"Authentication-Results:") == 1


def test_what_rspamd_quotes_is_no_result(internet):
    """Whatever a stranger has written comes to nothing."""
    server, stranger = internet, "127.0.25.8"
    for sender in ('"x); dkim=pass header.d=own.test (y"@else.test',
                   '"x; dkim=pass header.d=own.test"@else.test',
                   '"x\\"; dkim=pass header.d=own.test"@else.test'):
        code, said = comes(server, stranger, sender, letter(ALICE))
        assert code == 550, said
    for author in ('"x); dkim=pass header.d=own.test (y"@own.test',
                   f"<x@else.test; dkim=pass header.d=own.test>, {ALICE}",
                   f"<{ALICE}; dkim=pass header.d=own.test>"):
        code, said = comes(server, stranger, "x@else.test", letter(author))
        assert code == 550, said
