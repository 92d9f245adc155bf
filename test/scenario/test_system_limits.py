"""What an administrator sets for a system holds; what its hosts show of
themselves is shown."""

import collections
import itertools
import re

import pytest

from api import Api
from world import wait_until

CONF = "limits {\n\tthreads = 2\n\tretry_min = 1\n\tretry_max = 1\n}"
MAILS = 12
counter = itertools.count(1)


@pytest.fixture(scope="module")
def a(shared_world):
    return shared_world.server("a", conf=CONF)


@pytest.fixture(scope="module")
def root(a):
    api = Api(a)
    api.sign_in("admin0", a.admin_password)
    return api


class Other:
    """A named system with its limits, and users of a domain on it."""

    def __init__(self, a, world, users=MAILS, limits=None, **conduct):
        self.a, self.n = a, next(counter)
        self.sink = world.sink(**conduct)
        self.name, self.domain = f"sys{self.n}", f"d{self.n}.test"
        a.cli("system", "create", self.name, "--hosts", self.sink.at)
        self.set(**limits or {})
        a.cli("domain", "create", self.domain, "--relay", "192.0.2.1")
        self.users = [f"u{i}@{self.domain}" for i in range(users)]
        for user in self.users:
            a.cli("user", "create", user, "--mail-system", "alternate",
                  "--system", self.name)

    def set(self, **limits):
        if limits:
            self.a.cli("system", "set", self.name,
                       *(f"{key}={value}" for key, value in limits.items()))

    def keep_one_for_each(self):
        """Mail that waits until the system comes up."""
        self.sink.down()
        for user in self.users:
            self.a.send("s@elsewhere.test", user)
        self.sink.up()

    def one_for_each(self):
        for user in self.users:
            self.a.send("s@elsewhere.test", user)

    def has_all(self, timeout=60):
        wait_until(lambda: sorted(r for m in list(self.sink.messages)
                                  for r in m.recipients) ==
                   sorted(self.users), timeout, "each mail, once")

    def learnt(self):
        return {fact["what"]: fact for fact in
                self.a.cli("system", "show", self.name)["learnt"]}


def counting():
    """A script that notes which connection each mail came over."""
    taken = collections.Counter()

    def note(session, _):
        taken[session.number] += 1

    return taken, {"DATA": note}


@pytest.mark.parametrize("most", (1, 2))
def test_connections(a, shared_world, most):
    other = Other(a, shared_world, limits={"connections": most})
    other.keep_one_for_each()
    other.has_all()
    assert other.sink.most_at_once <= most


@pytest.mark.parametrize("most, limit", [(1, 2), (5, 2), (7, 1)])
def test_connections_that_are_set_win_over_those_learnt(a, shared_world, most,
                                                        limit):
    """In both directions; who is sent away waits for those that are not."""
    other = Other(a, shared_world, limits={"connections": most},
                  at_once=limit)
    other.keep_one_for_each()
    before = len(a.log())
    other.has_all()
    assert other.sink.most_at_once <= min(most, limit)
    if most < limit:
        assert other.sink.sent_away == 0
    # Not again and again, though it is set.
    assert other.sink.sent_away <= 10 + most
    assert not re.search(rf"@{other.domain}>.*status=deferred \((?!.*refused)",
                         a.log()[before:])


@pytest.mark.parametrize("most", (1, 2, 7))
def test_mails_per_connection(a, shared_world, most):
    taken, script = counting()
    other = Other(a, shared_world, limits={"mails_per_connection": most},
                  on=script)
    other.one_for_each()
    other.has_all()
    assert max(taken.values()) <= most


@pytest.mark.parametrize("most", (1, 2, 5))
def test_recipients_per_mail(a, shared_world, most):
    other = Other(a, shared_world, limits={"recipients_per_mail": most})
    a.send("s@elsewhere.test", other.users)
    other.has_all()
    sizes = [len(m.recipients) for m in other.sink.messages]
    assert max(sizes) == most and len(sizes) == -(-MAILS // most)


@pytest.mark.long       # worlds of the simulation have it too, in no time
def test_mails_per_minute(a, shared_world):
    """The rest waits for its turn, and is not put off for it."""
    other = Other(a, shared_world, users=3, limits={"mails_per_minute": 2})
    other.one_for_each()
    wait_until(lambda: len(other.sink.messages) == 2, what="two of three")
    other.has_all(timeout=120)
    first, _, third = other.sink.messages
    assert third.time - first.begun > 55
    assert not re.search(rf"@{other.domain}>.*status=(deferred|bounced)",
                         a.log())


def test_what_was_learnt_is_shown(a, root, shared_world):
    full = "452 4.4.5 Maximum number of messages per session exceeded."
    other = Other(a, shared_world, on={
        "MAIL": lambda session, _: full if session.mails >= 2 else None})
    other.one_for_each()
    other.has_all()
    fact = other.learnt()["mails_per_connection"]
    assert fact["value"] == 2
    assert fact["host"] == other.sink.at
    assert fact["since"] < fact["until"]
    shown = a.run("system", "show", other.name).stdout
    assert f"{other.sink.at} takes 2 mails over one connection" in shown
    answer = root.get(f"/systems/{other.name}")
    assert fact in answer.json["learnt"]
    # It is nobody's change.
    root.patch(f"/systems/{other.name}", {"mails_per_connection": 1},
               headers={"If-Match": answer.headers["etag"]})
    # What is set is not learnt, and what was learnt is of its own hosts.
    assert Other(a, shared_world, users=1).learnt() == {}


def test_nothing_is_known_without_the_engine(world):
    a = world.server("alone")
    a.cli("system", "create", "gw", "--hosts", "192.0.2.1")
    assert a.cli("system", "show", "gw")["learnt"] == []
    a.stop()
    assert a.cli("system", "show", "gw")["learnt"] is None
