"""Several systems, wired as badly as can be: a mail ends once, somewhere, and
its sender hears of it at most once."""

import collections
import random
import re
import threading
import time

import pytest

from others import ALICE, HOME, STRANGER, Here, parse_report, speak, text
from test_logins import Sieve
from world import claim_address, wait_until

DOMAIN = "ring.test"
FAST = "limits {\n\tretry_min = 1\n\tretry_max = 1\n\thandover = 5\n}"
SHORT = ("limits {\n\tretry_min = 1\n\tretry_max = 1\n\texpiry = 8\n"
         "\tdelay_warning = 3\n}")


def rcpt(server, recipient, sender=STRANGER, source=None, parameters=""):
    with server.smtp(source=source) as smtp:
        smtp.ehlo()
        smtp.mail(sender)
        code, said = smtp.docmd(f"RCPT TO:<{recipient}>{parameters}")
        return code, said.decode()


def with_subject(server, user, subject):
    return server.subjects(user).count(subject)


# ---- a ring of three, each of which sends unknown addresses on

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
    assert time.monotonic() - begun < 5
    assert all(server.queue() == [] for server in ring)


@pytest.mark.parametrize("entry", range(3))
def test_everybody_is_found(ring, entry):
    """Zero, one or two systems away: delivered once."""
    subject = f"from {entry}"
    users = [f"user{n}@{DOMAIN}" for n in range(3)]
    assert ring[entry].send(STRANGER, users, text(subject)) == {}
    for user, server in zip(users, ring):
        wait_until(lambda: with_subject(server, user, subject), 20, user)
    time.sleep(0.5)
    for user, server in zip(users, ring):
        assert with_subject(server, user, subject) == 1
        assert server.queue() == []


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
    time.sleep(1)
    for n, server in enumerate(ring):
        assert with_subject(server, f"user{n}@{DOMAIN}", "around") == 1
        assert server.queue() == []


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
                assert time.monotonic() - begun < 10, (subject, said)
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
    time.sleep(1)
    assert (mirror.rounds, mirror.bounces) == (1, 1)
    assert mirror.heard[0].startswith("55"), mirror.heard
    assert "5.4.6" in mirror.heard[0]
    assert not other.queued()


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
    time.sleep(0.5)
    assert mirror.bounces == 1 and 10 < mirror.rounds <= 51
    assert "5.4.6" in mirror.heard[-1]
    assert not other.queued()


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
    time.sleep(1)
    assert mirror.bounces == (not copy or hides)
    assert mirror.rounds == 1 if not hides else mirror.rounds <= 51
    if copy and not hides:
        # The second is the copy of what came back.
        assert 1 <= len(here.server.mailbox(user)) <= 2
    assert here.server.queue() == []


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


# ---- reports

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
    time.sleep(1)
    assert victim.sink.seen == [] and here.server.queue() == []


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
    wait_until(lambda: not other.server.waiting(other.domain), 20, "its end")
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
    sender.sink.stays(0, 1)
    assert here.server.queue() == []


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
