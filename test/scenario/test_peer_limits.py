"""The other system is a Postfix as its package sets it up, but for one limit.
What waits and what comes in goes through all the same, once, and soon: the
shortest time for which mail is put off here is longer than these tests."""

import pytest

from others import Here, speak, text
from world import wait_until

CONF = "limits {\n\tthreads = 2\n\thandover = 5\n\tretry_min = 300\n}"
WAITING = 60
SIZES = (1, 7, 50)
STRANGER = "stranger@elsewhere.test"


@pytest.fixture(scope="module")
def here(shared_world):
    return Here(shared_world, CONF)


class Beside:
    """A Postfix with LIMITS, and a domain whose users are there."""

    def __init__(self, here, world, name, **limits):
        self.server, self.domain = here.server, f"{name}.test"
        self.users = [f"user{n}" for n in range(1, WAITING + 1)]
        self.peer = world.stock_postfix(
            name=name, domain=self.domain, users=self.users,
            settings={key: str(value) for key, value in limits.items()})
        self.expected = dict.fromkeys(self.users, 0)
        self.server.cli("domain", "create", self.domain, "--relay",
                        self.peer.at, "--forward-unknown")
        self.server.fill(self.domain, WAITING, mail_system="1")

    def send(self, users, others=()):
        """One mail to all of them; OTHERS are in it, and not counted."""
        with self.server.smtp(timeout=120) as smtp:
            smtp.ehlo()
            code, said = speak(smtp, STRANGER,
                               [f"{user}@{self.domain}"
                                for user in [*users, *others]],
                               text(self.domain))
        assert code == 250, said
        for user in users:
            self.expected[user] += 1

    def rcpt(self, user):
        with self.server.smtp(timeout=120) as smtp:
            smtp.ehlo()
            smtp.mail(STRANGER)
            return smtp.rcpt(f"{user}@{self.domain}")[0]

    def queued(self):
        return [entry for entry in self.server.queue()
                if any(r["address"].endswith("@" + self.domain)
                       for r in entry["recipients"])]

    def let_one_wait_for_each(self):
        self.peer.down()
        for user in self.users:
            self.send([user])
        assert len(self.queued()) == WAITING
        self.peer.up()
        self.server.cli("queue", "retry", "--all")

    def has_all(self, timeout=120):
        def arrived():
            return {user: len(self.peer.mailbox(user)) for user in self.users}
        wait_until(lambda: arrived() == self.expected, timeout,
                   "each mail, once", 0.5)
        wait_until(lambda: not self.queued(), 20, "an empty queue", 0.5)
        assert arrived() == self.expected

    def whatever_comes(self):
        self.let_one_wait_for_each()
        self.has_all()
        for size in SIZES:
            self.send(self.users[:size])
            self.has_all()


@pytest.mark.parametrize("limit", (1, 2))
def test_connections_at_once(here, shared_world, limit):
    Beside(here, shared_world, f"atonce{limit}",
           smtpd_client_connection_count_limit=limit).whatever_comes()


@pytest.mark.parametrize("limit", (1, 5))
def test_recipients_of_a_mail(here, shared_world, limit):
    Beside(here, shared_world, f"recipients{limit}",
           smtpd_recipient_limit=limit).whatever_comes()


def test_errors_of_a_connection(here, shared_world):
    """Those who are not there are in the same mails, and are asked for."""
    beside = Beside(here, shared_world, "errors", smtpd_hard_error_limit=2,
                    smtpd_soft_error_limit=1, smtpd_error_sleep_time="0")
    for n in range(5):
        assert beside.rcpt(f"nobody{n}") == 550
    beside.whatever_comes()
    for size in SIZES:
        gone = [f"gone{n}of{size}" for n in range(7)]
        for user in gone:
            beside.server.cli("user", "create", f"{user}@{beside.domain}",
                              "--mail-system", "alternate")
        beside.send(beside.users[:size], gone)
        beside.has_all()


def test_mails_in_a_time(shared_world):
    """The rest is put off, for as long as this server has set."""
    here = Here(shared_world, "limits {\n\tthreads = 2\n\thandover = 5\n"
                "\tretry_min = 2\n\tretry_max = 4\n}", name="patient")
    Beside(here, shared_world, "rate", smtpd_client_message_rate_limit=30,
           anvil_rate_time_unit="5s").whatever_comes()
