"""What an attacker sends to the console.  Where it can be, an attack is made
on every operation that openapi.json names, those of tomorrow included."""

import glob
import itertools
import os
import re
import socket
import sqlite3

import pytest

from api import Api, document, quote
from world import wait_until

PASSWORD = "correct horse"
WRITES = ("post", "put", "patch", "delete")
EVIL_ORIGIN = "https://evil.test"


class From(Api):
    """A client at an address of its own."""

    def __init__(self, server, address):
        super().__init__(server)
        self.address = address

    def connect(self):
        connection = super().connect()
        connection.source_address = (self.address, 0)
        return connection


@pytest.fixture(scope="module")
def a(shared_world):
    return shared_world.server("a")


@pytest.fixture(scope="module")
def root(a):
    api = Api(a)
    api.sign_in("admin0", a.admin_password)
    return api


@pytest.fixture(scope="module")
def real(a, root):
    """The parts of paths, by path and name: things that are there."""
    user, group, shared = "u@here.test", "g@here.test", "s@here.test"
    root.put("/domains/here.test", {"relay": f"{a.address}:1"}, status=201)
    root.put(f"/users/{user}", {"password": PASSWORD}, status=201)
    a.passwords[user] = PASSWORD
    root.put("/users/gone@here.test", {"mail_system": "alternate"},
             status=201)
    root.put(f"/groups/{group}", {"members": [user]}, status=201)
    root.put(f"/shared/{shared}", {}, status=201)
    root.put("/systems/other", {"hosts": "other.test", "tls": "required",
                                "user": "u", "password": "swordfish"},
             status=201)
    root.put("/filters/spam", {"socket": f"inet:{a.address}:1",
                              "when_down": "accept"}, status=201)
    root.put("/administrators/anna", {"domain": "here.test",
                                      "role": "domain-admin",
                                      "password": PASSWORD}, status=201)
    token = root.new_token("t").json
    a.send("x@elsewhere.example", ["gone@here.test"])
    waiting = wait_until(lambda: root.get("/queue").json["items"], 20,
                         "a message in the queue")
    return {"/domains/{name}": "here.test", "/users/{address}": user,
            "/groups/{address}": group, "/shared/{address}": shared,
            "/systems/{name}": "other", "/filters/{name}": "spam",
            "/administrators/{name}": "anna",
            "/queue/{id}": waiting[0]["id"],
            "/tokens/{id}": str(token["id"]), "{alias}": "v@here.test",
            "{member}": user}


def filled(path, real, **other):
    """PATH with what is really there, or with OTHER in the places it names.
    A part that is not known here is "1"."""
    def value(match):
        if match[1] in other:
            return other[match[1]]
        return real.get(path[:match.end()], real.get(match[0], "1"))
    return re.sub(r"\{(\w+)\}", lambda m: quote(value(m)), path)


def operations(*methods):
    """(METHOD, path, operation, names of its parameters by where they are)"""
    api = document()
    for path, item in api["paths"].items():
        for method, operation in item.items():
            if method not in methods:
                continue
            names = {"path": re.findall(r"\{(\w+)\}", path), "query": []}
            for each in item.get("parameters", []) + operation.get(
                    "parameters", []):
                if "$ref" in each:
                    each = api["components"]["parameters"][
                        each["$ref"].rpartition("/")[2]]
                if each["in"] == "query":
                    names["query"].append(each["name"])
            yield method.upper(), path, operation, names


def state(root):
    """What any change would show in."""
    return (root.get("/changes", limit=1).json["items"],
            root.get("/queue").json["items"][0]["recipients"][0]["state"],
            len(root.get("/tokens").json["items"]))


def ask(a, *lines):
    """Bytes as they are; the answer's first KB, "" when there is none."""
    with socket.create_connection((a.address, a.ports["console"]), 120) as s:
        try:
            s.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
            return s.recv(1000).decode("latin-1")
        except ConnectionError:
            return ""


# ---- from another site -----------------------------------------------------

def test_every_write_needs_the_token_of_its_session(root, real):
    """A form or script of another site sends the administrator's cookie
    along, but not X-CSRF-Token: 403 for POST, PUT, PATCH and DELETE, also
    when the token is known and the Origin is another; nothing changes, and
    a body as text/plain, which needs no asking beforehand, is refused."""
    before = state(root)
    cookie = {"Cookie": f"splitmail_session={root.cookie}",
              "Content-Type": "application/json"}
    ours = {**cookie, "X-CSRF-Token": root.csrf}
    for method, path, operation, _ in operations(*WRITES):
        if operation.get("security") == []:
            continue
        target = "/api/v1" + filled(path, real)
        for headers in (cookie, {**cookie, "X-CSRF-Token": "x" * 52},
                        {**cookie, "X-CSRF-Token": ""},
                        {**cookie, "Origin": EVIL_ORIGIN},
                        {**ours, "Origin": EVIL_ORIGIN},
                        {**ours, "Origin": "null"}):
            answer = root.raw(method, target, "{}", headers)
            assert answer.status == 403, (method, path, headers, answer.text)
        if "requestBody" not in operation:
            continue
        for kind in ("text/plain", "application/x-www-form-urlencoded",
                     "multipart/form-data; boundary=x"):
            answer = root.raw(method, target, "{}",
                              {**ours, "Content-Type": kind})
            assert answer.status == 415, (method, path, kind, answer.text)
    assert state(root) == before
    answer = root.raw("POST", "/api/v1/session", "{}", {
        "Content-Type": "application/json", "Origin": EVIL_ORIGIN})
    assert answer.status == 403


def test_no_get_changes_anything(root, real):
    """GET on what is there to be changed shows it or is refused, whatever
    method a header or a parameter asks for instead."""
    before = state(root)
    for path in document()["paths"]:
        target = "/api/v1" + filled(path, real)
        for name in ("X-HTTP-Method-Override", "X-HTTP-Method",
                     "X-Method-Override"):
            answer = root.raw("GET", target + "?_method=DELETE", None,
                              root.headers("GET", {name: "DELETE"}))
            assert answer.status in (200, 400, 404, 405, 422), (
                path, answer.text)
            assert answer.status != 405 or "GET" not in answer.headers[
                "allow"]
    assert state(root) == before
    root.get("/users/u@here.test")


def test_no_other_site_may_read(root, real):
    """Origin null or another with credentials, and the browser's question
    beforehand: no Access-Control header in any answer."""
    for method, path, *_ in operations("get"):
        for origin in (EVIL_ORIGIN, "null"):
            for asked in (method, "OPTIONS"):
                answer = root.raw(asked, "/api/v1" + filled(path, real), None,
                                  root.headers("GET", {
                                      "Origin": origin,
                                      "Access-Control-Request-Method": "PUT"}))
                assert not [name for name in answer.headers
                            if name.startswith("access-control")], path


def test_an_unknown_host_gets_nothing(a, root, real):
    """Host: evil.test, as after DNS rebinding: refused for pages, sign-in and
    every operation, so that no link can be made of it."""
    for target in ["/", "/health", "/metrics"] + [
            "/api/v1" + filled(path, real) for path in document()["paths"]]:
        for name in ("evil.test", f"{a.hostname}.evil.test", "evil.test:80"):
            answer = root.raw("GET", target, None,
                              root.headers("GET", {"Host": name}))
            assert answer.status == 421 and "evil" not in answer.text, target


# ---- sessions and tokens ---------------------------------------------------

def test_other_rights_are_in_force_at_once(a, root, real):
    """An administrator's role or domain is taken away, or his password is
    set: the session he has does not keep what it had."""
    root.put("/administrators/ben", {"domain": "here.test", "role":
                                     "domain-admin", "password": PASSWORD},
             status=201)
    ben = Api(a)
    ben.sign_in("ben", PASSWORD)
    ben.patch("/domains/here.test", {"description": "by ben"})
    root.patch("/administrators/ben", {"role": "delegate"})
    ben.patch("/domains/here.test", {"description": "again"}, status=403)
    root.patch("/administrators/ben", {"password": "another password"})
    ben.get("/session", status=401)


def test_a_secret_in_the_address_opens_nothing(a, root):
    """Addresses end up in logs and histories: neither a session nor a token
    counts there, and the log shows neither."""
    token = root.new_token("in the address", "write").json["token"]
    for name, secret in itertools.product(
            ("splitmail_session", "session", "token", "access_token",
             "bearer"), (root.cookie, token)):
        answer = root.raw("GET", f"/api/v1/session?{name}={secret}")
        assert answer.status == 401, name
        answer = root.raw("DELETE", f"/api/v1/domains/x?{name}={secret}")
        assert answer.status == 401, name
    assert root.cookie not in a.log() and token not in a.log()


def test_guessing_keeps_the_administrator_out_for_nobody(a, root):
    """20 wrong passwords: throttled; the administrator, at the address he
    signed in from before, gets in all the same, and a guesser hears nothing
    about which names there are."""
    mine, guesser = From(a, "127.0.0.3"), From(a, "127.0.0.4")
    mine.sign_in("admin0", a.admin_password)
    answers = [guesser.sign_in("admin0", "wrong", status=(401, 429))
               for _ in range(20)]
    assert answers[-1].status == 429
    guesser.sign_in("admin0", a.admin_password, status=429)
    mine.sign_in("admin0", a.admin_password)
    other = From(a, "127.0.0.5")
    for number, known in enumerate(answers):
        unknown = other.sign_in("nobody", "wrong", status=(401, 429))
        assert unknown.status == known.status, number
        if unknown.status == 401:
            assert unknown.json == known.json


def test_nobody_gives_himself_rights(a, root, real):
    """{"role": "superadmin"} and other words that are no setting, in every
    body a domain administrator may send: refused, and he is what he was."""
    anna = Api(a)
    anna.sign_in("anna", PASSWORD)
    for method, path, operation, _ in operations("post", "put", "patch"):
        if "requestBody" not in operation or path == "/session":
            continue
        for word in ({"role": "superadmin"}, {"is_admin": True}, {"id": 1},
                     {"builtin": True}, {"__proto__": {"role": "x"}}):
            answer = anna.request(method, filled(path, real), word,
                                  status=(400, 403, 404, 422))
            assert answer.status != 422 or answer.json.get("field") or (
                answer.json["reason"] == "no-second-factor"), (
                path, answer.text)
    assert anna.get("/session").json["role"] == "domain-admin"


# ---- text that is not text to somebody -------------------------------------

TEXTS = ("' OR 1=1--", "' OR '1'='1", "'; DROP TABLE holder;--", "%27", "\\",
         "\"; SELECT 1;--", "') UNION SELECT password FROM admin--",
         "x' AND 1=randomblob(100000000)--", "name; DELETE FROM admin",
         "1 OR 1", "%", "_", "*", "{{7*7}}", "$(id)", "`id`", "../../etc",
         "\r\nSet-Cookie: x=1", "<script>alert(1)</script>", "\x7f\x01",
         "\u202e", "٣", "-1", "9" * 40, "x" * 5000)


def test_parameters_are_only_text(a, root, real):
    """SQL, templates, shells, line ends and markup in every part of a path
    and every parameter of every list, sort order, cursor and id: not found,
    refused or an empty list; never our own trouble, no header more, no
    markup as such, and the same answer to what is always true and never."""
    tables = tables_of(a)
    for method, path, _, names in operations("get"):
        for where, name in [("path", each) for each in names["path"]] + [
                ("query", each) for each in names["query"]]:
            for text in TEXTS:
                part = {name: text} if where == "path" else {}
                query = {name: text} if where == "query" else {}
                answer = root.get(filled(path, real, **part),
                                  status=(200, 400, 404, 422), **query)
                assert "set-cookie" not in answer.headers, (path, name)
                assert "html" not in answer.headers["content-type"]
                assert "ARGON2" not in answer.text, (path, name)
                if where == "path":
                    assert answer.status != 200, (path, text)
            if where == "query":
                true, false = (root.get(
                    filled(path, real), status=(200, 400, 404, 422),
                    **{name: f"nosuch' OR '1'='{digit}"}) for digit in "12")
                assert true.status == false.status
                assert true.status != 200 or (
                    true.json.get("items") == false.json.get("items"))
    for text in TEXTS[:8]:
        Api(a).sign_in(text, text, status=(401, 429))
    assert tables_of(a) == tables
    assert not re.search(r"syntax error|no such column|unrecognized token",
                         a.log())


def tables_of(a):
    with sqlite3.connect(f"file:{a.data}/directory.db?mode=ro",
                         uri=True) as db:
        return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()
                for name, in db.execute("SELECT name FROM sqlite_schema WHERE "
                                        "type = 'table'").fetchall()}


ROOTS = ("/", "/static/", "/assets/", "/api/v1/", "/api/v1/users/",
         "/api/v1/queue/")
STEPS = ("../", "%2e%2e%2f", "%2e%2e/", "..%2f", "..%5c", "%2e%2e%5c",
         "..\\", "....//", "..;/", "%252e%252e%252f", "..%c0%af",
         "%c0%ae%c0%ae/", "..%00/", "/")


def test_no_path_leaves_the_pages(a, root):
    """/static/../../etc/passwd in every spelling, encoded once and twice,
    with back slashes, a NUL, overlong UTF-8, // and a whole address: 400 or
    404, or the pages' own first page for what asks for HTML."""
    cookie = f"Cookie: splitmail_session={root.cookie}".encode()
    for start, step in itertools.product(ROOTS, STEPS):
        for file in ("etc/passwd", "directory.db", "tls/key.pem"):
            for target in (start + step * 6 + file,
                           f"http://localhost{start}{step * 6}{file}"):
                said = ask(a, f"GET {target} HTTP/1.1".encode("latin-1"),
                           b"Host: localhost", b"Connection: close", cookie)
                status = said.split(" ")[1] if said else ""
                assert status in ("", "400", "404"), (target, said)
                assert "root:" not in said and "SQLite" not in said
                assert "PRIVATE" not in said


# ---- what is shown, and what is written down -------------------------------

def secrets(a, root):
    """What no answer may have in it, from where it is kept."""
    with sqlite3.connect(f"file:{a.data}/directory.db?mode=ro",
                         uri=True) as db:
        for table, column in (("admin", "password"), ("holder", "password"),
                              ("system", "password"), ("token", "hash")):
            for value, in db.execute(f"SELECT {column} FROM {table}"):
                if value:
                    yield bytes(value).hex() if isinstance(
                        value, bytes) else value
    for path in glob.glob(os.path.join(a.data, "**", "*.pem"),
                          recursive=True):
        with open(path) as file:
            text = file.read()
        if "PRIVATE" in text:
            yield text.split("\n")[1]
    yield from ("PRIVATE KEY", "ARGON2", PASSWORD, "swordfish",
                a.admin_password, root.cookie)


def test_no_answer_has_a_secret_in_it(a, root, real):
    """Hashes of passwords, tokens and TLS keys, passwords for other systems:
    in no answer of any operation, in no error, and in no file that can be
    asked for; and whatever is shown after signing in is kept by no cache."""
    hidden = set(secrets(a, root))
    assert len(hidden) >= 10
    seen = 0
    for _, path, operation, _ in operations("get"):
        query = {"address": "u@here.test"} if path == "/route" else {}
        answer = root.get(filled(path, real), status=(200, 400, 404), **query)
        seen += answer.status == 200
        if operation.get("security") != []:
            assert answer.headers["cache-control"] == "no-store", path
        assert not [each for each in hidden if each in answer.text], path
    assert seen >= 20
    for target in ("/metrics", "/health", "/splitmail.conf", "/directory.db",
                   "/tls/key.pem", "/backup", "/api/v1/config",
                   "/api/v1/users/%00", "/api/v1/domains?limit=x"):
        answer = root.raw("GET", target, None, root.headers("GET", {}))
        assert not [each for each in hidden if each in answer.text], target
        assert a.data not in answer.text, target
    log = a.log()
    assert not [each for each in hidden if each in log]


CHANGES = [
    # method, path, body, subject, field, before, after
    ("PUT", "/domains/log.test", {"relay": "a.test"}, "log.test", "created",
     "", "log.test"),
    ("PATCH", "/domains/log.test", {"relay": "b.test"}, "log.test", "relay",
     "a.test", "b.test"),
    ("PUT", "/users/u@log.test", {"name": "One"}, "u@log.test", "created", "",
     "u@log.test"),
    ("PATCH", "/users/u@log.test", {"name": "Two"}, "u@log.test", "name",
     "One", "Two"),
    ("PATCH", "/users/u@log.test", {"mail_system": "alternate"}, "u@log.test",
     "mail_system", "hosted", "alternate"),
    ("PATCH", "/users/u@log.test", {"password": "a secret one"}, "u@log.test",
     "password", "", "set"),
    ("PUT", "/users/u@log.test/addresses/v@log.test", {}, "u@log.test",
     "added", "", "v@log.test"),
    ("DELETE", "/users/u@log.test/addresses/v@log.test", None, "u@log.test",
     "removed", "v@log.test", ""),
    ("POST", "/users/bulk", {"addresses": ["u@log.test"],
                             "change": {"mail_system": "none"}},
     "u@log.test", "mail_system", "alternate", "none"),
    ("PUT", "/groups/g@log.test", {}, "g@log.test", "created", "",
     "g@log.test"),
    ("PUT", "/groups/g@log.test/members/u@log.test", None, "g@log.test",
     "member", "", "u@log.test"),
    ("DELETE", "/groups/g@log.test/members/u@log.test", None, "g@log.test",
     "member", "u@log.test", ""),
    ("DELETE", "/groups/g@log.test", None, "g@log.test", "deleted",
     "g@log.test", ""),
    ("PUT", "/shared/s@log.test", {}, "s@log.test", "created", "",
     "s@log.test"),
    ("DELETE", "/shared/s@log.test", None, "s@log.test", "deleted",
     "s@log.test", ""),
    ("PUT", "/systems/log", {"hosts": "a.test"}, "log", "created", "", "log"),
    ("PATCH", "/systems/log", {"hosts": "b.test"}, "log", "hosts", "a.test",
     "b.test"),
    ("DELETE", "/systems/log", None, "log", "deleted", "log", ""),
    ("PUT", "/filters/log", {"socket": "inet:a.test:1"}, "log", "created", "",
     "log"),
    ("PATCH", "/filters/log", {"when_down": "hold"}, "log", "when_down",
     "later", "hold"),
    ("DELETE", "/filters/log", None, "log", "deleted", "log", ""),
    ("PUT", "/administrators/lou", {"domain": "log.test", "role": "delegate"},
     "lou", "created", "", "lou"),
    ("PATCH", "/administrators/lou", {"role": "domain-admin"}, "lou", "role",
     "delegate", "domain-admin"),
    ("DELETE", "/administrators/lou", None, "lou", "deleted", "lou", ""),
    ("POST", "/tokens", {"name": "log", "scope": "read"}, "admin0", "created",
     "", "log"),
    ("DELETE", "/users/u@log.test", None, "u@log.test", "deleted",
     "u@log.test", ""),
    ("DELETE", "/domains/log.test", None, "log.test", "deleted", "log.test",
     ""),
]


@pytest.mark.parametrize("method, path, body, subject, field, old, new",
                         CHANGES)
def test_every_change_is_written_down(root, method, path, body, subject,
                                      field, old, new):
    """Who, when, and what was there before and after, for every change of
    the directory that the API can make."""
    newest = root.get("/changes", limit=1).json["items"]
    last = newest[0]["id"] if newest else 0
    if path == "/tokens":
        body = {**body, "password": root.password}
    answer = root.request(method, path, body, (200, 201, 202, 204))
    if answer.status == 202:
        root.wait_for_job(answer.json)
    entry, = [each for each in root.get("/changes", limit=20).json["items"]
              if each["id"] > last and each["field"] == field]
    assert entry["who"] == "console:admin0"
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
                        entry["at"])
    assert (entry["subject"], entry["old"], entry["new"]) == (subject, old,
                                                              new)


def test_orders_for_the_queue_are_in_the_log(a, root, real):
    """Who held or deleted which mail is in the server's log."""
    name = real["/queue/{id}"]
    for order in ("hold", "release"):
        root.post("/queue/orders", {"order": order, "id": name})
        assert re.search(r"console\[\d+\]: who=<admin0>, order=" + order +
                         f", id=<{name}>.*: 1 recipients", a.log())


def test_line_ends_forge_no_entry(a, root, real):
    """CR LF and control characters in names, in what is typed at sign-in and
    in the address asked for: refused, or harmless where they are written."""
    forged = "x\r\nJan  1 00:00:00 a splitmail/console[1]: forged"
    for method, path, body in (
            ("PUT", f"/users/{quote(forged)}@here.test", {}),
            ("PATCH", "/users/u@here.test", {"name": forged}),
            ("PATCH", "/domains/here.test", {"description": forged}),
            ("PUT", f"/systems/{quote(forged)}", {"hosts": "a.test"}),
            ("PUT", f"/administrators/{quote(forged)}", {}),
            ("POST", "/tokens", {"name": forged, "scope": "read",
                                 "password": root.password})):
        root.request(method, path, body, status=(400, 404, 422))
    Api(a).sign_in(forged, "wrong", status=401)
    root.post("/queue/orders", {"order": "retry", "recipient": forged})
    assert "forged" in a.log()
    assert not re.search(r"^Jan  1 00:00:00", a.log(), re.M)
    assert "forged" not in root.get("/changes", limit=500).text


def test_a_relay_is_a_host_and_a_port(a, root, real):
    """A relay that is a command, a socket, an address of the web or a port
    that is none is refused at its field; the trial of a relay is no scanner:
    a domain's administrator reaches neither this machine nor its networks."""
    for relay in ("host;id", "unix:/tmp/x", "/run/x", "http://a.test/",
                  "$(id).test", "a.test:99999", "a.test:0", "a.test:x",
                  "a.test\r\nb.test", "user@a.test", "[::1", "a.test:25:25",
                  "../x"):
        root.refused("PATCH", "/domains/here.test", {"relay": relay}, "relay")
        root.refused("PUT", "/systems/evil", {"hosts": relay}, "hosts")
        root.refused("POST", "/relay-test", {"hosts": relay}, "hosts")
    anna = Api(a)
    anna.sign_in("anna", PASSWORD)
    for host in ("169.254.169.254:80", "127.0.0.1:6379", "[::1]:22",
                 "0.0.0.0:25", "[::]:25", "[fe80::1]:25", "[febf::1]:25",
                 "localhost:25", "[::ffff:127.0.0.1]:25",
                 f"{a.address}:{a.ports['imap']}"):
        for item in anna.post("/relay-test", {"hosts": host}).json["items"]:
            assert not item["connected"] and item["banner"] is None, item
            assert "not tried" in item["problem"], item
