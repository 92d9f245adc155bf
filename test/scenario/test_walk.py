"""The documentation's walk through the console by its words, in a real browser
against a real server, and the mail that goes where it says."""

import pytest

from pages import (ENGLISH, FRENCH, STRANGER, answer, can_log_in,  # noqa: F401
                   open_browser, server, sign_in, sink)
from world import wait_until


def is_shown_at_last(browser, words):
    """Dovecot may not have told it when it was read: it is read again, as when
    one comes back to the window."""
    if words in browser.text():
        return True
    browser.driver.execute_script(
        "window.dispatchEvent(new Event('visibilitychange'))")
    return False


@pytest.mark.parametrize("language, words, domain", [
    ("en", ENGLISH, "walk.test"),
    pytest.param("fr", FRENCH, "marche.test", marks=pytest.mark.long)])
def test_the_documented_walk(server, sink, language, words, domain):
    bob, robert = f"bob@{domain}", f"robert@{domain}"
    with open_browser(server, language) as browser:
        sign_in(browser, words, "admin0", "not this")
        assert browser.refused(words["password"]) == words["wrong"]
        sign_in(browser, words, "admin0", server.admin_password)
        browser.sees(words["overview"], words["system management"].upper(),
                     words["directories"].upper())

        # System Management > Create Domain > New domain > Create & edit
        browser.press(words["create domain"])
        browser.sees(words["new domain"])
        browser.type(words["domain name"], domain)
        browser.press(words["create & edit"])

        # Mail System > Mail Routing: a slave
        browser.sees(words["routing"], words["whole"])
        assert answer(server, f"anybody@{domain}") == 550
        browser.tick(words["forward"])
        browser.press(words["save"])
        assert words["needs relay"] in browser.refused(words["forward"])
        browser.type(words["relay"], sink.at)
        browser.sees(words["slave"])
        browser.press(words["test"])
        browser.sees(words["connected"])
        browser.press(words["save"])
        browser.sees(words["saved"])
        wait_until(lambda: answer(server, f"anybody@{domain}") == 250, 20,
                   "accepted when the relay has answered")
        wait_until(lambda: answer(server, f"nobody@{domain}") == 550, 20,
                   "refused when the relay has answered")
        server.send(STRANGER, f"anybody@{domain}")
        assert sink.messages[-1].recipients == [f"anybody@{domain}"]

        # refused: the relay goes while unknowns go there
        browser.type(words["relay"], "")
        browser.press(words["save"])
        assert words["forwarding"] in browser.refused(words["relay"])
        browser.press(words["cancel"])
        assert browser.value(words["relay"]) == sink.at

        # a master
        browser.tick(words["forward"], on=False)
        browser.sees(words["master"])
        browser.press(words["save"])
        wait_until(lambda: answer(server, f"anybody@{domain}") == 550, 20,
                   "unknown addresses refused")

        # Directories > New user > Create & edit: hosted, with two addresses
        browser.press(words["new user"])
        browser.type(words["address"], "bob")
        browser.choose(words["domain"], domain)
        server.passwords[bob] = "secret-bob"
        browser.type(words["password"], server.passwords[bob])
        browser.press(words["create & edit"])
        browser.press(words["add"])
        browser.type(words["left"], "robert")
        browser.press(words["save"])
        browser.sees(words["saved"])
        for each in (bob, robert):
            server.send(STRANGER, each)
        server.wait_for_mail(bob, 2)
        assert can_log_in(server, bob)

        # Directory Browser > user > Mail > Alternate mail server: one of them
        browser.press(words["browser"])
        browser.press(bob)
        browser.press(words["mail"])
        browser.choose(words["mail system"], words["alternate"])
        browser.sees(words["sentence"])
        browser.tick(words["route"].format(robert), on=False)
        browser.sees(words["effect"].format(sink.at))
        browser.press(words["save"])
        browser.sees(words["undo"])
        assert answer(server, robert) == 550
        server.send(STRANGER, bob)
        assert sink.messages[-1].recipients == [bob]
        assert not can_log_in(server, bob)

        # both: what is not selected does not leak to where unknowns go
        browser.go(f"/domains/{domain}/mail")
        browser.tick(words["forward"])
        browser.sees(words["both"])
        browser.press(words["save"])
        wait_until(lambda: answer(server, f"anybody@{domain}") == 250, 20,
                   "unknown addresses forwarded")
        assert answer(server, robert) == 550
        browser.tick(words["forward"], on=False)
        browser.press(words["save"])
        wait_until(lambda: answer(server, f"anybody@{domain}") == 550, 20,
                   "unknown addresses refused")

        # refused: the relay goes while bob lives there
        browser.go(f"/domains/{domain}/mail")
        browser.type(words["relay"], "")
        browser.press(words["save"])
        assert words["depends"] in browser.refused(words["relay"])

        # and back: nothing was lost on the way
        server.cli("user", "set", bob, "quota=2M")
        browser.go(f"/directory/user/{bob}/mail")
        browser.choose(words["mail system"], words["splitmail"])
        browser.press(words["save"])
        browser.sees(words["undo"])
        wait_until(lambda: is_shown_at_last(browser, words["used"]),
                   what="how full it is", pause=1)
        assert answer(server, robert) == 250
        assert can_log_in(server, bob)
        browser.press(words["undo"])
        browser.sees(words["undone"])
        assert answer(server, robert) == 550
        assert not can_log_in(server, bob)
        assert browser.complaints() == []
