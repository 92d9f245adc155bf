"""Trouble of our own is 4xx: never 250, never 5xx; and what one peer does is
not felt by the others."""

import contextlib
import os
import re
import shutil
import signal
import smtplib
import socket
import sqlite3
import struct
import subprocess
import time

import pytest

import power_cut
from sink import Delay
from traffic import (ALICE, BOB, DOMAIN, FAST, LARGE, STRANGER, Traffic,
                     split_server, subject_of, text)
from world import PATIENCE, descendants, gone, wait_until, within

FREE_MB = 256           # LIMIT_QUEUE_FREE_BYTES


@pytest.fixture
def server(world):
    return split_server(world)


def offer(server, recipients, subject, body="x" * 70):
    """The reply to the mail; that of MAIL or RCPT when they refuse."""
    with server.smtp() as smtp:
        smtp.ehlo()
        return offer_in(smtp, recipients, subject, body)


def offer_in(smtp, recipients, subject, body="x" * 70):
    reply = smtp.mail(STRANGER)
    for user in [recipients] if isinstance(recipients, str) else recipients:
        if reply[0] == 250:
            reply = smtp.rcpt(user)
    if reply[0] == 250:
        reply = smtp.data(text(subject, body))
    else:
        smtp.rset()
    return reply


ROW = ("x" * 900 + "\r\n") * 140      # in the database, not a file


def is_reply(reply, code, status):
    assert reply[0] == code and reply[1].startswith(status.encode()), reply


def at_sink(server):
    return sorted(subject_of(message) for message in server.sink.messages)


# ---- no room

@pytest.fixture
def small_disk(world):
    """A server whose data lies on a disk that is easily filled."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = os.path.join(world.folder, "disk")
    os.mkdir(disk, 0o711)
    try:
        power_cut.run("mount", "-t", "tmpfs", "-o",
                      f"size={FREE_MB + 64}m,mode=711", "tmpfs", disk)
    except power_cut.Missing as why:
        pytest.skip(str(why))
    try:
        # The second attempt comes when the disk is full.
        server = split_server(world, data=f"{disk}/data", conf=FAST.replace(
            "min = 1", "min = 6").replace("max = 2", "max = 6"))
        server.disk = disk
        yield server
        if os.path.exists(f"{disk}/filler"):
            os.unlink(f"{disk}/filler")
        server.stop()
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def fill(file, room):
    """ROOM bytes and, when that is all there is, the last page."""
    size, step = 0, 1 << 20
    while step >= 4096:
        try:
            more = min(step, room - size)
            if more <= 0:
                return
            os.posix_fallocate(file.fileno(), size, more)
            size += more
        except OSError:
            step //= 4


@contextlib.contextmanager
def filled(server, leave_mb=0):
    """All room but LEAVE_MB is taken."""
    path = f"{server.disk}/filler"
    now = os.statvfs(server.disk)
    room = now.f_bavail * now.f_frsize - leave_mb * 1024 * 1024
    with open(path, "wb") as file:
        fill(file, room if leave_mb else 1 << 60)
    try:
        yield
    finally:
        os.unlink(path)


def flows_again(server):
    """By itself, within the second for which the answer is remembered."""
    wait_until(lambda: offer(server, [ALICE, BOB], "after")[0] == 250, 10,
               "mail flows again")
    wait_until(lambda: "after" in server.subjects(ALICE), 10, "Alice's mail")
    wait_until(lambda: "after" in at_sink(server), 10, "Bob's mail")


def test_little_room_is_said_at_mail(small_disk):
    server = small_disk
    assert offer(server, BOB, "before")[0] == 250
    with filled(server, leave_mb=FREE_MB - 8):
        # The answer of before is good for a second.
        wait_until(lambda: offer(server, BOB, "perhaps")[0] != 250,
                   what="no room", pause=0.3)
        is_reply(offer(server, BOB, "full"), 452, "4.3.1")
    flows_again(server)
    assert "full" not in at_sink(server)


def test_no_room_for_a_start_is_named(small_disk):
    server = small_disk
    server.stop()
    with filled(server):
        said = server.run("queue", "list").stderr
        assert ".db" in said and "no space left" in said, said
    server.serve()
    assert offer(server, [ALICE, BOB], "after")[0] == 250


def test_the_engine_starts_again_without_room(small_disk):
    """Also when it cannot note whose the files of mail are."""
    server = small_disk
    server.sink.down()
    assert offer(server, BOB, "before", LARGE)[0] == 250
    files = os.listdir(f"{server.data}/spool")
    assert files
    with filled(server):
        os.unlink(f"{server.data}/spool.id")
        fill(open(f"{server.disk}/filler", "ab"), 1 << 60)
        server.kill_engine()
        assert os.listdir(f"{server.data}/spool") == files
    server.sink.up()
    server.sink.wait(1, timeout=120)
    flows_again(server)


def test_no_room_at_all(small_disk):
    """The disk fills up while mail is on its way: each of them is 452, and
    comes in by itself when there is room."""
    server = small_disk
    offer(server, BOB, "known")
    server.sink.down()
    sessions = []
    for n in range(3):
        smtp = server.smtp()
        smtp.ehlo()
        assert smtp.mail(STRANGER)[0] == 250
        assert smtp.rcpt(BOB)[0] == 250
        sessions.append(smtp)
    with filled(server):
        # one for the row, but too long for what the log has room for
        for smtp, body in zip(sessions, (ROW, LARGE, LARGE)):
            is_reply(smtp.data(text("full", body)), 452, "4.3.1")
    server.sink.up()
    flows_again(server)
    for smtp in sessions:
        assert offer_in(smtp, BOB, "full again")[0] == 250
        smtp.quit()
    server.wait_for_queue(0)
    assert "full" not in at_sink(server)
    assert at_sink(server).count("full again") == 3
    assert os.listdir(f"{server.data}/spool") == []


def test_what_is_kept_is_delivered_once_without_room(small_disk):
    """The outcome cannot be written while the disk is full: it is not
    forgotten, and nobody gets the mail twice."""
    server = small_disk
    offer(server, BOB, "known")
    server.sink.down()
    for n in range(3):
        assert offer(server, BOB, f"kept {n}", LARGE)[0] == 250
    server.wait_for_queue(3)
    with filled(server):
        server.sink.up()
        wait_until(lambda: len(server.sink.messages) == 4, 20, "the mails")
        server.sink.stays(4, 3)
    server.wait_for_queue(0)
    assert at_sink(server) == ["kept 0", "kept 1", "kept 2", "known"]


# ---- a disk that fails

@contextlib.contextmanager
def broken(server, calls, error, when=""):
    """The engine's system CALLS end with ERROR; strace's :when=."""
    if not shutil.which("strace"):
        pytest.skip("there is no strace")
    inject = f"inject={calls}:error={error}" + (when and f":when={when}")
    strace = subprocess.Popen(
        ["strace", "-f", "-qq", "-e", f"trace={calls}", "-e", inject, "-o",
         f"{server.folder}/strace", "-p", str(server.engine_pid())],
        stderr=subprocess.PIPE, text=True)

    def is_attached():
        if strace.poll() is not None:
            pytest.skip(f"strace: {strace.stderr.read().strip()}")
        return all(traced(thread) for thread in threads(server.engine_pid()))

    wait_until(is_attached, 20, "strace")
    try:
        yield f"{server.folder}/strace"
    finally:
        strace.terminate()
        strace.wait(PATIENCE)


def threads(pid):
    return os.listdir(f"/proc/{pid}/task")


def traced(thread):
    with open(f"/proc/{thread}/status") as file:
        return "TracerPid:\t0\n" not in file.read()


def injected(path):
    with open(path) as file:
        return file.read().count("(INJECTED)")


@pytest.mark.parametrize("calls, error, code, status", [
    ("fdatasync,fsync", "EIO", 451, "4.3.0"),
    ("pwrite64", "EIO", 451, "4.3.0"),
    ("pwrite64", "ENOSPC", 452, "4.3.1"),
])
def test_a_disk_that_fails(server, calls, error, code, status):
    offer(server, BOB, "known")
    server.sink.down()
    engine = server.engine_pid()
    with broken(server, calls, error) as strace:
        is_reply(offer(server, BOB, "lost"), code, status)
        is_reply(offer(server, BOB, "lost", LARGE), code, status)
        # What needs no disk of ours goes on: Dovecot's is another process.
        assert offer(server, ALICE, "handed over")[0] == 250
    assert injected(strace) >= 2
    assert offer(server, BOB, "kept", LARGE)[0] == 250
    assert server.engine_pid() == engine
    # What failed is not in the log of queue.db either, where a crash would
    # find it.
    server.kill_engine()
    server.sink.up()
    server.wait_for_queue(0)
    assert at_sink(server) == ["kept", "known"]
    assert server.subjects(ALICE) == ["handed over"]


def test_a_disk_that_fails_now_and_then(server):
    """Every fourth sync: what was answered 250 arrives, what was not does
    not, whichever step it hit."""
    offer(server, BOB, "known")
    server.sink.down()
    kept, refused = ["known"], []
    with broken(server, "fdatasync,fsync", "EIO", "3+4") as strace:
        for n in range(24):
            reply = offer(server, BOB, f"mail {n}", LARGE if n % 3 else "x")
            if reply[0] == 250:
                kept.append(f"mail {n}")
            else:
                is_reply(reply, 451, "4.3.0")
                refused.append(f"mail {n}")
    assert injected(strace) > 0 and refused and len(kept) > 2
    server.kill_engine()
    server.sink.up()
    server.wait_for_queue(0)
    assert at_sink(server) == sorted(kept)


# ---- no descriptors

def open_files(pid):
    return [int(fd) for fd in os.listdir(f"/proc/{pid}/fd")]


def own_line(path, name):
    with open(path) as file:
        return next(line[len(name):].split() for line in file
                    if line.startswith(name))


def limit_descriptors(pid, soft):
    """As the engine's own user: root may lack the capability."""
    user, group = (int(own_line(f"/proc/{pid}/status", name)[0])
                   for name in ("Uid:", "Gid:"))
    other = {} if user == os.geteuid() else {
        "user": user, "group": group, "extra_groups": []}
    subprocess.run(["prlimit", f"--pid={pid}", f"--nofile={soft}:"],
                   check=True, **other)


@contextlib.contextmanager
def no_descriptors(pid):
    """None can be opened beside those that are."""
    before = own_line(f"/proc/{pid}/limits", "Max open files")[0]
    used = set(open_files(pid))
    limit_descriptors(pid, next(n for n in range(1 << 20) if n not in used))
    try:
        yield
    finally:
        limit_descriptors(pid, before)


def test_no_descriptors(server):
    engine = server.engine_pid()
    sessions = [server.smtp() for _ in range(3)]
    for smtp in sessions:
        smtp.ehlo()
    with no_descriptors(engine):
        for n, smtp in enumerate(sessions):
            reply = offer_in(smtp, [ALICE, BOB], f"none {n}", LARGE)
            assert 400 <= reply[0] < 500 or reply[0] == 250, reply
            if reply[0] == 250:     # then it is true
                wait_until(lambda: f"none {n}" in server.subjects(ALICE), 20,
                           "what was answered 250")
        # Who comes now has to wait, and is not turned away.
        with pytest.raises((OSError, smtplib.SMTPException)):
            server.smtp(timeout=2)
    assert offer(server, [ALICE, BOB], "after")[0] == 250
    for n, smtp in enumerate(sessions):
        assert offer_in(smtp, BOB, f"again {n}", LARGE)[0] == 250
        smtp.quit()
    assert server.engine_pid() == engine
    server.wait_for_queue(0)
    assert {"after", "again 0", "again 1", "again 2"} <= set(at_sink(server))


# ---- the directory

def directory(server):
    return f"{server.data}/directory.db"


def write_pages(server, source):
    """From the second page on, and let the engine know that they changed."""
    with open(directory(server), "r+b") as file:
        file.seek(4096)
        file.write(source[4096:])
    with contextlib.closing(sqlite3.connect(directory(server))) as db:
        [version] = db.execute("PRAGMA user_version").fetchone()
        db.execute(f"PRAGMA user_version = {version}")
        db.commit()


@contextlib.contextmanager
def ruined(server):
    with contextlib.closing(sqlite3.connect(directory(server))) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(directory(server), "rb") as file:
        good = file.read()
    write_pages(server, good[:4096] + b"\xa5" * (len(good) - 4096))
    try:
        yield
    finally:
        write_pages(server, good)


def test_a_ruined_directory_denies_nobody(server):
    """451, not "no such user"; and it can be mended while we run."""
    nobody = f"nobody@{DOMAIN}"
    engine = server.engine_pid()
    assert offer(server, ALICE, "before")[0] == 250
    with ruined(server):
        for user in (ALICE, BOB, nobody):
            is_reply(offer(server, user, "ruined"), 451, "4.3")
    wait_until(lambda: offer(server, nobody, "x")[0] == 550, 10, "an answer")
    assert offer(server, ALICE, "mended")[0] == 250
    assert server.engine_pid() == engine
    server.wait_for_queue(0)
    assert server.subjects(ALICE) == ["before", "mended"]


def test_an_engine_that_cannot_start_is_tried_again(server):
    """A directory of another time: nobody is answered, nobody is denied."""
    with ruined(server):
        server.kill_engine(wait=False)
        wait_until(lambda: server.log().count("engine ended") >= 3, 20,
                   "three attempts")
        assert server.process.poll() is None
    wait_until(server.answers, 20, "SMTP")
    assert offer(server, ALICE, "mended")[0] == 250


# ---- Dovecot

def test_a_dead_dovecot_is_started_again(server):
    """Mail for hosted users is kept meanwhile, and logins come back."""
    for n in range(2):
        old = wait_until(server.dovecot_pid, 20, "Dovecot")
        family = [old] + descendants(old)
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: all(gone(pid) for pid in family), 5, "its end")
        assert offer(server, ALICE, f"headless {n}")[0] == 250
        wait_until(lambda: server.dovecot_pid() not in (None, old), 20,
                   "a new Dovecot")
    server.wait_for_queue(0)
    # Not twice: who was not reached had not got it.
    assert sorted(server.subjects(ALICE)) == ["headless 0", "headless 1"]


def test_a_dead_master_of_dovecot_leaves_nobody(server):
    """Its children would hold the ports, and talk to nobody."""
    imap = server.imap(ALICE)
    imap.select()
    old = server.dovecot_pid()
    family = descendants(old)
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: all(gone(pid) for pid in family), 10, "its children")
    wait_until(lambda: server.dovecot_pid() not in (None, old), 20,
               "a new Dovecot")
    assert offer(server, ALICE, "after")[0] == 250
    server.wait_for_queue(0)
    wait_until(lambda: logs_in(server), 20, "a login")
    assert server.subjects(ALICE) == ["after"]
    imap.shutdown()


def logs_in(server):
    try:
        server.imap(ALICE).logout()
        return True
    except OSError:
        return False


# ---- one against the others

def test_one_client_with_200_connections(world):
    server = split_server(
        world, conf=FAST.replace("}", "\tconnections_per_address = 20\n}"))
    greedy, modest = "127.0.0.66", "127.0.0.67"
    held, refused = [], 0
    for _ in range(200):
        try:
            held.append(server.smtp(source=greedy))
        except smtplib.SMTPConnectError as trouble:
            assert trouble.smtp_code == 421, trouble
            refused += 1
    assert len(held) == 20 and refused == 180
    begun = time.monotonic()
    with server.smtp(source=modest) as smtp:
        smtp.ehlo()
        assert offer_in(smtp, [ALICE, BOB], "modest")[0] == 250
    assert time.monotonic() - begun < within(5)
    for smtp in held:
        smtp.close()
    wait_until(lambda: is_greeted(server, greedy), 10, "a place")


def is_greeted(server, source):
    try:
        server.smtp(source=source).close()
        return True
    except smtplib.SMTPException:
        return False


def test_slow_clients_hold_nothing(server):
    """Forty that stop in the middle of their mail: no next hop waits for
    them, and no database."""
    slow = []
    for n in range(40):
        smtp = server.smtp()
        smtp.ehlo()
        smtp.mail(STRANGER)
        assert smtp.rcpt(BOB if n % 2 else ALICE)[0] == 250
        smtp.putcmd("data")
        assert smtp.getreply()[0] == 354
        smtp.send(f"Subject: slow {n}\r\n\r\n")
        slow.append(smtp)
    with server.sink.lock:
        assert [s for s in server.sink.sessions if s.sender] == []
        assert len(server.sink.sessions) <= 4
    begun = time.monotonic()
    server.user(f"new@{DOMAIN}")
    assert offer(server, [f"new@{DOMAIN}", BOB], "quick")[0] == 250
    server.queue()
    assert time.monotonic() - begun < within(10)
    for smtp in slow:
        smtp.send(".\r\n")
    for smtp in slow:
        assert smtp.getreply()[0] == 250
        smtp.close()
    server.wait_for_queue(0)
    assert len(server.subjects(ALICE)) == 20


# ---- who hears the answer

@pytest.mark.parametrize("is_rude", [False, True], ids=["close", "reset"])
def test_a_client_that_goes_after_its_dot(world, is_rude):
    """The mail is ours by then: it is delivered, or kept, all the same."""
    server = split_server(world, conf=FAST.replace("}", "\thandover = 1\n}"))
    server.sink.on["DOT"] = Delay(2)
    smtp = server.smtp()
    smtp.ehlo()
    smtp.mail(STRANGER)
    for user in (ALICE, BOB):
        assert smtp.rcpt(user)[0] == 250
    smtp.putcmd("data")
    assert smtp.getreply()[0] == 354
    smtp.send(text("gone") + ".\r\n")
    wait_until(lambda: "gone" in server.subjects(ALICE), 20, "Alice's mail")
    if is_rude:
        smtp.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
    smtp.close()
    server.sink.wait(1)
    server.wait_for_queue(0)
    server.sink.stays(1)
    assert server.subjects(ALICE) == ["gone"]


# ---- commits

def test_twenty_senders_share_commits(world):
    """Fewer commits than kept mails: each waits for the disk with others."""
    server = split_server(world, conf="")
    server.send(STRANGER, BOB, text("known"))
    server.sink.down()
    traffic = Traffic(server, mails=400, senders=20, rounds=[[BOB]])
    wait_until(traffic.done, 60, "400 mails kept")
    traffic.stop()
    assert len(traffic.accepted) == 400
    assert len(server.queue()) == 400
    server.stop()
    counted = server.counters()
    print(dict(counted))
    assert counted["mails_kept"] == 400
    assert counted["queue_commits"] < 400
    server.sink.up()
    server.serve()
    server.cli("queue", "retry")
    server.wait_for_queue(0, timeout=40)
    assert len(server.sink.messages) == 401


# ---- a damaged directory

def lose_index(server, index, table, columns):
    """INDEX is empty from now on, which SQLite does not notice by itself."""
    with sqlite3.connect(f"{server.data}/directory.db") as db:
        db.executescript(f"""
            CREATE TABLE lost AS SELECT * FROM {table} WHERE 0;
            CREATE INDEX lost_index ON lost ({columns});
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET rootpage = (SELECT rootpage
                FROM sqlite_schema WHERE name = 'lost_index')
                WHERE name = '{index}';
            DELETE FROM sqlite_schema WHERE name LIKE 'lost%';
            PRAGMA writable_schema = RESET;""")


def test_what_a_damaged_directory_lost_is_not_unknown(server):
    """451 for what is not found in it, until it is repaired."""
    nobody = f"nobody@{DOMAIN}"
    server.stop()
    lose_index(server, "sqlite_autoindex_address_1", "address",
               "domain, local, name, builtin")
    server.serve()
    for user in (ALICE, BOB, nobody):
        is_reply(offer(server, user, "damaged"), 451, "4.3.0")
    assert re.search(r"error: directory.db is damaged \(.*missing from index",
                     server.log())
    server.stop()
    with sqlite3.connect(f"{server.data}/directory.db") as db:
        db.execute("REINDEX")
    server.serve()
    for user in (ALICE, BOB):
        is_reply(offer(server, user, "whole"), 250, "2.0.0")
    is_reply(offer(server, nobody, "whole"), 550, "5.1.1")
