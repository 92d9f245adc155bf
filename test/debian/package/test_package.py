"""From `apt install` beside Exim to `apt purge`, in this order: what an
administrator does with the packages, and what becomes of mail meanwhile."""

import contextlib
import os
import pwd
import shutil
import smtplib
import sqlite3
import ssl
import stat
import threading
import urllib.request

import pytest

from machine import (ADDRESS, APT, DATA, RELAY, a_domain_and_its_users, answers, apt,
                     attempt, await_mail, await_ready, imap, install_script,
                     installed,
                     is_active, lasting, listening, log,
                     more_addresses, package, processes, run, send, smtp,
                     splitmail, subjects, tls)
from sink import Sink
from world import wait_until

NOW, NEXT = package("now"), package("next")
BACKUP = "/srv/before"
BIND_SERVICE = 1 << 10
NOBODY = pwd.getpwnam("nobody").pw_uid


def looker(name="directory.db"):
    """Somebody who has it open, as `sqlite3` in another window."""
    return sqlite3.connect(f"file:{DATA}/{name}?mode=ro", uri=True)


def test_installing_starts_nothing_and_changes_nothing_else():
    before = installed()
    apt("install", NOW)
    after = installed()
    assert before.items() <= after.items()
    assert {"splitmail", "dovecot-core", "dovecot-sqlite"} <= after.keys()
    assert is_active("exim4")
    assert not is_active("splitmail") and not is_active("dovecot")
    assert listening() == {("127.0.0.1", "25"), ("[::1]", "25")}
    assert "exim4" in run("dpkg", "-S", "/usr/sbin/sendmail")
    run("systemctl", "start", "splitmail")      # there is nothing to start
    assert not is_active("splitmail")
    said = attempt("systemctl", "status", "--lines=50", "splitmail").stdout
    assert "`splitmail init --hostname NAME` makes it" in said, said
    assert not attempt("systemctl", "is-failed", "splitmail").returncode == 0


def test_started_it_is_its_user_and_nobody_else():
    more_addresses()
    said = splitmail("init", "--hostname", "mx.example.test", "--bind", ADDRESS)
    assert "admin0" in said
    run("systemctl", "start", "splitmail")
    assert answers(25) == b"220 " and answers(143) == b"* OK"
    assert is_active("splitmail") and is_active("exim4")
    assert not is_active("dovecot")
    user = pwd.getpwnam("splitmail")
    for pid in processes():
        with open(f"/proc/{pid}/status") as file:
            status = dict(line.split(":\t", 1) for line in file)
        assert set(status["Uid"].split()) == {str(user.pw_uid)}
        assert int(status["CapPrm"], 16) in (0, BIND_SERVICE)
        assert status["NoNewPrivs"].strip() == "1"
    for folder, _, files in os.walk(DATA):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            assert os.stat(path).st_uid == user.pw_uid, path
    run_folder = os.stat("/run/splitmail")
    assert run_folder.st_uid == user.pw_uid
    assert stat.S_IMODE(run_folder.st_mode) == 0o755


def test_the_manual_comes_along():
    """As pages of the console, which nobody has to sign in to, and of man."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(f"https://{ADDRESS}:8025/help/reference/limits/",
                                context=context) as answer:
        assert b"header lines" in answer.read()
    for page in "man8/splitmail.8.gz", "man5/splitmail.conf.5.gz":
        said = run("dpkg", "-S", f"/usr/share/man/{page}")
        assert said.startswith("splitmail:")


def test_mail_comes_in_by_every_door():
    a_domain_and_its_users()
    send("by SMTP")
    await_mail("by SMTP")
    splitmail("sendmail", "alice@example.test", input="Subject: by hand\n\n.\n")
    await_mail("by hand")
    with smtp(587) as client:
        client.starttls(context=tls())
        client.login("alice@example.test", "secret of alice@example.test")
        client.sendmail("alice@example.test", "alice@example.test",
                        "Subject: submitted\n\n.\n")
    await_mail("submitted")
    install_script("carl@example.test", 'redirect "alice@example.test";\r\n')
    send("by Sieve", "carl@example.test")
    await_mail("by Sieve")


def test_its_sandbox_is_tight():
    run("systemd-analyze", "security", "--no-pager", "--threshold=20",
        "splitmail.service")


def test_its_sandbox_does_not_hide_what_it_needs():
    """Which start of the machine this is: without that a clock that jumps moves
    the queue's times."""
    with contextlib.closing(looker("queue.db")) as db:
        [[boot]] = db.execute("SELECT boot_id FROM clock")
    with open("/proc/sys/kernel/random/boot_id") as file:
        assert boot == file.read().strip()


def test_its_sandbox_lets_the_engine_confine_itself():
    said = [line for line in splitmail("status").splitlines()
            if line.startswith("confined by the kernel: ")]
    assert len(said) == 1
    assert "refused" not in said[0] and "no seccomp" not in said[0], said


def test_a_reload_ends_no_session():
    before = lasting(processes())
    with smtp() as client, imap() as reader:
        client.ehlo()
        client.mail("x@y.test")
        client.rcpt("alice@example.test")
        run("systemctl", "reload", "splitmail")
        wait_until(lambda: "reloaded" in log(), what="the reload")
        assert is_active("splitmail")
        assert client.data("Subject: across a reload\n\n.\n")[0] == 250
        reader.noop()
        assert reader.search(None, "ALL")[0] == "OK"
    await_mail("across a reload")
    assert lasting(processes()) == before


def test_dovecots_own_service_stays_out_of_it():
    """As each update of Dovecot calls it."""
    before = lasting(processes())
    with imap() as reader:
        run("invoke-rc.d", "dovecot", "restart")
        assert reader.noop()[0] == "OK"
    assert lasting(processes()) == before and not is_active("dovecot")


def test_it_starts_with_the_machine():
    run("systemctl", "stop", "splitmail")
    assert not processes()
    run("systemctl", "start", "multi-user.target")
    await_ready()
    assert is_active("splitmail") and not is_active("dovecot")


def test_another_dovecot_is_taken_at_once():
    before = lasting(processes())
    apt("install", "--reinstall", "dovecot-core")
    wait_until(lambda: is_active("splitmail") and lasting(processes()) and
               not before.keys() & processes().keys(), what="a restart")
    await_ready()
    assert not is_active("dovecot")
    send("after Dovecot")
    await_mail("after Dovecot")


class Sender(threading.Thread):
    """Sends as long as it is let; what was taken is in .taken."""

    def __init__(self):
        super().__init__()
        self.tried, self.taken, self.ended = 0, [], threading.Event()

    def run(self):
        while not self.ended.wait(0.05):
            self.tried += 1
            try:
                send(f"mail {self.tried}")
            except (OSError, smtplib.SMTPException):
                continue
            self.taken.append(f"mail {self.tried}")


def schema():
    with contextlib.closing(looker()) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def waiting():
    return splitmail("queue", "list")


def test_an_upgrade_loses_nothing():
    send("for later", "bob@example.test")   # nobody answers there
    assert "bob@example.test" in waiting()
    splitmail("backup", BACKUP)
    before, of_before = schema(), installed()["splitmail"]
    sender = Sender()
    sender.start()
    wait_until(lambda: len(sender.taken) > 3, what="mail before the upgrade")
    reader, client = imap(), smtp()
    client.ehlo()
    client.mail("x@y.test")
    client.rcpt("alice@example.test")
    with contextlib.closing(looker()) as db:
        db.execute("SELECT count(*) FROM domain").fetchone()
        apt("install", NEXT)
    await_ready()
    try:
        code, _ = client.data("Subject: across an upgrade\n\n.\n")
    except (OSError, smtplib.SMTPException):
        code = 0
    so_far = len(sender.taken)
    wait_until(lambda: len(sender.taken) > so_far + 3, what="mail after it")
    sender.ended.set()
    sender.join()
    client.close()
    reader.shutdown()
    assert schema() == before + 1 and installed()["splitmail"] != of_before
    taken = sender.taken + ["across an upgrade"] * (code == 250)
    wait_until(lambda: set(taken) <= set(subjects()), what="what was taken")
    arrived = subjects()
    assert len(arrived) == len(set(arrived))
    assert {"by SMTP", "by hand", "across a reload"} <= set(arrived)
    assert "bob@example.test" in waiting()
    relay = Sink(address=RELAY, port=25)
    relay.start()
    splitmail("queue", "retry")
    wait_until(lambda: relay.messages, what="bob's mail")
    assert relay.messages[0].recipients == ["bob@example.test"]
    wait_until(lambda: "empty" in waiting(), what="an empty queue")
    relay.down()
    assert len(relay.messages) == 1


def test_a_downgrade_is_refused_in_words():
    before = installed()
    done = attempt(*APT, "install", "--allow-downgrades", NOW)
    assert done.returncode != 0
    assert f"{DATA}/directory.db" in done.stdout
    assert f"has schema {schema()}" in done.stdout
    assert f"reads schemas up to {schema() - 1}" in done.stdout
    assert installed() == before
    await_ready()
    send("after a refusal")
    await_mail("after a refusal")
    assert run("dpkg", "--audit") == ""


def test_the_way_back_is_the_backup():
    newer = DATA + ".newer"
    run("systemctl", "stop", "splitmail")
    os.rename(DATA, newer)
    apt("install", "--allow-downgrades", NOW)
    splitmail("restore", BACKUP)
    run("systemctl", "start", "splitmail")
    before = subjects()
    assert "by SMTP" in before and "across an upgrade" not in before
    run("systemctl", "stop", "splitmail")
    shutil.rmtree(DATA)
    os.rename(newer, DATA)
    apt("install", NEXT)
    await_ready()
    assert set(before) < set(subjects())


def test_its_sendmail_replaces_exims_and_nothing_else():
    before = installed()
    apt("install", package("next", "splitmail-mta"))
    gone = before.keys() - installed().keys()
    assert gone == {"exim4-daemon-light"}
    assert run("dpkg", "-S", "/usr/sbin/sendmail").startswith("splitmail-mta:")
    assert run("dpkg", "-S", "/usr/share/man/man8/sendmail.8.gz").startswith(
        "splitmail-mta:")
    for name in "/usr/sbin/sendmail", "/usr/lib/sendmail":
        for user in 0, NOBODY:
            run(name, "alice@example.test", user=user,
                input=f"Subject: by {name} of {user}\n\n.\n")
            await_mail(f"by {name} of {user}")
    assert run("mailq") == waiting()
    run("newaliases")


def test_cron_sends_with_it():
    """As it does at its first start, for a user who may read nothing here."""
    run("useradd", "ordinary")
    run("crontab", "-u", "ordinary", "-", input="MAILTO=alice@example.test\n"
        "@reboot echo from cron\n")
    with contextlib.suppress(FileNotFoundError):
        os.remove("/run/crond.reboot")
    run("systemctl", "restart", "cron")
    wait_until(lambda: [each for each in subjects() if "echo from cron" in each],
               what=lambda: log()[-4000:])


@pytest.mark.parametrize("how", ["remove", "purge"])
def test_removed_it_leaves_the_mail(how):
    before = subjects()
    apt(how, "splitmail", "splitmail-mta")
    assert not processes() and not is_active("splitmail")
    assert not os.path.exists("/usr/bin/splitmail")
    assert ("192.0.2.1", "25") not in listening()
    assert pwd.getpwnam("splitmail")
    apt("install", NEXT)                    # it was initialised already
    await_ready()
    assert subjects() == before
    run("systemctl", "start", "multi-user.target")
    assert not is_active("dovecot")
    assert run("dpkg", "--audit") == ""


def test_what_a_purge_leaves_is_told():
    with open("/usr/share/doc/splitmail/README.Debian") as file:
        text = file.read()
    assert "Purge keeps the mail" in text
    assert "rm -r /var/lib/splitmail && userdel splitmail" in text
