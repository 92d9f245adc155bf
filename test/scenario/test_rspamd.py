"""The Rspamd that Splitmail runs itself, as Debian packages it."""

import contextlib
import os
import signal
import smtplib
import stat

import pytest

from splitmail import Refused
from world import descendants, wait_until


DOMAIN = "own.test"
ALICE = f"alice@{DOMAIN}"
STRANGER = "stranger@elsewhere.test"
# Rspamd's own words for trials: refused, and spam.
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
SPAM = "YJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

pytestmark = pytest.mark.long       # it takes half a minute to come up


@pytest.fixture
def server(world):
    return world.server("a", conf="dns {\n\tservers = {\"127.0.0.1@9\"}\n}")


def rspamds(server):
    """Its processes, by their ids."""
    found = []
    for pid in descendants(server.process.pid):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as file:
            if file.read().strip() == "rspamd":
                found.append(pid)
    return found


def answers(server):
    return server.cli("filter", "show", "rspamd")["answers"]


def test_enabled_and_deleted(server):
    with pytest.raises(Refused, match="runs no filter but rspamd"):
        server.cli("filter", "enable", "clamav")
    server.cli("filter", "enable", "rspamd")
    wait_until(lambda: answers(server), 120, "Rspamd", pause=0.5)
    # its own folder, as who the rest runs, and no port of anybody's
    milter = f"{server.data}/rspamd/run/milter.sock"
    owner = os.stat(server.data).st_uid
    assert os.stat(milter).st_uid == owner
    assert stat.S_IMODE(os.stat(milter).st_mode) == 0o600
    server.cli("filter", "enable", "rspamd")        # once more: the same
    [one] = server.cli("filter", "list")
    assert one["name"] == "rspamd" and one["enabled"]
    server.cli("filter", "delete", "rspamd", "--yes")
    wait_until(lambda: not rspamds(server), 60, "its end")
    server.cli("filter", "enable", "rspamd")
    wait_until(lambda: answers(server), 60, "Rspamd", pause=0.5)
    # killed, it is there again; and it ends with the server
    os.kill(min(rspamds(server)), signal.SIGKILL)
    wait_until(lambda: "Rspamd ended with status" in server.log(), 60)
    wait_until(lambda: answers(server), 60, "Rspamd", pause=0.5)
    left = rspamds(server)
    server.stop()
    assert not [pid for pid in left if os.path.exists(f"/proc/{pid}")]


def letter(body):
    return ("From: <stranger@elsewhere.test>\r\nTo: <alice@own.test>\r\n"
            "Date: Mon, 30 Nov 2026 12:00:00 +0000\r\n"
            "Message-ID: <1@elsewhere.test>\r\nSubject: hello\r\n\r\n"
            f"{body}\r\n")


def test_mail_is_judged(server):
    server.cli("domain", "create", DOMAIN)
    server.user(ALICE)
    server.cli("filter", "enable", "rspamd")
    local = f"{server.data}/rspamd/local.d"
    wait_until(lambda: answers(server), 120, "Rspamd", pause=0.5)
    # what its administrator wants otherwise
    for name, words in (("options.inc", "enable_test_patterns = true;\n"),
                        ("milter_headers.conf", "skip_local = false;\n")):
        with open(f"{local}/{name}", "a") as file:
            file.write(words)
        os.chmod(f"{local}/{name}", 0o644)
    server.restart()
    wait_until(lambda: answers(server), 120, "Rspamd", pause=0.5)
    server.send(STRANGER, ALICE, letter("hello"))
    [mail] = server.wait_for_mail(ALICE)
    assert b"Authentication-Results: a.splitmail.test;" in mail
    server.send(STRANGER, ALICE, letter(SPAM))
    server.wait_for_mail(ALICE, folder="Junk")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        server.send(STRANGER, ALICE, letter(GTUBE))
    assert refused.value.smtp_code == 554
    assert server.subjects(ALICE) == ["hello"]
    assert "rspamd_task_write_log: id: <1@elsewhere.test>" in server.log()
