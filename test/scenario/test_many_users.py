"""A directory of ten thousand (a hundred thousand in the long run), in a real
browser: it is quick, and what is changed of a thousand goes on whatever happens
to the page."""

import contextlib
import os
import sqlite3

import pytest

from api import Api
from splitmail import binary
from pages import ENGLISH, FRENCH, STRANGER, open_browser, sign_in
from world import processor_seconds, wait_until, within

# They are the fixtures of these pages, too.
from pages import server, sink  # noqa: F401

pytestmark = pytest.mark.usefixtures("server")

MANY = 100000 if os.environ.get("SPLITMAIL_ALL") else 10000


def database(server, **more):
    return sqlite3.connect(os.path.join(server.data, "directory.db"),
                           timeout=30, isolation_level=None, **more)


@pytest.fixture(scope="module")
def big(server, sink):  # noqa: F811
    """big.test with MANY users, every other one elsewhere; 1,000 more who
    are called team; and one in a domain that has no other system."""
    server.cli("domain", "create", "big.test", "--relay", sink.at)
    server.cli("domain", "create", "alone.test")
    server.fill("big.test", MANY)
    server.fill("big.test", 1000, mail_system="0", left="'team'")
    server.cli("user", "create", "team@alone.test")
    return server


@contextlib.contextmanager
def in_the_middle(server):
    """A job has begun, and does not go on meanwhile: how far it is."""
    db = database(server)
    running = "SELECT done, total FROM job WHERE state = 1"
    try:
        wait_until(lambda: db.execute(running).fetchone(), 20,
                   "a job that has begun", pause=0.001)
        db.execute("BEGIN IMMEDIATE")
        done, total = db.execute(running).fetchone()
        yield done, total
    finally:
        db.close()


def resident(server, user):
    return server.cli("user", "show", user)["mail_system"] == "hosted"


def no_violations(browser):
    found = browser.violations()
    assert not found, "\n".join(found)


def shown(browser):
    return browser.driver.execute_script(
        "return [...document.querySelectorAll('tbody td.full a')]"
        ".map(a => a.textContent)")


# ---- a change of a thousand ------------------------------------------------

def test_a_thousand_users_move(big, sink):  # noqa: F811
    with open_browser(big) as browser:
        sign_in(browser, ENGLISH, "admin0", big.admin_password)
        browser.sees("Overview")
        browser.go("/directory")
        browser.type("Search by name or address", "team")
        browser.sees("1,001 entries")
        browser.tick("Select all users on this page")
        browser.sees("50 users selected")
        browser.press("Select all 1,001 users that match")
        browser.sees("All 1,001 users that match are selected")
        browser.press("Set mail system…")
        browser.choose("Mail system", "Alternate mail server")
        # Tried on as many as can be tried while he waits.
        browser.sees("For 1,001 users:", "Tried with the first 1,000 of them:")
        no_violations(browser)
        browser.press("Apply")
        with in_the_middle(big) as (done, total):
            browser.sees(f"{done:,} of {total:,} users")
            no_violations(browser)
            browser.driver.refresh()
            percent = 100 * done // total
            browser.press(f"Long work: {percent} %")
            browser.sees(f"{done:,} of {total:,} users",
                         "Mail system: Alternate mail server",
                         "This goes on when you close the window")
            browser.press("Close")
        browser.press("Long work: Report")
        browser.sees("1,000 users were changed.",
                     "1 user could not be changed:", "team@alone.test")
        browser.sees("has no relay")
        no_violations(browser)
        browser.press("Copy: Users that could not be changed")
        browser.sees("Copied")
        browser.press("Undo")
        browser.sees("What was changed is put back",
                     "1,000 users were changed.")
        no_violations(browser)
        assert resident(big, "team500@big.test")
        # And again, for the mail below.
        browser.press("Undo")
        wait_until(lambda: not resident(big, "team1000@big.test"), 20,
                   "the last one elsewhere again")
        browser.sees("1,000 users were changed.")
        browser.press("Close")
        wait_until(lambda: "Report" not in browser.text(), 20,
                   "a report that was seen goes")
        browser.driver.refresh()
        browser.sees("1,001 entries")
        assert "Report" not in browser.text()
        assert browser.complaints() == []
    for number in (1, 500, 1000):
        user = f"team{number}@big.test"
        big.send(STRANGER, user)
        assert sink.messages[-1].recipients == [user]
    assert resident(big, "team@alone.test")


def test_what_a_script_has_changed(big):
    """The report of a job that no page could have ordered."""
    api = Api(big)
    api.sign_in("admin0", big.admin_password)
    job, refusals = api.finish({
        "addresses": ["team@alone.test", "nobody@alone.test"],
        "change": {"system": None, "forward_copy": False}})
    assert job["changed"] == 1 and len(refusals) == 1
    with open_browser(big) as browser:
        sign_in(browser, ENGLISH, "admin0", big.admin_password)
        browser.press("Long work: Report")
        browser.sees("System: Relay of the domain",
                     "Keep a copy in the mailbox: Off", "nobody@alone.test")
        # A clipboard that a browser keeps for itself is no fault.
        browser.driver.execute_script("""
            navigator.clipboard.writeText = async (text) => {
                window.copied = text;
                throw new Error("not allowed");
            };""")
        browser.press("Copy: Users that could not be changed")
        wait_until(lambda: browser.driver.execute_script(
            "return window.copied"), 20, "the list to be copied")
        assert browser.driver.execute_script("return window.copied") == (
            "nobody@alone.test\tnobody@alone.test is not there any more.")
        no_violations(browser)
        assert browser.complaints() == []


@pytest.mark.long
def test_on_a_telephone_in_french(big):
    big.cli("domain", "create", "petit.test", "--relay", "192.0.2.1")
    big.fill("petit.test", 600, mail_system="0", left="'ami'")
    with open_browser(big, "fr", width=390, height=844) as browser:
        sign_in(browser, FRENCH, "admin0", big.admin_password)
        browser.sees(FRENCH["overview"])
        browser.go("/directory")
        browser.type("Rechercher par nom ou adresse", "ami")
        browser.sees("600 entrées")
        browser.tick("Sélectionner tous les utilisateurs de la page")
        browser.press("Sélectionner les 600 utilisateurs qui correspondent")
        browser.press("Choisir la messagerie…")
        browser.choose("Messagerie", "Aucune messagerie")
        browser.sees("600 utilisateurs seront modifiés.")
        browser.press("Appliquer")
        with in_the_middle(big) as (done, total):
            browser.press("Fermer")
            # By keyboard alone: the sign, and the dialogue it opens.
            sign = browser.find("//button[starts-with(@aria-label, "
                                "'Travail en cours')]")
            browser.driver.execute_script("arguments[0].focus()", sign)
            browser.keys("\ue007")
            browser.sees(f"{done} sur {total} utilisateurs", "Arrêter")
            no_violations(browser)
            wide = browser.driver.execute_script(
                "return document.documentElement.scrollWidth")
            assert wide <= 390, f"{wide} pixels wide"
            # It stops while others write, too: as soon as it may.
            browser.press("Arrêter")
        browser.sees("Ce qui est fait reste fait.", "modifiés.")
        browser.keys("\ue00c")
        assert browser.complaints() == []
    with database(big) as db:
        [(state, changed)] = db.execute(
            "SELECT state, changed FROM job ORDER BY id DESC LIMIT 1")
        [(moved,)] = db.execute("SELECT count(*) FROM holder WHERE "
                                "login LIKE '%@petit.test' AND "
                                "mail_system = 3")
    assert state == 3 and 0 < moved == changed < 600


# ---- the Directory Browser -------------------------------------------------

@pytest.mark.long
def test_very_many_users_are_shown(big):
    with database(big) as db:
        def expected(where="1", order="sort_key", offset=0):
            return [login for login, in db.execute(
                f"SELECT login FROM holder WHERE {where} ORDER BY {order} "
                f"LIMIT 50 OFFSET {offset}")]

        by_name = "name COLLATE NOCASE, sort_key"
        found = "name LIKE '%person 4242%'"
        there = "kind = 0 AND mail_system = 1"
        walk = [("the first page", None, expected()),
                ("by name", lambda b: b.press("Name"),
                 expected(order=by_name)),
                ("search", lambda b: b.type("Search by name or address",
                                            "person 4242"),
                 expected(found, by_name)),
                ("no search", lambda b: b.type("Search by name or address",
                                               ""), expected(order=by_name)),
                ("elsewhere", lambda b: b.choose("Mail system",
                                                 "Alternate mail server"),
                 expected(there, by_name)),
                ("next page", lambda b: b.press("Next page"),
                 expected(there, by_name, 50)),
                ("and next", lambda b: b.press("Next page"),
                 expected(there, by_name, 100)),
                ("back", lambda b: b.press("Previous page"),
                 expected(there, by_name, 50))]
        [(total,)] = db.execute("SELECT count(*) FROM holder")
    rounds = []
    console = big.console_pid()
    with open_browser(big) as browser:
        sign_in(browser, ENGLISH, "admin0", big.admin_password)
        browser.sees("Overview")
        for _ in range(3):
            spent = {}
            rounds.append(spent)
            browser.driver.execute_script(
                "sessionStorage.removeItem('splitmail-directory')")
            browser.go("/directory")
            browser.sees(f"{total:,} entries")
            for what, act, rows in walk:
                before = processor_seconds(console)
                if act:
                    act(browser)
                wait_until(lambda: shown(browser) == rows, 20,
                           f"{what}: {rows[:3]}..., not "
                           f"{shown(browser)[:3]}...")
                spent[what] = processor_seconds(console) - before
    with open(binary(), "rb") as file:
        slow = 4 if b"__asan_init" in file.read() else 1
    # What the console needs for it; how long that takes is the machine's.
    for what, _, _ in walk:
        each = [round[what] for round in rounds]
        assert min(each) < within(0.1 * slow), (what, each)
