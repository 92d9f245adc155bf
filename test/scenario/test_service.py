"""What a service manager is told, and when: systemd's protocol, by a socket that
the test reads in its place."""

import os
import signal
import socket
import struct
import subprocess
import time

import pytest

from splitmail import binary
from world import children, gone, wait_until, within

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"


class Manager:
    """Hears one service."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(name)
        os.chmod(name, 0o777)
        self.senders = set()

    def hear(self, timeout=30):
        """The next message, as a dict; None: there was none in time."""
        self.socket.settimeout(timeout)
        try:
            text, extra, _, _ = self.socket.recvmsg(4096, 1024)
        except (TimeoutError, BlockingIOError):
            return None
        self.senders.add(struct.unpack("iII", extra[0][2])[0])
        return dict(line.split("=", 1) for line in text.decode().split("\n"))

    def hear_until(self, word, timeout=60):
        """The first message with WORD, and how many of all came before."""
        end, before = time.monotonic() + within(timeout), []
        while (left := end - time.monotonic()) > 0:
            said = self.hear(left)
            if said and word in said:
                return said, before
            before.append(said)
        raise AssertionError(f"no {word} in {timeout} s, but {before}")

    def gather(self, seconds):
        """All messages of so many seconds."""
        end, heard = time.monotonic() + seconds, []
        while (left := end - time.monotonic()) > 0:
            if said := self.hear(left):
                heard.append(said)
        return heard

    def drain(self):
        while self.hear(0.001):
            pass


@pytest.fixture
def manager():
    name = f"/tmp/splitmail-notify-{os.getpid()}-{time.monotonic_ns()}"
    manager = Manager(name)
    yield manager
    manager.socket.close()
    os.unlink(name)


def service(world, manager, watchdog_us=None, **more):
    environment = {"NOTIFY_SOCKET": manager.name}
    if watchdog_us:
        environment["WATCHDOG_USEC"] = str(watchdog_us)
    return world.server("a", environment=environment, **more)


def test_its_life_is_told(world, manager):
    sink = world.sink()
    server = service(world, manager)
    main = server.process.pid
    said, before = manager.hear_until("READY")
    assert said["READY"] == "1"
    # Now, not soon.
    for what in ("smtp", "submission", "submissions", "imap", "imaps", "pop3",
                 "sieve", "console"):
        socket.create_connection((server.address, server.ports[what])).close()
    assert all("STATUS" not in each for each in before), before
    said, _ = manager.hear_until("STATUS")
    assert said["STATUS"].startswith("0 SMTP sessions, 0 mails wait"), said
    # Nobody else speaks for it.
    for pid in children(main):
        with open(f"/proc/{pid}/environ", "rb") as file:
            assert b"NOTIFY_SOCKET" not in file.read()

    before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    server.reload()
    said, _ = manager.hear_until("RELOADING")
    assert before_us <= int(said["MONOTONIC_USEC"]) <= \
        time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    manager.hear_until("READY")

    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.cli("user", "create", BOB, "--mail-system", "alternate")
    sink.down()
    server.send("x@y.test", BOB)
    wait_until(lambda: (said := manager.hear()) and said.get("STATUS", "")
               .endswith(f" 1 mail waits, {sink.at} is down"), 60,
               "the one that waits")
    server.stop()
    said, _ = manager.hear_until("STOPPING")
    assert int(said["EXTEND_TIMEOUT_USEC"]) > 60_000_000
    assert manager.senders == {main}


def test_no_word_of_life_from_an_engine_that_hangs(world, manager):
    server = service(world, manager, watchdog_us=2_000_000)
    manager.hear_until("READY")
    manager.hear_until("WATCHDOG")
    manager.hear_until("WATCHDOG")

    # One that dies is started again by `serve`, without the manager.
    server.kill_engine()
    manager.drain()
    manager.hear_until("WATCHDOG")

    # One that is busy with others lives.
    control = f"{server.data}/run/control"
    stalled = [socket.socket(socket.AF_UNIX) for _ in range(40)]
    for each in stalled:
        each.connect(control)
    manager.drain()
    manager.hear_until("WATCHDOG")
    for each in stalled:
        each.close()

    engine = server.engine_pid()
    os.kill(engine, signal.SIGSTOP)
    try:
        manager.gather(2)       # a word may be on its way
        silent = manager.gather(5)
        assert all("WATCHDOG" not in each for each in silent)
    finally:
        os.kill(engine, signal.SIGCONT)
    manager.hear_until("WATCHDOG")


def test_the_manager_ends_what_hangs(world, manager):
    """As systemd does it: SIGABRT for the supervisor.  Nothing is left."""
    server = service(world, manager)
    engine = server.engine_pid()
    os.kill(engine, signal.SIGSTOP)
    family = children(server.process.pid)
    process, server.process = server.process, None
    process.send_signal(signal.SIGABRT)
    assert process.wait(60) == -signal.SIGABRT
    process.stdout.close()
    for pid in family:              # KillMode=mixed
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)
    server.serve()
    assert server.answers()


def test_a_start_that_fails_is_a_failure(world, manager):
    sink = world.sink()
    server = service(world, manager, start=False)
    path = os.path.join(server.data, "splitmail.conf")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace(
            f'"{server.address}"\n\tport = {server.ports["smtp"]}',
            f'"{sink.address}"\n\tport = {sink.port}'))
    done = subprocess.run([binary(), "--data", server.data, "serve"],
                          capture_output=True, text=True, timeout=200,
                          env=server.environment)
    assert done.returncode == 1
    heard = manager.gather(0.5)
    assert all("READY" not in each for each in heard)
    assert any("STATUS" in each for each in heard), heard


def test_an_address_that_is_none_is_named(world):
    server = world.server("a", start=False)
    done = subprocess.run([binary(), "--data", server.data, "serve"],
                          capture_output=True, text=True, timeout=200,
                          env={**server.environment, "NOTIFY_SOCKET": "relative"})
    assert done.returncode == 1
    assert "NOTIFY_SOCKET=relative is neither" in done.stderr, done.stderr
