"""Keys that sign a domain's mail: made, published, used, succeeded; and what the
Rspamd that Splitmail runs signs with them."""

import json
import os
import re
import stat

import dkim
import pytest

from api import Api
from splitmail import Refused
from test_logins import Sieve
from world import wait_until

DOMAIN, ALIAS, OTHER = "own.test", "alias.test", "other.test"
HOST = "splitmail.test"         # what servers of the tests are called by
ALICE, CAROL = f"alice@{DOMAIN}", f"carol@{OTHER}"
AWAY = "friend@elsewhere.test"
STRANGER = "stranger@elsewhere.test"


# ---- keys, without anybody who signs ---------------------------------------

@pytest.fixture(scope="module")
def plain(shared_world):
    return shared_world.server("plain")


def keys(server, domain):
    return server.cli("domain", "dkim", "show", domain)["keys"]


def states(server, domain):
    return {key["selector"]: key["state"] for key in keys(server, domain)}


def zone(shown):
    """What a name server makes of the lines for a zone file."""
    return {name: "".join(re.findall(r'"([^"]*)"', rest)).encode()
            for key in shown["keys"] for record in key["records"]
            for name, _, rest in [record["zone"].partition(". IN TXT ")]}


def test_records_are_as_a_zone_file_and_a_form_want_them(plain):
    plain.cli("domain", "create", "text.test", "--alias", "text.example")
    plain.cli("domain", "dkim", "create", "text.test")
    shown = plain.cli("domain", "dkim", "show", "text.test")
    assert shown["signs"] is False
    rsa, ed25519 = shown["keys"]
    assert (rsa["algorithm"], ed25519["algorithm"]) == ("rsa", "ed25519")
    for key in rsa, ed25519:
        assert key["text"].startswith(f"v=DKIM1; k={key['algorithm']}; p=")
        assert [r["name"] for r in key["records"]] == [
            f"{key['selector']}._domainkey.{name}"
            for name in ("text.test", "text.example")]
        for record in key["records"]:
            strings = re.findall(r'"([^"]*)"', record["zone"])
            assert all(0 < len(each) <= 255 for each in strings)
            assert "".join(strings) == key["text"]
    assert len(rsa["text"]) > 400 and len(ed25519["text"]) < 100


def test_nothing_is_signed_and_why(plain):
    plain.cli("domain", "create", "why.test")
    text = plain.run("domain", "dkim", "show", "why.test").stdout
    assert "Nothing signs mail of why.test: no key is in use." in text
    plain.cli("domain", "dkim", "create", "why.test", "--now")
    shown = plain.cli("domain", "dkim", "show", "why.test")
    assert shown["why_not"] in ("rspamd-not-enabled", "rspamd-not-installed")


def test_the_api_has_them_too_and_no_secret(plain):
    api = Api(plain)
    api.sign_in("admin0", plain.admin_password)
    plain.cli("domain", "create", "api.test")
    plain.cli("domain", "create", "not.his.test")
    at = "/domains/api.test/dkim"
    assert api.get(at).json["keys"] == []
    made = api.post(at, {"selector": "one"}, status=201).json
    assert [key["state"] for key in made["keys"]] == ["new"]
    assert made == plain.cli("domain", "dkim", "show", "api.test")
    api.post(f"{at}/use", {"selector": "one", "now": True})
    answer = api.post(f"{at}/rotate", {}).json
    new = answer["keys"][1]["selector"]
    assert [key["state"] for key in answer["keys"]] == ["active", "new"]
    refused = api.request("POST", f"{at}/rotate", {}, 422).json
    assert refused["reason"] == "dkim-key-waits"
    api.post(f"{at}/use", {"now": True})
    assert states(plain, "api.test") == {"one": "old", new: "active"}
    refused = api.request("DELETE", f"{at}/one", None, 422).json
    assert refused["reason"] == "dkim-key-is-needed"
    api.delete(f"{at}/one", preview="true", anyway="true")
    assert "one" in states(plain, "api.test")
    api.delete(f"{at}/one", anyway="true")
    api.request("DELETE", f"{at}/one", None, 404)
    api.get("/domains/nobody.test/dkim", status=404)
    assert "PRIVATE" not in str(api.get("/changes", limit=100).json)
    # who has the domain may; who has another may not even look
    plain.cli("admin", "create", "his", "--role", "domain-admin", "--domain",
              "api.test", "--password", "correct horse")
    his = Api(plain)
    his.sign_in("his", "correct horse")
    assert his.get(at).json["keys"]
    his.get("/domains/not.his.test/dkim", status=404)
    his.request("POST", "/domains/not.his.test/dkim", {}, 404)


def test_fifty_domains(plain):
    for number in range(50):
        plain.cli("domain", "create", f"d{number}.test")
        plain.cli("domain", "dkim", "create", f"d{number}.test",
                  "--algorithm", "ed25519", "--now")
    texts = {keys(plain, f"d{number}.test")[0]["text"] for number in range(50)}
    assert len(texts) == 50


# ---- DNS -------------------------------------------------------------------

def publish(names, lines):
    for zone in DOMAIN, ALIAS:
        names.zone(f"{zone}.", "\n".join(line for line in lines if
                                         f"{zone}. " in line))
    names.up()


def found(server, domain):
    """name -> what DNS has; the exit status is another test's."""
    got = server.run("--json", "domain", "dkim", "check", domain)
    return {record["name"]: record["published"]
            for key in json.loads(got.stdout)["keys"]
            for record in key["records"]}, got.returncode


def test_what_dns_has(own_network, world):
    names = world.signed_names("ns.root-servers.test. A 127.0.0.1\n")
    server = world.server("a", conf=f'dns {{\n\tservers = '
                                    f'{{ "{names.address}" }}\n}}')
    server.cli("domain", "create", DOMAIN, "--alias", ALIAS)
    server.cli("domain", "dkim", "create", DOMAIN)
    rsa, ed25519 = keys(server, DOMAIN)
    lines = [record["zone"] for key in (rsa, ed25519)
             for record in key["records"]]
    at = [record["name"] for key in (rsa, ed25519)
          for record in key["records"]]
    said, status = found(server, DOMAIN)
    assert set(said.values()) == {"absent"} and status == 1
    with pytest.raises(Refused, match="DNS has no record"):
        server.cli("domain", "dkim", "use", DOMAIN)
    # the key of another selector, a revoked one, two, and one that is right
    other = lines[2].replace(at[2], at[0])
    publish(names, [
        other, f'{at[1]}. IN TXT "v=DKIM1; p="',
        lines[2], f'{at[2]}. IN TXT "v=DKIM1; p=AAAA"', lines[3]])
    said, status = found(server, DOMAIN)
    assert [said[name] for name in at] == ["other", "revoked", "several",
                                           "yes"]
    assert status == 1
    publish(names, lines)       # as they were printed
    said, status = found(server, DOMAIN)
    assert set(said.values()) == {"yes"} and status == 0
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    checked = api.get(f"/domains/{DOMAIN}/dkim/check").json
    assert {record["published"] for key in checked["keys"]
            for record in key["records"]} == {"yes"}
    server.cli("domain", "dkim", "use", DOMAIN)
    assert set(states(server, DOMAIN).values()) == {"active"}
    # a new one that is not there is not used, by neither door
    server.cli("domain", "dkim", "rotate", DOMAIN)
    refused = api.request("POST", f"/domains/{DOMAIN}/dkim/use", {}, 422).json
    assert refused["reason"] == "dkim-not-published"
    assert sorted(states(server, DOMAIN).values()) == ["active", "active",
                                                       "new", "new"]
    names.down()
    said, status = found(server, DOMAIN)
    assert set(said.values()) == {"unknown"} and status == 1


# ---- signed ----------------------------------------------------------------

@pytest.fixture(scope="module")
def signer(shared_world):
    """One whose mail leaves for a sink, and which signs."""
    sink = shared_world.sink(name="out")
    server = shared_world.server(
        "signer", conf='dns {\n\tservers = {"127.0.0.1@9"}\n}')
    server.sink = sink
    assert server.hostname.endswith("." + HOST)
    server.cli("domain", "create", DOMAIN, "--alias", ALIAS, "--alias", HOST)
    server.cli("domain", "create", OTHER)
    server.cli("domain", "create", "unsigned.test")
    server.user(ALICE)
    server.user(CAROL)
    server.user("dan@unsigned.test")
    server.cli("system", "create", "out", "--hosts", sink.at, "--smart-host",
               "--tls", "none")
    server.cli("domain", "dkim", "create", DOMAIN, "--now")
    server.cli("domain", "dkim", "create", OTHER, "--selector", "solo",
               "--now")
    server.cli("filter", "enable", "rspamd")
    wait_until(lambda: server.cli("filter", "show", "rspamd")["answers"], 120,
               "Rspamd", pause=0.5)
    shown = server.cli("domain", "dkim", "show", DOMAIN)
    assert shown["signs"] and shown["why_not"] is None
    return server


@pytest.fixture
def sink(signer):
    signer.sink.messages.clear()
    return signer.sink


def letter(author, subject="hello", to=AWAY, more=""):
    return (f"From: <{author}>\r\nTo: <{to}>\r\n"
            "Date: Mon, 30 Nov 2026 12:00:00 +0000\r\n"
            f"Message-ID: <{subject}@own.test>\r\n{more}"
            f"Subject: {subject}\r\n\r\nhello\r\n")


def records(server):
    """What DNS would have if all was published that the command shows."""
    return {name: text for domain in (DOMAIN, OTHER) for name, text in
            zone(server.cli("domain", "dkim", "show", domain)).items()}


def signatures(data, published):
    """The valid ones, as {(domain, algorithm)}; none may be invalid."""
    def text(name, timeout=5):
        return published[name.decode().rstrip(".")]

    header = data.partition(b"\r\n\r\n")[0] + b"\r\n"
    headers = re.findall(rb"^DKIM-Signature:(?:.*\r\n)(?:[ \t].*\r\n)*",
                         header, re.M)
    valid = set()
    for number, header in enumerate(headers):
        header = re.sub(rb"\s", b"", header)
        assert dkim.DKIM(data).verify(number, dnsfunc=text), header
        [domain] = re.findall(rb"[:;]d=([^;]*)", header)
        [algorithm] = re.findall(rb"[:;]a=([^;]*)", header)
        valid.add((domain.decode(), algorithm.decode()))
    return valid


BOTH = {(DOMAIN, "rsa-sha256"), (DOMAIN, "ed25519-sha256")}

long = pytest.mark.long         # Rspamd takes half a minute to come up


@long
def test_a_user_s_mail_has_both_signatures(signer, sink):
    signer.send(ALICE, AWAY, letter(ALICE), user=ALICE)
    [mail] = sink.wait(1)
    assert signatures(mail.data, records(signer)) == BOTH
    broken = mail.data.replace(b"Subject: hello", b"Subject: hullo")
    with pytest.raises(AssertionError):
        signatures(broken, records(signer))


@long
@pytest.mark.parametrize("sender, author, user, signed", [
    (f"alice@{ALIAS}", f"Alice@{ALIAS.upper()}", ALICE,
     {(ALIAS, "rsa-sha256"), (ALIAS, "ed25519-sha256")}),
    (ALICE, f"alice@{ALIAS}", ALICE,
     {(ALIAS, "rsa-sha256"), (ALIAS, "ed25519-sha256")}),
    (CAROL, CAROL, CAROL, {(OTHER, "rsa-sha256")}),
    (CAROL, ALICE, CAROL, set()),               # in another's name
    ("dan@unsigned.test", "dan@unsigned.test", "dan@unsigned.test", set()),
    (ALICE, "somebody@gmail.test", ALICE, set()),
    (ALICE, "../../../etc/passwd@own.test/../x", ALICE, set()),
], ids=["alias", "author's alias", "one key", "forged", "no key",
        "a stranger's domain", "odd"])
def test_whose_domain_signs(signer, sink, sender, author, user, signed):
    signer.send(sender, AWAY, letter(author), user=user)
    [mail] = sink.wait(1)
    assert signatures(mail.data, records(signer)) == signed


@long
def test_two_authors_sign_nothing(signer, sink):
    text = letter(ALICE).replace(f"<{ALICE}>", f"<{ALICE}>, <{CAROL}>", 1)
    signer.send(ALICE, AWAY, text, user=ALICE)
    [mail] = sink.wait(1)
    assert signatures(mail.data, records(signer)) == set()


@long
def test_a_stranger_s_mail_is_not_signed(signer, sink):
    """Also one that says it is ours, and is only sent on."""
    signer.cli("user", "set", ALICE, f"forward={AWAY}", "forward_copy=yes")
    try:
        for number, author in enumerate((STRANGER, CAROL, ALICE)):
            signer.send(author, ALICE, letter(author, f"s{number}", ALICE))
        mails = sink.wait(3)
        assert all(signatures(mail.data, records(signer)) == set()
                   for mail in mails)
        for data in signer.wait_for_mail(ALICE, 3):
            assert b"DKIM-Signature" not in data
    finally:
        signer.cli("user", "set", ALICE, "forward=")


@long
def test_what_sieve_sends_on_is_not_signed_and_what_it_writes_is(signer, sink):
    signer.user(f"eve@{DOMAIN}")
    Sieve(signer, f"eve@{DOMAIN}").install(
        'require ["vacation"];\r\n'
        f'if header :is "Subject" "on" {{ redirect "{AWAY}"; }}\r\n'
        'else { vacation :days 1 "I am away."; }\r\n')
    signer.send(f"eve@{DOMAIN}", f"eve@{DOMAIN}",
                letter(f"eve@{DOMAIN}", "on", f"eve@{DOMAIN}"))
    [mail] = sink.wait(1)
    assert b"Subject: on\r\n" in mail.data
    assert signatures(mail.data, records(signer)) == set()
    sink.messages.clear()
    signer.send(STRANGER, f"eve@{DOMAIN}",
                letter(STRANGER, "ask", f"eve@{DOMAIN}"))
    [mail] = sink.wait(1)
    assert b"I am away." in mail.data
    assert signatures(mail.data, records(signer)) == BOTH


@long
def test_a_program_s_mail_is_signed_and_what_it_sends_on_is_not(signer, sink):
    for subject, more in ("fresh", ""), ("through", "Received: from x\n"):
        done = signer.run("sendmail", "-f", CAROL, AWAY,
                          input=f"{more}From: <{CAROL}>\nTo: <{AWAY}>\n"
                                f"Subject: {subject}\n\nhello\n")
        assert done.returncode == 0, done.stderr
    said = {re.search(rb"Subject: (\w+)", mail.data)[1]: signatures(
        mail.data, records(signer)) for mail in sink.wait(2)}
    assert said == {b"fresh": {(OTHER, "rsa-sha256")}, b"through": set()}


@long
def test_another_system_s_mail(signer, sink):
    """Signed is what it sends out in our name; not what it hands us, which may
    be a stranger's, nor in the name of others."""
    signer.cli("system", "create", "exchange", "--hosts", "192.0.2.9",
               "--trust", "127.0.0.1", "--may-relay")
    try:
        received = "Received: from pc by exchange; Mon, 30 Nov 2026\r\n"
        signer.send(CAROL, AWAY, letter(CAROL, "out", more=received))
        signer.send(STRANGER, AWAY, letter(CAROL, "theirs"))
        signer.send(CAROL, AWAY, letter(STRANGER, "forged"))
        signer.send(CAROL, f"dan@unsigned.test", letter(CAROL, "in"))
        said = {re.search(rb"Subject: (\w+)", mail.data)[1]: signatures(
            mail.data, records(signer)) for mail in sink.wait(3)}
        assert said == {b"out": {(OTHER, "rsa-sha256")}, b"theirs": set(),
                        b"forged": set()}
        [mail] = signer.wait_for_mail("dan@unsigned.test")
        assert b"DKIM-Signature" not in mail
    finally:
        signer.cli("system", "delete", "exchange", "--yes")


def bounced(server, sink, subject):
    """What Alice is told of mail that one of two does not take."""
    before = len(server.mailbox(ALICE))
    sink.on["RCPT"] = {"bad@elsewhere.test": "550 5.1.1 no such user"}
    try:
        server.send(ALICE, [AWAY, "bad@elsewhere.test"],
                    letter(ALICE, subject), user=ALICE)
        dsn = server.wait_for_mail(ALICE, before + 1)[-1]
    finally:
        del sink.on["RCPT"]
    assert b"multipart/report" in dsn and b"bad@elsewhere.test" in dsn
    return dsn


@long
def test_our_own_notices_are_signed(signer, sink):
    """By the domain that the server's name belongs to."""
    dsn = bounced(signer, sink, "one")
    assert signatures(dsn, records(signer)) == {
        (HOST, "rsa-sha256"), (HOST, "ed25519-sha256")}


@long
def test_keys_are_changed_without_a_word_to_rspamd(signer, sink):
    """Mail that waits still verifies, and what comes has the new key."""
    before = records(signer)
    folder = f"{signer.data}/rspamd/dkim"
    name = f"{folder}/{OTHER}"
    assert stat.S_IMODE(os.stat(name).st_mode) == 0o600
    assert os.stat(name).st_uid == os.stat(signer.data).st_uid
    signer.send(CAROL, AWAY, letter(CAROL, "old"), user=CAROL)
    [old] = sink.wait(1)
    sink.on["RCPT"] = "451 4.3.0 later"
    signer.send(CAROL, AWAY, letter(CAROL, "waits"), user=CAROL)
    signer.wait_for_queue(1)
    signer.cli("domain", "dkim", "rotate", OTHER)
    signer.cli("domain", "dkim", "use", OTHER, "--now")
    [was, now] = keys(signer, OTHER)
    assert (was["state"], now["state"]) == ("old", "active")
    assert was["needed_until"] > was["since"]
    with open(name) as file:
        text = file.read()
    wait_until(lambda: now["selector"] in open(name).read(), 10, "its file")
    sink.messages.clear()
    sink.on["RCPT"] = "250 2.1.5 ok"
    signer.cli("queue", "retry", "--all")
    [waited] = sink.wait(1)
    assert b"Subject: waits" in waited.data
    sink.messages.clear()
    signer.send(CAROL, AWAY, letter(CAROL, "new"), user=CAROL)
    [new] = sink.wait(1)
    assert f"s={now['selector']};".encode() in re.sub(rb"\s", b"", new.data)
    after = records(signer)
    for mail in old, waited, new:
        assert signatures(mail.data, after) == {(OTHER, "rsa-sha256")}
    with pytest.raises(KeyError):
        signatures(new.data, before)
    # deleted: nothing is left of it
    signer.cli("domain", "dkim", "delete", OTHER, was["selector"], "--yes")
    signer.cli("domain", "dkim", "delete", OTHER, now["selector"], "--yes")
    wait_until(lambda: not os.path.exists(name), 10, "the file's end")
    assert text
    sink.messages.clear()
    signer.send(CAROL, AWAY, letter(CAROL, "none"), user=CAROL)
    [none] = sink.wait(1)
    assert signatures(none.data, {}) == set()
