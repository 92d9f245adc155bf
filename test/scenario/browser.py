"""A real Chromium that does what an administrator does, by what he sees.

    with Browser("http://127.0.0.2:20080", "fr") as browser:
        browser.type("Nom de l'administrateur", "admin0")
        browser.press("Se connecter")
        browser.sees("Vue d'ensemble")

Fields are named by their label, buttons and links by their words: what is not
labelled cannot be tested, nor used with a screen reader.

A Browser remembers nothing of those before it, but is the same Chromium for
all tests of one worker: to start one costs more than most tests.
"""

import functools
import os
import shutil
import tempfile
import time

from selenium import webdriver
from selenium.common.exceptions import (ElementClickInterceptedException,
                                        JavascriptException,
                                        StaleElementReferenceException,
                                        WebDriverException)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from world import wait_until

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
AXE = os.path.join(ROOT, "web", "node_modules", "axe-core", "axe.min.js")
CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--force-prefers-reduced-motion"]
PATIENCE = 20


# What the page itself looks for, many times a second and at no great cost.
# TELL: null while it is not there yet.
IN_PAGE = """
const [tell, ...rest] = [(%s), ...arguments];
const seen = (e) => e.checkVisibility({visibilityProperty: true,
    opacityProperty: true}) && e.getBoundingClientRect().width > 0;
const all = (path) => {
    const found = document.evaluate(path, document, null, 7, null);
    return Array.from({length: found.snapshotLength},
                      (_, n) => found.snapshotItem(n));
};
const text = () => document.body.innerText.replace(/[\\t\\xa0]/g, " ")
    .split("\\n").map(line => line.trim()).filter(line => line).join("\\n");
const end = performance.now() + 1000;
return new Promise((done, fail) => {
    (function again() {
        try {
            const answer = tell({seen, all, text}, ...rest);
            if (answer !== null || performance.now() > end) done(answer);
            else setTimeout(again, 40);
        } catch (e) {
            fail(e);
        }
    })();
});"""
FIND = """({seen, all}, paths) => {
    for (const path of paths)
        for (const each of all(path)) if (seen(each)) return each;
    return null;
}"""
# By its label, or by the name it gives to screen readers.
FIELD = """({seen, all}, label) => {
    for (const tag of document.querySelectorAll("label")) {
        if (!tag.textContent.trim().replace(/\\s+/g, " ").startsWith(label))
            continue;
        const field = document.getElementById(tag.htmlFor);
        if (field && seen(tag)) return field;
    }
    for (const field of document.querySelectorAll(
            "input[aria-label], textarea[aria-label]"))
        if (field.getAttribute("aria-label") === label &&
            (["checkbox", "radio"].includes(field.type) || seen(field)))
            return field;
    return null;
}"""
REFUSED = """(page, label) => {
    const field = (%s)(page, label);
    if (field === null || field !== document.activeElement ||
            field.getAttribute("aria-invalid") !== "true") return null;
    for (const name of (field.getAttribute("aria-describedby") || "").split(" "))
        if (name.includes("error") && document.getElementById(name))
            return document.getElementById(name).innerText;
    return null;
}""" % FIELD
TEXT = "({text}) => text()"
SAYS = "({text}, words) => text().includes(words) || null"


# What the page has asked the server to change and has no answer to yet.
COUNT_CHANGES = """
window.changesUnderWay = 0;
const asks = window.fetch;
window.fetch = async (what, how) => {
	if (["GET", "HEAD"].includes(how?.method ?? "GET")) return asks(what, how);
	window.changesUnderWay++;
	try {
		return await asks(what, how);
	} finally {
		window.changesUnderWay--;
	}
};
"""
AT_REST = "() => !window.changesUnderWay || null"
# A thing that slides away between the press and the release of the button was
# not clicked, and nobody says so.
NOTHING_MOVES = """
return document.getAnimations().every(each => each.playState !== "running" ||
    each.effect.getComputedTiming().endTime === Infinity);
"""
# A notice that lies over a thing is closed, as one would.
UNCOVER = """
const {x, y, width, height} = arguments[0].getBoundingClientRect();
document.elementFromPoint(x + width / 2, y + height / 2)
    ?.closest(".mantine-Notification-root")
    ?.querySelector("button[aria-label]")?.click();
"""
# What a page says, and offers, for some seconds only (web/src/parts/tell.tsx),
# stays until it says the next: we may be late to look.
KEEP_SAYING = """
const later = window.setTimeout;
window.setTimeout = (what, ms, ...rest) =>
	later(what, [5000, 12000].includes(ms) ? 600000 : ms, ...rest);
"""


def quoted(text):
    """As an XPath string: words may hold an apostrophe."""
    return f'"{text}"' if '"' not in text else f"'{text}'"


def drawn_anew(method):
    """A page may draw itself anew between the finding of a thing and the
    look at it: then it is found again."""
    @functools.wraps(method)
    def again(*arguments):
        def attempt():
            try:
                return [method(*arguments)]
            except StaleElementReferenceException:
                return None
        [answer] = wait_until(attempt, PATIENCE,
                              f"{method.__name__}{arguments[1:]} at rest")
        return answer
    return again


# ---- Chromium, as long as there are tests

idle = []       # drivers of those that nobody has now


def start_chromium():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tempfile.mkdtemp(prefix="splitmail-browser-")
    for flag in FLAGS + [f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.profile = profile
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument",
                           {"source": COUNT_CHANGES + KEEP_SAYING})
    driver.set_script_timeout(60)
    return driver


def end_chromium(driver):
    driver.quit()
    shutil.rmtree(driver.profile, ignore_errors=True)


def end_all():
    """Of those that are idle; at the end of the tests."""
    while idle:
        end_chromium(idle.pop())


class Browser:
    def __init__(self, home, language="en", width=1280, height=900):
        self.home = home.rstrip("/")
        self.language, self.size = language, (width, height)

    def __enter__(self):
        self.driver = idle.pop() if idle else start_chromium()
        try:
            self.order("Emulation.setUserAgentOverride",
                       userAgent=self.order("Browser.getVersion")["userAgent"],
                       acceptLanguage=self.language)
            self.resize(*self.size)
            self.go("/")
        except WebDriverException:
            end_chromium(self.driver)
            raise
        return self

    def __exit__(self, *trouble):
        try:
            self.forget()
            idle.append(self.driver)
        except WebDriverException:
            end_chromium(self.driver)

    def forget(self):
        """Whatever the server and its pages have left here."""
        self.driver.execute_script("sessionStorage.clear()")
        self.driver.get("about:blank")
        self.order("Network.clearBrowserCookies")
        self.order("Storage.clearDataForOrigin", origin=self.home,
                   storageTypes="all")
        self.driver.get_log("browser")

    def order(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def resize(self, width, height=900):
        self.order("Emulation.setDeviceMetricsOverride", width=width,
                   height=height, deviceScaleFactor=1, mobile=False)

    def go(self, path):
        self.driver.get(self.home + path)

    def walk(self, path):
        """As a link leads there: the application stays, which costs a fourth
        of go(), and what it has read in the last seconds."""
        self.driver.execute_script("history.pushState(null, '', arguments[0]);"
                                   "dispatchEvent(new PopStateEvent("
                                   "'popstate'))", path)

    # ---- finding

    def ask(self, tell, *arguments):
        """What TELL finds in the page, or None after a second."""
        try:
            return self.driver.execute_script(IN_PAGE % tell, *arguments)
        except (JavascriptException, StaleElementReferenceException):
            return None         # another page came meanwhile

    def wait_for(self, what, tell, *arguments):
        return wait_until(lambda: self.ask(tell, *arguments), PATIENCE,
                          lambda: f"{what} on\n{self.text()}")

    def find(self, *paths):
        """The first thing to be seen that one of the XPaths names."""
        return self.wait_for(paths[0], FIND, paths)

    def field(self, label):
        """By its label, or by the name it gives to screen readers."""
        return self.wait_for(f"a field {label}", FIELD, label)

    def text(self):
        return wait_until(lambda: [self.ask(TEXT)], PATIENCE, "a page")[0]

    def is_answered(self):
        """What was pressed has had its effect; a server may also be away."""
        end = time.monotonic() + 20
        while not self.ask(AT_REST) and time.monotonic() < end:
            time.sleep(0.05)

    def sees(self, *words):
        """The words may be of the change before: they count when the last one
        is answered."""
        self.is_answered()
        for each in words:
            self.wait_for(repr(each), SAYS, each)

    @drawn_anew
    def attribute(self, label, name):
        return self.field(label).get_attribute(name)

    @drawn_anew
    def value(self, label):
        """What stands in a field."""
        return self.field(label).get_property("value")

    @drawn_anew
    def ticked(self, label):
        return self.field(label).is_selected()

    @drawn_anew
    def enabled(self, label):
        return self.field(label).is_enabled()

    @drawn_anew
    def words(self, path):
        """What is to be read in the first thing the XPath names."""
        return self.find(path).text

    @drawn_anew
    def all_words(self, path):
        self.find(path)
        return [each.text
                for each in self.driver.find_elements(By.XPATH, path)]

    def all_values(self):
        """What stands in the fields of the page."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll('input, textarea')]"
            ".map(each => each.value)")

    @drawn_anew
    def has_focus(self, label):
        return self.field(label) == self.driver.switch_to.active_element

    # ---- doing

    def click(self, find, *arguments):
        """A thing that moves or is drawn anew is clicked when it rests."""
        def attempt():
            if not self.driver.execute_script(NOTHING_MOVES):
                return False
            try:
                thing = find(*arguments)
                try:
                    thing.click()
                    return True
                except ElementClickInterceptedException:
                    self.driver.execute_script(UNCOVER, thing)
            except StaleElementReferenceException:
                pass
            return False
        wait_until(attempt, PATIENCE, f"a click on {arguments}")

    def press(self, words):
        """A button, tab or link with these words."""
        said = f"[normalize-space(.)={quoted(words)}" \
               f" or @aria-label={quoted(words)}]"
        # What a dialogue offers goes before what lies behind it.
        self.click(self.find, f"//*[@role='dialog']//button{said}",
                   f"//button{said}", f"//a{said}")

    @drawn_anew
    def type(self, label, text):
        """All of it at once; keys() is one by one."""
        self.field(label).send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.DELETE)
        if text:
            self.order("Input.insertText", text=text)

    def choose(self, label, option):
        def attempt():
            self.click(self.field, label)
            self.click(self.find, "//*[@role='option'][normalize-space(.)="
                                  f"{quoted(option)}]")
            return self.value(label) == option
        wait_until(attempt, PATIENCE, f"{option} at {label}")

    def tick(self, label, on=True):
        self.is_answered()      # what was saved is shown anew then
        if self.ticked(label) != on:
            self.driver.execute_script("arguments[0].click()",
                                       self.field(label))
        wait_until(lambda: self.ticked(label) == on, PATIENCE,
                   f"{label} {'ticked' if on else 'not ticked'}")

    def keys(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    # ---- by keyboard alone

    def focused(self):
        """The name of what has the focus, as a screen reader says it."""
        try:
            return self.driver.switch_to.active_element.accessible_name
        except StaleElementReferenceException:
            return ""

    def tab_to(self, name, back=False):
        """Tab until the focus is on what is so named."""
        passed = []
        for _ in range(120):
            passed.append(self.focused().removesuffix(" *"))
            if passed[-1] == name:
                return
            step = webdriver.ActionChains(self.driver)
            if back:
                step.key_down(Keys.SHIFT)
            step.send_keys(Keys.TAB)
            if back:
                step.key_up(Keys.SHIFT)
            step.perform()
        raise AssertionError(f"the keyboard does not reach {name!r}; it came "
                             f"by {passed}")

    def pick(self, option):
        """In the list that has the focus, with arrow keys."""
        chosen = "//*[@role='option'][@data-combobox-selected]"
        seen = []
        for _ in range(10):
            self.keys(Keys.ARROW_DOWN)
            seen.append(self.words(chosen))
            if seen[-1] == option:
                return self.keys(Keys.ENTER)
        raise AssertionError(f"no {option!r} among {seen}")

    # ---- judging

    def refused(self, label):
        """What is said at the field, once it has the focus."""
        return self.wait_for(f"a refusal at {label}", REFUSED, label)

    def dark(self, on):
        self.driver.execute_script(
            "localStorage.setItem('mantine-color-scheme-value', arguments[0])",
            "dark" if on else "light")
        self.driver.refresh()

    def dark_at_once(self, on):
        """As it is now, without a reload."""
        self.driver.execute_script(
            "document.documentElement.setAttribute("
            "'data-mantine-color-scheme', arguments[0])",
            "dark" if on else "light")

    def violations(self, *rules):
        """What axe finds wrong with the page as it is now: by all of its
        rules, which is dear, or by these."""
        if not self.driver.execute_script("return 'axe' in window"):
            with open(AXE) as file:
                self.driver.execute_script(file.read())
        found = self.driver.execute_script("""
            const how = {resultTypes: ["violations"]};
            if (arguments.length) how.runOnly = [...arguments];
            return axe.run(document, how)
                .then(r => r.violations, e => [String(e)]);""", *rules)
        return [f"{v['id']}: {v['help']}: " + "; ".join(
            f"{n['target']} {n.get('any') and n['any'][0]['message']}"
            for n in v["nodes"][:4]) if isinstance(v, dict) else v
            for v in found]

    def complaints(self):
        """What the console of the browser says is wrong, policy above all;
        a refusal by the API is no fault of the page."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and
                "the server responded with a status of" not in
                entry["message"]]

    def picture(self, path):
        self.driver.save_screenshot(path)
        return path
