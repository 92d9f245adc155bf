"""The manual: the console serves it under /help to whoever has a browser and no
network; no page of it names what is not there; its other form, the manual
pages, has no fault that man or mandoc would see."""

import html.parser
import os
import re
import shutil
import subprocess
import urllib.parse

import pytest

from api import Api, fetch
from manual_page import MAKER, tables
from splitmail import ROOT, binary
from world import wait_until

try:
    from browser import AXE, Browser
except ImportError:
    Browser = None

FALLBACK = os.path.join(ROOT, "tools", "manual", "not_built.html")
POLICY = ("default-src 'none'; script-src 'self'; worker-src 'self'; "
          "style-src 'self'; img-src 'self' data:; connect-src 'self'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")


@pytest.fixture(scope="module")
def server(shared_world):
    return shared_world.server("a")


class Page(html.parser.HTMLParser):
    """What one names: links, what it loads, and where in it one may go."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.links, self.loads, self.ids, self.inside = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found[key] for key in ("id", "name") if found.get(key)]
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag == "link":
            self.loads.append(found["href"])
        self.loads += [found[key] for key in ("src", "srcset", "data", "poster")
                       if key in found]
        if tag == "style" or "style" in found or any(
                key.startswith("on") for key in found) or (
                tag == "script" and "src" not in found and
                found.get("type") != "application/json"):
            self.inside.append(self.get_starttag_text())


@pytest.fixture(scope="module")
def pages(server):
    """Every page that a link leads to, by its path."""
    found, left = {}, ["/help/"]
    while left:
        path = left.pop()
        if path in found:
            continue
        answer, body = fetch(server, path, Accept="text/html")
        assert answer.status == 200, path
        assert answer.getheader("content-type").startswith("text/html"), path
        assert answer.getheader("content-security-policy") == POLICY
        found[path] = Page(body.decode())
        for link in found[path].links:
            target = urllib.parse.urlsplit(urllib.parse.urljoin(path, link))
            if not target.netloc and target.path.startswith("/help/"):
                left.append(target.path)
    return found


def test_the_manual_is_there(pages):
    assert len(pages) > 10
    assert "/help/reference/commands/" in pages


def test_every_link_leads_somewhere(pages):
    lost = []
    for path, page in pages.items():
        for link in page.links:
            target = urllib.parse.urlsplit(urllib.parse.urljoin(path, link))
            if target.netloc:
                continue        # in the world: not ours to see
            if target.path not in pages:
                if target.path != "/" and not target.path.startswith("/api/"):
                    lost.append(f"{path}: {link}")
            elif target.fragment and urllib.parse.unquote(
                    target.fragment) not in pages[target.path].ids:
                lost.append(f"{path}: {link}")
    assert not lost


def test_nothing_comes_from_elsewhere(server, pages):
    """And nothing runs that stands in a page."""
    loaded = set()
    for path, page in pages.items():
        assert not page.inside, path
        loaded |= {urllib.parse.urljoin(path, name) for name in page.loads}
    for name in sorted(loaded):
        assert name.startswith("/help/"), name
        answer, body = fetch(server, name)
        assert answer.status == 200, name
        if name.startswith("/help/assets/"):
            assert "immutable" in answer.getheader("cache-control")
        if name.endswith(".css"):
            for url in re.findall(rb"url\(([^)]*)\)|@import", body):
                assert url.strip(b"\"'").startswith(b"data:"), (name, url)
    assert any(name.endswith(".css") for name in loaded)


@pytest.mark.parametrize("path, status, location", [
    ("/help", 308, "/help/"), ("/help?q=x", 308, "/help/"),
    ("/help/reference/commands", 308, "/help/reference/commands/"),
    ("/help/nothing", 404, None), ("/help/nothing/", 404, None),
    ("/help/reference/", 404, None), ("/help//", 404, None),
    ("/help/../etc/passwd", 404, None), ("/help/%2e%2e/", 404, None),
    ("/help/index.html/", 404, None),
])
def test_paths(server, path, status, location):
    answer, body = fetch(server, path, Accept="text/html")
    assert (answer.status, answer.getheader("location")) == (status, location)
    for name in "x-content-type-options", "x-frame-options", "referrer-policy":
        assert answer.getheader(name), name
    if status == 404:
        assert b"/help/assets/" in body
        assert not Page(body.decode()).inside


def test_it_is_only_read(server):
    connection = Api(server).connect()
    connection.request("DELETE", "/help/")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("allow")) == (405, "GET, HEAD")
    connection.close()


# ---- in a browser

@pytest.fixture
def browser(server):
    if not Browser or not os.path.exists("/usr/bin/chromium"):
        pytest.skip("no browser here")
    with Browser(f"http://{server.address}:{server.ports['console']}") as found:
        found.complaints()
        yield found


def test_somebody_reads_and_searches(server, browser):
    browser.go("/help")
    browser.sees("Splitmail")
    browser.find("//input[@name='query']").send_keys("postmaster")
    browser.sees("matching documents")
    browser.find("//li[contains(@class, 'md-search-result__item')]//a").click()
    browser.sees("postmaster")
    assert re.search("/help/[a-z]+/", browser.driver.current_url)
    assert not browser.complaints()
    # in the middle of a page, and what is not there
    browser.go("/help/reference/commands/#splitmail-route")
    browser.sees("splitmail route")
    browser.go("/help/no/such/page")
    browser.sees("404")
    assert not browser.complaints()


@pytest.mark.parametrize("path", [
    "", "operations/", "reference/settings/",
    pytest.param("split/", marks=pytest.mark.long),
    pytest.param("concepts/", marks=pytest.mark.long),
    pytest.param("reference/log/", marks=pytest.mark.long),
    pytest.param("reference/api/", marks=pytest.mark.long)])
def test_everybody_can_read_it(browser, path):
    """Without a mouse, and by a screen reader; on a phone, too."""
    if not os.path.exists(AXE):
        pytest.skip(f"no {AXE}")
    browser.go(f"/help/{path}")
    browser.sees("Splitmail")
    assert browser.violations() == []
    browser.resize(390)
    assert browser.driver.execute_script(
        "return document.documentElement.scrollWidth") <= 390
    assert not browser.complaints()


def test_the_menu_leads_to_it(server, browser):
    pages = pytest.importorskip("pages")
    browser.go("/")
    pages.sign_in(browser, pages.ENGLISH, "admin0", server.admin_password)
    browser.press("Manual")
    driver = browser.driver
    wait_until(lambda: len(driver.window_handles) == 2, what="a window")
    first, second = driver.window_handles
    driver.switch_to.window(second)
    browser.sees("Reference")
    assert driver.current_url.endswith("/help/")
    driver.close()
    driver.switch_to.window(first)
    browser.sees("Overview")


# ---- how it is made

known = pytest.fixture(scope="module")(tables)


def made(known, folder, **environment):
    """What becomes C, when it is made so."""
    done = subprocess.run(
        [MAKER, "site", known, folder / "help", FALLBACK, folder / "help.c"],
        env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return (folder / "help.c").read_bytes(), done.stderr


def test_it_is_the_same_whoever_makes_it_and_when(known, tmp_path):
    if not shutil.which("mkdocs"):
        pytest.skip("no mkdocs here")
    for name in "a", "b":
        (tmp_path / name).mkdir()
    one, _ = made(known, tmp_path / "a", TZ="Asia/Tokyo", LC_ALL="C",
                  SOURCE_DATE_EPOCH="1")
    other, _ = made(known, tmp_path / "b", TZ="UTC", PYTHONHASHSEED="7")
    assert one == other


def test_without_mkdocs_there_is_a_page_that_says_so(known, tmp_path):
    """What is built is whole without it."""
    (tmp_path / "bin").mkdir()
    os.symlink("/usr/bin/python3", tmp_path / "bin" / "python3")
    code, said = made(known, tmp_path, PATH=str(tmp_path / "bin"))
    assert "there is no mkdocs-material" in said
    assert code.count(b'{ "/help/') == 1 and b'"/help/index.html"' in code
    done = subprocess.run(      # a package's
        [MAKER, "site", known, tmp_path / "help", FALLBACK, tmp_path / "c",
         tmp_path / "d", "needed"], env={"PATH": str(tmp_path / "bin")},
        capture_output=True, text=True)
    assert done.returncode == 1 and "there is no mkdocs-material" in done.stderr


# ---- manual pages

@pytest.fixture(scope="module")
def manual_pages(known, tmp_path_factory):
    """As the build makes them."""
    if not shutil.which("scdoc"):
        pytest.skip("no scdoc here")
    folder = tmp_path_factory.mktemp("man")
    subprocess.run([MAKER, "man", known, folder], check=True)
    return folder


NAMES = ["splitmail.8", "splitmail.conf.5", "sendmail.8"]


@pytest.mark.parametrize("name", NAMES)
def test_a_manual_page_is_well_formed(manual_pages, name):
    page = manual_pages / name
    for program in (["mandoc", "-Tlint", "-Wwarning"],
                    ["man", "--warnings", "-l"]):
        if not shutil.which(program[0]):
            continue
        done = subprocess.run([*program, page], capture_output=True, text=True,
                              env={**os.environ, "MANPAGER": "cat"})
        said = done.stdout if program[0] == "mandoc" else done.stderr
        assert (done.returncode, said) == (0, "")


def shown(page):
    """As a reader sees it, on a very wide screen."""
    done = subprocess.run(["man", "-l", page], capture_output=True, text=True,
                          env={**os.environ, "MANPAGER": "cat",
                               "MANWIDTH": "1000"}, check=True)
    return re.sub(r".\x08", "", done.stdout)


def test_splitmail_8_has_what_help_has(manual_pages):
    text = shown(manual_pages / "splitmail.8")
    help = subprocess.run([binary(), "help"], capture_output=True, text=True)
    nouns = re.findall(r"^  (\w+) ", help.stdout, re.M)
    assert len(nouns) > 10
    for noun in nouns:
        said = subprocess.run([binary(), "help", noun], capture_output=True,
                              text=True).stdout
        usages = [" ".join(usage.split()) for usage in re.findall(
            r"^(?:  |Usage: )(splitmail .*(?:\n {4,}.*)*)", said, re.M)]
        assert usages, noun
        for usage in usages:
            assert usage in text, usage


def test_sendmail_8_knows_its_options(manual_pages):
    text = shown(manual_pages / "sendmail.8")
    for option in "-f", "-oem", "-bs", "-bp", "newaliases", "dead.letter":
        assert option in text
