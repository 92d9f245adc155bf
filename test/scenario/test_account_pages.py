"""The own account in a real browser: a second factor from the secret to the
lost phone, and tokens from the page to a script's 401."""

import contextlib
import os
import sqlite3

import pytest

from api import Api
from phone import Phone
from pages import ENGLISH, FRENCH, open_browser, server, sign_in  # noqa: F401

from browser import Keys  # pages has looked whether there is one

PASSWORD = "correct horse"
ENGLISH = {
    **ENGLISH, "account": "Account of {}", "factor": "Second factor",
    "set up": "Set up…", "code": "Code", "current": "Current password",
    "on": "Switch on", "off": "Switch off", "kept": "I have kept them",
    "left": "{} recovery codes are left.", "wrong code": "The code is wrong.",
    "used": "This code has been used already. Wait for the next one.",
    "not the password": "This is not your password.",
    "recovery": "Use a recovery code", "recovery code": "Recovery code",
    "new codes": "New recovery codes",
    "is off": "The second factor is off.",
    "tokens": "Access tokens", "no token": "No token yet",
    "new token": "New token", "name of it": "Name", "rights": "Rights",
    "change": "Look and change", "days": "Valid for how many days",
    "days wrong": "A token is valid for 1 to 3,650 days.", "create": "Create",
    "once": "Copy it now: it is not shown again.", "close": "Close",
    "delete": "Delete", "delete it": "Delete the token {}",
    "stops": "Whatever signs in with the token {} of {} stops working",
    "deleted": "{} was deleted", "expired": "expired",
    "has expired": "has expired: nothing works with it any more",
}
FRENCH = {
    **FRENCH, "account": "Compte de {}", "factor": "Second facteur",
    "set up": "Configurer…", "code": "Code", "current": "Mot de passe actuel",
    "on": "Activer", "off": "Désactiver", "kept": "Je les ai conservés",
    "left": "Il reste {} codes de secours.", "wrong code": "Le code est faux.",
    "used": "Ce code a déjà servi. Attendez le suivant.",
    "not the password": "Ce n'est pas votre mot de passe.",
    "recovery": "Utiliser un code de secours",
    "recovery code": "Code de secours",
    "new codes": "Nouveaux codes de secours",
    "is off": "Le second facteur est désactivé.",
    "tokens": "Jetons d'accès", "no token": "Encore aucun jeton",
    "new token": "Nouveau jeton", "name of it": "Nom", "rights": "Droits",
    "change": "Consulter et modifier", "days": "Valable combien de jours",
    "days wrong": "Un jeton est valable de 1 à 3\u202f650 jours.", "create": "Créer",
    "once": "Copiez-le maintenant : il ne sera plus affiché.",
    "close": "Fermer", "delete": "Supprimer",
    "delete it": "Supprimer le jeton {}",
    "stops": "Tout ce qui se connecte avec le jeton {} de {} cesse aussitôt",
    "deleted": "{} a été supprimé", "expired": "expiré",
    "has expired": "a expiré : plus rien ne fonctionne avec lui",
}
LANGUAGES = pytest.mark.parametrize("language, words", [
    ("en", ENGLISH), pytest.param("fr", FRENCH, marks=pytest.mark.long)])


def administrator(server, name):
    if server.cli("domain", "list") == []:
        server.cli("domain", "create", "account.test")
    server.cli("admin", "create", name, "--domain", "account.test",
               "--password-stdin", input=PASSWORD + "\n")
    return name


def judge(browser, what):
    """As it is now: light and wide, and dark and narrow whether it can be
    read."""
    found = {f"{what}, light": browser.violations()}
    browser.resize(390, 844)
    browser.dark_at_once(True)
    found[f"{what}, dark, narrow"] = browser.violations("color-contrast")
    wide = browser.driver.execute_script(
        "return document.documentElement.scrollWidth")
    assert wide <= 390, f"{what} is {wide} pixels wide"
    browser.dark_at_once(False)
    browser.resize(1280, 900)
    assert not any(found.values()), found


def open_account(browser, words, name, tab):
    browser.sees(words["overview"])
    browser.press(words["account"].format(name))
    browser.press(words[tab])


def recovery_codes(browser):
    codes = browser.all_words("//ul[contains(@class, 'codes')]/li")
    assert len(set(codes)) == 10
    return codes


def switch_on(browser, words):
    """The phone, and the recovery codes."""
    browser.press(words["set up"])
    secret = browser.words("//*[@data-secret]").replace(" ", "")
    phone = Phone(secret)
    judge(browser, "set up")
    browser.type(words["code"], phone.wrong())
    browser.type(words["current"], PASSWORD)
    browser.press(words["on"])
    assert browser.refused(words["code"]) == words["wrong code"]
    browser.type(words["code"], phone.code())
    browser.type(words["current"], "not this")
    browser.press(words["on"])
    assert browser.refused(words["current"]) == words["not the password"]
    browser.type(words["current"], PASSWORD)
    browser.press(words["on"])
    codes = recovery_codes(browser)
    assert secret not in browser.text()
    judge(browser, "recovery codes")
    browser.press(words["kept"])
    browser.sees(words["left"].format(10))
    assert codes[0] not in browser.text()
    judge(browser, "on")
    return phone, codes


@LANGUAGES
def test_a_second_factor(server, language, words):  # noqa: F811
    name = administrator(server, f"ada-{language}")
    with open_browser(server, language) as browser:
        sign_in(browser, words, name, PASSWORD)
        open_account(browser, words, name, "factor")
        phone, codes = switch_on(browser, words)
        browser.press(words["sign out"])

        # The code is asked for, and nothing has to be typed again.
        sign_in(browser, words, name, PASSWORD)
        assert browser.has_focus(words["code"])
        assert browser.attribute(words["code"],
                                 "autocomplete") == "one-time-code"
        assert browser.attribute(words["code"], "inputmode") == "numeric"
        assert browser.value(words["name"]) == name
        assert browser.value(words["password"]) == PASSWORD
        judge(browser, "code")
        browser.keys(phone.of_step(phone.given), Keys.ENTER)
        said = browser.refused(words["code"])
        assert said == words["used"] or (
            phone.is_over() and said == words["wrong code"])
        browser.type(words["code"], phone.wrong())
        browser.press(words["sign in"])
        browser.sees(words["wrong code"])
        browser.type(words["code"], phone.code())
        browser.press(words["sign in"])
        browser.sees(words["overview"])
        browser.press(words["sign out"])

        # The phone is lost.
        sign_in(browser, words, name, PASSWORD)
        browser.press(words["recovery"])
        assert browser.has_focus(words["recovery code"])
        assert browser.attribute(words["recovery code"],
                                 "inputmode") == "text"
        browser.keys(codes[0], Keys.ENTER)
        open_account(browser, words, name, "factor")
        browser.sees(words["left"].format(9))
        browser.press(words["new codes"])
        browser.press(words["recovery"])
        browser.type(words["recovery code"], codes[2])
        browser.type(words["current"], PASSWORD)
        browser.press(words["create"])
        before, codes = codes, recovery_codes(browser)
        assert not set(before) & set(codes)
        browser.press(words["kept"])
        browser.sees(words["left"].format(10))
        browser.press(words["off"])
        browser.press(words["recovery"])
        browser.type(words["recovery code"], codes[1])
        browser.type(words["current"], PASSWORD)
        judge(browser, "switch off")
        browser.click(browser.find, "//*[@role='dialog']//button"
                                    f"[@type='submit'][.='{words['off']}']")
        browser.sees(words["is off"], words["set up"])
        browser.press(words["sign out"])
        sign_in(browser, words, name, PASSWORD)
        browser.sees(words["overview"])
        assert browser.complaints() == []


def test_another_name_is_asked_anew(server):  # noqa: F811
    name = administrator(server, "first")
    plain = administrator(server, "second")
    api = Api(server)
    api.sign_in(name, PASSWORD)
    phone = Phone(api.post("/session/totp", None, 201).json["secret"])
    api.put("/session/totp", {"password": PASSWORD, "code": phone.code()},
            status=200)
    with open_browser(server) as browser:
        sign_in(browser, ENGLISH, name, "not this")
        assert browser.refused("Password") == ENGLISH["wrong"]
        assert "authenticator" not in browser.text()
        sign_in(browser, ENGLISH, name, PASSWORD)
        browser.field("Code")
        sign_in(browser, ENGLISH, plain, PASSWORD)
        browser.sees("Overview")


def test_a_superadministrator_helps(server):  # noqa: F811
    name = administrator(server, "forgetful")
    api = Api(server)
    api.sign_in(name, PASSWORD)
    phone = Phone(api.post("/session/totp", None, 201).json["secret"])
    api.put("/session/totp", {"password": PASSWORD, "code": phone.code()},
            status=200)
    with open_browser(server) as browser:
        sign_in(browser, ENGLISH, "admin0", server.admin_password)
        browser.sees("Overview")
        browser.go("/administrators")
        browser.sees(name)              # the list, which has a link more
        browser.press("admin0")
        browser.sees("Save")
        assert "Switch the second factor off" not in browser.text()
        browser.press("Cancel")
        browser.press(name)
        browser.sees("Signs in with a second factor.")
        judge(browser, "administrator")
        browser.press("Switch the second factor off")
        browser.sees(f"Open sessions of {name} end.")
        browser.press("Switch off")
        browser.sees(f"The second factor of {name} is off")
    Api(server).sign_in(name, PASSWORD)


def end_token(server, number):  # noqa: F811
    with contextlib.closing(sqlite3.connect(
            os.path.join(server.data, "directory.db"))) as db, db:
        db.execute("UPDATE token SET expires_at = unixepoch() - 1 "
                   "WHERE id = ?", (number,))


@LANGUAGES
def test_tokens(server, language, words):  # noqa: F811
    name = administrator(server, f"tim-{language}")
    other = administrator(server, f"tom-{language}")
    script = Api(server)
    script.sign_in(other, PASSWORD)
    script.new_token("not mine")
    with open_browser(server, language) as browser:
        sign_in(browser, words, name, PASSWORD)
        open_account(browser, words, name, "tokens")
        browser.sees(words["no token"])
        browser.press(words["new token"])
        browser.type(words["name of it"], "backup")
        browser.choose(words["rights"], words["change"])
        browser.type(words["days"], "5000")
        browser.type(words["current"], PASSWORD)
        browser.press(words["create"])
        assert browser.refused(words["days"]) == words["days wrong"]
        judge(browser, "new token")
        browser.type(words["days"], "7")
        browser.press(words["create"])
        browser.sees(words["once"])
        token, curl = browser.all_words("//*[@role='dialog']//pre")
        assert curl == (f'curl -H "Authorization: Bearer {token}" '
                        f"{browser.home}/api/v1/users")
        judge(browser, "made token")
        script = Api(server)
        script.token = token
        assert script.get("/session").json["name"] == name
        assert script.get("/session").json["scope"] == "write"
        browser.click(browser.find, "//*[@role='dialog']//button"
                                    f"[normalize-space(.)='{words['close']}']")
        browser.press(words["delete it"].format("backup"))
        browser.sees(words["stops"].format("backup", name))
        assert token not in browser.driver.page_source
        assert "not mine" not in browser.text()
        judge(browser, "delete token")
        browser.press(words["delete"])
        browser.sees(words["deleted"].format("backup"), words["no token"])
        script.get("/session", status=401)

        # One that nobody needs any more says so.
        old = Api(server)
        old.sign_in(name, PASSWORD)
        end_token(server, old.new_token("old").json["id"])
        browser.driver.refresh()
        browser.sees(words["expired"])
        judge(browser, "tokens")
        browser.press(words["delete it"].format("old"))
        browser.sees(words["has expired"])
        assert browser.complaints() == []
