"""What is wrong with the server is named where an administrator looks: /health,
`splitmail status`, the overview, and, once, the log."""

import contextlib
import os
import re
import sqlite3
import subprocess
import time

import pytest

from api import Api
from test_system_changes import Certbot
from world import wait_until

DOMAIN = "example.test"
ALICE = f"alice@{DOMAIN}"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def health(server):
    answer = Api(server).raw("GET", "/health")
    return answer.status, answer.json


def troubles(server):
    return [t["what"] for t in health(server)[1]["trouble"]]


def await_trouble(server, what, status):
    wait_until(lambda: troubles(server) == [what], 60, what, pause=0.2)
    got, said = health(server)
    assert got == status
    assert said["status"] == ("ok" if status == 200 else "trouble")
    [trouble] = said["trouble"]
    assert trouble["stops_mail"] == (status == 503)
    assert "detail" not in trouble      # /health is for everybody
    return trouble


def await_health(server):
    wait_until(lambda: health(server) == (200, {
        "status": "ok", "directory": "ok", "queue": "ok", "engine": "ok",
        "mailboxes": health(server)[1]["mailboxes"], "trouble": []}), 60,
        "good health", pause=0.2)


def log_count(server, words):
    return len(re.findall(words, server.log()))


def overview(server):
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    return api.get("/overview").json


@contextlib.contextmanager
def small_disk(folder, options):
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
                   check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@as_root
def test_mailboxes_on_a_disk_of_their_own(world):
    """Their mail waits when it is full: it is said before."""
    server = world.server("a", start=False)
    server.start()
    mail = os.path.join(server.data, "mail")
    with small_disk(mail, "size=80m,mode=0700,"
                    f"uid={os.stat(server.data).st_uid}"):
        server.serve()
        await_health(server)
        with open(os.path.join(mail, "filler"), "wb") as file:
            file.write(b"x" * (30 << 20))
        trouble = await_trouble(server, "mail-disk-low", 200)
        assert 40 < trouble["values"]["free"] <= 50
        assert "where the mailboxes lie" in server.run("status").stdout
        os.remove(os.path.join(mail, "filler"))
        await_health(server)


@as_root
def test_a_disk_below_its_reserve(world):
    server = world.server("a", start=False)
    disk = os.path.join(server.folder, "disk")
    with small_disk(disk, "size=300m,mode=0755"):
        server.data = os.path.join(disk, "data")
        server.start()
        server.serve()
        await_health(server)
        filler = os.path.join(disk, "filler")
        with open(filler, "wb") as file:
            file.write(b"x" * (60 << 20))
        trouble = await_trouble(server, "disk-low", 503)
        assert trouble["values"]["least"] == 256
        assert 200 < trouble["values"]["free"] < 256   # maybe still filling
        said = server.run("status").stdout
        assert re.search(r"TROUBLE: 2\d\d MiB are free .* below 256 MiB", said)
        [shown] = overview(server)["trouble"]
        assert shown["what"] == "disk-low"
        wait_until(lambda: log_count(server, "error: 2.. MiB are free"), 10,
                   "the log")
        # It is said again after a restart, and once only.
        server.restart()
        await_trouble(server, "disk-low", 503)
        wait_until(lambda: log_count(server, "error: 2.. MiB are free") > 1,
                   what="the log")
        time.sleep(6)
        assert log_count(server, "error: 2.. MiB are free") == 2
        os.remove(filler)
        await_health(server)
        wait_until(lambda: log_count(server, "There is room for mail again"),
                   30, "the log")
        server.stop()


@as_root
def test_a_disk_without_room_for_files(world):
    server = world.server("a", start=False)
    disk = os.path.join(server.folder, "disk")
    with small_disk(disk, "size=600m,mode=0755,nr_inodes=1100"):
        server.data = os.path.join(disk, "data")
        server.start()
        server.serve()
        for number in range(300):
            with contextlib.suppress(OSError):
                open(os.path.join(disk, str(number)), "w").close()
        trouble = await_trouble(server, "files-low", 503)
        assert trouble["values"]["least"] == 1000
        server.stop()


@as_root
def test_a_disk_that_can_only_be_read(world):
    server = world.server("a", start=False)
    spool = os.path.join(server.data, "spool")
    owner = os.stat(spool)
    os.rmdir(spool)
    with small_disk(spool, f"size=600m,mode=0700,uid={owner.st_uid}"):
        server.serve()
        await_health(server)
        subprocess.run(["mount", "-o", "remount,ro", spool], check=True)
        await_trouble(server, "disk-read-only", 503)
        subprocess.run(["mount", "-o", "remount,rw", spool], check=True)
        await_health(server)
        server.stop()


@pytest.mark.parametrize("how", [
    "IMMEDIATE", pytest.param("EXCLUSIVE", marks=pytest.mark.long)])
def test_a_queue_that_somebody_holds(world, how):
    server = world.server("a")
    await_health(server)
    with contextlib.closing(sqlite3.connect(
            f"{server.data}/queue.db", isolation_level=None)) as db:
        db.execute(f"BEGIN {how}")
        await_trouble(server, "queue-stuck", 503)
        assert "database is locked" in server.run("status").stdout
        assert health(server)[1]["queue"] == "trouble"
        db.execute("ROLLBACK")
    await_health(server)
    assert log_count(server, "error: The queue cannot be written") == 1
    wait_until(lambda: log_count(server, "The queue can be written again"),
               30, "the log")


@contextlib.contextmanager
def damaged(path, name):
    """The first page of a table or an index of a database nobody uses."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [page] = db.execute("SELECT rootpage FROM sqlite_schema "
                            "WHERE name = ?", [name]).fetchone()
        [size] = db.execute("PRAGMA page_size").fetchone()
    with open(path, "r+b") as file:
        file.seek((page - 1) * size)
        good = file.read(size)
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    yield
    with open(path, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(good)


def test_a_directory_or_a_queue_that_is_damaged(world):
    server = world.server("a")
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    server.stop()
    with damaged(f"{server.data}/directory.db", "address"):
        server.serve()
        await_trouble(server, "directory-damaged", 200)
        assert ("warning: The directory is damaged"
                in server.run("status").stdout)
        server.stop()
    with damaged(f"{server.data}/queue.db", "recipient_due"):
        server.serve()
        await_trouble(server, "queue-unreadable", 200)
        assert ("warning: Some of the queue cannot be read"
                in server.run("status").stdout)
        server.stop()
    server.serve()
    await_health(server)


def test_a_system_that_is_down_is_named_and_mail_comes_in(world):
    sink = world.sink()
    server = world.server("a")
    server.cli("system", "create", "exchange", "--hosts", sink.at)
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.user(f"bob@{DOMAIN}", "--mail-system", "alternate")
    server.cli("user", "set", f"bob@{DOMAIN}", "system=exchange")
    sink.down()
    server.send("x@y.test", f"bob@{DOMAIN}")
    trouble = await_trouble(server, "system-down", 200)
    assert trouble["values"]["system"] == "exchange"
    assert re.search(r"warning: exchange has taken no mail since 20.*\n +\S",
                     server.run("status").stdout)
    assert overview(server)["trouble"][0]["detail"]
    sink.up()
    wait_until(lambda: sink.messages, 60, "the mail that waited")
    await_health(server)


@pytest.mark.parametrize("days, what", [
    (20, "certificate-ends"), (-1, "certificate-ended")])
def test_a_certificate_that_ends_is_a_warning(world, days, what):
    server = world.server("a", start=False)
    certbot = Certbot(server)
    certbot.make(days)
    certbot.turn()
    server.serve()
    trouble = await_trouble(server, what, 200)
    assert re.match(r"20\d\d-", trouble["values"]["at"])
    said = server.run("status").stdout
    assert f"the certificate ends at {trouble['values']['at']}\n" in said
    assert overview(server)["engine"]["certificate_ends"] == \
        trouble["values"]["at"]
    if days > 0:
        assert trouble["values"]["n"] == days - 1
    assert "warning: The certificate " in server.run("status").stdout
    # The new one, and half of one more.
    certbot.make(90)
    certbot.turn()
    server.reload()
    await_health(server)
    certbot.make(90)
    certbot.turn(["privkey"])
    server.reload()
    await_trouble(server, "certificate-unusable", 200)
    assert "the key is not the certificate's" in server.run("status").stdout
    certbot.turn(["fullchain"])
    server.reload()
    await_health(server)
