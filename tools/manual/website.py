"""The manual as a site: docs/ and the pages made of tables, by mkdocs, so that
it needs nothing from elsewhere and no script that stands in a page.

In a page, a fence says what its lines are (docs/README.md):

    ```console			commands; a test runs them
    ```console not run: WHY	commands; a test looks whether they are there
    ```output			what the commands above say
    <!-- first: COMMAND -->	what a page takes for granted; nobody sees it
"""

import hashlib
import os
import re
import shutil
import subprocess

BASE = "/help"
FIRST = re.compile(r"^<!-- first: .* -->\n", re.M)
FENCE = re.compile(r"^(\s*)```(console|output)\b.*$", re.M)
SHOWN = {"console": "sh", "output": "text"}
LEFT_OUT = re.compile(r"\.map$|^sitemap|/lunr/|^assets/images/|README")
HASHED = re.compile(r"\.[0-9a-f]{8}\.")
SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>"
                    r"(.*?)</script>", re.S)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb" if isinstance(data, bytes) else "w",
              **({} if isinstance(data, bytes) else {"encoding": "utf-8"})
              ) as file:
        file.write(data)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def copy_docs(docs, room, generated):
    shutil.copytree(docs, os.path.join(room, "docs"),
                    ignore=shutil.ignore_patterns(
                        "meson.build", "mkdocs.yml", "README.md"))
    for path, text in generated.items():
        write(os.path.join(room, "docs", path), text)
    for folder, _, names in os.walk(os.path.join(room, "docs")):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".md"):
                write(path, FENCE.sub(lambda f: f"{f[1]}```{SHOWN[f[2]]}",
                                      FIRST.sub("", read(path))))
    shutil.copy(os.path.join(docs, "mkdocs.yml"), room)


def run_mkdocs(room):
    # The same bytes, whenever and wherever.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "0", "TZ": "UTC",
                   "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(["mkdocs", "build", "--strict"], cwd=room,
                          env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the manual: mkdocs: {done.stdout}{done.stderr}")


class Scripts:
    """What stood in pages, as files: a page's policy lets no other run."""

    def __init__(self):
        self.files = {}

    def out_of(self, page, root):
        def moved(found):
            text = found[1].strip() + "\n"
            name = "assets/javascripts/page.%s.js" % hashlib.sha256(
                text.encode()).hexdigest()[:8]
            self.files[name] = text
            return f'<script src="{root}{name}"></script>'
        return SCRIPT.sub(moved, page)


def page_text(path, text, scripts):
    root = "../" * path.count("/")
    if path == "404.html":      # it is shown wherever nothing is
        root = BASE + "/"
        text = re.sub(r'((?:(?:href|src)=|"(?:search|base)": )"|new URL\(")/(?!/)',
                      rf"\1{root}", text)
    text = re.sub(r'\s*<link rel="(?:icon|canonical|prev|next|sitemap)"[^>]*>',
                  "", text)
    # For who has no mouse, or does not see.
    text = text.replace('class="md-search__scrollwrap"',
                        'class="md-search__scrollwrap" tabindex="0"')
    text = text.replace('data-md-component="search" role="dialog"',
                        'data-md-component="search" role="dialog" '
                        'aria-label="Search"')
    return scripts.out_of(text, root)


def take(site, into):
    """What of the site mkdocs has made is served, into a folder."""
    scripts = Scripts()
    for folder, _, names in os.walk(site):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), site)
            if LEFT_OUT.search(path):
                continue
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            if path.startswith("assets/") and not HASHED.search(path):
                raise SystemExit(f"the manual: {path} is kept by browsers for "
                                 "ever, and has no hash in its name")
            if path.endswith(".html"):
                data = page_text(path, data.decode(), scripts).encode()
            if path.endswith((".js", ".css")):
                data = re.sub(rb"(//|/\*)# sourceMappingURL=\S*( \*/)?\s*$",
                              b"", data)
            write(os.path.join(into, path), data)
    for path, text in scripts.files.items():
        write(os.path.join(into, path), text)


def make(docs, generated, room, into):
    copy_docs(docs, room, generated)
    run_mkdocs(room)
    shutil.rmtree(into, ignore_errors=True)
    take(os.path.join(room, "site"), into)
