"""Mail to a domain that names its certificates in DNSSEC goes to nobody else."""

import hashlib

import pytest

from certificate import Certificate
from world import wait_until

ALICE = "alice@example.test"
CONF = "limits {\n\tretry_min = 1\n\tretry_max = 2\n}\n"
TEXT = "Subject: hello\r\n\r\nhello\r\n"
WRONG = hashlib.sha256(b"another").hexdigest()
FORGED = hashlib.sha256(b"forged").hexdigest()


@pytest.fixture
def internet(own_network, world):
    class Internet:
        folder = world.subfolder("certificates")
        certificate = Certificate(folder, "named.otherwise.example")
        issuer = Certificate(folder, "issuer.example")
        key_print = certificate.print("-noout", "-pubkey")
        right, wrong = [f"TLSA 3 1 1 {each}" for each in (key_print, WRONG)]
        names = world.signed_names(f"""
            right.example.             MX 10 mx.right.example.
            mx.right.example.          A 127.0.25.1
            _25._tcp.mx.right.example. {right}
            _25._tcp.mx.right.example. {wrong}
            wrong.example.             MX 10 mx.wrong.example.
            mx.wrong.example.          A 127.0.25.2
            _25._tcp.mx.wrong.example. {wrong}
            forged.example.             MX 10 mx.forged.example.
            mx.forged.example.          A 127.0.25.3
            _25._tcp.mx.forged.example. TLSA 3 1 1 {FORGED}
            late.example.              MX 10 mx.late.example.
            mx.late.example.           A 127.0.25.4
            useless.example.             MX 10 mx.useless.example.
            mx.useless.example.          A 127.0.25.5
            _25._tcp.mx.useless.example. TLSA 1 1 1 {WRONG}
            clear.example.             MX 10 mx.clear.example.
            mx.clear.example.          A 127.0.25.6
            _25._tcp.mx.clear.example. TLSA 1 1 1 {WRONG}
            none.example.    MX 10 mx.none.example.
            mx.none.example. A 127.0.25.7
            issued.example.             MX 10 mx.issued.example.
            mx.issued.example.          A 127.0.25.9
            _25._tcp.mx.issued.example. TLSA 2 0 1 {issuer.print()}
            alias.example.    MX 10 mx.alias.example.
            mx.alias.example. CNAME mx.wrong.example.
            two.example.     MX 10 mx.wrong.example.
            two.example.     MX 20 mx.right.example.
            """)
        names.forged = {FORGED: key_print}
        names.zone("_tcp.mx.late.example.",
                   f"_25._tcp.mx.late.example. {right}", expired=True)
        names.zone("plain.example.", f"""
            plain.example.             MX 10 mx.plain.example.
            mx.plain.example.          A 127.0.25.8
            _25._tcp.mx.plain.example. {wrong}""")
        names.up()
        server = world.server("a", conf=CONF + names.conf)

        def host(self, name, number, tls=True, certificate=None):
            return world.sink(
                name=name, address=f"127.0.25.{number}", port=25,
                tls=(certificate or self.certificate).tls if tls else False)

        def send(self, domain):
            assert self.server.send(ALICE, [f"x@{domain}"], TEXT,
                                    user=ALICE) == {}

        def why(self, word):
            """...it waits, and nothing else does."""
            def says():
                replies = [r["last_reply"] or "" for entry in
                           self.server.queue() for r in entry["recipients"]]
                return all(word in reply for reply in replies) and replies
            return wait_until(says, 60, word)

    Internet.server.cli("domain", "create", "example.test")
    Internet.server.user(ALICE)
    return Internet()


def test_the_certificate_that_dnssec_names(internet):
    """Whatever it says of itself; and the log says how it was known."""
    sink = internet.host("right", 1)
    internet.send("right.example")
    [message] = sink.wait(1, timeout=60)
    assert message.tls
    assert "(DANE)" in internet.server.log()
    assert "or as DANE or MTA-STS wants it" in internet.server.run(
        "route", "x@right.example", "--as", f"user:{ALICE}").stdout
    internet.server.wait_for_queue(0)


@pytest.mark.parametrize("domain, number, tls, why", [
    ("wrong.example", 2, True, "DANE"),
    ("alias.example", 2, True, "DANE"),
    ("forged.example", 3, True, "DANE of mx.forged.example"),
    ("late.example", 4, True, "DANE of mx.late.example"),
    ("clear.example", 6, False, "TLS is required, as DANE wants it"),
])
def test_mail_waits_and_says_why(internet, domain, number, tls, why):
    """A certificate that is not named, names that are not vouched for any more,
    and no TLS where it is announced."""
    sink = internet.host(domain, number, tls)
    internet.send(domain)
    internet.why(why)
    assert not any(command.startswith("MAIL") for command in sink.commands)
    if domain == "forged.example":
        internet.names.forged = {}
        internet.names.zones["."] = (
            internet.names.zones["."][0].replace(
                FORGED, internet.key_print), True, False)
        internet.names.up()
        [message] = sink.wait(1, timeout=120)
        assert message.tls


def test_records_of_no_use_want_tls(internet):
    sink = internet.host("useless", 5)
    internet.send("useless.example")
    [message] = sink.wait(1, timeout=60)
    assert message.tls


def test_where_nothing_is_vouched_for(internet):
    """No record; or one in a zone that is not signed: as it always was."""
    sinks = internet.host("none", 7, tls=False), internet.host("plain", 8)
    internet.send("none.example")
    internet.send("plain.example")
    for sink in sinks:
        sink.wait(1, timeout=60)


@pytest.mark.parametrize("name, arrives", [
    ("mx.issued.example", True), ("issued.example", True),
    ("other.example", False)])
def test_an_issuer_that_dnssec_names(internet, name, arrives):
    """Then the certificate has to be the host's, or the domain's."""
    sink = internet.host("issued", 9, certificate=Certificate(
        internet.folder, name, internet.issuer))
    internet.send("issued.example")
    if arrives:
        sink.wait(1, timeout=60)
    else:
        internet.why("DANE")
        assert not sink.messages


def test_the_next_host_is_tried(internet):
    wrong, right = internet.host("wrong", 2), internet.host("right", 1)
    internet.send("two.example")
    [message] = right.wait(1, timeout=60)
    assert message.tls
    assert wrong.connections and not wrong.messages


def test_name_servers_that_do_not_know_dnssec(own_network, world):
    """Then nothing can be believed; and whoever asks how it is hears that."""
    world.names("one.example. MX 10 mx.one.example.\n"
                "mx.one.example. A 127.0.25.1")
    sink = world.sink(name="mx", address="127.0.25.1", port=25)
    server = world.server("a", conf=CONF + "dns {\n\tservers = "
                          "{ \"127.0.0.1\" }\n\tdnssec = yes\n}")
    server.cli("domain", "create", "example.test")
    server.user(ALICE)
    server.send(ALICE, ["x@one.example"], TEXT, user=ALICE)
    wait_until(lambda: "cannot be validated (DNSSEC)" in
               server.run("status").stdout, 90, "a warning")
    wait_until(lambda: "DNSSEC" in str(server.queue()), 60, "a reason")
    assert not sink.connections
