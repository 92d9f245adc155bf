"""What an administrator changes is in force for the very next RCPT; what he
must not change is refused with a sentence that says why."""

import pytest

from world import wait_until

DOMAIN, ALIAS = "example.test", "alias.test"
STRANGER = "stranger@elsewhere.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"


@pytest.fixture
def sink(world):
    """The other system: it has everybody but those named no..."""
    sink = world.sink()
    sink.on["RCPT"] = lambda session, argument: (
        "550 5.1.1 not here" if "<no" in argument else "250 2.1.5 ok")
    return sink


@pytest.fixture
def server(world, sink):
    server = world.server("a")
    server.leaks_matter = True
    server.cli("domain", "create", DOMAIN, "--alias", ALIAS, "--relay",
               sink.at)
    server.user(ALICE)
    server.cli("user", "create", BOB, "--mail-system", "alternate")
    return server


def answer(server, recipient):
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail(STRANGER)
        code, text = smtp.rcpt(recipient)
        return code, text.decode()


def test_part_of_the_addresses(server, sink):
    server.cli("address", "add", BOB, f"robert@{DOMAIN}")
    assert answer(server, f"robert@{DOMAIN}")[0] == 250
    asked = len(sink.commands)
    server.cli("address", "set", f"robert@{DOMAIN}", "routed=no")
    code, text = answer(server, f"robert@{DOMAIN}")
    assert code == 550 and text.startswith("5.1.1")
    assert answer(server, BOB)[0] == 250
    assert not any("robert" in line for line in sink.commands[asked:]), \
        "an address that is not routed leaked to the other system"
    server.cli("address", "set", f"robert@{DOMAIN}", "routed=yes")
    assert answer(server, f"robert@{DOMAIN}")[0] == 250


def test_not_routed_never_leaks_whatever_unknowns_do(server, sink):
    server.cli("domain", "set", DOMAIN, "forward_unknown=yes")
    server.cli("address", "set", BOB, "routed=no")
    assert answer(server, BOB)[0] == 550
    assert answer(server, f"unknown@{DOMAIN}")[0] == 250
    assert answer(server, f"nobody@{DOMAIN}")[0] == 550
    assert not any("<bob" in line for line in sink.commands)


def test_mail_system_and_back(server, sink):
    assert server.route(ALICE)["action"] == "deliver"
    server.cli("address", "add", ALICE, f"al@{DOMAIN}")
    server.cli("user", "set", ALICE, "mail_system=alternate")
    assert answer(server, ALICE)[0] == 250
    assert server.route(ALICE)["action"] == "relay"
    server.send(STRANGER, f"Al@{DOMAIN}")
    assert sink.messages[-1].recipients == [f"Al@{DOMAIN}"]
    server.cli("user", "set", ALICE, "mail_system=hosted")
    server.send(STRANGER, f"al@{DOMAIN}")
    server.wait_for_mail(ALICE)


def test_home_of_one_address(server, sink):
    server.cli("address", "add", ALICE, f"pilot@{DOMAIN}")
    server.cli("address", "set", f"pilot@{DOMAIN}", "home=alternate")
    server.send(STRANGER, f"pilot@{DOMAIN}")
    assert sink.messages[-1].recipients == [f"pilot@{DOMAIN}"]
    server.cli("address", "set", f"pilot@{DOMAIN}", "home=both")
    server.send(STRANGER, f"pilot@{DOMAIN}")
    wait_until(lambda: len(sink.messages) == 2, 10, "the other's share")
    server.wait_for_mail(ALICE)
    server.cli("address", "set", f"pilot@{DOMAIN}", "home=none")
    assert answer(server, f"pilot@{DOMAIN}")[0] == 550


def test_disabled_and_no_mail(server):
    server.cli("user", "set", ALICE, "enabled=no")
    server.cli("user", "set", BOB, "enabled=no")
    assert answer(server, ALICE)[0] == 550
    assert answer(server, BOB)[0] == 550
    server.cli("user", "set", ALICE, "enabled=yes")
    assert answer(server, ALICE)[0] == 250
    server.cli("user", "set", ALICE, "mail_system=none")
    assert answer(server, ALICE)[0] == 550


def test_domain_alias_and_all_aliases(server):
    assert answer(server, f"alice@{ALIAS}")[0] == 250, "the default address"
    server.cli("address", "add", ALICE, f"only@{DOMAIN}")
    assert answer(server, f"only@{ALIAS}")[0] == 550
    server.cli("address", "add", ALICE, "info@*")
    for name in (DOMAIN, ALIAS):
        assert answer(server, f"info@{name}")[0] == 250
    assert answer(server, "info@later.test")[0] in (550, 554)
    server.cli("domain", "set", DOMAIN, f"aliases={ALIAS},later.test")
    assert answer(server, "info@later.test")[0] == 250
    text = server.refused("address", "add", BOB, f"info@{ALIAS}")
    assert ALICE in text, text


def test_catch_all(server):
    code, _ = answer(server, f"whoever@{DOMAIN}")
    assert code == 550
    server.cli("domain", "set", DOMAIN, f"catch_all={ALICE}")
    server.send(STRANGER, f"whoever@{DOMAIN}")
    server.wait_for_mail(ALICE)
    server.cli("domain", "set", DOMAIN, "catch_all=")
    assert answer(server, f"whoever@{DOMAIN}")[0] == 550


def test_forward_with_and_without_a_copy(server, sink):
    server.cli("user", "set", ALICE, f"forward={BOB}")
    server.send(STRANGER, ALICE)
    wait_until(lambda: [m.recipients for m in sink.messages] == [[BOB]], 10,
               "the forwarded mail")


def test_group_changes(server, sink):
    team = f"team@{DOMAIN}"
    server.cli("group", "create", team, "--member", ALICE)
    server.send(STRANGER, team)
    server.wait_for_mail(ALICE)
    server.cli("group", "add", team, BOB)
    server.send(STRANGER, team)
    wait_until(lambda: len(sink.messages) == 1, 10, "bob's copy")
    server.wait_for_mail(ALICE, 2)
    server.cli("group", "remove", team, ALICE)
    server.send(STRANGER, team)
    wait_until(lambda: len(sink.messages) == 2, 10, "bob's copy")
    assert len(server.mailbox(ALICE)) == 2


def test_shared_mailbox(server):
    server.cli("shared", "create", f"office@{DOMAIN}")
    assert answer(server, f"office@{DOMAIN}")[0] == 250
    assert server.send(STRANGER, f"office@{DOMAIN}") == {}


def test_postmaster_and_abuse_are_always_there(server):
    for recipient in (f"postmaster@{DOMAIN}", f"abuse@{ALIAS}", "postmaster"):
        assert answer(server, recipient)[0] == 250, recipient


def test_refusals(world):
    server = world.server("a")
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    assert "relay" in server.refused("user", "set", ALICE,
                                     "mail_system=alternate")
    assert "relay" in server.refused("domain", "set", DOMAIN,
                                     "forward_unknown=yes")
    server.cli("domain", "set", DOMAIN, "relay=127.0.0.1:2")
    for n in range(12):
        server.cli("user", "create", f"user{n}@{DOMAIN}", "--mail-system",
                   "alternate")
    text = server.refused("domain", "set", DOMAIN, "relay=")
    assert "12" in text and f"user0@{DOMAIN}" in text
    assert f"user9@{DOMAIN}" in text and f"user11@{DOMAIN}" not in text
    server.cli("domain", "set", DOMAIN, f"catch_all={ALICE}")
    text = server.refused("domain", "set", DOMAIN, "forward_unknown=yes")
    assert "catch" in text.lower()
    server.cli("domain", "set", DOMAIN, "catch_all=", "forward_unknown=yes")
    text = server.refused("domain", "set", DOMAIN, f"catch_all={ALICE}")
    assert "unknown" in text.lower()


def test_administrators_are_stored(world):
    server = world.server("a")
    server.cli("domain", "create", DOMAIN)
    server.cli("admin", "create", "hugo", "--domain", DOMAIN, "--role",
               "domain-admin", "--password-stdin", input="a-long-secret\n")
    names = [each["name"] for each in server.cli("admin", "list")]
    assert "admin0" in names and "hugo" in names
    server.cli("admin", "delete", "hugo", "--yes")
    assert "admin0" in server.refused("admin", "delete", "admin0", "--yes")


def test_who_is_asked_for_has_to_exist(server):
    for wrong in (f"user:{BOB}", f"user:nobody@{DOMAIN}", "system:typo"):
        assert server.refused("route", ALICE, "--as", wrong)
    # A system's name cannot be taken for a relay's hosts, which have a dot.
    text = server.refused("system", "create", "10.0.0.7", "--hosts",
                          "10.0.0.8")
    assert "name" in text
    assert "8" in server.refused("admin", "create", "eve", "--domain", DOMAIN,
                                 "--role", "delegate", "--password-stdin",
                                 input="short\n")
