"""A haproxy in front: clients come from its address, and are who it says."""

import imaplib
import os
import re
import smtplib
import socket
import subprocess

import pytest

from splitmail import ROOT, no_checks
from peers import library_path
from world import can_connect, claim_address, end_process, wait_until

DOMAIN = "own.test"
ALICE = f"alice@{DOMAIN}"
STRANGER = "stranger@elsewhere.test"
PORTS = ["smtp", "submission", "submissions", "imap", "imaps"]
HAPROXY = os.path.join(ROOT, "build-peers", "haproxy")
CONF = """
global
    log stderr format raw local0
defaults
    mode tcp
    timeout connect 30s
    timeout client 300s
    timeout server 300s
"""
FRONT = """
listen {name}
    bind {address}:{port}
    source {address}
    server splitmail {server}:{port} {send} {more}
"""


class Haproxy:
    """On the server's ports at an address of its own, from which it comes."""

    def __init__(self, folder, send, more=""):
        self.address, self.claim = claim_address()
        self.folder, self.send, self.more = folder, send, more

    def serve(self, server):
        self.ports = server.ports
        path = os.path.join(self.folder, "haproxy.cfg")
        with open(path, "w") as file:
            file.write(CONF + "".join(FRONT.format(
                name=name, address=self.address, server=server.address,
                port=server.ports[name], send=self.send, more=self.more)
                for name in PORTS))
        self.log = open(os.path.join(self.folder, "haproxy.log"), "w")
        self.process = subprocess.Popen(
            [f"{HAPROXY}/usr/sbin/haproxy", "-db", "-f", path],
            stderr=self.log, stdout=self.log,
            env={"LD_LIBRARY_PATH": library_path(HAPROXY)})
        for name in PORTS:
            wait_until(lambda: can_connect(self.address, self.ports[name]),
                       what="haproxy")

    def end(self):
        assert end_process(self.process, 60)
        self.log.close()
        self.claim.close()

    def smtp(self, client, kind="smtp"):
        """As a client at that address."""
        how = {"context": no_checks()} if kind == "submissions" else {}
        return (smtplib.SMTP_SSL if how else smtplib.SMTP)(
            self.address, self.ports[kind], local_hostname="client.test",
            source_address=(client, 0), timeout=120, **how)


class ImapFrom(imaplib.IMAP4_SSL):
    def __init__(self, client, host, port):
        self.client = client
        super().__init__(host, port, ssl_context=no_checks())

    def _create_socket(self, timeout):
        return self.ssl_context.wrap_socket(socket.create_connection(
            (self.host, self.port), timeout, (self.client, 0)))


def behind(world, proxy, blocks="listener"):
    """A server that knows this proxy on the ports of these."""
    server = world.server("a", start=False)
    path = os.path.join(server.data, "splitmail.conf")
    with open(path) as file:
        text = file.read()
    known = f'proxies = {{"{proxy}"}}'
    text, n = re.subn(rf"(?m)^((?:{blocks})\b.*\{{)$", rf"\1\n\t{known}", text)
    assert n
    with open(path, "w") as file:
        file.write(text)
    server.serve()
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    return server


@pytest.fixture
def client():
    address, claim = claim_address()
    yield address
    claim.close()


@pytest.fixture
def haproxy(world, request):
    proxy = Haproxy(world.subfolder("haproxy"), request.param)
    proxy.server = behind(world, proxy.address)
    proxy.serve(proxy.server)
    yield proxy
    proxy.end()


both_versions = pytest.mark.parametrize(
    "haproxy", ["send-proxy", "send-proxy-v2",
                "send-proxy-v2 proxy-v2-options unique-id,crc32c"],
    indirect=True)


@both_versions
def test_clients_are_who_they_are(haproxy, client):
    server = haproxy.server
    with haproxy.smtp(client) as smtp:
        smtp.sendmail(STRANGER, [ALICE], "Subject: one\r\n\r\nhello\r\n")
    [mail] = server.wait_for_mail(ALICE)
    assert f"[{client}]" in mail.decode()
    assert haproxy.address not in mail.decode()
    for kind in ("submission", "submissions"):
        with haproxy.smtp(client, kind) as smtp:
            if kind == "submission":
                smtp.starttls(context=no_checks())
            smtp.login(ALICE, server.passwords[ALICE])
            smtp.sendmail(ALICE, [ALICE], f"Subject: {kind}\r\n\r\nhello\r\n")
    log = server.log()
    for part in ("smtpd", "submission/smtpd", "smtps/smtpd"):
        assert re.search(rf"splitmail/{part}\[\d+\]: connect from "
                         rf"unknown\[{client}\]", log), part


@pytest.mark.parametrize("haproxy", ["send-proxy-v2"], indirect=True)
def test_who_is_trusted_is_so_by_the_address_behind(haproxy, client):
    """Another system's rights are not the proxy's, and its own are told by its
    address."""
    server = haproxy.server
    server.cli("system", "create", "other", "--hosts", client, "--trust",
               client, "--may-relay")
    server.cli("system", "create", "proxies", "--hosts", haproxy.address,
               "--trust", haproxy.address, "--may-relay")
    for source, code in ((client, 250), ("127.0.0.1", 550)):
        with haproxy.smtp(source) as smtp:
            smtp.ehlo()
            smtp.mail(STRANGER)
            assert smtp.rcpt("x@elsewhere.test")[0] == code, source


@pytest.mark.parametrize("haproxy", ["send-proxy-v2"], indirect=True)
def test_limits_are_each_client_s(haproxy, client):
    clients = [haproxy.smtp(client) for _ in range(50)]
    with pytest.raises(smtplib.SMTPConnectError) as refused:
        haproxy.smtp(client)
    assert refused.value.smtp_code == 421
    with haproxy.smtp("127.0.0.1") as other:
        assert other.noop()[0] == 250
    for each in clients:
        each.close()


@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2"])
def test_logins_come_by_it_alone(world, client, send):
    proxy = Haproxy(world.subfolder("haproxy"), send)
    server = behind(world, proxy.address, "listener|dovecot")
    proxy.serve(server)
    try:
        imap = ImapFrom(client, proxy.address, proxy.ports["imaps"])
        imap.login(ALICE, server.passwords[ALICE])
        imap.logout()
        wait_until(lambda: re.search(rf"imap-login: .*Login.*rip={client}",
                                     server.log()), what="a word of it")
        with pytest.raises((OSError, imaplib.IMAP4.error)):
            server.imap(ALICE)
    finally:
        proxy.end()


@pytest.mark.parametrize("first, said", [
    (b"EHLO client.test\r\n", '"EHLO c" is no PROXY header'),
    (b"PROXY TCP4 192.0.2.1\r\n", "is no PROXY header"),
    (b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", "is no PROXY header"),
    (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", "more than 4096"),
    (b"", None)])
def test_a_proxy_has_to_say_it(world, client, first, said):
    server = behind(world, client)
    peer = socket.create_connection((server.address, server.ports["smtp"]),
                                    source_address=(client, 0))
    peer.sendall(first)
    if not first:
        peer.shutdown(socket.SHUT_WR)
    peer.settimeout(120)
    assert peer.recv(1000) == b""
    if said:
        wait_until(lambda: f"proxy {client}: " in server.log(),
                   what="a word")
        assert said in server.log()
    # Who is none says what he wants, and it is a bad command.
    with server.smtp() as smtp:
        assert smtp.docmd("PROXY TCP4 192.0.2.1 192.0.2.2 1 25")[0] == 500


def test_haproxy_s_own_look(world):
    """Its check comes in its own name, again and again."""
    proxy = Haproxy(world.subfolder("haproxy"), "send-proxy-v2",
                    "check check-send-proxy inter 200")
    server = behind(world, proxy.address)
    proxy.serve(server)
    try:
        wait_until(lambda: server.log().count(
            f"connect from unknown[{proxy.address}]") > 5, what="checks")
        with proxy.smtp("127.0.0.1") as smtp:
            assert smtp.noop()[0] == 250
        assert "warning: proxy" not in server.log()
    finally:
        proxy.end()
