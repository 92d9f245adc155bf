"""In a real browser: who was deleted by mistake is had back from a list, and
what has to be gone at once is."""

import pytest

from test_deleted_users import is_back
from pages import ENGLISH, FRENCH, open_browser, server, sign_in  # noqa: F401

DOMAIN = "kept.test"
WORDS = {
    "en": {**ENGLISH, "title": "Deleted", "none": "Nobody was deleted lately",
           "restore": "Restore", "erase": "Erase now",
           "restore one": "Restore {}", "erase one": "Erase now: {}",
           "restored": "Restored: {}", "erased": "Erased: {}",
           "no mail": "no mail here"},
    "fr": {**FRENCH, "title": "Supprimés",
           "none": "Personne n'a été supprimé récemment",
           "restore": "Restaurer", "erase": "Effacer maintenant",
           "restore one": "Restaurer {}",
           "erase one": "Effacer maintenant : {}", "restored": "Restauré : {}",
           "erased": "Effacé : {}", "no mail": "aucun message ici"},
}


@pytest.mark.parametrize("language, width", [
    ("en", 1280), pytest.param("fr", 390, marks=pytest.mark.long)])
def test_restored_and_erased(server, language, width):  # noqa: F811
    words = WORDS[language]
    if server.cli("domain", "list") == []:
        server.cli("domain", "create", DOMAIN)
    ann, ben = (f"{name}-{language}@{DOMAIN}" for name in ("ann", "ben"))
    for user in (ann, ben):
        server.user(user)
    server.send("x@elsewhere.test", ann)
    server.wait_for_mail(ann)
    for user in (ann, ben):
        server.cli("user", "delete", user, "--yes")
    with open_browser(server, language, width=width) as browser:
        sign_in(browser, words, "admin0", server.admin_password)
        browser.sees(DOMAIN)
        browser.go("/deleted")
        browser.sees(words["title"], ann, ben, words["no mail"])
        assert browser.violations() == []
        browser.press(words["restore one"].format(ann))
        browser.press(words["restore"])
        browser.sees(words["restored"].format(ann))
        is_back(server, ann)
        browser.press(words["erase one"].format(ben))
        browser.press(words["erase"])
        browser.sees(words["erased"].format(ben), words["none"])
    assert server.cli("user", "deleted") == []
    assert "Nothing is kept" in server.refused("user", "restore", ben)
