"""A backup that is taken while mail comes in, and what is made of it."""

import os
import shutil
import sqlite3
import threading

import pytest

from traffic import ALICE, BOB, STRANGER, split_server, text

LARGE = "x" * 998 + "\r\n"


def entries(server):
    return server.cli("user", "list")


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_backup_in_traffic_is_a_server_again(world, rounds):
    server = split_server(world)
    server.sink.down()
    done = threading.Event()

    def work():
        number = 0
        while not done.is_set():
            number += 1
            server.send(STRANGER, [BOB], text(f"s{number}"))
            server.send(STRANGER, [BOB], text(f"l{number}", LARGE * 200))
            server.user(f"new{number}@" + ALICE.split("@")[1])
    thread = threading.Thread(target=work)
    thread.start()
    backups = []
    try:
        for number in range(rounds):
            folder = os.path.join(server.folder, f"backup{number}")
            before = len(entries(server))
            done_ = server.run("backup", folder)
            assert done_.returncode == 0, done_.stderr
            backups.append((folder, before, len(entries(server))))
    finally:
        done.set()
        thread.join()
    assert server.run("backup", folder).returncode == 1     # not twice
    server.stop()
    for folder, least, most in backups:
        for name in ("directory.db", "queue.db", "tls/key.pem",
                     "splitmail.conf"):
            assert os.stat(os.path.join(folder, name)).st_mode & 0o77 == 0
        shutil.copytree(f"{server.data}/mail", f"{folder}/mail",
                        dirs_exist_ok=True)
        owner = os.stat(f"{server.data}/directory.db")
        for path, folders, files in os.walk(folder):
            for name in [path] + [os.path.join(path, f) for f in files]:
                os.chown(name, owner.st_uid, owner.st_gid)
        with sqlite3.connect(os.path.join(folder, "queue.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        data, server.data = server.data, folder
        server.serve()
        assert least <= len(entries(server)) <= most
        for message in server.queue():
            shown = server.cli("queue", "show", message["id"])
            assert shown["id"] == message["id"]
        server.send(STRANGER, ALICE)
        server.imap(ALICE).logout()
        server.stop()
        server.data = data
    server.serve()


def test_a_backup_of_a_server_that_is_stopped(world):
    server = world.server("a", start=False)
    folder = os.path.join(server.folder, "backup")
    assert server.run("backup", folder).returncode == 0
    assert os.path.exists(f"{folder}/directory.db")
    assert server.run("backup").returncode == 2
    assert server.run("backup", server.data + "/no/such").returncode == 1
    server.serve()          # nothing of root's was left in it
