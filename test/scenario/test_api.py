"""The HTTP API, against whole servers; each answer against openapi.json.  Here:
the document, requests from elsewhere, and what is never said.  The others are
test_api_*.py."""

import http.client
import os
import re
import socket

import jsonschema

from api import document, quote
from api_world import PASSWORD, a, domain, new_api, root  # noqa: F401
from splitmail import ROOT


def test_document_and_routes_are_the_same(a):
    with open(os.path.join(ROOT, "src", "console", "routes.def")) as file:
        routes = set(re.findall(r'^ROUTE\("(\w+)", "/api/v1(/[^"]*)"',
                                file.read(), re.M))
    said = {(method.upper(), path)
            for path, operations in document()["paths"].items()
            for method in operations if method != "parameters"}
    assert routes == said


def test_document_is_served_and_its_schemas_are_schemas(a):
    api = new_api(a)
    assert api.get("/openapi.json").json == document()
    for name, schema in document()["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)

# ---- requests from elsewhere -----------------------------------------------

def test_methods_are_what_they_are(root, domain):
    headers = root.headers("GET", {"X-HTTP-Method-Override": "DELETE"})
    answer = root.raw("GET", f"/api/v1/domains/{domain}", None, headers)
    assert answer.status == 200
    root.get(f"/domains/{domain}")
    answer = root.raw("GET", "/api/v1/queue/orders", None, headers)
    assert answer.status == 404
    answer = root.raw("GET", "/api/v1/relay-test", None, headers)
    assert answer.status == 405 and answer.headers["allow"] == "POST"
    assert root.raw("OPTIONS", "/api/v1/domains", None, {
        "Origin": "https://evil.test"}).status == 405


def test_an_unknown_host_name_is_refused(root):
    for name, status in (("evil.test", 421), ("a.splitmail.test", 200),
                         ("localhost:80", 200), ("[::1]:80", 200)):
        answer = root.raw("GET", "/health", None, {"Host": name})
        assert answer.status == status, name


def test_paths_lead_nowhere_else(root):
    for path in ("/static/../../etc/passwd", "/%2e%2e%2f%2e%2e%2fetc/passwd",
                 "/..%5c..%5cetc", "/%00", "//etc/passwd", "/assets/../x",
                 "/api/v1/%", "/api/v1/users/%zz", "/api/v1/users/%00",
                 "/api/v1/domains/..%2f..%2f", "/api/v1/nosuch"):
        answer = root.raw("GET", path, None, root.headers("GET", {}))
        assert answer.status in (400, 404), (path, answer.status)
        assert "root:" not in answer.text


def test_markup_in_what_is_asked_stays_text(root):
    evil = "<img src=x onerror=alert(1)>"
    answer = root.get(f"/users/{quote(evil)}", status=404)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    answer = root.raw("GET", f"/{quote(evil)}", None, {})
    assert answer.status == 404 and "<img" not in answer.text


def test_malformed_json(root, domain):
    path = f"/api/v1/domains/{domain}"
    headers = root.headers("PATCH", {"Content-Type": "application/json"})
    deep = "[" * 100000
    for body in (deep, '{"a":' * 100000, '{"relay": "a", "relay": "b"}',
                 b'{"relay": "\xff\xfe"}', '{"relay": "a\\u0000b"}',
                 '{"max_message_size": 1e999}', "", "null", "[]", "{",
                 '{"relay": NaN}'):
        answer = root.raw("PATCH", path, body, headers)
        assert answer.status == 400, (body[:30], answer.status, answer.text)
    for body in ('{"max_message_size": -1}', '{"max_message_size": 1.5}',
                 '{"forward_unknown": "yes"}', '{"relay": 1}',
                 '{"aliases": "a"}', '{"aliases": ["a,b"]}'):
        answer = root.raw("PATCH", path, body, headers)
        assert answer.status == 422 and answer.json["field"], body


def test_sizes_are_limited(a, root, domain):
    headers = root.headers("PATCH", {"Content-Type": "application/json"})
    path = f"/api/v1/domains/{domain}"
    answer = root.raw("PATCH", path, b'{"relay": "%s"}' % (b"x" * 900000),
                      headers)
    assert answer.status == 422
    with socket.create_connection((a.address, a.ports["console"]), 120) as s:
        s.sendall((f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Type: application/json\r\n"
                   f"Cookie: splitmail_session={root.cookie}\r\n"
                   f"X-CSRF-Token: {root.csrf}\r\n"
                   "Content-Length: 1000000000\r\n\r\n").encode())
        assert b" 413 " in s.recv(1000)
    with socket.create_connection((a.address, a.ports["console"]), 120) as s:
        s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        try:
            for number in range(100000):
                s.sendall(b"X-%d: y\r\n" % number)
        except OSError:
            pass
        s.settimeout(120)
        try:
            assert b" 431 " in s.recv(1000)
        except ConnectionError:
            pass
    for noun in ("domains", "entries", "users", "groups", "shared"):
        for what in ("x" * 201, "x" * 50000, "%25" * 20000,
                     quote("\U0001f600" * 201)):
            answer = root.raw("GET", f"/api/v1/{noun}?search={what}", None,
                              root.headers("GET", {}))
            assert answer.status == 400, noun
            assert answer.json["reason"] == "search-too-long"
        root.get(f"/{noun}", search="\U0001f600" * 200)
    try:
        assert root.raw("GET", "/" + "x" * 1000000).status == 414
    except (ConnectionError, http.client.BadStatusLine):
        pass
    root.get("/session")


def test_pages_have_a_strict_policy(root):
    """No page is framed, none runs or loads what is not the console's own
    (nor inline), and what is unknown is no page."""
    answer = root.raw("GET", "/", None, {"Accept": "text/html"})
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["content-type"].startswith("text/html")
    deep = root.raw("GET", "/users/a@b.test", None, {"Accept": "text/html"})
    assert deep.status == 200
    assert root.raw("GET", "/assets/nosuch.js", None, {}).status == 404

# ---- what is never said ----------------------------------------------------

def test_no_secret_is_shown(a, root, domain):
    root.put(f"/users/u@{domain}", {"password": "open sesame"}, status=201)
    root.put("/systems/secret", {"hosts": "s.test", "tls": "required",
                                 "user": "me", "password": "swordfish"},
             status=(200, 201))
    for path in ("/session", "/domains", f"/users/u@{domain}", "/entries",
                 "/systems", "/systems/secret", "/administrators",
                 "/overview", "/changes", "/tokens"):
        text = root.get(path).text
        for secret in ("ARGON2", "open sesame", "swordfish", "PRIVATE KEY"):
            assert secret not in text, path
    root.delete("/systems/secret")
    for secret in ("open sesame", "swordfish", PASSWORD, a.admin_password,
                   root.cookie):
        assert secret not in a.log()


def test_forged_log_lines(a, root, domain):
    root.patch(f"/domains/{domain}", {"description": "x\ny"}, status=422)
    new_api(a).sign_in("x\nNov 23 splitmail/console: forged", "y", status=401)
    assert not re.search(r"^Nov 23 splitmail/console: forged", a.log(), re.M)
