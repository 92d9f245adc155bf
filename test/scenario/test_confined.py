"""The kernel holds the engine: whoever takes it over by a mail can do nothing
with it but mail.  On a kernel that cannot, mail flows all the same, and the log
says so."""

import ctypes
import errno
import os
import re
import shutil
import subprocess
import sys

import pytest

import old_kernel
from splitmail import binary
from world import wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
DOMAIN = "example.test"
ALICE = f"alice@{DOMAIN}"
REFUSED = {errno.EPERM, errno.EACCES, errno.ENOSYS}
# What a program that nobody confines may do as the same user.
USUAL = {"write_outside", "folder_outside", "clone", "listen", "owner"}
# The sanitizers' own check for leaks starts a process that looks into ours.
FOR_SANITIZER = {"clone", "ptrace"}


def has(call, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(call, *arguments) >= 0


HAS_LANDLOCK = has(444, None, 0, 1)


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """The library (confined_probe.c), where every user may load it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("there is no compiler")
    folder = f"/tmp/confined-probe-{os.getpid()}"
    os.mkdir(folder, 0o755)
    os.chmod(folder, 0o755)
    path = f"{folder}/probe.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-w", "-o", path,
                    f"{HERE}/confined_probe.c"], check=True)
    yield path
    shutil.rmtree(folder)


class Probed:
    """A server with somebody inside of its engine."""

    def __init__(self, world, probe, conf=""):
        self.outside = os.path.join(world.folder, "outside")
        os.mkdir(self.outside)
        os.chmod(self.outside, 0o777)
        self.report = os.path.join(self.outside, "report")
        self.server = world.server("a", start=False)
        data = self.server.data
        self.server.make_data()
        self.server.configure(conf)
        options = self.server.environment.get("ASAN_OPTIONS", "")
        self.server.environment.update(
            LD_PRELOAD=probe, PROBE_REPORT=self.report,
            PROBE_OUTSIDE=self.outside, PROBE_INSIDE=data,
            ASAN_OPTIONS=f"{options}:verify_asan_link_order=0".lstrip(":"))
        self.server.serve()

    def ask(self, thread):
        """{attempt: error number} of one thread of the engine."""
        with open(self.report, "w"):
            pass
        engine = self.server.engine_pid()
        libc = ctypes.CDLL(None, use_errno=True)
        tgkill = {"x86_64": 234, "aarch64": 131}[os.uname().machine]
        assert libc.syscall(tgkill, engine, thread, 12) == 0

        def said():
            with open(self.report) as file:
                return [line.split()[:2] for line in file]
        wait_until(lambda: ["end", "0"] in said(), 20, "the end of the probe")
        return {what: int(error) for what, error in said()}


def is_sanitized():
    with open(binary(), "rb") as file:
        return b"__asan_init" in file.read()


@pytest.mark.skipif(not HAS_LANDLOCK, reason="no Landlock")
def test_who_is_inside_can_do_nothing_but_mail(world, probe):
    probed = Probed(world, probe)
    server = probed.server
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    server.send("x@y.test", ALICE)
    engine = server.engine_pid()
    tasks = sorted(map(int, os.listdir(f"/proc/{engine}/task")))
    assert len(tasks) > 3
    allowed = FOR_SANITIZER if is_sanitized() else set()
    for task in tasks:
        said = probed.ask(task)
        assert len(said) > 20
        for what, error in said.items():
            if what.startswith("may_") or what == "end":
                assert error == 0, (task, what)
            elif what not in allowed:
                assert error in REFUSED, (task, what, os.strerror(error))
    server.send("x@y.test", ALICE)
    server.wait_for_mail(ALICE, 2)
    assert server.engine_pid() == engine
    assert os.listdir(probed.outside) == ["report"]
    assert re.search(r"engine\[\d+\]: confined: Landlock \d+, seccomp$",
                     server.log(), re.M)
    assert re.fullmatch(r"Landlock \d+, seccomp",
                        server.cli("status")["confined"])
    assert "confined by the kernel: Landlock" in server.run("status").stdout


def test_who_is_in_an_unconfined_one_could(world, probe):
    """So the refusals are the confinement's; and this ends it."""
    probed = Probed(world, probe, "confined = false")
    said = probed.ask(probed.server.engine_pid())
    assert {what for what in USUAL if said[what] == 0} == USUAL
    assert said["execve"] == errno.ENOTDIR      # there is no such program
    assert said["ptrace"] == errno.ESRCH        # the parent is not its tracee
    assert "confined: not at all: splitmail.conf" in probed.server.log()
    assert "not at all" in probed.server.cli("status")["confined"]


@pytest.mark.parametrize("lacks, says", [
    ("landlock=ENOSYS", "seccomp; no Landlock: this kernel has none"),
    pytest.param("landlock=EOPNOTSUPP",
                 "seccomp; no Landlock: this kernel was started without it",
                 marks=pytest.mark.long),
    pytest.param("landlock=EPERM",
                 "seccomp; no Landlock: refused by who started this",
                 marks=pytest.mark.long),
    ("seccomp=EINVAL", r"Landlock \d+; no seccomp: this kernel has none"),
    ("landlock=ENOSYS,seccomp=ENOSYS",
     "not at all; no Landlock: this kernel has none; "
     "no seccomp: this kernel has none"),
])
def test_on_an_old_kernel_mail_flows_and_the_log_says_so(world, lacks, says):
    if not HAS_LANDLOCK and "landlock" not in lacks:
        pytest.skip("no Landlock")
    server = world.server("a", start=False)
    server.prefix = [sys.executable, old_kernel.__file__, lacks]
    server.make_data()
    server.serve()
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    server.send("x@y.test", ALICE)
    server.wait_for_mail(ALICE)
    assert re.search(rf"engine\[\d+\]: confined: {says}$", server.log(), re.M)
    assert re.fullmatch(says, server.cli("status")["confined"])


@pytest.mark.skipif(not HAS_LANDLOCK, reason="no Landlock")
def test_what_lies_elsewhere_by_a_link_is_written(world):
    """spool/ and queue.db on another disk, and large mail that waits there;
    the socket of programs in a folder of its own."""
    server = world.server("a", start=False)
    server.make_data()
    socket = f"{world.folder}/programs/submit"
    server.configure(f'sendmail {{ socket = "{socket}" }}')
    elsewhere = os.path.join(world.folder, "elsewhere")
    owner = os.stat(server.data)
    server.serve()
    server.stop()
    for name in ("spool", "queue.db", "run"):
        os.makedirs(f"{elsewhere}/{name}")
        shutil.move(f"{server.data}/{name}", f"{elsewhere}/{name}")
        os.symlink(f"{elsewhere}/{name}/{name}", f"{server.data}/{name}")
    for folder, _, names in os.walk(elsewhere):
        for path in [folder, *(os.path.join(folder, n) for n in names)]:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
    server.serve()
    server.cli("domain", "create", DOMAIN, "--relay", "127.0.0.1:1")
    server.user(ALICE, "--mail-system", "alternate")
    server.send("x@y.test", ALICE, "\r\n".join(["Subject: large", ""] +
                                                ["x" * 70] * 30000))
    assert server.waiting() == 1
    assert os.listdir(f"{elsewhere}/spool/spool")
    assert os.path.exists(socket)
    server.restart()
    assert server.waiting() == 1
