"""What the HTTP API says to one who writes a script for it: what there is not,
what can be done instead, and how a body looks; and a token without a browser."""

import http.client
import re

import pytest

from api import Api, Contract, document
from api_world import a, domain, root  # fixtures

NO_SUCH = "nosuch.test"


@pytest.mark.parametrize("path, says", [
    ("/users/x@{domain}", "There is no user x@{domain}."),
    ("/groups/x@{domain}", "There is no group x@{domain}."),
    ("/shared/x@{domain}", "There is no shared mailbox x@{domain}."),
    ("/domains/nosuch.test", "There is no domain nosuch.test."),
    ("/systems/nosuch", "There is no system nosuch."),
    ("/filters/nosuch", "There is no filter nosuch."),
    ("/administrators/nosuch", "There is no administrator nosuch."),
    ("/jobs/123456", "There is no job 123456."),
    ("/queue/abcdef", "There is no message in the queue abcdef."),
    ("/users/x@{domain}/addresses", "There is no user x@{domain}."),
    ("/nothing", "There is no /api/v1/nothing here; GET /api/docs"),
])
def test_404_says_what_there_is_not(root, domain, path, says):
    answer = root.get(path.format(domain=domain), status=404).json
    assert answer["reason"] == "not-found"
    assert answer["detail"].startswith(says.format(domain=domain))
    assert answer["detail"].startswith(f"There is no {answer['values']['what']}")


def test_the_address_of_a_user_that_is_not_there(root, domain):
    root.put(f"/users/bob@{domain}", {}, status=201)
    answer = root.delete(f"/users/bob@{domain}/addresses/b@{domain}",
                         status=404).json
    assert answer["detail"] == (f"There is no address b@{domain} of the user "
                                f"bob@{domain}.")


@pytest.mark.parametrize("kind", ["users", "groups", "shared"])
def test_a_domain_that_is_missing_is_named(root, kind):
    answer = root.put(f"/{kind}/x@{NO_SUCH}", {}, status=404).json
    assert answer["reason"] == "no-such-domain"
    assert answer["values"] == {"domain": NO_SUCH}
    assert f"PUT /api/v1/domains/{NO_SUCH} creates one" in answer["detail"]


def test_405_says_what_can_be_done(root, domain):
    answer = root.request("POST", "/users", {}, status=405)
    assert answer.headers["allow"] == "GET"
    assert answer.json["detail"] == (
        "POST is not possible here, only GET. PUT /api/v1/users/{address} "
        "makes one.")
    answer = root.request("DELETE", "/overview", None, status=405)
    assert answer.json["detail"] == "DELETE is not possible here, only GET."
    answer = root.request("POST", f"/users/x@{domain}", {}, status=405)
    assert answer.json["detail"] == ("POST is not possible here, only GET, PUT, "
                                     "PATCH, DELETE.")


@pytest.mark.parametrize("method, path, body, key", [
    ("POST", "/tokens", {"name": "x", "scope": "read"}, "password"),
    ("POST", "/tokens", {"name": "x", "password": "y"}, "scope"),
    ("PUT", "/session/password", {"current": "x"}, "new"),
    ("PUT", "/session/totp", {"password": "x"}, "code"),
])
def test_what_is_missing_is_not_called_no_text(root, method, path, body, key):
    answer = root.request(method, path, body, status=400).json
    assert answer["detail"] == f"{key} is missing."
    assert answer["reason"] == "key-missing" and answer["field"] == key
    answer = root.request(method, path, dict(body, **{key: 5}), status=400)
    assert answer.json["detail"] == f"{key} has to be a text."


def test_signing_in_needs_both(a):
    answer = Api(a).request("POST", "/session", {"name": "admin0"}, status=400)
    assert answer.json["detail"] == "password is missing."


def bodies():
    contract = Contract()
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            if method != "parameters" and "requestBody" in operation:
                content = operation["requestBody"]["content"]
                yield pytest.param(contract, content["application/json"],
                                   id=f"{method} {path}")


@pytest.mark.parametrize("contract, content", bodies())
def test_every_body_has_an_example_that_is_right(contract, content):
    schema = contract.resolve(content["schema"])
    examples = schema.get("examples") or [content["example"]]
    for example in examples:
        contract.validate(content["schema"], example)


def test_examples_work(root, domain):
    """Those that can be tried as they are, in a domain of that name."""
    schemas = document()["components"]["schemas"]

    def example(name):
        return schemas[name]["examples"][0]

    root.put("/domains/example.org", example("DomainChange"), status=201)
    root.put("/users/alice@example.org", example("UserChange"), status=201)
    root.put("/users/bob@example.org", {}, status=201)
    root.put("/groups/team@example.org", example("GroupChange"), status=201)
    root.put("/shared/office@example.org", example("SharedChange"), status=201)
    root.put("/systems/other", example("SystemChange"), status=201)
    root.put("/filters/spam", example("FilterChange"), status=201)
    root.put("/administrators/jane", example("AdministratorChange"), status=201)
    root.patch("/users/alice@example.org/addresses",
               example("AddressListChange"))
    user = root.get("/users/alice@example.org").json
    assert user["quota"] == 2 << 30
    assert {each["address"]: each["home_now"] for each in user["addresses"]} \
        == {"alice@*": "alternate", "a.doe@example.org": "none"}
    # what is shown may be given back
    root.put("/users/alice@example.org/addresses",
             {"items": user["addresses"]})


def get(server, path, **headers):
    at = http.client.HTTPConnection(server.address, server.ports["console"],
                                    timeout=120)
    at.request("GET", path, headers=headers)
    answer = at.getresponse()
    body = answer.read().decode()
    at.close()
    return answer, body


@pytest.mark.parametrize("path", ["/api/docs", "/api", "/api/", "/api/v1",
                                  "/api/v1/", "/api/v1/docs", "/docs"])
def test_the_document_is_a_page_where_people_look(a, path):
    answer, body = get(a, path)
    assert answer.status == 200
    assert answer.getheader("Content-Type").startswith("text/html")
    policy = answer.getheader("Content-Security-Policy")
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for name, operations in document()["paths"].items():
        assert f"<code>/api/v1{name}</code>" in body
        for method, operation in operations.items():
            if method != "parameters":
                assert operation["operationId"] and \
                    operation["summary"].replace("'", "'") in \
                    body.replace("&quot;", '"').replace("&amp;", "&")
    assert 'href="/api/v1/openapi.json"' in body
    assert not re.search("<script|http-equiv", body)


def test_a_token_without_a_browser(a, root, domain):
    made = a.run("admin", "token", "create", "admin0", "nightly", "--scope",
                 "write", "--days", "2")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    assert re.fullmatch(r"\S{44}", token)
    answer, body = get(a, "/api/v1/users", Authorization=f"Bearer {token}")
    assert answer.status == 200
    [listed] = [each for each in a.cli("admin", "token", "list")
                if each["name"] == "nightly"]
    assert listed["scope"] == "write" and "token" not in listed
    a.cli("admin", "token", "delete", str(listed["id"]))
    answer, body = get(a, "/api/v1/users", Authorization=f"Bearer {token}")
    assert answer.status == 401
