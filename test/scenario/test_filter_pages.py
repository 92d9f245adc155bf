"""In a real browser: a filter is made, seen to answer or not, changed and
deleted."""

import pytest

from milter import Milter
from pages import ENGLISH, FRENCH, open_browser, server, sign_in  # noqa: F401
from world import wait_until

WORDS = {
    "en": {**ENGLISH, "new": "New filter", "the name": "Name",
           "none": "No filter yet",
           "socket": "Socket", "down": "While it is down",
           "hold": "Hold mail in the queue", "mail": "Mail",
           "out": "Outgoing", "enabled": "Enabled", "create": "Create",
           "created": "{} was created", "answers": "answers",
           "silent": "does not answer", "off": "off", "save": "Save",
           "delete": "Delete", "sure": "Delete filter",
           "deleted": "{} was deleted"},
    "fr": {**FRENCH, "new": "Nouveau filtre", "the name": "Nom",
           "none": "Encore aucun filtre",
           "socket": "Socket", "down": "Pendant une panne",
           "hold": "Retenir dans la file", "mail": "Courrier",
           "out": "Sortant", "enabled": "Actif", "create": "Créer",
           "created": "{} a été créé", "answers": "répond",
           "silent": "ne répond pas", "off": "désactivé",
           "save": "Enregistrer", "delete": "Supprimer",
           "sure": "Supprimer le filtre",
           "deleted": "{} a été supprimé"},
}


def by_keyboard(browser, words, name, socket):
    browser.tab_to(words["new"])
    browser.keys("\n")
    wait_until(lambda: browser.has_focus(words["the name"]), 20, "the name")
    browser.keys(name)
    browser.tab_to(words["socket"])
    browser.keys(socket)
    browser.tab_to(words["mail"])
    browser.pick(words["out"])
    browser.tab_to(words["down"])
    browser.pick(words["hold"])
    browser.keys("\t", "\n")    # the form, from its next field


@pytest.mark.parametrize("language, width", [
    ("en", 1280), pytest.param("fr", 390, marks=pytest.mark.long)])
def test_a_filter_from_first_to_last(server, language, width):  # noqa: F811
    words = WORDS[language]
    name, milter = f"dkim-{language}", Milter()
    milter.start()
    with open_browser(server, language, width=width) as browser:
        sign_in(browser, words, "admin0", server.admin_password)
        browser.sees(words["overview"])
        browser.go("/filters")
        browser.sees(words["none"])
        by_keyboard(browser, words, name, milter.socket)
        browser.sees(words["created"].format(name), milter.socket,
                     words["out"], words["hold"], words["answers"])
        shown = server.cli("filter", "show", name)
        assert (shown["direction"], shown["when_down"]) == ("out", "hold")
        assert browser.violations() == []

        milter.end()
        browser.go("/filters")
        browser.sees(words["silent"])
        browser.press(name)
        browser.tick(words["enabled"], False)
        browser.press(words["save"])
        wait_until(lambda: not server.cli("filter", "show", name)["enabled"],
                   20, "the filter off")
        browser.sees(words["off"])
        browser.press(name)
        browser.press(words["delete"])
        browser.click(browser.find, "//*[@role='dialog'][.//h2[contains(., "
                      f"'{words['sure']}')]]//button[.='{words['delete']}']")
        browser.sees(words["deleted"].format(name), words["none"])
        assert browser.complaints() == []
    assert server.cli("filter", "list") == []


def test_others_do_not_see_them(server):  # noqa: F811
    server.cli("domain", "create", "seen.test")
    server.cli("admin", "create", "dora", "--domain", "seen.test",
               "--password-stdin", input="dora-secret\n")
    with open_browser(server) as browser:
        sign_in(browser, ENGLISH, "dora", "dora-secret")
        browser.sees("Mail systems")
        assert "Filters" not in browser.text()
