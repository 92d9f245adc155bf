"""The HTTP API: who may do what, and to whom."""

import re

from api import Api, document
from api_world import (PASSWORD, a, administrator, counter,  # noqa: F401
                       domain, new_api, root)


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
            "mails_per_minute", "address_family", "outgoing", "xclient",
            "learnt"} == set(
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
