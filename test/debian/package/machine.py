"""The booted Debian that the tests run in, as its administrator sees it.

The packages lie beside the tests: now/ is this version, next/ one that comes after
it, with a migration of the directory more.  Tests of a file are one story, told
in its order.
"""

import contextlib
import glob
import imaplib
import os
import smtplib
import socket
import ssl
import subprocess
import sys
import types

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "scenario"))

from test_logins import Sieve  # noqa: E402
from world import wait_until  # noqa: E402

ADDRESS = "192.0.2.1"       # Splitmail's: the other mail server has the loopback
RELAY = "192.0.2.2"
DATA = "/var/lib/splitmail"
ANSWER = 300                # seconds a client waits for one


def package(which, name="splitmail"):
    [path] = glob.glob(os.path.join(HERE, which, f"{name}_*.deb"))
    return path


def attempt(*words, **more):
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(words, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=env, **more)


def run(*words, **more):
    """What it says, both ways; it has to succeed."""
    done = attempt(*words, **more)
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}"
    return done.stdout


APT = "apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0"


def apt(*words):
    return run(*APT, *words)


def installed():
    """{name: version} of all packages."""
    said = run("dpkg-query", "-W", "-f",
               "${db:Status-Status} ${Package} ${Version}\n")
    return {name: version for status, name, version in map(str.split, said.splitlines())
            if status == "installed"}


def is_active(unit):
    return attempt("systemctl", "is-active", unit).stdout == "active\n"


def main_pid(unit="splitmail"):
    return int(run("systemctl", "show", "-p", "MainPID", "--value", unit))


def processes():
    """{pid: its command} of what the service runs."""
    path = "/sys/fs/cgroup/system.slice/splitmail.service/cgroup.procs"
    found = {}
    with contextlib.suppress(FileNotFoundError):
        for pid in open(path).read().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                with open(f"/proc/{pid}/cmdline") as file:
                    found[int(pid)] = file.read().replace("\0", " ").strip()
    return found


def lasting(found):
    """Those that are there as long as nothing is restarted."""
    return {pid: command for pid, command in found.items()
            if command.startswith(("/usr/bin/splitmail", "/usr/sbin/dovecot"))}


def listening():
    """{(address, port)}"""
    lines = run("ss", "-H", "-l", "-t", "-n").splitlines()
    return {tuple(line.split()[3].rsplit(":", 1)) for line in lines}


def log():
    return run("journalctl", "-u", "splitmail", "--no-pager", "-o", "cat")


def smtp(port=25):
    return smtplib.SMTP(ADDRESS, port, timeout=ANSWER)


def tls():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def imap(user="alice@example.test"):
    client = imaplib.IMAP4(ADDRESS, timeout=ANSWER)
    client.starttls(tls())
    client.login(user, f"secret of {user}")
    client.select("INBOX")
    return client


def subjects(user="alice@example.test"):
    with imap(user) as client:
        _, [numbers] = client.search(None, "ALL")
        if not numbers:
            return []
        _, found = client.fetch(numbers.replace(b" ", b",").decode(),
                                "(BODY[HEADER.FIELDS (SUBJECT)])")
    return [part[1].decode().partition(":")[2].strip()
            for part in found if isinstance(part, tuple)]


def await_mail(subject):
    wait_until(lambda: subject in subjects(), what=f"mail {subject}")


def answers(port):
    try:
        with socket.create_connection((ADDRESS, port), 10) as s:
            return s.recv(4)
    except OSError:
        return None


def await_ready():
    wait_until(lambda: answers(25) == b"220 ", what=lambda: log()[-4000:])
    wait_until(lambda: answers(143) == b"* OK", what=lambda: log()[-4000:])


def send(subject, to="alice@example.test"):
    with smtp() as client:
        client.sendmail("x@y.test", to, f"Subject: {subject}\n\n.\n")


def more_addresses():
    for address in ADDRESS, RELAY:
        run("ip", "address", "replace", f"{address}/32", "dev", "lo")


def install_script(user, script):
    Sieve(types.SimpleNamespace(address=ADDRESS, ports={"sieve": 4190}), user,
          f"secret of {user}").install(script)


def splitmail(*words, **more):
    return run("splitmail", *words, **more)


def a_domain_and_its_users():
    splitmail("domain", "create", "example.test", "--relay", RELAY)
    for name in "alice@example.test", "carl@example.test":
        splitmail("user", "create", name, "--password-stdin",
                  input=f"secret of {name}\n")
    splitmail("user", "create", "bob@example.test", "--mail-system", "alternate")
