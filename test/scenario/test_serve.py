"""Starting and starting again: one supervisor a folder, and a crash of it is
no reason to stay down."""

import os
import re
import signal
import subprocess
import time

import pytest

from splitmail import binary
from world import descendants, gone, wait_until

DOMAIN = "example.test"
ALICE = f"alice@{DOMAIN}"


def test_a_second_serve_is_refused(world):
    server = world.server("a")
    second = subprocess.run([binary(), "--data", server.data, "serve"],
                            capture_output=True, text=True, timeout=200)
    assert second.returncode == 1
    assert "another `splitmail serve` runs" in second.stderr, second.stderr
    assert server.answers()


def test_serve_that_was_killed_starts_again(world):
    server = world.server("a")
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    family = descendants(server.process.pid)
    process, server.process = server.process, None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    server.serve()                  # at once, while the old ones still end
    server.send("x@y.test", ALICE)
    server.wait_for_mail(ALICE)
    wait_until(lambda: all(gone(pid) for pid in family), 30,
               "the end of the orphans")


def test_a_port_that_is_taken_is_named(world):
    sink = world.sink()
    server = world.server("a", start=False)
    path = os.path.join(server.data, "splitmail.conf")
    with open(path) as file:
        text = file.read()
    text = text.replace(f'"{server.address}"\n\tport = {server.ports["smtp"]}',
                        f'"{sink.address}"\n\tport = {sink.port}')
    with open(path, "w") as file:
        file.write(text)
    done = subprocess.run([binary(), "--data", server.data, "serve"],
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 1
    assert "listener mx" in done.stderr and str(sink.port) in done.stderr, \
        done.stderr


def test_configuration_mistakes_are_named(world):
    server = world.server("a", start=False)
    server.configure("limits {\n\texpire = 5\n}")
    done = subprocess.run([binary(), "--data", server.data, "serve"],
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 1
    assert "splitmail.conf:" in done.stderr and "expire" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace needs root")
@pytest.mark.parametrize("version, said", [
    ("2.2.36 (1f10bfa63)", "Dovecot 2.2.36 is not known here"),
    ("2.5.0-1 (0123456789)", "Dovecot 2.5.0-1 is not known here"),
    ("3.0.0", "Dovecot 3.0.0 is not known here"),
    ("out of order", '"out" is no version of Dovecot'),
])
def test_a_dovecot_of_another_version_is_named(world, version, said):
    server = world.server("a", start=False)
    dovecot = os.path.join(server.folder, "dovecot")
    with open(dovecot, "w") as file:
        file.write(f"#!/bin/sh\necho '{version}'\n")
    os.chmod(dovecot, 0o755)
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c",
         'mount --bind "$0" /usr/sbin/dovecot && exec "$@"', dovecot,
         binary(), "--data", server.data, "serve"],
        capture_output=True, text=True, timeout=200)
    assert done.returncode == 1
    assert "/usr/sbin/dovecot: " + said in done.stderr, done.stderr


def test_dovecot_has_no_word_against_its_configuration(world):
    server = world.server("a")
    # 2.4 says so each time: imported users are to stay (dovecot_24.c).
    log = server.log().replace("Warning: Weak password schemes are allowed", "")
    assert not re.search(r"doveconf|[Ww]arning|[Oo]bsolete", log), log


def test_stopped_the_moment_it_is_ready(world):
    """A signal right behind "ready" is an orderly stop, too."""
    server = world.server("a")
    for _ in range(3):
        server.restart()


def test_stopped_while_it_starts(world):
    server = world.server("a", start=False)
    for pause in (0.05, 0.2, 0.5):
        serve = subprocess.Popen([binary(), "--data", server.data, "serve"],
                                 stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        time.sleep(pause)
        family = descendants(serve.pid)
        serve.terminate()
        serve.wait(60)
        wait_until(lambda: all(gone(pid) for pid in family), 30,
                   f"the end of {family}")
        assert serve.returncode in (0, -signal.SIGTERM), pause
    server.serve()
    assert server.answers()
