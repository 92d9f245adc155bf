"""A real Chromium that does what an administrator does, by what he sees.

    with Browser("http://127.0.0.2:20080", "fr") as browser:
        browser.type("Nom de l'administrateur", "admin0")
        browser.press("Se connecter")
        browser.sees("Vue d'ensemble")

Fields are named by their label, buttons and links by their words: what is not
labelled cannot be tested, nor used with a screen reader.
"""

import os
import shutil
import tempfile

from selenium import webdriver
from selenium.common.exceptions import (ElementClickInterceptedException,
                                        NoSuchElementException,
                                        StaleElementReferenceException)
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


def quoted(text):
    """As an XPath string: words may hold an apostrophe."""
    return f'"{text}"' if '"' not in text else f"'{text}'"


class Browser:
    def __init__(self, home, language="en", width=1280, height=900):
        self.home = home.rstrip("/")
        self.language, self.size = language, (width, height)

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="splitmail-browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in FLAGS + [f"--user-data-dir={self.profile}",
                             f"--lang={self.language}"]:
            options.add_argument(flag)
        options.add_experimental_option(
            "prefs", {"intl.accept_languages": self.language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options,
                                       service=Service(DRIVER))
        self.driver.set_script_timeout(60)
        self.resize(*self.size)
        self.go("/")
        return self

    def __exit__(self, *trouble):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def resize(self, width, height=900):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": False})

    def go(self, path):
        self.driver.get(self.home + path)

    # ---- finding

    def find(self, *paths):
        """The first thing to be seen that one of the XPaths names."""
        def look():
            for path in paths:
                for thing in self.driver.find_elements(By.XPATH, path):
                    try:
                        if thing.is_displayed():
                            return thing
                    except StaleElementReferenceException:
                        pass
            return None
        return wait_until(look, PATIENCE, f"{paths[0]} on\n{self.text()}")

    def field(self, label):
        """By its label, or by the name it gives to screen readers."""
        def look():
            for tag in self.driver.find_elements(
                    By.XPATH, f"//label[starts-with(normalize-space(.), "
                              f"{quoted(label)})]"):
                try:
                    thing = self.driver.find_element(
                        By.ID, tag.get_attribute("for"))
                    if tag.is_displayed():
                        return thing
                except (NoSuchElementException,
                        StaleElementReferenceException):
                    pass
            for thing in self.driver.find_elements(
                    By.XPATH, f"//*[self::input or self::textarea]"
                              f"[@aria-label={quoted(label)}]"):
                if thing.is_displayed() or thing.get_attribute("type") in (
                        "checkbox", "radio"):
                    return thing
            return None
        return wait_until(look, PATIENCE, f"a field {label} on\n{self.text()}")

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def sees(self, *words):
        for each in words:
            wait_until(lambda: each in self.text(), PATIENCE,
                       f"{each!r} on\n{self.text()}")

    # ---- doing

    def click(self, find, *arguments):
        """A thing that moves or is drawn anew is clicked when it rests."""
        def attempt():
            try:
                find(*arguments).click()
                return True
            except (ElementClickInterceptedException,
                    StaleElementReferenceException):
                return False
        wait_until(attempt, PATIENCE, f"a click on {arguments}")

    def press(self, words):
        """A button, tab or link with these words."""
        said = f"[normalize-space(.)={quoted(words)}" \
               f" or @aria-label={quoted(words)}]"
        # What a dialogue offers goes before what lies behind it.
        self.click(self.find, f"//*[@role='dialog']//button{said}",
                   f"//button{said}", f"//a{said}")

    def type(self, label, text):
        field = self.field(label)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(Keys.DELETE)
        if text:
            field.send_keys(text)

    def choose(self, label, option):
        def attempt():
            self.click(self.field, label)
            self.click(self.find, "//*[@role='option'][normalize-space(.)="
                                  f"{quoted(option)}]")
            return self.field(label).get_attribute("value") == option
        wait_until(attempt, PATIENCE, f"{option} at {label}")

    def tick(self, label, on=True):
        box = self.field(label)
        if box.is_selected() != on:
            self.driver.execute_script("arguments[0].click()", box)
        wait_until(lambda: self.field(label).is_selected() == on, PATIENCE,
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
            seen.append(self.find(chosen).text)
            if seen[-1] == option:
                return self.keys(Keys.ENTER)
        raise AssertionError(f"no {option!r} among {seen}")

    # ---- judging

    def refused(self, label):
        """What is said at the field, once it has the focus."""
        def look():
            field = self.field(label)
            if field != self.driver.switch_to.active_element or \
                    field.get_attribute("aria-invalid") != "true":
                return None
            for name in (field.get_attribute("aria-describedby") or
                         "").split():
                for said in self.driver.find_elements(By.ID, name):
                    if "error" in name:
                        return said.text
            return None
        return wait_until(look, PATIENCE, f"a refusal at {label} on\n"
                                          f"{self.text()}")

    def dark(self, on):
        self.driver.execute_script(
            "localStorage.setItem('mantine-color-scheme-value', arguments[0])",
            "dark" if on else "light")
        self.driver.refresh()

    def violations(self):
        """What axe finds wrong with the page as it is now."""
        with open(AXE) as file:
            self.driver.execute_script(file.read())
        found = self.driver.execute_async_script("""
            const done = arguments[arguments.length - 1];
            axe.run(document, {resultTypes: ["violations"]})
                .then(r => done(r.violations), e => done([String(e)]));""")
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
