"""Mail that waits: it follows what is changed, whatever happens to the clocks,
the disk, other mail's next hops and whoever looks at it.

What only takes its time is tried in virtual time (test/sim/waiting_test.c); here
is one of each kind, and whatever needs Dovecot, the command line or a real disk."""

import contextlib
import os
import select
import signal
import sqlite3
import subprocess
import time

import pytest

import splitmail
from others import ALICE, Here, text
from sink import Hang
from world import PATIENCE, wait_until

BIG = "Subject: big\r\n\r\n" + ("x" * 70 + "\r\n") * 4000
LATER = 15      # seconds; the next attempt's own time is 300


def once_more(*values):
    """The same proof with another value: for the long run."""
    return pytest.param(*values, marks=pytest.mark.long)


@pytest.fixture(scope="module")
def here(shared_world):
    """With another system, and its domain, for each test."""
    return Here(shared_world)


def wait(other, count, wire=None):
    """COUNT mails wait for OTHER, which is down."""
    other.sink.down()
    for _ in range(count):
        assert other.send(wire=wire)[0] == 250
    return wait_until(lambda: len(other.queued()) == count and other.queued(),
                      20, "the queue")


def has_gone(other, sink, count, seconds=LATER):
    sink.wait(count, seconds)
    wait_until(lambda: not other.queued(), 20, "an empty queue", 0.2)


def domain(server, sink, name="own.test", users=("far",)):
    server.cli("domain", "create", name, "--relay", sink.at)
    for user in users:
        server.cli("user", "create", f"{user}@{name}",
                   "--mail-system", "alternate")


def waiting(server, sink, count, to="far@own.test", text=None):
    """COUNT mails wait for SINK, which is down."""
    sink.down()
    for i in range(count):
        server.send("x@e.test", [to], text or f"Subject: m{i}\r\n\r\nhi\r\n")
    return server.wait_for_queue(count)


def script(server, text, name="queue.db"):
    """What nobody but the engine should do."""
    with contextlib.closing(sqlite3.connect(os.path.join(server.data, name),
                                            timeout=20)) as db:
        db.executescript(text)


def fill(server, count):
    """COUNT messages more, like the last one, as if they had been kept long
    ago."""
    script(server, f"""
        CREATE TEMP TABLE first AS SELECT max(row) AS row FROM message;
        CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (
            SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {count})
            SELECT i FROM c;
        INSERT INTO message SELECT first.row + i, sender, envid, ret, flags,
            asker, client, helo, arrived, entered, trace, bytes, spool
            FROM n, first, message WHERE message.row = first.row;
        INSERT INTO body SELECT first.row + i, bytes
            FROM n, first, body WHERE body.message = first.row;
        INSERT INTO recipient (message, row, address, domain, orcpt, notify,
            trail, part, is_member, held, verdict, attempts, next_attempt,
            code, status, reply, remote, system, delay_told, next_hop, ours)
            SELECT first.row + i, 1, address, domain, orcpt, notify, trail,
            part, is_member, held, verdict, attempts, next_attempt, code,
            status, reply, remote, system, delay_told, next_hop, ours
            FROM n, first, recipient WHERE recipient.message = first.row
            AND recipient.row = 1;
    """)


# ---- it follows what is changed

def new_relay(other, sink):
    other.server.cli("domain", "set", other.domain, f"relay={sink.at}")


def system_of_its_own(other, sink):
    name = f"of-{other.domain.partition('.')[0]}"
    other.server.cli("system", "create", name, "--hosts", sink.at)
    other.server.cli("user", "set", other.bob, f"system={name}")
    return name


def test_goes_to_its_new_place_at_once(here, shared_world):
    other, new = here.other(), shared_world.sink()
    wait(other, 7)
    system_of_its_own(other, new)
    has_gone(other, new, 7)


def test_goes_to_the_mailbox_when_the_user_is_hosted_here(here):
    other = here.other()
    wait(other, 3)
    here.server.cli("user", "set", other.bob, "mail_system=hosted")
    wait_until(lambda: not other.queued(), LATER, "an empty queue")
    assert other.sink.messages == []


def test_many_follow(here, shared_world):
    """Whatever their number, in pages."""
    other, new = here.other(), shared_world.sink()
    wait(other, 1)
    fill(here.server, 1500)
    new_relay(other, new)
    has_gone(other, new, 1501, 90)


# ---- what is held shows where it would go

def relay_is_other(other, sink):
    new_relay(other, sink)
    return {"action": "relay", "next_hop": "relay", "system": sink.at}


def system_is_other(other, sink):
    return {"action": "relay", "next_hop": "system",
            "system": system_of_its_own(other, sink)}


def is_hosted_here(other, sink):
    other.server.cli("user", "set", other.bob, "mail_system=hosted")
    return {"action": "deliver", "next_hop": "mailboxes", "system": ""}


def user_is_gone(other, sink):
    other.server.cli("user", "delete", other.bob, "--yes")
    return {"action": "refuse", "text": "550 5.1.1 "}


def domain_is_gone(other, sink):
    user_is_gone(other, sink)
    other.server.cli("domain", "delete", other.domain, "--yes")
    return {"action": "later", "next_hop": "undecided", "text":
            f"450 4.1.2 {other.domain} is no domain of this server any more"}


def nothing_is_other(other, sink):
    return {"action": "relay", "next_hop": "relay", "text": ""}


@pytest.mark.parametrize("change, runs", (
    (relay_is_other, True), once_more(system_is_other, True),
    (is_hosted_here, True), once_more(user_is_gone, True),
    (domain_is_gone, True), once_more(nothing_is_other, True),
    (relay_is_other, False)))
def test_the_list_shows_where_it_would_go_now(here, shared_world, change,
                                              runs):
    """Beside where it waits for, if that is elsewhere; whether the server runs
    or not."""
    other = here.other()
    wait(other, 2)
    here.server.cli("queue", "hold", "--domain", other.domain)
    if not runs:
        here.server.stop()
    expected = change(other, shared_world.sink())
    for entry in other.queued():
        [recipient] = entry["recipients"]
        now = recipient["now"]
        assert recipient["state"] == "held"
        assert {**expected, "text": now["text"]} == {
            key: now[key] for key in expected.keys() | {"text"}}
        assert now["text"].startswith(expected.get("text", ""))
    text = here.server.run("queue", "list", "--domain", other.domain).stdout
    if not runs:
        here.server.serve()
    assert text.count(", now: ") == (0 if change is nothing_is_other else 2)
    place = now["text"] or expected.get("system")
    assert text.count(place) >= 2 if place else True


# ---- an order is carried out

@pytest.mark.parametrize("count", (once_more(1), 6))
def test_retry_tries_though_the_system_failed_a_moment_ago(here, count):
    other = here.other()
    wait(other, count)
    other.sink.up()
    said = here.server.cli("queue", "retry", "--domain", other.domain)
    assert said["recipients"] <= count      # it was about to be found up
    has_gone(other, other.sink, count, 5)


def test_queue_tools(here):
    other = here.other()
    other.sink.down()
    for _ in range(4):
        with here.server.submit(ALICE) as smtp:
            assert smtp.sendmail(ALICE, [other.bob], text("tools")) == {}
    ids = [entry["id"] for entry in other.queued()]
    assert len(ids) == 4
    assert here.server.cli("queue", "show", ids[0])["id"] == ids[0]
    here.server.cli("queue", "hold", "--id", ids[0])
    here.server.cli("queue", "delete", "--id", ids[1], "--yes")
    here.server.cli("queue", "bounce", "--id", ids[2], "--yes")
    here.server.wait_for_mail(ALICE, 1)
    wait_until(lambda: len(other.queued()) == 2, 20, "two that are left")
    other.sink.up()
    here.server.cli("queue", "retry", "--recipient", other.bob)
    other.sink.wait(1)
    wait_until(lambda: len(other.queued()) == 1, 20, "the one that is held")
    [held] = other.queued()
    assert held["id"] == ids[0]
    assert held["recipients"][0]["state"] == "held"
    here.server.cli("queue", "release", "--domain", other.domain)
    here.server.cli("queue", "retry", "--id", ids[0])
    has_gone(other, other.sink, 2)
    assert "no message" in here.server.refused("queue", "show",
                                               "nosuch").lower()


# ---- clocks

YEAR = 365 * 86400000


@pytest.mark.parametrize("off", (YEAR, once_more(-YEAR)))
def test_wrong_times_do_not_strand_mail(world, off):
    """Rows as they were when the clock was set: nothing is lost or returned,
    and all is tried."""
    sink, a = world.sink(), world.server("a")
    domain(a, sink)
    waiting(a, sink, 3)
    sink.up()
    a.stop()
    script(a, f"UPDATE recipient SET next_attempt = next_attempt + {off};"
              f"UPDATE message SET arrived = arrived + {off};")
    a.serve()
    sink.wait(3, LATER)
    a.wait_for_queue(0)
    assert "expired" not in a.log()


# ---- the database and the files

def files(server, folder="spool"):
    path = os.path.join(server.data, folder)
    return sorted(n for n in os.listdir(path) if n.endswith(".eml"))


def move_db(server, old, new):
    for end in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.rename(os.path.join(server.data, old + end),
                      os.path.join(server.data, new + end))


def test_without_queue_db_the_files_are_moved_aside_and_come_back(world):
    sink, a = world.sink(), world.server("a")
    domain(a, sink)
    waiting(a, sink, 3, text=BIG)
    before = files(a)
    a.stop()
    move_db(a, "queue.db", "repair.db")
    a.serve()
    assert files(a) == [] and files(a, "spool.orphans") == before
    assert "3 files of mail in spool/" in a.log()
    assert a.cli("status")["orphans"] == 3
    a.stop()
    for end in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(a.data, "queue.db" + end))
    move_db(a, "repair.db", "queue.db")
    a.serve()
    assert files(a) == before
    sink.up()
    a.cli("queue", "retry", "--all")
    sink.wait(3, LATER)


DAMAGE = {
    "missing": os.unlink,
    "shorter": lambda path: os.truncate(path, 100000),
    "empty": lambda path: os.truncate(path, 0),
    "longer": lambda path: (os.chmod(path, 0o600),
                            os.truncate(path, 500000)),
    "a folder": lambda path: (os.unlink(path), os.mkdir(path)),
}


@pytest.mark.parametrize("damage", [
    once_more(name) if name in ("empty", "longer") else name
    for name in DAMAGE])
def test_a_damaged_file_is_the_messages_own_trouble(here, damage):
    other = here.other()
    before = set(files(here.server))
    [entry] = wait(other, 1, wire=BIG.encode())
    [name] = set(files(here.server)) - before
    DAMAGE[damage](os.path.join(here.server.data, "spool", name))
    for i in range(7):
        other.send()
    other.sink.up()
    here.server.cli("queue", "retry", "--domain", other.domain)
    other.sink.wait(7, LATER)
    said = wait_until(lambda: [q["recipients"][0]["last_reply"]
                               for q in other.queued()
                               if "stored" in q["recipients"][0]["last_reply"]],
                      LATER, "what is wrong with it")
    assert name not in said[0] and "/" not in said[0]
    wait_until(lambda: [q["id"] for q in other.queued()] == [entry["id"]], 20,
               "it alone in the queue")
    assert entry["id"] in here.server.log() and name in here.server.log()
    assert state_of(other, other.sink.at) == "up"
    assert all(len(m.data) < 1000 for m in other.sink.messages)
    here.server.cli("queue", "delete", "--domain", other.domain, "--yes")


def state_of(other, name):
    [state] = [system["state"]
               for system in other.server.cli("status")["systems"]
               if system["next_hop"] == "relay" and name in system["name"]]
    return state


@pytest.mark.parametrize("count", (once_more(1), 150))
def test_a_file_damaged_under_way_is_no_hosts_trouble(here, shared_world,
                                                      count):
    """Found out only when the host has said 354: to all recipients the same,
    and no other host is asked."""
    other, second = here.other(names=()), shared_world.sink()
    first = other.sink
    here.server.fill(other.domain, count, mail_system="1")
    here.server.cli("domain", "set", other.domain,
                    f"relay={first.at}, {second.at}")
    first.down()
    second.down()
    before = set(files(here.server))
    assert other.send([f"user{i}@{other.domain}" for i in range(1, count + 1)],
                      wire=BIG.encode())[0] == 250
    [name] = set(files(here.server)) - before

    def damage(session, argument):
        os.truncate(os.path.join(here.server.data, "spool", name), 100000)
        return "354 go on"

    first.on["DATA"] = second.on["DATA"] = damage
    first.up()
    second.up()
    here.server.cli("queue", "retry", "--domain", other.domain)
    wait_until(lambda: all("stored" in r["last_reply"] for q in other.queued()
                           for r in q["recipients"]), LATER, "the reason")
    [entry] = other.queued()
    said = {r["last_reply"] for r in entry["recipients"]}
    assert said == {"451 4.3.0 the message as it was stored here cannot be "
                    "read"}
    assert len(entry["recipients"]) == count
    assert not first.messages and not second.messages
    assert f"{entry['id']}: cannot be sent" in here.server.log()
    commands = first.commands + second.commands
    assert sum(c.upper().startswith("DATA") for c in commands) == 1
    assert state_of(other, first.at) == "up"
    here.server.cli("queue", "delete", "--domain", other.domain, "--yes")


@pytest.mark.parametrize("bytes", ("zeroblob(0)", "x'2e0d0a2e0d0a'",
                                   once_more("zeroblob(100000)")))
def test_a_damaged_row_never_leaves(here, bytes):
    other = here.other()
    wait(other, 2)
    script(here.server, f"UPDATE body SET bytes = {bytes} WHERE message = "
           "(SELECT min(message) FROM recipient "
           f"WHERE domain = '{other.domain}')")
    other.sink.up()
    here.server.cli("queue", "retry", "--domain", other.domain)
    other.sink.wait(1, LATER)
    wait_until(lambda: all("stored" in q["recipients"][0]["last_reply"]
                           for q in other.queued()), LATER, "the reason")
    assert len(other.queued()) == 1
    other.sink.stays(1)
    here.server.cli("queue", "delete", "--domain", other.domain, "--yes")


# ---- who looks at it

@pytest.mark.parametrize("how", (once_more(()), ("--json",)))
def test_a_list_that_nobody_reads_pins_nothing(world, how):
    sink, a = world.sink(), world.server("a")
    domain(a, sink)
    waiting(a, sink, 1)
    fill(a, 2000)
    lister = subprocess.Popen([splitmail.binary(), "--data", a.data, "queue",
                               "list", *how], stdout=subprocess.PIPE)
    log = os.path.join(a.data, "queue.db-wal")
    try:
        # It has begun, and more than a pipe holds is to come.
        assert select.select([lister.stdout], [], [], PATIENCE)[0]
        assert lister.poll() is None
        with a.smtp() as client:
            client.ehlo()
            for i in range(1500):
                client.mail("x@e.test")
                client.rcpt("far@own.test")
                client.data("Subject: m\r\n\r\n" + ("y" * 70 + "\r\n") * 100)
        assert os.path.getsize(log) < 40 << 20
    finally:
        lister.send_signal(signal.SIGKILL)
        lister.wait()


# ---- next hops that take little

@pytest.mark.parametrize("count", (once_more(50), 3000))
def test_who_hangs_costs_nothing_and_holds_nobody_up(world, count):
    hangs, live = world.sink(on={"MAIL": Hang()}), world.sink()
    a = world.server("a")
    domain(a, hangs)
    domain(a, live, "live.test")
    waiting(a, hangs, 1)
    fill(a, count - 1)
    live.down()
    for _ in range(7):
        a.send("x@e.test", ["far@live.test"])
    hangs.up()
    live.up()
    a.cli("queue", "retry", "--all")
    live.wait(7, LATER)
    time.sleep(5)
    lines = a.log().count("\n")
    a.stop()
    assert a.counters()["queue_commits"] < 120
    assert lines < 300


@pytest.mark.parametrize("most", (1, once_more(2)))
def test_who_takes_few_connections_gets_all_of_it(here, most):
    other = here.other(at_once=most)
    wait(other, 1)
    fill(here.server, 600)
    other.sink.up()
    here.server.cli("queue", "retry", "--domain", other.domain)
    has_gone(other, other.sink, 601, 60)
