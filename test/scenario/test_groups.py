"""Groups of any size and mixture: the client hears 250, each member has the
mail once, and the figures know nothing but our domains."""

import collections
import sqlite3

import pytest

DOMAIN, OTHER = "example.test", "second.test"
STRANGER = "stranger@elsewhere.test"
HOSTED, THERE, BOTH, OUTSIDE = "hosted", "there", "both", "outside"
MIXTURES = {
    "hosted": [HOSTED], "there": [THERE], "both": [BOTH],
    "outside": [OUTSIDE],
    "mixed": [OUTSIDE, HOSTED, THERE, BOTH, HOSTED, THERE],
}
MOST = 200


@pytest.fixture(scope="module")
def a(shared_world):
    # A slow machine may need more than the usual 20 s for the largest group.
    a = shared_world.server("a", conf="limits {\n\thandover = 300\n}")
    a.sink, a.internet = shared_world.sink(), shared_world.sink()
    for domain in (DOMAIN, OTHER):
        a.cli("domain", "create", domain, "--relay", a.sink.at)
    a.cli("system", "create", "way-out", "--hosts", a.internet.at, "--tls",
          "none", "--smart-host")
    a.fill(DOMAIN, MOST, mail_system="0", left="'hosted'")
    a.fill(DOMAIN, MOST, mail_system="1", left="'there'")
    a.fill(DOMAIN, MOST, mail_system="0", left="'both'")
    # Hosted, with mail that goes to the other system as well.
    with sqlite3.connect(f"{a.data}/directory.db", timeout=120) as db:
        db.execute("UPDATE address SET home = 2 WHERE local LIKE 'both%'")
    return a


def member(sort, number):
    domain = "far.test" if sort == OUTSIDE else DOMAIN
    return f"{sort}{number}@{domain}"


def members(mixture, size):
    sorts = MIXTURES[mixture]
    return [member(sorts[i % len(sorts)], i + 1) for i in range(size)]


def in_mailboxes(a, subject):
    """How often each user has the mail with this subject."""
    found = collections.Counter()
    for login, path in a.mail_files():
        with open(path, errors="replace") as file:
            if f"\nSubject: {subject}\n" in file.read():
                found[login] += 1
    return found


def at(sink, subject):
    return collections.Counter(
        r for m in sink.messages if f"Subject: {subject}\r\n".encode()
        in m.data for r in m.recipients)


def should_have(everybody, *sorts):
    return collections.Counter({address: 1 for address in everybody
                                if address.startswith(sorts)})


def arrives_once(a, recipients, everybody, subject):
    assert a.send(STRANGER, recipients,
                  f"Subject: {subject}\r\n\r\nhello\r\n") == {}
    assert in_mailboxes(a, subject) == should_have(everybody, HOSTED, BOTH)
    assert at(a.sink, subject) == should_have(everybody, THERE, BOTH)
    assert at(a.internet, subject) == should_have(everybody, OUTSIDE)
    assert a.queue() == []
    assert {d["name"] for d in a.cli("status")["domains"]} <= {DOMAIN, OTHER}


CASES = [(mixture, size) for mixture in MIXTURES
         for size in [1, 2, 6, 7, 8, 35]] + [("hosted", MOST), ("mixed", MOST)]


@pytest.mark.parametrize("mixture, size", CASES)
def test_each_member_has_it_once(a, size, mixture):
    everybody, group = members(mixture, size), f"{mixture}.{size}@{OTHER}"
    a.cli("group", "create", group)
    a.cli("group", "add", group, *everybody)
    arrives_once(a, [group], everybody, f"{mixture}-{size}")


@pytest.mark.parametrize("size", [1, 6, 35])
def test_members_who_are_named_beside_it(a, size):
    everybody, group = members("mixed", size), f"beside.{size}@{DOMAIN}"
    a.cli("group", "create", group)
    a.cli("group", "add", group, *everybody)
    named = everybody[::3] + [member(HOSTED, MOST), member(BOTH, MOST)]
    named = [address for address in named if not address.startswith(OUTSIDE)]
    arrives_once(a, [*named[:1], group, *named[1:]],
                 set(everybody) | set(named), f"beside-{size}")


@pytest.mark.parametrize("size", [1, 7, 40])
def test_groups_within_groups(a, size):
    """A group of groups that share members; two of them are written to."""
    parts = [f"part{i}.{size}@{(DOMAIN, OTHER)[i % 2]}" for i in range(4)]
    everybody = members("mixed", 4 * size)
    for i, part in enumerate(parts):
        a.cli("group", "create", part)
        a.cli("group", "add", part, *everybody[i * size:(i + 2) * size],
              *parts[:i])
    arrives_once(a, [parts[1], parts[3]], everybody, f"nested-{size}")


@pytest.mark.parametrize("copy", ["yes", "no"])
@pytest.mark.parametrize("size", [1, 7, 20])
def test_a_forward_to_many(a, size, copy):
    everybody, user = members("mixed", size), f"hosted-f{size}{copy}@{OTHER}"
    a.user(user)
    a.cli("user", "set", user, "forward=" + ",".join(everybody),
          f"forward_copy={copy}")
    arrives_once(a, [user], everybody + [user] * (copy == "yes"),
                 f"forward-{size}-{copy}")


@pytest.mark.parametrize("size", [3, 7, 35])
def test_many_named_who_are_in_two_systems(a, size):
    everybody = members("both", size)
    arrives_once(a, everybody, everybody, f"both-named-{size}")


def test_members_that_refuse_and_wait(a):
    """The rest has it; who waits is counted and kept for our domain."""
    everybody = members("mixed", 50)
    group = f"trouble@{OTHER}"
    a.cli("group", "create", group)
    a.cli("group", "add", group, *everybody)
    a.sink.on["RCPT"] = {member(THERE, 3): "550 5.1.1 no such user",
                         member(THERE, 9): "450 4.2.0 busy",
                         None: "250 2.1.5 ok"}
    assert a.send(STRANGER, [group]) == {}
    a.sink.on.pop("RCPT")
    assert member(THERE, 9) in str(a.queue())
    assert {d["name"] for d in a.cli("status")["domains"]} <= {DOMAIN, OTHER}
    a.cli("queue", "delete", "--all", "--yes")
