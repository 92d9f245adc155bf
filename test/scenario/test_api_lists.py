"""The HTTP API: lists, what is found in them, and how full a mailbox is."""

import base64
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api_world import a, all_pages, domain, new_api, root  # noqa: F401
from world import descendants, wait_until, within


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


def test_how_full_a_mailbox_is(a, root, domain):
    ann, office = f"/users/ann@{domain}", f"/shared/office@{domain}"

    def known(path):
        """Dovecot may take longer than it is waited for."""
        return wait_until(lambda: [answer for answer in [root.get(path)]
                                   if answer.json["used"] is not None],
                          what=f"how full {path} is")[0]

    root.put(office, {}, status=201)
    assert known(office).json["used"] == 0
    root.put(ann, {"quota": "2M"}, status=201)
    empty = known(ann)
    assert empty.json["used"] == 0
    a.send("x@elsewhere.test", f"ann@{domain}",
           "Subject: big\r\n\r\n" + ("x" * 76 + "\r\n") * 4000)
    fuller = known(ann)
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
            assert time.monotonic() - begun < within(15)
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    assert known(ann).json["used"] == fuller.json["used"]
    for change in ({"mail_system": "none"},
                   {"mail_system": "hosted", "enabled": False}):
        root.patch(ann, change)
        assert "used" not in root.get(ann).json
