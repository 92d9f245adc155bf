"""A ring of three systems, each of which sends unknown addresses on to the
next: a mail ends once, somewhere, and its sender hears of it at most once."""

import collections
import random
import re
import time

import pytest

from others import (FAST, STRANGER, parse_report, rcpt, speak, text,
                    with_subject)
from world import wait_until, within

DOMAIN = "ring.test"


@pytest.fixture(scope="module")
def ring(shared_world):
    """A -> B -> C -> A."""
    servers = [shared_world.server(name, conf=FAST) for name in "abc"]
    for n, server in enumerate(servers):
        server.cli("domain", "create", DOMAIN, "--relay",
                   servers[(n + 1) % 3].at, "--forward-unknown")
        server.user(f"user{n}@{DOMAIN}")
    return servers


@pytest.mark.parametrize("entry", range(3))
def test_nobody_has_it(ring, entry):
    """Refused at RCPT, at once, wherever it comes in; for good is for good."""
    begun = time.monotonic()
    for name in ("nobody", "nobody+x", "NoBody"):
        code, said = rcpt(ring[entry], f"{name}{entry}@{DOMAIN}")
        assert code == 550, said
    assert time.monotonic() - begun < within(5)
    assert all(server.queue() == [] for server in ring)


@pytest.mark.parametrize("entry", range(3))
def test_everybody_is_found(ring, entry):
    """Zero, one or two systems away: delivered once."""
    subject = f"from {entry}"
    users = [f"user{n}@{DOMAIN}" for n in range(3)]
    assert ring[entry].send(STRANGER, users, text(subject)) == {}
    for user, server in zip(users, ring):
        wait_until(lambda: with_subject(server, user, subject), 20, user)
    for server in ring:
        server.wait_for_queue(0)
    time.sleep(0.5)
    for user, server in zip(users, ring):
        assert with_subject(server, user, subject) == 1


def test_users_are_told_the_same(ring):
    """Submission: a colleague is found, an unknown one refused at RCPT."""
    user = f"user0@{DOMAIN}"
    with ring[0].submit(user) as smtp:
        smtp.mail(user)
        assert smtp.rcpt(f"user2@{DOMAIN}")[0] == 250
        assert smtp.rcpt(f"missing@{DOMAIN}")[0] == 550


def test_while_one_of_the_ring_is_down(ring):
    """4xx for what is not known, and never a loop when it is back."""
    ring[2].stop()
    try:
        code, said = rcpt(ring[0], f"fresh@{DOMAIN}")
        assert 400 <= code < 500, said
        assert rcpt(ring[0], f"user1@{DOMAIN}")[0] == 250
    finally:
        ring[2].serve()
    wait_until(lambda: rcpt(ring[0], f"fresh@{DOMAIN}")[0] == 550, 30,
               "a refusal", 1)
    assert all(server.queue() == [] for server in ring)


def test_groups_around_the_ring(ring):
    """Each has a group that has the next one's group as a member."""
    teams = [f"team{n}@{DOMAIN}" for n in range(3)]
    for n, server in enumerate(ring):
        server.cli("user", "create", teams[(n + 1) % 3], "--mail-system",
                   "alternate")
        server.cli("group", "create", teams[n], "--member",
                   f"user{n}@{DOMAIN}", "--member", teams[(n + 1) % 3])
    assert ring[0].send(STRANGER, teams[0], text("around")) == {}
    for n, server in enumerate(ring):
        wait_until(lambda: with_subject(server, f"user{n}@{DOMAIN}",
                                        "around"), 20, f"user {n}")
    for server in ring:
        server.wait_for_queue(0)
    time.sleep(1)
    for n, server in enumerate(ring):
        assert with_subject(server, f"user{n}@{DOMAIN}", "around") == 1


def everywhere(ring):
    """{(server's name, mailbox, subject): how often}, as they lie there."""
    found = collections.Counter()
    for server in ring:
        for login, path in server.mail_files():
            with open(path, "rb") as file:
                head = file.read(8192)
            subject = re.search(rb"(?m)^Subject: (.*?)\r?$", head)[1].decode()
            found[server.name, login, subject] += 1
    return found


def scatter(ring, chance, domain):
    """One domain on three servers that agree on nothing: who lives where,
    who knows of whom, who sends unknown addresses where."""
    users = [f"u{n}@{domain}" for n in range(4)]
    lost = f"lost@{domain}"         # everybody thinks somebody else has it
    groups = [f"g{n}@{domain}" for n in range(3)]
    homes = [chance.choice(ring) for _ in users]
    for server, group in zip(ring, groups):
        forwards = chance.choice([True, False])
        relay = chance.choice([o.at for o in ring if o is not server])
        server.cli("domain", "create", domain, "--relay", relay,
                   *(["--forward-unknown"] if forwards else []))
        known = [lost]
        server.cli("user", "create", lost, "--mail-system", "alternate")
        for user, home in zip(users, homes):
            if server is home:
                server.user(user)
            elif chance.random() < 0.6:
                server.cli("user", "create", user, "--mail-system",
                           "alternate")
            else:
                continue
            known.append(user)
        if forwards:
            known = users + [lost] + [g for g in groups if g != group]
        members = chance.sample(known, min(3, len(known)))
        server.cli("group", "create", group, *[
            word for member in members for word in ("--member", member)])
    return users + [lost, f"nobody@{domain}"] + groups


@pytest.mark.parametrize("seed", [1, 9, 15])
def test_whatever_the_systems_believe(ring, seed):
    """From each entry to each address: refused, or accepted and then either
    delivered, once to each mailbox, or reported to the sender, once."""
    chance, domain = random.Random(seed), f"w{seed}.test"
    addresses = scatter(ring, chance, domain)
    sender = f"user0@{DOMAIN}"
    codes = {}
    for entry in ring:
        for address in addresses:
            subject = f"{seed} {entry.name} {address}"
            with entry.smtp() as smtp:
                smtp.ehlo()
                begun = time.monotonic()
                codes[subject], said = speak(smtp, sender, [address],
                                             text(subject))
                assert time.monotonic() - begun < within(10), (subject, said)
            assert codes[subject] in (250, 550, 451), (subject, said)
    wait_until(lambda: not any(server.waiting() for server in ring), 40,
               "empty queues")
    wait_until(lambda: everywhere(ring) == (time.sleep(1) or
                                            everywhere(ring)), 20, "quiet")
    found = everywhere(ring)
    told = ring[0].mailbox(sender)
    for subject, code in codes.items():
        copies = [count for (_, _, s), count in found.items() if s == subject]
        reports = sum(f"Subject: {subject}\r\n".encode() in mail
                      and b"multipart/report" in mail for mail in told)
        is_group = " g" in subject
        # Groups that overlap on two servers are two mails to whom they share.
        assert all(count <= (3 if is_group else 1) for count in copies)
        if code != 250:
            assert not copies and not reports, subject
        elif not is_group:
            assert len(copies) + reports == 1, (subject, copies, reports)
        else:
            assert copies or reports, subject
            about = [(per_message["Reporting-MTA"], f["Final-Recipient"])
                     for mail in told if b"multipart/report" in mail
                     and f"Subject: {subject}\r\n".encode() in mail
                     for _, per_message, fields in [parse_report(mail)]
                     for f in fields]
            assert len(about) == len(set(about)), subject
