"""A page of docs/ as what it is tried by: its fences, a shell that runs its
commands one after the other, and the people in it.

The people are the same in all pages: this server is mail.example.org, and
example.org's other system is exchange.example.org (192.0.2.20), where bob and
carol have their mailboxes; nobody else is there.  zimbra.example.org
(192.0.2.30) does not answer.  elsewhere.example is in the Internet.
"""

import os
import re
import subprocess
import time

import pytest

from shell import Shell
from sink import Sink
from splitmail import ROOT, Server, binary
from world import within

DOCS = os.path.join(ROOT, "docs")
MAKER = os.path.join(ROOT, "tools", "manual", "build.py")
FENCE = re.compile(r"^( *)```(\w+)?([^\n]*)\n(.*?)^\1```$", re.S | re.M)
# What a line of a page may begin with: the lines are run by root.
PROGRAMS = {"splitmail", "sendmail", "mailq", "printf", "echo", "curl", "cat",
            "mkdir", "ls", "for", "sleep"}
# What may be asked again until it says what the page says.
QUESTIONS = re.compile(r"splitmail (status|route|queue list|\w+ show|\w+ list)"
                       r"|mailq|curl [^|]*(imaps|health|metrics)")
NOT_RUN = " not run: "


class Fence:
    def __init__(self, page, kind, more, text, line):
        self.page, self.kind, self.more = page, kind or "", more.rstrip()
        self.text, self.line = text, line
        self.said = None        # what the page says the commands say

    def __str__(self):
        return f"{self.page}:{self.line}"

    @property
    def is_run(self):
        return self.kind == "console" and NOT_RUN not in self.more

    @property
    def fails(self):
        return self.more == " refused"

    def commands(self):
        lines = self.text.replace("\\\n", "").split("\n")
        return [line.strip() for line in lines
                if line.strip() and not line.strip().startswith("#")]


def pages():
    return sorted(name for name in os.listdir(DOCS) if name.endswith(".md"))


def fences(page):
    with open(os.path.join(DOCS, page), encoding="utf-8") as file:
        text = file.read()
    found = []
    for match in FENCE.finditer(text):
        body = re.sub(rf"^{match[1]}", "", match[4], flags=re.M)
        fence = Fence(page, match[2], match[3], body,
                      text.count("\n", 0, match.start()) + 1)
        if fence.kind == "output":
            found[-1].said = body
        found.append(fence)
    return found


def beforehand(page):
    """What a page takes for granted: <!-- first: COMMAND -->."""
    with open(os.path.join(DOCS, page), encoding="utf-8") as file:
        return re.findall(r"^<!-- first: (.*) -->$", file.read(), re.M)


def program_of(command):
    """Its name, without what is set for it: NAME=VALUE..."""
    word = re.sub(r"^(?:export )?\w+=(?:\$\((?=\w)|'[^']*' ?|\"[^\"]*\" ?|\S* ?)",
                  "", command)
    return word.split()[0].rstrip(";") if word.strip() else ""


def help_of(words):
    return subprocess.run([binary(), "help", *words], capture_output=True,
                          text=True)


def assert_known(words, where):
    """splitmail WORDS, the options of them: is there such a command?"""
    for n in 3, 2, 1:
        done = help_of(words[:n])
        if done.returncode == 0 and len(words) >= n:
            break
    assert done.returncode == 0, f"{where}: {done.stderr}"
    for option in filter(lambda w: w.startswith("--"), words):
        name = option[2:].partition("=")[0]
        assert f"--{name}" in done.stdout or re.search(
            rf"^  {name.replace('-', '_')}\b", done.stdout, re.M), \
            f"{where}: {option}"


def pattern_of(text):
    """What a page says, for what was said: … is anything; how wide a column is
    and empty lines do not matter."""
    lines = []
    for line in filter(str.strip, text.split("\n")):
        if line.strip() == "…":
            lines.append(r"(?:.*\n)*?")
            continue
        words = [r"[^\n]*?".join(re.escape(part) for part in word.split("…"))
                 for word in line.split()]
        lines.append(r"[ \t]*" + r"[ \t]+".join(words) + r"[ \t]*\n")
    return re.compile("".join(lines))


def without_empty_lines(said):
    return "".join(f"{line}\n" for line in said.split("\n") if line.strip())


def tables():
    """The code's own, where the binary was built: what MAKER makes pages of."""
    build = os.path.dirname(os.path.realpath(
        os.environ.get("SPLITMAIL_BINARY") or os.path.join(
            ROOT, "build-test", "splitmail")))
    path = os.path.join(build, "..", "..", "docs", "reference.json")
    if not os.path.exists(path):
        pytest.skip(f"no {path}")
    return path


# ---- the people

class Mail(Server):
    """mail.example.org, with the usual ports of 127.0.0.1: a network of its own
    is needed."""

    def __init__(self, folder):
        super().__init__(folder, "mail", hostname="mail.example.org", base=0,
                         data=os.path.join(folder, "data"))
        self.claim.close()
        self.address = "127.0.0.1"
        self.ports["console"] = 8025
        self.hosts = os.path.join(folder, "hosts")

    def make_data(self):
        made = self.cli("init", "--hostname", self.hostname, "--bind",
                        self.address)
        self.admin_password = made["password"]
        with open(self.hosts, "w") as file:
            file.write("127.0.0.1 mail.example.org\n"
                       "192.0.2.20 exchange.example.org\n"
                       "192.0.2.30 zimbra.example.org\n"
                       "203.0.113.9 mx.elsewhere.example\n")
        os.chmod(self.hosts, 0o644)
        self.configure(f'dns {{\n hosts = "{self.hosts}"\n'
                       ' servers = { "127.0.0.1" }\n}')


def known(*users):
    """What a system with these users says to RCPT."""
    return {**{f"{user}@example.org": "250 2.1.5 ok" for user in users},
            None: "550 5.1.1 no such user here"}


def people(world):
    for address in "192.0.2.20", "192.0.2.30", "203.0.113.9":
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"],
                       check=True)
    world.names("""
        elsewhere.example.     MX 10 mx.elsewhere.example.
        mx.elsewhere.example.  A  203.0.113.9
        example.org.           MX 10 mail.example.org.
        mail.example.org.      A  127.0.0.1
    """)
    world.add(Sink("exchange", "192.0.2.20", 25,
                   on={"RCPT": known("bob", "robert", "carol",
                                 "sales", "dora")}))
    world.add(Sink("elsewhere", "203.0.113.9", 25))
    mail = Mail(world.subfolder("mail"))
    return world.add(mail)


# ---- the shell

def root_shell(server):
    """root's, with /srv and /etc/hosts for itself."""
    programs = os.path.join(server.folder, "programs")
    os.mkdir(programs)
    for name in "splitmail", "sendmail", "mailq":
        os.symlink(binary(), os.path.join(programs, name))
    return Shell(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c",
         "mount -t tmpfs tmpfs /srv && mount --bind \"$1\" /etc/hosts && "
         "exec bash --norc", "sh", server.hosts], server.folder,
        env={**server.command_environment(()), "HOME": server.folder,
             "LC_ALL": "C.UTF-8", "SPLITMAIL_DATA": server.data,
             "PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin"})


def run_line(shell, command, fails):
    """(what it says, status).  What a question is about may be on its way."""
    end = time.monotonic() + within(60)
    while True:
        said, status = shell.run(command)
        if (status != 0) == fails or not QUESTIONS.search(command) or \
                time.monotonic() > end:
            return said, status
        time.sleep(0.2)


def run_fence(shell, fence):
    """Each line succeeds (or is refused, where the page says so), and together
    they say what the page has below them."""
    said = ""
    for command in fence.commands():
        more, status = run_line(shell, command, fence.fails)
        assert (status != 0) == fence.fails, \
            f"{fence}: {command}: {status}: {more}"
        last, said = command, said + more
    if fence.said is None:
        return
    wanted, end = pattern_of(fence.said), time.monotonic() + within(20)

    while not wanted.fullmatch(without_empty_lines(said)):
        assert len(fence.commands()) == 1 and QUESTIONS.match(last) and \
            time.monotonic() < end, f"{fence}: it says\n{said}"
        said, _ = shell.run(last)
