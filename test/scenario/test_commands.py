"""The command line as people use it: at a terminal, with the Tab key, and with
words of other mail servers."""

import fcntl
import os
import pty
import select
import shutil
import signal
import subprocess
import termios

import pytest

from splitmail import ROOT, binary
from world import within

DOMAIN = "example.test"
ALICE = f"alice@{DOMAIN}"


@pytest.fixture(scope="module")
def server(shared_world):
    server = shared_world.server("a", start=False)
    server.leaks_matter = True
    server.run("init", "--hostname", "a.test", "--bind", "127.0.0.1",
               "--port-base", "30000")
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    return server


def at_terminal(server, *words, says=b""):
    """What is on the screen when WORDS are run there and SAYS is typed, and
    the exit status."""
    pid, screen = pty.fork()
    if pid == 0:
        os.execv(binary(), [binary(), "--data", server.data, *words])
    shown = b""
    while select.select([screen], [], [], within(20))[0]:
        try:
            more = os.read(screen, 4096)
        except OSError:
            break
        if not more:
            break
        shown += more
        if says and b"? [y/N]" in shown:
            os.write(screen, says)
            says = b""
    os.close(screen)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return shown.decode(), status


def there(server, noun):
    return {each.get("address") or each["name"]
            for each in server.cli(noun, "list")}


@pytest.mark.parametrize("noun, name, more", [
    ("user", f"bob@{DOMAIN}", []), ("group", f"team@{DOMAIN}", []),
    ("shared", f"info@{DOMAIN}", []), ("domain", "other.test", []),
    ("system", "gw", ["--hosts", "192.0.2.1"]),
    ("filter", "dkim", ["--socket", "unix:/run/dkim.sock"]),
    ("admin", "jane", ["--role", "superadmin"]),
])
def test_who_deletes_at_a_terminal_is_asked(server, noun, name, more):
    server.cli(noun, "create", name, *more)
    shown, status = at_terminal(server, noun, "delete", name, says=b"n\n")
    assert status == 1 and "Nothing was changed" in shown, shown
    assert name in shown
    assert name in there(server, noun)
    shown, status = at_terminal(server, noun, "delete", name, says=b"y\n")
    assert status == 0, shown
    assert name not in there(server, noun)
    server.cli(noun, "create", name, *more)
    shown, status = at_terminal(server, noun, "delete", name, "--yes")
    assert status == 0 and "y/N" not in shown
    server.cli(noun, "create", name, *more)
    done = server.run(noun, "delete", name)     # a script cannot be asked
    assert done.returncode == 2 and "add --yes" in done.stderr
    assert name in done.stderr and name in there(server, noun)
    server.cli(noun, "delete", name, "--yes")
    assert name not in there(server, noun)


@pytest.mark.parametrize("order, asks", [
    ("delete", "without telling anybody?"), ("bounce", "tell its senders?")])
def test_the_queue_too(server, order, asks):
    shown, status = at_terminal(server, "queue", order, "--all", says=b"\n")
    assert status == 1 and "all mail that waits" in shown and asks in shown
    for which in ("--all", f"--recipient={ALICE}"):
        done = server.run("queue", order, which)
        assert done.returncode == 2 and "add --yes" in done.stderr
        assert server.run("queue", order, which, "--yes").returncode == 0


def test_who_breaks_off_at_a_password_sees_what_he_types(server):
    """Ctrl-C, too, gives the terminal back as it was."""
    master, slave = pty.openpty()
    asked = subprocess.Popen(
        [binary(), "--data", server.data, "user", "password", ALICE],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    shown = b""
    while b"New password:" not in shown:
        assert select.select([master], [], [], within(20))[0], shown
        shown += os.read(master, 4096)
    assert not termios.tcgetattr(slave)[3] & termios.ECHO
    os.write(master, b"half\x03")
    assert asked.wait(within(20)) == -signal.SIGINT
    assert termios.tcgetattr(slave)[3] & termios.ECHO
    os.close(master)
    os.close(slave)


COMPLETE = """
source <({binary} completion bash)
COMP_LINE="$1" COMP_POINT=${{#1}}
read -ra COMP_WORDS <<<"${{1//=/ = }}"
[[ $1 == *" " ]] && COMP_WORDS+=("")
[[ $1 == *"=" ]] && COMP_WORDS+=("")
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
compopt() {{ :; }}
_splitmail
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(server, line):
    """What bash would put in place of the last word."""
    line = f"{binary()} --data {server.data} {line}"
    done = subprocess.run(
        ["bash", "-c", COMPLETE.format(binary=binary()), "bash", line],
        capture_output=True, text=True, timeout=200)
    assert done.stderr == "", done.stderr
    return done.stdout.split()


def test_the_tab_key_in_bash(server):
    assert completed(server, "us") == ["user"]
    assert completed(server, "user sh") == ["show"]
    assert completed(server, "user show ") == [ALICE]
    assert completed(server, f"user set {ALICE} mail") == ["mail_system="]
    assert completed(server, f"user set {ALICE} mail_system=al") == [
        "alternate"]
    assert completed(server, "domain show exa") == [DOMAIN]


def test_the_zsh_function_is_zsh(server):
    """As far as it can be told without zsh: the file is what is printed."""
    printed = server.run("completion", "zsh").stdout
    with open(os.path.join(ROOT, "src/cli/completion.zsh")) as file:
        assert printed.strip() == file.read().strip()


@pytest.mark.parametrize("words, says", [
    (["version"], "splitmail "), (["-V"], "splitmail "), (["-v"], "splitmail "),
    (["-h"], "Usage:"), (["help"], "Usage:"), (["help", "user"], "user set"),
    (["help", "init"], "24190"), (["init", "--help"], "--port-base"),
    (["serve", "-h"], "SIGHUP"), (["as-user", "--help"], "Usage:"),
    (["sendmail", "--help"], "-f SENDER"),
])
def test_what_is_asked_for_is_answered(server, words, says):
    done = server.run(*words)
    assert done.returncode == 0, done.stderr
    assert says in done.stdout and done.stderr == ""


@pytest.mark.parametrize("words, says", [
    (["mailq"], "queue list"), (["user", "add"], "user create"),
    (["initt"], "splitmail init"), (["stop"], "SIGTERM"),
    (["wibble"], "--help"),
])
def test_a_guess_is_answered_with_what_was_meant(server, words, says):
    done = server.run(*words)
    assert done.returncode == 2 and says in done.stderr
    assert done.stdout == "" and done.stderr.count("\n") == 1


@pytest.mark.parametrize("words, says", [
    (["init", "--hostnam", "m.example.org"], "did you mean --hostname?"),
    (["init", "extra"], "one word too many"), (["serve", "--verbose"], "Usage:"),
    (["convert", "--now"], "Usage:"), (["backup"], "FOLDER is missing"),
])
def test_a_word_too_many_starts_nothing(server, words, says, tmp_path):
    """Not even where it could be overlooked."""
    done = server.run("--data", str(tmp_path / "new"), *words)
    assert done.returncode == 2 and says in done.stderr
    assert done.stdout == "" and not (tmp_path / "new").exists()


def test_the_first_screen(server):
    shown = server.run("--help").stdout.splitlines()
    assert max(map(len, shown)) <= 80
    text = "\n".join(shown)
    assert "  engine" not in text and "as-user" not in text
    assert text.index("domain") < text.index("user") < text.index("serve")
