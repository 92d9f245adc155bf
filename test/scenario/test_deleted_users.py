"""Who is deleted is kept for 30 days, with his mail; then both are gone."""

import contextlib
import imaplib
import os
import sqlite3
import subprocess
import time

import pytest

from api import Api
from splitmail import binary
from test_logins import Sieve
from world import wait_until

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
SHARED = f"office@{DOMAIN}"
STRANGER = "stranger@elsewhere.test"


@pytest.fixture
def server(world):
    server = world.server("a")
    server.cli("domain", "create", DOMAIN, "--relay", "127.0.0.1:9")
    server.user(ALICE, "--quota", "5M")
    server.cli("shared", "create", SHARED)
    server.send(STRANGER, [ALICE, SHARED])
    server.wait_for_mail(ALICE)
    return server


def mailboxes(server):
    """Their folders, of those where something lies."""
    return {name for name in os.listdir(os.path.join(server.data, "mail"))
            if name[0].isdigit()}


def directory(server, statement):
    with sqlite3.connect(os.path.join(server.data, "directory.db"),
                         timeout=120) as db:
        return db.execute(statement).fetchall()


def is_back(server, user, mails=1, password=None):
    """With his mail.  A session of the first second may still be ended: it
    could have begun before the deletion."""
    def look():
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            return len(server.mailbox(user, password=password)) == mails
    wait_until(look, 30, f"{user} with his mail")


def on_a_terminal(server, answer, *words):
    """What is asked, and the exit status after ANSWER."""
    command = f"{binary()} --data {server.data} {' '.join(words)}"
    done = subprocess.run(["script", "-qec", command, "/dev/null"],
                          input=answer, capture_output=True, text=True,
                          timeout=60)
    return done.stdout, done.returncode


def test_a_deletion_is_undone(server):
    Sieve(server, ALICE).install("keep;")
    there = mailboxes(server)
    server.cli("user", "delete", ALICE, "--yes")
    server.cli("shared", "delete", SHARED, "--yes")
    assert mailboxes(server) == there
    [shown] = server.cli("user", "deleted")
    assert shown["address"] == ALICE and shown["has_mail"]
    assert shown["deleted_by"].startswith("cli:")
    kept = time.mktime(time.strptime(shown["until"], "%Y-%m-%dT%H:%M:%SZ")) - \
        time.mktime(time.strptime(shown["deleted"], "%Y-%m-%dT%H:%M:%SZ"))
    assert kept == 30 * 86400
    # Who has the address meanwhile has a mailbox of his own.
    server.user(ALICE, password="another one")
    is_back(server, ALICE, mails=0, password="another one")
    assert "is taken" in server.refused("user", "restore", ALICE)
    server.cli("user", "restore", ALICE, "--as", BOB)
    server.passwords[BOB] = "secret-alice"
    is_back(server, BOB)
    assert server.cli("user", "show", BOB)["quota"] == 5 * 2**20
    server.cli("shared", "restore", SHARED)
    assert server.cli("shared", "deleted") == []
    server.send(STRANGER, [BOB, SHARED])
    server.wait_for_mail(BOB, 2)
    assert len(mailboxes(server)) == len(there) + 1


def test_it_is_gone_after_its_time(server):
    there = mailboxes(server)
    server.cli("user", "delete", ALICE, "--yes")
    server.cli("shared", "delete", SHARED, "--yes")
    directory(server, "UPDATE deleted SET deleted_at = 1, until = 2 "
                      f"WHERE login = '{ALICE}'")
    assert server.run("user", "sweep").stdout == "Removed mailboxes: 1.\n"
    assert len(mailboxes(server)) == len(there) - 1
    assert server.cli("user", "deleted") == []
    assert "Nothing is kept" in server.refused("user", "restore", ALICE)
    server.cli("shared", "restore", SHARED)
    assert len(mailboxes(server)) == len(there) - 1


@pytest.mark.parametrize("way", ["erase", "delete --erase", "while stopped",
                                 "by the supervisor"])
def test_it_is_erased_at_once_when_told_so(server, way):
    there = mailboxes(server)
    if way == "while stopped":
        server.stop()
    if way == "delete --erase":
        done = server.run("user", "delete", ALICE, "--erase")
        assert done.returncode == 2 and "for good?" in done.stderr
        server.cli("user", "delete", ALICE, "--erase", "--yes")
    else:
        server.cli("user", "delete", ALICE, "--yes")
        if way == "by the supervisor":
            directory(server, "UPDATE deleted SET is_erased = 1, until = 2")
            wait_until(lambda: len(mailboxes(server)) < len(there), 30,
                       "its end")
        else:
            done = server.run("user", "erase", ALICE)
            assert done.returncode == 2 and "add --yes" in done.stderr
            server.cli("user", "erase", ALICE, "--yes")
    assert len(mailboxes(server)) == len(there) - 1
    assert server.cli("user", "deleted") == []
    # Nobody's name is kept, either.
    assert way == "by the supervisor" or [row[0] for row in directory(
        server, "SELECT login FROM deleted")] == [""]


def test_what_becomes_of_the_mail_is_said_and_asked(server):
    said, status = on_a_terminal(server, "n\n", "user", "delete", ALICE)
    assert f"Delete {ALICE}: the mail that lies here is kept until 20" in said
    assert status == 1 and server.cli("user", "show", ALICE)
    server.cli("user", "create", BOB, "--mail-system", "alternate")
    said, status = on_a_terminal(server, "n\n", "user", "delete", BOB)
    assert "no mail of his lies here" in said and "kept until" not in said
    said, status = on_a_terminal(server, "y\n", "user", "delete", BOB)
    assert status == 0 and "is deleted" in said
    [shown] = server.cli("user", "deleted")
    assert shown["address"] == BOB and not shown["has_mail"]
    said, status = on_a_terminal(server, "", "user", "delete", ALICE, "--yes")
    assert status == 0 and "[y/N]" not in said
    said, status = on_a_terminal(server, "n\n", "user", "erase", ALICE)
    assert "for good?" in said and status == 1


def test_the_api_lists_restores_and_erases(server):
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    api.put(f"/administrators/helper@{DOMAIN}", {
        "role": "delegate", "domain": DOMAIN, "password": "a-long-password"},
        status=201)
    helper = Api(server)
    helper.sign_in(f"helper@{DOMAIN}", "a-long-password")
    for _ in range(2):
        api.delete(f"/users/{ALICE}", status=204)
        [kept] = api.get("/kept").json["items"]
        assert kept["address"] == ALICE and kept["has_mail"]
        helper.post(f"/kept/{kept['id']}/restore", {}, status=204)
        is_back(server, ALICE)
    api.delete(f"/users/{ALICE}", status=204)
    api.delete(f"/shared/{SHARED}", status=204)
    shared, alice = api.get("/kept").json["items"]
    helper.post(f"/kept/{shared['id']}/restore", {}, status=404)
    helper.delete(f"/kept/{shared['id']}", status=403)
    api.post(f"/kept/{alice['id']}/restore", {"address": SHARED.upper()},
             status=204)
    api.delete(f"/users/{SHARED}", status=204)
    there = mailboxes(server)
    [again, _] = api.get("/kept").json["items"]
    api.delete(f"/kept/{again['id']}", status=204)
    api.delete(f"/kept/{again['id']}", status=404)
    api.post(f"/kept/{again['id']}/restore", {}, status=404)
    api.post("/kept/x/restore", {}, status=404)
    wait_until(lambda: len(mailboxes(server)) < len(there), 30, "its end")
