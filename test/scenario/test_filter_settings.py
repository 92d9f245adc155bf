"""Filters as an administrator sets them, by the command line and the HTTP API,
and whether they answer."""

import pytest

from api_world import a, administrator, domain, root  # fixtures
from milter import Milter

SOCKET = "inet:localhost:11332"
WHOLE = {"socket": SOCKET, "listeners": [], "direction": "both",
         "when_down": "later", "timeout": 30, "enabled": True}


@pytest.fixture
def milter():
    milter = Milter()
    milter.start()
    yield milter
    milter.end()


@pytest.fixture(autouse=True)
def no_filters(root):
    yield
    for each in root.get("/filters").json["items"]:
        root.delete(f"/filters/{each['name']}")



def test_the_command_line_sets_filters(a):
    a.cli("filter", "create", "rspamd", "--socket", "inet:11332@LOCALHOST")
    a.cli("filter", "create", "dkim", "--socket", "local:/run/dkim.sock",
          "--listener", "mx", "--listener", "submission",
          "--direction", "out", "--when-down", "accept", "--timeout", "5")
    first, second = a.cli("filter", "list")
    assert first == {"name": "rspamd", "position": 1, **WHOLE}
    assert second == {"name": "dkim", "position": 2, "enabled": True,
                      "socket": "unix:/run/dkim.sock", "timeout": 5,
                      "listeners": ["mx", "submission"],
                      "direction": "out", "when_down": "accept"}
    a.cli("filter", "set", "dkim", "position=1", "enabled=no")
    assert [f["name"] for f in a.cli("filter", "list")] == ["dkim", "rspamd"]
    assert "position" in a.refused("filter", "set", "dkim", "colour=red")
    assert "unix: or inet:" in a.refused("filter", "set", "dkim",
                                         "socket=/run/dkim.sock")
    a.cli("filter", "delete", "dkim", "--yes")
    assert "only rspamd" in a.refused("filter", "delete", "dkim", "--yes")


def test_whether_a_filter_answers(a, root, milter):
    a.cli("filter", "create", "here", "--socket", milter.socket)
    by_api = root.get("/filters/here")
    for shown in (a.cli("filter", "show", "here"), by_api.json):
        assert (shown["answers"], shown["trouble"]) == (True, "")
    milter.end()
    for shown in (a.cli("filter", "show", "here"),
                  root.get("/filters/here").json):
        assert not shown["answers"]
        assert "refused" in shown["trouble"]
    # What it is set to has not changed.
    root.patch("/filters/here", {"timeout": 7},
               headers={"If-Match": by_api.headers["etag"]})


def test_the_api_sets_filters(root):
    made = root.put("/filters/rspamd", {"socket": SOCKET}, status=201)
    assert made.json == {"name": "rspamd", "position": 1, **WHOLE}
    root.patch("/filters/rspamd", {"timeout": "9", "listeners": ["mx"]})
    root.patch("/filters/rspamd", {"enabled": False}, status=412,
               headers={"If-Match": made.headers["etag"]})
    now = root.get("/filters/rspamd").json
    assert (now["timeout"], now["listeners"]) == (9, ["mx"])
    root.put("/filters/dkim", {"socket": "inet:8891@[::1]", "position": 1},
             status=201)
    names = [(f["name"], f["socket"])
             for f in root.get("/filters").json["items"]]
    assert names == [("dkim", "inet:[::1]:8891"), ("rspamd", SOCKET)]
    # PUT brings it into the state that is given, and leaves it where it is.
    again = root.put("/filters/rspamd", {"socket": SOCKET}).json
    assert again == {"name": "rspamd", "position": 2, **WHOLE}
    # A preview is none.
    root.request("PATCH", "/filters/rspamd?preview=true", {"timeout": 3})
    assert root.get("/filters/rspamd").json["timeout"] == 30
    root.delete("/filters/rspamd")
    root.get("/filters/rspamd", status=404)


@pytest.mark.parametrize("role", ["domain-admin", "delegate"])
def test_filters_are_the_superadministrators(root, domain, role):
    root.put("/filters/rspamd", {"socket": SOCKET}, status=201)
    api = administrator(root, role, domain)
    for method, path in (("GET", "/filters"), ("GET", "/filters/rspamd"),
                         ("PUT", "/filters/x"), ("PATCH", "/filters/rspamd"),
                         ("DELETE", "/filters/rspamd")):
        body = {"socket": SOCKET} if method in ("PUT", "PATCH") else None
        api.request(method, path, body, 403)
