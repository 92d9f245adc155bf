"""A mailbox is nobody else's: whatever directory.db lies beside old mail."""

import contextlib
import os
import shutil
import sqlite3

import pytest

from test_logins import Sieve

DOMAIN = "example.test"
FIRST, SECOND = f"secretary@{DOMAIN}", f"trainee@{DOMAIN}"
SHARED = [f"board@{DOMAIN}", f"guests@{DOMAIN}"]
STRANGER = "stranger@elsewhere.test"


def backup(server):
    """directory.db as `sqlite3 .backup` copies it."""
    path = os.path.join(server.folder, "backup.db")
    with contextlib.closing(sqlite3.connect(
            os.path.join(server.data, "directory.db"))) as source, \
            contextlib.closing(sqlite3.connect(path)) as target:
        source.backup(target)
    return path


def remove(server, *names):
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(server.data, name))


def put_back(server):
    """Another directory.db, which does not know of what came later."""
    path = os.path.join(server.data, "directory.db")
    owner = os.stat(path)
    server.stop()
    remove(server, "directory.db", "directory.db-wal", "directory.db-shm")
    shutil.copy(os.path.join(server.folder, "backup.db"), path)
    os.chown(path, owner.st_uid, owner.st_gid)
    server.serve()


def begin_anew(server):
    """`init` beside a mail/ that was copied here."""
    server.stop()
    for name in os.listdir(server.data):
        path = os.path.join(server.data, name)
        if name != "mail":
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    done = server.run("init", "--hostname", server.hostname, "--bind",
                      server.address, "--port-base", str(server.base))
    assert done.returncode == 0, done.stderr
    server.serve()
    server.cli("domain", "create", DOMAIN)


def delete(server):
    for noun, address in ("user", FIRST), ("shared", SHARED[0]):
        server.cli(noun, "delete", address, "--yes")


def files(server):
    """What lies in the mailboxes, whoever's it is."""
    return sum(len(names) for _, _, names in
               os.walk(os.path.join(server.data, "mail")))


@pytest.mark.parametrize("change", [put_back, begin_anew, delete])
def test_who_is_new_finds_nothing_of_another(world, change):
    server = world.server("a")
    server.cli("domain", "create", DOMAIN)
    backup(server)
    server.user(FIRST)
    server.cli("shared", "create", SHARED[0])
    server.send(STRANGER, [FIRST, SHARED[0]])
    server.wait_for_mail(FIRST)
    Sieve(server, FIRST).install('redirect "friend@elsewhere.test";')
    old = files(server)
    change(server)
    assert files(server) >= old - 2, "what was there is there"
    again = FIRST if change is delete else SECOND
    server.user(again)
    server.cli("shared", "create", SHARED[change is not delete])
    assert server.mailbox(again) == []
    server.send(STRANGER, [again, SHARED[change is not delete]])
    server.wait_for_mail(again)
    assert server.queue() == [], "a script of another redirected it"
    folders = os.listdir(os.path.join(server.data, "mail"))
    assert len([f for f in folders if f[0].isdigit()]) == 4, folders


def test_who_is_in_the_older_directory_has_his_mail_again(world):
    server = world.server("a")
    server.cli("domain", "create", DOMAIN)
    server.user(FIRST)
    server.send(STRANGER, FIRST)
    server.wait_for_mail(FIRST)
    backup(server)
    server.cli("user", "delete", FIRST, "--yes")
    put_back(server)
    server.wait_for_mail(FIRST)
