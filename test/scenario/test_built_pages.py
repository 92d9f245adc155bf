"""The binary carries the console's pages: what web/dist holds is served."""

import gzip
import os
import re

import pytest

from api import fetch
from splitmail import ROOT

DIST = os.path.join(ROOT, "web", "dist")
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript",
         ".css": "text/css", ".svg": "image/svg+xml"}

if not os.path.exists(os.path.join(DIST, "index.html")):
    pytest.skip("no web/dist", allow_module_level=True)


@pytest.fixture(scope="module")
def server(shared_world):
    return shared_world.server("a")


def built():
    """Each file's path for a browser, and its bytes."""
    for folder, _, names in os.walk(DIST):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                yield "/" + os.path.relpath(path, DIST), file.read()


def test_every_file_is_served_as_it_was_built(server):
    for path, wanted in built():
        if path == "/index.html":
            continue
        answer, body = fetch(server, path)
        assert (answer.status, body) == (200, wanted), path
        assert answer.getheader("content-type") == TYPES[
            os.path.splitext(path)[1]]
        assert "immutable" in answer.getheader("cache-control"), path
        answer, body = fetch(server, path, **{"Accept-Encoding": "gzip"})
        if answer.getheader("content-encoding") == "gzip":
            body = gzip.decompress(body)
        assert body == wanted, path


def test_the_first_page_names_only_files_that_are_there(server):
    answer, body = fetch(server, "/", Accept="text/html")
    assert answer.status == 200
    assert answer.getheader("content-type") == TYPES[".html"]
    page = body.decode()
    assert "<title>Splitmail</title>" in page
    named = set(re.findall(r'(?:src|href)="(/[^"]*)"', page))
    assert any(path.endswith(".js") for path in named)
    assert any(path.endswith(".css") for path in named)
    assert named <= {path for path, _ in built()}
    assert "__CSP_NONCE__" not in page
