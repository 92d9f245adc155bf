"""What a mailbox does is the same with every Dovecot that is known."""

import re
import smtplib
from concurrent.futures import ThreadPoolExecutor

import pytest

from test_logins import Sieve
from world import wait_until

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
STRANGER = "stranger@elsewhere.test"
LINE = "x" * 76 + "\r\n"


@pytest.fixture(scope="module")
def server(shared_world):
    server = shared_world.server("a")
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    server.user(BOB)
    return server


@pytest.mark.parametrize("word, folder, here", [
    ("Yes", "Junk", 0), ("yes", "Junk", 0), ("No", "INBOX", 1),
    ("Yes, score=7", "INBOX", 1)])
def test_what_a_filter_calls_spam(server, word, folder, here):
    """It goes to Junk, and its owner's script does not send it on."""
    pia, her_other = (server.user(f"{who}-{word.encode().hex()}@{DOMAIN}")
                      for who in ("pia", "other"))
    Sieve(server, pia).install('require "copy";\r\n'
                               f'redirect :copy "{her_other}";\r\n')
    server.send(STRANGER, pia, f"Subject: s\r\nX-Spam: {word}\r\n\r\nx\r\n")
    server.wait_for_mail(pia, folder=folder)
    server.send(STRANGER, her_other, "Subject: last\r\n\r\nx\r\n")
    server.wait_for_mail(her_other, 1 + here)
    assert sorted(server.subjects(her_other)) == sorted(
        ["s"] * here + ["last"])


def big(kibibytes):
    return "Subject: big\r\n\r\n" + LINE * (kibibytes * 1024 // len(LINE))


def test_the_detail_is_kept_and_the_mail_in_the_inbox(server):
    server.user(f"carol@{DOMAIN}")
    server.send(STRANGER, f"carol+news@{DOMAIN}")
    [mail] = server.wait_for_mail(f"carol@{DOMAIN}")
    assert f"Delivered-To: carol+news@{DOMAIN}\r\n".encode() in mail
    assert mail.startswith(b"Return-Path: <" + STRANGER.encode())


@pytest.mark.parametrize("spelling", [ALICE.upper(), "Alice@Example.Test"])
def test_a_login_may_be_in_capitals(server, spelling):
    server.imap(spelling, "secret-alice").logout()
    server.submit(spelling, "secret-alice").quit()


USES = {r"\Drafts": ["Drafts"], r"\Archive": ["Archive", "Archives"],
        r"\Sent": ["Sent", "Sent Items", "Sent Messages"],
        r"\Junk": ["Junk", "Junk E-mail", "Junk Email", "Spam"],
        r"\Trash": ["Trash", "Deleted Items", "Deleted Messages"]}


def test_a_new_mailbox_has_its_folders(server):
    nora = server.user(f"nora@{DOMAIN}")
    imap = server.imap(nora)
    made = {names[0] for names in USES.values()}
    for listed in (imap.lsub()[1], imap.list()[1]):
        names = {line.split(b'"/" ')[1].decode() for line in listed}
        assert names - {"INBOX"} == made
    server.send(STRANGER, nora)
    server.wait_for_mail(nora)
    imap.select("INBOX")
    assert imap.copy("1", "Trash")[0] == "OK"
    assert imap.append("Sent", r"\Seen", None, b"Subject: s\r\n\r\ns\r\n")[
        0] == "OK"
    imap.logout()


def test_folders_have_their_uses_by_any_name(server):
    imap = server.imap(ALICE)
    for use, names in USES.items():
        for name in names:
            if name != names[0]:
                assert imap.create(f'"{name}"')[0] == "OK"
            _, [line] = imap.list('""', f'"{name}"')
            assert use in line.decode(), line
    imap.logout()


def warning(percent):
    return f"Your mailbox is {percent}% full"


def used_percent(imap):
    [_, [root]] = imap.getquotaroot("INBOX")[1]
    used, limit = re.search(rb"STORAGE (\d+) (\d+)", root).groups()
    return 100 * int(used) // int(limit)


def fill(server, user, imap):
    """Until it is refused; how many came in.  A warning is waited for before
    the next mail: Dovecot forgets one while another process counts, and the
    program that writes the first warning does."""
    for count in range(60):
        before = used_percent(imap)
        try:
            server.send(STRANGER, user, big(100))
        except smtplib.SMTPDataError as refused:
            assert "4.2.2" in str(refused)
            return count
        for mark in (80, 95):
            if before < mark <= used_percent(imap):
                wait_until(lambda m=mark: warning(m) in server.subjects(user),
                           20, lambda: f"a warning beside "
                                       f"{server.subjects(user)}")
    raise AssertionError("never full")


def test_who_runs_out_of_room_is_told_and_empties_it(server):
    fay = server.user(f"fay@{DOMAIN}", "--quota", "2M")
    imap = server.imap(fay)
    came = fill(server, fay, imap)
    assert [s for s in server.subjects(fay) if s != "big"] == [
        warning(80), warning(95)]
    assert server.queue() == []
    imap.select("INBOX")
    # As clients do that know no MOVE: all at once, then again on the copy.
    assert imap.copy("1:*", "Trash")[0] == "OK"
    assert imap.append("Sent", None, None, big(300).encode())[0] == "NO"
    for folder in ("INBOX", "Trash"):
        imap.select(folder)
        imap.store("1:*", "+FLAGS", r"\Deleted")
        imap.expunge()
    assert imap.getquotaroot("INBOX")[1][1] == [
        b'"User quota" (STORAGE 0 2048)']
    # Under it again: nothing is said.  What is refused is no news either.
    server.send(STRANGER, fay)
    server.wait_for_mail(fay)
    imap.select("INBOX")
    assert fill(server, fay, imap) >= came - 1
    imap.logout()


def test_a_warning_is_answered_by_nobody(server):
    gus = server.user(f"gus@{DOMAIN}", "--quota", "1M")
    Sieve(server, gus).install(
        'require ["vacation"]; redirect "%s"; vacation "Away.";' % BOB)
    server.send(STRANGER, BOB)
    server.cli("queue", "delete", "--all", "--yes")
    before = len(server.wait_for_mail(BOB))
    imap = server.imap(gus)
    imap.append("INBOX", None, None, big(1000).encode())
    wait_until(lambda: server.subjects(gus)[1:]
               == ["Your mailbox is 95% full"], 20, "one warning")
    # What goes well is no error of the script's.
    assert "quota-warning: Error" not in server.log()
    [_, mail] = server.mailbox(gus)
    assert b"\r\nAuto-Submitted: auto-generated\r\n" in mail
    assert mail.startswith(b"Return-Path: <>")
    assert len(server.mailbox(BOB)) == before and server.queue() == []
    imap.logout()


@pytest.mark.parametrize("quota", ["1M", "2G", "0"])
def test_a_client_sees_his_quota(server, quota):
    server.cli("user", "set", BOB, f"quota={quota}")
    imap = server.imap(BOB)
    status, answer = imap.getquotaroot("INBOX")
    imap.logout()
    limit = re.search(rb"STORAGE \d+ (\d+)", str(answer).encode())
    wanted = {"1M": 1024, "2G": 2 * 1024 * 1024, "0": None}[quota]
    assert (limit and int(limit[1])) == wanted, answer


def test_the_last_mail_may_pass_the_quota_by_a_tenth(server):
    dora = server.user(f"dora@{DOMAIN}")
    server.cli("user", "set", dora, "quota=2M")
    server.send(STRANGER, dora, big(1500))
    server.send(STRANGER, dora, big(700))       # 2.15 of 2.2 MiB
    assert server.subjects(dora).count("big") == 2
    with pytest.raises(smtplib.SMTPDataError, match="4.2.2"):
        server.send(STRANGER, dora, big(100))
    server.cli("user", "set", dora, "quota=0")
    server.send(STRANGER, dora, big(100))
    assert server.subjects(dora).count("big") == 3


def test_fifty_mails_to_a_new_mailbox_at_once(server):
    """Dovecot puts none off, though it has to make the mailbox."""
    erin = server.user(f"erin@{DOMAIN}")
    with ThreadPoolExecutor(25) as pool:
        for answer in pool.map(lambda n: server.send(
                STRANGER, erin, f"Subject: {n}\r\n\r\nhello\r\n"), range(50)):
            assert answer == {}
    server.wait_for_queue(0, 30)
    assert [line for line in server.log().split("\n")
            if f"to=<{erin}>" in line and "status=deferred" in line] == []
    assert sorted(server.subjects(erin), key=int) == [
        str(n) for n in range(50)]


def used_by(server, user):
    """Who asks does not wait long: on a busy machine it is unknown at first."""
    return wait_until(lambda: [used for used in [
        server.cli("user", "show", user)["used"]] if used is not None], 10,
        "how much is used")[0]


def test_how_full_a_mailbox_is_can_be_seen(server):
    hal = server.user(f"hal@{DOMAIN}")
    assert used_by(server, hal) == 0
    server.send(STRANGER, hal, big(300))
    used = used_by(server, hal)
    assert 290 * 1024 < used < 320 * 1024
    server.cli("user", "set", hal, "enabled=no")
    assert "used" not in server.cli("user", "show", hal)


def test_nobody_waits_for_a_dovecot_that_is_away(world):
    server = world.server("a")
    server.cli("domain", "create", DOMAIN)
    ida = server.user(f"ida@{DOMAIN}")
    server.stop()
    assert server.cli("user", "show", ida)["used"] is None
    assert re.search(r"used +unknown", server.run("user", "show", ida).stdout)
