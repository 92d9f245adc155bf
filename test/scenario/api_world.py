"""A server of its own for each file of tests of the HTTP API, its
superadministrator, and a domain of each test's own: fixtures, which a file
imports by name."""

import pytest

from api import Api

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def a(shared_world):
    return shared_world.server("a")


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
