"""The image of packaging/oci, as a runtime starts it: one user, one capability,
nothing writable but its volume, /run and /tmp; in a network of its own.

Called with ROOT, the image's file system, and CONFIG, what it says of itself.
"""

import json
import os
import subprocess
import time

import pytest

ROOT, CONFIG = os.environ["IMAGE_ROOT"], os.environ["IMAGE_CONFIG"]
ONE = "CAP_NET_BIND_SERVICE"
PASSWORD = "a long password"


def config_of(volume):
    """What podman makes of: run --read-only --cap-drop all --cap-add ..."""
    with open(CONFIG) as file:
        image = json.load(file)["config"]
    uid, gid = map(int, image["User"].split(":"))
    kinds = ("bounding", "effective", "permitted", "ambient", "inheritable")
    tmpfs = {"type": "tmpfs", "source": "tmpfs",
             "options": ["nosuid", "nodev", f"uid={uid}", f"gid={gid}"]}
    return {
        "ociVersion": "1.0.2",
        "hostname": "mx",
        "root": {"path": ROOT, "readonly": True},
        "process": {"args": image["Entrypoint"] + image["Cmd"], "cwd": "/",
                    "env": image["Env"], "user": {"uid": uid, "gid": gid},
                    "noNewPrivileges": True,
                    "capabilities": {kind: [ONE] for kind in kinds}},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
             "options": ["nosuid", "strictatime", "mode=755"]},
            {"destination": "/tmp", **tmpfs},
            {"destination": "/run/splitmail", **tmpfs},
            {"destination": next(iter(image["Volumes"])), "type": "bind",
             "source": str(volume), "options": ["bind", "rw"]}],
        "linux": {"namespaces": [{"type": kind} for kind in (
            "pid", "ipc", "uts", "mount", "network")]}}


class Container:
    def __init__(self, folder):
        self.volume = folder / "volume"
        self.bundle = folder / "bundle"
        self.state = folder / "state"
        self.name = f"splitmail-{os.getpid()}"
        self.log = folder / "log"
        self.volume.mkdir()
        self.bundle.mkdir()
        os.chown(self.volume, 990, 990)

    def runc(self, *words, **more):
        return subprocess.run(["runc", "--root", str(self.state), *words],
                              text=True, timeout=600, **more)

    def once(self, *words):
        """As `podman run --rm splitmail WORDS`."""
        self.write(config_of(self.volume), words)
        return self.runc("run", "-b", str(self.bundle), self.name + "-once",
                         capture_output=True)

    def write(self, config, words=()):
        if words:
            config["process"]["args"][1:] = words
        (self.bundle / "config.json").write_text(json.dumps(config))

    def start(self):
        self.write(config_of(self.volume))
        self.process = subprocess.Popen(
            ["runc", "--root", str(self.state), "run", "-b", str(self.bundle),
             self.name], stdout=open(self.log, "a"), stderr=subprocess.STDOUT)
        wait_for(lambda: self.status() == 0, "it to be up")

    def status(self):
        return self.runc("exec", self.name, "splitmail", "status", "--nagios",
                         capture_output=True).returncode

    def cli(self, *words, **more):
        done = self.runc("exec", self.name, "splitmail", *words,
                         capture_output=True, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pids(self):
        done = self.runc("ps", "-f", "json", self.name, capture_output=True)
        return json.loads(done.stdout)

    def inside(self, program):
        """PROGRAM in Python, in its network."""
        done = subprocess.run(
            ["nsenter", "--net", "--target", str(self.pids()[0]), "python3",
             "-c", program], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self):
        self.runc("kill", self.name, "TERM")
        return self.process.wait(120)


def wait_for(question, what, seconds=300):
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end, f"{what}: not after {seconds} s"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def container(tmp_path_factory):
    folder = tmp_path_factory.mktemp("container")
    os.chmod(folder, 0o755)
    one = Container(folder)
    made = one.once("init", "--hostname", "mx.example.test")
    assert made.returncode == 0, made.stderr
    assert "password" in made.stdout
    try:
        one.start()
        yield one
    finally:        # also of one that never was up
        one.stop()
        print(one.log.read_text())


SEND = """
import smtplib
with smtplib.SMTP("127.0.0.1", 25, "client.test") as smtp:
    smtp.sendmail("x@elsewhere.test", ["ann@example.test"],
                  "Subject: %s\\r\\n\\r\\nhello\\r\\n")
"""
READ = """
import imaplib, ssl
imap = imaplib.IMAP4_SSL("127.0.0.1", 993,
                         ssl_context=ssl._create_unverified_context())
imap.login("ann@example.test", %r)
imap.select("INBOX")
for n in imap.search(None, "ALL")[1][0].split():
    print(imap.fetch(n, "(BODY[HEADER.FIELDS (SUBJECT)])")[1][0][1].decode())
""" % PASSWORD


def subjects(container):
    return [line.split(": ")[1] for line in container.inside(READ).splitlines()
            if line.startswith("Subject: ")]


def test_mail_comes_in_and_is_read(container):
    container.cli("domain", "create", "example.test")
    container.cli("user", "create", "ann@example.test", "--password-stdin",
                  input=PASSWORD + "\n")
    container.inside(SEND % "first")
    wait_for(lambda: subjects(container) == ["first"], "the mail")


def test_it_is_one_user_with_one_capability(container):
    pids = container.pids()
    assert len(pids) > 3
    for pid in pids:
        with open(f"/proc/{pid}/status") as file:
            said = dict(line.rstrip("\n").split(":\t", 1) for line in file
                        if ":\t" in line)
        assert set(said["Uid"].split()) == {"990"}, said["Name"]
        assert set(said["Gid"].split()) == {"990"}, said["Name"]
        for kind in "CapEff", "CapPrm", "CapBnd":
            assert int(said[kind], 16) in (0, 1 << 10), said["Name"]
        assert said["NoNewPrivs"] == "1"


def test_its_root_is_read_only(container):
    for path in "/here", "/etc/here", "/usr/bin/here", "/var/lib/here":
        done = container.runc("exec", container.name, "touch", path,
                              capture_output=True)
        assert done.returncode != 0 and "ead-only" in done.stderr


def test_it_says_what_it_has(container):
    assert "runs since" in container.cli("status")
    assert "confined: " in container.log.read_text()


def test_mail_is_there_after_it_was_made_anew(container):
    container.inside(SEND % "second")
    assert container.stop() == 0
    assert os.listdir(container.state) == []
    container.start()
    wait_for(lambda: sorted(subjects(container)) == ["first", "second"],
             "the mails of before")
