"""Backups: taken while mail comes in and people work in their mailboxes, looked
at, restored whole and for one user."""

import contextlib
import email
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from peers import library_path
from splitmail import ROOT, binary
from traffic import ALICE, BOB, STRANGER, split_server, subject_of, text
from world import wait_until

LARGE = "x" * 998 + "\r\n"


def entries(server):
    return server.cli("user", "list")


def backup(server, folder, *options):
    done = server.run("backup", folder, *options)
    assert done.returncode == 0, done.stderr
    return manifest(folder)


def manifest(folder):
    return json.loads(pathlib.Path(folder, "manifest.json").read_text())


def wrong_in(server, folder, *options):
    done = server.run("--json", "backup", "verify", str(folder), *options)
    assert done.returncode in (0, 1), done.stderr
    said = json.loads(done.stdout)["wrong"]
    assert bool(said) == bool(done.returncode)
    return said


def restore(server, folder, data, *options):
    return subprocess.run(
        [*server.prefix, binary(), "--data", data, "restore", folder, *options],
        capture_output=True, text=True, env=server.environment)


@contextlib.contextmanager
def living_in(server, data):
    """SERVER, as of another data folder."""
    server.stop()
    own, server.data = server.data, data
    try:
        server.serve()
        yield
        server.stop()
    finally:
        server.data = own


def subjects(server, login, folder="INBOX"):
    """Each with how often it is there."""
    found = {}
    with server.imap(login) as imap:
        assert imap.select(f'"{folder}"', readonly=True)[0] == "OK"
        _, [numbers] = imap.search(None, "ALL")
        if not numbers:
            return found
        _, parts = imap.fetch(numbers.replace(b" ", b",").decode(),
                              "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        for part in parts:
            if isinstance(part, tuple):
                subject = email.message_from_bytes(part[1])["Subject"]
                found[subject] = found.get(subject, 0) + 1
    return found


def folders(server, login):
    with server.imap(login) as imap:
        return {re.search(rb'"/" "?([^"]*)"?$', line).group(1).decode()
                for line in imap.list()[1]}


class Work:
    """Mail that comes in, new users, and Alice who moves hers about."""

    def __init__(self, server, mailbox=True):
        self.server, self.done = server, threading.Event()
        self.answered, self.number = [], 0
        works = [self.mail] + ([self.imap] if mailbox else [])
        self.threads = [threading.Thread(target=work) for work in works]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()

    def mail(self):
        while not self.done.is_set():
            self.number += 1
            self.server.send(STRANGER, [BOB], text(f"s{self.number}"))
            self.server.send(STRANGER, [BOB],
                             text(f"l{self.number}", LARGE * 200))
            subject = f"a{self.number}"
            if self.server.send(STRANGER, [ALICE], text(subject)) == {}:
                self.answered.append(subject)
            if self.number % 10 == 0:
                self.server.user(
                    f"new{self.number}@" + ALICE.split("@")[1])

    def imap(self):
        dice = random.Random(1)
        with self.server.imap(ALICE) as imap:
            imap.create("Archive")
            while not self.done.is_set():
                imap.select("INBOX")
                _, [numbers] = imap.search(None, "ALL")
                for number in numbers.split()[-3:]:
                    imap.store(number, "+FLAGS",
                               dice.choice(["\\Seen", "\\Flagged", "Later"]))
                if numbers and dice.random() < 0.5:
                    imap.uid("MOVE", "1:*" if dice.random() < 0.1 else "*",
                             "Archive")


def all_of_alice(server):
    found = subjects(server, ALICE)
    if "Archive" in folders(server, ALICE):
        for subject, n in subjects(server, ALICE, "Archive").items():
            found[subject] = found.get(subject, 0) + n
    return found


@pytest.mark.apart
@pytest.mark.parametrize("rounds", [
    1, pytest.param(3, marks=pytest.mark.long)])
def test_a_backup_in_traffic_is_a_server_again(world, rounds):
    server = split_server(world)
    server.sink.down()
    backups = []
    with Work(server) as work:
        wait_until(lambda: len(work.answered) > 20, what="some mail")
        for number in range(rounds):
            folder = os.path.join(server.folder, f"backup{number}")
            before, mails = len(entries(server)), set(work.answered)
            backup(server, folder)
            backups.append((folder, before, len(entries(server)), mails))
    assert server.run("backup", folder).returncode == 1     # not twice
    for folder, least, most, mails in backups:
        assert wrong_in(server, folder, "--hash") == []
        for name in ("directory.db", "queue.db", "tls/key.pem", "files",
                     "splitmail.conf"):
            assert os.stat(os.path.join(folder, name)).st_mode & 0o77 == 0
        data = folder + ".restored"
        done = restore(server, folder, data)
        assert done.returncode == 0, done.stderr
        with sqlite3.connect(os.path.join(data, "queue.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with living_in(server, data):
            assert least <= len(entries(server)) <= most
            queue = server.queue()
            assert len(queue) == manifest(folder)["messages_in_queue"]
            assert {r["state"] for m in queue
                    for r in m["recipients"]} == {"held"}
            for message in queue:
                assert server.cli("queue", "show", message["id"])["id"]
            found = all_of_alice(server)
            assert mails <= set(found)
            if not manifest(folder)["mailboxes_never_at_rest"]:
                assert set(found.values()) == {1}
            assert server.send(STRANGER, ALICE) == {}
        server.serve()


def test_a_backup_of_a_server_that_is_stopped(world):
    server = world.server("a", start=False)
    folder = os.path.join(server.folder, "backup")
    assert backup(server, folder)["mailboxes"] == 0
    assert wrong_in(server, folder) == []
    assert server.run("backup").returncode == 2
    assert server.run("backup", server.data + "/no/such").returncode == 1
    server.serve()          # nothing of root's was left in it


def filled(world, mails, **settings):
    server = split_server(world, **settings)
    for i in range(mails):
        assert server.send(STRANGER, ALICE, text(f"m{i}")) == {}
    wait_until(lambda: len(subjects(server, ALICE)) == mails,
               what="the mails")
    return server


@pytest.mark.parametrize("hashed", [[], ["--hash"]])
@pytest.mark.parametrize("harm", ["lost", "cut", "longer", "changed", "list",
                                  "unfinished", "database", "body"])
def test_what_has_become_of_a_backup_is_seen(world, harm, hashed):
    server = filled(world, 2)
    server.sink.down()
    server.send(STRANGER, BOB, text("waits", LARGE * 200))
    folder = pathlib.Path(server.folder, "backup")
    backup(server, str(folder), *hashed)
    assert wrong_in(server, folder, *hashed) == []
    mail = next((folder / "mail").rglob("cur/*"),
                None) or next((folder / "mail").rglob("new/*"))
    bytes_ = mail.read_bytes()
    mail.unlink()           # a link: the mailbox keeps its own
    if harm != "lost":
        mail.write_bytes(bytes_)
    if harm == "cut":
        mail.write_bytes(bytes_[:-1])
    elif harm == "longer":
        mail.write_bytes(bytes_ + b"x")
    elif harm == "changed":
        mail.write_bytes(bytes_.replace(b"m", b"n", 1))
    elif harm == "list":
        with open(folder / "files", "a") as file:
            file.write("h - 1 mail/x\n")
    elif harm == "unfinished":
        (folder / "manifest.json").unlink()
    elif harm == "database":
        with open(folder / "directory.db", "r+b") as file:
            file.seek(100)
            file.write(b"x" * 50)
    elif harm == "body":
        next(folder.glob("spool/*.eml")).unlink()
    if harm in ("list", "unfinished"):
        done = server.run("backup", "verify", str(folder))
        assert done.returncode == 1
        assert ("manifest.json" if harm == "unfinished" else "files") \
            in done.stderr
    elif harm == "changed" and not hashed:
        assert wrong_in(server, folder) == []   # only its size is known
    else:
        said = " ".join(wrong_in(server, folder, *hashed))
        what = {"database": "directory.db", "body": "spool/"}.get(harm)
        assert (what or mail.name) in said
    data = str(folder) + ".restored"
    done = restore(server, str(folder), data)
    if harm != "changed" or hashed:
        assert done.returncode == 1 and str(folder) in done.stderr
    with contextlib.suppress(FileNotFoundError):
        assert "restore.unfinished" in os.listdir(data) or \
            done.returncode == 0 or os.listdir(data) == []


@pytest.mark.parametrize("user", [[], ["--user", ALICE]])
@pytest.mark.parametrize("there", ["nothing", "empty", "server"])
def test_what_is_no_backup_is_said_to_be_none(world, there, user):
    server = split_server(world)
    folder = pathlib.Path(server.folder, "elsewhere")
    if there == "empty":
        folder.mkdir()
    if there == "server":
        folder = server.folder
    data = server.folder if user else f"{server.folder}.restored"
    done = restore(server, str(folder), data, *user)
    assert done.returncode == 1
    assert f"{folder} is no backup" in done.stderr
    assert user or not os.path.exists(data)


@pytest.mark.parametrize("format", ["maildir", "mdbox"])
@pytest.mark.parametrize("mails", [1, 50])
def test_yesterdays_mailbox_beside_todays(world, format, mails):
    server = filled(world, mails, init=["--mailbox-format", format])
    with server.imap(ALICE) as imap:
        imap.create("Projects/North")
        imap.select("INBOX")
        imap.copy("1", "Projects/North")
        imap.store("1", "+FLAGS", "\\Seen Important")
    folder = os.path.join(server.folder, "backup")
    backup(server, folder)
    with server.imap(ALICE) as imap:        # the accident
        imap.select("INBOX")
        imap.store("1:*", "+FLAGS", "\\Deleted")
        imap.expunge()
        imap.delete("Projects/North")
    assert server.send(STRANGER, ALICE, text("of today")) == {}
    done = server.run("restore", folder, "--user", ALICE)
    assert done.returncode == 0, done.stderr
    name = re.search('"(Restored [^"]*)"', done.stdout).group(1)
    there = folders(server, ALICE)
    assert {f"{name}/INBOX", f"{name}/Projects/North"} <= there
    assert set(subjects(server, ALICE, f"{name}/INBOX").values()) == {1}
    assert len(subjects(server, ALICE, f"{name}/INBOX")) == mails
    assert len(subjects(server, ALICE, f"{name}/Projects/North")) == 1
    assert subjects(server, ALICE) == {"of today": 1}
    with server.imap(ALICE) as imap:
        imap.select(f'"{name}/INBOX"')
        flags = imap.fetch("1", "FLAGS")[1][0]
        assert b"\\Seen" in flags and b"Important" in flags
    again = server.run("restore", folder, "--user", ALICE)
    if format == "maildir":
        assert again.returncode == 1 and "already" in again.stderr
    else:
        assert again.returncode == 0, again.stderr
        assert len(subjects(server, ALICE, f"{name}/INBOX")) == mails
    unknown = server.run("restore", folder, "--user", "nobody@example.test")
    assert unknown.returncode == 1 and "nobody@example.test" in unknown.stderr
    assert [f for f in os.listdir(server.data)
            if f.startswith("restore.")] == []


@pytest.mark.parametrize("times", [1, 7])
def test_a_restore_that_is_killed_is_repeated(world, times):
    server = filled(world, 30)
    server.sink.down()
    for i in range(5):
        server.send(STRANGER, BOB, text(f"waits {i}", LARGE * 200))
    folder = os.path.join(server.folder, "backup")
    backup(server, folder)
    data = folder + ".restored"
    command = [*server.prefix, binary(), "--data", data, "restore", folder]
    dice = random.Random(times)
    began = time.monotonic()
    assert restore(server, folder, folder + ".other").returncode == 0
    whole = time.monotonic() - began
    for _ in range(times):
        process = subprocess.Popen(command, env=server.environment,
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(dice.uniform(0, whole))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if os.path.exists(f"{data}/restore.unfinished") and \
                os.path.exists(f"{data}/splitmail.conf"):
            served = subprocess.run(
                [*server.prefix, binary(), "--data", data, "serve"],
                capture_output=True, text=True, env=server.environment)
            assert served.returncode and "repeat" in served.stderr
    if not os.path.exists(f"{data}/restore.unfinished"):
        shutil.rmtree(data, ignore_errors=True)
    done = restore(server, folder, data)
    assert done.returncode == 0, done.stderr
    with living_in(server, data):
        assert len(subjects(server, ALICE)) == 30
        assert len(server.queue()) == 5
    server.serve()


@pytest.mark.parametrize("queue", ["hold", "drop", "send"])
@pytest.mark.parametrize("new_node", [[], ["--new-node"]])
def test_the_queue_and_the_node_of_a_restored_server(world, queue, new_node):
    server = split_server(world)
    server.sink.down()
    server.send(STRANGER, BOB, text("waits"))
    folder = os.path.join(server.folder, "backup")
    backup(server, folder)
    data = folder + ".restored"
    assert restore(server, folder, data, "--queue", "all").returncode == 1
    done = restore(server, folder, data, "--queue", queue, *new_node)
    assert done.returncode == 0, done.stderr
    server.sink.up()
    with living_in(server, data):
        if queue == "send":
            server.sink.wait(1)
        server.send(STRANGER, BOB, text("new"))
        wait_until(lambda: "new" in map(subject_of, server.sink.messages),
                   what="new mail")
        if queue == "hold":
            assert len(server.queue()) == 1
            server.cli("queue", "release", "--all")
        server.wait_for_queue(0)

    def node(of):
        with sqlite3.connect(os.path.join(of, "directory.db")) as db:
            return db.execute("SELECT id FROM node").fetchone()
    assert (node(data) == node(folder)) == (not new_node)
    assert restore(server, folder, data).returncode == 1    # not over it
    server.serve()


def fill_by_hand(server, login, mails, size, dice):
    """As another delivery agent would: files in new/."""
    inbox = pathlib.Path(server.data, "mail")
    with sqlite3.connect(f"file:{server.data}/directory.db?mode=ro",
                         uri=True) as db:
        [name] = db.execute("SELECT mailbox FROM holder WHERE login = ?",
                            [login]).fetchone()
    [new] = (inbox / name).rglob("INBOX/maildir-Mails/new")
    owner = os.stat(new)
    for i in range(mails):
        body = dice.randbytes(size // 2).hex()
        path = new / f"{int(time.time())}.M{i}P1.fill"
        path.write_text(f"Subject: old{i}\r\n\r\n{body}\r\n")
        os.chown(path, owner.st_uid, owner.st_gid)


@pytest.mark.parametrize("megabytes", [
    20, pytest.param(1000, marks=pytest.mark.long)])
def test_much_mail_under_load_elsewhere(world, megabytes):
    """Nothing is lost and nothing is there twice."""
    server, dice = split_server(world), random.Random(megabytes)
    users = [f"u{i}@example.test" for i in range(10)]
    each, size = 20 * megabytes // 10, 50000
    for login in users:
        server.user(login)
        assert server.send(STRANGER, login, text("first")) == {}
        fill_by_hand(server, login, each, size, dice)
    folder = os.path.join(server.folder, "backup")
    with Work(server) as work:
        wait_until(lambda: len(work.answered) > 5, what="some mail")
        began, mails = time.monotonic(), set(work.answered)
        made = backup(server, folder, "--hash")
        print(f"{made['bytes']} bytes in {time.monotonic() - began:.1f} s, "
              f"{len(work.answered) - len(mails)} mails meanwhile")
    assert made["bytes"] > megabytes * 1000000
    # another disk, another machine: nothing is shared with the first
    other = folder + ".elsewhere"
    subprocess.run(["cp", "-r", "--no-preserve=all", folder, other], check=True)
    assert wrong_in(server, other, "--hash") == []
    data = folder + ".restored"
    done = restore(server, other, data)
    assert done.returncode == 0, done.stderr
    with living_in(server, data):
        for login in users:
            found = subjects(server, login)
            assert found == {"first": 1, **{f"old{i}": 1 for i in range(each)}}
        found = all_of_alice(server)
        assert mails <= set(found)
        if not made["mailboxes_never_at_rest"]:
            assert set(found.values()) == {1}
    server.serve()


class Restic:
    def __init__(self, server):
        self.repository = f"{server.folder}/repository"
        self.environment = {**os.environ, "RESTIC_PASSWORD": "x",
                            "HOME": server.folder}
        self.run("init")

    def run(self, *words):
        subprocess.run([f"{ROOT}/build-peers/restic/usr/bin/restic", "-r",
                        self.repository, *words], check=True,
                       env=self.environment)

    def take(self, folder, night):
        self.run("backup", folder)

    def give_back(self, night, into):
        self.run("restore", "latest", "--target", into)


class Borg:
    def __init__(self, server):
        unpacked = f"{ROOT}/build-peers/borgbackup"
        self.program = f"{unpacked}/usr/bin/borg"
        self.repository = f"{server.folder}/repository"
        self.environment = {
            **os.environ, "HOME": server.folder, "BORG_PASSPHRASE": "x",
            "LD_LIBRARY_PATH": library_path(unpacked),
            "PYTHONPATH": f"{unpacked}/usr/lib/python3/dist-packages"}
        self.run("init", "--encryption", "repokey", self.repository)

    def run(self, *words, **how):
        subprocess.run(["/usr/bin/python3", self.program, *words], check=True,
                       env=self.environment, **how)

    def take(self, folder, night):
        self.run("create", f"{self.repository}::{night}", folder)
        self.run("prune", "--keep-daily", "14", "--keep-monthly", "12",
                 self.repository)

    def give_back(self, night, into):
        os.makedirs(into)
        self.run("extract", f"{self.repository}::{night}", cwd=into)


@pytest.mark.long
@pytest.mark.parametrize("kind", [Restic, Borg])
def test_another_tool_takes_it_every_night(world, kind):
    """As docs/backup.md has it; what it gives back is a backup again."""
    server = filled(world, 30)
    server.sink.down()
    server.send(STRANGER, BOB, text("waits", LARGE * 200))
    folder = os.path.join(server.folder, "backup")
    tool = kind(server)
    for night in ("first", "second"):
        shutil.rmtree(folder, ignore_errors=True)
        backup(server, folder)
        tool.take(folder, night)
        server.send(STRANGER, ALICE, text(night))
    tool.give_back("second", f"{server.folder}/out")
    out = f"{server.folder}/out{folder}"
    assert wrong_in(server, out, "--hash") == []
    data = folder + ".restored"
    done = restore(server, out, data, "--queue", "send")
    assert done.returncode == 0, done.stderr
    with living_in(server, data):
        assert len(subjects(server, ALICE)) == 31
    server.serve()
