"""Mail that waits: it follows what is changed, whatever happens to the clocks,
the disk, other mail's next hops and whoever looks at it."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import time

import pytest

import splitmail
from sink import Hang
from world import wait_until

BIG = "Subject: big\r\n\r\n" + ("x" * 70 + "\r\n") * 4000
LATER = 15      # seconds; the next attempt's own time is 300


def once_more(*values):
    """The same proof with another value: for the long run."""
    return pytest.param(*values, marks=pytest.mark.long)


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


def fill(server, count, hop, to="far@own.test", kind=3):
    """COUNT messages more, as if they had been kept long ago."""
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

def new_relay(a, sink):
    a.cli("domain", "set", "own.test", f"relay={sink.at}")


def system_of_its_own(a, sink):
    a.cli("system", "create", "other", "--hosts", sink.at)
    a.cli("user", "set", "far@own.test", "system=other")


CHANGES = {"relay": new_relay, "system of the user": system_of_its_own}


@pytest.mark.parametrize("count", (once_more(1), 7))
@pytest.mark.parametrize("change", CHANGES)
def test_goes_to_its_new_place_at_once(world, change, count):
    old, new, a = world.sink(), world.sink(), world.server("a")
    domain(a, old)
    waiting(a, old, count)
    CHANGES[change](a, new)
    new.wait(count, LATER)
    a.wait_for_queue(0)


@pytest.mark.parametrize("how", ("catch_all", "postmaster"))
@pytest.mark.parametrize("links", (once_more(1), 2))
def test_follows_who_takes_its_mail_in_another_domain(world, how, links):
    """A domain's catch-all or postmaster, through one domain more, too."""
    old = world.sink(on={"RCPT": "451 4.2.0 later"})
    new, a = world.sink(), world.server("a")
    domain(a, old)
    to = "far@own.test"
    for name in ("between.test", "front.test")[2 - links:]:
        last = name == "front.test"
        a.cli("domain", "create", name)
        a.cli("domain", "set", name, f"{how if last else 'postmaster'}={to}")
        to = f"postmaster@{name}"
    for _ in range(2):
        a.send("x@e.test", ["any@front.test" if how == "catch_all" else to])
    a.wait_for_queue(2)
    system_of_its_own(a, new)
    new.wait(2, LATER)
    a.wait_for_queue(0)


def test_goes_to_the_systems_new_host_at_once(world):
    old, new, a = world.sink(), world.sink(), world.server("a")
    a.cli("system", "create", "other", "--hosts", old.at)
    domain(a, world.sink())
    a.cli("user", "set", "far@own.test", "system=other")
    waiting(a, old, 3)
    a.cli("system", "set", "other", f"hosts={new.at}")
    new.wait(3, LATER)


def test_goes_to_the_mailbox_when_the_user_is_hosted_here(world):
    old, a = world.sink(), world.server("a")
    domain(a, old)
    waiting(a, old, 3)
    a.cli("user", "set", "far@own.test", "mail_system=hosted")
    a.wait_for_queue(0, LATER)
    assert len(old.messages) == 0


def test_goes_when_the_change_was_made_while_the_server_was_stopped(world):
    old, new, a = world.sink(), world.sink(), world.server("a")
    domain(a, old)
    waiting(a, old, 3)
    a.stop()
    new_relay(a, new)
    a.serve()
    new.wait(3, LATER)


def test_others_do_not_stir(world):
    old, new, a = world.sink(), world.sink(), world.server("a")
    domain(a, old)
    domain(a, world.sink(), "third.test")
    before = waiting(a, old, 7)
    a.cli("domain", "set", "third.test", f"relay={new.at}")
    a.cli("user", "create", "more@own.test", "--mail-system", "alternate")
    time.sleep(1.5)
    stirred = [entry for entry, now in zip(before, a.queue(), strict=True)
               if entry["recipients"] != now["recipients"]]
    assert len(stirred) <= 2    # whether the system is up is seen by one


def test_many_follow(world):
    """Whatever their number, in pages."""
    old, new, a = world.sink(), world.sink(), world.server("a")
    domain(a, old)
    waiting(a, old, 1)
    fill(a, 1500, old.at)
    new_relay(a, new)
    new.wait(1501, 90)


def test_a_system_that_is_up_again_is_found_so(world):
    """Without new mail, a question or an order, before the mail's own time."""
    sink, a = world.sink(), world.server("a")
    domain(a, sink)
    waiting(a, sink, 7)
    sink.up()
    sink.wait(7, 60)


# ---- what is held shows where it would go

def relay_is_other(a, sink):
    new_relay(a, sink)
    return {"action": "relay", "next_hop": "relay", "system": sink.at}


def system_is_other(a, sink):
    system_of_its_own(a, sink)
    return {"action": "relay", "next_hop": "system", "system": "other"}


def is_hosted_here(a, sink):
    a.cli("user", "set", "far@own.test", "mail_system=hosted")
    return {"action": "deliver", "next_hop": "mailboxes", "system": ""}


def user_is_gone(a, sink):
    a.cli("user", "delete", "far@own.test")
    return {"action": "refuse", "text": "550 5.1.1 "}


def domain_is_gone(a, sink):
    user_is_gone(a, sink)
    a.cli("domain", "delete", "own.test")
    return {"action": "later", "next_hop": "undecided",
            "text": "450 4.1.2 own.test is no domain of this server any more"}


def nothing_is_other(a, sink):
    return {"action": "relay", "next_hop": "relay", "text": ""}


@pytest.mark.parametrize("change, runs", (
    (relay_is_other, True), once_more(system_is_other, True),
    (is_hosted_here, True), once_more(user_is_gone, True),
    (domain_is_gone, True), once_more(nothing_is_other, True),
    (relay_is_other, False)))
def test_the_list_shows_where_it_would_go_now(world, change, runs):
    """Beside where it waits for, whether the server runs or not."""
    old, a = world.sink(), world.server("a")
    domain(a, old)
    waiting(a, old, 2)
    a.cli("queue", "hold", "--all")
    if not runs:
        a.stop()
    expected = change(a, world.sink())
    for entry in a.queue():
        [recipient] = entry["recipients"]
        now = recipient["now"]
        assert recipient["state"] == "held"
        assert {**expected, "text": now["text"]} == {
            key: now[key] for key in expected.keys() | {"text"}}
        assert now["text"].startswith(expected.get("text", ""))
    text = a.run("queue", "list").stdout
    assert text.count(", now: ") == 2
    place = now["text"] or expected.get("system")
    assert text.count(place) >= 2 if place else True


# ---- an order is carried out

@pytest.mark.parametrize("count", (once_more(1), 6))
def test_retry_tries_though_the_system_failed_a_moment_ago(world, count):
    sink, a = world.sink(), world.server("a")
    domain(a, sink)
    waiting(a, sink, count)
    sink.up()
    said = a.cli("queue", "retry", "--all")
    assert said["recipients"] <= count      # it was about to be found up
    sink.wait(count, 5)
    a.wait_for_queue(0)


def test_what_was_not_tried_is_no_attempt(world):
    """The system is still down: one attempt each, and no more."""
    sink, a = world.sink(), world.server("a")
    domain(a, sink)
    before = waiting(a, sink, 3)
    a.cli("queue", "retry", "--all")
    tried = wait_until(lambda: [q for q in a.queue()
                                if q["recipients"][0]["attempts"] == 2],
                       LATER, "a second attempt", pause=0.3)
    assert tried
    assert all(q["recipients"][0]["attempts"] <= 4 for q in a.queue())
    assert len(before) == len(a.queue())


# ---- a domain that is ours no more

def test_mail_of_a_deleted_domain_does_not_leave(world):
    sink, smart, a = world.sink(), world.sink(), world.server("a")
    domain(a, sink)
    waiting(a, sink, 2)
    a.cli("system", "create", "smart", "--hosts", smart.at)
    a.cli("system", "set", "smart", "smart_host=yes")
    a.cli("user", "delete", "far@own.test")
    a.cli("domain", "delete", "own.test")
    a.cli("queue", "retry", "--all")
    wait_until(lambda: all("no domain of this server" in
                           q["recipients"][0]["last_reply"]
                           for q in a.queue()), LATER, "the reason")
    smart.stays(0)
    assert len(a.queue()) == 2
    domain(a, sink)             # it was a mistake
    sink.up()
    sink.wait(2, LATER)


# ---- clocks

DAY, YEAR = 86400000, 365 * 86400000


@pytest.mark.parametrize("off", (once_more(DAY), YEAR, -DAY,
                                 once_more(-YEAR)))
@pytest.mark.parametrize("how", ("while it runs", "restart"))
def test_wrong_times_do_not_strand_mail(world, how, off):
    """Rows as they were when the clock was set: nothing is lost or returned,
    and all is tried."""
    sink, a = world.sink(), world.server("a")
    domain(a, sink)
    waiting(a, sink, 3)
    sink.up()
    if how == "restart":
        a.stop()
    script(a, f"UPDATE recipient SET next_attempt = next_attempt + {off};"
              f"UPDATE message SET arrived = arrived + {off};")
    if how == "restart":
        a.serve()
    sink.wait(3, LATER)
    a.wait_for_queue(0)
    assert "expired" not in a.log()


def test_expires_by_the_time_it_really_waited(world):
    back, sink = world.sink(), world.sink()
    a = world.server("a", conf="limits {\n retry_min = 1\n retry_max = 2\n"
                               " expiry = 6\n}")
    domain(a, sink)
    domain(a, back, "e.test", ("x",))
    waiting(a, sink, 1)
    script(a, f"UPDATE message SET arrived = arrived + {YEAR}")
    [bounce] = back.wait(1, 60)
    assert bounce.recipients == ["x@e.test"]
    a.wait_for_queue(0)


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
def test_a_damaged_file_is_the_messages_own_trouble(world, damage):
    sink, a = world.sink(), world.server("a")
    domain(a, sink)
    waiting(a, sink, 1, text=BIG)
    [name] = files(a)
    DAMAGE[damage](os.path.join(a.data, "spool", name))
    for i in range(7):
        a.send("x@e.test", ["far@own.test"])
    sink.up()
    a.cli("queue", "retry", "--all")
    sink.wait(7, LATER)
    [entry] = a.wait_for_queue(1)
    said = wait_until(lambda: [q["recipients"][0]["last_reply"]
                               for q in a.queue()
                               if "stored" in q["recipients"][0]["last_reply"]],
                      LATER, "what is wrong with it")
    assert name not in said[0] and "/" not in said[0]
    assert entry["id"] in a.log() and name in a.log()
    [system] = [s for s in a.cli("status")["systems"] if s["next_hop"] == "relay"]
    assert system["state"] == "up"
    assert all(len(m.data) < 1000 for m in sink.messages)


@pytest.mark.parametrize("count", (once_more(1), 150))
def test_a_file_damaged_under_way_is_no_hosts_trouble(world, count):
    """Found out only when the host has said 354: to all recipients the same,
    and no other host is asked."""
    first, second, a = world.sink(), world.sink(), world.server("a")
    users = [f"user{i}" for i in range(1, count + 1)]
    domain(a, first, users=())
    a.fill("own.test", count, mail_system="1")
    a.cli("domain", "set", "own.test", f"relay={first.at}, {second.at}")
    first.down()
    second.down()
    a.send("x@e.test", [f"{user}@own.test" for user in users], BIG)
    a.wait_for_queue(1)
    [name] = files(a)

    def damage(session, argument):
        os.truncate(os.path.join(a.data, "spool", name), 100000)
        return "354 go on"

    first.on["DATA"] = second.on["DATA"] = damage
    first.up()
    second.up()
    a.cli("queue", "retry", "--all")
    wait_until(lambda: all("stored" in r["last_reply"] for q in a.queue()
                           for r in q["recipients"]), LATER, "the reason")
    [entry] = a.queue()
    said = {r["last_reply"] for r in entry["recipients"]}
    assert said == {"451 4.3.0 the message as it was stored here cannot be "
                    "read"}
    assert len(entry["recipients"]) == count
    assert not first.messages and not second.messages
    assert f"{entry['id']}: cannot be sent" in a.log()
    commands = first.commands + second.commands
    assert sum(c.upper().startswith("DATA") for c in commands) == 1
    [system] = [s for s in a.cli("status")["systems"]
                if s["next_hop"] == "relay"]
    assert system["state"] == "up"


@pytest.mark.parametrize("bytes", ("zeroblob(0)", "x'2e0d0a2e0d0a'",
                                   once_more("zeroblob(100000)")))
def test_a_damaged_row_never_leaves(world, bytes):
    sink, a = world.sink(), world.server("a")
    domain(a, sink)
    waiting(a, sink, 2)
    script(a, f"UPDATE body SET bytes = {bytes}"
              " WHERE message = (SELECT min(row) FROM message)")
    sink.up()
    a.cli("queue", "retry", "--all")
    sink.wait(1, LATER)
    wait_until(lambda: "stored" in
               a.queue()[0]["recipients"][0]["last_reply"], LATER, "the reason")
    sink.stays(1)


# ---- who looks at it

@pytest.mark.parametrize("how", (once_more(()), ("--json",)))
def test_a_list_that_nobody_reads_pins_nothing(world, how):
    sink, a = world.sink(), world.server("a")
    domain(a, sink)
    waiting(a, sink, 1)
    fill(a, 2000, sink.at)
    lister = subprocess.Popen([splitmail.binary(), "--data", a.data, "queue",
                               "list", *how], stdout=subprocess.PIPE)
    log = os.path.join(a.data, "queue.db-wal")
    try:
        time.sleep(1)
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
    fill(a, count - 1, hangs.at)
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
def test_who_takes_few_connections_gets_all_of_it(world, most):
    sink = world.sink(at_once=most)
    a = world.server("a")
    domain(a, sink)
    waiting(a, sink, 1)
    fill(a, 600, sink.at)
    sink.up()
    a.cli("queue", "retry", "--all")
    sink.wait(601, 60)
    a.wait_for_queue(0, 30)
