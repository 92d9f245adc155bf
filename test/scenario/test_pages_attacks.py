"""What strangers and users write is shown by the console's pages as what it
is: text.  In a real browser, with code that would leave a mark if it ran."""

import os

import pytest

pytest.importorskip("selenium")
from api import Api, quote  # noqa: E402
from browser import CHROMIUM, DRIVER, ROOT, Browser  # noqa: E402
from world import wait_until  # noqa: E402

for needed in (CHROMIUM, DRIVER,
               os.path.join(ROOT, "web", "dist", "index.html")):
    if not os.path.exists(needed):
        pytest.skip(f"no {needed}", allow_module_level=True)

IMAGE = "<img src=x onerror=window.owned=1>"
SCRIPT = "<script>window.owned=1</script>"
DRAWING = "<svg/onload=window.owned=1>"
CLOSING = "\"'></textarea></title></pre><iframe srcdoc=\"<script>1</script>\">"


@pytest.fixture(scope="module")
def sink(shared_world):
    """The other system: each of its answers is markup."""
    return shared_world.sink(on={
        "CONNECT": f"220 {DRAWING}",
        "RCPT": lambda session, argument: (
            f"550 5.1.1 {IMAGE}" if "random" in argument
            else f"451 4.3.0 {DRAWING} {SCRIPT}")})


@pytest.fixture(scope="module")
def server(shared_world):
    return shared_world.server("a")


@pytest.fixture(scope="module")
def root(server):
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    return api


@pytest.fixture(scope="module")
def furnished(server, root, sink):
    """Markup wherever a name or a description is free text."""
    root.put("/domains/evil.test", {"relay": sink.at, "description": IMAGE},
             status=201)
    root.put("/users/ann@evil.test", {"name": IMAGE}, status=201)
    root.put("/users/ben@evil.test", {"mail_system": "alternate",
                                      "name": SCRIPT}, status=201)
    root.put("/groups/team@evil.test", {"name": DRAWING}, status=201)
    root.put("/shared/box@evil.test", {"name": IMAGE}, status=201)
    root.patch("/users/ann@evil.test", {"name": DRAWING + IMAGE})
    root.put("/systems/other", {"hosts": "other.test", "tls": "required",
                                "user": IMAGE, "password": "p"}, status=201)
    root.new_token(SCRIPT)


@pytest.fixture(scope="module")
def waiting(server, root, sink, furnished):
    """The id of a message with markup in its envelope and its header."""
    with server.smtp() as smtp:
        said = smtp.docmd("EHLO", SCRIPT)
        if said[0] != 250:
            smtp.ehlo("client.test")
        smtp.sendmail('"<svg/onload=window.owned=1>"@elsewhere.example',
                      ["ben@evil.test"],
                      f"Subject: {IMAGE} {SCRIPT}\r\n"
                      f"From: \"{DRAWING}\" <x@elsewhere.example>\r\n"
                      f"X-Closing: {CLOSING}\r\n"
                      "Content-Disposition: attachment; "
                      f"filename=\"{IMAGE}\"\r\n\r\n{SCRIPT}\r\n")

    def tried():
        for item in root.get("/queue").json["items"]:
            if DRAWING in (item["recipients"][0]["last_reply"] or ""):
                return item["id"]
        return None
    return wait_until(tried, 30, "a message that the other system refused")


@pytest.fixture(scope="module")
def browser(server):
    home = f"http://{server.address}:{server.ports['console']}"
    with Browser(home) as browser:
        browser.type("Name of the administrator", "admin0")
        browser.type("Password", server.admin_password)
        browser.press("Sign in")
        browser.sees("Sign out")
        yield browser


def clean(browser):
    """Nothing of it ran, became an element, or was stopped by the policy
    alone: the text is escaped in the first place."""
    assert browser.driver.execute_script("return window.owned") is None
    assert browser.driver.execute_script("""
        return [...document.querySelectorAll(
            'img[src="x"], svg[onload], iframe, [onerror], [onload],' +
            'script:not([src])')].map(e => e.outerHTML)""") == []
    assert browser.complaints() == []


def test_the_mark_is_left_by_code_that_runs(browser):
    """The test of the test: what this file looks for is found when markup
    does become an element, and the policy stops even that."""
    browser.go("/")
    browser.sees("Sign out")
    browser.driver.execute_script(
        "document.body.insertAdjacentHTML('beforeend', arguments[0])", IMAGE)
    complaints = wait_until(browser.complaints, 10, "a word of the policy")
    assert any("Content Security Policy" in each for each in complaints)
    with pytest.raises(AssertionError):
        clean(browser)
    browser.go("/")
    browser.sees("Sign out")
    clean(browser)


def test_a_message_in_the_queue(browser, waiting):
    """Subject, From, a file name, the sender, HELO and the next hop's reply
    are markup: the list of the queue and the message show them as text."""
    browser.go("/queue")
    browser.sees("ben@evil.test")
    clean(browser)
    browser.press(waiting)
    browser.sees(f"Subject: {IMAGE} {SCRIPT}", f'From: "{DRAWING}"',
                 f'filename="{IMAGE}"', "451 4.3.0", DRAWING)
    clean(browser)


def test_the_trial_of_a_relay(browser, furnished, sink):
    """The other system's greeting and its answer to an unknown address."""
    browser.go("/domains/evil.test/mail")
    browser.press("Test")
    browser.sees("Connected", DRAWING)
    clean(browser)


@pytest.mark.parametrize("page, shown", [
    ("/", "evil.test"),
    ("/domains", "evil.test"),
    ("/domains/evil.test", None),
    ("/directory", IMAGE),
    ("/directory/user/ann@evil.test", None),
    ("/directory/group/team@evil.test", None),
    ("/directory/shared/box@evil.test", None),
    ("/systems", "other.test"),
    ("/changes", IMAGE),
])
def test_names_and_descriptions(browser, furnished, page, shown):
    """What was stored as a name or a description, wherever it is shown."""
    browser.walk(page)
    browser.find("//h1")
    if shown:
        browser.sees(shown)
    else:
        wait_until(lambda: any("window.owned" in value
                               for value in browser.all_values()),
                   20, f"markup in a field of {page}")
    clean(browser)


@pytest.mark.parametrize("page", [
    f"/{quote(IMAGE)}", f"/route/{quote(IMAGE)}",
    f"/route/{quote(SCRIPT + '@evil.test')}",
    f"/directory/user/{quote(DRAWING + '@evil.test')}",
    f"/domains/{quote(SCRIPT)}", f"/queue?recipient={quote(IMAGE)}",
    f"/directory?search={quote(IMAGE)}&next={quote('javascript:owned=1')}",
    f"/?next={quote('//evil.test/')}", f"/#{quote(SCRIPT)}",
])
def test_what_is_asked_for(browser, furnished, page):
    """Markup in the address: a page that there is not, a search, a route, an
    entry; and ?next= leads nowhere."""
    browser.go(page)
    browser.sees("Sign out")
    wait_until(lambda: browser.driver.execute_script(
        "return document.readyState") == "complete", 20, "the page")
    clean(browser)
    assert browser.driver.current_url.startswith(browser.home)


def test_what_is_searched_for(browser, furnished):
    """Markup typed into the search, and in what it finds."""
    browser.go("/")
    for text, found in ((IMAGE, "box@evil.test"),
                        ("ann@evil.test", "ann@evil.test")):
        browser.type("Search", text)
        browser.find(f"//*[@role='option'][contains(., '{found}')]")
        clean(browser)
    browser.go("/directory")
    browser.sees(IMAGE)
    browser.go("/queue")
    browser.type("Recipient", IMAGE)
    browser.sees("Nothing matches")
    clean(browser)
