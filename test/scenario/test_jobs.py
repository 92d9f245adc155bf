"""Long work: changes of many users, whoever goes away while they are made."""

import contextlib
import os
import sqlite3

import pytest

from api import Api
from world import children, wait_until

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def a(shared_world):
    return shared_world.server("a")


@pytest.fixture
def root(a):
    api = Api(a)
    api.sign_in("admin0", a.admin_password)
    return api


counter = iter(range(1, 1000))


@pytest.fixture
def domain(root):
    """A domain of this test's own, with a relay."""
    name = f"j{next(counter)}.test"
    root.put(f"/domains/{name}", {"relay": "192.0.2.1"}, status=201)
    return name


def administrator(root, role, domain, name=None):
    name = name or f"{role}@{domain}"
    root.put(f"/administrators/{name}",
             {"role": role, "domain": domain, "password": PASSWORD},
             status=201)
    api = Api(root.server)
    api.sign_in(name, PASSWORD)
    return api


def people(root, domain, count):
    """Users on this server: the addresses."""
    root.server.fill(domain, count, mail_system="0")
    return [f"user{number}@{domain}" for number in range(1, count + 1)]


def alternate(domain, expect):
    return {"filter": {"domain": domain}, "expect": expect,
            "change": {"mail_system": "alternate"}}


def elsewhere(root, domain):
    return root.get("/users", domain=domain, mail_system="alternate",
                    limit=1, count="true").json["total"]


def log_of(server, domain):
    """How often each user's mail system was changed, and by whom."""
    with sqlite3.connect(os.path.join(server.data, "directory.db"),
                         timeout=30) as db:
        return db.execute(
            "SELECT subject, count(*), min(who), max(who) FROM change_log "
            "WHERE field = 'mail_system' AND subject LIKE '%@' || ? "
            "GROUP BY subject", (domain,)).fetchall()


def once_each(server, domain, count, who):
    assert log_of(server, domain) == [
        (f"user{n}@{domain}", 1, who, who) for n in sorted(
            range(1, count + 1), key=lambda n: f"user{n}@{domain}")]


@contextlib.contextmanager
def the_writer(server):
    """Nobody else changes the directory meanwhile."""
    db = sqlite3.connect(os.path.join(server.data, "directory.db"),
                         timeout=30, isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        yield
    finally:
        db.close()


def started(job):
    return job["done"] > 0


def console_pid(server):
    for pid in children(server.process.pid):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if b"console" in file.read().split(b"\0"):
                    return pid
    return None


def answers(server):
    try:
        return Api(server).raw("GET", "/health").status == 200
    except OSError:
        return False


# ---- its whole life --------------------------------------------------------

def test_some_addresses(root, domain):
    users = people(root, domain, 20)
    root.patch(f"/users/{users[0]}", {"mail_system": "alternate"})
    body = {"addresses": users + [f"nobody@{domain}"],
            "change": {"mail_system": "alternate", "system": None}}
    seen = root.post("/users/bulk", body, status=200, preview="true").json
    assert (seen["matching"], seen["tried"], seen["changed"],
            seen["refused"]) == (21, 21, 19, 1)
    assert seen["refusals"][0]["address"] == f"nobody@{domain}"
    assert elsewhere(root, domain) == 1

    job = root.job(body)
    assert job["kind"] == "change-users" and job["total"] == 21
    assert job["administrator"] == "admin0"
    assert job["change"] == body["change"]
    job = root.wait_for_job(job)
    assert (job["state"], job["done"], job["changed"], job["refused"],
            job["detail"]) == ("done", 21, 19, 1, None)
    assert root.get(f"/jobs/{job['id']}/refusals").json == {
        "items": [{"address": f"nobody@{domain}", "field": "address",
                   "detail": f"There is no user nobody@{domain}.",
                   "reason": "no-such-holder",
                   "values": {"kind": "user",
                              "address": f"nobody@{domain}"}}],
        "next_cursor": None}
    assert elsewhere(root, domain) == 20
    assert root.get("/jobs", limit=1).json["items"] == [job]
    assert {who for *_, who in log_of(root.server, domain)} == {
        "console:admin0"}


def test_every_setting(root, domain):
    users = people(root, domain, 3)
    root.put("/systems/third", {"hosts": "192.0.2.7"}, status=(200, 201))
    job, refusals = root.finish({"addresses": users, "change": {
        "enabled": False, "quota": "2G", "forward_copy": False,
        "mail_system": "alternate", "system": "third"}})
    assert (job["changed"], refusals) == (3, [])
    user = root.get(f"/users/{users[1]}").json
    assert not user["enabled"] and not user["forward_copy"]
    assert user["quota"] == 2 << 30 and user["system"] == "third"
    root.finish({"addresses": users, "change": {
        "enabled": True, "system": None, "quota": 0}})
    user = root.get(f"/users/{users[1]}").json
    assert user["enabled"] and user["quota"] == 0 and user["system"] is None
    root.delete("/systems/third")


def test_refusals_in_pages(root):
    name = f"j{next(counter)}.test"
    root.put(f"/domains/{name}", {}, status=201)
    users = people(root, name, 60)
    job, refusals = root.finish({"addresses": users, "change": {
        "mail_system": "alternate"}})
    assert (job["state"], job["changed"], job["refused"]) == ("done", 0, 60)
    assert [e["address"] for e in refusals] == users
    assert {e["field"] for e in refusals} == {"mail_system"}
    assert all("no relay" in e["detail"] for e in refusals)
    path, seen, cursor = f"/jobs/{job['id']}/refusals", [], None
    while True:
        page = root.get(path, limit=25, **({"cursor": cursor} if cursor
                                           else {})).json
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == refusals
    root.get(path, cursor="!", status=400)


# ---- all that match --------------------------------------------------------

def test_what_was_seen_is_what_is_changed(root, domain):
    users = people(root, domain, 120)
    root.put(f"/groups/team@{domain}", {"name": "user group"}, status=201)
    root.patch(f"/users/{users[4]}", {"enabled": False})
    body = {"filter": {"domain": domain, "search": "USER1", "enabled": True,
                       "mail_system": "hosted"},
            "change": {"mail_system": "alternate"}}
    # user1, user10 to user19, user100 to user120; no group.
    seen = root.post("/users/bulk", body, status=200, preview="true").json
    assert seen["matching"] == seen["changed"] == 32
    root.refused("POST", "/users/bulk", body, "expect", "number of users")
    root.refused("POST", "/users/bulk", dict(body, expect=31), "expect",
                 "32 users match now, not 31")
    root.refused("POST", "/users/bulk", dict(body, expect="32"), "expect")
    assert elsewhere(root, domain) == 0
    job, refusals = root.finish(dict(body, expect=32))
    assert (job["total"], job["changed"], refusals) == (32, 32, [])
    assert elsewhere(root, domain) == 32
    # Now nobody matches.
    root.refused("POST", "/users/bulk", dict(body, expect=0), None, "no user")


def test_a_preview_says_what_follows(a, root, domain):
    """Counted for those who would be changed: who cannot sign in, whose mail
    of before stays behind, and what waits for them."""
    root.patch(f"/domains/{domain}", {"relay": f"{a.address}:1"})
    people(root, domain, 3)
    a.user(f"signs-in@{domain}")
    for user in f"user1@{domain}", f"signs-in@{domain}":
        root.patch(f"/users/{user}", {"mail_system": "alternate"})
    for _ in range(2):
        a.send("x@elsewhere.test", f"user1@{domain}")
    wait_until(lambda: root.get("/queue", domain=domain).json["items"], 20,
               "mail that waits")

    def effects(mail_system, api=root):
        return api.post("/users/bulk", {
            "filter": {"domain": domain},
            "change": {"mail_system": mail_system}},
            status=200, preview="true").json["effects"]

    assert effects("hosted") == {
        "without_password": 1, "left_here": 0, "left_elsewhere": 2,
        "waiting": 2}
    assert effects("alternate") == {
        "without_password": 0, "left_here": 2, "left_elsewhere": 0,
        "waiting": 0}
    dora = administrator(root, "domain-admin", domain)
    assert effects("none", dora) == {
        "without_password": 0, "left_here": 2, "left_elsewhere": 2,
        "waiting": 2}
    # Who has none is also found; nothing was changed by all that.
    found = root.get("/users", domain=domain, password="none",
                     mail_system="alternate").json["items"]
    assert [user["address"] for user in found] == [f"user1@{domain}"]


def test_a_preview_of_many_tries_the_first(root, domain):
    people(root, domain, 1100)
    seen = root.post("/users/bulk", alternate(domain, 1100), status=200,
                     preview="true").json
    assert (seen["matching"], seen["tried"], seen["changed"]) == (
        1100, 1000, 1000)
    assert elsewhere(root, domain) == 0
    assert log_of(root.server, domain) == []


def test_words_for_every_wrong_order(root, domain):
    user = people(root, domain, 1)
    for body, field, word in (
            ({"addresses": [], "change": {}}, "addresses", "1 to 10000"),
            ({"change": {"enabled": True}}, "addresses", "list"),
            ({"addresses": [7], "change": {"enabled": True}}, "addresses",
             "text"),
            ({"addresses": user * 10001, "change": {"enabled": True}},
             "addresses", "10000"),
            ({"addresses": user, "change": {}}, "change", "what to set"),
            ({"addresses": user, "filter": {}, "change": {"enabled": True}},
             "filter", "not both"),
            ({"filter": [], "expect": 1, "change": {"enabled": True}},
             "filter", "an object"),
            ({"filter": {"colour": "red"}, "expect": 1,
              "change": {"enabled": True}}, "colour", "domain, search"),
            ({"filter": {"enabled": "yes"}, "expect": 1,
              "change": {"enabled": True}}, "enabled", "true or false"),
            ({"addresses": user, "change": {"password": "x"}}, "password",
             "no setting"),
            ({"addresses": user, "change": {"mail_system": "mars"}},
             "mail_system", "one of"),
            ({"addresses": user, "change": {"system": "nosuch"}}, "system",
             "nosuch"),
            ({"addresses": user, "change": {"quota": -1}}, "quota", "10G")):
        root.refused("POST", "/users/bulk", body, field, word)
    root.post("/users/bulk", {"filter": {"mail_system": "mars"}, "expect": 1,
                              "change": {"enabled": True}}, status=400)
    root.post("/users/bulk", {"filter": {"domain": "nosuch.test"},
                              "expect": 1, "change": {"enabled": True}},
              status=404)


# ---- rights ----------------------------------------------------------------

def test_whose_jobs(root, domain):
    other = f"j{next(counter)}.test"
    root.put(f"/domains/{other}", {"relay": "192.0.2.1"}, status=201)
    people(root, domain, 4)
    people(root, other, 4)
    # A delegate may change a user's mail system, hence many users'.
    api = administrator(root, "delegate", domain)
    job, _ = api.finish({"filter": {}, "expect": 4,
                         "change": {"mail_system": "alternate"}})
    assert job["changed"] == 4
    assert elsewhere(root, domain) == 4 and elsewhere(root, other) == 0
    assert {who for *_, who in log_of(root.server, domain)} == {
        f"console:delegate@{domain}"}
    api.post("/users/bulk", alternate(other, 4), status=404)
    _, refusals = api.finish({"addresses": [f"user1@{other}"],
                              "change": {"mail_system": "alternate"}})
    assert refusals[0]["detail"] == f"There is no user user1@{other}."
    assert elsewhere(root, other) == 0

    stranger = administrator(root, "domain-admin", other)
    for path in (f"/jobs/{job['id']}", f"/jobs/{job['id']}/refusals"):
        stranger.get(path, status=404)
    stranger.post(f"/jobs/{job['id']}/cancel", None, status=404)
    assert stranger.get("/jobs").json["items"] == []
    assert len(api.get("/jobs").json["items"]) == 2
    assert root.get(f"/jobs/{job['id']}").json == job
    assert job in root.get("/jobs", limit=500).json["items"]
    assert job not in root.get("/jobs", limit=500, own="true").json["items"]
    root.get("/jobs/999999", status=404)
    root.get("/jobs/x", status=404)

    token = api.new_token("t")
    reader = Api(root.server)
    reader.token = token.json["token"]
    assert reader.get(f"/jobs/{job['id']}").json == job
    reader.post(f"/jobs/{job['id']}/cancel", None, status=403)
    reader.post("/users/bulk", alternate(domain, 4), status=403)


def test_rights_that_are_lost_meanwhile(root, domain):
    people(root, domain, 20000)
    api = administrator(root, "domain-admin", domain)
    job = api.wait_for_job(api.job(alternate(domain, 20000)), started)
    root.patch(f"/administrators/domain-admin@{domain}",
               {"role": "delegate"})
    job = api.wait_for_job(job)
    assert job["state"] == "failed"
    assert job["detail"] == (f"domain-admin@{domain}, who asked for it, has "
                             "fewer rights now.")
    assert 0 < job["done"] < job["total"]
    assert elsewhere(root, domain) == job["changed"] == job["done"]

    job = api.wait_for_job(api.job(
        {"filter": {}, "expect": 20000, "change": {"quota": "1G"}}), started)
    root.delete(f"/administrators/domain-admin@{domain}")
    job = root.wait_for_job(job)
    assert job["state"] == "failed" and "no administrator" in job["detail"]
    api.get(f"/jobs/{job['id']}", status=401)


# ---- putting back ----------------------------------------------------------

def test_undo(root, domain):
    people(root, domain, 60)
    for number in range(1, 11):
        root.patch(f"/users/user{number}@{domain}", {"mail_system": "none"})
    api = administrator(root, "delegate", domain)
    body = {"filter": {"domain": domain}, "expect": 60,
            "change": {"mail_system": "alternate", "quota": "1G"}}
    job, _ = api.finish(body)
    assert job["changed"] == 60 and job["can_undo"] and not job["undoes"]
    root.patch(f"/users/user60@{domain}", {"quota": "2G"})

    other = f"j{next(counter)}.test"
    root.put(f"/domains/{other}", {}, status=201)
    stranger = administrator(root, "domain-admin", other)
    stranger.post(f"/jobs/{job['id']}/undo", None, status=404)
    answer = api.post(f"/jobs/{job['id']}/undo", None, status=202)
    assert answer.headers["location"] == f"/api/v1/jobs/{answer.json['id']}"
    back = api.wait_for_job(answer.json)
    assert (back["kind"], back["undoes"], back["change"]) == (
        "put-back", job["id"], None)
    assert (back["total"], back["changed"], back["refused"]) == (60, 59, 1)
    [refusal] = api.get(f"/jobs/{back['id']}/refusals").json["items"]
    assert refusal["address"] == f"user60@{domain}"
    assert "changed this user since" in refusal["detail"]
    assert elsewhere(root, domain) == 1
    assert root.get("/users", domain=domain, mail_system="none", limit=1,
                    count="true").json["total"] == 10
    assert root.get(f"/users/user3@{domain}").json["quota"] == 0

    # Nothing was changed, so there is nothing to be put back.
    job, _ = api.finish(dict(body, change={"forward_copy": True}))
    assert job["changed"] == 0 and not job["can_undo"]
    api.refused("POST", f"/jobs/{job['id']}/undo", None, None,
                "nothing to be put back")


# ---- it is stopped, and stops nobody ---------------------------------------

def test_cancel(root, domain):
    people(root, domain, 20000)
    job = root.wait_for_job(root.job(alternate(domain, 20000)), started)
    waits = root.job({"filter": {"domain": domain}, "expect": 20000,
                      "change": {"enabled": False}})
    assert waits["state"] == "waiting"
    assert root.post(f"/jobs/{waits['id']}/cancel",
                     None).json["state"] == "cancelled"
    seen = root.post(f"/jobs/{job['id']}/cancel", None).json
    assert seen["state"] == "cancelled" and 0 < seen["done"] < 20000
    assert elsewhere(root, domain) == seen["changed"] == seen["done"]
    # It stays so, and is no hindrance to the next.
    assert root.post(f"/jobs/{job['id']}/cancel", None).json == seen
    job, _ = root.finish({"addresses": [f"user20000@{domain}"],
                          "change": {"quota": "1G"}})
    assert job["changed"] == 1
    assert elsewhere(root, domain) == seen["changed"]
    assert root.get(f"/jobs/{seen['id']}").json == seen


def test_commands_go_through_meanwhile(root, domain):
    people(root, domain, 20000)
    job = root.wait_for_job(root.job(alternate(domain, 20000)), started)
    for number in range(5):
        root.server.cli("user", "create", f"new{number}@{domain}")
        root.server.cli("user", "set", f"user9999@{domain}",
                        f"quota={number + 1}G")
    # All ten, before it has come to its end.
    seen = root.get(f"/jobs/{job['id']}").json
    assert seen["state"] == "running" and seen["done"] < 20000
    root.post(f"/jobs/{job['id']}/cancel", None)
    assert root.get(f"/users/user9999@{domain}").json["quota"] == 5 << 30


def test_another_writer_only_delays_it(root, domain):
    people(root, domain, 3000)
    job = root.wait_for_job(root.job(alternate(domain, 3000)), started)
    with the_writer(root.server):
        one = root.get(f"/jobs/{job['id']}").json
        two = root.get(f"/jobs/{job['id']}").json
        assert one == two and one["done"] < 3000
    assert root.wait_for_job(job)["changed"] == 3000
    once_each(root.server, domain, 3000, "console:admin0")


# ---- for how long ----------------------------------------------------------

def remembered(server, table, job):
    with sqlite3.connect(os.path.join(server.data, "directory.db"),
                         timeout=30) as db:
        [(count,)] = db.execute(
            f"SELECT count(*) FROM {table} WHERE job = ?", (job["id"],))
        return count


def let_days_pass(server, days, job):
    with sqlite3.connect(os.path.join(server.data, "directory.db"),
                         timeout=30) as db:
        db.execute("UPDATE job SET ended_at = ended_at - ? * 86400 "
                   "WHERE id = ?", (days, job["id"]))


def test_what_is_too_old_goes_without_a_new_job(root, domain):
    server = root.server
    people(root, domain, 5)
    body = alternate(domain, 5)
    job, _ = root.finish(body)
    old, _ = root.finish(dict(body, change={"quota": "1G"}))
    assert job["can_undo"] and remembered(server, "job_done", job) == 5
    let_days_pass(server, 1, job)
    let_days_pass(server, 30, old)
    seen = root.get(f"/jobs/{job['id']}").json
    assert not seen["can_undo"]
    assert seen in root.get("/jobs", limit=500).json["items"]
    root.refused("POST", f"/jobs/{job['id']}/undo", None, None,
                 "ended more than 24 hours ago")
    # The console, when it starts.
    server.stop()
    server.serve()
    root.sign_in("admin0", server.admin_password)
    wait_until(lambda: remembered(server, "job_done", job) == 0, 20,
               "what was done to be forgotten")
    root.get(f"/jobs/{old['id']}", status=404)
    assert root.get(f"/jobs/{job['id']}").json == seen


# ---- exactly once ----------------------------------------------------------

def test_killed_in_the_middle(root, domain):
    server = root.server
    people(root, domain, 5000)
    job = root.job(alternate(domain, 5000))
    done = 0
    for _ in range(3):
        job = root.wait_for_job(job, lambda seen: seen["done"] > done)
        pid = console_pid(server)
        os.kill(pid, 9)
        wait_until(lambda: console_pid(server) not in (None, pid) and
                   answers(server), 30, "a console after a kill")
        root.sign_in("admin0", server.admin_password)
        seen = root.get(f"/jobs/{job['id']}").json
        assert seen["done"] >= job["done"] and seen["state"] == "running"
        done = seen["done"]
    job = root.wait_for_job(job)
    assert (job["state"], job["done"], job["changed"], job["refused"]) == (
        "done", 5000, 5000, 0)
    assert elsewhere(root, domain) == 5000
    once_each(server, domain, 5000, "console:admin0")


def test_stopped_and_started(root, domain):
    server = root.server
    people(root, domain, 5000)
    job = root.wait_for_job(root.job(alternate(domain, 5000)), started)
    server.stop()
    with sqlite3.connect(os.path.join(server.data, "directory.db")) as db:
        [(done, changed)] = db.execute(
            "SELECT done, changed FROM job WHERE id = ?", (job["id"],))
        [(left,)] = db.execute("SELECT count(*) FROM job_item")
    assert job["done"] <= done == changed < 5000 and done + left == 5000
    assert len(log_of(server, domain)) == done
    server.serve()
    root.sign_in("admin0", server.admin_password)
    assert root.wait_for_job(job)["changed"] == 5000
    once_each(server, domain, 5000, "console:admin0")
