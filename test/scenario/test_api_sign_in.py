"""The HTTP API: who signs in, for how long, and tokens."""

import threading

from api_world import (PASSWORD, a, administrator, domain,  # noqa: F401
                       new_api, root)
from world import wait_until


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
