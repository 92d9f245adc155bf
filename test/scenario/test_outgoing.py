"""Which of this machine's addresses mail leaves from."""

import os
import re
import subprocess

import pytest

from world import wait_until

ALICE, BOB = "alice@one.test", "bob@two.test"
ZONE = """
    far.example.     MX 10 mx.far.example.
    mx.far.example.  A 127.0.25.1
    six.example.     MX 10 mx.six.example.
    mx.six.example.  AAAA ::1
    both.example.    MX 10 mx.both.example.
    mx.both.example. AAAA ::1
    mx.both.example. A 127.0.25.1
"""
CONF = ("dns {\n\tservers = { \"127.0.0.1\" }\n}\n"
        "limits {\n\tretry_min = 1\n\tretry_max = 2\n}\n")
TEXT = "Subject: hello\r\n\r\nhello\r\n"


class Internet:
    def __init__(self, world, conf=CONF):
        world.names(ZONE)
        self.server = world.server("a", conf=conf)
        self.far = world.sink(name="far", address="127.0.25.1", port=25)
        for user in (ALICE, BOB):
            self.server.cli("domain", "create", user.split("@")[1])
            self.server.user(user)

    def send(self, sender, *recipients):
        return self.server.send(sender, list(recipients), TEXT, user=sender)

    def last_reply(self):
        [entry] = self.server.wait_for_queue(1)
        return entry["recipients"][0]["last_reply"]


@pytest.fixture
def internet(own_network, world):
    return Internet(world)


def came_from(sink, n):
    return [m.peer for m in sink.wait(n, timeout=60)]


def test_each_domain_has_its_own(internet):
    server = internet.server
    server.cli("domain", "set", "one.test", "outgoing=127.0.9.1")
    server.cli("domain", "set", "two.test", "outgoing=127.0.9.2")
    internet.send(ALICE, "x@far.example")
    internet.far.wait(1, timeout=60)
    internet.send(BOB, "x@far.example")
    internet.far.wait(2, timeout=60)
    # The connection of the one lies in the pool, and is not the other's.
    internet.send(ALICE, "y@far.example")
    assert came_from(internet.far, 3) == ["127.0.9.1", "127.0.9.2",
                                          "127.0.9.1"]
    assert {m.helo for m in internet.far.messages} == {server.hostname}
    said = server.run("route", "x@far.example", "--as", f"user:{ALICE}").stdout
    assert "wants it, from 127.0.9.1\n" in said
    assert "in the name of one.test leaves from 127.0.9.1" in said
    wait_until(lambda: "relay=mx.far.example[127.0.25.1]:25 from 127.0.9.2,"
               in server.log())
    [leg] = server.route("x@far.example", "--as", f"user:{ALICE}")["legs"]
    assert leg["outgoing"] == "127.0.9.1"


def test_what_has_no_sender_is_in_the_name_of_who_made_it(internet):
    server = internet.server
    server.cli("domain", "set", "one.test", "outgoing=127.0.9.1")
    server.cli("group", "create", "all@one.test", "--member",
               "m@far.example")
    # <> by a group of the domain; a foreign sender, rewritten to it; <> of a user.
    server.send("", ["all@one.test"], TEXT)
    internet.far.wait(1, timeout=60)
    server.send("s@elsewhere.example", ["all@one.test"], TEXT)
    internet.far.wait(2, timeout=60)
    server.send("", ["x@far.example"], TEXT, user=ALICE)
    assert came_from(internet.far, 3) == ["127.0.9.1"] * 3
    # One of another domain's is not.
    server.send("", ["x@far.example"], TEXT, user=BOB)
    assert came_from(internet.far, 4)[3] == server.address


@pytest.mark.parametrize("n", [1, 7, 50])
def test_as_many_as_there_are_domains(internet, n):
    server = internet.server
    for i in range(n):
        server.cli("domain", "create", f"d{i}.test", "--outgoing",
                   f"127.0.10.{i + 1}")
        server.user(f"u@d{i}.test")
    for i in range(n):
        server.send(f"u@d{i}.test", ["x@far.example"], TEXT,
                    user=f"u@d{i}.test")
    internet.far.wait(n, timeout=120)
    assert {m.sender: m.peer for m in internet.far.messages} == {
        f"u@d{i}.test": f"127.0.10.{i + 1}" for i in range(n)}


def test_one_of_each_family(internet, world):
    server = internet.server
    subprocess.run(["ip", "-6", "address", "add", "fd00::25/128", "dev", "lo"],
                   check=True)
    six = world.sink(name="six", address="::1", port=25)
    server.cli("domain", "set", "one.test",
               "outgoing=127.0.9.1, fd00::25")
    internet.send(ALICE, "x@six.example")
    assert came_from(six, 1) == ["fd00::25"]
    internet.send(ALICE, "x@far.example")
    assert came_from(internet.far, 1) == ["127.0.9.1"]
    # One of a single family: by that, although the other comes first or is all.
    server.cli("domain", "set", "one.test", "outgoing=127.0.9.1")
    internet.send(ALICE, "x@both.example")
    assert came_from(internet.far, 2)[1] == "127.0.9.1"
    internet.send(ALICE, "x@six.example")
    assert "451 4.3.5 no mail server of six.example has an address of the " \
        "family that mail is to leave by, from 127.0.9.1" \
        in internet.last_reply()
    assert len(six.messages) == 1
    server.cli("domain", "set", "one.test", "outgoing=fd00::25")
    server.cli("queue", "retry")
    assert came_from(six, 2)[1] == "fd00::25"
    server.wait_for_queue(0)


def test_what_is_no_address_of_this_machine_any_more(internet):
    """Another one would be worse than waiting; and nobody else waits with it."""
    server = internet.server
    subprocess.run(["ip", "address", "add", "192.0.2.25/32", "dev", "lo"],
                   check=True)
    server.cli("domain", "set", "one.test", "outgoing=192.0.2.25")
    subprocess.run(["ip", "address", "del", "192.0.2.25/32", "dev", "lo"],
                   check=True)
    internet.send(ALICE, "x@far.example")
    assert "192.0.2.25 is no address of this machine" in internet.last_reply()
    assert "451 4.3.5" in internet.last_reply()
    internet.send(BOB, "y@far.example")
    [message] = internet.far.wait(1, timeout=60)
    assert message.sender == BOB
    assert " from 192.0.2.25" in server.run("queue", "list").stdout
    [entry] = server.queue()
    assert entry["recipients"][0]["now"]["outgoing"] == "192.0.2.25"
    # Settings may stay, and may not be made so anew.
    server.cli("domain", "set", "one.test", "outgoing=192.0.2.25",
               "description=as it was")
    assert "outgoing=192.0.2.26: 192.0.2.26 is no address of this machine." \
        in server.refused("domain", "set", "one.test", "outgoing=192.0.2.26")
    # After a change what waits leaves from elsewhere.
    server.cli("domain", "set", "one.test", "outgoing=127.0.9.7")
    server.cli("queue", "retry")
    assert came_from(internet.far, 2)[1] == "127.0.9.7"


def test_mail_for_a_system(internet, world):
    server = internet.server
    there = world.sink(name="there", address="127.0.25.9", port=2525)
    server.cli("system", "create", "gw", "--hosts", "127.0.25.9:2525",
               "--outgoing", "127.0.9.3")
    server.cli("user", "create", "carl@one.test", "--mail-system", "alternate",
               "--system", "gw")
    server.send("s@elsewhere.example", ["carl@one.test"], TEXT)
    assert came_from(there, 1) == ["127.0.9.3"]
    assert "from 127.0.9.3" in server.run("route", "carl@one.test").stdout
    there.down()
    server.send("s@elsewhere.example", ["carl@one.test"], TEXT)
    server.wait_for_queue(1)
    server.cli("system", "set", "gw", "outgoing=127.0.9.4")
    there.up()
    server.cli("queue", "retry")
    assert came_from(there, 2)[1] == "127.0.9.4"
    server.cli("system", "set", "gw", "outgoing=")
    server.send("s@elsewhere.example", ["carl@one.test"], TEXT)
    assert came_from(there, 3)[2] == server.address
    assert "leaves none of the hosts (127.0.25.9:2525) to connect to" \
        in server.refused("system", "set", "gw", "outgoing=::1")


def test_of_the_whole_server(own_network, world):
    internet = Internet(world, "address_family = ipv4\n" + CONF)
    path = os.path.join(internet.server.data, "splitmail.conf")
    with open(path) as file:
        text = re.sub('outgoing_address = ".*"',
                      'outgoing_address = "::1, 127.0.9.8"', file.read())
    with open(path, "w") as file:
        file.write(text)
    internet.server.restart()
    internet.send(ALICE, "x@both.example")
    assert came_from(internet.far, 1) == ["127.0.9.8"]
    internet.send(ALICE, "x@six.example")
    assert "of the family that mail is to leave by" in internet.last_reply()
