"""Who may not be here any more is put out, soon, and nobody else is."""

import contextlib
import imaplib
import os
import signal
import sqlite3
import ssl
import threading
import time

import pytest

from api import Api
from world import gone, wait_until, within

DOMAIN = "example.test"
PASSWORD = "a-secret"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
# From the change to the end of the sessions, on a busy machine.
SOON = 15


@pytest.fixture
def server(world):
    server = world.server("a")
    server.cli("domain", "create", DOMAIN, "--relay", "192.0.2.1")
    return server


@contextlib.contextmanager
def directory(server):
    with contextlib.closing(sqlite3.connect(
            os.path.join(server.data, "directory.db"), timeout=120)) as db:
        with db:
            yield db


def left_to_do(server):
    with directory(server) as db:
        return db.execute("SELECT count(*) FROM session_end").fetchone()[0]


def wait_until_done(server):
    """Everybody in the outbox was looked at for the last time."""
    wait_until(lambda: left_to_do(server) == 0, 40, "an empty outbox", 0.3)


def leaves(server, user):
    server.cli("user", "set", user, "mail_system=alternate")


def is_ended(imap):
    try:
        return imap.noop()[0] != "OK"
    except (imaplib.IMAP4.abort, OSError, ssl.SSLError):
        return True


def wait_for_end(imap, whose, patience=SOON):
    wait_until(lambda: is_ended(imap), patience, f"end of {whose}'s session",
               0.2)


def idle(imap):
    imap.select("INBOX")
    imap.send(b"i IDLE\r\n")
    assert imap.readline().startswith(b"+")
    return imap


def wait_for_end_of_idle(imap, patience=SOON):
    imap.sock.settimeout(within(patience))
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while imap.readline():
            pass


def hosted(server, count):
    """user1 to userCOUNT of the domain, with a password."""
    server.user(f"seed@{DOMAIN}", password=PASSWORD)
    server.fill(DOMAIN, count, mail_system="0")
    with directory(server) as db:
        db.execute("UPDATE holder SET password = (SELECT password FROM holder "
                   "WHERE login LIKE 'seed@%') WHERE login LIKE 'user%'")


def test_of_a_thousand_who_leave_at_once_each_is_put_out_at_once(server):
    hosted(server, 1000)
    stays = server.imap(f"seed@{DOMAIN}", PASSWORD)
    away = [idle(server.imap(f"user{number}@{DOMAIN}", PASSWORD))
            for number in (1, 500, 1000)]
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    users = [f"user{number}@{DOMAIN}" for number in range(1, 1001)]
    api.job({"addresses": users, "change": {"mail_system": "alternate"}})
    for session in away:
        wait_for_end_of_idle(session)
    with pytest.raises(imaplib.IMAP4.error):
        server.imap(users[-1], PASSWORD)
    wait_until_done(server)
    assert stays.noop()[0] == "OK"
    stays.logout()


def test_who_has_a_similar_name_stays(server):
    def login(name):
        return server.imap(server.user(f"{name}@{DOMAIN}", password=PASSWORD))

    leaving = {name: login(name) for name in ("*", "a*", "b?", "o'b", "al")}
    staying = {name: login(name) for name in (
        "a", "ab", "a**", "b", "bc", "b??", "o", "b'", "ali", "al.bert",
        "xal", "al-")}
    for name, session in leaving.items():
        leaves(server, f"{name}@{DOMAIN}")
        wait_for_end(session, name)
    wait_until_done(server)
    assert [name for name, session in staying.items()
            if is_ended(session)] == []


def test_every_service_and_every_session_of_a_user_ends(server):
    server.user(ALICE)
    first, second = server.imap(ALICE), server.imap(ALICE, tls=False)
    pop = server.pop3(ALICE)
    server.cli("user", "set", ALICE, "enabled=no")
    wait_for_end(first, ALICE)
    wait_for_end(second, ALICE)
    pop.sock.settimeout(within(SOON))
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while pop.file.readline():
            pass


def test_who_logs_in_with_the_new_password_stays(server):
    """Though it is looked once more who is to go: where everything is slow that
    may have been before he is back, so once more."""
    server.user(ALICE)
    session = server.imap(ALICE)
    for number in range(10):
        server.cli("user", "password", ALICE, "--password-stdin",
                   input=f"new-secret-{number}\n")
        wait_for_end(session, ALICE)
        time.sleep(1.5)     # a session this young might be one of before
        session = server.imap(ALICE, f"new-secret-{number}")
        if left_to_do(server):
            break
    wait_until_done(server)
    assert session.noop()[0] == "OK"
    session.logout()


HOLD = """\
service imap {{
    executable = imap imap-postlogin
}}
service imap-postlogin {{
    executable = script-login {script}
    unix_listener imap-postlogin {{
    }}
}}
"""


class Door:
    """Dovecot with a step between letting a user in and counting him: it
    takes its time while the door is shut."""

    def __init__(self, server):
        self.open_mark = f"{server.data}/run/open"
        self.waiting_mark = f"{server.data}/run/waiting"
        script = f"{server.data}/run/door"
        with open(script, "w") as file:
            file.write(f"#!/bin/sh\n"
                       f"[ -e {self.open_mark} ] || : >{self.waiting_mark}\n"
                       f"until [ -e {self.open_mark} ]; do sleep 0.1; done\n"
                       f'exec "$@"\n')
        os.chmod(script, 0o755)
        with open(f"{server.data}/dovecot/dovecot.conf", "a") as file:
            file.write(HOLD.format(script=script))
        self.open()
        restart_dovecot(server)

    def open(self):
        open(self.open_mark, "w").close()

    def shut(self):
        os.unlink(self.open_mark)

    def somebody_waits(self):
        return os.path.exists(self.waiting_mark)


def restart_dovecot(server):
    old = server.dovecot_pid()
    os.kill(old, signal.SIGTERM)
    wait_until(lambda: gone(old) and server.dovecot_pid(), 20, "a new Dovecot")


def logs_in(server, user):
    def attempt():
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            return server.imap(user)
    return wait_until(attempt, 30, f"a session of {user}")


def test_who_was_let_in_a_moment_before_the_change_is_put_out(server):
    """He had been let in, and at the first look he was not counted yet."""
    server.user(ALICE)
    server.user(BOB)
    door = Door(server)
    bob = logs_in(server, BOB)
    door.shut()
    arrived = []
    late = threading.Thread(target=lambda: arrived.append(server.imap(ALICE)))
    late.start()
    try:
        wait_until(door.somebody_waits, 20, "Alice on the doorstep")
        leaves(server, ALICE)
        leaves(server, BOB)
        wait_for_end(bob, BOB)      # that was the first look
    finally:
        door.open()
        late.join()
    [alice] = arrived
    wait_for_end(alice, ALICE, 40)
    wait_until_done(server)


def test_what_dovecot_cannot_be_asked_about_waits(server):
    server.user(ALICE)
    alice = server.imap(ALICE)
    counter = f"{server.data}/dovecot/run/anvil"
    os.rename(counter, counter + ".away")
    leaves(server, ALICE)
    wait_until(lambda: "end sessions: doveadm who" in server.log(), 20,
               "a word in the log")
    assert not is_ended(alice)
    assert left_to_do(server) == 1
    os.rename(counter + ".away", counter)
    wait_for_end(alice, ALICE)
    wait_until_done(server)
    assert server.log().count("end sessions:") == 1
