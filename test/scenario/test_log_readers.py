"""What reads logs reads ours: real pflogsumm, fail2ban and logcheck, on what a
server wrote that everything happened to; once on stderr, and once as the journal
of systemd gets it and hands it on to syslog."""

import base64
import collections
import concurrent.futures
import contextlib
import http.client
import itertools
import json
import os
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import threading
import time

import pytest

from splitmail import ROOT, Server, no_checks
from world import wait_until

PEERS = os.path.join(ROOT, "build-peers")
DOMAIN, DOWN = "example.test", "down.test"
ALICE, BOB, DAN = f"alice@{DOMAIN}", f"bob@{DOMAIN}", f"dan@{DOWN}"


def peer(package):
    folder = os.path.join(PEERS, package)
    if not os.path.exists(f"{folder}/.complete"):
        raise AssertionError(f"no {folder}: run ./dev test once")
    return folder


# ---- two ways to a log

class OnStderr(Server):
    """A file, as from `splitmail serve 2>>mail.log`."""

    def mail_log(self):
        return self.log_path


class InTheJournal(Server):
    """Under a systemd whose journal is this test: entries, and the lines that
    syslog makes of them."""

    def serve(self, timeout=180):
        if os.geteuid() != 0:
            pytest.skip("a journal of one's own needs a mount namespace")
        # A /run of its own, with the socket in it.
        run = os.path.join(self.folder, "run")
        os.makedirs(f"{run}/systemd/journal", exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{run}/systemd/journal/socket")
        os.chmod(f"{run}/systemd/journal/socket", 0o666)
        self.entries, self.is_read = [], threading.Event()
        self.is_read.set()
        threading.Thread(target=self.read, daemon=True).start()
        self.prefix = ["unshare", "--mount", "sh", "-c",
                       'mount --bind "$0" /run && exec "$@"', run]
        open(self.log_path, "a").close()
        found = os.stat(self.log_path)
        self.environment["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}"
        super().serve(timeout)

    def read(self):
        while True:
            self.is_read.wait()
            said = self.socket.recv(1 << 20)
            self.entries.append(dict(
                line.split("=", 1) for line in
                said.decode().removesuffix("\n").split("\n")))

    def found(self, **fields):
        """Entries with these fields."""
        return [entry for entry in list(self.entries)
                if all(entry.get(key) == value
                       for key, value in fields.items())]

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read() + "".join(self.lines())

    def lines(self):
        for entry in list(self.entries):
            pid = entry.get("SYSLOG_PID", "1")
            yield (f"{time.strftime('%b %e %H:%M:%S')} mx "
                   f"{entry['SYSLOG_IDENTIFIER']}[{pid}]: "
                   f"{entry['MESSAGE']}\n")

    def mail_log(self):
        path = os.path.join(self.folder, "mail.log")
        with open(path, "w") as file:
            file.writelines(self.lines())
        return path


# ---- everything happens

class Talk:
    """A conversation from an address of one's own, line by line."""

    def __init__(self, server, port, source, tls=False):
        self.socket = socket.create_connection(
            (server.address, server.ports[port]), timeout=120,
            source_address=(source, 0))
        if tls:
            self.start_tls()
        self.hear()

    def start_tls(self):
        self.socket = no_checks().wrap_socket(self.socket)

    def hear(self):
        with contextlib.suppress(ConnectionError):
            return self.socket.recv(65536).decode()
        return ""

    def say(self, *lines):
        """What was said to the last one; "" when that was the end."""
        for line in lines:
            with contextlib.suppress(ConnectionError):
                self.socket.sendall(line.encode() + b"\r\n")
            said = self.hear()
            if not said:
                break
        return said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


def plain(login, password):
    return base64_of(f"\0{login}\0{password}")


def fail_to_sign_in(server, source):
    """At each door, from an address of its own."""
    def smtp(door, *lines, tls=False):
        with Talk(server, *source(door, "submissions" if tls else
                                  "submission"), tls=tls) as talk:
            if not tls:
                talk.say("EHLO client.test", "STARTTLS")
                talk.start_tls()
            assert talk.say("EHLO client.test", *lines).startswith("535")
            talk.say("QUIT")

    def dovecot(door, port, *lines, stays=False):
        talk = Talk(server, *source(door, port), tls=port != "sieve")
        if port == "sieve":
            talk.say("STARTTLS")
            talk.start_tls()
            talk.hear()
        said = talk.say(*lines)
        assert re.search(r"AUTHENTICATIONFAILED|-ERR|^NO", said), said
        if stays:
            server.open = talk
        else:
            talk.socket.close()

    yield lambda: smtp("587 PLAIN", f"AUTH PLAIN {plain(ALICE, 'wrong')}")
    yield lambda: smtp("587 LOGIN", "AUTH LOGIN",
                       base64_of(f"nobody@{DOMAIN}"), base64_of("wrong"))
    yield lambda: smtp("465, not hosted",
                       f"AUTH PLAIN {plain(BOB, 'secret-bob')}", tls=True)
    yield lambda: dovecot("imap", "imaps", f"1 LOGIN {ALICE} wrong")
    yield lambda: dovecot("imap, unknown", "imaps",
                          f"1 LOGIN nobody@{DOMAIN} wrong")
    yield lambda: dovecot("pop3", "pop3s", f"USER {ALICE}", "PASS wrong")
    yield lambda: dovecot("pop3 that stays", "pop3s", f"USER {ALICE}",
                          "PASS wrong", stays=True)
    yield lambda: dovecot("sieve", "sieve", "AUTHENTICATE \"PLAIN\" "
                          f'"{plain(ALICE, "wrong")}"')

    def console():
        connection = http.client.HTTPConnection(
            server.address, server.ports["console"], timeout=120,
            source_address=(source("console", "console")[1], 0))
        connection.request("POST", "/api/v1/session", json.dumps(
            {"name": "admin0", "password": "wrong-password"}),
            {"Content-Type": "application/json"})
        assert connection.getresponse().status == 401
        connection.close()
    yield console


def be_a_nuisance(server, source):
    def smtp(what, *lines, answer):
        with Talk(server, *source(what, "smtp")) as talk:
            assert talk.say(*lines)[:3] == answer
            talk.say("QUIT")

    mail = ("EHLO x", "MAIL FROM:<a@b.test>")
    yield lambda: smtp("guesses", *mail, f"RCPT TO:<nobody@{DOMAIN}>",
                       answer="550")
    yield lambda: smtp("relays", *mail, "RCPT TO:<x@elsewhere.test>",
                       answer="550")
    yield lambda: smtp("speaks HTTP", "GET / HTTP/1.0", answer="521")
    yield lambda: smtp("makes errors", "EHLO x", *["FOO"] * 25, answer="")


def go_away(server, source):
    def is_lost():
        with Talk(server, *source("is lost", "smtp")) as talk:
            talk.say("EHLO x", "MAIL FROM:<a@b.test>")

    def speaks_no_tls():
        port, address = source("no TLS", "submissions")
        with socket.create_connection(
                (server.address, server.ports[port]), timeout=120,
                source_address=(address, 0)) as s:
            s.sendall(b"plain text on a port of TLS\r\n")
            with contextlib.suppress(ConnectionError):
                s.recv(1)
    yield is_lost
    yield speaks_no_tls


def send_all(server):
    """Mail of every fate."""
    server.send("x@y.test", ALICE)
    server.send("x@y.test", BOB)
    server.send("x@y.test", [ALICE, BOB])
    with server.submits(ALICE) as smtp:
        smtp.sendmail(ALICE, BOB, "Subject: t\r\n\r\nby 465\r\n")
        with pytest.raises(smtplib.SMTPException):
            smtp.sendmail(BOB, BOB, "Subject: t\r\n\r\nnot his\r\n")
    done = server.run("sendmail", "-f", ALICE, BOB, input="Subject: t\n\nhi\n")
    assert done.returncode == 0, done.stderr
    server.send(ALICE, DAN, user=ALICE)
    server.wait_for_queue(1)
    server.cli("queue", "bounce", "--recipient", DAN, "--yes")
    server.wait_for_queue(0)
    server.wait_for_mail(ALICE, 3)


# What pflogsumm has to find of all of this: 465's and sendmail's were received,
# too; a DSN is delivered, and nobody sent it.
RECEIVED, DELIVERED, BOUNCED = 6, 7, 1
REJECTED = 3        # a sender, a guess, a relay


@pytest.fixture(scope="module", params=[OnStderr, InTheJournal])
def server(request, shared_world):
    name = request.param.__name__
    sink = shared_world.sink()
    server = shared_world.add(request.param(shared_world.subfolder(name),
                                            name.lower()))
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.cli("domain", "create", DOWN, "--relay", "127.0.0.1:1")
    server.user(ALICE)
    server.cli("user", "create", BOB, "--mail-system", "alternate")
    server.cli("user", "create", DAN, "--mail-system", "alternate")
    # made before there are threads, two of which would each make one
    server.sources = {"auth": {}, "more": {}, "aggressive": {}}
    numbers = itertools.count(1)

    def doing(kind):
        def source(what, port):
            address = f"127.0.77.{next(numbers)}"
            server.sources[kind][what] = address
            return port, address
        return source

    send_all(server)
    # All at once, for who fails to log in has to wait.
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        for done in [pool.submit(each) for kind, strangers in (
                ("auth", fail_to_sign_in), ("more", be_a_nuisance),
                ("aggressive", go_away))
                for each in strangers(server, doing(kind))]:
            done.result()
    for source in sum((list(each.values())
                       for each in server.sources.values()), []):
        wait_until(lambda: source in server.log(), 60, f"word of {source}")
    yield server
    server.open.socket.close()


# ---- who reads it

def test_pflogsumm_counts_all_of_it(server):
    folder = peer("pflogsumm")
    done = subprocess.run(
        ["perl", "-I", f"{folder}/usr/share/perl5",
         f"{folder}/usr/sbin/pflogsumm", "--syslog-name=splitmail",
         server.mail_log()], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    number = {word: int(n) for n, word in re.findall(
        r"^ +(\d+) +(received|delivered|deferred|bounced|rejected)\b",
        done.stdout, re.M)}
    assert number == {"received": RECEIVED, "delivered": DELIVERED,
                      "deferred": 1, "bounced": BOUNCED,
                      "rejected": REJECTED}, done.stdout
    assert "returned by the administrator" in done.stdout
    assert re.search(r"Connection refused", done.stdout), done.stdout


@pytest.fixture(scope="module")
def fail2ban(tmp_path_factory):
    """fail2ban(log, filter): the addresses that the real one finds in a file."""
    folder = peer("fail2ban")
    settings = f"{tmp_path_factory.mktemp('fail2ban')}/etc"
    shutil.copytree(f"{folder}/etc/fail2ban", settings)
    shutil.copytree(os.path.join(ROOT, "packaging", "fail2ban"), settings,
                    dirs_exist_ok=True)
    environment = {**os.environ,
                   "PYTHONPATH": f"{folder}/usr/lib/python3/dist-packages"}

    def banned(log, filter):
        done = subprocess.run(
            [sys.executable, f"{folder}/usr/bin/fail2ban-regex", "-c",
             settings, "-o", "ip", log, filter],
            capture_output=True, text=True, timeout=200, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return collections.Counter(done.stdout.split())

    banned.settings, banned.folder = settings, folder
    banned.environment = environment
    return banned


def test_fail2ban_finds_each_failed_login_once(server, fail2ban):
    """Nobody else, and each door."""
    wanted = server.sources["auth"]
    found = fail2ban(server.mail_log(), "splitmail[mode=auth]")
    assert found == dict.fromkeys(wanted.values(), 1), wanted


def test_fail2ban_finds_who_is_a_nuisance(server, fail2ban):
    for modes in (("auth", "more"), ("auth", "more", "aggressive")):
        wanted = {source for mode in modes
                  for source in server.sources[mode].values()}
        found = fail2ban(server.mail_log(), f"splitmail[mode={modes[-1]}]")
        assert set(found) == wanted, modes


# What Dovecot 2.4.1 of Debian 13 writes when somebody does not get in, into a file
# and into syslog: at 587 with no session, for which there is a line of ours, by IMAP
# and POP3; then what was no attempt.
DOVECOT_24 = """\
auth-worker(alice@example.test,127.0.77.1)<59>: request [8]: Info: sql: Password mismatch
auth-worker(alice@example.test,127.0.77.4)<81><KM6jm4Rh0eZ/AE0E>: request [2]: Info: sql: Password mismatch
auth-worker(nobody@example.test,127.0.77.5)<84><3dCjm4Rh85x/AE0F>: request [1]: Info: sql: unknown user
imap-login: Info: Login aborted: Connection closed (auth failed, 1 attempts in 2 secs) (auth_failed): user=<alice@example.test>, method=PLAIN, rip=127.0.77.4, lip=127.72.13.242, TLS: Connection closed, session=<KM6jm4Rh0eZ/AE0E>
imap-login: Info: Logged in: user=<alice@example.test>, method=PLAIN, rip=127.0.77.6, lip=127.72.13.242, mpid=65, TLS, session=<+duim4RhMJd/AAAB>
auth: Warning: Weak password schemes are allowed
"""
# Who calls himself so has come from the last address.
FORGED = ("auth-worker(a,192.0.2.1)<1><s>: request [1]: Info: sql: unknown user,"
          "127.0.77.7)<81><KM6jm4Rh0eZ/AE0E>: request [2]: Info: sql: "
          "Password mismatch\n")


@pytest.fixture(params=["file", "syslog"])
def dovecot_24(request, tmp_path):
    """The log; syslog's lines begin otherwise, and say their level elsewhere."""
    path, text, begin = tmp_path / "mail.log", DOVECOT_24 + FORGED, ""
    if request.param == "syslog":
        text, begin = text.replace("-login: Info:", "-login:"), "mx dovecot[7]: "
    path.write_text("".join(f"Nov 30 20:53:55 {begin}{line}"
                            for line in text.splitlines(True)))
    return str(path)


def test_fail2ban_knows_the_dovecot_of_debian_13(fail2ban, dovecot_24):
    assert fail2ban(dovecot_24, "splitmail[mode=auth]") == {
        "127.0.77.4": 1, "127.0.77.5": 1, "127.0.77.7": 1}


# As Debian has them: what a site that had Postfix and Dovecot uses already.
POSTFIX = r"postfix[_daemon='splitmail(?:/\w+)+',mode=%s]"


def test_debians_own_filters_find_what_they_know(server, fail2ban):
    log = server.mail_log()
    smtp = {source for door, source in server.sources["auth"].items()
            if re.match("[0-9]", door)}
    assert set(fail2ban(log, POSTFIX % "auth")) == smtp
    errors = {server.sources["more"]["makes errors"]}
    assert set(fail2ban(log, POSTFIX % "errors")) == errors
    ddos = fail2ban(log, POSTFIX % "ddos")
    assert set(server.sources["aggressive"].values()) < set(ddos) | {
        server.sources["aggressive"]["no TLS"]}
    assert smtp <= set(ddos)        # disconnect ... auth=0/1
    dovecot = {server.sources["auth"][door] for door in (
        "imap", "imap, unknown", "pop3", "pop3 that stays", "sieve")}
    assert dovecot <= set(fail2ban(log, "dovecot"))


def test_the_jail_is_one_for_fail2ban(fail2ban, tmp_path):
    """Its configuration is read as a whole, with ours switched on."""
    with open(f"{fail2ban.settings}/jail.d/splitmail.local", "w") as file:
        file.write("[splitmail]\nenabled = true\n")
    done = subprocess.run(
        [sys.executable, f"{fail2ban.folder}/usr/bin/fail2ban-client", "-c",
         fail2ban.settings, "-d"], capture_output=True, text=True,
        timeout=200, env=fail2ban.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    ours = [line for line in done.stdout.splitlines() if "'splitmail'" in line]
    assert any("'addjournalmatch'" in line and
               "_SYSTEMD_UNIT=splitmail.service" in line for line in ours)
    rules = re.findall(r"addfailregex.*|multi.*", "\n".join(ours))
    assert "too many errors" in str(rules), ours
    assert "lost connection" not in str(rules), ours


def unusual(path):
    """What logcheck would send a letter of."""
    done = subprocess.run(
        [f"{peer('logcheck')}/usr/bin/logcheck-test", "-q", "-i", "-l", path,
         "-r", os.path.join(ROOT, "packaging", "logcheck", "ignore.d.server",
                            "splitmail")],
        capture_output=True, text=True, timeout=200)
    return [line.partition(": ")[2] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("dovecot_24", ["syslog"], indirect=True)
def test_logcheck_knows_the_dovecot_of_debian_13(dovecot_24):
    with open(dovecot_24, "a") as file:
        file.write("Nov 30 11:21:26 mx dovecot[7]: auth: Error: trouble\n")
    assert unusual(dovecot_24) == ["auth: Error: trouble"]


def test_logcheck_is_told_what_is_usual(server):
    """What strangers and users do every day, by syslog's lines; who fails to sign
    in at the console stays to be seen, and so does trouble of our own."""
    if not isinstance(server, InTheJournal):
        return
    path = server.mail_log()
    with open(path, "a") as file:
        file.write("Nov 30 11:21:26 mx splitmail/engine[7]: error: disk\n"
                   "Nov 30 11:21:26 mx dovecot[7]: auth: Error: trouble\n")
    assert unusual(path) == [
        f"client={server.sources['auth']['console']}, sign-in failed, "
        "name=<admin0>", "error: disk", "auth: Error: trouble"]


def test_the_journal_knows_of_whom_a_line_speaks(server):
    if not isinstance(server, InTheJournal):
        return
    sent, = server.found(RECIPIENT=BOB, STATUS="sent",
                         SYSLOG_IDENTIFIER="splitmail/smtp")[:1]
    assert sent["PRIORITY"] == "6" and sent["SYSLOG_FACILITY"] == "2"
    assert sent["SYSTEM"].startswith("127.")
    assert sent["SYSLOG_PID"] == str(server.engine_pid())
    story = {entry["SYSLOG_IDENTIFIER"]
             for entry in server.found(QUEUE_ID=sent["QUEUE_ID"])}
    assert {"splitmail/smtpd", "splitmail/cleanup", "splitmail/qmgr",
            "splitmail/smtp"} <= story
    assert server.found(SYSLOG_IDENTIFIER="dovecot")
    assert all(entry["SYSLOG_FACILITY"] == "2" for entry in server.entries)
    # Nothing but what was said before there was a log is on stderr.
    with open(server.log_path) as file:
        assert "splitmail/" not in file.read()


def test_a_journal_that_hangs_holds_no_mail(world):
    """Nor the end; what it is told later says if lines were lost."""
    sink = world.sink()
    server = world.add(InTheJournal(world.subfolder("hangs"), "hangs"))
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.user(ALICE)
    server.cli("user", "create", BOB, "--mail-system", "alternate")
    server.is_read.clear()
    for n in range(150):
        server.send("x@y.test", BOB)
    # Dovecot's log process, too, must not be one who waits.
    for n in range(50):
        server.send("x@y.test", ALICE, "Message-ID: <" + "x" * 800 +
                    "@y.test>\r\n\r\nhello\r\n")
    wait_until(lambda: len(sink.messages) == 150, what="150 mails")
    server.wait_for_mail(ALICE, 50)
    assert len(server.entries) < 200
    server.is_read.set()
    wait_until(lambda: sum("disconnect from" in entry["MESSAGE"]
                           for entry in list(server.entries)) == 200,
               what="what happened meanwhile")
    assert "lost" not in server.log()
    server.is_read.clear()
    server.send("x@y.test", [BOB])
    server.stop()
