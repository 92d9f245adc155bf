"""The Rspamd that Splitmail runs itself, as Debian packages it."""

import contextlib
import os
import signal
import stat

import pytest

from splitmail import Refused
from world import descendants, wait_until


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
