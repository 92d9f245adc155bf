"""Who has fewer rights takes nothing from who has more: no mail, no address,
whatever the door; and learns nothing of other domains."""


import pytest

from api import Api, quote
from world import wait_until

DOMAIN, OTHER = "own.test", "other.test"
PASSWORD = "correct horse"
CHIEF, ALIAS, PLAIN = f"chief@{DOMAIN}", f"ceo@{DOMAIN}", f"plain@{DOMAIN}"


@pytest.fixture(scope="module")
def sink(shared_world):
    return shared_world.sink()


@pytest.fixture(scope="module")
def server(shared_world, sink):
    hosts = f"{shared_world.subfolder('names')}/hosts"
    with open(hosts, "w") as file:
        file.write(f"{sink.address} sly.test\n169.254.169.254 sly.test\n")
    return shared_world.server("a", conf=f'dns {{\n\thosts = "{hosts}"\n}}')


@pytest.fixture(scope="module")
def root(server):
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    api.put(f"/domains/{DOMAIN}", {"relay": "192.0.2.1"}, status=201)
    api.put(f"/domains/{OTHER}", {"relay": "192.0.2.9"}, status=201)
    api.put(f"/users/{CHIEF}", {"password": PASSWORD}, status=201)
    api.put(f"/users/{PLAIN}", {}, status=201)
    api.put(f"/users/{CHIEF}/addresses/{ALIAS}", {}, status=201)
    api.put(f"/administrators/{CHIEF}", {"role": "superadmin"}, status=201)
    return api


@pytest.fixture(params=["domain-admin", "delegate"])
def below(root, request):
    root.put(f"/administrators/{request.param}",
             {"role": request.param, "domain": DOMAIN, "password": PASSWORD})
    api = Api(root.server)
    api.sign_in(request.param, PASSWORD)
    return api


def test_no_door_leads_to_a_superior(root, below):
    before = root.get(f"/users/{CHIEF}").json
    chief, alias = f"/users/{CHIEF}", quote(ALIAS)
    for method, path, body in [
            ("PATCH", chief, {"password": "stolen-one"}),
            ("PATCH", chief, {"forward": ["spy@evil.test"]}),
            ("PATCH", chief, {"mail_system": "alternate"}),
            ("PATCH", chief, {"addresses": [{"address": CHIEF,
                                             "home": "none"}]}),
            ("DELETE", chief, None),
            ("PATCH", chief + "/addresses",
             {"items": [{"address": CHIEF, "home": "alternate"}]}),
            ("PUT", chief + "/addresses", {"items": []}),
            ("PUT", chief + "/addresses/spy@own.test", {}),
            ("DELETE", chief + "/addresses/" + alias, None),
            ("PUT", f"/users/{PLAIN}/addresses/chief+bank@own.test", {}),
    ]:
        answer = below.request(method, path, body, status=422).json
        assert answer["reason"] == "user-outranks", (method, path, answer)
    body = {"addresses": [CHIEF], "change": {"enabled": False}}
    job = below.wait_for_job(below.job(body))
    assert job["refused"] == 1
    assert root.get(f"/users/{CHIEF}").json == before


def test_what_a_superior_forwards_to_is_watched(root, below):
    root.put(f"/groups/readers@{DOMAIN}", {"members": [PLAIN]})
    root.patch(f"/users/{CHIEF}", {"forward": [f"readers@{DOMAIN}"]})
    status = 403 if below.get("/session").json["role"] == "delegate" else 422
    answer = below.request("PUT", f"/groups/readers@{DOMAIN}/members/"
                           "spy@evil.test", None, status=status).json
    assert status == 403 or answer["reason"] == "mail-of-superior"
    root.patch(f"/users/{CHIEF}", {"forward": []})


@pytest.mark.parametrize("relay", ["127.0.0.1:9", "169.254.169.254:80",
                                   "[::1]:25", "[::ffff:127.0.0.1]", "0.0.0.0",
                                   "localhost", "a.splitmail.test"])
def test_this_machine_is_no_relay_for_a_domain_admin(root, relay):
    root.put("/administrators/dadm", {"role": "domain-admin",
                                      "domain": OTHER, "password": PASSWORD})
    api = Api(root.server)
    api.sign_in("dadm", PASSWORD)
    answer = api.refused("PATCH", f"/domains/{OTHER}", {"relay": relay},
                         "relay").json
    assert answer["reason"] == "host-is-this-machine"
    api.patch(f"/domains/{OTHER}", {"relay": "192.0.2.8"})


def test_who_sends_from_which_address_is_not_for_a_domain_admin(root):
    """It would be another domain's good name."""
    root.put("/administrators/oadm", {"role": "domain-admin",
                                      "domain": OTHER, "password": PASSWORD})
    api = Api(root.server)
    api.sign_in("oadm", PASSWORD)
    answer = api.refused("PATCH", f"/domains/{OTHER}",
                         {"outgoing": "127.0.0.1"}, "outgoing").json
    assert answer["reason"] == "outgoing-is-superiors"
    root.patch(f"/domains/{OTHER}", {"outgoing": "127.0.0.1"})
    api.patch(f"/domains/{OTHER}", {"outgoing": "127.0.0.1"})
    root.patch(f"/domains/{OTHER}", {"outgoing": ""})


def test_nor_by_a_name_that_leads_here(root, sink):
    """...that whoever has the name may turn to it later."""
    def send(user):
        root.server.send("x@elsewhere.test", user)
    root.put("/administrators/sly", {"role": "domain-admin", "domain": OTHER,
                                     "password": PASSWORD})
    api = Api(root.server)
    api.sign_in("sly", PASSWORD)
    relay = f"sly.test:{sink.port}"
    api.patch(f"/domains/{OTHER}", {"relay": relay})
    one, two = f"one@{OTHER}", f"two@{OTHER}"
    for user in one, two:
        root.put(f"/users/{user}", {"mail_system": "alternate"})
    send(one)
    [waiting] = root.server.wait_for_queue(1)
    assert "is this machine" in str(root.server.cli("queue", "show",
                                                    waiting["id"]))
    assert not sink.messages
    # A superadministrator means what he says.
    root.patch(f"/domains/{OTHER}", {"relay": "192.0.2.8"})
    root.patch(f"/domains/{OTHER}", {"relay": relay})
    send(two)
    wait_until(lambda: any(two in m.recipients for m in sink.messages), 20,
               "the mail there")
    root.patch(f"/domains/{OTHER}", {"relay": "192.0.2.8"})
    root.server.cli("queue", "delete", "--all", "--yes")


# ---- what is shown of other domains ----------------------------------------

def test_who_did_it_is_not_named_to_other_domains(root):
    admins = {}
    for domain, name in ((DOMAIN, "nosy"), (OTHER, f"chief@{OTHER}"),
                         (OTHER, "short")):
        root.put(f"/administrators/{name}", {
            "role": "domain-admin", "domain": domain, "password": PASSWORD},
            status=201)
        admins[name] = Api(root.server)
        admins[name].sign_in(name, PASSWORD)
    group = f"bridge@{DOMAIN}"
    admins["nosy"].put(f"/groups/{group}", {"members": [PLAIN]})
    for name in f"chief@{OTHER}", "short":
        root.put(f"/users/guest@{OTHER}", {})
        root.put(f"/groups/{group}/members/guest@{OTHER}", {})
        admins[name].delete(f"/users/guest@{OTHER}", status=200,
                            references="remove")
    root.delete(f"/administrators/chief@{OTHER}")

    def log(api, **what):
        return [each["who"] for each in api.get(
            "/changes", subject=group, **what).json["items"]]
    assert log(root)[:4] == ["console:short", "console:admin0",
                             f"console:chief@{OTHER}", "console:admin0"]
    seen = log(admins["nosy"])
    assert seen[:4] == ["console:another domain", "console:admin0"] * 2
    assert set(seen[4:]) == {"console:nosy"}
    assert log(admins["nosy"], search="chief@") == []
    assert log(admins["nosy"], who="console:short") == []
    root.delete(f"/groups/{group}")


def test_a_route_ends_at_the_next_domain(server, root, below):
    """Whoever leads somewhere by a forward, a group, a catch-all is not shown
    what is there."""
    for path, body in [
            (f"/users/boss@{OTHER}", {"forward": ["home@private.test"]}),
            (f"/users/there@{OTHER}", {"mail_system": "alternate"}),
            (f"/groups/board@{OTHER}", {"members": [
                f"boss@{OTHER}", f"there@{OTHER}", "lawyer@private.test"]}),
            (f"/groups/mixed@{DOMAIN}", {"members": [
                f"boss@{OTHER}", PLAIN, "friend@elsewhere.test"]})]:
        root.put(path, body)
    below.patch(f"/users/{PLAIN}", {"forward": [f"board@{OTHER}"]})
    root.patch(f"/domains/{DOMAIN}", {"catch_all": f"board@{OTHER}"})
    whole = root.get("/route", address=PLAIN).json
    assert len(whole["legs"]) == 5
    for asked in PLAIN, f"mixed@{DOMAIN}", f"nobody@{DOMAIN}":
        shown = below.get("/route", address=asked).json
        text = str(shown)
        assert not any(word in text for word in (
            "private.test", "there@", "192.0.2.9", "alternate mail")), shown
        assert "not-to-see" in [each["id"] for each in shown["reasons"]]
        assert shown["action"] == "expand"
    shown = below.get("/route", address=f"mixed@{DOMAIN}").json
    assert [leg["address"] for leg in shown["legs"]] == [
        PLAIN, "friend@elsewhere.test"]
    root.patch(f"/domains/{DOMAIN}", {"catch_all": ""})
    root.patch(f"/users/{PLAIN}", {"forward": []})
