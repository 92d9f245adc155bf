"""The pages where there are many domains, where something has gone
meanwhile, and where a name is long: in a real browser."""

import pytest

pytest.importorskip("selenium")
from api import Api  # noqa: E402
from browser import Keys, quoted  # noqa: E402
from pages import ENGLISH, open_browser, server, sign_in  # noqa: E402

__all__ = ["server"]        # a fixture
MANY = 60                   # more than the server tells at once
LAST = f"d{MANY - 1:03}.test"
LONG = "a" * 60


@pytest.fixture(scope="module")
def root(server):  # noqa: F811
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    for n in range(MANY):
        api.put(f"/domains/d{n:03}.test", {}, status=201)
    return api


@pytest.fixture
def browser(server, root):  # noqa: F811
    with open_browser(server) as browser:
        sign_in(browser, ENGLISH, "admin0", server.admin_password)
        browser.sees("Overview")
        yield browser


def search_domain(browser, name):
    browser.type("Domain", name[:-5])
    browser.click(browser.find, f"//*[@role='option'][.={quoted(name)}]")
    assert browser.value("Domain") == name


def select(browser, name):
    """In the top bar."""
    browser.driver.execute_script(
        "sessionStorage.setItem('splitmail-domain', arguments[0])", name)
    browser.go("/")
    browser.find(f"//input[@aria-label='Domain'][@value={quoted(name)}]")


def sideways(browser):
    """By how much the page is wider than the window."""
    return browser.driver.execute_script(
        "const page = document.documentElement;"
        "return page.scrollWidth - page.clientWidth;")


def test_a_new_user_of_the_last_domain(browser, root):
    browser.go("/directory/new/user")
    browser.type("Address", "zoe")
    assert browser.value("Domain") == ""
    browser.press("Create")
    assert browser.refused("Domain") == "Fill this in."
    search_domain(browser, LAST)
    browser.press("Create")
    browser.sees(f"zoe@{LAST} was created")
    assert root.get(f"/users/zoe@{LAST}").json["domain"] == LAST

    select(browser, LAST)
    browser.go("/directory/new/group")
    browser.find(f"//form//input[@value={quoted(LAST)}]")


def test_a_new_administrator_of_the_last_domain(browser, root):
    browser.go("/administrators")
    browser.press("New administrator")
    browser.type("Name", "last")
    browser.type("Password", "last-secret")
    browser.press("Create")
    assert browser.refused("Domain") == "Fill this in."
    search_domain(browser, LAST)
    browser.press("Create")
    browser.sees("last was created")
    assert root.get("/administrators/last").json["domain"] == LAST


def test_what_is_deleted_is_shown_no_longer(browser, root):
    root.put(f"/users/gone@{LAST}", {"name": "Gone Away"}, status=201)
    browser.go(f"/directory/user/gone@{LAST}/maintenance")
    browser.press("Delete user")
    browser.click(browser.find, "//*[@role='dialog']//button[@type='submit']")
    browser.sees(f"gone@{LAST} was deleted", "Directory Browser")
    browser.driver.back()
    browser.sees("There is nothing at this address")
    assert "Gone Away" not in browser.text()


def test_a_selected_domain_that_goes(browser, root):
    for path, then in (("/", "d001.test"),
                       ("/directory", "@d000.test"),
                       ("/queue", "Nothing waits")):
        root.put("/domains/short-lived.test", {}, status=201)
        select(browser, "short-lived.test")
        root.delete("/domains/short-lived.test")
        browser.go(path)
        browser.sees("The domain short-lived.test is no longer there. "
                     "All domains are shown.", then)
        browser.find("//input[@aria-label='Domain'][@value='All domains']")


def test_an_address_without_a_page(browser):
    for path in ("/x", "/nonsense/x", "/queue/0123456789", "/a.b/%C3%A9?q=1"):
        browser.go(path)
        browser.sees("There is nothing at this address", "Overview")


def test_a_long_name_has_room(browser, root):
    address = f"{LONG}@{LAST}"
    root.put(f"/users/{address}", {"name": LONG}, status=201)
    root.put(f"/users/user0000@{LAST}", {}, status=201)
    browser.resize(390)
    for path in (f"/directory/user/{address}", "/directory",
                 f"/directory/user/{address}/mail",
                 f"/directory/user/{address}/maintenance"):
        browser.go(path)
        browser.sees(LONG)
        assert sideways(browser) == 0, path

    browser.resize(1280)
    select(browser, LAST)
    browser.go("/directory")
    browser.sees(LONG, "Address", "Mail system")
    table = browser.find("//table/..")
    assert table.get_property("scrollWidth") == table.get_property(
        "clientWidth")
    short = browser.find(f"//a[.='user0000@{LAST}']")
    assert len(browser.driver.execute_script(
        "return [...arguments[0].getClientRects()]", short)) == 1


def test_a_search_that_finds_nothing(browser):
    browser.type("Search", "nobody-at-all")
    browser.find("//*[@role='option'][.='Nothing found']")
    # A list that is open lies outside of the landmarks, as all of them do.
    assert [v for v in browser.violations()
            if not v.startswith("region:")] == []
    browser.keys(Keys.CONTROL, "a")
    browser.keys("d001")
    browser.find("//*[@role='option'][.='d001.test']")
    assert "Nothing found" not in browser.text()


def test_who_may_not_make_administrators_has_no_button(server, root):  # noqa: F811
    root.put("/administrators/dee", {"role": "delegate", "domain": LAST,
                                     "password": "dee-secret"}, status=201)
    with open_browser(server) as browser:
        sign_in(browser, ENGLISH, "dee", "dee-secret")
        browser.sees("Overview")
        browser.go("/administrators")
        browser.sees("does not allow")
        assert "New administrator" not in browser.text()
