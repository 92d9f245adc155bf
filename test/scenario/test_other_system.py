"""The other system is down or slow: nothing is lost, nothing is bounced that need
not be, and everything arrives once.

Whatever else it does is in test_hostile_next_hop.py, and what only takes its time
in virtual time (test/sim/waiting_test.c)."""

import threading
import time

import pytest

from others import STRANGER, Here, parse_report
from world import within

FAST = "limits {\n\tretry_min = 1\n\tretry_max = 2\n\thandover = 3\n}"


@pytest.fixture(scope="module")
def here(shared_world):
    return Here(shared_world, FAST)


def rcpt(other, name):
    with other.server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail(STRANGER)
        return smtp.rcpt(f"{name}@{other.domain}")


def test_down_known_is_kept_unknown_is_deferred(here):
    other = here.other(forward_unknown=True)
    other.sink.down()
    begun = time.monotonic()
    assert other.send()[0] == 250
    assert time.monotonic() - begun < within(10)
    code, reply = rcpt(other, "unknown")
    assert code == 451 and reply.startswith(b"4.4.1"), reply
    [entry] = other.queued()
    [recipient] = entry["recipients"]
    assert entry["sender"] == STRANGER
    assert recipient["address"] == other.bob
    assert recipient["state"] == "waiting" and recipient["last_reply"]
    other.sink.up()
    other.is_done()
    assert other.sink.messages[0].recipients == [other.bob]


def test_known_by_verification_is_kept_too(here):
    other = here.other(forward_unknown=True)
    assert rcpt(other, "unknown")[0] == 250
    other.sink.down()
    assert other.send([f"unknown@{other.domain}"])[0] == 250
    other.sink.up()
    other.is_done()


def test_slow_answer_is_delivered_once(here):
    """The client hears of it at the limit, and the system need not have
    answered."""
    heard = threading.Event()
    other = here.other(on={"DOT": lambda *_: heard.wait(120) and None})
    begun = time.monotonic()
    assert other.send()[0] == 250
    assert time.monotonic() - begun > 2
    assert len(other.queued()) == 1
    heard.set()
    other.is_done()
    assert sum(line.startswith(("DATA", "BDAT"))
               for line in other.sink.commands) == 1


def test_expiry_makes_a_dsn(world):
    here = Here(world, "limits {\n\tretry_min = 1\n\tretry_max = 1\n"
                "\texpiry = 4\n}")
    sender, other = here.other(), here.other()
    other.sink.down()
    assert other.send(sender=sender.bob)[0] == 250
    [report] = sender.sink.wait(1, timeout=40)
    _, _, [fields] = parse_report(report.data)
    assert fields["Action"] == "failed"
    assert fields["Status"].startswith(("4.", "5."))
    assert f"rfc822;{other.bob}" in fields["Final-Recipient"].replace(" ", "")
    assert report.sender == ""
    here.server.wait_for_queue(0)
