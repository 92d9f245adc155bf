"""Machines as they are: what an earlier run left, users without a name, a
kernel without IPv6, files that belong to somebody else."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time

import pytest

import old_kernel
from sink import Hang
from splitmail import binary
from world import descendants, gone, wait_until, within

DOMAIN = "example.test"
ALICE = f"alice@{DOMAIN}"
NAMELESS = ["setpriv", "--reuid", "1000660000", "--regid", "1000660001",
            "--clear-groups", "--bounding-set=-all", "--inh-caps=-all",
            "--no-new-privs", "env", "HOME=/"]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


# The last ports Dovecot opens, too: it answers on its sockets before.
@pytest.mark.parametrize("port", ["smtp", "submissions", "imap", "pop3s",
                                  "sieve"])
def test_a_port_that_is_taken_is_named(world, port):
    server = world.server("a", start=False)
    with socket.socket() as taken:
        taken.bind((server.address, server.ports[port]))
        taken.listen()
        done = server.run("serve")
    assert done.returncode == 1
    assert "ready" not in done.stdout
    assert re.search(rf"{re.escape(server.address)}.*"
                     rf"{server.ports[port]}.*[Aa]ddress already in use",
                     done.stderr), done.stderr
    assert f"by {process_name()} (process {os.getpid()})" in done.stderr
    server.serve()


def process_name():
    with open("/proc/self/comm") as file:
        return file.read().strip()


@as_root
def test_who_may_not_look_hears_whose_program_has_the_port(world):
    server = world.server("a", start=False)
    plain_server(world, server, NAMELESS)
    with socket.socket() as taken:
        taken.bind((server.address, server.ports["smtp"]))
        taken.listen()
        done = subprocess.run(
            [*NAMELESS, binary(), "--data", server.data, "serve"],
            capture_output=True, text=True, cwd="/")
    assert done.returncode == 1
    assert "in use, by a program of the user root" in done.stderr


def has_alice(server):
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)


# ---- numbers in files are anybody's by now

@as_root
@pytest.mark.parametrize("pid", [
    "dovecot", "ours", "garbage", *(pytest.param(pid, marks=pytest.mark.long)
                                    for pid in ("sleep", "1"))])
def test_a_stale_pid_file_leads_to_nobody(world, pid):
    server = world.server("a", start=False)
    run = os.path.join(server.data, "dovecot", "run")
    other = world.server("b") if pid == "dovecot" else None
    sleeper = subprocess.Popen(["sleep", "600"])
    number = {"dovecot": lambda: other.dovecot_pid(),
              "sleep": lambda: sleeper.pid, "ours": os.getpid,
              "1": lambda: 1, "garbage": lambda: "x\0\n"}[pid]()
    server.serve()
    server.stop()
    with open(os.path.join(run, "master.pid"), "w") as file:
        file.write(f"{number}\n")
    begun = time.monotonic()
    server.serve()
    assert time.monotonic() - begun < within(20)
    has_alice(server)
    server.imap(ALICE).logout()
    assert sleeper.poll() is None
    if other:
        assert other.dovecot_pid() == number
        assert "Killed with signal" not in other.log()
    sleeper.kill()
    sleeper.wait()


@as_root
def test_a_pid_of_root_s_does_not_keep_another_from_starting(world):
    """Its Dovecot would have to be signalled, which only root may."""
    other = world.server("b")
    server = world.server("a", start=False)
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534",
              "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    data = plain_server(world, server, nobody)
    os.makedirs(os.path.join(data, "dovecot", "run"))
    for folder in ("dovecot", "dovecot/run"):
        os.chown(os.path.join(data, folder), 65534, 65534)
    path = os.path.join(data, "dovecot", "run", "master.pid")
    with open(path, "w") as file:
        file.write(f"{other.dovecot_pid()}\n")
    server.prefix = nobody
    server.serve()
    assert not gone(other.dovecot_pid())


def test_sessions_that_outlived_a_killed_serve_are_ended(world):
    server = world.server("a")
    has_alice(server)
    idle = server.imap(ALICE)
    idle.select()
    idle.send(b"x IDLE\r\n")
    assert idle.readline().startswith(b"+")
    family = descendants(server.process.pid)
    process, server.process = server.process, None
    process.kill()
    process.wait()
    process.stdout.close()
    server.serve()
    server.imap(ALICE).logout()
    wait_until(lambda: all(gone(pid) for pid in family), 30,
               "the end of the orphans")


def test_an_edited_configuration_lets_no_second_serve_in(world):
    server = world.server("a")
    subprocess.run(["sed", "-i", "1s/^/# edited\\n/",
                    f"{server.data}/splitmail.conf"], check=True)
    before = os.stat(f"{server.data}/dovecot/dovecot.conf").st_ino
    second = server.run("serve")
    assert second.returncode == 1
    assert "another `splitmail serve` runs" in second.stderr, second.stderr
    assert os.stat(f"{server.data}/dovecot/dovecot.conf").st_ino == before


# ---- who runs it

def plain_server(world, server, prefix):
    """A data folder that belongs to whom PREFIX makes us; its path."""
    shutil.rmtree(server.data)
    os.chmod(server.folder, 0o1777)
    subprocess.run([*prefix, binary(), "--data", server.data, "init",
                    "--hostname", "a.splitmail.test", "--bind", server.address,
                    "--port-base", str(server.base)], check=True,
                   capture_output=True)
    return server.data


@as_root
def test_a_user_without_a_name_has_a_whole_server(world):
    server = world.server("a", start=False)
    plain_server(world, server, NAMELESS)
    server.prefix = NAMELESS
    server.serve()
    has_alice(server)
    server.send("x@y.test", ALICE)
    server.wait_for_mail(ALICE)
    server.submit(ALICE).quit()
    server.pop3(ALICE).quit()
    for pid in descendants(server.process.pid):
        with contextlib.suppress(FileNotFoundError):    # it has ended
            assert os.stat(f"/proc/{pid}").st_uid == 1000660000, pid


@as_root
def test_root_names_a_user_by_number(world):
    server = world.server("a", start=False)
    shutil.rmtree(server.data)
    done = server.run("init", "--hostname", "a.splitmail.test", "--bind",
                      server.address, "--port-base", str(server.base),
                      "--user", "1000660000:1000660001")
    assert done.returncode == 0, done.stderr
    server.serve()
    has_alice(server)
    server.send("x@y.test", ALICE)
    server.wait_for_mail(ALICE)
    for entry in os.scandir(os.path.join(server.data, "mail")):
        owner = entry.stat()
        assert (owner.st_uid, owner.st_gid) == (1000660000, 1000660001)


# ---- files that changed hands

@as_root
@pytest.mark.parametrize("name", ["", "splitmail.conf", "directory.db",
                                  "mail"])
def test_what_a_copy_made_root_s_is_named_with_what_to_do(world, name):
    server = world.server("a", start=False)
    os.chown(os.path.join(server.data, name), 0, 0)
    done = server.run("serve")
    assert done.returncode == 1
    assert re.search(rf"{name} belongs to user root, and user \w+ may not "
                     rf".*chown -R \w+: {server.data}", done.stderr), \
        done.stderr
    assert "init" not in done.stderr


@as_root
def test_why_the_configuration_cannot_be_read_is_what_is_said(world):
    server = world.server("a", start=False)
    asked = [*NAMELESS, binary(), "--data", server.data, "serve"]
    done = subprocess.run(asked, capture_output=True, text=True, cwd="/")
    assert done.returncode != 0
    assert "as root, or as the user who does the work" in done.stderr
    assert "init" not in done.stderr
    os.remove(f"{server.data}/splitmail.conf")
    done = server.run("serve")
    assert f"`splitmail --data {server.data} init --hostname NAME` makes it" \
        in done.stderr


# ---- the first steps

@pytest.mark.parametrize("words", [
    ["domain", "create", "example.test"], ["user", "list"], ["status"],
    ["queue", "list"], ["queue", "retry"], ["route", ALICE], ["serve"],
    ["backup", "/nowhere/copy"], ["is-made"]], ids="-".join)
def test_what_is_asked_before_init_names_it(world, words):
    server = world.server("a", start=False)
    server.data += "-2"
    done = server.run(*words)
    assert done.returncode == 1 and done.stdout == ""
    assert f"`splitmail --data {server.data} init --hostname NAME`" in \
        done.stderr


@pytest.mark.parametrize("bind, console", [
    ([], "http://127.0.0.1:20080"), (["--bind", "::1"], "http://[::1]:20080"),
    (["--bind", "192.0.2.1"], "https://a.splitmail.test:20080")],
    ids=["everywhere", "loopback", "outside"])
def test_init_says_what_comes_next(world, bind, console):
    server = world.server("a", start=False)
    server.data += "-2"
    done = server.run("init", "--hostname", server.hostname, "--port-base",
                      "20000", *bind)
    first, *others = done.stdout.splitlines()
    assert re.search(r"admin0, password \S+$", first), done
    said = dict(re.split(r":  +", line, maxsplit=1) for line in others)
    assert said["Start it"] == f"splitmail --data {server.data} serve"
    assert said["The console"] == f"{console}/"
    assert said["The manual"] == f"{console}/help/"
    assert ("From afar" in said) == console.startswith("http:")
    assert server.run("is-made").returncode == 0


# ---- what it is called

@pytest.mark.parametrize("name", [
    "localhost", "mail", "mail_1.example.org", "localhost.localdomain",
    "mx.localhost", "", "a..b", "192.0.2.1"])
def test_a_name_nobody_can_look_up_is_no_host_name(world, name):
    server = world.server("a", start=False)
    server.data += "-2"
    done = server.run("init", "--hostname", name)
    assert done.returncode == 2, done
    assert "--hostname" in done.stderr and not os.path.exists(server.data)


@as_root
@pytest.mark.parametrize("own, hosts, right", [
    ("vm", "", None), ("vm", "127.0.1.1 vm.example.org vm", "vm.example.org"),
    ("localhost", "", None), ("mx.example.org", "", "mx.example.org")])
def test_without_a_name_it_takes_the_machine_s_full_one(world, own, hosts,
                                                        right):
    server = world.server("a", start=False)
    server.data += "-2"
    path = os.path.join(server.folder, "hosts")
    with open(path, "w") as file:
        file.write(f"127.0.0.1 localhost\n{hosts}\n")
    done = subprocess.run(
        ["unshare", "--mount", "--uts", "--net", "sh", "-c",
         'mount --bind "$0" /etc/hosts; hostname "$1"; shift; exec "$@"',
         path, own, binary(), "--data", server.data, "--json", "init"],
        capture_output=True, text=True)
    if right:
        assert f'"hostname": "{right}"' in done.stdout, done
    else:
        assert done.returncode == 2
        assert f'calls itself "{own}"' in done.stderr, done.stderr
        assert "--hostname mail.example.org" in done.stderr


# ---- a kernel without IPv6

def test_without_ipv6_it_listens_on_ipv4(own_network, world):
    """As one that was started with ipv6.disable=1."""
    server = world.server("a", start=False)
    path = f"{server.data}/splitmail.conf"
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(re.sub(r'\taddress = "127[^"]*"', '\taddress = "*"', text))
    server.prefix = [sys.executable, old_kernel.__file__,
                     "inet6=EAFNOSUPPORT"]
    server.serve()
    has_alice(server)
    server.send("x@y.test", ALICE)
    server.wait_for_mail(ALICE)


def keepalive_timer(port, ours):
    """Seconds until the kernel asks whether the other end of the connection
    on PORT (of OURS, or of theirs) is still there; None: it does not."""
    with open("/proc/thread-self/net/tcp") as file:
        for line in list(file)[1:]:
            words = line.split()
            end = words[1 if ours else 2].split(":")[1]
            if words[3] == "01" and int(end, 16) == port:
                kind, when = words[5].split(":")
                if kind == "02":
                    return int(when, 16) / os.sysconf("SC_CLK_TCK")
    return None


def test_who_loses_power_is_found_out(own_network, world):
    """Keepalive, on both kinds of connections: within half a minute, not two
    hours, as the kernel would by itself."""
    server = world.server("a")
    sink = world.sink(on={"DATA": [Hang()]})
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.cli("user", "create", ALICE, "--mail-system", "alternate")
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail("stranger@elsewhere.test")
        smtp.rcpt(ALICE)
        smtp.putcmd("data")
        assert smtp.getreply()[0] == 354
        smtp.send("Subject: t\r\n\r\n.\r\n")
        wait_until(lambda: "DATA" in sink.commands, what="the attempt")
        for port, ours in ((server.ports["smtp"], True), (sink.port, False)):
            left = wait_until(lambda: keepalive_timer(port, ours),
                              what="a timer")
            assert 0 < left <= 30, port
        smtp.close()
