"""Strangers who are on lists in DNS: a real name server has the lists."""

import re
import time

import pytest

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
HEAVY, LIGHT = "127.0.25.2", "127.0.25.3"
LISTS = """
    2.25.0.127.heavy.example.   A 127.0.0.2
    2.25.0.127.light.example.   A 127.0.0.4
    3.25.0.127.light.example.   A 127.0.0.4
    4.25.0.127.light.example.   A 127.0.0.4
    4.25.0.127.good.example.    A 127.0.0.2
    2.0.0.127.heavy.example.    A 127.0.0.2
    *.parked.example.           A 192.0.2.80
    *.closed.example.           A 127.255.255.254
    *.wild.example.             A 127.0.0.2
"""
CONF = "dns {\n\tservers = { \"127.0.0.1\" }\n}"


def looked_up(server, *lists, threshold=2):
    """In the listener of the Internet's mail."""
    path = f"{server.data}/splitmail.conf"
    with open(path) as file:
        text = file.read()
    words = ", ".join(f'"{each}"' for each in lists)
    text = re.sub(r"(listener mx \{\n)(?:\tdnsbl.*\n)*",
                  rf"\1\tdnsbl = {{ {words} }}\n"
                  rf"\tdnsbl_threshold = {threshold}\n", text)
    with open(path, "w") as file:
        file.write(text)
    server.restart()


def mail(server, source, sender="s@elsewhere.test"):
    with server.smtp(source=source) as smtp:
        smtp.ehlo("client.test")
        code, said = smtp.mail(sender)
        again = smtp.mail(sender)[0]
        assert again == (503 if code == 250 else code)
        return code, said.decode()


@pytest.fixture
def server(own_network, world):
    world.signed_names(LISTS)
    server = world.server("a", conf=CONF)
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    return server


def test_who_has_weight_enough_is_refused(server):
    looked_up(server, "heavy.example*2", "light.example", "good.example*-5",
              "parked.example*9", "closed.example*9", "wild.example*9",
              "gone.example*9")
    code, said = mail(server, HEAVY)
    assert (code, said) == (
        550, "5.7.1 Mail from [127.0.25.2] is not taken here: it is on the "
        "list of heavy.example, light.example")
    for source in LIGHT, "127.0.25.4", "127.0.25.5", "127.0.0.1":
        assert mail(server, source)[0] == 250, source
    log = server.log()
    assert "addr 127.0.25.2 listed by domain heavy.example" in log
    assert "wild.example lists everybody: not believed" in log
    assert "listed by domain parked" not in log
    assert "listed by domain closed" not in log
    looked_up(server, "light.example", threshold=1)
    for source in HEAVY, LIGHT, "127.0.25.4":
        assert mail(server, source)[0] == 550, source
    looked_up(server, "light.example", "good.example*-1", threshold=1)
    assert mail(server, "127.0.25.4")[0] == 250
    # whom nobody looks up: a trusted system, a user
    server.cli("system", "create", "else", "--hosts", "192.0.2.1", "--trust",
               f"{LIGHT}/32")
    assert mail(server, LIGHT)[0] == 250
    assert server.send(ALICE, ALICE, user=ALICE) == {}
    server.cli("system", "delete", "else", "--yes")
    assert mail(server, LIGHT)[0] == 550
    server.stop()
    assert server.counters()["clients_listed"] == 5


def test_a_list_that_is_silent_lets_in(own_network, world):
    """...after seconds, and the others are asked meanwhile."""
    names = world.names(LISTS)
    for source in 2, 9:
        names.trouble[f"{source}.25.0.127.silent.example."] = "silence"
    names.trouble["9.25.0.127.broken.example."] = "SERVFAIL"
    server = world.server("a", conf=CONF)
    server.cli("domain", "create", DOMAIN)
    looked_up(server, "silent.example*9", "broken.example*9",
              "heavy.example*2")
    begun = time.monotonic()
    assert mail(server, "127.0.25.9")[0] == 250
    assert time.monotonic() - begun >= 3
    assert time.monotonic() - begun < 20
    assert mail(server, HEAVY)[0] == 550


def test_an_orderly_stop_waits_for_no_list(own_network, world):
    names = world.names(LISTS)
    names.trouble["9.25.0.127.silent.example."] = "silence"
    server = world.server("a", conf=CONF)
    looked_up(server, "silent.example")
    smtp = server.smtp(source="127.0.25.9")
    smtp.ehlo()
    smtp.putcmd("MAIL", "FROM:<s@elsewhere.test>")
    time.sleep(0.5)
    server.stop()
    smtp.close()


@pytest.mark.parametrize("block, says", [
    ('listener mx {\n\tdnsbl = { "a b" }\n}', "dnsbl"),
    ('listener mx {\n\tdnsbl = { "a.test*0" }\n}', "a weight is"),
    ('listener submission {\n\tkind = "submission"\n'
     '\tdnsbl = { "a.test" }\n}', "it is for kind mx"),
])
def test_what_is_no_list_is_refused(world, block, says):
    server = world.server("a")
    path = f"{server.data}/splitmail.conf"
    server.stop()
    with open(path, "w") as file:
        file.write(f'hostname = "a.test"\n{block}\n')
    assert says in server.run("serve").stderr
