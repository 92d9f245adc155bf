"""Two Splitmails, master and slave of one domain: mail finds every user."""

import base64
import hashlib
import smtplib
import sqlite3
import subprocess

import dkim
import pytest

from splitmail import binary
from world import wait_until

DOMAIN = "example.test"
ALICE, ANNE = f"alice@{DOMAIN}", f"anne@{DOMAIN}"        # at the master
BOB, BERT = f"bob@{DOMAIN}", f"bert@{DOMAIN}"            # at the slave
NOBODY = f"nobody@{DOMAIN}"
STRANGER = "stranger@elsewhere.test"


@pytest.fixture(scope="module")
def split(shared_world):
    slave = shared_world.server("slave", hostname="slave.test")
    master = shared_world.server("master", hostname="master.test")
    master.cli("domain", "create", DOMAIN, "--relay", slave.at)
    slave.cli("domain", "create", DOMAIN, "--relay", master.at,
              "--forward-unknown")
    for user in (ALICE, ANNE):
        master.user(user)
    for user in (BOB, BERT):
        master.cli("user", "create", user, "--mail-system", "alternate")
        slave.user(user)
    return master, slave


def text(subject, body="hello\r\n"):
    return f"Subject: {subject}\r\n\r\n{body}"


def with_subject(server, user, subject):
    return [mail for mail in server.mailbox(user)
            if f"Subject: {subject}\r\n".encode() in mail]


def arrives_once(server, user, subject):
    wait_until(lambda: with_subject(server, user, subject), 20,
               f"{subject} for {user}", pause=0.2)
    [mail] = with_subject(server, user, subject)
    return mail


def refused_at_rcpt(server, sender, recipient, user=None):
    with (server.submit(user) if user else server.smtp()) as smtp:
        smtp.ehlo()
        assert smtp.mail(sender)[0] == 250
        return smtp.rcpt(recipient)


@pytest.mark.parametrize("entry", ["master", "slave"])
@pytest.mark.parametrize("user, home", [(ALICE, "master"), (BOB, "slave")])
def test_mail_from_outside(split, entry, user, home):
    servers = dict(zip(("master", "slave"), split))
    subject = f"outside {entry} {user}"
    assert servers[entry].send(STRANGER, user, text(subject)) == {}
    mail = arrives_once(servers[home], user, subject)
    assert f"Delivered-To: {user}".encode() in mail
    assert f"Return-Path: <{STRANGER}>".encode() in mail


@pytest.mark.parametrize("entry", [0, 1])
def test_unknown_is_refused_at_rcpt(split, entry):
    code, reply = refused_at_rcpt(split[entry], STRANGER, NOBODY)
    assert code == 550 and reply.startswith(b"5.1.1"), reply
    assert split[0].queue() == [] and split[1].queue() == []


def test_submission_to_the_other_side(split):
    master, slave = split
    assert master.send(ALICE, BOB, text("down"), user=ALICE) == {}
    arrives_once(slave, BOB, "down")
    assert slave.send(BOB, ALICE, text("up"), user=BOB) == {}
    arrives_once(master, ALICE, "up")


def test_passwords_are_cheap_in_builds_with_tests_only(split):
    """Whatever the environment says: there is no word of it in a release."""
    with open(binary(), "rb") as file:
        content = file.read()
    has_tests = b"__asan_init" in content
    assert (b"SPLITMAIL_CHEAP_PASSWORDS" in content) == has_tests
    with sqlite3.connect(f"{split[0].data}/directory.db", timeout=120) as db:
        hashes = [*db.execute("SELECT password FROM admin"),
                  *db.execute("SELECT password FROM holder WHERE login IN (?, ?)",
                              (ALICE, ANNE))]
    assert split[0].environment["SPLITMAIL_CHEAP_PASSWORDS"]
    cost = "m=8,t=1,p=1" if has_tests else "m=32768,t=2,p=1"
    assert all(hash.startswith(f"{{ARGON2ID}}$argon2id$v=19${cost}$")
               for hash, in hashes) and len(hashes) > 2


@pytest.mark.parametrize("entry, user", [(0, ALICE), (1, BOB)])
def test_submission_to_unknown_is_refused(split, entry, user):
    code, reply = refused_at_rcpt(split[entry], user, NOBODY, user)
    assert code == 550, reply


def test_one_message_reaches_each_mailbox_once(split):
    master, slave = split
    team = f"all@{DOMAIN}"
    master.cli("group", "create", team, "--member", ANNE, "--member", BERT,
               "--member", BOB)
    recipients = [ALICE, BOB, team, f"anne+lists@{DOMAIN}"]
    assert master.send(STRANGER, recipients, text("to everybody")) == {}
    for server, user in ((master, ALICE), (master, ANNE), (slave, BOB),
                         (slave, BERT)):
        arrives_once(server, user, "to everybody")


def test_one_message_that_comes_back_is_delivered_once(split):
    """At the slave: its own user, and the master's group he is a member of."""
    master, slave = split
    team = f"crew@{DOMAIN}"
    master.cli("group", "create", team, "--member", ALICE, "--member", BOB)
    mail = "Message-ID: <crew@elsewhere.test>\r\n" + text("to bob and crew")
    assert slave.send(STRANGER, [BOB, team], mail) == {}
    arrives_once(master, ALICE, "to bob and crew")
    arrives_once(slave, BOB, "to bob and crew")
    # Sent again it is another mail, and arrives again.
    assert slave.send(STRANGER, BOB, mail) == {}
    wait_until(lambda: len(with_subject(slave, BOB, "to bob and crew")) == 2,
               10, "the second one", pause=0.2)


def test_group_of_the_other_side(split):
    """A user of the slave writes to a group on the master with members on the
    slave: that is no loop."""
    master, slave = split
    team = f"both@{DOMAIN}"
    master.cli("group", "create", team, "--member", ALICE, "--member", BERT,
               "--member", BOB)
    assert slave.send(BOB, team, text("to our group"), user=BOB) == {}
    for server, user in ((master, ALICE), (slave, BERT), (slave, BOB)):
        arrives_once(server, user, "to our group")


def test_groups_of_both_sides_in_each_other(split):
    """A group on each side that has the other as a member ends by itself."""
    master, slave = split
    up, down = f"up@{DOMAIN}", f"down@{DOMAIN}"
    master.cli("user", "create", down, "--mail-system", "alternate")
    master.cli("group", "create", up, "--member", ALICE, "--member", down)
    slave.cli("group", "create", down, "--member", BOB, "--member", up)
    assert master.send(STRANGER, up, text("round and round")) == {}
    arrives_once(master, ALICE, "round and round")
    arrives_once(slave, BOB, "round and round")
    assert master.queue() == [] and slave.queue() == []


def test_spelling_and_bytes_are_kept(split):
    """What is relayed is what came: the recipient as given, each byte."""
    master, slave = split
    body = "".join(f"{n}: .. \t{'x' * (n % 70)}\r\n.\r\n..\r\n"
                   for n in range(3000))
    subject = "exact bytes"
    assert master.send(STRANGER, f"BoB+Detail@{DOMAIN.upper()}",
                       text(subject, body)) == {}
    mail = arrives_once(slave, BOB, subject)
    assert f"Delivered-To: BoB+Detail@{DOMAIN.upper()}".encode() in mail
    got = mail.partition(b"\r\n\r\n")[2]
    assert hashlib.sha256(got).digest() == \
        hashlib.sha256(body.encode()).digest()


def test_dkim_signature_survives(split):
    master, slave = split
    key = subprocess.run(["openssl", "genrsa", "-traditional", "2048"],
                         capture_output=True, check=True).stdout
    public = subprocess.run(
        ["openssl", "rsa", "-pubout", "-outform", "DER"], input=key,
        capture_output=True, check=True).stdout
    message = (b"From: stranger@elsewhere.test\r\nTo: bob@example.test\r\n"
               b"Subject: signed\r\n\r\n  two  spaces \r\n.dot\r\n\r\n")
    signature = dkim.sign(message, b"s", b"elsewhere.test", key,
                          canonicalize=(b"simple", b"simple"))
    with master.smtp() as smtp:
        smtp.sendmail(STRANGER, BOB, signature + message)
    mail = arrives_once(slave, BOB, "signed")
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    assert dkim.verify(mail, dnsfunc=lambda *_, **__: record)


def test_own_domain_sender_from_a_stranger_has_no_rights(split):
    master, _ = split
    with master.smtp() as smtp:
        smtp.ehlo()
        assert smtp.mail(ALICE)[0] == 250
        assert smtp.rcpt("somebody@elsewhere.test")[0] in (550, 554)
        assert smtp.rcpt(ALICE)[0] == 250


def test_sender_of_somebody_else_is_refused(split):
    master, _ = split
    with master.submit(ALICE) as smtp:
        assert smtp.mail(ANNE)[0] in (550, 553)
        assert smtp.mail(f"alice+x@{DOMAIN}")[0] == 250


def test_no_login_no_submission(split):
    master, _ = split
    with master.smtp() as smtp:
        smtp.ehlo()
        with pytest.raises(smtplib.SMTPException):
            smtp.login(ALICE, "secret-alice")


def test_route_says_where_and_why(split):
    master, slave = split
    assert master.route(ALICE)["action"] == "deliver"
    route = master.route(BOB)
    assert route["action"] == "relay" and slave.at in str(route["hosts"])
    assert route["reasons"]
    route = master.route(NOBODY)
    assert (route["action"], route["code"]) == ("refuse", 550)
    assert slave.route(NOBODY)["action"] == "relay"
