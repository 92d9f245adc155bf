"""The console on an administrator's day, in both languages: nothing typed is
lost, what is told is true now, and trouble leads to where it is mended.

One browser walks all of it, wide and narrow, and axe looks at every stop."""

import os

import pytest

from pages import STRANGER, open_browser, sink  # noqa: F401
from test_refused_pages import Page
from world import wait_until

SIZES = ((1280, 900), (390, 844))
FIRST_ROW_LACKS = """(page, words) => {
    const row = document.querySelector("tbody tr");
    return row && !row.innerText.includes(words) || null;
}"""


class Day(Page):
    def __init__(self, server, browser, language):  # noqa: F811
        super().__init__(server, browser, language)
        self.language = language
        self.domain = f"day-{language}.test"
        # Nobody listens there.
        self.dead = f"{server.address}:{1 if language == 'en' else 2}"

    def say(self, word, **values):
        """"one|other": by n."""
        text = self.words[word]
        if "|" in text:
            one, other = text.split("|")
            small = (0, 1) if self.language == "fr" else (1,)
            text = one if values.get("n") in small else other
        return text.format(**values)

    def sees(self, word, **values):
        self.browser.sees(self.say(word, **values))

    def looked_at(self, name):
        """By axe: wide in English, narrow in French.  For people, who ask
        for pictures by SPLITMAIL_WALK=FOLDER, in both sizes."""
        folder = os.environ.get("SPLITMAIL_WALK")
        for width, height in SIZES if folder else [
                SIZES[self.language == "fr"]]:
            self.browser.resize(width, height)
            assert self.browser.violations() == [], (name, width)
            wide = self.browser.driver.execute_script(
                "return document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} pixels wide"
            if folder:
                self.browser.picture(os.path.join(
                    folder, f"{self.language}-{width}-{name}.png"))
        self.browser.resize(*SIZES[0])


@pytest.fixture(scope="module")
def server(shared_world):
    """Nothing is tried again by itself meanwhile."""
    server = shared_world.server("a", conf="limits {\n\tretry_min = 3600\n"
                                 "\tretry_max = 7200\n}")
    return server


@pytest.fixture(scope="module", params=[
    "en", pytest.param("fr", marks=pytest.mark.long)])
def day(request, server, sink):  # noqa: F811
    with open_browser(server, request.param) as browser:
        yield Day(server, browser, request.param)
        assert browser.complaints() == []


# ---- in the order of a day: the first test makes the domain ---------------

def test_users_before_there_is_a_domain(day):
    if day.language == "en":        # the server is the same one in French
        day.go("/directory")
        day.sees("chooseDomain")
        assert day.words["newUser"] in day.browser.text()   # of the menu
        day.looked_at("no-domain")
    day.server.cli("domain", "create", day.domain, "--alias",
                   f"also-{day.domain}", "--relay", day.dead)


def test_new_users_one_after_the_other(day):
    day.go("/directory/new/user")
    day.type("newAddress", f"Fred Frank <fred@also-{day.domain}>")
    day.type("password", "short")       # the field before has lost the focus
    field = day.browser.field(day.words["newAddress"])
    assert field.get_attribute("value") == "fred"
    assert day.browser.field(day.words["displayName"]).get_attribute(
        "value") == "Fred Frank"
    day.press("createAnother")
    day.refused("password", day.say("passwordTooShort", n=8), typed="short")
    day.press("passwordMake")
    day.looked_at("new-user")
    made = day.browser.field(day.words["password"]).get_attribute("value")
    assert len(made) == 19
    day.type("furtherAddresses", f"info, f.frank@{day.domain}")
    day.press("createAnother")
    fred = f"fred@{day.domain}"
    day.sees("created", name=fred)
    shown = day.server.cli("user", "show", fred)
    assert shown["name"] == "Fred Frank" and shown["password"] == "set"
    assert {a["address"] for a in shown["addresses"]} == {
        "fred@*", "info@*", f"f.frank@{day.domain}"}

    # The form is still there, empty, with the domain; and elsewhere.
    wait_until(lambda: day.browser.field(day.words["newAddress"])
               .get_attribute("value") == "", 20, "an empty field")
    day.browser.choose(day.words["mailSystem"], day.words["alternate"])
    day.type("newAddress", "nobody@nowhere.test")
    day.press("createAnother")
    day.refused("domain", day.say("noSuchDomainHere", domain="nowhere.test"))
    day.type("newAddress", f"gina@{day.domain}")
    day.press("createAnother")
    day.sees("created", name=f"gina@{day.domain}")
    day.type("newAddress", "hans")
    day.press("create")
    day.browser.sees(f"hans@{day.domain}", day.words["directoryBrowser"])
    for name in "gina", "hans":
        assert day.server.cli("user", "show", f"{name}@{day.domain}")[
            "mail_system"] == "alternate"


def test_a_member_that_was_typed_is_saved(day):
    group = f"sales@{day.domain}"
    day.server.cli("group", "create", group, "--member", f"fred@{day.domain}")
    day.go(f"/directory/group/{group}")
    day.type("newMember", f"Gina G <gina@{day.domain}>, bob@gmail.test")
    day.sees("boxCounts")
    day.sees("unsaved")
    day.looked_at("group")
    day.press("save")
    day.sees("savedWhat", name=group)
    assert day.server.cli("group", "show", group)["members"] == [
        f"fred@{day.domain}", f"gina@{day.domain}", "bob@gmail.test"]
    wait_until(lambda: day.browser.field(day.words["newMember"])
               .get_attribute("value") == "", 20, "an empty box")

    # Refused at the box, with what was typed.
    day.type("newMember", "not an address!")
    day.press("save")
    day.refused("newMember", typed="not an address!")
    day.press("cancel")

    # The same of an address's row, and of the addresses mail is forwarded to.
    day.go(f"/directory/user/fred@{day.domain}/mail")
    day.press("addAddress")
    day.type("newAddressLeft", f"freddy@{day.domain}")
    day.type("forwardTo", f"Gina <gina@{day.domain}>")
    day.press("save")
    day.sees("savedWhat", name=f"fred@{day.domain}")
    shown = day.server.cli("user", "show", f"fred@{day.domain}")
    assert f"freddy@{day.domain}" in [a["address"]
                                      for a in shown["addresses"]]
    assert shown["forward"] == [f"gina@{day.domain}"]
    day.server.cli("user", "set", f"fred@{day.domain}", "forward=")


def waiting(day, recipient):
    """The one message that waits for him."""
    return next((m for m in day.server.queue()
                 if m["recipients"][0]["address"] == recipient), None)


def test_what_waits_and_what_came_of_try_now(day):
    """The relay is not there.  Its answer to "Try now" is shown when it comes;
    that it is down stands on every page, with the way to what waits."""
    gina, dead = f"gina@{day.domain}", day.dead
    with day.server.smtp() as smtp:
        smtp.sendmail(STRANGER, [gina], "From: x@y.test\r\nSubject: "
                      "=?utf-8?q?Caf=C3=A9_at_noon?=\r\n\r\nhello\r\n")
    wait_until(lambda: waiting(day, gina), 20, "mail that waits")
    day.go("/systems")
    day.browser.find(f"//*[@class='banner'][contains(., '{dead}')]")
    day.looked_at("systems")
    day.browser.click(day.browser.find, f"//*[@class='banner']//li[contains(., "
                      f"'{dead}')]//a[.='{day.say('bannerWaiting', n=1)}']")
    message = waiting(day, gina)
    day.browser.sees(message["id"], gina)
    assert day.browser.field(day.words["filterSystem"]).get_attribute(
        "value") == dead
    day.looked_at("queue")
    day.browser.press(message["id"])
    day.browser.sees("Café at noon")
    day.press("order_retry")
    day.browser.sees(day.say("retriedAgain", address=gina,
                             reply="|").split("|")[0])
    # As it is now, below, too: a system that is down is also tried by itself.
    wait_until(lambda: day.say("attempts", n=waiting(day, gina)["recipients"]
                               [0]["attempts"]) in day.browser.text(), 20,
               "the attempts that were made")
    day.looked_at("message")
    assert waiting(day, gina)["recipients"][0]["attempts"] > 1
    day.press("close")

    # Where does it go?  It is down, and mail would wait.
    day.go(f"/route/{gina}")
    day.browser.sees(day.say("legDownSince", when="|").split("|")[1])
    assert f"{dead}, by" not in day.browser.text()
    day.looked_at("route")
    day.go("/")
    day.looked_at("overview")
    day.browser.click(day.browser.find, "//a[@aria-label='" + dead + ": "
                      + day.say("bannerWaiting", n=1) + "']")
    day.browser.sees(message["id"])

    # Found by its id, too.
    day.type("search", message["id"])
    day.browser.click(day.browser.find, "//*[@role='option']"
                      f"[normalize-space(.)='{message['id']}']")
    day.browser.sees("Café at noon")
    day.press("close")


def test_the_relay_as_it_is_typed(day):
    """Drawn and promised is only what can be; what a test found goes with the
    host it was about."""
    day.go(f"/domains/{day.domain}/mail")
    day.press("test")
    day.browser.find("//li[contains(@class, 'notice bad')]")
    day.type("relay", "no such host!")
    day.sees("effectRelayUnclear")
    day.sees("drawnAsIs")
    assert not day.browser.driver.find_elements(
        "xpath", "//li[contains(@class, 'notice bad')]")
    day.type("relay", "")
    day.sees("effectRelayNeeded", n=2)
    assert day.words["shape_whole"] not in day.browser.text()
    day.press("save")
    day.refused("relay", f"gina@{day.domain}", typed="")
    day.sees("drawnAsIs")
    day.looked_at("relay-refused")
    day.type("relay", "192.0.2.9")
    day.browser.sees(day.say("effectRelayOther", n=2, relay="192.0.2.9",
                             before=day.dead))
    day.browser.tick(day.words["forwardUnknown"])
    day.sees("effectUnknownThere", relay="192.0.2.9")
    # Another tab keeps it, and shows that it does.
    day.press("general")
    tab = day.browser.find(f"//*[@role='tab'][.='{day.words['mailSystemTab']}']"
                           )
    assert tab.get_attribute("data-unsaved") == "true"
    day.press("mailSystemTab")
    day.press("cancel")


def test_a_system_that_had_no_mail_yet(day, sink):  # noqa: F811
    """After a test of it, more is known than "not tried yet"."""
    name = f"fresh-{day.language}.test"
    relay = sink.at if day.language == "en" else f"{sink.at}, {sink.at}"
    day.server.cli("domain", "create", name, "--relay", relay)
    day.go(f"/domains/{name}/mail")
    day.press("test")
    day.sees("testOk")
    day.press("overview")
    day.sees("system_tested")


def test_a_mail_system_is_explained(day):
    day.go("/systems")
    day.sees("relaysOfDomains")
    day.press("newSystem")
    day.sees("testNoHosts")
    labels = [tag.text for tag in day.browser.driver.find_elements(
        "xpath", "//*[@role='dialog']//label") if tag.text]
    trust = labels.index(day.words["trust"])
    assert trust < labels.index(day.words["tls"])
    day.browser.choose(day.words["tls"], day.words["tls_verified"])
    day.sees("tlsHint_verified")
    day.looked_at("system")
    day.press("cancel")


def test_many_move_and_what_follows_is_said(day):
    left = f"{day.language}user"
    day.server.fill(day.domain, 30, mail_system="1", left=f"'{left}'")
    day.server.user(f"{left}31@{day.domain}")
    day.go("/directory")
    day.type("searchDirectory", left)
    day.browser.sees(day.say("entriesFound", n=31))
    addresses = [f"{left}{i}@{day.domain}" for i in (1, 2, 3, 9, 10, 11)]
    text = day.browser.text()
    at = [text.index(f"{address}\n") for address in addresses]
    assert at == sorted(at), "by number"

    # Twenty rows on a screen, each of one line.
    rows = day.browser.driver.execute_script("""
        return [...document.querySelectorAll('tbody tr')].map(
            row => row.getBoundingClientRect()).filter(
            at => at.bottom <= window.innerHeight).length""")
    assert rows >= 20, rows
    day.looked_at("directory")

    day.browser.tick(day.words["selectAllEntries"])
    day.press("setMailSystem")
    day.sees("previewChanged", n=30)
    day.sees("bulkWithoutPassword", n=30)
    day.sees("bulkLeftElsewhere", n=30)
    day.looked_at("many")
    day.browser.choose(day.words["mailSystem"], day.words["noMail"])
    day.sees("bulkLeftHere", n=1)
    day.browser.choose(day.words["mailSystem"], day.words["hosted"])
    day.press("bulkWhoHasNone")
    day.browser.sees(day.say("entriesFound", n=30))
    assert f"{left}31@{day.domain}" not in day.browser.text()

    # What waits for one of them.
    day.go("/directory?search=gina")
    day.browser.tick(day.say("selectEntry", address=f"gina@{day.domain}"))
    day.press("setMailSystem")
    day.sees("bulkWaiting", n=1)
    day.press("cancel")


def test_who_moves_a_user_here_hears_that_he_has_no_password(day):
    user = f"hana@{day.domain}"
    day.server.cli("user", "create", user, "--mail-system", "alternate")
    day.go(f"/directory/user/{user}/mail")
    day.browser.choose(day.words["mailSystem"], day.words["hosted"])
    day.sees("passwordNone")
    day.press("cancel")


def test_changes_are_told_in_words(day):
    fred = f"fred@{day.domain}"
    day.server.cli("user", "set", fred, "mail_system=none")
    day.go(f"/directory/user/{fred}")
    day.browser.click(
        day.browser.find, "//main//a[normalize-space(.)='"
        + day.words["changes"] + "']")
    day.browser.sees(day.say("onlyOf", name=fred), day.say(
        "labelled", label=day.words["mailSystem"],
        value=f"{day.words['hosted']} → {day.words['noMail']}"),
        day.say("change_created", noun=day.words["kind_user"]))
    assert "mail_system" not in day.browser.text()
    day.looked_at("changes")
    day.browser.click(day.browser.find,
                      f"//tbody//a[normalize-space(.)='{fred}']")
    day.browser.sees(day.words["loginHint"])
    day.go("/changes")
    day.type("searchChanges", f"SALES@{day.domain}")
    day.browser.wait_for("the group's only", FIRST_ROW_LACKS, fred)
    day.browser.sees(f"sales@{day.domain}",
                     day.say("change_added", noun=day.words["changeMember"]))
