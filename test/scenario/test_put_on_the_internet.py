"""Put it on the Internet (docs/internet.md), as a whole: an empty server with a
certificate and a filter becomes the master of a shared domain; exactly the records
it asked for are published in a real NSD; then a stranger's Splitmail finds it by
them and nothing else, and TLS holds what MTA-STS promised."""

import os
import re
import subprocess

import pytest

from certificate import Certificate
from milter import Milter
from test_mta_sts import Web
from world import wait_until

D = "split.example"
HOST = "mx.split.example"
OWN = "203.0.113.5"
OTHER = "198.51.100.9"
TEXT = "Subject: hello\r\n\r\nhello\r\n"


@pytest.fixture
def internet(own_network, world):
    for address in OWN, OTHER:
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"],
                       check=True)

    class Internet:
        folder = world.subfolder("certificates")
        ca = Certificate(folder, "ca.example")
        roots = {"SSL_CERT_FILE": ca.pem}
        names = world.signed_names(f"exchange.{D}. A {OTHER}")
        web = world.add(Web(Certificate(folder, f"mta-sts.{D}", ca)))
        exchange = world.sink(name="exchange", address=OTHER, port=25,
                              on={"RCPT": {f"bob@{D}": "250 2.1.5 ok",
                                           None: "550 5.1.1 nobody"}})
        server = world.server("a", hostname=HOST, environment=roots, conf=(
            f'outgoing_address = "{OWN}"\n'
            f'listener internet {{\n\taddress = "{OWN}"\n\tport = 25\n}}\n'
            + names.conf))
        stranger = world.server("b", hostname="stranger.example",
                                environment=roots, conf=names.conf + (
                                    "\nlimits {\n\tretry_min = 1\n"
                                    "\tretry_max = 2\n}\n"))

        def publish(self, *more):
            """What is asked for, and nothing else."""
            zone = self.server.run("domain", "dns", D, "--zone").stdout
            lines = [re.sub(r"\tIN\t(\S+)\t", r" \1 ", line)
                     for line in zone.splitlines() if line[0] != ";"]
            self.names.zones["."] = ("\n".join([*lines, *more]), True, False)
            self.names.up()

        def rows(self):
            found = self.server.cli("domain", "dns", D)["records"]
            return {row["what"]: row for row in found}

    return Internet()


def install_certificate(internet):
    certificate = Certificate(internet.folder, HOST, internet.ca)
    folder = os.path.join(internet.server.data, "tls", "certificates", HOST)
    os.makedirs(folder)
    for name, path in (("fullchain.pem", certificate.pem),
                       ("privkey.pem", certificate.key)):
        with open(path) as source, open(os.path.join(folder, name),
                                        "w") as to:
            to.write(source.read())
    subprocess.run(["chmod", "-R", "go+rX", os.path.dirname(folder)],
                   check=True)
    internet.server.restart()


def test_from_an_empty_machine_to_mail_from_the_internet(internet):
    server, stranger = internet.server, internet.stranger
    install_certificate(internet)
    milter = Milter()
    milter.start()
    server.cli("filter", "create", "rspamd", f"socket={milter.socket}")
    server.cli("domain", "create", D, f"relay=exchange.{D}")
    server.user(f"alice@{D}")
    server.cli("user", "create", f"bob@{D}", "mail_system=alternate")
    stranger.cli("domain", "create", "stranger.example")
    stranger.user("carol@stranger.example")

    before = internet.rows()
    assert before["mx"]["state"] == "absent"
    internet.web.say(before["policy"]["value"].replace("testing", "enforce")
                     .replace("\n", "\r\n"))
    internet.publish(f"mta-sts.{D}. A 127.0.44.1", f"exchange.{D}. A {OTHER}")
    after = internet.rows()
    assert {row["state"] for row in after.values()} == {"right"}, after
    spf = after["spf"]["value"]
    assert f"ip4:{OWN}" in spf and f"a:exchange.{D}" in spf

    assert stranger.send("carol@stranger.example",
                         [f"alice@{D}", f"bob@{D}"], TEXT,
                         user="carol@stranger.example") == {}
    [message] = internet.exchange.wait(1, timeout=60)
    assert message.recipients == [f"bob@{D}"]
    stranger.wait_for_queue(0)
    # Who logs in first makes the mailbox, too: not at the same moment.
    server.wait_for_queue(0)
    wait_until(lambda: server.mailbox(f"alice@{D}"), 60, "alice's mail")
    assert milter.heard, "it has passed the filter"
    log = stranger.log()
    assert HOST in log and "MTA-STS" in log, log[-3000:]
