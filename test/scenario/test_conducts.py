"""Whatever conduct another system has (conducts.py), mail for its users gets
through: to each once, in time, and a question about an address is answered.

Each is tried with as many recipients as it takes to meet it; with
SPLITMAIL_CONDUCTS=all in the environment, with all sizes."""

import collections
import concurrent.futures
import os
import re
import time

import pytest

from conducts import CONDUCTS
from others import Here, speak, text
from world import wait_until

# No retry from the queue comes in time: what waits for one has failed.
CONF = "limits {\n\tthreads = 2\n\thandover = 5\n}"
CONF_RETRIES = ("limits {\n\tthreads = 2\n\thandover = 5\n"
                "\tretry_min = 1\n\tretry_max = 1\n}")
SIZES = (1, 2, 7, 50)
CLIENTS = 4


@pytest.fixture(scope="module")
def here(shared_world):
    return Here(shared_world, CONF)


@pytest.fixture(scope="module")
def here_with_retries(shared_world):
    return Here(shared_world, CONF_RETRIES, name="patient")


def send_some(other, recipients):
    """One mail to each, over one connection."""
    with other.server.smtp(timeout=120) as smtp:
        smtp.ehlo()
        return [speak(smtp, "s@elsewhere.test", [recipient],
                      text(f"own {recipient}")) for recipient in recipients]


def ask(other, conduct):
    """The reply to a RCPT nobody has confirmed yet."""
    def accepted():
        with other.server.smtp(timeout=120) as smtp:
            smtp.ehlo()
            smtp.mail("s@elsewhere.test")
            return smtp.rcpt(f"guest@{other.domain}")[0] == 250
    wait_until(accepted, conduct.seconds, "a stranger's address", 0.5)


def what_came(sink):
    return collections.Counter(
        (message.data.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode(),
         recipient) for message in list(sink.messages)
        for recipient in message.recipients)


def try_conduct(here, conduct, size):
    """SIZE mails by several clients, one mail to all of them, a question."""
    other = here.other(names=(), forward_unknown=True, **conduct.sink())
    with here.lock:
        here.server.fill(other.domain, size, mail_system="1")
    users = [f"user{n}@{other.domain}" for n in range(1, size + 1)]
    expected = {(f"own {user}", user): 1 for user in users}
    expected.update({("all", user): 1 for user in users})
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
        parts = [clients.submit(send_some, other, users[n::CLIENTS - 1])
                 for n in range(CLIENTS - 1)]
        question = clients.submit(ask, other, conduct)
        replies = [reply for part in parts for reply in part.result()]
        question.result()
    replies += [other.send(users, wire=text("all"))]
    assert {code for code, _ in replies} == {250}, replies

    def has_come():
        came = what_came(other.sink)
        return came == expected or (conduct.open and set(came) == set(expected))
    try:
        wait_until(has_come, begun + conduct.seconds + 20 - time.monotonic(),
                   "all mail", 0.2)
    except AssertionError:
        came = what_came(other.sink)
        raise AssertionError({
            "missing": sorted(set(expected) - set(came)),
            "unexpected": {k: n for k, n in came.items()
                           if n != expected.get(k)},
            "queue": other.queued()}) from None
    wait_until(lambda: not other.server.waiting(other.domain), 20,
               "an empty queue")


def sizes(name, conduct):
    """Those it is tried with: the first that is beyond its number."""
    if os.environ.get("SPLITMAIL_CONDUCTS") == "all":
        return [size for size in SIZES if size <= conduct.most]
    number = int((re.match(r"\d+", name) or ["1"])[0])
    return [min(size for size in SIZES if size > number)]


CASES = [(name, size) for name, conduct in CONDUCTS.items()
         for size in sizes(name, conduct)]


@pytest.fixture(scope="module")
def trials(here, here_with_retries, request):
    """All that are asked for, several at once: most of them wait."""
    wanted = {item.callspec.params["case"] for item in request.session.items
              if item.module is request.module
              and "case" in getattr(item, "callspec",
                                    type("", (), {"params": {}})).params}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        yield {case: pool.submit(
            try_conduct, here_with_retries if CONDUCTS[case[0]].retries
            else here, CONDUCTS[case[0]], case[1]) for case in CASES
            if case in wanted}


# Of the many limits of one and of ten (those of two are tried in all ways, and
# all of them in a simulated world: test/sim/peers_test.c), enough for a short
# run.
OF_MANY = {"421 at MAIL", "452 4.4.5 at DATA", "close at RCPT",
           "452 4.5.3 at RCPT", "552 at DOT"}
LIMIT = re.compile(r"(?:1|10) (?:mails a connection|recipients a mail), "
                   r"(?:then|or) (?!one of them)(.+)")


def is_long(name):
    limit = LIMIT.fullmatch(name)
    return CONDUCTS[name].long or bool(limit and limit[1] not in OF_MANY)


@pytest.mark.parametrize("case", [
    pytest.param(case, marks=[pytest.mark.long] * is_long(case[0]))
    for case in CASES], ids=lambda c: re.sub(
        r"\W+", "-", f"{c[1]} to {c[0]}"))
def test_mail_gets_through(trials, case):
    trials[case].result(timeout=600)
