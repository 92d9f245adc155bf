"""Asking other systems at RCPT whether they have an address: what they do to
questions, what strangers do with them, and who gets his mail all the same."""

import smtplib
import statistics
import threading
import time

import pytest

from conducts import greylist
from sink import Delay, Drop, Hang
from world import wait_until, within

DOMAIN = "example.test"
STRANGER = "stranger@elsewhere.test"
UNKNOWN = "550 5.1.1 no such user"
TARPIT = 0.5    # seconds a refusal costs
GREETING = 0.5  # and a greeting
# mailcow's main.cf
MAILCOW = {"smtpd_soft_error_limit": "3", "smtpd_hard_error_limit": "5",
           "smtpd_error_sleep_time": "10s"}


def ask(server, name, source=None, sender=STRANGER):
    """(code, text, seconds) of one RCPT by a client of its own."""
    began = time.monotonic()
    with server.smtp(source=source) as smtp:
        smtp.ehlo()
        smtp.mail(sender)
        code, text = smtp.rcpt(f"{name}@{DOMAIN}")
    return code, text.decode(), time.monotonic() - began


def slave(world, there, name="here", **more):
    server = world.server(name, **more)
    server.cli("domain", "create", DOMAIN, "--relay", there.at,
               "--forward-unknown")
    return server


def at_once(calls):
    """What the CALLS return, all made at once."""
    results = [None] * len(calls)

    def call(i):
        results[i] = calls[i]()
    threads = [threading.Thread(target=call, args=(i,), daemon=True)
               for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return results


# ---- slow ones

SLOW = {
    "greets": {"CONNECT": Delay(12, None)},
    "looks up": {"RCPT": Delay(12, None)},
    "tarpits": {"CONNECT": Delay(4, None), "MAIL": Delay(4, None),
                "RCPT": Delay(4, None)},
}


def test_a_slow_system_has_answered_when_the_client_comes_back(world):
    server = world.server("here")
    sinks = []
    for number, script in enumerate(SLOW.values()):
        sinks.append(world.sink(name=f"slow{number}", on=dict(script)))
        server.cli("domain", "create", f"slow{number}.test", "--relay",
                   sinks[-1].at, "--forward-unknown")

    def rcpt(number):
        with server.smtp() as smtp:
            smtp.ehlo()
            smtp.mail(STRANGER)
            return smtp.rcpt(f"bob@slow{number}.test")

    first = at_once([lambda n=n: rcpt(n) for n in range(len(sinks))])
    for code, text in first:
        assert code == 451 and b"is being asked" in text, text
    wait_until(lambda: all(rcpt(n)[0] == 250 for n in range(len(sinks))), 60,
               "answers")
    for sink in sinks:
        assert sum("RCPT" in line for line in sink.commands) == 1


def test_a_silent_first_host_costs_seconds(world):
    mute = world.sink(name="mute", on={"CONNECT": Hang()})
    sink = world.sink(on={"RCPT": {f"nobody@{DOMAIN}": UNKNOWN,
                                   None: "250 ok"}})
    server = world.server("here")
    server.cli("domain", "create", DOMAIN, "--relay", f"{mute.at},{sink.at}",
               "--forward-unknown")
    assert ask(server, "bob")[0] == 250
    # put last from now on
    code, text, seconds = ask(server, "nobody")
    assert code == 550 and "no such user" in text and seconds < within(5), text


# ---- its own words

def test_a_greylist_is_said_in_its_own_words(world):
    sink = world.sink(on=greylist(3))
    server = slave(world, sink)
    code, text, _ = ask(server, "bob")
    assert code == 450 and text.endswith("Greylisted"), text
    wait_until(lambda: ask(server, "bob")[0] == 250, 40, "the greylist", 1)


def test_421_to_rcpt_is_about_the_connection(world):
    """Errors are counted per connection, and it is closed then."""
    def rcpt(session, argument):
        if not argument.startswith("TO:<no"):
            return None
        session.errors = getattr(session, "errors", 0) + 1
        return "421 4.7.0 Error: too many errors" if session.errors > 1 \
            else UNKNOWN
    sink = world.sink(on={"RCPT": rcpt})
    server = slave(world, sink)
    for i in range(15):
        assert ask(server, f"no{i}")[0] == 550
        assert ask(server, f"real{i}")[0] == 250


def test_limited_connections_are_enough_for_all(world):
    sink = world.sink(at_once=2,
                      beyond="421 4.7.0 too many connections from your host")
    server = slave(world, sink)
    answers = at_once([lambda i=i: ask(server, f"bob{i}") for i in range(20)])
    assert [answer for answer in answers if answer[0] != 250] == []


# ---- many at once

def test_all_who_ask_the_same_share_one_question(world):
    sink = world.sink(on={"RCPT": Delay(2, None)})
    server = slave(world, sink)
    answers = at_once([lambda: ask(server, "bob") for _ in range(12)])
    assert [answer for answer in answers if answer[0] != 250] == []
    assert sum("RCPT" in line for line in sink.commands) == 1


def guess_for_ever(server, over, tell, source, name):
    """One client: sessions of nine unknown addresses, one after the other."""
    number = 0
    while not over.is_set():
        try:
            with server.smtp(source=source) as smtp:
                smtp.ehlo()
                smtp.mail(STRANGER)
                for _ in range(9):
                    number += 1
                    tell(smtp.rcpt(f"{name}x{number}@{DOMAIN}")[0])
        except (OSError, smtplib.SMTPException):
            pass


def test_who_shares_an_address_with_guessers_is_asked_for(world):
    """He waits for them, up to some seconds, and nobody else does."""
    sink = world.sink(on={"RCPT": lambda _, argument: UNKNOWN
                          if argument.startswith("TO:<no") else None})
    server = slave(world, sink)
    over, codes = threading.Event(), []
    for who in range(8):
        threading.Thread(target=guess_for_ever, daemon=True,
                         args=(server, over, codes.append, "127.9.9.1",
                               f"no{who}")).start()
    try:
        wait_until(lambda: codes.count(550) > 110, 60, "the attack")
        asked = sum("RCPT" in line for line in sink.commands)
        for name in ("real1", "real2"):
            code, text, _ = ask(server, name, source="127.9.9.1")
            assert code == 250, text
        spent = sum("RCPT" in line for line in sink.commands) - asked
        assert ask(server, "bob", source="127.9.9.2")[0] == 250
    finally:
        over.set()
    assert spent < within(60) and set(codes) <= {550, 451}, (spent, set(codes))


def in_turn(limit):
    """No more than LIMIT are greeted; who comes beyond is, when one of them
    has gone.  A Postfix or Exim does so at its process limit."""
    def greet(session, _):
        def is_over():
            return session.sink.ended.wait(0.02)
        while not is_over():
            with session.sink.lock:
                ahead = sum(other.number < session.number
                            for other in session.sink.sessions)
            if ahead < limit:
                return None
        return None
    return greet


TOLD = "421 4.7.0 too many connections from your host"
LIMITS = {
    "none": (10, {}, dict),
    "1 told": (1, {"at_once": 1, "beyond": TOLD}, dict),
    "2 told": (2, {"at_once": 2, "beyond": TOLD}, dict),
    "2 refused": (2, {"at_once": 2, "beyond": None}, dict),
    "2 dropped": (2, {"at_once": 2, "beyond": Drop()}, dict),
    "2 in turn": (2, {}, lambda: {"CONNECT": in_turn(2)}),
    "7 in turn": (7, {}, lambda: {"CONNECT": in_turn(7)}),
}


@pytest.mark.parametrize("limit", [
    pytest.param(limit, marks=pytest.mark.long)
    if limit in ("1 told", "2 refused", "2 in turn") else limit
    for limit in LIMITS])
def test_mail_does_not_wait_for_guesses(world, limit):
    """Each refusal costs so long that new ones are always being waited for;
    with one connection only, questions and mail take turns."""
    most, settings, more = LIMITS[limit]
    over, refused = threading.Event(), []

    def slowly(_, argument):
        if argument.startswith("TO:<guess"):
            over.wait(TARPIT)
            refused.append(argument)
            return UNKNOWN
        return None
    sink = world.sink(on={"RCPT": slowly, **more()}, **settings)
    server = slave(world, sink)
    names = [f"kim{i}" for i in range(3)]
    for name in names:
        server.cli("user", "create", f"{name}@{DOMAIN}", "--mail-system",
                   "alternate")

    def guess(who):
        number = 0
        while not over.is_set():
            number += 1
            try:
                ask(server, f"guess{who}x{number}",
                    source=f"127.7.{number % 250}.{who + 1}")
            except OSError:
                pass
    for who in range(12):
        threading.Thread(target=guess, args=(who,), daemon=True).start()
    try:
        wait_until(lambda: len(refused) > 3, 30, "the attack")
        before = len(refused)
        for name in names:
            server.send(STRANGER, f"{name}@{DOMAIN}")
        sink.wait(len(names), timeout=120)
        waited_for = len(refused) - before
        assert not over.is_set()
    finally:
        over.set()
    assert sorted(sink.recipients()) == sorted(f"{name}@{DOMAIN}"
                                               for name in names)
    # Each for what is refused on one connection before it is given up, twice
    # over on a busy machine; mail that stands behind the questions waits for
    # 60 and more at one or two connections.
    assert waited_for <= 5 * (most + 1) * len(names)


def test_who_is_new_waits_for_one_greeting(world):
    """...his own, however many connections are opened for guesses."""
    greeted, opened, eves = [], {}, []

    def greet(session, _):
        opened[session.number] = time.monotonic()
        session.sink.ended.wait(GREETING)
        greeted.append(time.monotonic())

    def rcpt(session, argument):
        if argument.startswith("TO:<no"):
            return UNKNOWN
        eves.append(opened[session.number])
        return None
    sink = world.sink(on={"CONNECT": greet, "RCPT": rcpt})
    server = slave(world, sink)
    over, codes = threading.Event(), []
    for who in range(20):
        threading.Thread(target=guess_for_ever, daemon=True,
                         args=(server, over, codes.append, f"127.7.1.{who + 1}",
                               f"no{who}")).start()
    try:
        wait_until(lambda: codes.count(550) >= 25, 60, "the attack")
        waited_for = 0
        for number in range(6):
            with server.smtp(source=f"127.8.1.{number + 1}") as smtp:
                smtp.ehlo()
                smtp.mail(STRANGER)
                began = time.monotonic()
                code, text = smtp.rcpt(f"eve{number}@{DOMAIN}")
            assert code == 250, text
            waited_for += sum(began < at < eves[-1] for at in greeted)
    finally:
        over.set()
    # a greeting more or less may fall into the moment it takes to dial
    assert waited_for <= within(3)


# ---- a Postfix, as its package is and as mailcow sets it

def test_many_existing_addresses_are_all_confirmed(world):
    """RSET is a junk command there, of which it allows 100."""
    there = world.postfix(domain=DOMAIN, users=["bob"])
    server = slave(world, there)
    answers = []
    for i in range(260):
        answers.append(ask(server, f"bob+{i}"))
    assert [answer for answer in answers if answer[0] != 250] == []
    with open(there.log_path) as log:
        assert "too many errors" not in log.read()


def direct(there, name):
    """Seconds of the same question to THERE itself."""
    began = time.monotonic()
    host, port = there.at.rsplit(":", 1)
    with smtplib.SMTP(host, int(port), timeout=60) as smtp:
        smtp.ehlo()
        smtp.mail(STRANGER)
        assert smtp.rcpt(f"{name}@{DOMAIN}")[0] == 250
        return time.monotonic() - began


@pytest.mark.parametrize("settings", [{}, MAILCOW], ids=["stock", "mailcow"])
def test_guesses_keep_nobody_out(world, settings):
    """Twenty clients, each at its own address; others ask for who exists: they
    hear 250 each time.  Who is known waits no longer than for a mailbox here,
    and who is new no longer than for the system itself; a second more or less,
    as a rule."""
    there = world.postfix(domain=DOMAIN, settings=settings,
                          users=["bob", "kim"] + [f"eve{i}" for i in range(9)])
    server = slave(world, there)
    server.cli("user", "create", f"kim@{DOMAIN}", "--mail-system",
               "alternate")
    server.user(f"anna@{DOMAIN}")
    assert ask(server, "bob", source="127.8.0.1")[0] == 250
    over, guessed = threading.Event(), [0] * 20

    def guess(who):
        while not over.is_set():
            try:
                code, _, _ = ask(server, f"guess{who}x{guessed[who]}",
                                 source=f"127.7.0.{who + 1}")
            except OSError:
                continue
            assert code in (550, 451)
            guessed[who] += 1
            over.wait(0.2)
    for who in range(20):
        threading.Thread(target=guess, args=(who,), daemon=True).start()
    wait_until(lambda: min(guessed) >= 2, 60, "the attack")
    took = {"there": [], "anna": [], "bob": [], "kim": [], "eve": []}
    try:
        for i in range(9):
            took["there"].append(direct(there, "bob"))
            for name in ("anna", "bob", "kim", "eve"):
                code, text, seconds = ask(
                    server, f"eve{i}" if name == "eve" else name,
                    source=f"127.8.1.{i + 1}")
                assert code == 250, (name, text)
                took[name].append(seconds)
    finally:
        over.set()
    usual = {name: statistics.median(took[name]) for name in took}
    for name, like in (("bob", "anna"), ("kim", "anna"), ("eve", "there")):
        assert usual[name] < usual[like] + within(1), took
    with open(there.log_path) as log:
        assert "too many errors" not in log.read()


# ---- what was confirmed

@pytest.mark.parametrize("end", ["stop", "kill"])
def test_who_was_confirmed_is_known_after_a_restart(world, end):
    sink = world.sink()
    server = slave(world, sink)
    assert ask(server, "bob")[0] == 250
    if end == "stop":
        server.restart()
    else:
        def is_written():
            with open(f"{server.data}/verified") as file:
                return f"bob@{DOMAIN}" in file.read()
        wait_until(is_written, 20, "the news on the disk")
        server.kill_engine()
    sink.down()
    assert ask(server, "bob")[0] == 250
    assert ask(server, "eve")[0] == 451


def test_what_is_damaged_is_moved_aside(world):
    sink = world.sink()
    server = slave(world, sink)
    assert ask(server, "bob")[0] == 250
    server.stop()
    path = f"{server.data}/verified"
    with open(path, "ab") as file:
        file.write(b"\0\xff nonsense\n")
    server.start()
    with open(path + ".damaged", "rb") as file:
        assert file.read().endswith(b"nonsense\n")
    assert "verified is damaged" in server.log_tail()
    assert ask(server, "bob")[0] == 250
