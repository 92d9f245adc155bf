"""GET /api/v1/events: what changes is pushed, to whom it belongs, and ends."""

import os
import re
import signal
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api import PREFIX, Api, Contract
from splitmail import ROOT
from world import wait_until

PASSWORD = "correct horse"


def signed_in(server, name="admin0", password=None):
    api = Api(server)
    api.sign_in(name, password or server.admin_password)
    return api


@pytest.fixture(scope="module")
def a(shared_world):
    return shared_world.server("a")


@pytest.fixture
def root(a):
    return signed_in(a)


counter = iter(range(1, 1000))


@pytest.fixture
def domain(root):
    name = f"e{next(counter)}.test"
    root.put(f"/domains/{name}", {"relay": f"{root.server.address}:1"},
             status=201)
    root.put(f"/users/bob@{name}", {"mail_system": "alternate"}, status=201)
    return name


def administrator(root, domain, role="domain-admin"):
    name = f"{role}@{domain}"
    root.put(f"/administrators/{name}",
             {"role": role, "domain": domain, "password": PASSWORD},
             status=201)
    return signed_in(root.server, name, PASSWORD)


def names(overview):
    return {each["name"] for each in overview["domains"]}


def test_the_document_knows_every_topic():
    with open(os.path.join(ROOT, "src", "console", "topics.def")) as file:
        topics = set(re.findall(r"^TOPIC\((\w+)", file.read(), re.M))
    assert topics == set(Contract().events())


# ---- what is told ----------------------------------------------------------

def test_a_change_by_the_command_line(a, root):
    name = f"e{next(counter)}.test"
    with root.events("overview,changes") as events:
        assert name not in names(events.wait("overview"))
        last = events.wait("changes")["last"]
        a.cli("domain", "create", name)
        events.wait("overview", lambda o: name in names(o))
        events.wait("changes", lambda c: c["last"] > last)


def test_mail_that_waits_and_goes(a, root, domain):
    with root.events("overview,queue", domain=domain) as events:
        events.wait("overview", lambda o: o["queue"]["messages"] == 0)
        before = events.wait("queue")["mark"]
        a.send("x@elsewhere.test", f"bob@{domain}")
        events.wait("queue", lambda q: q["mark"] != before)
        events.wait("overview", lambda o: o["queue"]["messages"] == 1)
        a.cli("queue", "delete", "--domain", domain, "--yes")
        events.wait("overview", lambda o: o["queue"]["messages"] == 0)


def test_a_domain_administrator_hears_of_his_domain_only(a, root, domain):
    other = f"e{next(counter)}.test"
    root.put(f"/domains/{other}", {"relay": f"{a.address}:1"}, status=201)
    root.put(f"/users/bob@{other}", {"mail_system": "alternate"}, status=201)
    api = administrator(root, domain)
    with api.events("overview,queue,changes") as events, root.events(
            "overview,queue,changes") as all_events:
        assert names(events.wait("overview")) == {domain}
        events.wait("queue")
        last = events.wait("changes")["last"]
        for each in ("queue", "changes"):
            all_events.wait(each)
        a.send("x@elsewhere.test", f"bob@{other}")
        root.patch(f"/domains/{other}", {"description": "theirs"})
        all_events.wait("queue")
        all_events.wait("changes", lambda c: c["last"] > last)
        # What is his comes after all that, and nothing of theirs before it.
        root.patch(f"/domains/{domain}", {"description": "his"})
        events.wait("changes")
        assert {name for name, _ in events.seen} <= {"overview"}
        a.send("x@elsewhere.test", f"bob@{domain}")
        events.wait("queue")
        overview = events.wait("overview",
                               lambda o: o["queue"]["messages"] > 0)
        assert overview["queue"]["messages"] == 1
        assert names(overview) == {domain}
    api.events("overview", domain=other, status=404)
    a.cli("queue", "delete", "--domain", other, "--yes")
    a.cli("queue", "delete", "--domain", domain, "--yes")


def test_a_delegate_watches_the_overview_only(root, domain):
    api = administrator(root, domain, "delegate")
    api.events("overview,queue", status=403)
    with api.events("overview") as events:
        assert names(events.wait("overview")) == {domain}


def test_what_is_asked_wrongly(root):
    assert root.get("/events", status=400).json["field"] == "topics"
    answer = root.get("/events", topics="overview,weather", status=400)
    assert "weather" in answer.json["detail"]
    root.get("/events", topics="overview", domain="nosuch.test", status=404)
    Api(root.server).get("/events", topics="overview", status=401)
    assert root.post("/events", {}, status=405)


def test_a_proxy_is_told_not_to_wait(root):
    with root.events("overview") as events:
        headers = events.response.headers
        assert headers["content-type"] == "text/event-stream"
        assert headers["cache-control"] == "no-store"
        assert headers["x-accel-buffering"] == "no"
        events.wait("overview")


def test_head_takes_no_place(root):
    for _ in range(30):
        answer = root.raw("HEAD", f"{PREFIX}/events?topics=overview", None,
                          root.headers("GET", {}))
        assert answer.status == 200 and answer.text == ""
        assert answer.headers["content-type"] == "text/event-stream"
    with root.events("overview") as events:
        events.wait("overview")


# ---- the engine's figures --------------------------------------------------

def system(overview, name):
    return next(s for s in overview["systems"] if s["name"] == name)


def test_a_system_that_goes_and_comes_back(world):
    sink = world.sink()
    server = world.server("c", conf="limits {\n\tretry_min = 1\n"
                                    "\tretry_max = 2\n}")
    server.cli("domain", "create", "example.test", "--relay", sink.at)
    server.cli("user", "create", "bob@example.test", "--mail-system",
               "alternate")
    api = signed_in(server)
    with api.events("overview") as events:
        one = system(events.wait("overview"), sink.at)
        assert one["state"] == "unknown" and one["since"] is None
        server.send("x@y.test", "bob@example.test")
        events.wait("overview",
                    lambda o: system(o, sink.at)["state"] == "up" and
                    system(o, sink.at)["last_minute"] == 1)
        sink.down()
        server.send("x@y.test", "bob@example.test")
        # What waits is counted when it is written, perhaps a moment later.
        down = system(events.wait(
            "overview", lambda o: system(o, sink.at)["state"] == "down" and
            system(o, sink.at)["recipients"] == 1), sink.at)
        assert "efused" in down["problem"]
        events.wait("overview", lambda o: 1 in o["history"]["waiting"])
        sink.up()
        events.wait("overview",
                    lambda o: system(o, sink.at)["state"] == "up" and
                    o["queue"]["recipients"] == 0, timeout=40)
        # What became of it stays to be seen, by who comes later, too.
        events.wait("overview", lambda o: sum(
            n or 0 for n in o["history"]["handed_over"]) == 1 and sum(
            n or 0 for n in o["history"]["kept"]) == 1 and
            1 in o["history"]["waiting"])
    later = signed_in(server).get("/overview").json["history"]
    assert sum(n or 0 for n in later["handed_over"]) == 1
    assert len({len(later[line]) for line in (
        "waiting", "handed_over", "kept", "refused")}) == 1


def test_the_last_hour_of_a_domain_is_its_own(world):
    sink = world.sink()
    server = world.server("c")
    for name in ("one.test", "two.test"):
        server.cli("domain", "create", name, "--relay", sink.at, "--alias",
                   f"alias.{name}")
        server.cli("user", "create", f"bob@{name}", "--mail-system",
                   "alternate")
    root = signed_in(server)
    wait_until(lambda: root.get("/overview").json["history"]["handed_over"],
               20, "a first point")
    api = administrator(root, "one.test")
    server.send("x@y.test", "bob@alias.one.test")
    for _ in range(2):
        server.send("x@y.test", "bob@two.test")

    def handed_over(who, **query):
        return sum(n or 0 for n in who.get("/overview", **query).json[
            "history"]["handed_over"])
    wait_until(lambda: handed_over(root) == 3, 20, "all of it")
    assert handed_over(api) == 1
    assert handed_over(root, domain="two.test") == 2
    # How much goes to a system others use as well is not told.
    assert system(api.get("/overview").json, sink.at)["last_minute"] is None
    assert api.get("/overview").json["engine"]["sessions"] is None


def metrics(api):
    """As Prometheus reads it: (name, labels) -> value."""
    text = api.raw("GET", "/metrics", None, api.headers("GET", {})).text
    found, names = {}, []
    for family in text_string_to_metric_families(text):
        names.append(family.name)
        assert family.documentation and family.type in (
            "counter", "gauge", "histogram")
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    assert len(names) == len(set(names))
    return found


def test_an_engine_that_is_away_is_said(world):
    server = world.server("c")
    server.cli("domain", "create", "example.test")
    server.user("alice@example.test")
    server.send("x@y.test", "alice@example.test")
    api = signed_in(server)
    wait_until(lambda: api.raw("GET", "/health").json == {
        "status": "ok", "directory": "ok", "queue": "ok", "engine": "ok",
        "mailboxes": "up", "trouble": []}, 10, "good health")
    assert api.raw("GET", "/health").status == 200
    before = metrics(api)
    assert before["splitmail_engine_up", frozenset()] == 1
    assert before["splitmail_recipients_handed_over_total", frozenset()] == 1
    assert before["splitmail_system_up", frozenset(
        {("kind", "mailboxes"), ("system", "")})] == 1

    with api.events("overview") as events:
        assert events.wait("overview")["engine"]["up"]
        # It hangs, and the supervisor leaves it.
        pid = server.engine_pid()
        os.kill(pid, signal.SIGSTOP)
        away = events.wait("overview", lambda o: not o["engine"]["up"])
        assert away["engine"]["sessions"] is None
        assert {s["state"] for s in away["systems"]} == {"unknown"}
        health = api.raw("GET", "/health")
        assert health.status == 503 and health.json["engine"] == "trouble"
        assert [(t["what"], t["stops_mail"]) for t in
                health.json["trouble"]] == [("engine-down", True)]
        without = metrics(api)
        assert without["splitmail_engine_up", frozenset()] == 0
        assert ("splitmail_queue_messages", frozenset()) in without
        assert ("splitmail_connections_total", frozenset()) not in without
        # It falls, and another one comes.
        os.kill(pid, signal.SIGKILL)
        events.wait("overview", lambda o: o["engine"]["up"])
    wait_until(lambda: api.raw("GET", "/health").status == 200, 20, "health")
    assert metrics(api)["splitmail_engine_up", frozenset()] == 1


# ---- how it ends -----------------------------------------------------------

def test_signing_out_ends_it(a):
    api = signed_in(a)
    with api.events("overview") as events:
        events.wait("overview")
        api.delete("/session")
        events.wait_for_end()
    api.events("overview", status=401)


def test_a_new_password_ends_the_others(root, domain):
    one = administrator(root, domain)
    two = signed_in(root.server, f"domain-admin@{domain}", PASSWORD)
    with one.events("overview") as mine, two.events("overview") as other:
        mine.wait("overview")
        other.wait("overview")
        one.put("/session/password", {"current": PASSWORD, "new": "a new one"},
                status=204)
        other.wait_for_end()
        root.patch(f"/domains/{domain}", {"description": "goes on"})
        root.put(f"/users/ann@{domain}", {}, status=201)
        mine.wait("overview", lambda o: o["domains"][0]["hosted"] == 1)


def test_other_rights_end_it(root, domain):
    api = administrator(root, domain)
    with api.events("queue") as events:
        events.wait("queue")
        root.patch(f"/administrators/domain-admin@{domain}",
                   {"role": "delegate"})
        events.wait_for_end()
    api.events("queue", status=403)
    with api.events("overview") as events:
        events.wait("overview")
        root.delete(f"/administrators/domain-admin@{domain}")
        events.wait_for_end()


def test_a_token_watches_until_it_is_deleted(root, domain):
    token = root.new_token("watch").json
    api = Api(root.server)
    api.token = token["token"]
    with api.events("overview", domain=domain) as events:
        assert names(events.wait("overview")) == {domain}
        root.delete(f"/tokens/{token['id']}")
        events.wait_for_end()
    api.events("overview", status=401)


def test_watching_is_no_sign_of_life(world):
    server = world.server("c", start=False)
    path = os.path.join(server.data, "splitmail.conf")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace("console {", "console {\n\tsession_idle = 8"))
    server.serve()
    api = signed_in(server)
    assert api.get("/session").json["idle_seconds"] == 8
    with api.events("overview,queue") as events:
        events.wait("overview")

        def ended():
            # What the page asks by itself keeps nobody signed in either.
            answer = api.get("/overview", status=(200, 401),
                             headers={"X-Unattended": "true"})
            return answer.status == 401
        wait_until(ended, 20, "the end of the session")
        events.wait_for_end()
    api.events("overview", status=401)
    # A person does, and what changes something is never unattended.
    api = signed_in(server)
    begun = time.monotonic()
    while time.monotonic() - begun < 12:
        api.get("/overview")
        time.sleep(1)
    api.put("/domains/late.test", {}, status=201,
            headers={"X-Unattended": "true"})


def test_places_are_limited_and_free_again(a, root, domain):
    api = administrator(root, domain)
    streams = [api.events("overview") for _ in range(10)]
    answer = api.get("/events", topics="overview", status=429)
    assert int(answer.headers["retry-after"]) >= 1
    # Another session is not concerned.
    with root.events("overview") as events:
        events.wait("overview")
    # A tab that was closed makes room at once.
    streams.pop().close()
    with api.events("overview") as events:
        events.wait("overview")
    for stream in streams:
        stream.wait("overview")
        stream.close()


def test_a_stop_does_not_wait_for_streams(world):
    server = world.server("c")
    api = signed_in(server)
    watching = [api.events("overview") for _ in range(3)]
    for each in watching:
        each.wait("overview")
    slow = api.events("overview")       # whose client reads nothing
    server.stop()
    assert "console does not stop" not in server.log()
    for each in watching:
        each.wait_for_end()
        each.close()
    slow.close()
