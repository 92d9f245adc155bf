"""A user or a domain gets another name while mail flows and people read: nothing
is lost, the old names go on, it is one line of the log, and one undo gives it
all back."""

import os
import sqlite3

import pytest

from api import Api
from traffic import ALICE, BOB, DOMAIN, FAST, Traffic, everything_arrived
from world import wait_until

OTHER = "other.test"
NEW = f"alice.miller@{DOMAIN}"
PASSWORD = "correct horse"
# `./dev test --all` sets it: ten seconds of a processor.
MAILS = 10000 if os.environ.get("SPLITMAIL_ALL") else 500


def sign_in(server):
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    return api


def folder_of(server, user):
    with sqlite3.connect(os.path.join(server.data, "directory.db"),
                         timeout=120) as db:
        (name,), = db.execute("SELECT mailbox FROM holder WHERE login = ?",
                              (user,))
    return os.path.join(server.data, "mail", name, "Maildir",
                        "folders")


def fill_mailbox(server, user, count):
    """COUNT mails in Archive, as Dovecot would have put them there."""
    imap = server.imap(user)
    imap.create("Archive")
    imap.append("Archive", None, None, b"Subject: old-0\r\n\r\nx\r\n")
    imap.logout()
    folder = os.path.join(folder_of(server, user), "Archive", "maildir-Mails",
                          "cur")
    owner = os.stat(folder)
    for number in range(1, count):
        path = os.path.join(folder, f"{number}.old.test:2,S")
        with open(path, "w") as file:
            file.write(f"Subject: old-{number}\r\n\r\nx\r\n")
        os.chown(path, owner.st_uid, owner.st_gid)


def lines(api):
    return api.get("/changes", limit=1).json["items"][0]["id"]


def identity(imap):
    """What a client that has read it all goes by (RFC 9051 2.3.1.1)."""
    return imap.status("Archive", "(UIDVALIDITY UIDNEXT)")[1]


def size(imap, folder="INBOX"):
    return int(imap.select(folder)[1][0])


@pytest.fixture
def server(world):
    server = world.server("a", conf=FAST)
    server.sink = world.sink()
    server.cli("domain", "create", DOMAIN, "--relay", server.sink.at)
    server.cli("domain", "create", OTHER)
    server.cli("system", "create", "out", "--hosts", server.sink.at,
               "--smart-host")
    server.user(ALICE)
    server.user(f"helen@{OTHER}")
    server.cli("user", "create", BOB, "--mail-system", "alternate")
    return server


def flow(server, mails=160):
    traffic = Traffic(server, mails=mails, senders=3, users=1,
                      rounds=[[ALICE], [BOB], [ALICE, BOB]])
    wait_until(lambda: len(traffic.accepted) > 10, 30, "mail flows")
    return traffic


def ended(traffic):
    wait_until(traffic.done, 60, "all mail is sent")
    # What was begun in the old name is refused for a moment, not taken.
    return traffic


@pytest.mark.parametrize("mails", [MAILS])
def test_a_user_is_renamed(server, mails):
    api = sign_in(server)
    fill_mailbox(server, ALICE, mails)
    server.cli("user", "set", f"helen@{OTHER}", f"forward={ALICE}")
    server.cli("group", "create", f"team@{OTHER}", "--member", ALICE)
    api.put(f"/administrators/{ALICE}", {"role": "delegate",
                                         "domain": DOMAIN}, status=201)
    reading = server.imap(ALICE)
    assert size(reading, "Archive") == mails
    known = identity(reading)
    before = lines(api)
    traffic = flow(server)
    done = api.post(f"/users/{ALICE}/rename", {"address": NEW}, 200).json
    assert lines(api) == done["change"] == before + 1
    everything_arrived(server, ended(traffic), server.sink)
    came = len(server.subjects(ALICE))
    now = server.imap(NEW, "secret-alice")
    assert size(now, "Archive") == mails and identity(now) == known
    assert size(now) == came
    assert api.get(f"/users/helen@{OTHER}").json["forward"] == [NEW]
    assert api.get(f"/groups/team@{OTHER}").json["members"] == [NEW]
    api.get(f"/administrators/{NEW}")
    assert Api(server).sign_in(NEW, "secret-alice").status == 201
    user = api.get(f"/users/{ALICE}").json
    assert user["address"] == NEW
    assert [each["address"] for each in user["addresses"]] == [
        "alice@*", "alice.miller@*"]
    for user in f"helen@{OTHER}", f"team@{OTHER}", NEW:
        server.send("x@y.test", user)
    server.wait_for_queue(0)
    came += 3
    assert size(now) == came
    # Who read under the old name is told to come again, and finds everything.
    wait_until(lambda: is_gone(reading), 20, "the old session ends")
    traffic = flow(server)
    api.post(f"/changes/{done['change']}/undo", None, 200)
    assert lines(api) == before + 2
    everything_arrived(server, ended(traffic), server.sink)
    assert len(server.subjects(ALICE)) > came
    assert size(server.imap(ALICE), "Archive") == mails
    assert api.get(f"/users/helen@{OTHER}").json["forward"] == [ALICE]
    api.get(f"/users/{NEW}", status=404)
    api.refused("POST", f"/changes/{done['change']}/undo", None, None,
                "no such change")


def is_gone(imap):
    try:
        imap.noop()
        return False
    except (OSError, imap.abort):
        return True


@pytest.mark.parametrize("people", [1000])
def test_a_domain_is_renamed(server, people):
    api = sign_in(server)
    server.fill(DOMAIN, people, mail_system="0")
    everybody = [f"user{n}@{DOMAIN}" for n in range(1, people + 1)]
    api.put(f"/groups/all@{OTHER}", {"members": everybody}, status=201)
    api.patch(f"/domains/{OTHER}", {"catch_all": ALICE})
    sessions = [server.imap(ALICE) for _ in range(3)]
    before = lines(api)
    traffic = flow(server)
    done = api.post(f"/domains/{DOMAIN}/rename", {"name": "new.test"},
                    200).json
    assert lines(api) == done["change"] == before + 1
    everything_arrived(server, ended(traffic), server.sink)
    for name in ALICE, "alice@new.test":
        server.imap(name, "secret-alice").logout()
    members = api.get(f"/groups/all@{OTHER}").json["members"]
    assert members == [f"user{n}@new.test" for n in range(1, people + 1)]
    domain = api.get("/domains/new.test").json
    assert domain["aliases"] == [DOMAIN] and domain["hosted"] == people + 1
    assert api.get(f"/domains/{OTHER}").json["catch_all"] == "alice@new.test"
    logins = api.get("/users", domain="new.test", limit=1).json["items"]
    assert logins[0]["address"].endswith("@new.test")
    wait_until(lambda: all(map(is_gone, sessions)), 20,
               "the old sessions end")
    came = len(server.subjects(ALICE))
    for user in f"anybody@{OTHER}", ALICE, "alice@new.test":
        server.send("x@y.test", user)
    server.wait_for_queue(0)
    assert len(server.subjects(ALICE)) == came + 3
    traffic = flow(server)
    api.post(f"/changes/{done['change']}/undo", None, 200)
    everything_arrived(server, ended(traffic), server.sink)
    assert lines(api) == before + 2
    assert api.get(f"/groups/all@{OTHER}").json["members"] == everybody
    api.get("/domains/new.test", status=404)
    assert api.get(f"/domains/{DOMAIN}").json["aliases"] == []


def test_what_waits_in_the_queue_arrives(server):
    """By the old address, which another one may not get meanwhile."""
    server.cli("user", "set", ALICE, "quota=1")
    server.send("x@y.test", [ALICE, BOB])
    server.wait_for_queue(1)
    server.cli("user", "rename", ALICE, NEW)
    server.cli("user", "set", NEW, "quota=0")
    server.cli("queue", "retry", "--all")
    server.wait_for_queue(0)
    assert len(server.mailbox(NEW, password="secret-alice")) == 1


def test_by_the_command_line(server):
    server.cli("user", "rename", ALICE, NEW, "--drop-old")
    assert server.route(ALICE)["action"] == "refuse"
    change = server.cli("change", "list", NEW, "--most", "1")[0]
    assert (change["field"], change["old"]) == ("renamed", ALICE)
    server.user(f"ida@{DOMAIN}")
    assert NEW in server.refused("user", "rename", f"ida@{DOMAIN}", NEW)
    server.cli("user", "rename", NEW, f"al@{DOMAIN}")
    again = server.cli("change", "list", f"al@{DOMAIN}", "--most", "1")[0]
    assert "another name since" in server.refused("change", "undo",
                                                  str(change["id"]))
    server.cli("change", "undo", str(again["id"]))
    server.cli("change", "undo", str(change["id"]))
    assert server.route(ALICE)["action"] == "deliver"
    server.cli("domain", "rename", DOMAIN, "new.test")
    assert server.cli("user", "show", ALICE)["address"] == "alice@new.test"


def test_who_may(server):
    """A delegate the users of his domain; nobody else's, no domain."""
    api = sign_in(server)
    for name, role, domain in [("dele", "delegate", DOMAIN),
                               ("else", "domain-admin", OTHER)]:
        api.put(f"/administrators/{name}", {"role": role, "domain": domain,
                                            "password": PASSWORD}, status=201)
    dele, other = Api(server), Api(server)
    dele.sign_in("dele", PASSWORD)
    other.sign_in("else", PASSWORD)
    body = {"address": NEW}
    other.post(f"/users/{ALICE}/rename", body, 404)
    other.post(f"/domains/{OTHER}/rename", {"name": "x.test"}, 403)
    looked = dele.request("POST", f"/users/{ALICE}/rename", body, 200,
                          preview="true").json
    assert looked["change"] is None
    done = dele.post(f"/users/{ALICE}/rename", body, 200).json
    other.post(f"/changes/{done['change']}/undo", None, 422)
    dele.post(f"/changes/{done['change']}/undo", None, 200)
    dele.refused("POST", f"/users/{ALICE}/rename", {"address": "no"},
                 "address")
    dele.refused("POST", f"/users/{ALICE}/rename", {"address": NEW,
                                                    "keep_old": "x"},
                 "keep_old")
