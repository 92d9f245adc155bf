"""What a sender is told of his mail, and who is told nothing."""

import time

import pytest

from others import ALICE, FAST, HOME, Here, parse_report, text
from test_logins import Sieve
from world import wait_until

SHORT = ("limits {\n\tretry_min = 1\n\tretry_max = 1\n\texpiry = 15\n"
         "\tdelay_warning = 3\n}")


@pytest.fixture(scope="module")
def here(shared_world):
    return Here(shared_world, FAST)


def test_an_absence_is_told_to_people_only(here):
    """Vacation: not to lists, robots and bounces; to a person once."""
    away, other = f"away@{HOME}", here.other(names=("boss", "list"))
    here.server.user(away)
    Sieve(here.server, away).install(
        'require "vacation";\r\nvacation :days 1 "I am away.";\r\n')
    boss, robot = f"boss@{other.domain}", f"list@{other.domain}"
    wire = "From: <{0}>\r\nTo: <{1}>\r\n{2}Subject: x\r\n\r\nhello\r\n"
    for field in ("Auto-Submitted: auto-replied\r\n", "Precedence: bulk\r\n",
                  "List-Id: <all.example>\r\n"):
        assert other.send([away], robot, wire.format(
            robot, away, field).encode())[0] == 250
    assert other.send([away], "", wire.format(boss, away, "").encode()
                      )[0] == 250
    for _ in range(2):
        assert other.send([away], boss, wire.format(boss, away, "").encode()
                          )[0] == 250
    [reply] = other.sink.wait(1)
    assert reply.recipients == [boss] and b"I am away." in reply.data
    assert reply.sender == "" and b"Auto-Submitted: auto-replied" in reply.data
    here.server.wait_for_mail(away, 6)
    other.sink.stays(1, 1)


def test_a_forged_sender_hears_nothing_of_what_was_refused(here):
    """Refused after the content: the client's reply, and no DSN."""
    victim = here.other()
    other = here.other(on={"DOT": "550 5.7.1 spam"})
    code, said = other.send(sender=victim.bob)
    assert code == 550 and said.startswith("5.7.1")
    here.server.wait_for_queue(0)
    victim.sink.stays(0, 1)
    assert victim.sink.seen == []


def kept_and_refused(here, sender, options="", parameters="", wire=None):
    """A mail that is kept first and refused later."""
    other = here.other()
    other.sink.on["DOT"] = ["451 4.3.0 later", "550 5.1.1 gone"]
    with here.server.smtp() as smtp:
        smtp.ehlo()
        assert smtp.docmd(f"MAIL FROM:<{sender}>{options}")[0] == 250
        assert smtp.docmd(f"RCPT TO:<{other.bob}>{parameters}")[0] == 250
        assert smtp.docmd("DATA")[0] == 354
        smtp.send((wire or text("kept")) + b".\r\n")
        assert smtp.getreply()[0] == 250
    wait_until(lambda: len(other.sink.seen) >= 2, 30, "the refusal")
    other.has_left()
    return other


def test_one_report_of_what_was_kept(here):
    """To the envelope sender, from <>, bounded, the original with it."""
    sender = here.other()
    other = kept_and_refused(
        here, sender.bob, wire=text("big") + b"0123456789abcde\r\n" * 600000)
    [report] = sender.sink.wait(1)
    assert report.sender == "" and report.recipients == [sender.bob]
    assert len(report.data) < 100000
    mail, _, [fields] = parse_report(report.data)
    assert fields["Action"] == "failed" and fields["Status"] == "5.1.1"
    assert fields["Final-Recipient"].endswith(other.bob)
    assert "gone" in fields["Diagnostic-Code"]
    assert b"Subject: big" in report.data
    sender.sink.stays(1, 1)


QUIET = {
    "null sender": ("", "", ""),
    "NOTIFY=NEVER": (None, "", " NOTIFY=NEVER"),
    "NOTIFY=SUCCESS": (None, "", " NOTIFY=SUCCESS"),
}


@pytest.mark.parametrize("name", QUIET)
def test_no_report_where_none_is_wanted(here, name):
    null, options, parameters = QUIET[name]
    sender = here.other()
    kept_and_refused(here, sender.bob if null is None else null, options,
                     parameters)
    here.server.wait_for_queue(0)
    sender.sink.stays(0, 1)


def test_no_report_about_a_report(here):
    """The sender's system refuses the DSN: that is the end of it."""
    sender = here.other(on={"RCPT": "550 5.1.1 no such user"})
    kept_and_refused(here, sender.bob)
    wait_until(lambda: sum(line.startswith("RCPT") for line in
                           sender.sink.commands) >= 1, 20, "the DSN")
    here.server.wait_for_queue(0)
    time.sleep(1)
    assert sum(line.startswith("RCPT") for line in
               sender.sink.commands) <= 2
    assert sender.sink.seen == []


def test_success_is_told_where_it_is_wanted(here):
    """Delivered here, relayed to a system without DSN, its business else."""
    sender, plain = here.other(), here.other(extensions=["PIPELINING"])
    able = here.other()
    with here.server.smtp() as smtp:
        smtp.ehlo()
        smtp.docmd(f"MAIL FROM:<{sender.bob}> RET=HDRS ENVID=e1")
        for address in (ALICE, plain.bob, able.bob):
            assert smtp.docmd(f"RCPT TO:<{address}> NOTIFY=SUCCESS "
                              f"ORCPT=rfc822;{address}")[0] == 250
        smtp.docmd("DATA")
        smtp.send(text("success") + b".\r\n")
        assert smtp.getreply()[0] == 250
    [report] = sender.sink.wait(1)
    _, per_message, fields = parse_report(report.data)
    assert per_message["Original-Envelope-Id"] == "e1"
    assert {f["Final-Recipient"].partition(";")[2].strip(): f["Action"]
            for f in fields} == {ALICE: "delivered", plain.bob: "relayed"}
    [message] = able.sink.messages
    assert "NOTIFY=SUCCESS" in message.rcpt_parameters[0]
    sender.sink.stays(1, 1)


def test_two_hundred_recipients_who_are_always_busy(shared_world):
    """One connection at a time, then one warning and one report with all of
    them; the queue is empty at the end."""
    here = Here(shared_world, SHORT, "hasty")
    sender, other = here.other(), here.other()
    everybody = [f"bob+{n}@{other.domain}" for n in range(200)]
    other.sink.down()           # so that it need not be asked 200 times
    with here.server.smtp(timeout=60) as smtp:
        smtp.ehlo()
        smtp.send(f"MAIL FROM:<{sender.bob}>\r\n".encode() + b"".join(
            f"RCPT TO:<{a}>\r\n".encode() for a in everybody) + b"DATA\r\n")
        codes = [smtp.getreply()[0] for _ in range(202)]
        assert codes == [250] * 201 + [354]
        other.sink.on["RCPT"] = "450 4.2.1 busy"
        other.sink.up()
        smtp.send(text("busy") + b".\r\n")
        assert smtp.getreply()[0] == 250
    assert len(other.queued()) == 1
    reports = sender.sink.wait(2, timeout=40)
    assert other.sink.most_at_once <= 3
    actions = []
    for report in reports:
        _, _, fields = parse_report(report.data)
        actions.append(fields[0]["Action"])
        assert sorted(f["Final-Recipient"].partition(";")[2].strip()
                      for f in fields) == sorted(everybody)
    assert actions == ["delayed", "failed"]
    here.server.wait_for_queue(0)
    sender.sink.stays(2, 1)
