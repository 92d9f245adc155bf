"""What is read from the system is read again when it changes, without a word
from anybody: the certificate, resolv.conf."""

import hashlib
import imaplib
import os
import re
import shutil
import socket
import subprocess
import time

import pytest

from splitmail import no_checks
from world import wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


# ---- the certificate

class Certbot:
    """live/{fullchain,privkey}.pem are links into archive/, which is root's
    alone; a renewal makes new files and turns one link after the other."""

    def __init__(self, server):
        self.folder = os.path.join(server.folder, "letsencrypt")
        self.number = 0
        os.makedirs(f"{self.folder}/live")
        os.makedirs(f"{self.folder}/archive")
        os.chmod(f"{self.folder}/archive", 0o700)
        os.chmod(f"{self.folder}/live", 0o700)
        self.chain = f"{self.folder}/live/fullchain.pem"
        self.key = f"{self.folder}/live/privkey.pem"
        self.make()
        self.turn()
        server.configure(f'tls {{\n\tcertificate = "{self.chain}"\n'
                         f'\tkey = "{self.key}"\n}}')

    def make(self, days=90):
        self.number += 1
        request = subprocess.run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-subj",
             f"/CN=number{self.number}.test", "-keyout", self.file("privkey")],
            check=True, capture_output=True).stdout
        sign = ["openssl", "x509", "-req", "-signkey", self.file("privkey"),
                "-out", self.file("fullchain")]
        done = subprocess.run([*sign, "-days", str(days)], input=request,
                              capture_output=True)
        if done.returncode:     # OpenSSL 3.5 makes none that is over so
            subprocess.run([*sign, "-not_before", "20200101000000Z",
                            "-not_after", "20200102000000Z"], check=True,
                           input=request, capture_output=True)

    def file(self, name):
        return f"{self.folder}/archive/{name}{self.number}.pem"

    def turn(self, names=("fullchain", "privkey")):
        for name in names:
            link = f"{self.folder}/live/{name}.pem"
            os.symlink(self.file(name), link + ".new")
            os.replace(link + ".new", link)

    def shown(self):
        done = subprocess.run(["openssl", "x509", "-in",
                               self.file("fullchain"), "-outform", "DER"],
                              check=True, capture_output=True)
        return hashlib.sha256(done.stdout).hexdigest()


def certificates(server):
    """What each kind of port shows."""
    smtp = server.smtp()
    smtp.starttls(context=no_checks())
    tls = [no_checks().wrap_socket(socket.create_connection(
        (server.address, server.ports[port]), timeout=120))
        for port in ("submissions", "imaps", "pop3s")]
    imap = imaplib.IMAP4(server.address, server.ports["imap"], timeout=120)
    imap.starttls(ssl_context=no_checks())
    shown = {hashlib.sha256(s.getpeercert(True)).hexdigest()
             for s in (smtp.sock, imap.sock, *tls)}
    smtp.close()
    imap.shutdown()
    for connection in tls:
        connection.close()
    return shown


def said(server, words):
    return len(re.findall(words, server.log()))


@pytest.mark.apart
@as_root
def test_a_certificate_of_root_s_is_served_and_so_is_its_renewal(world):
    server = world.server("a", start=False)
    certbot = Certbot(server)
    server.serve()
    assert certificates(server) == {certbot.shown()}
    copy = os.path.join(server.data, "run", "tls.pem")
    assert os.stat(copy).st_mode & 0o777 == 0o600
    assert os.stat(copy).st_uid != 0

    certbot.make()                      # nobody tells the server
    certbot.turn()
    wait_until(lambda: certificates(server) == {certbot.shown()}, 60,
               "the new certificate on all ports")
    assert said(server, "a new certificate, until") == 1
    assert said(server, "old certificate stays") == 0

    # Half of a renewal for longer than one takes.
    before = certbot.shown()
    certbot.make()
    certbot.turn(["fullchain"])
    wait_until(lambda: said(server, "old certificate stays"), 60, "a word")
    server.reload()
    time.sleep(1)
    assert certificates(server) == {before}
    assert re.search("old certificate stays: .*fullchain.pem and "
                     ".*privkey.pem: the key is not the certificate's",
                     server.log())
    # It outlives a restart, and the other half.
    server.restart()
    assert certificates(server) == {before}
    certbot.turn(["privkey"])
    wait_until(lambda: certificates(server) == {certbot.shown()}, 60,
               "the whole pair")
    assert said(server, "certificate is good again") == 1


@as_root
@pytest.mark.parametrize("what, why", [
    ("missing", "No such file"), ("empty", "no certificate in PEM form"),
    ("encrypted", "the key has a passphrase"), ("folder", "is no file"),
    ("endless", "has more than"), ("fifo", "is no file")])
def test_what_cannot_be_served_is_named(world, what, why):
    """At the first start there is nothing else to serve: it does not hang,
    it says why."""
    server = world.server("a", start=False)
    certbot = Certbot(server)
    chain, key = certbot.file("fullchain"), certbot.file("privkey")
    if what == "encrypted":
        subprocess.run(["openssl", "pkey", "-in", key, "-aes256", "-passout",
                        "pass:x", "-out", key + ".new"], check=True)
        os.replace(key + ".new", key)
    else:
        os.remove(chain)
        {"missing": lambda: None, "folder": lambda: os.mkdir(chain),
         "fifo": lambda: os.mkfifo(chain),
         "empty": lambda: open(chain, "w").close(),
         "endless": lambda: os.truncate(
             os.open(chain, os.O_CREAT | os.O_WRONLY), 2 << 20)}[what]()
    done = server.run("serve")
    assert done.returncode == 1
    assert why in done.stderr and "letsencrypt/live" in done.stderr, \
        done.stderr


@pytest.mark.parametrize("days, words", [
    (29, "warning: the certificate ends in 28 days, at 20"),
    (1, "warning: the certificate ends in 0 days, at 20"),
    (-1, "error: the certificate has ended, at 20"), (40, None)])
def test_the_end_of_a_certificate_is_said(world, days, words):
    server = world.server("a", start=False)
    certbot = Certbot(server)
    certbot.make(days)
    certbot.turn()
    server.serve()
    if words:
        wait_until(lambda: said(server, words), 10, words)
    else:
        assert said(server, "certificate ends|has ended") == 0


# ---- /etc

def own_etc(server, *without):
    """A copy that the server takes for the machine's; its path."""
    etc = os.path.join(server.folder, "etc")
    shutil.copytree("/etc", etc, symlinks=True,
                    ignore=lambda *_: ["shadow", *without])
    server.prefix = ["unshare", "--mount", "sh", "-c",
                     'mount --bind "$0" /etc && exec "$@"', etc]
    return etc


@as_root
def test_the_log_follows_the_time_zone(world):
    """Its lines show local time."""
    server = world.server("a", start=False)
    etc = own_etc(server, "localtime")
    zones = {"Etc/GMT-9": 9, "Etc/GMT+7": -7}

    def move_to(zone):
        os.symlink(f"/usr/share/zoneinfo/{zone}", f"{etc}/localtime.new")
        os.replace(f"{etc}/localtime.new", f"{etc}/localtime")

    def hours():
        """That the engine's last line is ahead of UTC."""
        with server.smtp():
            pass
        line = re.findall(r"^\w+ +\d+ (\d+):\d+:\d+ .*/smtpd\[.*connect",
                          server.log(), re.M)[-1]
        return (int(line) - time.gmtime().tm_hour) % 24

    move_to("Etc/GMT-9")
    server.environment.pop("TZ", None)
    server.serve()
    for zone, ahead in zones.items():
        move_to(zone)
        wait_until(lambda: hours() in (ahead % 24, (ahead - 1) % 24), 30,
                   zone, pause=1)


# ---- resolv.conf

@as_root
@pytest.mark.parametrize("how", ["written", "renamed", "link"])
def test_a_network_that_comes_up_later_is_used(own_network, world, how):
    names = world.names("far.example.com. MX 10 mx.far.example.com.\n"
                        "mx.far.example.com. A 127.0.0.25", address="127.0.0.98")
    sink = world.sink(address="127.0.0.25", port=25)
    server = world.server("a", start=False)
    etc = own_etc(server, "resolv.conf")
    server.serve()
    server.cli("domain", "create", "example.test")
    server.user("alice@example.test")
    server.send("alice@example.test", "bob@far.example.com", user="alice@example.test")
    wait_until(lambda: server.queue()[0]["recipients"][0]["last_reply"], 60,
               "a failure", pause=0.5)
    path = os.path.join(etc, "resolv.conf")
    target = path if how == "written" else path + ".new"
    with open(target, "w") as file:
        file.write("nameserver 127.0.0.98\n")
    if how == "renamed":
        os.rename(target, path)
    if how == "link":
        os.symlink("resolv.conf.new", path)

    def tried():
        server.run("queue", "retry", "--all")
        return sink.messages
    wait_until(tried, 60, "mail, by the new name server", pause=2)
    assert names.asked
