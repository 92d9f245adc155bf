"""How the pages behave under an administrator's hands: what he typed is not
lost, what he is told is true, and many are handled as one."""

from selenium.webdriver.common.by import By
import pytest

from pages import ENGLISH, open_browser, server, sign_in, sink  # noqa: F401
from world import wait_until

UNSAVED = "Not saved yet"


@pytest.fixture
def browser(server):  # noqa: F811
    with open_browser(server) as browser:
        sign_in(browser, ENGLISH, "admin0", server.admin_password)
        browser.sees("Overview")
        yield browser


def toasts(browser):
    return browser.driver.execute_script(
        "return document.querySelectorAll('.mantine-Notification-root')"
        ".length")


def asks_before_leaving(browser):
    return browser.driver.execute_script(
        "return !window.dispatchEvent("
        "new Event('beforeunload', {cancelable: true}))")


def test_one_undo_at_a_time(server, browser):  # noqa: F811
    server.cli("domain", "create", "toast.test")
    browser.go("/domains/toast.test/general")
    for words in ("first", "second"):
        browser.type("Description", words)
        browser.press("Save")
        wait_until(lambda: server.cli("domain", "show", "toast.test")[
            "description"] == words, 20, words)
    browser.sees("Saved: toast.test")
    wait_until(lambda: toasts(browser) == 1, 20, "one toast")
    browser.press("Undo")
    browser.sees("Undone")
    assert browser.value("Description") == "first"

    # Too late: nothing is said of what was typed.
    browser.type("Description", "third")
    browser.press("Save")
    browser.sees("Saved: toast.test")
    server.cli("domain", "set", "toast.test", "description=by another")
    browser.press("Undo")
    browser.sees("Somebody else changed this meanwhile.",
                 "can no longer be undone")
    assert "what you typed" not in browser.text()

    # Nothing is left for who comes next.
    browser.press("Sign out")
    browser.sees(ENGLISH["name"])
    wait_until(lambda: not toasts(browser), 20, "no toast")


def test_what_is_typed_is_kept(server, browser):  # noqa: F811
    server.cli("domain", "create", "typed.test")
    server.user("ann@typed.test")
    browser.go("/directory/user/ann@typed.test/general")
    browser.sees("Name")
    assert not asks_before_leaving(browser)
    browser.type("Name", "Ann Typed")
    assert asks_before_leaving(browser)

    # Another tab, saved by himself, and another page.
    browser.press("Mail")
    browser.type("Quota", "5M")
    browser.press("Save")
    browser.sees("Saved: ann@typed.test")
    browser.press("Overview")
    browser.sees("Who lives where")
    browser.driver.back()
    browser.press("General")
    browser.sees(UNSAVED)
    assert browser.value("Name") == "Ann Typed"
    browser.press("Save")
    browser.sees("Ann Typed")
    wait_until(lambda: UNSAVED not in browser.text(), 20, "all saved")
    assert not asks_before_leaving(browser)
    shown = server.cli("user", "show", "ann@typed.test")
    assert shown["name"] == "Ann Typed" and shown["quota"] == 5 << 20

    # Cancel forgets, and so does signing out.
    browser.type("Name", "Nobody")
    browser.press("Cancel")
    assert browser.value("Name") == "Ann Typed"
    browser.type("Name", "Nobody")
    browser.press("Sign out")
    sign_in(browser, ENGLISH, "admin0", server.admin_password)
    wait_until(lambda: browser.value("Name") == "Ann Typed", 20,
               "what is stored")
    assert not asks_before_leaving(browser)


# The second is what was stored before: for a moment nothing seems to be typed.
@pytest.mark.parametrize("domain, typed", [("slow.test", "sent, and more"),
                                           ("slower.test", "")])
def test_what_is_typed_during_a_save_is_kept(server, browser,  # noqa: F811
                                             domain, typed):
    server.cli("domain", "create", domain)
    browser.go(f"/domains/{domain}/general")
    browser.type("Description", "sent")
    browser.driver.execute_script("""
        const real = window.fetch;
        window.fetch = (path, how) => how.method !== "PATCH" ? real(path, how)
            : new Promise((go) => (window.goOn = go)).then(
                () => real(path, how));""")
    browser.press("Save")
    wait_until(lambda: browser.driver.execute_script(
        "return Boolean(window.goOn)"), 20, "a save under way")
    browser.type("Description", typed)
    browser.driver.execute_script("window.goOn()")
    browser.sees(f"Saved: {domain}", UNSAVED)
    assert browser.value("Description") == typed
    assert server.cli("domain", "show", domain)["description"] == "sent"
    if not typed:
        browser.press("Cancel")
        wait_until(lambda: browser.value("Description") == "sent", 20,
                   "what is stored")
        return

    # Nor does Undo take it.
    browser.driver.execute_script("window.goOn = null")
    browser.press("Undo")
    wait_until(lambda: browser.driver.execute_script(
        "return Boolean(window.goOn)"), 20, "an undo under way")
    browser.driver.execute_script("window.goOn()")
    browser.sees("Undone", UNSAVED)
    assert browser.value("Description") == typed
    assert server.cli("domain", "show", domain)["description"] == ""


def test_an_answer_that_does_not_come(server, browser):  # noqa: F811
    server.cli("domain", "create", "cut.test")
    browser.go("/domains/cut.test/general")
    browser.type("Description", "perhaps")
    browser.driver.execute_script("""
        const real = window.fetch;
        window.fetch = async (path, how) => {
            const answer = await real(path, how);
            if (how.method === "PATCH") throw new TypeError("cut");
            return answer;
        };""")
    browser.press("Save")
    browser.sees("It is not known whether this was done")
    assert "Nothing was changed" not in browser.text()


def test_the_overview_of_many_domains(server, browser):  # noqa: F811
    for i in range(14):
        server.cli("domain", "create", f"a{i:02}.test")
    server.cli("domain", "create", "zz-split.test", "--relay", "192.0.2.1")
    browser.go("/")
    browser.sees("zz-split.test", "Who lives where")
    cards = browser.driver.find_elements(By.XPATH, "//section//h3")
    assert len(cards) == 12
    text = browser.text()
    assert text.index("Waiting mail") < text.index("Who lives where")
    browser.click(browser.find, "//a[starts-with(., 'All ')]")
    browser.sees("a00.test")


def test_orders_for_many(server, browser):  # noqa: F811
    """The other system is not there: everything waits."""
    dead = f"{server.address}:1"
    for domain in ("many.test", "one.test"):
        server.cli("domain", "create", domain, "--relay", dead)
    for user in ("a@many.test", "b@many.test", "c@one.test"):
        server.cli("user", "create", user, "--mail-system", "alternate")
    for recipient in ["a@many.test", "c@one.test"] + 51 * ["b@many.test"]:
        server.send("x@elsewhere.test", recipient)

    def states():
        return {r["address"]: r["state"] for message in server.queue()
                for r in message["recipients"]}

    server.wait_for_queue(53)
    browser.go("/queue")
    browser.sees("a@many.test", "b@many.test", "c@one.test")
    waiting = {m["recipients"][0]["address"]: m["id"]
               for m in server.queue()}

    # One by its box, and in its dialogue.
    browser.tick(f"Select {waiting['a@many.test']}")
    browser.sees("1 message selected", "Hold")
    assert browser.violations() == []
    assert "Release" not in browser.text()
    browser.press("Hold")
    browser.sees("Held: 1 message (1 recipient)", "Release")
    wait_until(lambda: "Hold" not in browser.text().splitlines(), 20,
               "no Hold")
    assert states() == {"a@many.test": "held", "b@many.test": "waiting",
                        "c@one.test": "waiting"}
    browser.press(waiting["a@many.test"])
    browser.press("Release")
    browser.sees(f"Released: message {waiting['a@many.test']} (1 recipient)")
    assert states()["a@many.test"] == "waiting"
    browser.press("Close")

    # All that match a filter; what is deleted is named before and after.
    browser.press("Clear selection")
    browser.type("Recipient", "b@many.test")
    wait_until(lambda: "c@one.test" not in browser.text(), 20, "his only")
    browser.tick("Select all messages on this page")
    browser.sees("50 messages selected")
    browser.press("Select all messages that match")
    browser.sees("51 messages selected")
    browser.press("Delete")
    browser.sees("Delete 51 messages?")
    browser.press("Delete")
    browser.sees("Deleted: 51 messages (51 recipients)")
    assert sorted(states()) == ["a@many.test", "c@one.test"]
