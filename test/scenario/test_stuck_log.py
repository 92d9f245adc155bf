"""A reader of the log that stops, stops no mail: Ctrl-S in the terminal, a
pager, a journal that hangs."""

import os
import select
import subprocess
import threading

import pytest

from splitmail import Server, binary
from traffic import ALICE, BOB, DOMAIN, STRANGER, text
from world import wait_until


class Unread(Server):
    """Its log is a pipe; read() begins to read it."""

    def serve(self, timeout=120):
        self.pipe, theirs = os.pipe()
        self.process = subprocess.Popen(
            [binary(), "--data", self.data, "serve"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=theirs, env=self.environment,
            cwd=self.folder, start_new_session=True)
        os.close(theirs)
        assert select.select([self.process.stdout], [], [], timeout)[0]
        assert b"ready" in os.read(self.process.stdout.fileno(), 4096)

    def read(self):
        log = open(self.log_path, "ab", buffering=0)

        def copy():
            with log:
                while piece := os.read(self.pipe, 65536):
                    log.write(piece)
            os.close(self.pipe)
        self.reader = threading.Thread(target=copy, daemon=True)
        self.reader.start()


@pytest.fixture
def server(world):
    server = world.add(Unread(world.subfolder("a"), "a"))
    server.sink = world.sink()
    server.cli("domain", "create", DOMAIN, "--relay", server.sink.at)
    server.user(ALICE)
    server.cli("user", "create", BOB, "--mail-system", "alternate")
    return server


def fill(server, mails, to, header=""):
    for n in range(mails):
        with server.smtp() as smtp:
            smtp.sendmail(STRANGER, to, header + text(f"number {n}"))


def test_mail_flows_while_nobody_reads_the_log(server):
    """To other systems, and into mailboxes; what waited is read later, and
    what was lost is said."""
    fill(server, 400, [BOB])
    wait_until(lambda: len(server.sink.messages) == 400, what="400 mails")
    # Dovecot's log repeats it: more than the pipes within Dovecot hold.
    fill(server, 250, [ALICE], "Message-ID: <" + "x" * 800 + "@y.test>\r\n")
    server.wait_for_mail(ALICE, 250)
    assert server.queue() == []
    assert "up" in str(server.cli("status"))
    server.read()
    wait_until(lambda: server.log().count("disconnect from") >= 650,
               what="the log")
    fill(server, 1, [BOB])


def test_a_server_stops_in_order_while_nobody_reads_the_log(server):
    fill(server, 200, [BOB])
    server.stop(patience=90)
    server.read()
    server.reader.join()
    assert "lost" not in server.log()
