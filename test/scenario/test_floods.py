"""Who opens everything, sends byte by byte, hangs up or never finishes costs
the others nothing, and is forgotten when he is gone."""

import contextlib
import os
import smtplib
import socket
import ssl
import struct
import subprocess
import time

import pytest

from splitmail import binary, no_checks
from world import claim_address, processor_seconds, wait_until, within

DOMAIN = "flood.test"
ALICE = f"alice@{DOMAIN}"
STRANGER = "stranger@elsewhere.test"
CONF = ("limits {\n\tthreads = 2\n\tdata = 60\n"
        "\tconnections_per_address = 50\n}")
HASTY = CONF.replace("data", "command = 5\n\tdata")


def with_alice(world, name, conf):
    server = world.server(name, conf=conf)
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    return server


@pytest.fixture(scope="module")
def server(shared_world):
    return with_alice(shared_world, "flood", CONF)


@pytest.fixture(scope="module")
def hasty(shared_world):
    """It waits for no command longer than five seconds."""
    return with_alice(shared_world, "hasty", HASTY)


@pytest.fixture
def crowd():
    """connect(server, source): a socket that is closed at the end."""
    with contextlib.ExitStack() as stack:
        def connect(server, source=None, port="smtp"):
            return stack.enter_context(socket.create_connection(
                (server.address, server.ports[port]), timeout=120,
                source_address=(source, 0) if source else None))
        connect.stack = stack
        connect.close = stack.close
        yield connect


def sources(count):
    return [f"127.99.{n // 250}.{n % 250 + 1}" for n in range(count)]


def first_line(connection):
    return connection.recv(200)


def descriptors(server):
    return len(os.listdir(f"/proc/{server.engine_pid()}/fd"))


def greeted_within(server, seconds, source=None):
    begun = time.monotonic()
    with server.smtp(source=source) as smtp:
        assert smtp.noop()[0] == 250
    assert time.monotonic() - begun < within(seconds)


def test_many_connections_of_one_address(server, crowd):
    """The 51st is refused with 421, another address is greeted at once."""
    all_of_them = [crowd(server, "127.99.9.9") for _ in range(120)]
    lines = [first_line(connection) for connection in all_of_them]
    assert sum(line.startswith(b"220") for line in lines) == 50
    assert sum(line.startswith(b"421 4.7.0") for line in lines) == 70
    greeted_within(server, 2)
    crowd.close()
    wait_until(lambda: greeted(server, "127.99.9.9"), 5, "room again")


def greeted(server, source):
    try:
        with server.smtp(source=source, timeout=20):
            return True
    except (OSError, smtplib.SMTPException):
        return False


def limit_files(pid, most):
    """As the engine's own user: root alone may not in a container."""
    with open(f"/proc/{pid}/status") as status:
        ids = dict(line.split()[:2] for line in status
                   if line.startswith(("Uid:", "Gid:")))
    subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={most}:{most}"],
                   user=int(ids["Uid:"]), group=int(ids["Gid:"]),
                   extra_groups=[] if os.geteuid() == 0 else None, check=True)


def test_without_descriptors(world, crowd, monkeypatch):
    """All that the machine allows are used.  Then who is connected goes on,
    the others wait, and afterwards all is as before."""
    wrapper = f"{world.subfolder('bin')}/splitmail"
    with open(wrapper, "w") as file:
        file.write(f"#!/bin/sh\nulimit -Sn 500\nexec {binary()} \"$@\"\n")
    os.chmod(wrapper, 0o755)
    monkeypatch.setenv("SPLITMAIL_BINARY", wrapper)
    server = with_alice(world, "poor", CONF)
    pid, before = server.engine_pid(), descriptors(server)
    with open(f"/proc/{pid}/limits") as limits:
        [line] = [line for line in limits if "Max open files" in line]
    assert line.split()[3] == line.split()[4] != "500"
    limit_files(pid, 150)
    with server.smtp() as inside:
        inside.ehlo()
        for source in sources(10):
            for _ in range(20):
                crowd(server, source)
        wait_until(lambda: descriptors(server) > 140, 5, "all in use")
        assert inside.noop()[0] == 250
        crowd.close()
        wait_until(lambda: greeted(server, None), 5, "a greeting")
        assert inside.noop()[0] == 250
    assert server.send(STRANGER, ALICE) == {}
    server.wait_for_mail(ALICE, 1)
    wait_until(lambda: descriptors(server) <= before + 4, 10, "closed files")
    assert server.engine_pid() == pid


def test_connect_and_reset(server):
    """Thousands of them leave nothing behind."""
    pid, before = server.engine_pid(), descriptors(server)
    linger = struct.pack("ii", 1, 0)
    for count in range(3000):
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.bind((f"127.99.1.{count % 200 + 1}", 0))
            with contextlib.suppress(OSError):
                connection.connect((server.address, server.ports["smtp"]))
    greeted_within(server, 5)
    wait_until(lambda: descriptors(server) <= before + 2, 10, "closed files")
    assert server.engine_pid() == pid


def test_handshakes_that_never_end(hasty, crowd):
    """They are given up after the time of a command; nobody else waits."""
    before = descriptors(hasty)
    for source in sources(6):
        for _ in range(40):
            connection = crowd(hasty, source)
            connection.sendall(b"EHLO t.test\r\nSTARTTLS\r\n")
    for _ in range(40):
        crowd(hasty, "127.99.7.7", "submissions")
    greeted_within(hasty, 2)
    assert hasty.send(STRANGER, ALICE) == {}
    with hasty.submit(ALICE) as smtp:
        assert smtp.noop()[0] == 250
    wait_until(lambda: descriptors(hasty) <= before + 4, what="their end")


def cost_of(server, content, piece):
    """Processor time the engine needs for CONTENT in pieces."""
    pid = server.engine_pid()
    with server.smtp(timeout=60) as smtp:
        smtp.ehlo()
        smtp.mail(STRANGER)
        smtp.rcpt(f"nobody@{DOMAIN}")
        smtp.rcpt(ALICE)
        assert smtp.docmd("DATA")[0] == 354
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        before = processor_seconds(pid)
        for at in range(0, len(content), piece):
            smtp.sock.sendall(content[at:at + piece])
        # An unfinished message: what it costs to deliver is not our matter.
        smtp.sock.shutdown(socket.SHUT_WR)
        while smtp.sock.recv(1000):
            pass
        spent = processor_seconds(pid) - before
        smtp.close()
    return spent


CONTENTS = {
    "lines": b"Subject: t\r\n\r\n" + b"0123456789abcdef0123456789abcd\r\n" * 32768,
    "one line": b"Subject: t\r\n\r\n" + b"x" * (1 << 20),
    "dots": b"Subject: t\r\n\r\n" + b"\r\n.." * (1 << 18),
    "one header": b"Subject: " + b"x" * (1 << 20),
    "headers": b"X: y\r\n" * (1 << 17) + b"xxxxxx" * (1 << 16),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_small_pieces_cost_no_more_than_their_number(server, name):
    """Four times as much takes some four times as long, never sixteen."""
    content = CONTENTS[name]
    quarter = cost_of(server, content[:len(content) // 4], 64)
    whole = cost_of(server, content, 64)
    assert whole < max(quarter, 0.05) * 9


def test_slow_commands_hold_no_one_up(hasty, crowd):
    """A byte a second is not a way to stay: the whole line has its time."""
    connection = crowd(hasty)
    first_line(connection)
    connection.settimeout(1)
    said = b""
    for _ in range(60):
        try:
            connection.sendall(b"N")
            said += connection.recv(200)
            if said:
                break
        except socket.timeout:
            continue
        except OSError:
            break
    assert said.startswith(b"421"), said


# ---- what a stranger finds

def handshake(server, port, context):
    raw = socket.create_connection((server.address, server.ports[port]),
                                   timeout=120)
    if port != "submissions":
        for command in (b"", b"EHLO t.test\r\n", b"STARTTLS\r\n"):
            raw.sendall(command)
            raw.recv(4096)
    return context.wrap_socket(raw)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("port", ["smtp", "submission", "submissions"])
def test_old_tls_is_refused(server, port):
    """1.2 and 1.3 only (RFC 8996), and no compression."""
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = no_checks()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        with pytest.raises((ssl.SSLError, OSError)):
            handshake(server, port, context)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = no_checks()
        context.minimum_version = context.maximum_version = version
        with handshake(server, port, context) as tls:
            assert tls.compression() is None


def test_weak_ciphers_are_refused(server):
    """As many of them as this OpenSSL still has."""
    tried = 0
    for cipher in ("aNULL", "eNULL", "EXPORT", "RC4", "3DES", "MD5"):
        context = no_checks()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.set_ciphers(f"{cipher}:@SECLEVEL=0")
        except ssl.SSLError:
            continue
        tried += 1
        with pytest.raises((ssl.SSLError, OSError)):
            handshake(server, "smtp", context)
    assert tried


def test_renegotiation_is_refused(server):
    """CVE-2011-1473: the client may not ask for one handshake after the
    other."""
    done = subprocess.run(
        ["openssl", "s_client", "-starttls", "smtp", "-tls1_2", "-connect",
         f"{server.address}:{server.ports['smtp']}"], input=b"R\nR\nR\n",
        capture_output=True, timeout=200)
    said = done.stdout + done.stderr
    assert b"RENEGOTIATING" in said
    assert b"no renegotiation" in said or done.returncode != 0, said[-600:]


RELAYS = [      # nmap's smtp-open-relay: (sender, recipient)
    ("", "{u}@{d}"), ("{s}@{d}", "{u}@{d}"), ("{s}@{h}", "{u}@{d}"),
    ("{s}@[{ip}]", "{u}@{d}"), ("{s}@{h}", "{u}%{d}@{h}"),
    ("{s}@{h}", "{u}%{d}@[{ip}]"), ("{s}@{h}", '"{u}@{d}"'),
    ("{s}@{h}", '"{u}%{d}"'), ("{s}@{h}", "{u}@{d}@{h}"),
    ("{s}@{h}", '"{u}@{d}"@{h}'), ("{s}@{h}", "{u}@{d}@[{ip}]"),
    ("{s}@{h}", "@{h}:{u}@{d}"), ("{s}@{h}", "@[{ip}]:{u}@{d}"),
    ("{s}@{h}", "{d}!{u}"), ("{s}@{h}", "{d}!{u}@{h}"),
    ("{s}@{h}", "{d}!{u}@[{ip}]"),
    ("{s}@{own}", "{u}@{d}"), ("{s}@{own}", "{u}%{d}@{own}"),
    ("{s}@{own}", '"{u}@{d}"@{own}'), ("{s}@{own}", "@{own}:{u}@{d}"),
    ("{s}@{own}", "{d}!{u}@{own}"), ("{s}@{own}", "{u}@{d}.{own}"),
]


@pytest.mark.parametrize("sender, recipient", RELAYS)
def test_a_stranger_relays_nothing(server, sender, recipient):
    words = {"s": "antispam", "u": "relaytest", "d": "ext.test",
             "h": server.hostname, "ip": server.address, "own": DOMAIN}
    with server.smtp() as smtp:
        smtp.ehlo()
        if smtp.docmd(f"MAIL FROM:<{sender.format(**words)}>")[0] == 250:
            code, _ = smtp.docmd(f"RCPT TO:<{recipient.format(**words)}>")
            assert 500 <= code < 600


@pytest.mark.parametrize("noise", [
    b"\0" * 4096, bytes(range(256)) * 64, b"\r\n" * 3000, b"A" * 100000,
    b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nBDAT 99999999999\r\n"],
    ids=["NUL", "binary", "empty lines", "a long line", "half a mail"])
def test_noise_on_the_local_socket(server, noise):
    """Whoever may write there can do no more than waste his own session."""
    pid = server.engine_pid()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(120)
        connection.connect(os.path.join(server.data, "run", "submit"))
        with contextlib.suppress(OSError):
            connection.sendall(noise)
            connection.recv(4096)
    greeted_within(server, 5)
    assert server.engine_pid() == pid
