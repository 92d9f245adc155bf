#!/usr/bin/python3
"""One domain on two servers: a master and a slave of example.test.

    test/demo/demo.py          builds the world, shows it, stays until Ctrl-C
    test/demo/demo.py --once   the same; exit status 0 when every message is
                               where it belongs

Each server is a whole Splitmail with its own Dovecot, on a loopback address
of its own, in a folder that is removed at the end.  Mail is sent by swaks and
found by IMAP.  While it stays up, a few messages a minute go to and fro.
"""

import contextlib
import itertools
import os
import signal
import smtplib
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "test", "scenario"))
os.environ.setdefault("SPLITMAIL_BINARY", os.path.join(ROOT, "build",
                                                       "splitmail"))

from world import World, wait_until    # noqa: E402 (needs the path above)

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
CAROL, NOBODY = f"carol@{DOMAIN}", f"nobody@{DOMAIN}"
TEAM = f"team@{DOMAIN}"
STRANGER = "stranger@elsewhere.test"

PICTURE = """
                 {domain}
      ┌──────────────┴──────────────┐
   master  {master:<22} slave  {slave}
   alice: hosted here          bob, carol: hosted here
   bob, carol: alternate       unknown here: to the master
   unknown: refused
"""


def build(world):
    slave = world.server("slave", hostname="slave.test")
    master = world.server("master", hostname="master.test")
    master.cli("domain", "create", DOMAIN, "--relay", slave.at)
    slave.cli("domain", "create", DOMAIN, "--relay", master.at,
              "--forward-unknown")
    master.user(ALICE, "--name", "Alice")
    for address in (BOB, CAROL):
        master.cli("user", "create", address, "--mail-system", "alternate")
        slave.user(address)
    master.cli("group", "create", TEAM, "--member", ALICE, "--member", BOB)
    return master, slave


class Step:
    """One message: how it is sent, and where it has to be afterwards."""

    def __init__(self, text, entry, sender, recipient, lands, user=None):
        self.text, self.entry, self.user = text, entry, user
        self.sender, self.recipient, self.lands = sender, recipient, lands
        self.subject = text.replace("\n", " ")

    def send(self):
        command = ["swaks", "--server", self.entry.address, "--from",
                   self.sender, "--to", self.recipient, "--header",
                   f"Subject: {self.subject}", "--hide-all", "--port",
                   str(self.entry.ports["submission" if self.user
                                        else "smtp"])]
        if self.user:
            command += ["--tls", "--auth", "PLAIN", "--auth-user", self.user,
                        "--auth-password", self.entry.passwords[self.user]]
        begun = time.monotonic()
        self.status = subprocess.run(command, stdin=subprocess.DEVNULL,
                                     capture_output=True).returncode
        self.took_ms = (time.monotonic() - begun) * 1000

    def found(self):
        mailboxes = [(server, user) for server, user in self.lands]
        return all(sum(self.subject.encode() in mail
                       for mail in server.mailbox(user)) == 1
                   for server, user in mailboxes)

    def check(self):
        if not self.lands:
            return self.status != 0
        if self.status != 0:
            return False
        try:
            return wait_until(self.found, 15, "the mail")
        except AssertionError:
            return False

    def show(self, good):
        where = ", ".join(f"{user} on the {server.name}"
                          for server, user in self.lands) or "refused at RCPT"
        route = self.entry.route(self.recipient, *(
            ["--as", f"user:{self.user}"] if self.user else []))
        print(f"{'ok ' if good else 'BAD'} {self.text}")
        print(f"      to {self.recipient} by the {self.entry.name} "
              f"-> {where}  ({self.took_ms:.0f} ms with swaks)")
        print(f"      route: {route['action']} {route['code']} "
              f"{route['text']}")
        for reason in route["reasons"]:
            print(f"        {reason['rule']}: {reason['fact']}")


def steps(master, slave):
    here, there = (master, ALICE), (slave, BOB)
    return [
        Step("A stranger writes to a user of the master, at the master",
             master, STRANGER, ALICE, [here]),
        Step("A stranger writes to a user of the slave, at the master",
             master, STRANGER, BOB, [there]),
        Step("A stranger writes to a user of the master, at the slave",
             slave, STRANGER, ALICE, [here]),
        Step("Alice writes to her colleague on the other system",
             master, ALICE, BOB, [there], user=ALICE),
        Step("Bob answers, from the slave",
             slave, BOB, ALICE, [here], user=BOB),
        Step("A stranger writes to a group with members on both",
             master, STRANGER, TEAM, [here, there]),
        Step("A stranger writes to nobody, at the master",
             master, STRANGER, NOBODY, []),
        Step("A stranger writes to nobody, at the slave",
             slave, STRANGER, NOBODY, []),
    ]


class Traffic:
    """A few messages a minute between the two, until the demonstration ends,
    so that the consoles have something to show."""

    PAUSE_S = 8
    TIMEOUT_S = 10
    MOST = 3000     # who forgets it does not fill his disk

    def __init__(self, master, slave):
        self.number = 0
        self.turns = itertools.cycle([
            (master, STRANGER, BOB), (slave, STRANGER, ALICE),
            (slave, BOB, ALICE), (master, STRANGER, TEAM),
            (master, STRANGER, NOBODY), (master, ALICE, BOB)])

    def send_one(self):
        entry, sender, recipient = next(self.turns)
        user = sender if sender in entry.passwords else None
        self.number += 1
        text = (f"Subject: Message {self.number} of the demonstration\r\n"
                f"From: {sender}\r\nTo: {recipient}\r\n\r\nHello.\r\n")
        # A refusal is part of the picture; a server may be away as well.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            with (entry.submit(user, timeout=self.TIMEOUT_S) if user
                  else entry.smtp(self.TIMEOUT_S)) as smtp:
                smtp.sendmail(sender, [recipient], text)

    def run(self):
        while True:
            time.sleep(self.PAUSE_S)
            if self.number < self.MOST:
                self.send_one()


def show_servers(servers):
    print("\nTry it:")
    for server in servers:
        print(f"  {server.name:<7} SMTP {server.at}, submission "
              f"{server.address}:{server.ports['submission']}, IMAP "
              f"{server.address}:{server.ports['imap']}")
        print(f"          console http://{server.address}:"
              f"{server.ports['console']}/, admin0, password "
              f"{server.admin_password}")
        for user, password in server.passwords.items():
            print(f"          {user}  password {password}")
        print(f"          {os.environ['SPLITMAIL_BINARY']} --data "
              f"{server.data} route {BOB}")
    print("\nA few messages a minute go to and fro: see the Overview.  Ctrl-C "
          "ends both.")


def main():
    once = "--once" in sys.argv[1:]
    # A shell that starts us in the background has Ctrl-C ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    world = World()
    try:
        master, slave = build(world)
        print(PICTURE.format(domain=DOMAIN, master=master.at, slave=slave.at))
        results = []
        for step in steps(master, slave):
            step.send()
            results.append(step.check())
            step.show(results[-1])
        print(f"\n{sum(results)} of {len(results)} messages are where they "
              "belong.")
        if not once:
            show_servers((master, slave))
            Traffic(master, slave).run()
        return 0 if all(results) else 1
    except KeyboardInterrupt:
        return 0
    finally:
        world.end()


if __name__ == "__main__":
    sys.exit(main())
