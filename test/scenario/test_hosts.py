"""What a host of another system allows holds for all of the engine, is fully
used by mail that waits, and is shown; a host that is silent costs seconds."""

import concurrent.futures
import os
import socket
import time

import pytest

from api import Api
from conducts import CONDUCTS, EXTENSIONS
from others import Here, speak, text
from sink import Hang
from world import claim_address, free_port, wait_until, within

CONF = ("limits {\n\tthreads = 2\n\thandover = 5\n\tretry_min = 300\n}")
# As many as it takes to see a rate; more by hand.
WAITING = int(os.environ.get("SPLITMAIL_WAITING", "60"))


@pytest.fixture(scope="module")
def here(shared_world):
    return Here(shared_world, CONF)


@pytest.fixture(scope="module")
def root(here):
    api = Api(here.server)
    api.sign_in("admin0", here.server.admin_password)
    return api


def send_many(other, recipients, clients=4):
    """A mail to each, by several clients."""
    def some(part):
        with other.server.smtp(timeout=120) as smtp:
            smtp.ehlo()
            return [speak(smtp, "s@elsewhere.test", [recipient],
                          text(recipient)) for recipient in part]
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        parts = [pool.submit(some, recipients[n::clients])
                 for n in range(clients)]
        replies = [reply for part in parts for reply in part.result()]
    assert {code for code, _ in replies} == {250}, replies


def users_of(here, other, count):
    with here.lock:
        here.server.fill(other.domain, count, mail_system="1")
    return [f"user{n}@{other.domain}" for n in range(1, count + 1)]


# ---- limits of connections

# One of each; all of them in virtual time (test/sim/waiting_test.c).
@pytest.mark.parametrize("limit, how", [
    pytest.param(limit, how, marks=pytest.mark.long)
    if (limit, how) not in ((1, "close"), (2, "421"), (10, "refusal"))
    else (limit, how)
    for limit in (1, 2, 10) for how in ("421", "close", "refusal")])
def test_waiting_mail_uses_all_connections_there_are(here, limit, how):
    """Nothing is put off for minutes, nothing bounces, and no more connections
    are tried than it takes to see the limit."""
    conduct = CONDUCTS[f"{limit} connections at once, then {how}"]
    other = here.other(names=(), **conduct.sink())
    users = users_of(here, other, WAITING)
    other.sink.down()
    send_many(other, users)
    wait_until(lambda: len(other.queued()) == WAITING, 60, "all kept", 0.5)
    other.sink.up()
    here.server.cli("queue", "retry", "--all")
    other.sink.wait(WAITING, timeout=60 + WAITING / 10)
    wait_until(lambda: not other.server.waiting(other.domain), 30,
               "an empty queue")
    assert other.sink.recipients() == sorted(users)
    assert other.sink.most_at_once == min(limit, other.sink.most_at_once)
    assert other.sink.sent_away <= 10 + limit, other.sink.sent_away


def test_an_administrator_sets_the_limits(here):
    """They hold from the first mail on."""
    other = here.other(system=("--connections", "1", "--mails-per-connection",
                               "2", "--recipients-per-mail", "3"),
                       names=[f"bob{n}" for n in range(7)])
    users = [f"bob{n}@{other.domain}" for n in range(7)]
    send_many(other, users)
    assert other.send(users)[0] == 250
    other.is_done(7 + 3)
    # One that we have closed is still there for a moment.
    assert other.sink.most_at_once <= 2
    assert max(len(m.recipients) for m in other.sink.messages) == 3
    assert other.sink.connections >= 5


def test_so_many_mails_a_minute(here):
    other = here.other(system=("--mails-per-minute", "2"))
    begun = time.monotonic()
    for _ in range(3):
        assert other.send()[0] == 250
    other.sink.wait(2)
    assert len(other.sink.messages) == 2 or time.monotonic() - begun > 50


# ---- what was learnt

def learnt(here, other, what):
    return [one["value"] for one in here.server.cli(
        "system", "show", f"s{other.domain[1:].partition('.')[0]}")["learnt"]
        if one["what"] == what and one["host"] == other.sink.at]


def learning(here, names=("bob",), **conduct):
    return here.other(names=names, system=("--tls", "opportunistic"),
                      **conduct)


@pytest.mark.parametrize("name, what, value", [
    ("2 mails a connection, then 452 4.4.5 at MAIL", "mails_per_connection",
     2),
    ("2 recipients a mail, then 452 4.5.3 at RCPT", "recipients_per_mail", 2),
    ("BDAT is 502", "no_chunking", None),
    ("parameters of MAIL are 555", "no_parameters", None),
    ("STARTTLS is 502", "no_tls", None),
    ("handshake is garbage", "no_tls", None),
    ("refuses the whole message for one", "refusals", "whole_message"),
])
def test_what_was_learnt_is_shown_and_kept_to(here, name, what, value):
    names = [f"bob{n}" for n in range(4)] + ["nobody"]
    other = learning(here, names, **CONDUCTS[name].sink())
    users = [f"{name}@{other.domain}" for name in names]
    for _ in range(4):
        assert other.send(users[:1])[0] == 250
    assert other.send(users)[0] == 250
    wait_until(lambda: learnt(here, other, what) == [value], 10,
               f"{what} is shown")
    verbs = [c.partition(" ")[0] for c in other.sink.commands]
    assert other.send(users[:1])[0] == 250
    later = [c.partition(" ")[0] for c in
             other.sink.commands[len(verbs):]]
    assert not {"no_chunking": "BDAT", "no_tls": "STARTTLS"}.get(what) in later


def test_what_was_learnt_of_a_domains_relay_is_shown_by_name(here, root):
    """It has no name of its own; its host has, and two of them do not mix."""
    limit = CONDUCTS["2 recipients a mail, then 452 4.5.3 at RCPT"]
    names = [f"bob{n}" for n in range(4)]
    other = here.other(names, **limit.sink())
    address, _, port = other.sink.at.rpartition(":")
    with here.lock, open(here.hosts, "a") as hosts:
        hosts.write(f"{address} mx.{other.domain}\n")
    relay = f"mx.{other.domain}:{port}"
    here.server.cli("domain", "set", other.domain, f"relay={relay}")
    assert other.send([f"{name}@{other.domain}" for name in names])[0] == 250

    def facts():
        shown = here.server.cli("domain", "show", other.domain)["learnt"]
        return [one for one in shown if one["what"] == "recipients_per_mail"]
    [fact] = wait_until(facts, 10, "what was learnt")
    assert (fact["host"], fact["name"]) == (other.sink.at, f"mx.{other.domain}")
    said = here.server.run("domain", "show", other.domain).stdout
    assert f"mx.{other.domain}[{address}]:{port} takes 2 recipients" in said
    assert fact in root.get(f"/domains/{other.domain}").json["learnt"]
    alone = here.other(names=())
    here.server.cli("domain", "set", alone.domain, "relay=")
    assert here.server.cli("domain", "show", alone.domain)["learnt"] == []


# ---- several hosts, one of them silent

def swallows():
    """(address, sockets): SYNs to it are dropped, its queue is full."""
    address, claim = claim_address()
    listener = socket.socket()
    listener.bind((address, free_port(address)))
    listener.listen(0)
    at = listener.getsockname()
    held = [listener, claim]
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(at)
        held.append(client)
    return "%s:%d" % at, held


@pytest.fixture(params=["swallows", "mute"])
def silent(request, world):
    if request.param == "mute":
        yield world.sink(on={"CONNECT": Hang()}).at
        return
    at, held = swallows()
    yield at
    for one in held:
        one.close()


def test_a_silent_first_host_costs_seconds(here, silent):
    """For mail and for questions; then it is tried last, and the one that is
    well is not blamed."""
    other = here.other(names=())
    here.server.cli("domain", "set", other.domain,
                    f"relay={silent},{other.sink.at}", "forward_unknown=yes")
    [bob] = users_of(here, other, 1)
    begun = time.monotonic()
    assert other.send([bob])[0] == 250
    other.sink.wait(1, timeout=25)
    begun = time.monotonic()
    for n in range(3):
        assert other.send([bob])[1].startswith("2.0.0 Ok: handed over")
        with here.server.smtp() as smtp:
            smtp.ehlo()
            smtp.mail("s@elsewhere.test")
            assert smtp.rcpt(f"guest{n}@{other.domain}")[0] == 250
    assert time.monotonic() - begun < within(8)
    [row] = [row for row in here.server.cli("status")["systems"]
             if other.sink.at in row["name"]]
    assert row["state"] == "up", row
    assert other.sink.at not in row["problem"], row
