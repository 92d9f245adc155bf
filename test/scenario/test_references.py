"""Nothing that leads to somebody who is deleted comes to life for whoever gets
his address next: it is named, or goes along and is said."""


import pytest

from api import Api

A, B = "a.test", "b.test"
PASSWORD = "correct horse"
BOSS, KEEP, TEAM = f"boss@{A}", f"keep@{B}", f"team@{B}"


@pytest.fixture(scope="module")
def server(shared_world):
    return shared_world.server("a")


@pytest.fixture(scope="module")
def root(server):
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    return api


@pytest.fixture
def led(root):
    """A forward, a group, a catch-all and a postmaster lead to the boss."""
    for path, body in [
            (f"/domains/{A}", {"aliases": ["a2.test"]}), (f"/domains/{B}", {}),
            (f"/users/{BOSS}", {}), (f"/users/other@{A}", {}),
            (f"/users/{KEEP}", {"forward": [f"boss+x@{A}"]}),
            (f"/groups/{TEAM}", {"members": [f"other@{A}", BOSS]})]:
        root.put(path, body)
    root.patch(f"/domains/{B}", {"catch_all": BOSS, "postmaster": BOSS})


NAMES = [f"{KEEP} (forward)", f"{TEAM} (member)", f"{B} (catch_all)",
         f"{B} (postmaster)"]


def clean(root):
    assert root.get(f"/users/{KEEP}").json["forward"] == []
    assert root.get(f"/groups/{TEAM}").json["members"] == [f"other@{A}"]
    domain = root.get(f"/domains/{B}").json
    assert (domain["catch_all"], domain["postmaster"]) == ("", "")


def test_by_the_api(root, led):
    answer = root.refused("DELETE", f"/users/{BOSS}", None, None).json
    assert answer["reason"] == "others-lead-here"
    assert answer["values"]["names"] == NAMES
    looked = root.delete(f"/users/{BOSS}", status=200, references="remove",
                         preview="true").json
    assert root.get(f"/users/{BOSS}")
    removed = root.delete(f"/users/{BOSS}", status=200,
                          references="remove").json
    assert removed == looked
    assert [f"{each['owner']} ({each['kind']})"
            for each in removed["removed"]] == NAMES
    clean(root)
    said = root.get("/changes", subject=KEEP).json["items"][0]
    assert (said["field"], said["old"], said["new"]) == (
        "forward", f"boss+x@{A}", "")


def test_a_word_that_is_not_known(root, led):
    answer = root.request("DELETE", f"/users/{BOSS}", None, 400,
                          references="everything").json
    assert answer["reason"] == "bad-parameter"


def test_by_the_command_line(server, root, led):
    said = server.refused("user", "delete", BOSS, "--yes")
    assert all(name in said for name in [*NAMES, "--clean"])
    done = server.cli("user", "delete", BOSS, "--yes", "--clean")["text"]
    assert all(name in done for name in NAMES)
    clean(root)


def test_mail_does_not_reach_a_successor(server, root, led):
    root.delete(f"/users/{BOSS}", status=200, references="remove")
    root.put(f"/users/{BOSS}", {}, status=201)
    legs = [leg["address"] for leg in server.route(KEEP)["legs"]]
    assert legs == [KEEP]
    root.patch(f"/users/{KEEP}", {"forward": []})


def test_an_address_and_an_alias_of_a_domain(server, root, led):
    root.put(f"/users/{BOSS}/addresses/chief@{A}", {}, status=201)
    root.patch(f"/users/{KEEP}", {"forward": [f"chief@{A}"]})
    root.patch(f"/domains/{B}", {"catch_all": "boss@a2.test"})
    path = f"/users/{BOSS}/addresses"
    root.refused("DELETE", f"{path}/chief@{A}", None, None, KEEP)
    root.refused("PUT", path, {"items": []}, None, KEEP)
    root.refused("PATCH", f"/domains/{A}", {"aliases": []}, None, B)
    # Held on all names from now on: what led there goes on.
    root.put(path, {"items": [{"address": "chief@*"}]})
    assert root.get(f"/users/{KEEP}").json["forward"] == [f"chief@{A}"]
    assert root.delete(f"{path}/chief@*", status=200, references="remove"
                       ).json["removed"][0]["owner"] == KEEP
    root.request("PATCH", f"/domains/{A}", {"aliases": []}, 200,
                 references="remove")
    assert root.get(f"/domains/{B}").json["catch_all"] == ""


def test_of_other_domains_only_the_number_is_said(root, led):
    root.put("/administrators/adam", {"role": "domain-admin", "domain": A,
                                      "password": PASSWORD})
    adam = Api(root.server)
    adam.sign_in("adam", PASSWORD)
    answer = adam.refused("DELETE", f"/users/{BOSS}", None, None,
                          "not yours").json
    assert answer["reason"] == "others-elsewhere-lead-here"
    assert B not in str(answer)
    # Their domain's own keys are not his to empty.
    answer = adam.request("DELETE", f"/users/{BOSS}", None, 422,
                          references="remove").json
    assert answer["values"] == {"n": 2, "address": BOSS}
    root.patch(f"/domains/{B}", {"catch_all": "", "postmaster": ""})
    assert adam.delete(f"/users/{BOSS}", status=200,
                       references="remove").json == {"removed": []}
    clean(root)


def test_a_domain_goes_with_its_administrators(server, root):
    root.put("/domains/gone.test", {}, status=201)
    root.put("/administrators/gone", {"role": "delegate",
                                      "domain": "gone.test",
                                      "password": PASSWORD}, status=201)
    root.refused("DELETE", "/domains/gone.test", None, None,
                 "gone (administrator)")
    root.delete("/domains/gone.test", status=200, references="remove")
    root.get("/administrators/gone", status=404)
