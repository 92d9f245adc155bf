#!/usr/bin/python3
"""The manual, made of docs/ and of the code's tables.

	build.py site TABLES INTO FALLBACK OUTPUT.c [DEPFILE [needed]]
	build.py man TABLES FOLDER
	build.py pages TABLES FOLDER
	build.py log OUTPUT

TABLES is what splitmail-reference prints.  `site` makes the site in the folder
INTO and OUTPUT.c of it (src/console/web.h); without mkdocs OUTPUT.c holds the
page FALLBACK alone, unless the site is needed.  `man` makes manual pages, by
scdoc, and `pages` those pages of the site that are made of tables, as Markdown.
`log` writes down every line of the log, when there is another than OUTPUT has:
then the site is made anew.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import api
import man
import reference
import tables
import website

DOCS = os.path.join(tables.SOURCE, "docs")
# Of Debian 12, and of Debian 13.
THEMES = ["/usr/share/mkdocs/themes/material",
          "/usr/lib/python3/dist-packages/material/templates"]
EMBED = os.path.join(tables.SOURCE, "tools", "embed_folder.py")


def generated(path):
    return reference.pages(tables.reference(path), api.page())


def is_there():
    return shutil.which("mkdocs") and any(map(os.path.isdir, THEMES))


def made_of():
    """Every file that the site is made of, and what makes it: one that is
    missing has it made again."""
    yield next(filter(os.path.isdir, THEMES), THEMES[0])
    yield EMBED
    for top in DOCS, os.path.dirname(os.path.realpath(__file__)):
        for folder, _, names in os.walk(top):
            yield folder
            yield from (os.path.join(folder, name) for name in names)
    for name in ("src/base/limits.h", "src/smtp/replies.def",
                 "src/route/facts.def", "src/publish/remarks.def", "src/directory/refusals.def",
                 "src/console/problems.def", "src/console/metrics.def",
                 "src/rt/counters.def", "src/rt/histograms.def",
                 "src/console/openapi.json"):
        yield tables.path_of(name)


def site(known, into, fallback, output, depfile=None, needed=None):
    if is_there():
        with tempfile.TemporaryDirectory() as room:
            website.make(DOCS, generated(known), room, into)
    elif needed:
        sys.exit("the manual cannot be built: there is no mkdocs-material")
    else:
        print("the manual is not built: there is no mkdocs-material",
              file=sys.stderr)
        shutil.rmtree(into, ignore_errors=True)
    subprocess.run([sys.executable, EMBED, into, fallback, output, "help_files",
                    website.BASE], check=True)
    if depfile:
        with open(depfile, "w", encoding="utf-8") as file:
            names = (name.replace(" ", "\\ ") for name in made_of())
            file.write(f"{output}: {' '.join(names)}\n")


def tidy(roff):
    """Without the paragraphs that have nothing in them, of which scdoc makes
    many, and mandoc complains."""
    before = None
    while roff != before:
        before = roff
        roff = re.sub(r"^\.PP?\n(?=\.(PP?|SH|SS|RS|RE)\b|\Z)", "", roff,
                      flags=re.M)
        roff = re.sub(r"^(\.S[HS] .*\n)\.PP?\n", r"\1", roff, flags=re.M)
    return roff


def manuals(known, folder):
    found = tables.reference(known)
    for name, make in man.PAGES.items():
        done = subprocess.run(["scdoc"], input=make(found), text=True,
                              capture_output=True)
        if done.returncode:
            sys.exit(f"{name}: {done.stderr}")
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(tidy(done.stdout))


def pages(known, folder):
    for path, text in generated(known).items():
        website.write(os.path.join(folder, path), text)


def log(output):
    text = "".join(f"{' | '.join(line)}\n" for line in tables.log_lines())
    if not os.path.exists(output) or website.read(output) != text:
        website.write(output, text)


COMMANDS = {"site": site, "man": manuals, "pages": pages, "log": log}
COMMANDS[sys.argv[1]](*sys.argv[2:])
