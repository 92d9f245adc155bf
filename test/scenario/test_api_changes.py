"""The HTTP API: what is changed, as a whole, in part, or not at all:
addresses, PUT, previews, ETags, the log of changes."""

import threading

import pytest

from api import quote
from api_world import PASSWORD, a, counter, domain, new_api, root  # noqa: F401

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

# ---- other nouns -----------------------------------------------------------

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

# ---- the log ---------------------------------------------------------------

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
