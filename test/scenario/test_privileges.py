"""Nobody but the supervisor is root, and nobody keeps what he does not need."""

import glob
import os
import re
import shutil
import subprocess

import pytest

from splitmail import binary
from test_certificates import Site
from world import descendants

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def status(pid, task):
    with open(f"/proc/{pid}/task/{task}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file
                    if ":\t" in line)


def test_children_are_the_user_and_the_engine_has_no_capability(world):
    server = world.server("a")
    engine = server.engine_pid()
    tasks = os.listdir(f"/proc/{engine}/task")
    assert len(tasks) > 2, "loops and the queue's writer"
    for task in tasks:
        facts = status(engine, task)
        assert set(facts["Uid"].split()) != {"0"}
        for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            assert int(facts[kind], 16) == 0, f"{kind} of task {task}"
        assert facts["NoNewPrivs"] == "1"
    for pid in descendants(server.process.pid):
        facts = status(pid, pid)
        assert "0" not in facts["Uid"].split(), facts["Name"]


def test_what_is_secret_is_closed_to_others(world):
    server = world.server("a")
    assert os.stat(server.data).st_mode & 0o77 == 0
    for name in ("directory.db", "queue.db", "verified", "splitmail.conf",
                 "tls/key.pem", "dovecot/dovecot.conf"):
        path = os.path.join(server.data, name)
        assert os.stat(path).st_mode & 0o77 == 0, name
        assert os.stat(path).st_uid != 0, name
    for path in set(glob.glob(f"{server.data}/run/*")) - {
            f"{server.data}/run/sendmail"}:     # everybody's, where he gets at it
        assert os.stat(path).st_mode & 0o77 == 0, path


def test_a_folder_the_user_cannot_search_is_named(world):
    server = world.server("a", start=False)
    closed = os.path.join(server.folder, "closed")
    os.mkdir(closed, 0o700)
    server.data = os.path.join(closed, "data")
    done = server.run("init", "--hostname", "a.test")
    assert done.returncode == 1
    assert re.search(r"cannot search .*closed", done.stderr), done.stderr


def test_mail_is_not_handled_as_root(world):
    server = world.server("a", start=False)
    server.configure('user = "root"')
    done = server.run("serve")
    assert done.returncode == 1 and "as root" in done.stderr, done.stderr
    server.data += "-2"
    done = server.run("init", "--hostname", "a.test", "--user", "root")
    assert done.returncode == 1 and "as root" in done.stderr, done.stderr
    assert not os.path.exists(server.data)


@pytest.mark.parametrize("name, why", [("sp ace", "space"),
                                       ("l" * 100, "longer than")])
def test_a_folder_without_room_for_sockets_is_named(world, name, why):
    server = world.server("a", start=False)
    server.data = os.path.join(server.folder, name)
    done = server.run("init", "--hostname", "a.test")
    assert done.returncode == 1 and why in done.stderr, done.stderr
    assert not os.path.exists(server.data)


def test_a_binary_the_user_cannot_reach_is_named(world):
    server = world.server("a", start=False)
    closed = os.path.join(server.folder, "closed")
    os.mkdir(closed, 0o700)
    copy = shutil.copy(binary(), closed)
    done = subprocess.run([copy, "--data", server.data, "serve"],
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 1
    assert re.search(r"cannot search .*closed", done.stderr), done.stderr


def test_servers_made_at_once_share_one_new_user(world):
    """useradd replaces a user another useradd has just made."""
    etc = world.subfolder("etc")
    shutil.copytree("/etc", etc, symlinks=True, dirs_exist_ok=True)
    folders = [world.subfolder(f"n{i}") for i in range(8)]
    script = ('mount --bind "$0" /etc; binary=$1; shift; for f; do '
              '"$binary" --data "$f/data" init --hostname a.test '
              '--user newcomer >"$f/log" 2>&1 & done; wait; '
              'getent passwd newcomer')
    done = subprocess.run(["unshare", "--mount", "bash", "-c", script, etc,
                           binary(), *folders], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    uid = int(done.stdout.split(":")[2])
    for folder in folders:
        with open(os.path.join(folder, "log")) as log:
            assert "ready" in log.read()
        assert os.stat(os.path.join(folder, "data")).st_uid == uid


@pytest.mark.parametrize("name", ["dovecot", "dovecot/certificates"])
def test_a_link_of_the_user_s_leads_root_nowhere(world, name):
    """Who has taken over a child of the supervisor's may put one there."""
    site = Site(world)
    server = site.server
    site.add("mail.test")
    server.serve()
    server.stop()
    victim = os.path.join(server.folder, "victim")
    os.makedirs(victim)
    open(os.path.join(victim, "precious"), "w").close()
    link = os.path.join(server.data, name)
    shutil.rmtree(link)
    os.symlink(victim, link)
    try:
        server.serve()
    except AssertionError:      # it may say that it cannot
        server.process = None
    assert os.stat(victim).st_uid == 0
    assert os.listdir(victim) == ["precious"]
