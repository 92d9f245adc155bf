"""What the pages say of a refusal, in the administrator's language: at its
field, with the focus there and what was typed still in it."""

import os
import re

import pytest

from pages import ROOT, open_browser, server, sign_in  # noqa: F401
from world import wait_until

WORDS = {}
for language in "en", "fr":
    WORDS[language] = {}
    for book in (f"{language}.ts", f"flow.{language}.ts",
                 f"account.{language}.ts"):
        with open(os.path.join(ROOT, "web", "src", "words", book)) as file:
            WORDS[language].update(re.findall(r'^\t(\w+): "(.*)",$',
                                              file.read(), re.M))


class Page:
    """A browser that is signed in, and calls fields as its pages do."""

    def __init__(self, server, browser, language):  # noqa: F811
        self.server, self.browser = server, browser
        self.words = WORDS[language]
        sign_in(browser, {"name": self.words["signInName"],
                          "password": self.words["password"],
                          "sign in": self.words["signIn"]},
                "admin0", server.admin_password)
        browser.sees(self.words["signOut"])

    def go(self, path):
        self.browser.go(path)

    def type(self, field, text):
        self.browser.type(self.words[field], text)

    def press(self, button):
        self.browser.press(self.words[button])

    def refused(self, field, *fragments, typed=None):
        """Said at FIELD, which has the focus and what was typed."""
        label = self.words.get(field, field)

        def said():
            text = self.browser.refused(label)
            return all(each in text for each in fragments)
        try:
            wait_until(said, 20, "the words")
        except AssertionError:
            raise AssertionError(f"{fragments} in\n"
                                 f"{self.browser.refused(label)}") from None
        if typed is not None:
            assert self.browser.value(label) == typed


@pytest.fixture(scope="module", params=[
    "en", pytest.param("fr", marks=pytest.mark.long)])
def page(request, server):  # noqa: F811
    with open_browser(server, request.param) as browser:
        page = Page(server, browser, request.param)
        page.language = request.param
        yield page
        assert browser.complaints() == []


def said(page, english, french):
    return english if page.language == "en" else french


# ---- the rules of a split domain -------------------------------------------

def test_forwarding_unknowns_without_a_relay(page):
    domain = f"forward-{page.language}.test"
    page.server.cli("domain", "create", domain)
    page.go(f"/domains/{domain}/mail")
    page.browser.tick(page.words["forwardUnknown"])
    page.press("save")
    page.refused("forwardUnknown", said(
        page, "cannot be forwarded without a relay. Fill in the relay",
        "ne peuvent pas être renvoyées sans relais. Indiquez le relais"))
    assert page.browser.ticked(page.words["forwardUnknown"])


def test_without_a_relay_there_is_no_alternate_mail_server(page):
    domain = f"none-{page.language}.test"
    page.server.cli("domain", "create", domain)
    page.server.user(f"ann@{domain}")
    page.go(f"/directory/user/ann@{domain}/mail")
    page.browser.sees(page.words["alternateNoRelay"].format(domain=domain))
    page.browser.click(page.browser.field, page.words["mailSystem"])
    option = page.browser.find("//*[@role='option'][normalize-space(.)='" +
                               page.words["alternate"] + "']")
    assert option.get_attribute("data-combobox-disabled") == "true"
    page.browser.keys("\ue00c")
    page.press("setRelay")
    assert page.browser.value(page.words["relay"]) == ""


def test_the_relay_goes_while_another_makes_a_user_alternate(page):
    domain = f"gone-{page.language}.test"
    page.server.cli("domain", "create", domain, "--relay", "192.0.2.1")
    page.server.user(f"ann@{domain}")
    page.server.user(f"ben@{domain}")
    page.go(f"/directory/user/ann@{domain}/mail")
    page.browser.choose(page.words["mailSystem"], page.words["alternate"])
    page.server.cli("domain", "set", domain, "relay=")
    page.press("save")
    page.refused("mailSystem", said(
        page, "The domain has no relay, so there is no alternate mail server.",
        "Le domaine n'a pas de relais"))
    # Many at once: each is reported.
    page.go("/directory")
    page.browser.type(page.words["searchDirectory"], domain)
    for name in "ann", "ben":
        page.browser.tick(page.words["selectEntry"].format(
            address=f"{name}@{domain}"))
    page.press("setMailSystem")
    page.browser.choose(page.words["mailSystem"], page.words["alternate"])
    page.press("apply")
    page.browser.sees(*(f"{name}@{domain}: " + said(
        page, "The domain has no relay", "Le domaine n'a pas de relais")
        for name in ("ann", "ben")))


def test_a_relay_that_twelve_users_need(page):
    domain = f"twelve-{page.language}.test"
    page.server.cli("domain", "create", domain, "--relay", "192.0.2.1")
    users = [f"u{number:02}@{domain}" for number in range(12)]
    for user in users:
        page.server.cli("user", "create", user, "--mail-system", "alternate")
    page.go(f"/domains/{domain}/mail")
    page.type("relay", "")
    page.press("save")
    page.refused("relay", *users[:10], *said(
        page, ("12 users need it", f"{users[9]}, and 2 more"),
        ("12 utilisateurs en ont besoin", f"{users[9]} et 2 autres")),
        typed="")
    assert users[10] not in page.browser.text()
    for user in users[1:]:
        page.server.cli("user", "set", user, "mail_system=hosted")
    page.press("save")
    page.refused("relay", users[0], said(
        page, "1 user needs it", "1 utilisateur en a besoin"))


def test_a_catch_all_with_forwarding(page):
    domain = f"both-{page.language}.test"
    page.server.cli("domain", "create", domain, "--relay", "192.0.2.1",
                    "--forward-unknown")
    page.server.user(f"ann@{domain}")
    page.go(f"/domains/{domain}/mail")
    page.type("catchAll", f"ann@{domain}")
    page.press("save")
    page.refused("catchAll", said(
        page, "A catch-all leaves no unknown addresses to forward.",
        "il n'y a plus d'adresse inconnue à renvoyer"),
        typed=f"ann@{domain}")
    page.type("catchAll", "")
    page.type("relay", "")
    page.press("save")
    page.refused("relay", said(page, "are forwarded to this relay",
                               "sont renvoyées sur ce relais"))


# ---- the rest, on a French page --------------------------------------------

@pytest.fixture(scope="module")
def french(server):  # noqa: F811
    server.cli("domain", "create", "la.test", "--alias", "ici.test",
               "--relay", "192.0.2.1")
    server.user("alice@la.test")
    server.cli("address", "add", "alice@la.test", "al@*")
    server.user("bruno@la.test")
    server.cli("system", "create", "deja", "--hosts", "deja.test")
    with open_browser(server, "fr") as browser:
        yield Page(server, browser, "fr")
        assert browser.complaints() == []


def test_a_domain_that_exists(french):
    french.go("/create-domain")
    french.type("domainName", "la.test")
    french.press("create")
    french.refused("domainName", "existe déjà", typed="la.test")
    french.type("domainName", "ici.test")
    french.press("create")
    french.refused("domainName", "existe déjà", typed="ici.test")
    french.type("domainName", "pas un domaine")
    french.press("create")
    french.refused("domainName", "« pas un domaine » n'est pas un nom de "
                   "domaine. Exemple : example.org", typed="pas un domaine")
    french.type("domainName", "neuf.test")
    french.type("aliases", "la.test")
    french.press("create")
    french.refused("aliases", "Le domaine la.test existe déjà.",
                   typed="la.test")
    french.type("aliases", "ici.test")
    french.press("create")
    french.refused("aliases", "ici.test est un alias du domaine la.test.")


def test_a_new_user(french):
    french.go("/directory/new/user")
    french.browser.choose(french.words["domain"], "la.test")
    french.type("newAddress", "deux mots")
    french.press("create")
    french.refused("newAddress", "« deux mots@la.test » n'est pas une adresse",
                   typed="deux mots")
    french.type("newAddress", "alice")
    french.press("create")
    french.refused("newAddress", "existe déjà", typed="alice")
    french.type("newAddress", "a+b")
    french.press("create")
    french.refused("newAddress", "n'a pas de « + ». Écrivez a@la.test.")
    french.type("newAddress", "élodie")
    french.press("create")
    french.refused("newAddress", "sans accents", typed="élodie")
    french.type("newAddress", "carole")
    french.type("password", "x" * 600)
    french.press("create")
    french.refused("password", "trop long : 512 caractères au plus")


def test_an_address_that_is_taken(french):
    french.go("/directory/user/bruno@la.test/mail")
    french.press("addAddress")
    french.type("newAddressLeft", "al")
    french.press("save")
    french.refused("newAddressLeft", "al@la.test est déjà prise : "
                   "alice@la.test la possède sur tous les alias.",
                   typed="al")
    assert french.browser.violations() == []
    french.press("cancel")
    french.type("forwardTo", "personne@la.test")
    french.press("save")
    french.refused("forwardTo", "Personne n'a l'adresse personne@la.test.",
                   typed="personne@la.test")
    french.type("forwardTo", "bruno@ici.test")
    french.press("save")
    french.refused("forwardTo", "une adresse de l'utilisateur lui-même")
    french.type("forwardTo", "")
    french.type("quota", "beaucoup")
    french.press("save")
    french.refused("quota", "« beaucoup » n'est pas une taille.",
                   typed="beaucoup")


def test_a_relay_that_is_none(french):
    french.go("/domains/la.test/mail")
    french.type("relay", "pas un hôte !")
    french.press("save")
    french.refused("relay", "« pas un hôte ! » : hôtes illisibles",
                   "192.0.2.1:2525", typed="pas un hôte !")
    french.press("test")
    french.browser.sees("hôtes illisibles")
    french.type("relay", "192.0.2.1")
    french.type("catchAll", "personne@la.test")
    french.press("save")
    french.refused("catchAll", "Personne n'a l'adresse personne@la.test.")
    french.type("catchAll", "")
    french.type("maxMessageSize", "25 fois")
    french.press("save")
    french.refused("maxMessageSize", "« 25 fois » n'est pas une taille.")


def test_a_filter(french):
    french.go("/filters")
    french.press("newFilter")
    french.type("name", "deux mots")
    french.type("filterSocket", "/run/x")
    french.press("create")
    french.refused("name", "« deux mots » ne peut pas être un nom ici")
    french.type("name", "neuf")
    french.press("create")
    french.refused("filterSocket", "« /run/x » ne peut pas être lu",
                   typed="/run/x")
    french.type("filterSocket", "inet:8891@localhost")
    french.type("filterTimeout", "61")
    french.press("create")
    french.refused("filterTimeout", "Écrivez un nombre de 1 à 60")


def test_a_mail_system(french):
    french.go("/systems")
    french.press("newSystem")
    french.type("name", "deja")
    french.type("hosts", "192.0.2.1")
    french.press("create")
    french.refused("name", "existe déjà", typed="deja")
    french.type("name", "deux mots")
    french.press("create")
    french.refused("name", "« deux mots » ne peut pas être un nom ici")
    french.type("name", "neuf")
    french.browser.choose(french.words["tls"], french.words["tls_verified"])
    french.press("create")
    french.refused("tls", "Une adresse IP n'a pas de nom")
    french.type("hosts", "neuf.test")
    french.type("trust", "tout le monde")
    french.press("create")
    french.refused("trust", "n'est ni une adresse IP ni un bloc d'adresses")


def test_an_administrator(french):
    french.go("/administrators")
    french.press("newAdministrator")
    french.browser.choose(french.words["domain"], "la.test")
    french.type("name", "Jeanne d'Arc")
    french.press("create")
    french.refused("name", "ne peut pas être un nom pour se connecter",
                   typed="Jeanne d'Arc")
    french.type("name", "jeanne")
    french.type("password", "court")
    french.press("create")
    french.refused("password", "trop court", "au moins 8 caractères",
                   typed="court")


def test_the_own_password(french):
    french.go("/account")
    french.type("currentPassword", "ce n'est pas lui")
    french.type("newPassword", "assez long")
    french.press("changePassword")
    french.refused("currentPassword", "Ce n'est pas votre mot de passe.")


def test_a_domain_that_is_not_empty(french):
    french.go("/domains/la.test/general")
    french.press("deleteDomain")
    french.browser.find("//*[@role='dialog']")
    french.press("delete")
    french.browser.sees("Le domaine la.test ne peut pas encore être supprimé "
                        ": 2 utilisateurs, groupes et boîtes partagées y "
                        "vivent (alice@la.test et bruno@la.test).")


def test_a_question_that_cannot_be_asked(french):
    french.go("/route/personne")
    french.refused("address", "« personne » n'est pas une adresse.",
                   typed="personne")
    french.type("address", "alice@la.test")
    french.press("ask")
    french.browser.sees("Remis ici")
    french.browser.choose(french.words["routeAs"],
                          french.words["routeAsSystem"])
    french.type("routeAsValueSystem", "nulle part")
    french.press("ask")
    french.refused("routeAsValueSystem",
                   "ni utilisateur ni système de messagerie de ce nom",
                   typed="nulle part")


# ---- facts, too ------------------------------------------------------------

def test_why_mail_goes_where_it_goes(french):
    french.server.cli("user", "create", "carole@la.test", "--mail-system",
                      "alternate")
    french.server.cli("group", "create", "equipe@la.test", "--member",
                      "alice@la.test", "--member", "carole@la.test")
    french.go("/route/equipe@la.test")
    french.browser.sees(
        "la.test est l'un de nos domaines.",
        "equipe@la.test est un groupe de 2 membres.",
        "alice@la.test vit ici, comme son utilisateur.",
        "carole@la.test est acheminée vers le serveur de messagerie",
        "Son système est le relais du domaine, 192.0.2.1.", "annuaire")
    assert french.browser.violations() == []


def test_a_system_that_does_not_answer(french):
    french.go("/domains/la.test/mail")
    french.type("relay", f"{french.server.address}:1")
    french.press("test")
    french.browser.sees(f"{french.server.address} n'accepte pas de connexion")
