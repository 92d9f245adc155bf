"""Programs as Debian has them, on a machine whose sendmail is Splitmail: cron,
mailx, PHP, Nagios' check_mailq.  They are unpacked, and laid over this machine
for the length of a test, in a mount namespace of its own."""

import glob
import os
import re
import shutil
import subprocess

import pytest

from splitmail import ROOT, binary
from test_sendmail import the_mail
from world import wait_until

DOMAIN, HOST = "example.test", "mx.host.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
PEERS = ["cron", "bsd-mailx", "s-nail", "php-cli", "monitoring-plugins-standard"]

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs mounts")]


def unpacked():
    return [os.path.join(ROOT, "build-peers", name) for name in PEERS]


class Machine:
    """This one, with PEERS and Splitmail's names on it."""

    def __init__(self, world, server):
        self.folder = os.path.join(world.folder, "machine")
        over = os.path.join(self.folder, "over")
        for name in ("usr/sbin", "usr/bin", "etc/cron.d", "var/spool/cron",
                     "usr/lib"):
            os.makedirs(os.path.join(over, name))
        for name in ("usr/sbin/sendmail", "usr/lib/sendmail", "usr/bin/mailq",
                     "usr/bin/newaliases"):
            os.symlink("/usr/bin/splitmail", os.path.join(over, name))
        shutil.copy(binary(), os.path.join(over, "usr/bin/splitmail"))
        with open(os.path.join(over, "etc/cron.d/job"), "w") as file:
            file.write("MAILTO=root\n"
                       "* * * * * nobody echo the job\\'s word\n"
                       "* * * * * root echo of root; id -u\n")
        with open(os.path.join(over, "etc/aliases"), "w") as file:
            file.write(f"root: {ALICE}\n")
        # what the package would have made
        shutil.copy("/etc/group", os.path.join(over, "etc/group"))
        with open(os.path.join(over, "etc/group"), "a") as file:
            file.write("crontab:x:60126:\n")
        self.over = over
        self.server = server

    def command(self, *words):
        """unshare, mount, become that machine, run WORDS."""
        layers = self.folder + "/layers"
        script = f"""set -eu
            mkdir -p {layers}; mount -t tmpfs none {layers}
            mkdir -p {layers}/up {layers}/work {layers}/root {layers}/low
            for one in {' '.join(unpacked())} {self.over}; do
                (cd $one && tar -cf - --exclude=./.complete --exclude=./log .) |
                    (cd {layers}/low && tar -xf - --keep-directory-symlink)
            done
            for one in bin sbin lib lib64; do
                [ ! -d {layers}/low/$one ] || [ -L {layers}/low/$one ] || {{
                    mkdir -p {layers}/low/usr/$one
                    cp -a {layers}/low/$one/. {layers}/low/usr/$one/
                    rm -rf {layers}/low/$one; }}
            done
            mount -t overlay none -o lowerdir={layers}/low:/,upperdir={layers}/up,workdir={layers}/work {layers}/root
            r={layers}/root
            for one in proc dev sys; do mount --rbind /$one $r/$one; done
            mkdir -p $r/run/splitmail; mount -t tmpfs none $r/run
            mkdir -p $r/run/splitmail; mount --bind {os.path.dirname(self.server.programs)} $r/run/splitmail
            mount -t tmpfs none $r/tmp
            exec chroot $r "$@" """
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child",
                "--propagation", "private", "bash", "-c", script, "bash",
                "env", "-u", "SPLITMAIL_DATA", *words]

    def run(self, *words, user=None, **more):
        if user:
            words = ("setpriv", f"--reuid={user}", f"--regid={user}",
                     "--clear-groups", *words)
        return subprocess.run(self.command(*words), capture_output=True,
                              text=True, timeout=300, **more)


@pytest.fixture(scope="module")
def machine(shared_world):
    for name in unpacked():
        if not os.path.exists(os.path.join(name, ".complete")):
            pytest.fail(f"{name} is missing: ./dev install")
    folder = os.path.join(os.path.dirname(binary()), f"real-{os.getpid()}")
    server = shared_world.server("a", hostname=HOST, start=False)
    server.start()
    server.programs = os.path.join(folder, "submit")
    aliases = os.path.join(shared_world.folder, "aliases")
    os.chmod(shared_world.folder, 0o711)
    with open(aliases, "w") as file:
        file.write(f"root: {ALICE}\n")
    server.configure(f'''sendmail {{ socket = "{server.programs}"
        aliases = "{aliases}" }}''')
    server.serve()
    server.cli("domain", "create", DOMAIN)
    for user in (ALICE, BOB):
        server.user(user)
    machine = Machine(shared_world, server)
    yield machine
    shutil.rmtree(machine.folder, ignore_errors=True)


def test_cron(machine):
    """Its daemon runs a job of root and one of nobody within the minute, and
    mails what they say."""
    daemon = subprocess.Popen(machine.command("/usr/sbin/cron", "-f"),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: len(machine.server.mailbox(ALICE)) >= 2, 100,
                   "both mails")
    finally:
        daemon.kill()
        daemon.communicate()
    of_nobody = the_mail(machine.server, ALICE, "Cron <nobody@")
    assert "the job's word" in of_nobody.get_content()
    assert of_nobody["Return-Path"] == f"<nobody@{HOST}>"
    assert "from userid 65534)" in of_nobody["Received"] + str(
        of_nobody.get_all("Received"))
    of_root = the_mail(machine.server, ALICE, "Cron <root@")
    assert of_root.get_content().split() == ["of", "root", "0"]
    assert of_root["To"] == f"root@{HOST}"


@pytest.mark.parametrize("program", ["/usr/bin/bsd-mailx", "/usr/bin/s-nail"])
def test_mailx(machine, program):
    name = os.path.basename(program)
    done = machine.run(program, "-s", f"by {name}", ALICE, "root", user=65534,
                       input="one\n.\ntwo, grüße\n")
    assert done.returncode == 0, done.stderr
    mail = the_mail(machine.server, ALICE, f"by {name}")
    assert mail["Return-Path"] == f"<nobody@{HOST}>"
    assert "from userid 65534)" in str(mail.get_all("Received"))


def test_php(machine):
    script = f"""exit(mail("{ALICE}, Bob <{BOB}>", "by PHP", "hello\\n.\\nend",
        "From: shop@{DOMAIN}\\r\\nCc: root", "-fshop@{DOMAIN}") ? 0 : 1);"""
    [php] = map(os.path.basename, glob.glob(
        f"{ROOT}/build-peers/php-cli/usr/bin/php[0-9].[0-9]"))
    done = machine.run(php, "-r", script, user=33)
    assert done.returncode == 0, done.stdout + done.stderr
    for user in (ALICE, BOB):
        mail = the_mail(machine.server, user, "by PHP")
        assert mail["Return-Path"] == f"<shop@{DOMAIN}>"
        assert "from userid 33)" in str(mail.get_all("Received"))
        assert mail.get_content().split() == ["hello", ".", "end"]
    done = machine.run(php, "-r", f'exit(mail("no@{DOMAIN}", "x", "y") '
                       '? 0 : 1);', user=33)
    assert done.returncode == 1


@pytest.mark.parametrize("options", [[], ["-M", "sendmail"],
                                     ["-M", "postfix"]])
def test_check_mailq(machine, options):
    server = machine.server
    plugin = "/usr/lib/nagios/plugins/check_mailq"

    def check():
        done = machine.run(plugin, "-w", "2", "-c", "50", *options, user=60125)
        return done.returncode, done.stdout

    assert check()[0] == 0 and "empty" in check()[1]
    if "away.test" not in [domain["name"] for domain in
                           server.cli("domain", "list")]:
        server.cli("domain", "create", "away.test", "--relay", "127.0.0.1:1")
        server.user("far@away.test", "--mail-system", "alternate")
    with server.smtp() as smtp:
        for n in range(3):
            smtp.sendmail("a@x.test", ["far@away.test"],
                          f"Subject: {n}\r\n\r\n")
    assert check()[0] == 1 and re.search("mailq is 3 ", check()[1])
    server.cli("queue", "delete", "--all", "--yes")


def test_newaliases(machine):
    done = machine.run("newaliases", user=60125)
    assert done.returncode == 0
    assert done.stdout.startswith("/etc/aliases: 1 alias;")
