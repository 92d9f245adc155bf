"""splitmail sendmail, as programs call a sendmail: cron, PHP, mutt, mailx,
git; and by the names that every mail server has."""

import email
import email.policy
import os
import re
import subprocess

import pytest

from splitmail import binary
from world import wait_until

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
HOST = "mx.host.test"


@pytest.fixture(scope="module")
def server(shared_world):
    server = shared_world.server("a", hostname=HOST)
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    server.user(BOB)
    server.user(f"root-reader@{DOMAIN}")
    server.cli("domain", "set", DOMAIN, f"postmaster=root-reader@{DOMAIN}")
    return server


def sendmail(server, *options, text="Subject: x\n\nhello\n", **more):
    return subprocess.run(
        [binary(), "--data", server.data, "sendmail", *options],
        input=text.encode() if isinstance(text, str) else text,
        capture_output=True, timeout=200, **more)


def mails(server, user, subject):
    found = []
    for raw in server.mailbox(user):
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        if subject in str(mail["Subject"]):
            found.append(mail)
    return found


def the_mail(server, user, subject):
    [mail] = wait_until(lambda: mails(server, user, subject), 20,
                        f"{subject} for {user}")
    return mail


def sent(server, *options, text, **more):
    done = sendmail(server, *options, text=text, **more)
    assert done.returncode == 0 and done.stderr == b"", done.stderr
    return done


def test_who_calls_is_the_sender(server):
    sent(server, "-i", ALICE, text="Subject: caller\n\nhello\n")
    mail = the_mail(server, ALICE, "caller")
    name = subprocess.check_output(["id", "-un"], text=True).strip()
    assert mail["Return-Path"] == f"<{name}@{HOST}>"
    assert f"{name}@{HOST}" in mail["From"]
    assert mail["Date"] and mail["Message-ID"]
    assert "lost connection" not in server.log()


def test_the_sender_is_said(server):
    sent(server, "-f", BOB, "-F", "Bob Roe", ALICE,
         text="Subject: said\n\nhello\n")
    mail = the_mail(server, ALICE, "said")
    assert mail["Return-Path"] == f"<{BOB}>"
    assert mail["From"] == f'"Bob Roe" <{BOB}>' or \
        mail["From"] == f"Bob Roe <{BOB}>"


def test_cron(server):
    """As Debian's cron calls it, for root."""
    sent(server, "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root",
         text="From: root (Cron Daemon)\nTo: root\nSubject: Cron job\n"
              "Content-Type: text/plain; charset=UTF-8\n\n"
              "grüße\n.\nthe end\n")
    mail = the_mail(server, f"root-reader@{DOMAIN}", "Cron job")
    assert mail["To"] == f"root@{HOST}"
    assert mail["From"].startswith(f"root@{HOST}")
    assert "grüße" in mail.get_content() and "the end" in mail.get_content()


def test_crons_mail_can_come_back(server):
    done = sendmail(server, "-FCronDaemon", "-i", "-oem",
                    f"nobody@{DOMAIN}", text="From: root\nTo: nobody\n"
                    "Subject: for nobody\n\nhello\n")
    assert done.returncode == 67 and b"5.1.1" in done.stderr
    mail = the_mail(server, f"root-reader@{DOMAIN}", "could not be sent")
    assert mail["Return-Path"] == "<>"
    report, letter = mail.iter_parts()
    assert f"nobody@{DOMAIN}: 550 5.1.1" in report.get_content()
    assert letter.get_content()["Subject"] == "for nobody"


def test_php(server):
    """mail($to, ...) with the sendmail_path of php.ini: -t -i."""
    sent(server, "-t", "-i",
         text=f"To: Alice <{ALICE}>\r\nSubject: php\r\n"
              f"X-PHP-Originating-Script: 0:x.php\r\nFrom: {BOB}\r\n"
              f"Bcc: bob@{DOMAIN}\r\n\r\nhello\r\n")
    for user in (ALICE, BOB):
        mail = the_mail(server, user, "php")
        assert mail["Bcc"] is None and mail["To"] == f"Alice <{ALICE}>"


def test_arguments_beside_t_get_nothing(server):
    sent(server, "-t", "--", BOB, text=f"To: {ALICE}\nCc: {BOB.upper()}\n"
         "Subject: beside\n\nhello\n")
    the_mail(server, ALICE, "beside")
    assert mails(server, BOB, "beside") == []
    done = sendmail(server, "-t", BOB, text="Subject: none\n\nhello\n")
    assert done.returncode == 64


def test_a_dot_alone_ends(server):
    sent(server, ALICE, text="Subject: dot\n\none\n.\ntwo\n")
    assert the_mail(server, ALICE, "dot").get_content().split() == ["one"]
    sent(server, "-oi", ALICE, text="Subject: more\n\none\n.\ntwo\n")
    assert the_mail(server, ALICE, "more").get_content().split() == [
        "one", ".", "two"]


def test_some_are_refused(server):
    done = sendmail(server, "-f", BOB, f"no@{DOMAIN}", ALICE, f"none@{DOMAIN}",
                    text="Subject: some\n\nhello\n")
    assert done.returncode == 67
    assert done.stderr.count(b"5.1.1") == 2
    the_mail(server, ALICE, "some")


def test_more_recipients_than_one_mail_may_have(server, shared_world):
    sink = shared_world.sink()
    server.cli("domain", "create", "there.test", "--relay", sink.at,
               "--forward-unknown")
    many = [f"u{n}@there.test" for n in range(1200)]
    sent(server, "-t", text="To: " + ",\n ".join([ALICE, *many, BOB, ALICE]) +
         "\nSubject: to many\n\nhello\n")
    the_mail(server, ALICE, "to many")
    the_mail(server, BOB, "to many")
    def got():
        return [to for mail in sink.messages for to in mail.recipients]

    wait_until(lambda: len(got()) >= 1200, 30, "1200 recipients")
    assert sorted(got()) == sorted(many)


@pytest.mark.parametrize("n", [
    2500, pytest.param(10001, marks=pytest.mark.long)])
def test_very_many_recipients(server, shared_world, n):
    """Some mails and one more; nobody is left out, or gets it twice."""
    sink = shared_world.sink()
    server.cli("domain", "create", f"far{n}.test", "--relay", sink.at,
               "--forward-unknown")
    many = sorted(f"u{i}@far{n}.test" for i in range(n))
    sent(server, "-t", text="To: " + ",\n ".join(many) +
         "\nSubject: to very many\n\nhello\n")

    def got():
        return sorted(to for mail in sink.messages for to in mail.recipients)

    wait_until(lambda: len(got()) >= len(many), 100, "all of them")
    assert got() == many


@pytest.mark.parametrize("options, status, says", [
    (["-f", "a@@b", ALICE], 65, "a@@b"), (["not an address@x"], 65, "not an"),
    ([], 64, "no recipient"), (["-Z", ALICE], 64, "-Z"),
    (["-bd"], 64, "splitmail serve"), (["-bt", ALICE], 64, "splitmail route"),
    (["-bv"], 64, "no recipient"),
    (["-f", BOB, "--", "-t"], 67, "-t@mx.host.test: 550"),
])
def test_what_is_wrong_is_said(server, options, status, says):
    done = sendmail(server, *options)
    assert done.returncode == status and says in done.stderr.decode(), \
        done.stderr


def test_would_it_be_taken(server):
    done = sendmail(server, "-bv", ALICE, f"nobody@{DOMAIN}", BOB, text="")
    assert done.returncode == 67 and done.stderr == b""
    assert done.stdout.decode().splitlines() == [
        f"{ALICE}... deliverable", f"{BOB}... deliverable",
        f"nobody@{DOMAIN}... 550 5.1.1 <nobody@{DOMAIN}>: nobody here has "
        "this address"]
    assert sendmail(server, "-bv", ALICE, text="").returncode == 0


def test_nobody_serves(server, tmp_path):
    done = subprocess.run([binary(), "--data", str(tmp_path), "sendmail",
                           ALICE], input=b"x\n", capture_output=True)
    assert done.returncode == 75 and b"splitmail serve" in done.stderr


def test_a_server_that_starts_anew_is_waited_for(world):
    server = world.server("b")
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    server.stop()
    waiting = subprocess.Popen(
        [binary(), "--data", server.data, "sendmail", ALICE],
        stdin=subprocess.PIPE)
    waiting.stdin.write(b"Subject: patience\n\nhello\n")
    waiting.stdin.close()
    server.serve()
    assert waiting.wait(timeout=60) == 0
    the_mail(server, ALICE, "patience")


def test_smtp_on_standard_input(server):
    done = sendmail(server, "-bs", text=f"EHLO me\r\nMAIL FROM:<{BOB}>\r\n"
                    f"RCPT TO:<{ALICE}>\r\nDATA\r\nSubject: talk\r\n\r\n"
                    "hello\r\n.\r\nQUIT\r\n")
    assert done.returncode == 0
    codes = re.findall(rb"^(\d{3}) ", done.stdout, re.M)
    assert codes == [b"220", b"250", b"250", b"250", b"354", b"250", b"221"]
    the_mail(server, ALICE, "talk")


def test_by_the_names_that_all_have(server, tmp_path):
    for name in ("sendmail", "mailq", "newaliases"):
        os.symlink(binary(), tmp_path / name)
    environment = dict(os.environ, SPLITMAIL_DATA=server.data)

    def call(name, *options, text=""):
        return subprocess.run([tmp_path / name, *options], input=text,
                              capture_output=True, text=True, timeout=200,
                              env=environment)

    assert call("sendmail", "-i", ALICE, text="Subject: named\n\n.\n"
                ).returncode == 0
    the_mail(server, ALICE, "named")
    for words in (["mailq"], ["sendmail", "-bp"]):
        done = call(*words)
        assert done.returncode == 0 and done.stdout == "Mail queue is empty\n"
    assert call("sendmail", "-q").returncode == 0
    for words in (["newaliases"], ["sendmail", "-bi"]):
        assert "nothing has to be built" in call(*words).stdout
