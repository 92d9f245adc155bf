"""The administration console, in a real browser against a real server."""

import os
import signal
import time

import pytest

from pages import (ENGLISH, FRENCH, STRANGER, answer, open_browser,  # noqa: F401
                   server, sign_in, sink)
from browser import Keys  # pages has looked whether there is one
from test_system_changes import Certbot
from world import children, wait_until


def test_what_is_refused_is_said_at_its_field(server, sink):
    server.cli("domain", "create", "alone.test")
    server.user("ann@alone.test")
    with open_browser(server) as browser:
        sign_in(browser, ENGLISH, "admin0", server.admin_password)
        browser.sees("Overview")
        browser.go("/directory/user/ann@alone.test/mail")
        browser.sees(ENGLISH["no relay"])
        browser.press("Set the relay of the domain")
        browser.type(ENGLISH["relay"], "not a host!")
        browser.press("Save")
        assert browser.refused(ENGLISH["relay"])
        assert browser.value(ENGLISH["relay"]) == "not a host!"
        browser.type(ENGLISH["relay"], sink.at)
        browser.tick(ENGLISH["forward"])
        browser.type(ENGLISH["catch-all"], "ann@alone.test")
        browser.press("Save")
        assert ENGLISH["either"] in browser.refused(ENGLISH["catch-all"])


@pytest.mark.parametrize("language, words, warnings", [
    ("en", ENGLISH, ("The server refuses mail from this host or for this "
                     "domain:", "The server does not know ann@asked.test")),
    pytest.param("fr", FRENCH, (
        "Le serveur refuse les messages de cet hôte ou pour ce domaine :",
        "Le serveur ne connaît pas ann@asked.test"), marks=pytest.mark.long),
])
def test_a_relay_that_would_refuse_every_mail(
        server, shared_world, language, words, warnings):
    """Its Test is no good news, and says why."""
    denied, refused = warnings
    relay = shared_world.sink()
    if server.run("domain", "show", "asked.test").returncode:
        server.cli("domain", "create", "asked.test", "--relay", relay.at)
        server.cli("user", "create", "ann@asked.test", "--mail-system",
                   "alternate")
    with open_browser(server, language) as browser:
        sign_in(browser, words, "admin0", server.admin_password)
        browser.sees(words["overview"])
        browser.go("/domains/asked.test/mail")
        browser.type(words["relay"], relay.at)
        relay.on["RCPT"] = "550 5.7.1 relaying denied"
        browser.press(words["test"])
        browser.sees(denied, relay.on["RCPT"])
        assert browser.driver.find_elements("css selector", ".notice.bad")
        relay.on["RCPT"] = "550 5.1.1 no such user"
        browser.press(words["test"])
        browser.sees(refused, relay.on["RCPT"])
        assert browser.driver.find_elements("css selector", ".notice.bad")
        assert browser.violations() == []
        relay.on["RCPT"] = {"ann@asked.test": "250 2.1.5 ok",
                            None: "550 5.1.1 no such user"}
        browser.press(words["test"])
        browser.sees("250 2.1.5 ok")
        assert not browser.driver.find_elements("css selector", ".notice.bad")


@pytest.mark.parametrize("language, words", [
    ("en", {"system": "New mail system", "create": "Create", "save": "Save",
            "name": "Name", "hosts": "Hosts", "limits": "Limits",
            "connections": "Connections", "minute": "Mails per minute",
            "family": "Address family", "v4": "IPv4 only",
            "bad": "Write a number from 1 to 1,000",
            "created": "limits-en was created",
            "nothing": "Nothing has been learnt of its hosts yet."}),
    pytest.param("fr", {
            "system": "Nouveau système de messagerie", "create": "Créer",
            "save": "Enregistrer", "name": "Nom", "hosts": "Hôtes",
            "limits": "Limites", "connections": "Connexions",
            "minute": "Messages par minute", "family": "Famille d'adresses",
            "v4": "IPv4 seulement", "bad": "Écrivez un nombre de 1 à 1",
            "created": "limits-fr a été créé",
            "nothing": "Rien n'a encore été appris de ses hôtes."},
                 marks=pytest.mark.long),
])
def test_limits_of_a_mail_system(server, language, words):
    name = f"limits-{language}"
    with open_browser(server, language) as browser:
        book = ENGLISH if language == "en" else FRENCH
        sign_in(browser, book, "admin0", server.admin_password)
        browser.sees(book["overview"])
        browser.go("/systems")
        browser.press(words["system"])
        browser.type(words["name"], name)
        browser.type(words["hosts"], "mail.limits.test")
        browser.sees(words["limits"])
        browser.type(words["connections"], "0")
        browser.type(words["minute"], "60")
        browser.choose(words["family"], words["v4"])
        browser.press(words["create"])
        assert words["bad"] in browser.refused(words["connections"])
        browser.type(words["connections"], "2")
        browser.press(words["create"])
        browser.sees(words["created"])
        system = server.cli("system", "show", name)
        assert system["connections"] == 2
        assert system["mails_per_minute"] == 60
        assert system["mails_per_connection"] is None
        assert system["address_family"] == "ipv4"
        browser.press(name)
        browser.sees(words["nothing"])
        assert browser.value(words["connections"]) == "2"
        browser.type(words["connections"], "")
        browser.press(words["save"])
        wait_until(lambda: server.cli("system", "show", name)[
            "connections"] is None, what="the limit not set any more")


def test_two_administrators_do_not_overwrite_each_other(server, sink):
    server.cli("domain", "create", "two.test")
    with open_browser(server) as browser:
        sign_in(browser, ENGLISH, "admin0", server.admin_password)
        browser.sees("Overview")
        browser.go("/domains/two.test/mail")
        browser.type(ENGLISH["relay"], sink.at)
        server.cli("domain", "set", "two.test", "relay=192.0.2.1")
        browser.press("Save")
        browser.sees("Somebody else changed this meanwhile.")
        assert browser.value(ENGLISH["relay"]) == sink.at
        assert server.cli("domain", "show",
                          "two.test")["relay"] == "192.0.2.1"

        # nor does Undo: it takes back the own change only
        browser.press("Cancel")
        browser.type(ENGLISH["relay"], sink.at)
        browser.press("Save")
        browser.sees("Undo")
        server.cli("domain", "set", "two.test", "description=by another")
        browser.press("Undo")
        browser.sees("Somebody else changed this meanwhile.")
        assert server.cli("domain", "show", "two.test")["relay"] == sink.at


def test_rights(server):
    server.cli("domain", "create", "mine.test")
    server.cli("domain", "create", "theirs.test")
    server.user("me@mine.test")
    server.user("they@theirs.test")
    server.cli("admin", "create", "dora", "--domain", "mine.test", "--role",
               "domain-admin", "--password-stdin", input="dora-secret\n")
    with open_browser(server) as browser:
        sign_in(browser, ENGLISH, "me@mine.test", "secret-me")
        browser.refused("Password")
        sign_in(browser, ENGLISH, "dora", "dora-secret")
        browser.sees("Overview", "mine.test")
        text = browser.text()
        assert "theirs.test" not in text and "Create Domain" not in text
        browser.go("/directory")
        browser.sees("me@mine.test")
        assert "theirs.test" not in browser.text()
        browser.go("/directory/user/they@theirs.test")
        browser.sees("There is nothing at this address")
        browser.press("Sign out")
        browser.sees("Sign in")


def test_a_delegate_manages_users_only(server, sink):
    server.cli("domain", "create", "few.test", "--relay", sink.at)
    server.user("ann@few.test")
    server.cli("group", "create", "team@few.test", "--member", "ann@few.test")
    # A hosted user, who signs in with his own password.
    server.cli("admin", "create", "ann@few.test", "--domain", "few.test",
               "--role", "delegate")
    with open_browser(server) as browser:
        sign_in(browser, ENGLISH, "ann@few.test", "secret-ann")
        browser.sees("Overview", "few.test", "New user")
        text = browser.text()
        for hidden in ("Queue", "New group", "Create Domain", "Changes",
                       "Administrators"):
            assert hidden not in text, hidden
        browser.go("/domains/few.test/mail")
        browser.sees("Mail Routing")
        assert not browser.enabled(ENGLISH["relay"])
        assert not browser.enabled(ENGLISH["forward"])
        assert "Save" not in browser.text()
        browser.go("/directory/group/team@few.test")
        browser.sees("ann@few.test")
        assert "Save" not in browser.text()

        browser.go("/directory/new/user")
        browser.type("Address", "ben")
        browser.press("Create & edit")
        browser.sees(ENGLISH["add"])    # New user has a mail system, too
        browser.choose(ENGLISH["mail system"], ENGLISH["alternate"])
        browser.press("Save")
        browser.sees("Undo")
        server.send(STRANGER, "ben@few.test")
        assert sink.messages[-1].recipients == ["ben@few.test"]
        # No longer hosted, no longer here.
        server.cli("user", "set", "ann@few.test", "mail_system=none")
        browser.go("/directory")
        browser.sees("Name of the administrator")


def test_tabs_are_walked_by_keyboard(server):
    """The focus stays on the tabs while their panels change."""
    server.cli("domain", "create", "tabs.test")
    with open_browser(server) as browser:
        sign_in(browser, ENGLISH, "admin0", server.admin_password)
        browser.sees("Overview")
        for page, tabs in (
                ("/domains/tabs.test", ["General", "Mail System"]),
                ("/account", ["Password", "Second factor", "Access tokens"])):
            browser.go(page)
            browser.press(tabs[0])
            for tab in tabs[1:]:
                browser.keys(Keys.ARROW_RIGHT)
                wait_until(lambda: browser.focused() == tab, 20,
                           f"the focus on {tab}")
                browser.find("//*[@role='tab'][@aria-selected='true']"
                             f"[.='{tab}']")


def console_pid(server):
    for pid in children(server.process.pid):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if b"console" in file.read().split(b"\0"):
                return pid
    return None


def test_the_overview_lives(world):
    sink = world.sink()
    server = world.server("l", conf="limits {\n\tretry_min = 1\n"
                                    "\tretry_max = 2\n}")
    server.cli("domain", "create", "live.test", "--relay", sink.at)
    server.cli("user", "create", "bob@live.test", "--mail-system",
               "alternate")
    with open_browser(server) as browser:
        def chart(words):
            """A chart says so, to those who do not see it."""
            browser.find(f"//*[@role='img'][contains(@aria-label, '{words}')]")

        sign_in(browser, ENGLISH, "admin0", server.admin_password)
        browser.sees(sink.at, "not tried yet", "Live")
        browser.driver.execute_script("window.same = true")
        server.send(STRANGER, "bob@live.test")
        browser.sees("up")
        sink.down()
        server.send(STRANGER, "bob@live.test")
        browser.sees("down", "Connection refused")
        chart("now 1, at most 1")
        sink.up()
        chart("now 0, at most 1")
        browser.sees("up")
        # By the command line, on another page.
        browser.press("Changes")
        server.cli("domain", "create", "second.test")
        browser.sees("second.test")
        assert browser.driver.execute_script("return window.same")

        # The hour is still there after a reload.
        browser.go("/")
        browser.sees("Recipients per minute")
        chart("Recipients waiting, in the last hour: now 0, at most 1")
        chart("Handed over: now")

        # The engine is away, and the console.
        engine = server.engine_pid()
        os.kill(engine, signal.SIGSTOP)
        browser.sees("The mail engine has not answered since")
        os.kill(engine, signal.SIGKILL)
        wait_until(lambda: "The mail engine" not in browser.text(), 30,
                   "an engine")
        os.kill(console_pid(server), signal.SIGKILL)
        # Its sessions went with it.
        browser.sees("Sign in")


@pytest.mark.parametrize("language, words, said", [
    ("en", ENGLISH, "The certificate ends in 9 days, on"),
    pytest.param("fr", FRENCH, "Le certificat expire dans 9 jours, le",
                 marks=pytest.mark.long)])
def test_the_overview_says_what_is_wrong(world, language, words, said):
    server = world.server("l", start=False)
    certbot = Certbot(server)
    certbot.make(10)
    certbot.turn()
    server.serve()
    server.cli("domain", "create", "live.test")
    with open_browser(server, language) as browser:
        sign_in(browser, words, "admin0", server.admin_password)
        browser.sees(said)
        assert browser.violations() == []


def test_a_page_left_open_signs_out(world):
    server = world.server("l", start=False)
    path = os.path.join(server.data, "splitmail.conf")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace("console {", "console {\n\tsession_idle = 10"))
    server.serve()
    server.cli("domain", "create", "live.test")
    with open_browser(server) as browser:
        # Ten seconds may be over before we look.
        browser.driver.execute_script("""
            const words = ["live.test", "Live"];
            window.shown = [];
            new MutationObserver(() => window.shown.push(...words.filter(
                (each) => document.body.innerText.includes(each))))
                .observe(document.body, {subtree: true, childList: true,
                                         characterData: true});""")
        sign_in(browser, ENGLISH, "admin0", server.admin_password)
        wait_until(lambda: set(browser.driver.execute_script(
            "return window.shown")) == {"live.test", "Live"},
            what="an overview that lives")
        browser.sees("Name of the administrator")
        assert browser.complaints() == []


PAGES = ["/", "/directory", "/directory/user/ann@axe.test/general",
         "/directory/user/ann@axe.test/mail",
         "/directory/user/ben@axe.test/mail",
         "/directory/user/ann@axe.test/maintenance",
         "/directory/group/team@axe.test", "/directory/shared/box@axe.test",
         "/directory/new/user", "/directory/new/group",
         "/directory/new/shared", "/create-domain", "/domains",
         "/domains/axe.test/general", "/domains/axe.test/mail", "/systems",
         "/filters", "/administrators", "/queue", "/route/ben@axe.test", "/changes",
         "/account", "/account/second-factor", "/account/tokens",
         "/nowhere"]
# Pages, and what opens a dialogue there.
DIALOGUES = [("/systems", "other"), ("/systems", "New mail system"),
             ("/filters", "spam"), ("/filters", "New filter"),
             ("/administrators", "axel"),
             ("/administrators", "New administrator"),
             ("/domains/axe.test/general", "Delete domain")]


@pytest.fixture(scope="module")
def furnished(shared_world, sink):
    """A server with one of everything in axe.test, and nothing else."""
    server = shared_world.server("furnished")
    server.cli("domain", "create", "axe.test", "--alias", "axe2.test",
               "--relay", sink.at)
    server.user("ann@axe.test", "--name", "Ann")
    server.cli("user", "create", "ben@axe.test", "--mail-system", "alternate",
               "--address", "benjamin@axe.test")
    server.cli("group", "create", "team@axe.test", "--member", "ann@axe.test")
    server.cli("shared", "create", "box@axe.test")
    server.cli("system", "create", "other", "--hosts", sink.at)
    server.cli("filter", "create", "spam", "--socket", f"inet:{sink.at}")
    server.cli("admin", "create", "axel", "--domain", "axe.test",
               "--password-stdin", input="axel-secret\n")
    return server


SIZES = ((1280, 900), (390, 844))


@pytest.mark.parametrize("narrow", [
    False, pytest.param(True, marks=pytest.mark.long)])
def test_everybody_can_use_it(furnished, narrow):
    """Wide and light by all rules, narrow and dark whether it can be read; or
    the other way round."""
    found = {}
    with open_browser(furnished) as browser:
        def judge(what, *rules):
            if wrong := browser.violations(*rules):
                found[what] = wrong

        def judge_in_each_size(what, landmark):
            for now in narrow, not narrow:
                browser.resize(*SIZES[now])
                browser.dark_at_once(now)
                browser.find(landmark)
                judge(f"{what}, {'narrow' if now else 'wide'}",
                      *([] if now == narrow else ["color-contrast"]))
                wide = browser.driver.execute_script(
                    "return document.documentElement.scrollWidth")
                assert wide <= SIZES[now][0], f"{what} is {wide} pixels wide"

        for dark in not narrow, narrow:
            browser.dark(dark)
            browser.find("//h1")
            judge(f"sign in, {dark}")
        sign_in(browser, ENGLISH, "admin0", furnished.admin_password)
        browser.sees("Who lives where")
        for page in PAGES:
            browser.walk(page)
            judge_in_each_size(page, "//h1[not(//*[contains(@class, "
                                     "'mantine-Skeleton-root')])]")
        browser.resize(*SIZES[0])
        for page, opener in DIALOGUES:
            browser.walk("/")           # away from the dialogue before
            browser.find("//h1")
            browser.walk(page)
            browser.press(opener)
            judge_in_each_size(f"{page}: {opener}", "//*[@role='dialog']")
            browser.resize(*SIZES[0])
        assert browser.complaints() == []
    assert not found, "\n".join(f"{k}: {v}" for k, v in found.items())


@pytest.mark.skipif("SPLITMAIL_PICTURES" not in os.environ,
                    reason="SPLITMAIL_PICTURES=DIR takes docs/pictures anew")
def test_pictures(world):
    server = world.server("mail", hostname="mail.example.org")
    server.cli("domain", "create", "example.org", "--alias", "example.net",
               "--relay", "mail.other.example", "--forward-unknown")
    server.cli("domain", "create", "example.com", "--relay", "192.0.2.25")
    server.cli("domain", "create", "example.edu")
    server.cli("system", "create", "exchange", "--hosts",
               "mx1.corp.example,mx2.corp.example", "--tls", "required")
    people = ["Alice Martin", "Bruno Costa", "Chloé Petit", "David Ng",
              "Elena Rossi", "Farid Amrani", "Greta Lind", "Hugo Blanc",
              "Inès Moreau", "Jonas Weber", "Kate O'Neill", "Lars Holm"]
    for i, name in enumerate(people):
        address = name.split()[0].lower().replace("é", "e").replace("è", "e")
        server.user(f"{address}@example.org", "--name", name, "--mail-system",
                    "alternate" if i % 3 == 1 else "hosted")
    server.user("zoe@example.com", "--name", "Zoé Laurent")
    server.user("yan@example.edu", "--name", "Yan Keller")
    server.cli("user", "set", "hugo@example.org", "system=exchange")
    server.cli("address", "add", "bruno@example.org", "b.costa@*")
    server.cli("address", "add", "bruno@example.org", "sales@example.org")
    server.cli("address", "set", "sales@example.org", "routed=no")
    server.cli("group", "create", "team@example.org", "--member",
               "alice@example.org", "--member", "bruno@example.org")
    server.cli("shared", "create", "office@example.org")
    # Some mail for the charts; mail.other.example cannot be reached.
    for minute in range(8):
        for i in range(3 + 5 * minute % 11):
            server.send(STRANGER, "alice@example.org")
        assert answer(server, f"nobody{minute}@example.com") == 550
        server.send(STRANGER, "bruno@example.org")
        time.sleep(5)
    with open_browser(server, height=1430) as browser:
        sign_in(browser, ENGLISH, "admin0", server.admin_password)
        browser.sees("mail.other.example", "down")
        browser.picture(os.path.join(os.environ["SPLITMAIL_PICTURES"],
                                     "overview.png"))
        browser.resize(1280)
        for name, page, words in [
                ("directory", "/directory", "Lars Holm"),
                ("user", "/directory/user/bruno@example.org/mail", "sales@"),
                ("mail-routing", "/domains/example.org/mail", "Master and"),
                ("route", "/route/bruno@example.org", "Why")]:
            browser.sees("Sign out")
            browser.go(page)
            browser.sees(words)
            browser.picture(os.path.join(os.environ["SPLITMAIL_PICTURES"],
                                         f"{name}.png"))
