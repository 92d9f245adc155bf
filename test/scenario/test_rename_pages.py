"""The pages give a user, a group and a domain another name, and take it back;
they say what leads to somebody who is deleted, and take it along."""

import pytest

from pages import open_browser, server  # noqa: F401
from test_refused_pages import Page

DOMAIN = "names.test"
MARY, NEW = f"mary@{DOMAIN}", f"mary.miller@{DOMAIN}"


@pytest.fixture(scope="module")
def page(server):  # noqa: F811
    server.cli("domain", "create", DOMAIN)
    server.user(MARY)
    server.user(f"other@{DOMAIN}")
    server.cli("group", "create", f"team@{DOMAIN}", "--member", MARY)
    with open_browser(server, "en") as browser:
        page = Page(server, browser, "en")
        page.language = "en"
        yield page
        assert browser.complaints() == []


def test_a_user_and_back(page):
    browser = page.browser
    page.go(f"/directory/user/{MARY}/maintenance")
    page.press("renameAddress")
    browser.sees(page.words["renameAddressHint"])
    assert browser.violations() == []
    page.type("newDefaultAddress", f"other@{DOMAIN}")
    page.press("rename")
    page.refused("newDefaultAddress", "other@")
    page.type("newDefaultAddress", NEW)
    browser.resize(390)
    assert browser.violations() == []
    browser.resize(1280)
    page.press("rename")
    browser.sees(f"{MARY} is {NEW} now")
    page.press("undo")
    browser.sees(page.words["undone"])
    assert page.server.cli("user", "show", MARY)["address"] == MARY


def test_a_domain_and_back_by_the_log(page):
    browser = page.browser
    page.go(f"/domains/{DOMAIN}/general")
    page.press("renameDomain")
    page.type("newDomainName", "newnames.test")
    page.press("rename")
    browser.sees(f"{DOMAIN} is newnames.test now")
    assert page.server.cli("user", "show", MARY)["address"] == \
        "mary@newnames.test"
    page.go("/changes")
    assert browser.violations() == []
    browser.press(f"Undo: the name {DOMAIN} again")
    browser.sees(page.words["undone"])
    assert page.server.cli("user", "show", MARY)["address"] == MARY


def test_what_leads_to_a_user_goes_along(page):
    browser = page.browser
    page.go(f"/directory/user/{MARY}/maintenance")
    page.press("deleteUser")
    page.press("delete")
    browser.sees(f"team@{DOMAIN} (member)")
    assert browser.violations() == []
    browser.tick(page.words["takeAlong"])
    page.press("delete")
    browser.sees(f"{MARY} was deleted")
    assert page.server.cli("group", "show", f"team@{DOMAIN}")["members"] == []
