"""In a real browser: keys of a domain are made, looked for in DNS, used, succeeded
and deleted."""

import pytest

from pages import ENGLISH, FRENCH, open_browser, server, sign_in  # noqa: F401
from world import wait_until

DOMAIN = "own.test"
WORDS = {
    "en": {**ENGLISH, "tab": "Sender authentication", "none": "No keys",
           "make": "Make keys", "why": "no key is in use",
           "check": "Check DNS", "unknown": ("not published",
                                             "DNS does not answer"),
           "use": "Sign with the new keys", "not yet": "is not published yet",
           "rotate": "Make new keys", "signs": "signs",
           "delete": "Delete the key {}", "really": "Delete"},
    "fr": {**FRENCH, "tab": "Authentification de l'expéditeur",
           "none": "Aucune clé",
           "make": "Créer des clés", "why": "aucune clé n'est utilisée",
           "check": "Vérifier le DNS", "unknown": ("pas publié",
                                                   "le DNS ne répond pas"),
           "use": "Signer avec les nouvelles clés",
           "not yet": "n'est pas encore publiée",
           "rotate": "Créer de nouvelles clés", "signs": "signe",
           "delete": "Supprimer la clé {}", "really": "Supprimer"},
}


def states(server, domain):  # noqa: F811
    return [(key["selector"], key["state"]) for key in
            server.cli("domain", "dkim", "show", domain)["keys"]]


@pytest.mark.parametrize("language, width", [
    ("en", 1280), pytest.param("fr", 390, marks=pytest.mark.long)])
def test_keys_from_first_to_last(server, language, width):  # noqa: F811
    words, domain = WORDS[language], f"{language}.{DOMAIN}"
    server.cli("domain", "create", domain, "--postmaster", "x@y.test")
    with open_browser(server, language, width=width) as browser:
        sign_in(browser, words, "admin0", server.admin_password)
        browser.sees(words["overview"])
        browser.go(f"/domains/{domain}/authentication")
        browser.sees(words["tab"], words["none"], words["why"])
        browser.press(words["make"])
        wait_until(lambda: len(states(server, domain)) == 2, 20, "two keys")
        shown = server.cli("domain", "dkim", "show", domain)["keys"]
        browser.sees(shown[0]["selector"], shown[1]["records"][0]["name"],
                     shown[1]["text"])
        browser.press(words["check"])
        wait_until(lambda: any(each in browser.text()
                               for each in words["unknown"]), 60, "DNS")
        assert browser.violations() == []
        browser.press(words["use"])         # DNS does not have them
        browser.sees(words["not yet"])
        for selector, _ in states(server, domain):
            server.cli("domain", "dkim", "use", domain, selector, "--now")
        browser.go(f"/domains/{domain}/authentication")
        browser.sees(words["signs"], words["rotate"])
        browser.press(words["rotate"])
        wait_until(lambda: len(states(server, domain)) == 4, 20, "four keys")
        first = shown[0]["selector"]
        browser.press(words["delete"].format(first))
        browser.click(browser.find, "//*[@role='dialog']//button[.="
                      f"'{words['really']}']")
        wait_until(lambda: len(states(server, domain)) == 3, 20, "three keys")
        assert first not in dict(states(server, domain))
        assert browser.complaints() == []
