"""The console in a browser: its words in two languages, a server and another
system, signing in.  A file of tests imports what it needs by name; without a
browser, or pages, it is skipped."""

import imaplib
import os

import pytest

pytest.importorskip("selenium")
from browser import AXE, CHROMIUM, DRIVER, ROOT, Browser  # noqa: E402

for needed in (AXE, CHROMIUM, DRIVER,
               os.path.join(ROOT, "web", "dist", "index.html")):
    if not os.path.exists(needed):
        pytest.skip(f"no {needed}", allow_module_level=True)

STRANGER = "stranger@elsewhere.test"
ENGLISH = {
    "sign in": "Sign in", "name": "Name of the administrator",
    "password": "Password", "wrong": "Name or password is wrong.",
    "overview": "Overview", "create domain": "Create Domain",
    "modify domain": "Modify Domain", "new domain": "New domain",
    "domain name": "Name of the domain", "aliases": "Aliases",
    "create & edit": "Create & edit", "routing": "Mail Routing",
    "system management": "System Management",
    "directories": "Directories", "mail system tab": "Mail System",
    "relay": "Relay for splitted domains",
    "forward": "Forward all unknown emails to smtp relay",
    "save": "Save", "saved": "Saved", "cancel": "Cancel", "undo": "Undo",
    "undone": "Undone: everything is as before",
    "browser": "Directory Browser", "new user": "New user",
    "address": "Address", "mail": "Mail", "mail system": "Mail system",
    "splitmail": "Splitmail", "alternate": "Alternate mail server",
    "no mail": "No mail", "sentence": "All incoming messages for the "
    "selected addresses are routed to the alternate mail server",
    "domain": "Domain", "add": "Add address", "left": "Left part of the new address",
    "route": "Route {} to the alternate mail server",
    "effect": "1 address will be routed to {}. 1 address will be refused.",
    "whole": "Whole domain here", "master": "Master", "slave": "Slave",
    "both": "Master and slave",
    "test": "Test", "connected": "Connected",
    "depends": "The relay cannot be removed yet: 1 user needs it (bob@",
    "needs relay": "Unknown addresses cannot be forwarded without a relay.",
    "forwarding": "Unknown addresses are forwarded to this relay.",
    "catch-all": "Catch-all", "either": "A catch-all leaves no unknown",
    "no relay": "has no relay, so there is no alternate mail server yet",
    "used": "of 2 MB used", "sign out": "Sign out",
}
FRENCH = {
    "sign in": "Se connecter", "name": "Nom de l'administrateur",
    "password": "Mot de passe", "wrong": "Le nom ou le mot de passe est faux.",
    "overview": "Vue d'ensemble", "create domain": "Créer un domaine",
    "modify domain": "Modifier un domaine", "new domain": "Nouveau domaine",
    "domain name": "Nom du domaine", "aliases": "Alias",
    "create & edit": "Créer et modifier",
    "routing": "Routage de la messagerie",
    "system management": "Gestion du système",
    "directories": "Annuaires", "mail system tab": "Système de messagerie",
    "relay": "Relais pour les domaines découpés",
    "forward": "Renvoyer les adresses inconnues sur le relais",
    "save": "Enregistrer", "saved": "Enregistré", "cancel": "Annuler",
    "undo": "Rétablir", "undone": "Rétabli : tout est comme avant",
    "browser": "Entrées d'annuaire", "new user": "Nouvel utilisateur",
    "address": "Adresse", "mail": "Messagerie", "mail system": "Messagerie",
    "splitmail": "Splitmail", "alternate": "Serveur de messagerie alternatif",
    "no mail": "Aucune messagerie", "sentence": "Tous les messages entrants "
    "pour les adresses sélectionnées sont acheminés vers le serveur de "
    "messagerie alternatif",
    "domain": "Domaine", "add": "Ajouter une adresse",
    "left": "Partie gauche de la nouvelle adresse",
    "route": "Acheminer {} vers le serveur alternatif",
    "effect": "1 adresse sera acheminée vers {}. 1 adresse sera refusée.",
    "whole": "Domaine entier ici", "master": "Maître", "slave": "Esclave",
    "both": "Maître et esclave",
    "test": "Tester", "connected": "Connecté",
    "depends": "Le relais ne peut pas encore être retiré : 1 utilisateur en a "
    "besoin (bob@",
    "needs relay": "Les adresses inconnues ne peuvent pas être renvoyées "
    "sans relais.",
    "forwarding": "Les adresses inconnues sont renvoyées sur ce relais.",
    "catch-all": "Adresse attrape-tout",
    "either": "Avec une adresse attrape-tout, il n'y a plus d'adresse",
    "no relay": "il n'y a pas encore de serveur de messagerie alternatif",
    "used": "sur 2 Mo utilisés", "sign out": "Se déconnecter",
}


@pytest.fixture(scope="module")
def sink(shared_world):
    """The other system: it has everybody but those named no..."""
    sink = shared_world.sink()
    sink.on["RCPT"] = lambda session, argument: (
        "550 5.1.1 not here" if "<no" in argument else "250 2.1.5 ok")
    return sink


@pytest.fixture(scope="module")
def server(shared_world):
    return shared_world.server("a")


def open_browser(server, language="en", **size):
    return Browser(f"http://{server.address}:{server.ports['console']}",
                   language, **size)


def sign_in(browser, words, name, password):
    browser.type(words["name"], name)
    browser.type(words["password"], password)
    browser.press(words["sign in"])


def answer(server, recipient):
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail(STRANGER)
        return smtp.rcpt(recipient)[0]


def can_log_in(server, user):
    try:
        server.imap(user).logout()
        return True
    except imaplib.IMAP4.error:
        return False
