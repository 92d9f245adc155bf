"""Any user of the machine hands in mail by sendmail, and the kernel says who
he is.  Whoever he is, he holds up nobody else's."""

import os
import pwd
import re
import socket
import stat
import subprocess
import threading
import time

import pytest

from splitmail import binary
from test_sendmail import mails, the_mail
from world import wait_until

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
HOST = "mx.host.test"
OTHERS = [60123, 60124]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs other users")


def in_the_open(world, name):
    """A folder that every user reaches, and the socket in it."""
    folder = os.path.join(os.path.dirname(binary()), f"{name}-{os.getpid()}")
    return os.path.join(folder, "submit")


def open_server(world, name, **more):
    path = in_the_open(world, name)
    server = world.server(name, hostname=HOST, conf=f'''
        sendmail {{ socket = "{path}" }}''', **more)
    server.programs = path
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    server.user(BOB)
    server.cli("domain", "set", DOMAIN, f"postmaster={BOB}")
    return server


@pytest.fixture(scope="module")
def server(shared_world):
    return open_server(shared_world, "a")


def environment(server, **more):
    return {**os.environ, "SPLITMAIL_SOCKET": server.programs, **more}


def sendmail(server, *options, text="Subject: x\n\nhello\n", uid=OTHERS[0],
             **more):
    return subprocess.run(
        [binary(), "sendmail", *options], cwd="/",
        input=text if isinstance(text, bytes) else text.encode(),
        capture_output=True, timeout=300, env=environment(server), user=uid,
        group=uid, extra_groups=[], **more)


class Raw:
    """Somebody who speaks SMTP on the socket himself."""

    def __init__(self, server, uid):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        # The kernel notes who connects: a child of that user does.
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(server.programs)
            socket.send_fds(theirs, [b"x"], [connection.fileno()])
            os._exit(0)
        os.waitpid(child, 0)
        _, [fd], _, _ = socket.recv_fds(ours, 1, 1)
        self.socket = socket.socket(fileno=fd)
        self.socket.settimeout(120)
        self.file = self.socket.makefile("rwb")
        ours.close()
        theirs.close()

    def hear(self):
        line = self.file.readline().decode()
        while line[3:4] == "-":
            line = self.file.readline().decode()
        return line.rstrip("\r\n")

    def ask(self, line):
        if isinstance(line, str):
            line = line.encode()
        self.file.write(line + b"\r\n")
        self.file.flush()
        return self.hear()

    def close(self):
        self.file.close()
        self.socket.close()


def test_the_kernel_says_who_it_is(server):
    assert stat.S_IMODE(os.stat(server.programs).st_mode) == 0o666
    done = sendmail(server, "-i", ALICE, text="Subject: who\n\nhello\n")
    assert done.returncode == 0, done.stderr
    mail = the_mail(server, ALICE, "who")
    assert mail["Return-Path"] == f"<uid{OTHERS[0]}@{HOST}>"
    assert re.match(rf"by {HOST} \(Splitmail, from userid {OTHERS[0]}\)\s+"
                    rf"id \w+\s+for <{ALICE}>;", mail.get_all("Received")[-1])
    name = re.search(r"\sid (\w+)", mail.get_all("Received")[-1])[1]
    assert f"splitmail/pickup[{server.engine_pid()}]: {name}: uid={OTHERS[0]} " \
        f"from=<uid{OTHERS[0]}@{HOST}>" in server.log()


def test_whoever_may_say_another_sender(server):
    done = sendmail(server, "-f", BOB, ALICE, text="Subject: as bob\n\nx\n")
    assert done.returncode == 0, done.stderr
    assert the_mail(server, ALICE, "as bob")["Return-Path"] == f"<{BOB}>"
    assert f"uid={OTHERS[0]} from=<{BOB}>" in server.log()


def test_a_wrong_name_changes_nothing(server):
    """What a program calls itself in EHLO stands nowhere."""
    raw = Raw(server, OTHERS[1])
    assert raw.hear().startswith("220 ")
    for line, code in ((b"EHLO trusted.example", "250"),
                       (f"MAIL FROM:<{BOB}>", "250"),
                       (f"RCPT TO:<{ALICE}> XTRAIL=x", "555"),
                       (f"RCPT TO:<{ALICE}>", "250"), ("DATA", "354")):
        assert raw.ask(line).startswith(code), line
    answer = raw.ask("Subject: raw\r\nX-Sieve-Redirected-From: "
                     f"{BOB}\r\n\r\nhello\r\n.")
    assert answer.startswith("250"), answer
    raw.close()
    received = the_mail(server, ALICE, "raw").get_all("Received")[-1]
    assert "trusted" not in received
    assert f"from userid {OTHERS[1]}" in received


@pytest.mark.parametrize("options, text, status", [
    (["-f", "a\r\nRCPT TO:<x@y>", ALICE], "x", 0),    # a name, and <x@y>
    (["-f", "a\nb@c", ALICE], "x", 65),
    ([f"{ALICE}\r\nDATA"], "x", 65),
    (["-f", "x" * 3000 + "@y.test", ALICE], "x", 65),
    (["-F", "A\r\nBcc: evil@x.test", ALICE], "Subject: name\n\nx", 0),
    (["-N", "never\r\nRSET", ALICE], "x", 64),
    (["-t"], "To: " + ALICE + "\0\n\0Subject: nul\0\n\nx\0y\n", 0),
    ([ALICE], b"Subject: bare\rcr\r\n\r\nx\ry\nz\r\n", 0),
    ([ALICE], "Subject: long\n\n" + "x" * 100000 + "\n", 0),
    ([ALICE], b"Subject: bytes\n\n" + bytes(range(1, 256)) + b"\n", 0),
    ([ALICE], "Subject: dots\n\n.\r\n..\r\n.\r\nMAIL FROM:<x@y>\r\n", 0),
    ([ALICE], "X: y\n" * 6000 + "\n\nx\n", 65),
    ([], "x", 64),
])
def test_odd_things_are_refused_or_harmless(server, options, text, status):
    done = sendmail(server, *options, text=text)
    assert done.returncode == status, done.stderr
    assert done.returncode == 0 or done.stderr
    log = server.log()
    assert "evil@x.test" not in re.sub("from=<[^>]*>", "", log)
    assert "to=<x@y" not in log


@pytest.mark.parametrize("many", [1, 2, 7, 50, 1000])
def test_to_so_many(server, shared_world, many):
    if many == 1:
        server.sink = shared_world.sink()
        server.cli("domain", "create", "there.test", "--relay",
                   server.sink.at, "--forward-unknown")
    names = [f"n{many}-{n}@there.test" for n in range(many)]
    done = sendmail(server, "-i", "--", *names, uid=60000 + many)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: {to for mail in server.sink.messages
                        for to in mail.recipients} >= set(names), 60,
               f"{many} recipients")


def test_fifty_at_once(server):
    """And some more than may be at once: they have their turn."""
    calls = [subprocess.Popen(
        [binary(), "sendmail", "-i", ALICE], cwd="/", stdin=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(server), user=OTHERS[0],
        group=OTHERS[0], extra_groups=[]) for _ in range(60)]
    for number, call in enumerate(calls):
        call.stdin.write(f"Subject: crowd {number}\n\nhello\n".encode())
        call.stdin.close()
    for call in calls:
        said = call.stderr.read()
        assert call.wait(timeout=300) == 0, said
        call.stderr.close()
    wait_until(lambda: len(mails(server, ALICE, "crowd")) == 60, 60,
               "60 mails")


def test_who_is_slow_holds_up_nobody(server):
    """As many connections as one user may have, all silent or in the middle of
    something."""
    silent = [Raw(server, OTHERS[1]) for _ in range(50)]
    for number, one in enumerate(silent):
        assert one.hear().startswith("220 ")
        if number % 2:
            assert one.ask("EHLO x").startswith("250")
            assert one.ask(f"MAIL FROM:<{BOB}>").startswith("250")
            assert one.ask(f"RCPT TO:<{ALICE}>").startswith("250")
            assert one.ask("DATA").startswith("354")
            one.file.write(b"Subject: never\r\n")
            one.file.flush()
    more = Raw(server, OTHERS[1])
    assert more.hear() == "421 4.7.0 Too many connections from you"
    more.close()
    begun = time.monotonic()
    done = sendmail(server, ALICE, text="Subject: beside\n\nhello\n")
    assert done.returncode == 0, done.stderr
    the_mail(server, ALICE, "beside")
    with server.smtp() as smtp:
        smtp.noop()
    for one in silent:
        one.close()
    wait_until(lambda: sendmail(server, ALICE, uid=OTHERS[1]).returncode == 0,
               30, "his own turn")
    assert mails(server, ALICE, "never") == []


@pytest.mark.long
def test_too_many_a_minute_wait(shared_world):
    """All of them get it, and nobody twice; root does not wait."""
    server = open_server(shared_world, "b")
    server.configure("limits { recipients_per_minute = 3 }")
    server.restart()
    sink = shared_world.sink()
    server.cli("domain", "create", "there.test", "--relay", sink.at,
               "--forward-unknown")
    names = [f"n{n}@there.test" for n in range(5)]

    def got():
        return sorted(to for mail in sink.messages for to in mail.recipients)

    assert sendmail(server, *names, uid=0).returncode == 0
    wait_until(lambda: got() == names, 20, "root's")
    sink.messages.clear()
    begun = time.monotonic()
    assert sendmail(server, *names).returncode == 0
    assert time.monotonic() - begun > 50
    wait_until(lambda: got() == names, 20, "his")
    assert f"splitmail/pickup[{server.engine_pid()}]: warning: uid " \
        f"{OTHERS[0]}: more than 3 recipients a minute" in server.log()


def test_what_nobody_takes_is_kept(tmp_path):
    """cron says -oem and looks at nothing: its mail is put where mailx puts
    it."""
    me = pwd.getpwuid(os.geteuid())
    home = tmp_path / "home"
    home.mkdir()
    script = f"""
        mount --bind {home} {me.pw_dir} &&
        exec {binary()} --data {tmp_path}/none sendmail "$@" """

    def send(*options):
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", script, "sh", *options],
            input=b"Subject: lost\n\nFrom here\n.\nthe end\n",
            capture_output=True, timeout=120)

    done = send("-i", "-oem", "root")
    assert done.returncode == 75
    assert f"put into {me.pw_dir}/dead.letter" in done.stderr.decode()
    letter = (home / "dead.letter").read_text()
    assert re.match(rf"From {me.pw_name} \w{{3}} \w{{3}} .*\n"
                    r"Subject: lost\n\n>From here\n\.\nthe end\n\n$", letter)
    assert stat.S_IMODE((home / "dead.letter").stat().st_mode) == 0o600
    assert send("-i", "-oem", "root").returncode == 75
    assert (home / "dead.letter").read_text().count("Subject: lost") == 2
    # who does not say so looks at the status
    assert send("-i", "root").returncode == 75
    assert (home / "dead.letter").read_text().count("Subject: lost") == 2
    # another's file is left alone
    (home / "dead.letter").rename(home / "kept")
    (home / "dead.letter").symlink_to(home / "kept")
    done = send("-i", "-oem", "root")
    assert done.returncode == 75 and b"the mail is lost" in done.stderr
    assert (home / "kept").read_text().count("Subject: lost") == 2


def test_another_servers_socket_is_left_alone(server, shared_world):
    """Two with the same socket: who was first keeps it, and the other says
    so."""
    second = shared_world.server("c", hostname="c.host.test", conf=f'''
        sendmail {{ socket = "{server.programs}" }}''')
    wait_until(lambda: f"another server listens on {server.programs}"
               in second.log(), 20, "a word of it")
    with second.smtp() as smtp:
        smtp.noop()
    assert sendmail(server, ALICE, text="Subject: first\n\nx\n"
                    ).returncode == 0
    the_mail(server, ALICE, "first")


def test_the_socket_is_there_again(world):
    """After a crash, and after a stop."""
    server = open_server(world, "d")
    assert sendmail(server, ALICE, text="Subject: one\n\nx\n").returncode == 0
    wait_until(lambda: not server.cli("queue", "list"), 20,
               "an end to it")
    server.kill_engine()
    assert sendmail(server, ALICE, text="Subject: two\n\nx\n").returncode == 0
    server.restart()
    assert sendmail(server, ALICE, text="Subject: three\n\nx\n"
                    ).returncode == 0
    for subject in ("one", "two", "three"):
        the_mail(server, ALICE, subject)


def mailq(server, uid=OTHERS[0], options=("-bp",), **more):
    return subprocess.run([binary(), "sendmail", *options], cwd="/", text=True,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=300, env=environment(server), user=uid,
                          group=uid, extra_groups=[])


def test_who_may_not_read_the_queue_sees_what_waits(shared_world):
    """The same as root does, but for where it would go now."""
    server = open_server(shared_world, "e")
    assert mailq(server).stdout == "Mail queue is empty\n"
    server.cli("domain", "create", "away.test", "--relay", "127.0.0.1:1")
    server.user("far@away.test", "--mail-system", "alternate")
    for many in (1, 2, 7, 50, 300):
        for n in range(len(server.cli("queue", "list")), many):
            with server.smtp() as smtp:
                smtp.sendmail(f"s{n}@x.test", ["far@away.test"],
                              f"Subject: {n}\r\n\r\nx\r\n")
        done = mailq(server)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert lines[0].startswith("----Queue ID---- ----Size----")
        assert re.match(rf"-- \d+ Kbytes in {many} Requests?\.$", lines[-1])
        assert lines[-2] == f"{' ' * 16}Total requests: {many}"
        for n in range(many):
            assert f"s{n}@x.test" in done.stdout
        ours = server.run("queue", "list").stdout
        assert [line.split(", now:")[0].split(" via ")[0]
                for line in ours.splitlines()] == lines
    done = mailq(server, options=["-q"])
    assert done.returncode == 77 and "-q is for root" in done.stderr
    # who reads slowly, or asks for too many at once, holds up nothing
    slow = [Raw(server, OTHERS[1]) for _ in range(6)]
    for one in slow:
        one.hear()
        one.ask("EHLO x")
        for _ in range(9):
            one.file.write(b"XQUEUE\r\n")
        one.file.flush()
    with server.smtp() as smtp:
        smtp.noop()
    for one in slow:
        one.close()
    wait_until(lambda: mailq(server).returncode == 0, 20, "a turn")
    with server.smtp() as smtp:
        assert smtp.docmd("EHLO", "x")[0] == 250
        assert smtp.docmd("XQUEUE")[0] == 500
    server.configure(f'''
        sendmail {{ socket = "{server.programs}" mailq_for_all = false }}''')
    server.restart()
    done = mailq(server)
    assert done.returncode == 75 and "nobody but root" in done.stderr
    assert f"in {many} Requests" in mailq(server, uid=0).stdout
    server.stop()
    done = mailq(server)
    assert done.returncode == 75 and "splitmail serve" in done.stderr
