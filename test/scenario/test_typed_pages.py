"""What comes between the typing and the saving: a session that ends, another
window, somebody else, a click beside.  Nothing typed is lost, and nothing of
another's is overwritten.  One browser for all of it."""

import pytest

from test_conduct import asks_before_leaving
from pages import ENGLISH, open_browser, server, sign_in  # noqa: F401
from world import wait_until


@pytest.fixture(scope="module")
def browser(server):  # noqa: F811
    with open_browser(server) as browser:
        sign_in(browser, ENGLISH, "admin0", server.admin_password)
        browser.sees("Overview")
        yield browser


def look_again(browser):
    """As when another window was looked at meanwhile."""
    browser.driver.execute_script(
        "document.dispatchEvent(new Event('visibilitychange'))")


def sign_in_elsewhere(browser, name, password):
    """In another window of this browser, which has the same cookies."""
    assert browser.driver.execute_async_script("""
        const done = arguments[arguments.length - 1];
        fetch("/api/v1/session", {method: "POST",
            headers: {"Content-Type": "application/json"},
            body: JSON.stringify({name: arguments[0],
                                  password: arguments[1]})})
            .then((answer) => done(answer.status));""", name, password) == 201


def test_a_session_that_ends_while_one_types(server, browser):  # noqa: F811
    """The door is shown, and behind it is what was typed: on a page, in a
    dialogue, on a tab."""
    server.cli("domain", "create", "ends.test")
    server.user("ann@ends.test")
    browser.go("/directory/user/ann@ends.test/maintenance")
    browser.type("New password", "a new password")
    browser.press("New user")
    browser.type("Address", "bert@ends.test")
    browser.type("Name", "Bert")
    browser.type("Further addresses", "info")
    browser.driver.delete_all_cookies()
    browser.press("Create")
    sign_in(browser, ENGLISH, "admin0", server.admin_password)
    wait_until(lambda: browser.value("Address") == "bert", 20, "the form")
    assert browser.value("Name") == "Bert"
    assert browser.value("Further addresses") == "info"
    browser.press("Create")
    browser.sees("bert@ends.test was created")
    browser.press("ann@ends.test")
    browser.press("Maintenance")
    assert browser.value("New password") == "a new password"
    browser.press("Set password")
    browser.sees("The password was set.")

    browser.press("Mail systems")
    browser.press("New mail system")
    browser.type("Name", "typed")
    browser.type("Hosts", "192.0.2.7")
    browser.driver.delete_all_cookies()
    browser.press("Create")
    sign_in(browser, ENGLISH, "admin0", server.admin_password)
    browser.press("New mail system")
    assert browser.value("Hosts") == "192.0.2.7"
    # A click beside it does not lose it, nor does Escape; Cancel does.
    browser.driver.execute_script("document.querySelector("
                                  "'.mantine-Modal-inner').click()")
    browser.keys("\ue00c")
    browser.press("New mail system")
    assert browser.value("Hosts") == "192.0.2.7"
    browser.press("Cancel")
    browser.press("New mail system")
    assert browser.value("Hosts") == ""
    browser.press("Cancel")
    assert not asks_before_leaving(browser)


def test_a_dialogue_in_two_windows(server, browser):  # noqa: F811
    """What another has changed since the typing began is not overwritten, even
    where the page has read it anew meanwhile."""
    server.cli("system", "create", "twice", "--hosts", "one.test")
    browser.go("/systems")
    browser.press("twice")
    browser.type("Trusted addresses", "192.0.2.9")
    server.cli("system", "set", "twice", "hosts=two.test")

    for _ in range(2):          # the second time it has been read anew
        browser.press("Save")
        browser.sees("Somebody else changed this meanwhile")
        browser.find("//td[contains(., 'two.test')]")   # behind it
    assert browser.value("Trusted addresses") == "192.0.2.9"
    assert server.cli("system", "show", "twice")["hosts"] == "two.test"
    browser.press("Cancel")
    browser.press("twice")
    wait_until(lambda: browser.value("Hosts") == "two.test", 20, "the new")


def test_a_deletion_is_undone(server, browser):  # noqa: F811
    server.cli("domain", "create", "back.test")
    server.user("ann@back.test", "--name", "Ann")
    server.cli("address", "add", "ann@back.test", "anna@*")
    before = server.cli("user", "show", "ann@back.test")
    browser.go("/directory/user/ann@back.test/maintenance")
    browser.press("Delete user")
    browser.find("//*[@role='dialog']")
    browser.press("Delete")
    browser.sees("ann@back.test was deleted")
    browser.press("Undo")
    browser.sees("Restored: ann@back.test")
    after = server.cli("user", "show", "ann@back.test")
    assert {**after, "id": before["id"]} == before


def test_what_nobody_typed_is_not_sent(server, browser):  # noqa: F811
    """A domain whose administrator is refused is there, and said to be; a
    change of its name then would make another one."""
    server.cli("admin", "create", "taken", "--role", "superadmin",
               "--password-stdin", input="taken-secret\n")
    browser.go("/create-domain")
    browser.type("Name of the domain", "half.test")
    browser.type("First administrator", "taken")
    browser.press("Create")
    browser.sees("half.test was created. Its administrator was not yet.")
    assert browser.attribute("Name of the domain", "readOnly")
    browser.press("Close")
    browser.find("//a[.='half.test']")


def test_another_session_in_another_window(server, browser):  # noqa: F811
    server.cli("domain", "create", "tabs.test")
    server.cli("admin", "create", "helper", "--domain", "tabs.test", "--role",
               "delegate", "--password-stdin", input="helper-secret\n")
    browser.go("/domains/tabs.test/general")
    browser.type("Description", "typed before")
    sign_in_elsewhere(browser, "admin0", server.admin_password)
    browser.press("Save")                   # with the token of before
    browser.sees("Saved: tabs.test")
    assert server.cli("domain", "show", "tabs.test")[
        "description"] == "typed before"

    # Somebody else: this window is his, too, and nothing of the other's.
    browser.type("Description", "not his")
    sign_in_elsewhere(browser, "helper", "helper-secret")
    look_again(browser)
    browser.find("//*[@aria-label='Account of helper']")
    wait_until(lambda: "Save" not in browser.text().splitlines(), 20,
               "a page for looking")
    assert browser.value("Description") == "typed before"


def test_who_signs_in_while_it_is_looked_who_it_is(server, browser):  # noqa: F811
    """The answer that comes late is about the one before."""
    browser.go("/")
    browser.press("Sign out")
    browser.sees(ENGLISH["name"])
    browser.driver.execute_script("""
        const asks = window.fetch;
        window.fetch = async (path, how) => {
            const answer = await asks(path, how);
            if (how.method === "GET" && path.endsWith("/session") &&
                    !window.goOn)
                await new Promise((go) => (window.goOn = go));
            return answer;
        };
        window.dispatchEvent(new Event("visibilitychange"));""")
    wait_until(lambda: browser.driver.execute_script(
        "return Boolean(window.goOn)"), 20, "a look under way")
    sign_in(browser, ENGLISH, "admin0", server.admin_password)
    browser.sees("Overview")
    browser.driver.execute_script("""
        window.goOn();
        return new Promise((done) => setTimeout(done, 500));""")
    assert ENGLISH["name"] not in browser.text()
    assert "Overview" in browser.text()
