"""The console without a mouse: the documentation's walk by Tab, Space, Enter
and arrow keys alone, in a real browser against a real server."""

import pytest

pytest.importorskip("selenium")
from selenium.webdriver.common.keys import Keys  # noqa: E402

from pages import (ENGLISH, FRENCH, STRANGER, answer, can_log_in,  # noqa: E402
                   open_browser, server, sink)

__all__ = ["server", "sink"]        # fixtures


def press(browser, name):
    browser.tab_to(name)
    browser.keys(Keys.ENTER)


def type_into(browser, name, text):
    browser.tab_to(name)
    browser.keys(text)


@pytest.mark.parametrize("language, words, domain", [
    pytest.param("en", ENGLISH, "keys.test", marks=pytest.mark.long),
    ("fr", FRENCH, "touches.test")])
def test_the_walk_by_keyboard_alone(server, sink, language, words, domain):
    bob, robert = f"bob@{domain}", f"robert@{domain}"
    with open_browser(server, language) as browser:
        browser.find("//h1")
        assert browser.focused() == words["name"]
        browser.keys("admin0")
        type_into(browser, words["password"], server.admin_password)
        browser.keys(Keys.ENTER)
        browser.sees(words["overview"])

        press(browser, words["create domain"])
        browser.sees(words["new domain"])
        type_into(browser, words["domain name"], domain)
        press(browser, words["create & edit"])
        browser.sees(words["routing"], words["whole"])

        # The box alone is refused, and the focus is where it was refused.
        browser.tab_to(words["forward"])
        browser.keys(Keys.SPACE)
        press(browser, words["save"])
        assert words["needs relay"] in browser.refused(words["forward"])
        assert browser.focused().startswith(words["forward"])
        browser.keys(Keys.SPACE)
        browser.tab_to(words["relay"], back=True)
        browser.keys(sink.at)
        browser.sees(words["master"])
        press(browser, words["save"])
        browser.sees(words["saved"])

        press(browser, words["new user"])
        browser.sees(words["password"])
        type_into(browser, words["address"], "bob")
        browser.tab_to(words["domain"])
        browser.pick(domain)
        type_into(browser, words["password"], "bob-secret")
        press(browser, words["create & edit"])
        browser.sees(bob, words["add"])
        assert answer(server, bob) == 250

        # Mail: to the alternate mail server, but for one address
        browser.tab_to(words["add"])
        browser.keys(Keys.ENTER)
        browser.tab_to(words["left"])
        browser.keys("robert")
        browser.tab_to(words["mail system"], back=True)
        browser.pick(words["alternate"])
        browser.sees(words["sentence"])
        browser.tab_to(words["route"].format(robert))
        browser.keys(Keys.SPACE)
        browser.sees(words["effect"].format(sink.at))
        press(browser, words["save"])
        browser.sees(words["undo"])
        assert answer(server, bob) == 250
        assert answer(server, robert) == 550
        server.send(STRANGER, bob)
        assert sink.messages[-1].recipients == [bob]
        server.passwords[bob] = "bob-secret"
        assert not can_log_in(server, bob)

        press(browser, words["sign out"])
        browser.sees(words["name"])
        assert browser.complaints() == []
