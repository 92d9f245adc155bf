"""The host's own names, root and the like, go where its file of aliases says:
by sendmail, by SMTP, and when what they sent comes back."""

import os
import subprocess

import pytest

from splitmail import binary
from test_sendmail import mails, sendmail, the_mail
from world import wait_until

DOMAIN, HOST = "example.test", "mx.host.test"
ALICE, BOB, CAROL = (f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol"))


def write(server, text):
    new = f"{server.aliases}.new"
    with open(new, "w") as file:
        file.write(text)
    os.replace(new, server.aliases)


def reached(server, address):
    return [leg["address"] for leg in
            server.cli("route", address)["legs"]]


@pytest.fixture(scope="module")
def server(shared_world):
    server = shared_world.server("a", hostname=HOST, start=False)
    server.start()
    server.aliases = os.path.join(server.folder, "aliases")
    os.chmod(server.folder, 0o711)
    with open(server.aliases, "w") as file:
        file.write(f"""# of this host
mailer-daemon: postmaster
postmaster: root
nobody:     root
www-data:   ops
ops:        root, {BOB},
            Carol <{CAROL}>
root:       {ALICE}
""")
    server.configure(f'sendmail {{ aliases = "{server.aliases}" }}')
    server.serve_at_start = True
    server.serve()
    server.cli("domain", "create", DOMAIN)
    for user in (ALICE, BOB, CAROL):
        server.user(user)
    server.cli("domain", "set", DOMAIN, f"postmaster={CAROL}")
    return server


def test_bare_names(server):
    done = sendmail(server, "-i", "root", text="Subject: for root\n\nx\n")
    assert done.returncode == 0, done.stderr
    assert the_mail(server, ALICE, "for root")["To"] is None
    assert mails(server, CAROL, "for root") == []


def test_one_of_several_steps(server):
    done = sendmail(server, "-i", "www-data", text="Subject: ops\n\nx\n")
    assert done.returncode == 0, done.stderr
    for user in (ALICE, BOB, CAROL):
        the_mail(server, user, "ops")
    assert reached(server, f"www-data@{HOST}") == [BOB, CAROL, ALICE]


def test_by_smtp_from_elsewhere(server):
    """Another machine's cron, by its smarthost."""
    with server.smtp() as smtp:
        smtp.sendmail("root@web.host.test", [f"Postmaster@{HOST.upper()}"],
                      "Subject: elsewhere\r\n\r\nx\r\n")
    the_mail(server, ALICE, "elsewhere")


def test_what_comes_back_to_a_user_of_the_host(server):
    """www-data wrote to somebody who is not there: its readers hear of it."""
    done = sendmail(server, "-f", f"www-data@{HOST}", "-oem", f"no@{DOMAIN}",
                    text="Subject: nowhere\n\nx\n")
    assert done.returncode == 67
    for user in (ALICE, BOB, CAROL):
        the_mail(server, user, "could not be sent")


def test_a_detail_is_left_out(server):
    assert reached(server, f"root+cron@{HOST}") == [ALICE]


def test_who_is_no_alias_is_refused(server):
    done = sendmail(server, "-i", "daemon", text="x\n")
    assert done.returncode == 67
    assert f"550 5.1.1 <daemon@{HOST}>".encode() in done.stderr


def test_a_change_is_in_force_within_seconds(server):
    with open(server.aliases) as file:
        before = file.read()
    write(server, f"root: {BOB}\nlost: |/bin/cat, /var/log/x\n"
                  f"half: {ALICE}, :include:/etc/list\nme: me\n")
    wait_until(lambda: f"{server.aliases}:2: \"|/bin/cat\": no program is run "
               "here" in server.log(), 20, "a word of it")
    wait_until(lambda: f"{server.aliases}: 4 aliases" in server.log(), 20,
               "their number")
    done = sendmail(server, "root", text="Subject: changed\n\nx\n")
    assert done.returncode == 0
    the_mail(server, BOB, "changed")
    done = sendmail(server, "lost", text="x\n")
    assert done.returncode == 69 and b"550 5.3.5" in done.stderr
    assert b"the aliases of this host lead it to no address" in done.stderr
    assert sendmail(server, "half", text="Subject: half\n\nx\n"
                    ).returncode == 0
    the_mail(server, ALICE, "half")
    done = sendmail(server, "me", text="x\n")
    assert done.returncode == 69 and b"5.4.6" in done.stderr
    os.remove(server.aliases)
    wait_until(lambda: f"{server.aliases}: 0 aliases" in server.log(), 20,
               "none")
    done = sendmail(server, "root", text="Subject: without\n\nx\n")
    assert done.returncode == 0
    the_mail(server, CAROL, "without")
    write(server, before)
    wait_until(lambda: f"{server.aliases}: 6 aliases" in server.log(), 20,
               "those of before")


@pytest.mark.parametrize("many", [1, 2, 7, 50, 1000])
def test_so_many(server, shared_world, many):
    """On both ways: a list of many, and a chain of names (too long from the
    twentieth on)."""
    if many == 1:
        server.sink = shared_world.sink()
        server.cli("domain", "create", "there.test", "--relay",
                   server.sink.at, "--forward-unknown")
        with open(server.aliases) as file:
            server.before = file.read()
    names = [f"m{many}-{n}@there.test" for n in range(many)]
    chain = "".join(f"c{n}: c{n + 1}\n" for n in range(min(many, 18)))
    taken = f"{server.aliases}: "
    before = server.log().count(taken)
    write(server, server.before + "list: " + ",\n  ".join(names) + "\n" + chain
          + f"c{min(many, 18)}: {ALICE}\n")
    wait_until(lambda: len(reached(server, f"list@{HOST}")) == many, 20,
               "the list")
    wait_until(lambda: server.log().count(taken) > before, 20, "the engine's")
    assert sendmail(server, "list", "c0", text=f"Subject: many {many}.\n\nx\n"
                    ).returncode == 0
    wait_until(lambda: {to for mail in server.sink.messages
                        for to in mail.recipients} >= set(names), 60,
               f"{many} recipients")
    the_mail(server, ALICE, f"many {many}.")


def test_newaliases(server, tmp_path):
    os.symlink(binary(), tmp_path / "newaliases")

    def call(**more):
        return subprocess.run([tmp_path / "newaliases"], capture_output=True,
                              text=True, timeout=60,
                              env={**os.environ, "SPLITMAIL_DATA":
                                   server.data})

    write(server, f"root: {ALICE}\n")
    done = call()
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout == f"{server.aliases}: 1 alias; nothing has to be " \
        "built, a change is in force within seconds\n"
    write(server, f"root: {ALICE}\nbob\nx: |/bin/x\n")
    done = call()
    assert done.returncode == 65
    assert done.stderr.splitlines() == [
        f'splitmail: {server.aliases}:2: there is no "name:" before the '
        "addresses",
        f'splitmail: {server.aliases}:3: "|/bin/x": no program is run here']


def test_where_the_host_is_a_domain_of_ours(world):
    """Its users come first, then the aliases."""
    server = world.server("b", hostname=DOMAIN, start=False)
    server.start()
    os.chmod(server.folder, 0o711)
    server.aliases = os.path.join(server.folder, "aliases")
    with open(server.aliases, "w") as file:
        file.write(f"root: {ALICE}\nbob: {ALICE}\n")
    server.configure(f'sendmail {{ aliases = "{server.aliases}" }}')
    server.serve()
    server.cli("domain", "create", DOMAIN)
    for user in (ALICE, BOB):
        server.user(user)
    assert sendmail(server, "root", "bob", text="Subject: both\n\nx\n"
                    ).returncode == 0
    the_mail(server, ALICE, "both")
    the_mail(server, BOB, "both")
    assert reached(server, f"bob@{DOMAIN}") == [BOB]
