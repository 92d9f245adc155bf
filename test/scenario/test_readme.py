"""README's first page: its lines, copied into a shell in a clean home, as
somebody who is not root would."""

import os
import re
import shutil
import socket
import subprocess

import pytest

from manual_page import assert_known
from shell import Shell
from splitmail import ROOT, binary

NOBODY = 65534


def commands(title):
    """The indented lines of the section with this title, continued ones
    joined."""
    with open(os.path.join(ROOT, "README.md")) as file:
        section = file.read().split(f"\n## {title}\n")[1].split("\n## ")[0]
    text = "\n".join(line[4:] for line in section.split("\n")
                     if line.startswith("    "))
    return text.replace("\\\n", "").split("\n")


@pytest.fixture
def shell(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("becoming somebody else needs root")
    # the ports are README's, whoever else is here has others
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 20025))
    home = f"/tmp/readme-{os.getpid()}"
    os.makedirs(os.path.join(home, "build"))
    shutil.copy(binary(), os.path.join(home, "build", "splitmail"))
    os.chown(home, NOBODY, NOBODY)
    shell = Shell(["bash", "--norc"], home, user=NOBODY, group=NOBODY,
                  extra_groups=[], env={
                      "HOME": home, "LC_ALL": "C.UTF-8",
                      "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    yield shell
    shell.run("kill %1 && wait %1")
    shell.end()
    shutil.rmtree(home)


def test_the_first_page_works_as_it_stands(own_network, shell):
    for line in commands("Trying it, without root"):
        if line.startswith("./dev"):
            continue
        said, status = shell.run(line)
        if "curl" in line:
            assert "Hello Alice." in said, said
        if "queue list" in line:
            assert said == "Mail queue is empty\n"
        assert status == 0, f"{line}: {said}"


def test_the_other_pages_commands_are_commands():
    """They want root, or systemd: their words, at least."""
    for line in commands("Setting it up"):
        for words in re.findall(r"\bsplitmail (.*)", line):
            assert_known(words.split(), line)


def unit_for(binary, folder):
    with open(os.path.join(ROOT, "packaging", "splitmail.service")) as file:
        text = file.read()
    assert "ExecStart=/usr/bin/splitmail serve" in text
    unit = folder / "splitmail.service"
    unit.write_text(text.replace("/usr/bin/splitmail", binary))
    return unit


def test_the_unit_is_one(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    unit = unit_for(binary(), tmp_path)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "splitmail" not in done.stderr, done.stderr


def test_the_units_sandbox_is_tight(tmp_path):
    """2.0 is "OK"; Debian's exim4 and dovecot are above 8."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager",
         "--threshold=20", unit_for("/bin/true", tmp_path)],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr
