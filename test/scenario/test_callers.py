"""Whoever calls from a host of the other system is not given back what it
hands us: per recipient, by whatever name the system goes, and route says so."""

import copy
import subprocess

import pytest

from api import Api
from world import wait_until

HERE, THERE, THERE_TOO, ELSEWHERE = "192.0.2.10", "192.0.2.77", "192.0.2.78", \
    "192.0.2.99"
NAME = "mail.there.test"
CONSOLE = "127.0.0.1"
STRANGER = "stranger@elsewhere.test"


class Place:
    """A server at HERE; one machine at THERE that is the relay of two domains,
    at two ports, and by its name that of a third."""

    def __init__(self, world):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for address in HERE, THERE, THERE_TOO, ELSEWHERE:
            subprocess.run(["ip", "addr", "add", f"{address}/32", "dev",
                            "lo"], check=True)
        self.names = world.names(f"""
            {NAME}.  A  {THERE_TOO}
            {NAME}.  A  {THERE}
        """)
        self.sinks = [world.sink(name=name, address=THERE, port=port)
                      for name, port in (("one", 2525), ("two", 2526),
                                         ("three", 2527))]
        self.server = server = world.server(
            "a", start=False, conf='dns {\n\tservers = {"127.0.0.1"}\n}')
        path = f"{server.data}/splitmail.conf"
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            # on loopback the console speaks without TLS
            console = 'console {\n\taddress = "%s"'
            file.write(text.replace(console % server.address,
                                    console % CONSOLE)
                       .replace(server.address, HERE))
        server.address = HERE
        server.serve()
        for domain, relay in (("one.test", f"{THERE}:2525"),
                              ("two.test", f"{THERE}:2526"),
                              ("three.test", f"{NAME}:2527")):
            server.cli("domain", "create", domain, "--relay", relay,
                       "--forward-unknown")
            server.user(f"both@{domain}")
            server.cli("address", "set", f"both@{domain}", "home=both")

    def send(self, *recipients, source=THERE):
        """What each of THERE's ports got of one mail; all is done after."""
        before = [len(sink.messages) for sink in self.sinks]
        with self.server.smtp(source=source) as smtp:
            smtp.sendmail(STRANGER, list(recipients),
                          "Subject: x\r\n\r\nx\r\n")
        self.server.wait_for_queue(0)
        return [[r for m in sink.messages[n:] for r in m.recipients]
                for sink, n in zip(self.sinks, before)]

    def rcpt(self, recipient, source):
        with self.server.smtp(source=source) as smtp:
            smtp.ehlo()
            smtp.mail(STRANGER)
            code, text = smtp.docmd(f"RCPT TO:<{recipient}>")
            return code, text.decode().split()[0]


@pytest.fixture
def place(own_network, world):
    return Place(world)


def test_nothing_is_handed_back(place):
    domains = ["one.test", "two.test", "three.test"]
    everybody = [f"both@{domain}" for domain in domains]
    for recipient in everybody:
        assert place.send(recipient) == [[], [], []]
        assert place.send(recipient, source=THERE_TOO) == (
            [[], [], []] if "three" in recipient else
            [[recipient] if f"both@{d}" == recipient else []
             for d in domains])
    # one mail to all of them, in any order
    assert place.send(*everybody) == [[], [], []]
    assert place.send(*reversed(everybody)) == [[], [], []]
    # from anybody else: everything
    assert place.send(*everybody, source=ELSEWHERE) == [
        [recipient] for recipient in everybody]
    # our own address says nothing
    assert place.send(*everybody, source=HERE) == [
        [recipient] for recipient in everybody]
    wait_until(lambda: len(place.server.mailbox("both@one.test")) == 6, 20,
               "the mailbox's share of each")


def test_route_knows_the_caller(place):
    server = place.server
    at_console = copy.copy(server)
    at_console.address = CONSOLE
    api = Api(at_console)
    api.sign_in("admin0", server.admin_password)
    for source in HERE, THERE, THERE_TOO, ELSEWHERE:
        for recipient in ("both@one.test", "x@two.test", "x@three.test"):
            said = server.cli("route", recipient, "--from", source)
            if source != HERE:
                assert place.rcpt(recipient, source) == (said["code"],
                                                         said["status"])
            ids = [reason["id"] for reason in said["reasons"]]
            back = source == THERE or (source == THERE_TOO
                                       and recipient == "x@three.test")
            assert ("caller-is-system" in ids) is back, (recipient, source)
            asked = api.get("/route", address=recipient,
                            **{"from": source}).json
            for leg in asked["legs"] + said["legs"]:
                for what in "state", "since", "problem":    # of a moment
                    leg.pop(what, None)
            assert asked == said
    assert api.get("/route", 422, address="x@one.test",
                   **{"from": "nowhere"}).json["reason"] == "bad-ip"


def test_who_is_trusted_there_asks(place):
    server = place.server
    server.cli("system", "create", "trusted", "--hosts", "192.0.2.200",
               "--trust", f"{THERE}/32", "--may-relay")
    said = server.cli("route", "x@elsewhere.example", "--from", THERE)
    assert said["code"] == 250
    said = server.cli("route", "x@elsewhere.example", "--from", ELSEWHERE)
    assert said["code"] == 550
    # trusted, and nothing is handed back all the same
    assert place.rcpt("x@two.test", THERE) == (550, "5.1.1")
    assert place.send("both@one.test", "both@two.test") == [[], [], []]
