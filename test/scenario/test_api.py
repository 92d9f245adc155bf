"""The HTTP API, against whole servers; each answer against openapi.json."""

import base64
import http.client
import json
import os
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import pytest

from api import Api, document, quote
from splitmail import ROOT
from world import descendants, wait_until

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def a(shared_world):
    server = shared_world.server("a")
    match = re.search(r"password (\S+)", server.admin_password)
    server.admin_password = match[1]
    return server


def new_api(server, name=None, password=PASSWORD):
    api = Api(server)
    if name:
        api.sign_in(name, password)
    return api


@pytest.fixture
def root(a):
    return new_api(a, "admin0", a.admin_password)


counter = iter(range(1, 1000))


@pytest.fixture
def domain(root):
    """A domain of this test's own, with a relay."""
    name = f"d{next(counter)}.test"
    root.put(f"/domains/{name}", {"relay": "192.0.2.1"}, status=201)
    return name


def administrator(root, role, domain):
    name = f"{role}@{domain}"
    root.put(f"/administrators/{name}",
             {"role": role, "domain": domain, "password": PASSWORD},
             status=201)
    return new_api(root.server, name)


# ---- the document ----------------------------------------------------------

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


# ---- sign-in ---------------------------------------------------------------

def test_sign_in_and_out(a):
    """The cookie is HttpOnly and SameSite=Strict (and Secure with TLS: see
    test_console_process.py); sent again after signing out it opens nothing."""
    api = new_api(a)
    api.get("/session", status=401)
    answer = api.sign_in("admin0", a.admin_password)
    assert answer.json["role"] == "superadmin"
    assert answer.json["domain"] is None
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert api.get("/session").json["name"] == "admin0"
    old = api.cookie
    api.delete("/session")
    api.cookie = old
    api.get("/session", status=401)


def test_a_new_session_at_each_sign_in(a):
    """A cookie that an attacker set before is no session after signing in;
    each sign-in makes a new one, and the one before is over."""
    api = new_api(a)
    api.cookie, api.csrf = "x" * 52, "y" * 52
    api.sign_in("admin0", a.admin_password)
    first = api.cookie
    assert first != "x" * 52
    api.sign_in("admin0", a.admin_password)
    assert api.cookie != first
    api.cookie = first
    api.get("/session", status=401)


def test_wrong_name_and_wrong_password_look_the_same(a, root, domain):
    name = f"who@{domain}"
    root.put(f"/administrators/{name}",
             {"domain": domain, "password": PASSWORD}, status=201)
    api = new_api(a)
    one = api.sign_in(name, "wrong", status=401)
    other = api.sign_in(f"nobody@{domain}", "wrong", status=401)
    assert one.json == other.json       # and so does the time they take:
    # test_imported_hashes.py


def test_sign_in_is_throttled(a, root, domain):
    name = f"slow@{domain}"
    root.put(f"/administrators/{name}",
             {"domain": domain, "password": PASSWORD}, status=201)
    api = new_api(a)
    answers = [api.sign_in(name, "wrong", status=(401, 429))
               for _ in range(8)]
    statuses = [each.status for each in answers]
    assert statuses[:5] == [401] * 5 and 429 in statuses, statuses
    refused = next(each for each in answers if each.status == 429)
    assert int(refused.headers["retry-after"]) >= 1
    api.sign_in(name, PASSWORD, status=429)
    # Others are not kept out, and he gets in when the time is over.
    new_api(a, "admin0", a.admin_password)
    wait_until(lambda: api.sign_in(name, PASSWORD,
                                   status=(201, 429)).status == 201, 30,
               "signing in after the wait", pause=0.5)


def test_own_password(a, root, domain):
    api = administrator(root, "delegate", domain)
    other = new_api(a, f"delegate@{domain}")
    change = {"current": PASSWORD, "new": "another one"}
    api.refused("PUT", "/session/password", dict(change, current="no"),
                "current")
    api.refused("PUT", "/session/password", dict(change, new="short"), "new")
    api.put("/session/password", change, status=204, preview="true")
    api.get("/session")
    api.put("/session/password", change, status=204)
    api.get("/session")
    other.get("/session", status=401)
    new_api(a).sign_in(f"delegate@{domain}", PASSWORD, status=401)
    new_api(a, f"delegate@{domain}", "another one")


def test_a_session_outlives_its_own_password(a, root, domain):
    """Whatever is asked of the session at the instant of the change."""
    api = administrator(root, "delegate", domain)
    stop, seen = threading.Event(), set()

    def ask():
        while not stop.is_set():
            seen.add(api.get("/session", (200, 401)).status)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    old = PASSWORD
    for new in ("another one", "a third one", "a fourth one", "a fifth one"):
        api.put("/session/password", {"current": old, "new": new}, status=204)
        old = new
    stop.set()
    for thread in threads:
        thread.join()
    assert seen == {200}


def test_a_deleted_administrator_is_out(root, domain):
    """The cookie of an administrator who is deleted is refused: 401."""
    api = administrator(root, "domain-admin", domain)
    api.get("/session")
    root.delete(f"/administrators/domain-admin@{domain}")
    api.get("/session", status=401)


def test_a_user_as_administrator_signs_in_while_hosted(a, root, domain):
    jane = f"jane@{domain}"
    root.put(f"/users/{jane}", {"password": PASSWORD}, status=201)
    new_api(a).sign_in(jane, PASSWORD, status=401)
    root.put(f"/administrators/{jane}", {"domain": domain}, status=201)
    api = new_api(a, jane)
    assert api.get("/session").json["domain"] == domain
    root.patch(f"/users/{jane}", {"mail_system": "alternate"})
    api.get("/session", status=401)
    new_api(a).sign_in(jane, PASSWORD, status=401)


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
    with socket.create_connection((a.address, a.ports["console"]), 10) as s:
        s.sendall((f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Type: application/json\r\n"
                   f"Cookie: splitmail_session={root.cookie}\r\n"
                   f"X-CSRF-Token: {root.csrf}\r\n"
                   "Content-Length: 1000000000\r\n\r\n").encode())
        assert b" 413 " in s.recv(1000)
    with socket.create_connection((a.address, a.ports["console"]), 10) as s:
        s.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        try:
            for number in range(100000):
                s.sendall(b"X-%d: y\r\n" % number)
        except OSError:
            pass
        s.settimeout(10)
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


# ---- rights ----------------------------------------------------------------

def test_nobody_does_anything_without_signing_in(a):
    api = new_api(a)
    for path, operations in document()["paths"].items():
        path = re.sub(r"\{id\}", "1", re.sub(r"\{(?!id)[^}]+\}", "x@d.test",
                                             path))
        for method, operation in operations.items():
            if method == "parameters" or operation.get("security") == []:
                continue
            body = {} if "requestBody" in operation else None
            api.request(method.upper(), path, body, status=401)


def test_domain_administrator(a, root, domain):
    other = f"d{next(counter)}.test"
    root.put(f"/domains/{other}", {"aliases": [f"alias.{other}"]}, status=201)
    root.put(f"/users/x@{other}", {}, status=201)
    root.put(f"/groups/g@{other}", {}, status=201)
    root.put("/systems/known", {"hosts": "192.0.2.9",
                                "trust": ["192.0.2.9"]}, status=(200, 201))
    api = administrator(root, "domain-admin", domain)

    assert [d["name"] for d in api.get("/domains").json["items"]] == [domain]
    api.patch(f"/domains/{domain}", {"description": "ours"})
    api.put(f"/users/y@{domain}", {}, status=201)
    api.put(f"/groups/team@{domain}", {"members": [f"y@{domain}"]},
            status=201)
    api.delete(f"/groups/team@{domain}")
    api.get("/queue")
    assert {"name", "hosts", "tls", "may_relay", "smart_host", "when_down",
            "connections", "mails_per_connection", "recipients_per_mail",
            "mails_per_minute", "address_family", "learnt"} == set(
                api.get("/systems/known").json)

    # Another's does not exist, whatever it is asked by.
    for path in (f"/domains/{other}", f"/domains/alias.{other}",
                 f"/users/x@{other}", f"/users/x@{other}/addresses",
                 f"/users/x@alias.{other}", f"/groups/g@{other}"):
        api.get(path, status=404)
        if "addresses" not in path:
            api.patch(path, {"description": "x"} if "domains" in path
                      else {"name": "x"}, status=404)
    api.put(f"/users/new@{other}", {}, status=404)
    api.put(f"/groups/new@{other}", {}, status=404)
    api.put(f"/users/x@{other}/addresses/z@{other}", {}, status=404)
    api.delete(f"/users/x@{other}", status=404)
    api.get("/entries", domain=other, status=404)
    api.get("/overview", domain=other, status=404)
    api.get("/queue", domain=other, status=404)
    api.post("/queue/orders", {"order": "hold", "domain": other}, status=404)
    api.get("/route", address=f"x@{other}", status=404)
    api.get("/route", address="x@elsewhere.example", status=404)
    api.get("/route", address=f"y@{domain}", **{"as": f"user:x@{other}"},
            status=404)
    api.post("/relay-test", {"hosts": "192.0.2.1", "domain": other},
             status=404)
    names = [e["domain"] for e in api.get("/entries").json["items"]]
    assert set(names) == {domain}
    assert [d["name"] for d in api.get("/overview").json["domains"]] == [
        domain]
    for change in api.get("/changes", limit=500).json["items"]:
        assert change["subject"].endswith(domain), change

    # What is not his business.
    for method, path in (("PUT", f"/domains/new.{domain}"),
                         ("PUT", "/systems/known"),
                         ("PUT", "/administrators/me")):
        api.request(method, path, {}, status=403)
    api.delete(f"/domains/{domain}", status=403)
    api.get("/administrators", status=403)
    assert api.raw("GET", "/metrics", None,
                   api.headers("GET", {})).status == 403
    job, [refusal] = api.finish({
        "addresses": [f"y@{domain}", f"x@{other}"],
        "change": {"quota": "1G"}})
    assert job["changed"] == 1
    assert refusal["address"] == f"x@{other}"
    assert root.get(f"/users/x@{other}").json["quota"] == 0


def test_delegate(root, domain):
    api = administrator(root, "delegate", domain)
    api.put(f"/users/u@{domain}", {}, status=201)
    api.patch(f"/users/u@{domain}", {"mail_system": "alternate"})
    api.put(f"/users/u@{domain}/addresses/v@{domain}", {}, status=201)
    api.get(f"/domains/{domain}")
    api.patch(f"/domains/{domain}", {"relay": "192.0.2.7"}, status=403)
    api.put(f"/groups/g@{domain}", {}, status=403)
    api.post("/relay-test", {"hosts": "192.0.2.7"}, status=403)
    api.get("/queue", status=403)
    api.get("/changes", status=403)
    assert root.get(f"/domains/{domain}").json["relay"] == "192.0.2.1"


def test_nobody_makes_himself_more(root, domain):
    api = administrator(root, "domain-admin", domain)
    me = f"/administrators/domain-admin@{domain}"
    api.patch(me, {"role": "superadmin", "domain": None}, status=403)
    answer = api.refused("PUT", f"/users/u@{domain}",
                         {"role": "superadmin"}, "role", "no setting")
    assert answer.status == 422
    api.refused("PUT", f"/users/u@{domain}", {"id": 1}, "id")
    api.get(f"/users/u@{domain}", status=404)


def test_nobody_takes_the_place_of_one_with_more_rights(a, root, domain):
    """A user who is an administrator: whoever sets his password signs in as
    him, so one with fewer rights changes nothing about him."""
    chief, coming, peer = (f"{name}@{domain}"
                           for name in ("chief", "coming", "peer"))
    other = f"d{next(counter)}.test"
    root.put(f"/domains/{other}", {}, status=201)
    for name in (chief, peer):
        root.put(f"/users/{name}", {"password": PASSWORD}, status=201)
    for name in (chief, coming):
        root.put(f"/administrators/{name}", {"role": "superadmin"}, status=201)
    # Of another domain: other rights, though no more.
    root.put(f"/administrators/{peer}", {"role": "domain-admin",
                                         "domain": other}, status=201)
    for role in ("domain-admin", "delegate"):
        api = administrator(root, role, domain)
        for name in (chief, peer):
            for change in ({"password": "stolen-one"}, {"enabled": False},
                           {"mail_system": "none"}, {"forward": ["x@y.test"]}):
                api.refused("PATCH", f"/users/{name}", change, None,
                            "more rights")
            api.refused("PUT", f"/users/{name}", {}, None, "more rights")
            api.request("DELETE", f"/users/{name}", status=422)
            job = api.wait_for_job(api.job({
                "addresses": [name], "change": {"enabled": False}}))
            assert (job["changed"], job["refused"]) == (0, 1)
        api.refused("PUT", f"/users/{coming}", {"password": "stolen-one"},
                    None, "more rights")
        api.get(f"/users/{coming}", status=404)
        for name in (chief, coming, peer):
            Api(a).sign_in(name, "stolen-one", status=401)
    # Who has the rights may, and so may he himself.
    root.patch(f"/users/{chief}", {"password": "a new one"})
    own = Api(a)
    own.sign_in(chief, "a new one")
    own.patch(f"/users/{chief}", {"name": "Chief"})
    for body in {"password": "another one"}, {"password_hash": "{PLAIN}x"}:
        own.refused("PATCH", f"/users/{chief}", body, "password",
                    "present one")
    a.cli("user", "set", chief, "enabled=no")


def test_names_of_a_domain_are_not_its_administrators_to_give(root, domain):
    api = administrator(root, "domain-admin", domain)
    answer = api.refused("PATCH", f"/domains/{domain}", {
        "aliases": ["gmail.example"]}, "aliases", "superadministrator")
    assert answer.json["reason"] == "aliases-are-not-his"
    # As it is, as a form sends it.
    api.patch(f"/domains/{domain}", {"aliases": [], "description": "mine"})
    root.patch(f"/domains/{domain}", {"aliases": [f"also-{domain}"]})
    api.refused("PATCH", f"/domains/{domain}", {"aliases": []}, "aliases")
    assert root.get(f"/domains/{domain}").json["aliases"] == [
        f"also-{domain}"]


# ---- tokens ----------------------------------------------------------------

def test_tokens(a, root, domain):
    """A token that may read does not write (403), none works after it was
    revoked (401), none is in the log."""
    made = root.new_token("read").json
    assert made["expires_at"] > made["created_at"]
    api = new_api(a)
    api.token = made["token"]
    assert api.get("/session").json["scope"] == "read"
    assert api.get("/session").json["csrf_token"] is None
    api.get("/domains")
    api.patch(f"/domains/{domain}", {"description": "x"}, status=403)

    writing = root.new_token("write", "write", days=1).json
    api.token = writing["token"]
    api.patch(f"/domains/{domain}", {"description": "by a script"})
    # It makes no others, and it changes no password.
    api.new_token("n", status=403)
    api.put("/session/password", {"current": a.admin_password,
                                  "new": "something"}, status=403)
    assert made["token"] not in root.get("/tokens").text
    root.delete(f"/tokens/{writing['id']}")
    api.get("/session", status=401)
    root.delete(f"/tokens/{writing['id']}", status=404)

    theirs = administrator(root, "domain-admin", domain)
    assert theirs.get("/tokens").json["items"] == []
    theirs.delete(f"/tokens/{made['id']}", status=404)
    for change, field in (({"scope": "all"}, "scope"), ({"name": ""}, "name"),
                          ({"days": 100000}, "days"),
                          ({"password": "a guess"}, "password")):
        root.refused("POST", "/tokens", {
            "name": "x", "scope": "read", "password": a.admin_password,
            **change}, field)
    # A session that was left open makes none.
    root.post("/tokens", {"name": "x", "scope": "read"}, status=400)
    for token in (made["token"], writing["token"]):
        assert token not in a.log()


# ---- addresses -------------------------------------------------------------

def addresses(api, user):
    return {e["address"]: e for e in
            api.get(f"/users/{user}/addresses").json["items"]}


def test_the_mail_tab_is_one_change(root, domain):
    bob = f"bob@{domain}"
    root.put(f"/users/{bob}", {"addresses": [
        {"address": f"b@{domain}"}, {"address": "robert@*"}]}, status=201)
    assert set(addresses(root, bob)) == {"bob@*", f"b@{domain}", "robert@*"}
    user = root.patch(f"/users/{bob}", {
        "mail_system": "alternate",
        "addresses": [{"address": "bob@*", "routed": True},
                      {"address": f"b@{domain}", "routed": False},
                      {"address": "new@*", "routed": False}]}).json
    assert user["routed_to"] == "192.0.2.1"
    now = addresses(root, bob)
    assert set(now) == {"bob@*", f"b@{domain}", "new@*"}
    assert now["bob@*"]["routed"] and not now["new@*"]["routed"]
    # Another mail system loses no address and no choice.
    root.patch(f"/users/{bob}", {"mail_system": "none"})
    root.patch(f"/users/{bob}", {"mail_system": "alternate"})
    assert addresses(root, bob) == now

    # All or nothing: the second address is somebody else's.
    root.put(f"/users/eve@{domain}", {}, status=201)
    root.refused("PATCH", f"/users/{bob}", {
        "name": "Robert", "addresses": [{"address": "good@*"},
                                        {"address": "eve@*"}]},
                 "addresses/1/address", "taken")
    assert addresses(root, bob) == now
    assert root.get(f"/users/{bob}").json["name"] == ""


def test_some_addresses(root, domain):
    bob = f"bob@{domain}"
    root.put(f"/users/{bob}", {}, status=201)
    one = f"/users/{bob}/addresses/{quote('x@*')}"
    root.put(one, {"home": "both"}, status=201)
    assert addresses(root, bob)["x@*"]["home"] == "both"
    root.put(one, {"home": "none"}, status=200)
    root.request("PATCH", f"/users/{bob}/addresses", {"items": [
        {"address": "x@*", "home": "alternate"},
        {"address": "y@*", "home": "both"}]})
    now = addresses(root, bob)
    assert now["x@*"]["home"] == "alternate" and now["y@*"]["home"] == "both"
    root.refused("PATCH", f"/users/{bob}/addresses",
                 {"items": [{"address": "x@*", "home": "moon"}]},
                 "addresses/0/home")
    root.delete(one)
    root.delete(one, status=404)
    root.refused("DELETE", f"/users/{bob}/addresses/{quote('bob@*')}", None,
                 "address")
    root.put(f"/users/{bob}/addresses", {"items": []})
    assert set(addresses(root, bob)) == {"bob@*"}


def test_same_left_part_on_two_domains(root, domain):
    other = f"d{next(counter)}.test"
    root.put(f"/domains/{other}", {"relay": "192.0.2.2"}, status=201)
    for name in (domain, other):
        root.put(f"/users/same@{name}", {"mail_system": "alternate"},
                 status=201)
    root.request("PATCH", f"/users/same@{domain}/addresses",
                 {"items": [{"address": "same@*", "routed": False}]})
    assert not addresses(root, f"same@{domain}")["same@*"]["routed"]
    assert addresses(root, f"same@{other}")["same@*"]["routed"]


# ---- PUT, preview, ETag ----------------------------------------------------

def test_put_is_idempotent(root, domain):
    path = f"/users/same.again@{domain}"
    body = {"name": "Same", "quota": "1G", "mail_system": "alternate",
            "password": PASSWORD}
    first = root.put(path, body, status=201)
    again = root.put(path, {k: v for k, v in body.items() if k != "password"},
                     status=200)
    assert first.json == again.json and first.etag == again.etag
    # What is left out has its default, but a password stays.
    assert root.put(path, {}).json["mail_system"] == "hosted"
    assert root.get(path).json["password"] == "set"
    root.put(path, {}, status=412, headers={"If-None-Match": "*"})


def test_two_administrators_do_not_overwrite_each_other(root, domain):
    """Two edit the same domain: the ETag that is no longer true is refused
    with 412."""
    path = f"/domains/{domain}"
    tag = root.get(path).etag
    root.patch(path, {"description": "first"}, headers={"If-Match": tag})
    root.patch(path, {"description": "second"}, status=412,
               headers={"If-Match": tag})
    root.delete(path, status=412, headers={"If-Match": tag})
    assert root.get(path).json["description"] == "first"
    # Somebody else's user is no change of the domain.
    tag = root.get(path).etag
    root.put(f"/users/n@{domain}", {}, status=201)
    assert root.get(path).etag == tag
    root.patch(f"/users/nobody@{domain}", {}, status=404,
               headers={"If-Match": tag})


def test_the_same_of_each_part_of_an_entry(root, domain):
    """An address, a member and a name are changed by their own routes, too."""
    user, group = f"u@{domain}", f"g@{domain}"
    root.put(f"/users/{user}", {}, status=201)
    root.put(f"/groups/{group}", {}, status=201)
    stale = {"headers": {"If-Match": '"stale"'}, "status": 412}
    one, member = (f"/users/{user}/addresses/{quote('v@*')}",
                   f"/groups/{group}/members/{quote(user)}")
    root.put(one, {}, **stale)
    root.put(one, {}, status=201, headers={
        "If-Match": root.get(f"/users/{user}/addresses").etag})
    root.delete(one, **stale)
    root.put(member, **stale)
    root.put(member, status=201, headers={
        "If-Match": root.get(f"/groups/{group}").etag})
    root.delete(member, **stale)
    root.post(f"/domains/{domain}/rename", {"name": f"new-{domain}"}, **stale)
    assert root.get(f"/groups/{group}").json["members"] == [user]


@pytest.mark.parametrize("said", ["preview", "preview=1", "preview=True",
                                  "own=yes&preview=true"])
def test_what_is_no_preview_is_not_done(root, domain, said):
    root.put(f"/users/u@{domain}", {}, status=201)
    answer = root.raw("DELETE", f"/api/v1/users/u@{domain}?{said}", None,
                      root.headers("DELETE", {}))
    assert answer.status == 400 and answer.json["reason"] == "bad-parameter"
    root.get(f"/users/u@{domain}")


def test_found_by_every_name(root, domain):
    """As somebody writes it who complains: with an alias of the domain, in
    letters that are not ASCII."""
    other, sharp = f"also-{domain}", f"m\u00fcll-{domain}"
    root.patch(f"/domains/{domain}", {"aliases": [other, sharp]})
    user = f"ann@{domain}"
    root.put(f"/users/{user}", {}, status=201)
    root.put(f"/users/joann@{domain}", {}, status=201)
    for search in f"ann@{other}", f"Ann@{sharp.upper()}":
        found = root.get("/entries", search=search, count="true").json
        assert [e["address"] for e in found["items"]] == [user], search
        assert found["total"] == 1
    assert len(root.get("/entries", search=user).json["items"]) == 2
    for search in other, sharp, sharp.upper(), other[:-3]:
        found = root.get("/domains", search=search).json["items"]
        assert [d["name"] for d in found] == [domain], search


def test_who_was_deleted_is_found(root, domain):
    for name in "u", "v":
        root.put(f"/users/{name}@{domain}", {}, status=201)
        root.delete(f"/users/{name}@{domain}")

    def kept(status=200, **query):
        return [e["address"] for e in root.get("/kept", status, **query
                                               ).json.get("items", [])]
    assert kept(domain=domain) == [f"v@{domain}", f"u@{domain}"]
    assert kept(address=f"U@{domain.upper()}") == [f"u@{domain}"]
    assert kept(422, address="nobody") == []
    assert kept(404, domain="nosuch.test") == []


def test_a_race_has_one_winner(root, domain):
    path = f"/domains/{domain}"
    tag = root.get(path).etag
    statuses = []

    def change(number):
        api = new_api(root.server)
        api.cookie, api.csrf = root.cookie, root.csrf
        statuses.append(api.patch(path, {"description": f"by {number}"},
                                  status=(200, 412),
                                  headers={"If-Match": tag}).status)

    threads = [threading.Thread(target=change, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [412] * 5


def test_preview_changes_nothing(root, domain):
    before = root.get(f"/domains/{domain}").json
    shown = root.patch(f"/domains/{domain}", {"description": "perhaps"},
                       preview="true").json
    assert shown["description"] == "perhaps"
    assert root.get(f"/domains/{domain}").json == before
    root.put(f"/users/p@{domain}", {}, status=201, preview="true")
    root.get(f"/users/p@{domain}", status=404)
    root.refused("PATCH", f"/domains/{domain}", {"relay": "b;d"}, "relay",
                 preview="true")


# ---- lists -----------------------------------------------------------------

def all_pages(api, path, **query):
    items, cursor = [], None
    while True:
        page = api.get(path, **query, **({"cursor": cursor} if cursor
                                         else {})).json
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items
        assert len(page["items"]) == query["limit"]


@pytest.mark.parametrize("path", ("/entries", "/domains", "/changes",
                                  "/queue", "/jobs"))
def test_a_cursor_that_is_none_of_ours(root, domain, path):
    """It is no end of a list: not what is base64 of anything, nor what says
    where to go on but was not made here."""
    for cursor in ("!", "zzzz", base64.urlsafe_b64encode(
            f"a@{domain}\nA".encode()).decode().rstrip("=")):
        answer = root.get(path, cursor=cursor, status=400)
        assert answer.json["reason"] == "bad-cursor", answer.text


def test_pages(root, domain):
    for number in range(25):
        root.put(f"/users/u{number:02}@{domain}", {
            "name": f"Name {24 - number:02}",
            "mail_system": "alternate" if number % 2 else "hosted"},
                 status=201)
    root.put(f"/groups/group@{domain}", {"name": "u-turn"}, status=201)
    for sort, key in (("address", "address"), ("name", "name")):
        for sign in ("", "-"):
            items = all_pages(root, "/users", domain=domain, limit=7,
                              sort=sign + sort)
            values = [e[key] for e in items]
            assert len(values) == 25
            assert values == sorted(values, reverse=sign == "-")
    items = all_pages(root, "/entries", domain=domain, limit=10,
                      mail_system="alternate")
    assert len(items) == 12
    assert {e["routed_to"] for e in items} == {"192.0.2.1"}
    page = root.get("/entries", domain=domain, search="U-T", count="true")
    assert [e["kind"] for e in page.json["items"]] == ["group"]
    assert page.json["total"] == 1
    assert root.get("/entries", domain=domain, kind="user", count="true",
                    limit=1).json["total"] == 25
    assert len(all_pages(root, "/domains", limit=1)) >= 1
    root.get("/entries", limit=0, status=400)
    root.get("/entries", kind="cow", status=400)
    root.get("/entries", domain="nosuch.test", status=404)


def test_other_nouns(root, domain):
    root.put(f"/users/a@{domain}", {}, status=201)
    group = root.put(f"/groups/team@{domain}", {
        "name": "Team", "members": [f"a@{domain}", "x@elsewhere.example"],
        "addresses": [{"address": "all@*"}]}, status=201).json
    assert group["members"] == [f"a@{domain}", "x@elsewhere.example"]
    root.put(f"/groups/team@{domain}/members/y@elsewhere.example",
             status=201)
    root.put(f"/groups/team@{domain}/members/y@elsewhere.example",
             status=200)
    root.delete(f"/groups/team@{domain}/members/x@elsewhere.example")
    root.delete(f"/groups/team@{domain}/members/x@elsewhere.example",
                status=404)
    root.patch(f"/groups/team@{domain}", {"members": [f"a@{domain}"]})
    assert root.get(f"/groups/team@{domain}").json["members"] == [
        f"a@{domain}"]
    root.put(f"/shared/info@{domain}", {"quota": "1G"}, status=201)
    assert root.get(f"/shared/info@{domain}").json["quota"] == 1 << 30
    root.get(f"/users/info@{domain}", status=404)
    root.put("/systems/partner", {"hosts": "partner.test:2525",
                                  "user": "u", "password": "hidden-words",
                                  "tls": "required"}, status=(200, 201))
    assert "hidden-words" not in root.get("/systems").text
    assert root.get("/systems/partner").json["password"] == "set"
    root.delete("/systems/partner")
    root.get("/systems/partner", status=404)


def test_how_full_a_mailbox_is(a, root, domain):
    ann, office = f"/users/ann@{domain}", f"/shared/office@{domain}"
    root.put(office, {}, status=201)
    assert root.get(office).json["used"] == 0
    root.put(ann, {"quota": "2M"}, status=201)
    empty = root.get(ann)
    assert empty.json["used"] == 0
    a.send("x@elsewhere.test", f"ann@{domain}",
           "Subject: big\r\n\r\n" + ("x" * 76 + "\r\n") * 4000)
    fuller = root.get(ann)
    assert 290 * 1024 < fuller.json["used"] < 330 * 1024
    # It is nobody's change, and nobody's to change.
    assert fuller.etag == empty.etag
    root.patch(ann, {"name": "Ann"}, headers={"If-Match": empty.etag})
    for method in ("PUT", "PATCH"):
        root.refused(method, ann, {"used": 1}, "used")
    assert all("used" not in entry for entry in
               root.get("/entries", domain=domain).json["items"])

    # A Dovecot that does not answer holds up nobody for long.
    dovecot = a.dovecot_pid()
    frozen = [dovecot] + descendants(dovecot)
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(12) as pool:
            askers = [new_api(a) for _ in range(12)]
            for api in askers:
                api.cookie, api.csrf = root.cookie, root.csrf
            begun = time.monotonic()
            waiting = [pool.submit(api.get, ann) for api in askers]
            root.get(f"/domains/{domain}")
            assert [one.result().json["used"] for one in waiting] == [
                None] * len(askers)
            assert time.monotonic() - begun < 15
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    assert root.get(ann).json["used"] == fuller.json["used"]
    for change in ({"mail_system": "none"},
                   {"mail_system": "hosted", "enabled": False}):
        root.patch(ann, change)
        assert "used" not in root.get(ann).json


def test_who_may_send_as_whom(root, domain):
    """Of a group and a shared mailbox, and what From may say."""
    ann, team, info = (f"{name}@{domain}" for name in ("ann", "team", "info"))
    root.put(f"/users/{ann}", {}, status=201)
    root.put(f"/groups/{team}", {"members": [ann]}, status=201)
    assert root.get(f"/groups/{team}").json["senders"] == []
    root.patch(f"/groups/{team}", {"senders": [ann, "members"]})
    assert root.get(f"/groups/{team}").json["senders"] == ["members", ann]
    root.put(f"/shared/{info}", {"senders": [team]}, status=201)
    assert root.get(f"/shared/{info}").json["senders"] == [team]
    for bad, reason in (("members", "shared-has-no-members"),
                        (info, "no-sender"), (f"no@{domain}",
                                              "no-such-holder")):
        said = root.patch(f"/shared/{info}", {"senders": [bad]}, status=422)
        assert said.json["field"] == "senders"
        assert said.json["reason"] == reason
    assert root.get(f"/shared/{info}").json["senders"] == [team]
    assert root.get(f"/domains/{domain}").json["from_header"] == "accept"
    root.patch(f"/domains/{domain}", {"from_header": "own"})
    assert root.get(f"/domains/{domain}").json["from_header"] == "own"
    root.patch(f"/domains/{domain}", {"from_header": "mine"}, status=422)


# ---- it is in force --------------------------------------------------------

def rcpt(server, address):
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail("x@elsewhere.example")
        return smtp.rcpt(address)[0]


def test_in_force_at_the_next_rcpt(a, root):
    name = f"d{next(counter)}.test"
    root.put(f"/domains/{name}", {}, status=201)
    carol = f"carol@{name}"
    assert rcpt(a, carol) == 550
    root.put(f"/users/{carol}", {}, status=201)
    assert rcpt(a, carol) == 250
    assert root.get("/route", address=carol).json["action"] == "deliver"
    root.patch(f"/users/{carol}", {"mail_system": "none"})
    assert rcpt(a, carol) == 550
    route = root.get("/route", address=carol).json
    assert route["action"] == "refuse" and route["reasons"]
    root.patch(f"/users/{carol}", {"mail_system": "hosted"})
    assert rcpt(a, carol) == 250
    root.delete(f"/users/{carol}")
    assert rcpt(a, carol) == 550


def test_queue(a, root, shared_world):
    name, other = f"d{next(counter)}.test", f"d{next(counter)}.test"
    dead = f"{a.address}:1"
    for each in (name, other):
        root.put(f"/domains/{each}", {"relay": dead}, status=201)
        root.put(f"/users/b@{each}", {"mail_system": "alternate"}, status=201)
    a.send("x@elsewhere.example", [f"b@{name}", f"b@{other}"],
           "Subject: <script>alert(1)</script>\r\n\r\nhi\r\n")
    api = administrator(root, "domain-admin", name)
    wait_until(lambda: root.get("/queue").json["items"], 20, "the queue")
    mine, = api.get("/queue").json["items"]
    assert [r["address"] for r in mine["recipients"]] == [f"b@{name}"]
    both, = root.get("/queue", id=mine["id"]).json["items"]
    assert len(both["recipients"]) == 2
    shown = api.get(f"/queue/{mine['id']}").json
    assert [r["address"] for r in shown["recipients"]] == [f"b@{name}"]
    goes = {"action": "relay", "next_hop": "relay", "system": dead, "text": ""}
    for now in (mine, shown):
        assert now["recipients"][0]["now"] == goes
        assert now["subject"] == "<script>alert(1)</script>"
    assert a.queue()[0]["subject"] == "<script>alert(1)</script>"
    assert "<script>" in shown["header"]
    api.get("/queue/nosuchid", status=404)

    # His orders are for his own.
    assert api.post("/queue/orders", {"order": "hold", "all": True}).json[
        "recipients"] == 1
    states = {r["address"]: r["state"] for r in root.get(
        f"/queue/{mine['id']}").json["recipients"]}
    assert states == {f"b@{name}": "held", f"b@{other}": "waiting"}
    overview = root.get("/overview").json
    assert overview["queue"]["messages"] == 1
    assert overview["queue"]["recipients"] == 2
    assert overview["queue"]["held"] == 1
    assert {s["name"] for s in overview["systems"] if s["recipients"]} == {
        dead}
    assert api.get("/overview").json["queue"]["recipients"] == 1
    root.refused("POST", "/queue/orders", {"order": "delete"}, "all")
    root.refused("POST", "/queue/orders", {"order": "delete", "id": ""}, "id")
    root.refused("POST", "/queue/orders", {"order": "eat", "all": True},
                 "order")
    metrics = root.raw("GET", "/metrics", None, root.headers("GET", {}))
    assert "splitmail_queue_messages 1\n" in metrics.text
    assert f'splitmail_queue_recipients{{kind="relay",system="{dead}"}} 2' \
        in metrics.text
    assert f'splitmail_users{{domain="{name}",mail_system="alternate"}} 1' \
        in metrics.text
    root.delete(f"/users/b@{name}")
    shown = api.get(f"/queue/{mine['id']}").json["recipients"][0]
    assert shown["next_hop"] == "relay" and shown["system"] == dead
    assert shown["now"]["action"] == "refuse"
    assert shown["now"]["text"].startswith("550 5.1.1 ")
    assert root.post("/queue/orders", {"order": "delete", "all": True}).json[
        "recipients"] == 2
    assert root.get("/queue").json["items"] == []


def test_queue_of_a_domain_with_aliases(a, root):
    name = f"d{next(counter)}.test"
    dead = f"{a.address}:2"
    root.put(f"/domains/{name}", {"relay": dead, "aliases": [f"x.{name}"]},
             status=201)
    for user in ("b", "c"):
        root.put(f"/users/{user}@{name}", {"mail_system": "alternate"},
                 status=201)
    both = [f"b@{name}", f"c@x.{name}"]
    a.send("x@elsewhere.example", both)
    a.send("x@elsewhere.example", both[1:])
    a.send("x@elsewhere.example", both[:1])
    api = administrator(root, "domain-admin", name)
    wait_until(lambda: len(api.get("/queue").json["items"]) == 3, 20,
               "three messages")
    items = api.get("/queue").json["items"]
    assert [sorted(r["address"] for r in e["recipients"]) for e in items] == [
        both, both[1:], both[:1]]
    for who in (api, root):
        assert [e["id"] for e in all_pages(who, "/queue", limit=1,
                                           domain=f"x.{name}")] == [
            e["id"] for e in items]
    system, = [s for s in api.get("/overview").json["systems"]
               if s["kind"] == "system"]
    assert system["name"] == dead and system["recipients"] == 4
    assert api.get("/overview").json["queue"]["recipients"] == 4
    assert api.post("/queue/orders", {"order": "delete", "all": True}).json[
        "recipients"] == 4


LIMITS = {"connections": 2, "mails_per_connection": 10,
          "recipients_per_mail": 100, "mails_per_minute": 60,
          "address_family": "ipv6"}


def test_limits_of_a_system(root):
    name = f"/systems/limits{next(counter)}"
    not_set = {**dict.fromkeys(LIMITS), "address_family": "any"}

    def limits(answer):
        return {key: answer.json[key] for key in LIMITS}

    assert limits(root.put(name, {"hosts": "x.test"}, status=201)) == not_set
    first = root.get(name)
    assert limits(root.patch(name, LIMITS)) == LIMITS
    now = root.get(name)
    assert limits(now) == LIMITS
    assert now.headers["etag"] != first.headers["etag"]
    root.patch(name, {"connections": 3}, status=412,
               headers={"If-Match": first.headers["etag"]})
    # As a form sends it; null and empty are not set.
    assert root.patch(name, {"connections": "7"}).json["connections"] == 7
    root.patch(name, {"connections": None, "mails_per_minute": ""})
    assert limits(root.get(name)) == {**LIMITS, "connections": None,
                                      "mails_per_minute": None}
    # PUT brings it into the state that is given.
    assert limits(root.put(name, {"hosts": "x.test"})) == not_set


def test_relay_test(a, root, shared_world):
    sink = shared_world.sink()
    name = f"d{next(counter)}.test"
    root.put(f"/domains/{name}", {}, status=201)
    report = root.post("/relay-test", {
        "hosts": f"{sink.at}, {a.address}:1, {a.at}", "domain": name}).json
    there, dead, ours = report["items"]
    assert there["connected"] and there["banner"].startswith("220")
    assert there["problem"] is there["reason"] is None
    assert there["unknown_address"]["outcome"] == "accepted"
    assert not dead["connected"] and dead["reason"] == "not-connected"
    assert dead["values"] == {"address": a.address,
                              "cause": "Connection refused"}
    assert ours["tls"]["version"].startswith("TLS")
    assert not ours["tls"]["verified"]
    assert ours["unknown_address"]["outcome"] == "refused"
    # What speaks no SMTP is not quoted, and nobody scans networks with it.
    web, = root.post("/relay-test", {
        "hosts": f"{a.address}:{a.ports['console']}"}).json["items"]
    assert web["banner"] is None and web["reason"] == "no-answer"
    with socket.create_server((a.address, 0)) as ssh:
        threading.Thread(target=lambda: ssh.accept()[0].sendall(
            b"SSH-2.0-OpenSSH\r\n"), daemon=True).start()
        item, = root.post("/relay-test", {
            "hosts": f"{a.address}:{ssh.getsockname()[1]}"}).json["items"]
    assert item["reason"] == "no-smtp" and item["banner"] is None
    assert "OpenSSH" not in json.dumps(item)
    api = administrator(root, "domain-admin", name)
    for hosts in (sink.at, "169.254.169.254"):
        item, = api.post("/relay-test", {"hosts": hosts}).json["items"]
        assert not item["connected"] and item["reason"] == "not-tried"
    root.refused("POST", "/relay-test", {"hosts": "host;id"}, "hosts")


@pytest.mark.parametrize("verb, reply, outcome", (
    ("RCPT", "550 5.1.1 no such user", "refused"),
    ("RCPT", "550 5.4.1 access denied", "refused"),     # Exchange Online's
    ("RCPT", "550 nobody here", "refused"),
    ("RCPT", "550 nobody@relay.test has no mailbox", "refused"),
    ("RCPT", "550 5.7.1 relaying denied", "denied"),
    ("RCPT", "554 5.7.1 Relay access denied", "denied"),
    ("RCPT", "550 relay not permitted", "denied"),
    ("RCPT", "553 sorry,\nnot in my list of allowed rcpthosts", "denied"),
    ("RCPT", "530 sign in first", "denied"),
    ("RCPT", "450 4.7.1 greylisted", "unsure"),
    ("MAIL", "550 5.1.0 you are on a list", "denied"),
    ("MAIL", "451 4.3.0 later", "unsure"),
))
def test_relay_that_refuses(root, shared_world, verb, reply, outcome):
    """A refusal of the random address is good news only if it is about the
    address; a user's own address is asked for, too."""
    name, sink = f"d{next(counter)}.test", shared_world.sink()
    root.put(f"/domains/{name}", {"relay": sink.at}, status=201)
    sink.on[verb] = reply
    item, = root.post("/relay-test",
                      {"hosts": sink.at, "domain": name}).json["items"]
    assert item["problem"] is item["known_address"] is None
    assert item["unknown_address"]["outcome"] == outcome
    root.put(f"/users/ann@{name}", {"mail_system": "alternate"}, status=201)
    item, = root.post("/relay-test",
                      {"hosts": sink.at, "domain": name}).json["items"]
    assert item["known_address"] == {
        "address": f"ann@{name}", "outcome": outcome,
        "reply": reply.replace("\n", " ")}


def test_relay_that_knows_its_users(root, domain, shared_world):
    """Whom it is asked for: who gets his mail there, and nobody else."""
    sink = shared_world.sink()
    sink.on["RCPT"] = {f"there@{domain}": "250 2.1.5 ok",
                       None: "550 5.1.1 no such user"}
    root.put("/systems/elsewhere", {"hosts": "s.test"}, status=201)
    for user, body in {"here": {}, "off": {"enabled": False},
                       "away": {"system": "elsewhere"}, "there": {}}.items():
        root.put(f"/users/{user}@{domain}",
                 body if user == "here" else {"mail_system": "alternate",
                                              **body}, status=201)
    item, = root.post("/relay-test",
                      {"hosts": sink.at, "domain": domain}).json["items"]
    assert item["unknown_address"]["outcome"] == "refused"
    assert item["known_address"] == {"address": f"there@{domain}",
                                     "outcome": "accepted",
                                     "reply": "250 2.1.5 ok"}


def test_change_log(root, domain):
    root.patch(f"/domains/{domain}", {"description": "before"})
    root.patch(f"/domains/{domain}", {"description": "after"})
    root.put(f"/users/u@{domain}", {"password": "never shown"}, status=201)
    page = root.get("/changes", subject=domain, limit=1).json
    assert page["items"][0]["old"] == "before"
    assert page["items"][0]["new"] == "after"
    assert page["items"][0]["who"] == "console:admin0"
    again = root.get("/changes", subject=domain, limit=1,
                     cursor=page["next_cursor"]).json
    assert again["items"][0]["new"] == "before"
    everything = root.get("/changes", limit=500).text
    assert "never shown" not in everything and "ARGON2" not in everything


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
