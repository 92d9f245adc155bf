"""In a real browser: the overview has every certificate, for whom it is, when it
ends and what is wrong with it."""

import pytest

from pages import ENGLISH, FRENCH, open_browser, sign_in
from test_certificates import Site, spoil
from world import wait_until

FEW = 5             # that are shown without being asked for
WORDS = {
    "en": {**ENGLISH, "all": "{} certificates",
           "first": "The certificate ends on",
           "named": "The certificate mail.test, for mail.test, imap.test, "
                    "ends on",
           "soon": "The certificate soon ends in 19 days",
           "none": "The certificate bad is not served.",
           "unusable": "The certificate bad cannot be used as it is now"},
    "fr": {**FRENCH, "all": "{} certificats",
           "first": "Le certificat expire le",
           "named": "Le certificat mail.test, pour mail.test, imap.test, "
                    "expire le",
           "soon": "Le certificat soon expire dans 19 jours",
           "none": "Le certificat bad n’est pas présenté.",
           "unusable": "Le certificat bad est inutilisable en l’état"},
}


@pytest.fixture(scope="module")
def site(shared_world):
    site = Site(shared_world)
    site.add("mail.test", "mail.test", "imap.test")
    site.add("soon", "soon.test", days=20)
    spoil(site, "no key")
    site.server.serve()
    site.server.cli("domain", "create", "example.test")
    site.server.cli("admin", "create", "jane", "--domain", "example.test",
                    "--password-stdin", input="a long password\n")
    return site


def is_narrow_enough(browser):
    return browser.driver.execute_script(
        "return document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("language, width", [
    ("en", 1280), ("fr", 390),
    *(pytest.param(*how, marks=pytest.mark.long)
      for how in (("en", 390), ("fr", 1280)))])
def test_each_is_shown_with_its_end_and_what_is_wrong(site, language, width):
    words = WORDS[language]
    with open_browser(site.server, language, width=width) as browser:
        sign_in(browser, words, "admin0", site.server.admin_password)
        browser.sees(*(words[what] for what in (
            "first", "named", "soon", "none", "unusable")))
        assert browser.violations() == []
        assert is_narrow_enough(browser)
        assert not browser.complaints()


@pytest.mark.parametrize("language", [
    "en", pytest.param("fr", marks=pytest.mark.long)])
def test_many_are_behind_their_number(site, language):
    words = WORDS[language]
    names = [f"customer{n}.test" for n in range(FEW)]
    for name in names:
        site.add(name)
    wait_until(lambda: set(names) <= set(site.told()), 60, "all of them")
    with open_browser(site.server, language, width=390) as browser:
        sign_in(browser, words, "admin0", site.server.admin_password)
        browser.sees(words["all"].format(len(site.told())))
        assert names[0] not in browser.text()
        browser.click(browser.find, "//details/summary")
        browser.sees(words["named"], *names)
        assert is_narrow_enough(browser)


def test_a_domain_s_administrator_sees_none(site):
    with open_browser(site.server) as browser:
        sign_in(browser, ENGLISH, "jane", "a long password")
        browser.sees(ENGLISH["overview"], "example.test")
        assert "imap.test" not in browser.text()
