"""Next hops that bear each other's names are told apart: whose hosts mail
goes to, with whose password, what waits for whom."""


import pytest

from api import Api
from test_status import status
from world import wait_until

STRANGER = "x@elsewhere.test"
ZONE = """
    somewhere.example.    MX 10 mx.somewhere.example.
    mx.somewhere.example. A 127.0.25.1
"""
CONF = "dns {\n\tservers = { \"127.0.0.1\" }\n}"
# What a system may be called that is something else's word.
WORDS = ["internet", "hosted", "mailboxes", "relay", "undecided", "localhost"]


def hop(server, next_hop, name):
    """What `status` says of it."""
    return next((s for s in status(server)["systems"]
                 if (s["next_hop"], s["name"]) == (next_hop, name)), None)


def waiting(server):
    return {r["address"]: (r["next_hop"], r["system"])
            for m in server.queue() for r in m["recipients"]}


def signed_in(server):
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    return api


@pytest.fixture
def two(own_network, world):
    """System "exch" of good.test, and evil.test whose relay is a host of that
    name, which does not resolve."""
    world.names(ZONE)
    a = world.server("a", conf=CONF)
    a.sink = world.sink()
    a.cli("domain", "create", "good.test")
    a.cli("domain", "create", "evil.test")
    a.cli("system", "create", "exch", "--hosts", a.sink.at)
    a.cli("user", "create", "bob@good.test", "--mail-system", "alternate",
          "--system", "exch")
    a.cli("domain", "set", "evil.test", "relay=exch")
    a.cli("user", "create", "mal@evil.test", "--mail-system", "alternate")
    return a


@pytest.mark.parametrize("order", [1, -1], ids=["his first", "his last"])
def test_a_relay_with_the_name_of_a_system(two, order):
    a = two
    recipients = ["mal@evil.test", "bob@good.test"][::order]
    assert a.send(STRANGER, recipients) == {}
    assert a.sink.recipients() == ["bob@good.test"]
    assert waiting(a) == {"mal@evil.test": ("relay", "exch")}
    assert hop(a, "system", "exch")["state"] == "up"
    assert hop(a, "relay", "exch")["state"] == "down"
    assert hop(a, "relay", "exch")["hosts"] == "exch"
    assert a.cli("queue", "hold", "--system", "exch", "--next-hop",
                 "system")["recipients"] == 0
    assert a.cli("queue", "hold", "--system", "exch", "--next-hop",
                 "relay")["recipients"] == 1
    # What is known of the one is not said of the other.
    assert a.send(STRANGER, ["bob@good.test"]) == {}
    assert len(a.sink.messages) == 2


def test_figures_of_namesakes(two):
    a = two
    a.send(STRANGER, ["mal@evil.test", "bob@good.test"])
    systems = signed_in(a).get("/overview").json["systems"]
    shown = {(s["next_hop"], s["name"]): s["recipients"] for s in systems}
    assert shown[("relay", "exch")] == 1
    assert shown[("system", "exch")] == 0
    assert len(shown) == len(systems)


def test_systems_named_like_something_else(own_network, world):
    sink = world.sink()
    world.names(ZONE)
    a = world.server("a", conf=CONF)
    a.cli("domain", "create", "example.test")
    a.user("alice@example.test")
    users = {f"{word}@example.test": ("system", word) for word in WORDS}
    for user, (_, word) in users.items():
        a.cli("system", "create", word, "--hosts", sink.at)
        a.cli("user", "create", user, "--mail-system", "alternate",
              "--system", word)
    sink.on["RCPT"] = "450 4.2.0 later"
    a.send("alice@example.test", ["z@somewhere.example", *users],
           user="alice@example.test")
    everybody = {**users, "z@somewhere.example": ("internet", "")}
    wait_until(lambda: waiting(a) == everybody and all(
        r["last_reply"] for m in a.queue() for r in m["recipients"]), 30,
        "all were tried")
    for word in WORDS:
        assert a.cli("queue", "hold", "--system", word)["recipients"] == 1
    [free] = [r for m in a.queue() for r in m["recipients"]
              if r["state"] != "held"]
    assert free["address"] == "z@somewhere.example"
    assert a.cli("queue", "hold", "--next-hop", "internet")["recipients"] == 1
    assert "is no kind of next hop" in a.refused("queue", "list",
                                                 "--next-hop", "nearby")
    api = signed_in(a)
    shown = {(s["kind"], s["next_hop"], s["name"]): s["recipients"]
             for s in api.get("/overview").json["systems"]}
    assert shown == {("mailboxes", "mailboxes", ""): 0,
                     ("internet", "internet", ""): 1,
                     **{("system", "system", word): 1 for word in WORDS}}
    items = api.get("/queue", next_hop="system", system="hosted").json["items"]
    assert [r["address"] for m in items for r in m["recipients"]] == \
        ["hosted@example.test"]
    api.get("/queue", next_hop="nearby", status=400)
    held = api.post("/queue/orders", {"order": "release", "next_hop": "system"})
    assert held.json["recipients"] == len(WORDS)
    api.post("/queue/orders", {"order": "hold", "next_hop": "nearby"}, 422)


def test_mail_for_mailboxes_that_do_not_answer(world):
    """It waits for the mailboxes, not for a system called hosted."""
    a = world.server("a", conf="dovecot {\n\tenabled = false\n}")
    a.cli("domain", "create", "example.test")
    a.cli("user", "create", "alice@example.test")
    a.send(STRANGER, "alice@example.test")
    assert waiting(a) == {"alice@example.test": ("mailboxes", "")}
    shown = {s["kind"]: s["recipients"]
             for s in signed_in(a).get("/overview").json["systems"]}
    assert shown == {"mailboxes": 1}
    assert a.cli("queue", "retry", "--next-hop", "mailboxes") == {
        "done": True, "text": "1 recipient due now.", "recipients": 1}
