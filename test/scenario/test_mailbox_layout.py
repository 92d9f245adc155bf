"""How mailboxes lie on the disk: chosen once, and what was before is put in
order."""

import glob
import os
import re
import subprocess
import time

import pytest

from splitmail import binary
from world import wait_until

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
STRANGER = "stranger@elsewhere.test"
VERSION = subprocess.run(["/usr/sbin/dovecot", "--version"],
                         capture_output=True, text=True).stdout[:3]
BEFORE = {"2.3": ["mail_location=maildir:~/Maildir",
                  "namespace/inbox/separator=."],
          "2.4": ["mail_driver=maildir", "mail_path=~/Maildir",
                  "mail_inbox_path=~/Maildir",
                  "mailbox_list_layout=maildir++",
                  "mailbox_root_directory_name=", "mailbox_directory_name=",
                  "namespace/inbox/separator=."]}
# Names people and other systems give to folders.
NAMES = ["v2.1 docs", "A/B/C", "per%cent", "C++", "a^b", "&AOk-t&AOk-", "cur",
         "A/new", ".hidden", "..x", "subscriptions", "dovecot.index",
         "dovecot-uidlist", "A/dovecot-uidlist", "folders", "INBOX/sub",
         "INBOX.dot"]


def doveadm(server, *words, before=False, input=None):
    """As the user of the server; BEFORE: as mailboxes lay in 0.1."""
    options = [x for o in BEFORE[VERSION] * before for x in ("-o", o)]
    done = subprocess.run(
        ["doveadm", "-c", f"{server.data}/dovecot/dovecot.conf", *options,
         *words], input=input, capture_output=True, text=True)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def folders(imap):
    """By name, with the flags of each."""
    names = {}
    for line in imap.list()[1]:
        flags, name = re.match(rb'\((.*?)\) "/" "?(.*?)"?$', line).groups()
        names[name.decode()] = flags.decode()
    return names


def format_of(server):
    with open(os.path.join(server.data, "mail", "format")) as file:
        return file.read().strip()


@pytest.mark.parametrize("kind", ["maildir", "mdbox"])
def test_folders_may_have_any_name(world, kind):
    server = world.server("a", init=["--mailbox-format", kind])
    assert format_of(server) == kind
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    imap = server.imap(ALICE)
    for name in NAMES:
        assert imap.create(f'"{name}"')[0] == "OK", name
        assert imap.append(f'"{name}"', None, None,
                           b"Subject: x\r\n\r\nx\r\n")[0] == "OK", name
    seen = folders(imap)
    assert [n for n in NAMES if n not in seen] == ["a^b"], "it is an escape"
    assert seen["A"].startswith(r"\Noselect")
    server.send(STRANGER, ALICE)
    server.wait_for_mail(ALICE)
    assert imap.select('"a^b"') == ("OK", [b"1"])
    imap.logout()


def test_the_format_is_for_good(world):
    server = world.server("a")
    server.stop()
    for kind, sentence in (("mdbox", "are kept as maildir, and stay so"),
                           ("mbox", 'not as "mbox"')):
        done = subprocess.run(
            [binary(), "--data", server.data, "init", "--hostname",
             server.hostname, "--mailbox-format", kind], capture_output=True, text=True)
        assert done.returncode and sentence in done.stderr, done
    path = os.path.join(server.data, "mail", "format")
    assert os.stat(path).st_mode & 0o222 == 0
    assert "0 mailboxes" in server.run("convert").stdout
    server.serve()
    os.rename(path, path + ".away")
    assert "stop it first" in server.run("convert").stderr


def night():
    """A time zone where it is half past three at night."""
    now = time.gmtime()
    west = now.tm_hour * 60 + now.tm_min - 210
    return "XXX%s%d:%02d" % ("-" if west < 0 else "+", *divmod(abs(west), 60))


def test_what_was_deleted_leaves_an_mdbox_at_night(world):
    """Its files are shared by messages: Dovecot has to be told to."""
    server = world.server("a", init=["--mailbox-format", "mdbox"])
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    big = "Subject: x\r\n\r\n" + 3000 * ("x" * 70 + "\r\n")
    server.send(STRANGER, ALICE, big)
    server.wait_for_mail(ALICE)
    imap = server.imap(ALICE)
    imap.select("INBOX")
    imap.store("1", "+FLAGS", r"\Deleted")
    imap.expunge()
    imap.logout()

    def size():
        return sum(os.path.getsize(path) for path in glob.glob(
            f"{server.data}/mail/*/mdbox/storage/m.*"))
    assert size() > 200000
    server.environment["TZ"] = night()
    server.restart()
    wait_until(lambda: size() < 100000, 30, "the night's work")
    assert "purge ended" not in server.log()


def make_old(server):
    """Alice's folders as version 0.1 kept them; their state by name."""
    for name in ("INBOX", "Lists.Postfix users", "Lists", "Sent",
                 "&AOk-t&AOk-"):
        if name != "INBOX":
            doveadm(server, "mailbox", "create", "-s", "-u", ALICE, name,
                    before=True)
        for number in range(3):
            doveadm(server, "save", "-u", ALICE, "-m", name, before=True,
                    input=f"Subject: {name} {number}\r\n\r\nx\r\n")
    doveadm(server, "flags", "add", "-u", ALICE, r"\Flagged $Work", "mailbox",
            "*", "uid", "2", before=True)
    doveadm(server, "expunge", "-u", ALICE, "mailbox", "*", "uid", "1",
            before=True)
    return state(server, before=True)


def state(server, before=False):
    """What clients remember mailboxes by."""
    status = doveadm(server, "-f", "tab", "mailbox", "status", "-u", ALICE,
                     "uidvalidity uidnext messages", "*", before=before)
    mails = doveadm(server, "-f", "tab", "fetch", "-u", ALICE,
                    "mailbox uid flags hdr.subject date.received", "mailbox",
                    "*", before=before)
    subscribed = doveadm(server, "mailbox", "list", "-s", "-u", ALICE,
                         before=before)
    made = {"Drafts", "Junk", "Trash", "Archive"}
    return [sorted(line.replace("Lists.", "Lists/") for line in text.split("\n")
                   if line.split("\t")[0] not in made)
            for text in (status, re.sub(r"(: \w.*|Subject.*)", "", mails),
                         subscribed)]


@pytest.mark.parametrize("interrupted", [False, True])
def test_mailboxes_of_before_are_put_in_order(world, interrupted):
    server = world.server("a")
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    server.user(BOB)
    before = make_old(server)
    assert "Lists/Postfix users" in before[2] and len(before[1]) > 10
    server.stop()
    os.unlink(os.path.join(server.data, "mail", "format"))
    with pytest.raises(AssertionError, match="before it was ready"):
        server.serve()
    assert f"`splitmail --data {server.data} convert` once" in server.log()
    server.process = None
    if interrupted:
        [old] = glob.glob(f"{server.data}/mail/*/Maildir")
        owner = os.stat(old)
        for folder in ("", "/folders", "/folders/Lists"):
            os.mkdir(f"{old}.new{folder}")
            os.chown(f"{old}.new{folder}", owner.st_uid, owner.st_gid)
        os.rename(f"{old}/.Lists", f"{old}.new/folders/Lists/maildir-Mails")
    done = server.run("convert")
    assert done.returncode == 0, done.stderr
    assert re.match(f"1 mailboxes and {4 - interrupted} folders", done.stdout)
    server.serve()
    assert state(server) == before
    server.send(STRANGER, [ALICE, BOB])
    server.wait_for_mail(BOB)
    server.wait_for_mail(ALICE, 3)
