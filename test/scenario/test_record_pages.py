"""In a real browser: what to publish of a domain, what is wrong, and asked again
what has become right."""

import pytest

from network import Names
from pages import ENGLISH, FRENCH, open_browser, sign_in
from world import claim_address

D = "split.example"
HOST = "mx.split.example"
WORDS = {
    "en": {**ENGLISH, "tab": "Sender authentication",
           "absent": "absent", "right": "right", "wrong state": "wrong",
           "unknown": "cannot be asked", "again": "Ask again",
           "two": "There are 2 SPF records, so none counts",
           "spf": "Who may send (SPF)", "copy": "Copy", "copied": "Copied",
           "costs": "receivers do 10", "optional": "absent, optional"},
    "fr": {**FRENCH, "tab": "Authentification de l'expéditeur",
           "absent": "absent", "right": "correct", "wrong state": "erroné",
           "unknown": "pas de réponse", "again": "Interroger à nouveau",
           "two": "Il y a 2 enregistrements SPF, donc aucun ne compte",
           "spf": "Qui peut envoyer (SPF)", "copy": "Copier",
           "copied": "Copié",
           "costs": "les destinataires en font 10",
           "optional": "absent, facultatif"},
}
ZONE = f"""
    {D}. MX 10 {HOST}.
    {HOST}. A 203.0.113.5
    5.113.0.203.in-addr.arpa. PTR {HOST}.
"""
TWO = f"""
    {D}. TXT "v=spf1 mx -all"
    {D}. TXT "v=spf1 a -all"
"""


@pytest.fixture
def server(world):
    address, claim = claim_address([5353])
    names = world.add(Names(ZONE + TWO, address=address, port=5353))
    server = world.server("a", hostname=HOST, conf=(
        'outgoing_address = "203.0.113.5"\n'
        f'dns {{\n\tservers = {{ "{address}@5353" }}\n}}\n'))
    server.names, server.names_claim = names, claim
    server.cli("domain", "create", D, "aliases=alias.example")
    return server


def state_of(browser, label):
    return browser.words(f"//tr[td[1][contains(., '{label}')]]/td[2]")


@pytest.mark.parametrize("language, width", [
    ("en", 1280), pytest.param("fr", 390, marks=pytest.mark.long)])
def test_records_are_judged_and_asked_again(server, language, width):
    words = WORDS[language]
    server.names.trouble[f"_imaps._tcp.{D}."] = "SERVFAIL"
    with open_browser(server, language, width=width) as browser:
        sign_in(browser, words, "admin0", server.admin_password)
        browser.sees(words["overview"])
        browser.go(f"/domains/{D}")
        browser.press(words["tab"])
        browser.sees(words["two"], words["unknown"], "v=DMARC1; p=none",
                     words["optional"])
        assert state_of(browser, words["spf"]) == words["wrong state"]
        assert state_of(browser, "MX") == words["right"]
        assert browser.violations() == []
        # Mended in the DNS, it is another question.
        server.names.zone(ZONE + f'{D}. TXT "v=spf1 ip4:203.0.113.5 -all"')
        server.names.trouble.clear()
        browser.press(words["again"])
        browser.sees(words["costs"])
        assert words["unknown"] not in browser.text()
        assert state_of(browser, words["spf"]) == words["right"]
        assert browser.violations() == []
        browser.choose(words["domain name"], "alias.example")
        browser.sees("_dmarc.alias.example")
        assert browser.complaints() == []
