"""A server and another system, wired as badly as can be: a mail ends once,
somewhere, and its sender hears of it at most once."""

import re
import threading
import time

import pytest

from others import (ALICE, FAST, HOME, STRANGER, Here, parse_report, rcpt,
                    speak, text, with_subject)
from world import claim_address, wait_until


# ---- one server and its settings

@pytest.fixture(scope="module")
def here(shared_world):
    return Here(shared_world, FAST)


def test_forwards_in_a_circle(here):
    """Without copies nobody has it: refused.  With copies: one each."""
    users = [f"loop{n}@{HOME}" for n in range(3)]
    for user in users:
        here.server.user(user)
    for user, other in zip(users, users[1:] + users[:1]):
        here.server.cli("user", "set", user, f"forward={other}",
                        "forward_copy=no")
    code, said = rcpt(here.server, users[0])
    assert code == 550 and said.startswith("5.4.6"), said
    for user in users:
        here.server.cli("user", "set", user, "forward_copy=yes")
    assert here.server.send(STRANGER, users, text("circle")) == {}
    for user in users:
        here.server.wait_for_mail(user, 1)
    time.sleep(0.5)
    assert [with_subject(here.server, u, "circle") for u in users] == [1] * 3


def test_groups_in_a_circle(here):
    """Refused when it is configured, however long the way around."""
    teams = [f"circle{n}@{HOME}" for n in range(3)]
    for team in teams:
        here.server.cli("group", "create", team)
    for team, other in zip(teams, teams[1:]):
        here.server.cli("group", "add", team, other)
    for other in teams:
        said = here.server.refused("group", "add", teams[2], other)
        assert "circle" in said or "itself" in said
    assert rcpt(here.server, teams[0])[1].startswith("5.2.4")


def test_the_other_system_is_this_one(here):
    """Whoever wrote our own address as the relay: refused in the session, 5xx;
    who is not known at RCPT."""
    server, domain = here.server, "self.test"
    try:
        server.cli("domain", "create", domain, "--relay", server.at,
                   "--forward-unknown")
    except Exception as refused:
        assert "itself" in str(refused) or "own" in str(refused)
        return
    server.cli("user", "create", f"bob@{domain}", "--mail-system",
               "alternate")
    code, said = rcpt(server, f"unknown@{domain}")
    assert code == 550, said
    with server.smtp() as smtp:
        smtp.ehlo()
        code, said = speak(smtp, STRANGER, [f"bob@{domain}"], text("x"))
    assert code == 550, said
    assert server.queue() == []


# ---- a foreign system that gives back what it gets

class Mirror:
    """Puts into SERVER again whatever its sink is given.  At once: before it
    answers, and what it hears is its answer.  Otherwise later, and a refusal
    becomes a bounce, as another mail server would make one."""

    def __init__(self, other, at_once, strip=(), to=None):
        self.other, self.strip, self.to, self.rounds = other, strip, to, 0
        self.heard, self.bounces = [], 0
        if at_once:
            other.sink.on["DOT"] = self.give_back
        else:
            self.thread = threading.Thread(target=self.give_later,
                                           daemon=True)
            self.thread.start()

    def again(self, message):
        self.rounds += 1
        data = message.data
        for field in self.strip:
            data = re.sub(rb"(?m)^%s:.*\r\n([ \t].*\r\n)*" % field, b"", data)
        with self.other.server.smtp() as smtp:
            smtp.ehlo()
            code, said = speak(smtp, message.sender,
                               self.to or message.recipients,
                               re.sub(rb"(?m)^\.", b"..", data))
        self.heard.append(f"{code} {said}")
        return code

    def give_back(self, session, argument):
        message = session.sink.seen[-1]
        code = self.again(message) if self.rounds < 60 else 599
        return self.heard[-1] if code != 250 else "250 2.0.0 ok"

    def give_later(self):
        given = 0
        while not self.other.sink.ended.wait(0.05) and self.rounds < 60:
            if len(self.other.sink.messages) <= given:
                continue
            message = self.other.sink.messages[given]
            given += 1
            code = self.again(message)
            if code >= 500 and message.sender:
                self.bounces += 1


@pytest.mark.parametrize("known", [True, False])
def test_a_mirror_that_answers_later(here, known):
    """One round; then it is refused by the trail, and bounced there once."""
    other = here.other(forward_unknown=True)
    mirror = Mirror(other, at_once=False)
    recipient = other.bob if known else f"unknown@{other.domain}"
    assert other.send([recipient])[0] == 250
    wait_until(lambda: mirror.bounces, 20, "a bounce")
    other.has_left()
    time.sleep(1)
    assert (mirror.rounds, mirror.bounces) == (1, 1)
    assert mirror.heard[0].startswith("55"), mirror.heard
    assert "5.4.6" in mirror.heard[0]


def test_a_mirror_that_answers_at_once(here):
    """The loop is the sender's refusal, in the session."""
    other = here.other()
    mirror = Mirror(other, at_once=True)
    code, said = other.send()
    assert code >= 500 and "5.4.6" in said, said
    assert mirror.rounds == 1
    assert not other.queued()


def test_a_mirror_that_hides_the_trail(here):
    """Received lines end it."""
    other = here.other()
    mirror = Mirror(other, at_once=False, strip=(b"Splitmail-Trail",))
    assert other.send()[0] == 250
    wait_until(lambda: mirror.bounces, 60, "a bounce", 0.2)
    other.has_left()
    time.sleep(0.5)
    assert mirror.bounces == 1 and 10 < mirror.rounds <= 51
    assert "5.4.6" in mirror.heard[-1]


def trail_of(message):
    return b"".join(re.findall(rb"(?m)^Splitmail-Trail: (.*)\r\n",
                               message.data)).decode()


def test_a_forged_trail_has_no_effect(here):
    """Entries of others, of this node for other recipients, and made up."""
    other = here.other(names=("bob", "carol"))
    carol = f"carol@{other.domain}"
    assert other.send([carol])[0] == 250
    of_carol = trail_of(other.sink.messages[0])
    node = of_carol.partition(":")[0]
    forged = [of_carol, f"{node}:{'A' * 16}", f"{'0' * 16}:{'A' * 16}",
              f"{node}:{'A' * 15}", "x" * 200, ",,,", f"{node}:"]
    for count, entry in enumerate(forged, 2):
        wire = f"Splitmail-Trail: {entry}\r\n".encode() + text("forged")
        code, said = other.send([other.bob], wire=wire)
        assert code == 250, (entry, said)
        assert len(other.sink.messages) == count
        code, said = rcpt(other.server, other.bob,
                          parameters=f" XTRAIL={entry}" if count < 5 else "")
        assert code == 250, (entry, said)
    # What is not an entry does not go on.
    assert not any(b"xxxxxxxx" in m.data.partition(b"forged")[0].split(
        b"\r\n\r\n")[0].split(b"Splitmail-Trail: xxx")[0]
        for m in other.sink.messages)


def test_the_recipient_s_own_trail_is_a_loop(here):
    """In the header or as a parameter, whoever brings it."""
    other = here.other()
    assert other.send()[0] == 250
    trail = trail_of(other.sink.messages[0])
    code, said = other.send(
        wire=f"Splitmail-Trail: {trail}\r\n".encode() + text("again"))
    assert code >= 500 and "5.4.6" in said, said
    code, said = rcpt(other.server, other.bob, parameters=f" XTRAIL={trail}")
    assert code == 550 and said.startswith("5.4.6"), said
    assert len(other.sink.messages) == 1


def test_only_some_recipients_loop(here):
    """The others get it; the sender is told of the one that loops, once."""
    other, sender = here.other(), here.other()
    assert other.send()[0] == 250
    trail = trail_of(other.sink.messages[0])
    wire = f"Splitmail-Trail: {trail}\r\n".encode() + text("some loop")
    assert other.send([ALICE, other.bob], sender=sender.bob,
                      wire=wire)[0] == 250
    wait_until(lambda: with_subject(here.server, ALICE, "some loop"), 20,
               "Alice's copy")
    [report] = sender.sink.wait(1)
    _, _, [fields] = parse_report(report.data)
    assert fields["Status"] == "5.4.6"
    assert fields["Final-Recipient"].endswith(other.bob)
    sender.sink.stays(1, 1)
    assert len(other.sink.messages) == 1
    assert with_subject(here.server, ALICE, "some loop") == 1


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("hides", [False, True])
def test_a_forward_that_is_forwarded_back(here, copy, hides):
    """A user forwards to a foreign address that forwards back to him: it
    ends, by the trail or by its hops, and with a copy he has one by then."""
    user = f"round{2 * copy + hides}@{HOME}"
    here.server.user(user)
    other = here.other()
    here.server.cli("user", "set", user, f"forward={other.bob}",
                    f"forward_copy={'yes' if copy else 'no'}")
    mirror = Mirror(other, at_once=False, to=[user],
                    strip=(b"Splitmail-Trail",) if hides else ())
    assert other.send([user])[0] == 250
    wait_until(lambda: mirror.bounces or (copy and not hides and
                                          mirror.rounds), 60, "its end", 0.2)
    here.server.wait_for_queue(0)
    time.sleep(1)
    assert mirror.bounces == (not copy or hides)
    assert mirror.rounds == 1 if not hides else mirror.rounds <= 51
    if copy and not hides:
        # The second is the copy of what came back.
        assert 1 <= len(here.server.mailbox(user)) <= 2


# ---- systems that are trusted

@pytest.fixture(scope="module")
def trusted(here):
    """(other, address of a trusted colleague, of one that may relay, of a
    stranger)"""
    other = here.other()
    claims = [claim_address() for _ in range(3)]
    addresses = [address for address, _ in claims]
    here.server.cli("system", "create", "colleague", "--hosts",
                    other.sink.at, "--trust", f"{addresses[0]}/32")
    here.server.cli("system", "create", "outward", "--hosts", "192.0.2.1",
                    "--trust", f"{addresses[1]}/32", "--may-relay")
    here.server.cli("domain", "set", other.domain, "own_senders=refuse")
    here.server.cli("user", "set", other.bob, "system=colleague")
    here.server.user(f"anne@{other.domain}")
    yield (other, *addresses)
    for _, claim in claims:
        claim.close()


def mail_codes(server, source, sender, recipient):
    with server.smtp(source=source) as smtp:
        smtp.ehlo()
        code, said = smtp.mail(sender)
        return (code, smtp.rcpt(recipient)[0]) if code == 250 else (code, 0)


def test_a_colleague_on_the_other_system_writes(trusted):
    """bob@domain is accepted from his system, from nobody else."""
    other, colleague, outward, stranger = trusted
    anne = f"anne@{other.domain}"
    assert mail_codes(other.server, colleague, other.bob, anne) == (250, 250)
    assert mail_codes(other.server, outward, other.bob, anne) == (250, 250)
    assert mail_codes(other.server, stranger, other.bob, anne) == (550, 0)
    assert mail_codes(other.server, stranger, STRANGER, anne) == (250, 250)


def test_only_who_may_relay_does(trusted):
    other, colleague, outward, stranger = trusted
    out = "somebody@elsewhere.example"
    assert mail_codes(other.server, colleague, other.bob, out) == (250, 550)
    assert mail_codes(other.server, outward, other.bob, out) == (250, 250)
    assert mail_codes(other.server, stranger, STRANGER, out) == (250, 550)


def test_a_system_gets_nothing_back(trusted):
    """What its system sends to its own user is refused, not returned."""
    other, colleague, *_ = trusted
    code, said = rcpt(other.server, other.bob, other.bob, source=colleague)
    assert code == 550 and said.startswith("5.4.6"), said
    assert rcpt(other.server, other.bob, STRANGER)[0] == 250


def test_trust_ends_at_once(trusted):
    other, colleague, outward, _ = trusted
    anne = f"anne@{other.domain}"
    with other.server.smtp(source=outward) as smtp:
        smtp.ehlo()
        assert smtp.mail(other.bob)[0] == 250
        smtp.rset()
        other.server.cli("system", "set", "outward", "trust=")
        assert smtp.mail(other.bob)[0] == 550
        smtp.mail(STRANGER)
        assert smtp.rcpt("somebody@elsewhere.example")[0] == 550
    assert mail_codes(other.server, colleague, other.bob, anne) == (250, 250)
