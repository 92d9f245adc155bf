"""What is said of a route is what happens: the same code at RCPT, and the mail
at the same places."""

import re
import time

import pytest

from api import Api
from others import Here, text
from world import claim_address, wait_until

DOMAIN, ALIAS = "true.test", "also.test"
SLAVE = "slave.test"                    # sends unknown addresses on
CATCHING, EMPTY = "catching.test", "empty.test"
CONF = "limits {\n\tretry_min = 600\n\tretry_max = 600\n}"


class Place:
    """The server, the systems around it, and those who ask."""

    def __init__(self, world):
        here = self.here = Here(world, CONF)
        server = self.server = here.server
        self.relay, self.named, self.up = (world.sink(name=name) for name in
                                           ("relay", "named", "up"))
        self.smart = world.sink(name="smart")
        self.system, claim = claim_address()
        self.relaying, claim2 = claim_address()
        self.claims = claim, claim2
        server.cli("domain", "create", DOMAIN, "--alias", ALIAS, "--relay",
                   self.relay.at)
        server.cli("domain", "create", SLAVE, "--relay", self.up.at,
                   "--forward-unknown")
        server.cli("domain", "create", CATCHING)
        server.cli("domain", "create", EMPTY)
        server.cli("system", "create", "named", "--hosts", self.named.at,
                   "--trust", f"{self.system}/32")
        server.cli("system", "create", "relaying", "--hosts", "192.0.2.1",
                   "--trust", f"{self.relaying}/32", "--may-relay")
        server.cli("system", "create", "smart", "--hosts", self.smart.at,
                   "--smart-host")
        self.people()

    def people(self):
        server = self.server
        for name in ("alice", "carol", "dora", "frank", "gina", "both"):
            server.user(f"{name}@{DOMAIN}")
        server.user(f"sam@{SLAVE}")
        server.user(f"target@{CATCHING}")
        for name in ("bob", "berta", "part", "off"):
            server.cli("user", "create", f"{name}@{DOMAIN}",
                       "--mail-system", "alternate")
        server.cli("user", "create", f"none@{DOMAIN}", "--mail-system",
                   "none")
        for words in (
                ("user", "set", f"dora@{DOMAIN}", "enabled=no"),
                ("user", "set", f"off@{DOMAIN}", "enabled=no"),
                ("user", "set", f"berta@{DOMAIN}", "system=named"),
                ("user", "set", f"frank@{DOMAIN}",
                 f"forward=bob@{DOMAIN},x@elsewhere.example"),
                ("user", "set", f"gina@{DOMAIN}",
                 f"forward=berta@{DOMAIN}", "forward_copy=yes"),
                ("address", "add", f"part@{DOMAIN}", f"hidden@{DOMAIN}"),
                ("address", "set", f"hidden@{DOMAIN}", "routed=no"),
                ("address", "add", f"carol@{DOMAIN}", f"away@{DOMAIN}"),
                ("address", "set", f"away@{DOMAIN}", "home=alternate"),
                ("address", "set", f"both@{DOMAIN}", "home=both"),
                ("group", "create", f"team@{DOMAIN}", "--member",
                 f"alice@{DOMAIN}", "--member", f"bob@{DOMAIN}",
                 "--member", f"none@{DOMAIN}"),
                ("group", "create", f"nested@{DOMAIN}", "--member",
                 f"team@{DOMAIN}", "--member", f"y@elsewhere.example"),
                ("group", "create", f"nobody-in@{DOMAIN}"),
                ("shared", "create", f"shared@{DOMAIN}"),
                ("domain", "set", CATCHING,
                 f"catch_all=target@{CATCHING}")):
            server.cli(*words)

    def sinks(self):
        return {self.relay.at: self.relay, self.named.at: self.named,
                self.up.at: self.up, self.smart.at: self.smart}

    def ask(self, who):
        """A session of WHO, greeted."""
        if who.startswith("user:"):
            smtp = self.server.submit(who[5:])
        else:
            smtp = self.server.smtp(source={
                "internet": None, "system:named": self.system,
                "system:relaying": self.relaying}[who])
        smtp.ehlo()
        return smtp


ASKERS = ["internet", f"user:alice@{DOMAIN}", "system:named",
          "system:relaying"]
ADDRESSES = [f"{name}@{DOMAIN}" for name in (
    "alice", "ALICE", "alice+x", "carol", "bob", "BoB+Y", "berta", "part",
    "hidden", "away", "both", "both+z", "dora", "off", "none", "frank",
    "gina", "team", "nested", "nobody-in", "shared", "nosuch", "nosuch+x",
    "postmaster", "abuse", '"odd local"')]
ADDRESSES += [f"alice@{ALIAS}", f"bob@{ALIAS}", f"postmaster@{ALIAS}",
              f"sam@{SLAVE}", f"unknown@{SLAVE}", f"postmaster@{SLAVE}",
              f"target@{CATCHING}", f"anything@{CATCHING}",
              f"x@{EMPTY}", f"postmaster@{EMPTY}", "postmaster",
              "x@elsewhere.example", "x@[127.0.0.1]", "x@nodots"]


@pytest.fixture(scope="module")
def place(shared_world):
    place = Place(shared_world)
    yield place
    for claim in place.claims:
        claim.close()


@pytest.fixture(scope="module")
def said(place):
    """{(asker, address): what the API says}: a command for each would be a
    process for each."""
    api = Api(place.server)
    api.sign_in("admin0", place.server.admin_password)
    return {(who, address): api.get("/route", address=address,
                                    **{"as": who}).json
            for who in ASKERS for address in ADDRESSES}


def test_the_command_says_the_same(place, said):
    """Each address by one asker."""
    for number, address in enumerate(ADDRESSES):
        who = ASKERS[number % len(ASKERS)]
        assert place.server.cli("route", address, "--as", who) == \
            said[who, address], (who, address)


@pytest.mark.parametrize("who", ASKERS)
def test_the_code_at_rcpt_is_the_one(place, said, who):
    """Code and enhanced status."""
    sender = who[5:] if who.startswith("user:") else "s@elsewhere.test"
    wrong = []
    for address in ADDRESSES:
        with place.ask(who) as smtp:
            assert smtp.mail(sender)[0] == 250
            code, text = smtp.docmd(f"RCPT TO:<{address}>")
            smtp.rset()
        route = said[who, address]
        heard = (code, text.decode().split()[0])
        if heard != (route["code"], route["status"]):
            wrong.append((address, heard, route["code"], route["status"],
                          route["text"]))
    assert not wrong


def places_of(route):
    """Where its legs lead: {("mailbox", login), (host, address)}."""
    found = set()
    for leg in route["legs"]:
        if "mailbox" in leg:
            found.add(("mailbox", leg["mailbox"]))
        else:
            found.add((leg["hosts"][0], leg["address"]))
    return found


@pytest.mark.parametrize("who", ASKERS[:2])
def test_it_goes_where_route_says(place, said, who):
    """Each accepted address with a subject of its own: it is at each place
    that was named, once, and nowhere else."""
    sender = who[5:] if who.startswith("user:") else "s@elsewhere.test"
    wanted = {}
    with place.ask(who) as smtp:
        for number, address in enumerate(ADDRESSES):
            route = said[who, address]
            if route["code"] != 250 or address == "postmaster":
                continue
            subject = f"{who} {number}"
            smtp.mail(sender)
            assert smtp.docmd(f"RCPT TO:<{address}>")[0] == 250
            assert smtp.data(text(subject))[0] == 250, address
            wanted[subject] = places_of(route)
            assert wanted[subject], address
    count = sum(len(places) for places in wanted.values())
    wait_until(lambda: len(deliveries(place, who)) >= count, 40,
               f"{count} deliveries")
    place.server.wait_for_queue(0)
    time.sleep(0.5)
    found = deliveries(place, who)
    assert sorted(found) == sorted((subject, where) for subject in wanted
                                   for where in wanted[subject])


def subject_of(mail):
    return mail.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()


def mailboxes(server):
    """[(login, mail)], those included that nobody can log in to."""
    for login, path in server.mail_files():
        with open(path, "rb") as file:
            yield login, re.sub(rb"\r?\n", b"\r\n", file.read())


def deliveries(place, who):
    """[(subject, place)] of what WHO has sent."""
    found = [(subject_of(message.data), (at, recipient))
             for at, sink in place.sinks().items()
             for message in sink.messages
             for recipient in message.recipients]
    found += [(subject_of(mail), ("mailbox", login))
              for login, mail in mailboxes(place.server)]
    return [each for each in found if each[0].startswith(who)]
