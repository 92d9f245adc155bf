"""What was answered 250 arrives, whatever is killed, and when."""

import contextlib
import os
import pathlib
import random
import signal
import smtplib
import time

import pytest

from traffic import (ALICE, BOB, FAST, FRIEND, STRANGER, Traffic,
                     everything_arrived, split_server, subject_of, text)
from world import descendants, wait_until

MAILS, KILLS = (2000, 6) if os.environ.get("SPLITMAIL_ALL") else (1000, 3)

def seeded():
    """The moments of a run are those of its seed; a failure names it."""
    seed = int(os.environ.get("SPLITMAIL_SEED") or random.getrandbits(32))
    print(f"SPLITMAIL_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def server(world):
    return split_server(world)


def with_internet(world, server):
    """What users write to the Internet is kept first, then goes to
    server.internet."""
    server.internet = world.sink(name="internet")
    server.cli("system", "create", "way-out", "--hosts", server.internet.at,
               "--tls", "none", "--smart-host")
    return server


def answered(traffic, count):
    wait_until(lambda: len(traffic.accepted) >= count or traffic.done(), 90,
               f"{count} answers of 250", pause=0.01)


def twice_without_a_kill(sink, kills):
    """Mails that came again though nobody died between the two."""
    first, wrong = {}, []
    for message in sink.messages:
        subject = subject_of(message)
        before = first.setdefault(subject, message)
        # When we read it says little of when it was sent: of that only the
        # session's begin and the second's end are sure.
        if before is not message and not any(
                before.begun < kill < message.time for kill in kills):
            wrong.append(subject)
    return wrong


def test_kill_9_at_random_moments_loses_nothing(world, server):
    with_internet(world, server)
    dice = seeded()
    # Counted in answers, so that a slow machine dies as often.
    moments = sorted(dice.sample(range(100, MAILS - 200), KILLS))
    traffic = Traffic(server, MAILS, senders=8, users=2, large=40)
    kills = []
    try:
        for moment in moments:
            if dice.random() < 0.5:
                server.sink.down()
            answered(traffic, moment)
            time.sleep(dice.uniform(0, 0.05))
            kills.append(time.monotonic())
            server.kill_engine()
            kills.append(time.monotonic())
            if not server.sink.listener:
                server.sink.up()
        wait_until(traffic.done, 90, f"{MAILS} mails sent")
    finally:
        traffic.stop()
    # A kill breaks off at most what each sender has in hand.
    assert len(traffic.broken) <= 8 * KILLS
    mails = {subject for _, subject in traffic.accepted}
    assert len(mails) >= MAILS - 8 * KILLS * 2
    got = everything_arrived(server, traffic, server.sink, server.internet)
    assert twice_without_a_kill(server.sink, kills) == []
    assert twice_without_a_kill(server.internet, kills) == []
    again = [mail for mail, n in got.items() if mail[0] == ALICE and n > 1]
    assert len(again) <= 8 * KILLS, again


def test_everything_dies_at_once_and_comes_back(server):
    """SIGKILL for the supervisor, Dovecot and the engine together."""
    server.sink.down()      # so that there is something in the queue
    traffic = Traffic(server, mails=10000, large=20)
    try:
        answered(traffic, 100)
        server.kill()
    finally:
        traffic.stop()
    # Nobody would dare to break a lock that does not say whose it is.
    assert [lock for lock in pathlib.Path(server.data, "mail").rglob(
        "dovecot-uidlist.lock") if lock.stat().st_size == 0] == []
    server.sink.up()
    server.serve()
    everything_arrived(server, traffic, server.sink)


@pytest.mark.parametrize("mails", [1, 7, 50])
@pytest.mark.parametrize("ends", ["stop", "kill"])
def test_what_waited_goes_when_its_system_is_back(world, ends, mails):
    """...and not at its own time, though the server that met it away has ended
    meanwhile."""
    server = split_server(
        world, conf="limits {\n\tretry_min = 3600\n\tretry_max = 3600\n}")
    server.sink.down()
    for i in range(mails):
        assert server.send(STRANGER, BOB, text(f"waits {i}")) == {}
    getattr(server, ends)()
    server.serve()
    server.sink.up()
    assert server.send(STRANGER, BOB, text("a new one")) == {}
    server.wait_for_queue(0)
    assert len(server.sink.messages) == mails + 1


def name_of(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    return None


def lmtp_pids(server):
    return [pid for pid in descendants(server.process.pid)
            if name_of(pid) == "lmtp"]


@contextlib.contextmanager
def frozen(server):
    """Dovecot takes mail and says nothing: neither those who are there, nor one
    that is only about to become LMTP, nor the master, who would start more.
    Nobody can log in meanwhile."""
    wait_until(lambda: lmtp_pids(server), what="LMTP processes")
    master = server.dovecot_pid()
    os.kill(master, signal.SIGSTOP)
    pids = [pid for pid in descendants(master)
            if name_of(pid) in ("lmtp", "dovecot")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in [*pids, master]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_kill_while_a_mailbox_takes_the_mail(world):
    """Kept because Dovecot was slow; the attempt dies with the engine."""
    server = split_server(world, conf=FAST.replace("}", "\thandover = 1\n}"))
    with frozen(server):
        assert server.send(STRANGER, ALICE, text("slow mailbox")) == {}
        server.kill_engine()
    server.wait_for_queue(0)
    # Dovecot may have got it whole before: the outcome was open.
    assert set(server.subjects(ALICE)) == {"slow mailbox"}
    assert len(server.subjects(ALICE)) <= 2


def test_kill_before_the_answer_leaves_nothing_behind(server):
    """Nothing was promised: the client keeps it, and the queue knows of
    nothing."""
    with frozen(server):
        with server.smtp() as smtp:
            smtp.ehlo()
            smtp.mail(STRANGER)
            smtp.rcpt(ALICE)
            smtp.putcmd("data")
            assert smtp.getreply()[0] == 354
            smtp.send(text("unanswered") + ".\r\n")
            time.sleep(0.5)
            server.kill_engine()
            with pytest.raises(smtplib.SMTPServerDisconnected):
                smtp.getreply()
            smtp.close()
    assert server.queue() == []
    assert os.listdir(f"{server.data}/spool") == []
    assert server.send(STRANGER, ALICE, text("again")) == {}
    assert "again" in server.subjects(ALICE)


def test_kill_9_of_the_lmtp_process(server):
    """The connection is lost after the dot: kept, and delivered again."""
    pids = wait_until(lambda: lmtp_pids(server), 10, "LMTP processes")
    with frozen(server):
        with server.smtp() as smtp:
            smtp.ehlo()
            smtp.mail(STRANGER)
            smtp.rcpt(ALICE)
            smtp.putcmd("data")
            smtp.getreply()
            smtp.send(text("twice perhaps") + ".\r\n")
            time.sleep(0.3)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            assert smtp.getreply()[0] == 250
    server.wait_for_queue(0)
    assert set(server.subjects(ALICE)) == {"twice perhaps"}


def test_a_bounce_survives_a_kill(world, server):
    """The DSN is part of what 250 promises."""
    with_internet(world, server)
    server.internet.on["RCPT"] = "550 5.1.1 nobody of that name"
    # The bounce is for Alice: it has to wait.
    with server.submit(ALICE) as smtp, frozen(server):
        assert smtp.sendmail(ALICE, FRIEND, text("to nobody")) == {}
        wait_until(lambda: "status=bounced" in server.log(), 20, "a bounce")
        wait_until(lambda: [e["sender"] for e in server.queue()] == [""], 20,
                   "the bounce in the queue")
        server.kill_engine()
    server.wait_for_queue(0)
    assert 1 <= len(server.mailbox(ALICE)) <= 2
