"""The HTTP API and mail that flows: a change is in force at once, the queue,
the test of a relay."""

import json
import socket
import threading

import pytest

from api_world import (a, administrator, all_pages, counter,  # noqa: F401
                       domain, root)
from world import wait_until


def rcpt(server, address):
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail("x@elsewhere.example")
        return smtp.rcpt(address)[0]


def test_in_force_at_the_next_rcpt(a, root):
    name = f"d{next(counter)}.test"
    root.put(f"/domains/{name}", {}, status=201)
    carol = f"carol@{name}"
    assert rcpt(a, carol) == 550
    root.put(f"/users/{carol}", {}, status=201)
    assert rcpt(a, carol) == 250
    assert root.get("/route", address=carol).json["action"] == "deliver"
    root.patch(f"/users/{carol}", {"mail_system": "none"})
    assert rcpt(a, carol) == 550
    route = root.get("/route", address=carol).json
    assert route["action"] == "refuse" and route["reasons"]
    root.patch(f"/users/{carol}", {"mail_system": "hosted"})
    assert rcpt(a, carol) == 250
    root.delete(f"/users/{carol}")
    assert rcpt(a, carol) == 550

# ---- the queue -------------------------------------------------------------

def test_queue(a, root, shared_world):
    name, other = f"d{next(counter)}.test", f"d{next(counter)}.test"
    dead = f"{a.address}:1"
    for each in (name, other):
        root.put(f"/domains/{each}", {"relay": dead}, status=201)
        root.put(f"/users/b@{each}", {"mail_system": "alternate"}, status=201)
    a.send("x@elsewhere.example", [f"b@{name}", f"b@{other}"],
           "Subject: <script>alert(1)</script>\r\n\r\nhi\r\n")
    api = administrator(root, "domain-admin", name)
    wait_until(lambda: root.get("/queue").json["items"], 20, "the queue")
    mine, = api.get("/queue").json["items"]
    assert [r["address"] for r in mine["recipients"]] == [f"b@{name}"]
    both, = root.get("/queue", id=mine["id"]).json["items"]
    assert len(both["recipients"]) == 2
    shown = api.get(f"/queue/{mine['id']}").json
    assert [r["address"] for r in shown["recipients"]] == [f"b@{name}"]
    goes = {"action": "relay", "next_hop": "relay", "system": dead, "text": "",
            "outgoing": ""}
    for now in (mine, shown):
        assert now["recipients"][0]["now"] == goes
        assert now["subject"] == "<script>alert(1)</script>"
    assert a.queue()[0]["subject"] == "<script>alert(1)</script>"
    assert "<script>" in shown["header"]
    api.get("/queue/nosuchid", status=404)

    # His orders are for his own.
    assert api.post("/queue/orders", {"order": "hold", "all": True}).json[
        "recipients"] == 1
    states = {r["address"]: r["state"] for r in root.get(
        f"/queue/{mine['id']}").json["recipients"]}
    assert states == {f"b@{name}": "held", f"b@{other}": "waiting"}
    overview = root.get("/overview").json
    assert overview["queue"]["messages"] == 1
    assert overview["queue"]["recipients"] == 2
    assert overview["queue"]["held"] == 1
    assert {s["name"] for s in overview["systems"] if s["recipients"]} == {
        dead}
    assert api.get("/overview").json["queue"]["recipients"] == 1
    root.refused("POST", "/queue/orders", {"order": "delete"}, "all")
    root.refused("POST", "/queue/orders", {"order": "delete", "id": ""}, "id")
    root.refused("POST", "/queue/orders", {"order": "eat", "all": True},
                 "order")
    metrics = root.raw("GET", "/metrics", None, root.headers("GET", {}))
    assert "splitmail_queue_messages 1\n" in metrics.text
    assert f'splitmail_queue_recipients{{kind="relay",system="{dead}"}} 2' \
        in metrics.text
    assert f'splitmail_users{{domain="{name}",mail_system="alternate"}} 1' \
        in metrics.text
    root.delete(f"/users/b@{name}")
    shown = api.get(f"/queue/{mine['id']}").json["recipients"][0]
    assert shown["next_hop"] == "relay" and shown["system"] == dead
    assert shown["now"]["action"] == "refuse"
    assert shown["now"]["text"].startswith("550 5.1.1 ")
    assert root.post("/queue/orders", {"order": "delete", "all": True}).json[
        "recipients"] == 2
    assert root.get("/queue").json["items"] == []


def test_queue_of_a_domain_with_aliases(a, root):
    name = f"d{next(counter)}.test"
    dead = f"{a.address}:2"
    root.put(f"/domains/{name}", {"relay": dead, "aliases": [f"x.{name}"]},
             status=201)
    for user in ("b", "c"):
        root.put(f"/users/{user}@{name}", {"mail_system": "alternate"},
                 status=201)
    both = [f"b@{name}", f"c@x.{name}"]
    a.send("x@elsewhere.example", both)
    a.send("x@elsewhere.example", both[1:])
    a.send("x@elsewhere.example", both[:1])
    api = administrator(root, "domain-admin", name)
    wait_until(lambda: len(api.get("/queue").json["items"]) == 3, 20,
               "three messages")
    items = api.get("/queue").json["items"]
    assert [sorted(r["address"] for r in e["recipients"]) for e in items] == [
        both, both[1:], both[:1]]
    for who in (api, root):
        assert [e["id"] for e in all_pages(who, "/queue", limit=1,
                                           domain=f"x.{name}")] == [
            e["id"] for e in items]
    system, = [s for s in api.get("/overview").json["systems"]
               if s["kind"] == "system"]
    assert system["name"] == dead and system["recipients"] == 4
    assert api.get("/overview").json["queue"]["recipients"] == 4
    assert api.post("/queue/orders", {"order": "delete", "all": True}).json[
        "recipients"] == 4

# ---- the test of a relay ---------------------------------------------------

def test_relay_test(a, root, shared_world):
    sink = shared_world.sink()
    name = f"d{next(counter)}.test"
    root.put(f"/domains/{name}", {}, status=201)
    report = root.post("/relay-test", {
        "hosts": f"{sink.at}, {a.address}:1, {a.at}", "domain": name}).json
    there, dead, ours = report["items"]
    assert there["connected"] and there["banner"].startswith("220")
    assert there["problem"] is there["reason"] is None
    assert there["unknown_address"]["outcome"] == "accepted"
    assert not dead["connected"] and dead["reason"] == "not-connected"
    assert dead["values"] == {"address": a.address,
                              "cause": "Connection refused"}
    assert ours["tls"]["version"].startswith("TLS")
    assert not ours["tls"]["verified"]
    assert ours["unknown_address"]["outcome"] == "refused"
    # What speaks no SMTP is not quoted, and nobody scans networks with it.
    web, = root.post("/relay-test", {
        "hosts": f"{a.address}:{a.ports['console']}"}).json["items"]
    assert web["banner"] is None and web["reason"] == "no-answer"
    with socket.create_server((a.address, 0)) as ssh:
        threading.Thread(target=lambda: ssh.accept()[0].sendall(
            b"SSH-2.0-OpenSSH\r\n"), daemon=True).start()
        item, = root.post("/relay-test", {
            "hosts": f"{a.address}:{ssh.getsockname()[1]}"}).json["items"]
    assert item["reason"] == "no-smtp" and item["banner"] is None
    assert "OpenSSH" not in json.dumps(item)
    api = administrator(root, "domain-admin", name)
    for hosts in (sink.at, "169.254.169.254"):
        item, = api.post("/relay-test", {"hosts": hosts}).json["items"]
        assert not item["connected"] and item["reason"] == "not-tried"
    root.refused("POST", "/relay-test", {"hosts": "host;id"}, "hosts")


@pytest.mark.parametrize("verb, reply, outcome", (
    ("RCPT", "550 5.1.1 no such user", "refused"),
    ("RCPT", "550 5.4.1 access denied", "refused"),     # Exchange Online's
    ("RCPT", "550 nobody here", "refused"),
    ("RCPT", "550 nobody@relay.test has no mailbox", "refused"),
    ("RCPT", "550 5.7.1 relaying denied", "denied"),
    ("RCPT", "554 5.7.1 Relay access denied", "denied"),
    ("RCPT", "550 relay not permitted", "denied"),
    ("RCPT", "553 sorry,\nnot in my list of allowed rcpthosts", "denied"),
    ("RCPT", "530 sign in first", "denied"),
    ("RCPT", "450 4.7.1 greylisted", "unsure"),
    ("MAIL", "550 5.1.0 you are on a list", "denied"),
    ("MAIL", "451 4.3.0 later", "unsure"),
))
def test_relay_that_refuses(root, shared_world, verb, reply, outcome):
    """A refusal of the random address is good news only if it is about the
    address; a user's own address is asked for, too."""
    name, sink = f"d{next(counter)}.test", shared_world.sink()
    root.put(f"/domains/{name}", {"relay": sink.at}, status=201)
    sink.on[verb] = reply
    item, = root.post("/relay-test",
                      {"hosts": sink.at, "domain": name}).json["items"]
    assert item["problem"] is item["known_address"] is None
    assert item["unknown_address"]["outcome"] == outcome
    root.put(f"/users/ann@{name}", {"mail_system": "alternate"}, status=201)
    item, = root.post("/relay-test",
                      {"hosts": sink.at, "domain": name}).json["items"]
    assert item["known_address"] == {
        "address": f"ann@{name}", "outcome": outcome,
        "reply": reply.replace("\n", " ")}


def test_relay_that_knows_its_users(root, domain, shared_world):
    """Whom it is asked for: who gets his mail there, and nobody else."""
    sink = shared_world.sink()
    sink.on["RCPT"] = {f"there@{domain}": "250 2.1.5 ok",
                       None: "550 5.1.1 no such user"}
    root.put("/systems/elsewhere", {"hosts": "s.test"}, status=201)
    for user, body in {"here": {}, "off": {"enabled": False},
                       "away": {"system": "elsewhere"}, "there": {}}.items():
        root.put(f"/users/{user}@{domain}",
                 body if user == "here" else {"mail_system": "alternate",
                                              **body}, status=201)
    item, = root.post("/relay-test",
                      {"hosts": sink.at, "domain": domain}).json["items"]
    assert item["unknown_address"]["outcome"] == "refused"
    assert item["known_address"] == {"address": f"there@{domain}",
                                     "outcome": "accepted",
                                     "reply": "250 2.1.5 ok"}
