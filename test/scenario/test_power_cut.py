"""The power fails at the instant of a 250: what it promised is on the disk."""

import os
import re
import time

import pytest

import power_cut
from traffic import (ALICE, BOB, DOMAIN, FAST, FRIEND, LARGE, STRANGER,
                     Traffic, arrived_at, subject_of, text)
from world import wait_until

CAROL = f"carol@{DOMAIN}"


@pytest.fixture
def rig():
    try:
        with power_cut.rig() as rig:
            yield rig
    except power_cut.Missing as why:
        pytest.skip(str(why))


@pytest.fixture
def server(rig, world):
    server = world.server("a", conf=FAST, data=str(rig.live / "data"))
    server.rig = rig
    server.sink = world.sink()
    server.internet = world.sink(name="internet")
    server.cli("domain", "create", DOMAIN, "--relay", server.sink.at)
    server.cli("system", "create", "way-out", "--hosts", server.internet.at,
               "--tls", "none", "--smart-host")
    server.user(ALICE)
    for user in (BOB, CAROL):
        server.cli("user", "create", user, "--mail-system", "alternate")
    rig.settle()
    return server


def put(folder, name, sync):
    with open(folder / name, "wb") as file:
        file.write(b"x" * 5000)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    return folder / name


def test_the_rig_forgets_what_was_not_synced(rig):
    """Otherwise the tests below would prove nothing."""
    put(rig.live, "kept", True)
    put(rig.live, "lost", False)
    with rig.cut() as disk:
        assert (disk / "kept").stat().st_size == 5000
        lost = disk / "lost"
        assert not lost.exists() or lost.stat().st_size == 0
    assert (rig.live / "lost").exists()


def refuse_carol_when_it_is_serious(session, argument):
    """A probe, which has the null sender, hears nothing of it."""
    return "250 2.1.5 ok" if session.sender[0] == "" else "550 5.7.1 not now"


def cuts_of_each_kind(server):
    """[(clone, {(user, subject)})]: what is promised at each moment."""
    promised, cuts = set(), []

    def cut(*mails):
        clone = server.rig.snapshot()       # at once: this is the instant
        promised.update(mails)
        cuts.append((clone, set(promised)))

    server.sink.on["RCPT"] = {CAROL: refuse_carol_when_it_is_serious,
                              None: "250 2.1.5 ok"}
    server.internet.down()
    server.send(STRANGER, [BOB, CAROL], text("half"))
    cut((BOB, "half"), (STRANGER, "DSN"))
    server.sink.down()
    server.send(STRANGER, ALICE, text("handed over"))
    cut((ALICE, "handed over"))
    server.send(STRANGER, BOB, text("small"))
    cut((BOB, "small"))
    server.send(STRANGER, [ALICE, BOB], text("large", LARGE))
    cut((ALICE, "large"), (BOB, "large"))
    server.send(ALICE, FRIEND, text("submitted", LARGE), user=ALICE)
    cut((FRIEND, "submitted"))
    return cuts


def in_mailboxes(server):
    """Alice's mails, as files.  By IMAP she waits for two minutes: Dovecot
    finds a lock of its own from before the cut."""
    for _, path in server.mail_files():
        with open(path, "rb") as file:
            mail = file.read()
        yield re.search(rb"(?m)^Subject: (.*?)\r?$", mail)[1].decode(), mail


def everything(server):
    got = arrived_at(server.sink, server.internet)
    for subject, mail in in_mailboxes(server):
        assert subject != "large" or LARGE.encode() in mail
        got[(ALICE, subject)] += 1
    for message in server.internet.messages:
        if message.sender == "" and b"Action: failed" in message.data and \
                CAROL.encode() in message.data:
            got[(message.recipients[0], "DSN")] += 1
    return got


def comes_back(server, clone, promised):
    server.rig.come_back(clone)
    server.serve()
    try:
        server.wait_for_queue(0, timeout=40)
        got = everything(server)
        assert [mail for mail in promised if not got[mail]] == []
        whole = [m for m in server.sink.messages + server.internet.messages
                 if subject_of(m) in ("large", "submitted")]
        assert all(LARGE.encode() in message.data for message in whole)
        assert os.listdir(f"{server.data}/spool") == []
    finally:
        server.kill()


def test_every_kind_of_mail_survives_the_cut(server):
    cuts = cuts_of_each_kind(server)
    server.kill()
    server.sink.on["RCPT"] = "250 2.1.5 ok"
    server.sink.up()
    server.internet.up()
    for clone, promised in cuts:
        handed_over = {(BOB, "half")}   # that was done before the cut
        server.internet.messages.clear()
        server.sink.messages[1:] = []
        assert subject_of(server.sink.messages[0]) == "half"
        assert handed_over <= promised
        comes_back(server, clone, promised)


def test_cuts_in_traffic(server):
    """Each at an instant at which somebody has just heard 250."""
    server.sink.down()
    traffic = Traffic(server, mails=10000, large=10)
    cuts = []
    try:
        for n in (20, 60):
            wait_until(lambda: len(traffic.accepted) > n, 60, f"{n} mails",
                       pause=0.001)
            with traffic.lock:
                promised = set(traffic.accepted)
            cuts.append((server.rig.snapshot(), promised))
            time.sleep(0.1)
    finally:
        traffic.stop()
    server.kill()
    server.sink.up()
    for clone, promised in cuts:
        server.sink.messages.clear()
        comes_back(server, clone, promised)
