"""Every command of the manual works: the lines of its pages, in their order,
against a server, as docs/README.md says.  What is told of the API is tried
against one, too."""

import json
import os
import re
import subprocess

import pytest

from manual_page import (MAKER, NOT_RUN, PROGRAMS, assert_known, beforehand,
                         fences, pages, people, program_of, root_shell,
                         run_fence, tables)
from splitmail import ROOT, binary

KINDS = {"console", "output", "conf", "text", "sh"}
ALL = [fence for page in pages() for fence in fences(page)]


def text_of(page):
    with open(os.path.join(ROOT, "docs", page), encoding="utf-8") as file:
        return file.read()


def is_of_the_manual(page):
    """README is of those who write it, and so is what is inside."""
    return page not in ("README.md", "simulation.md")


@pytest.mark.parametrize("page", filter(is_of_the_manual, pages()))
def test_every_fence_says_what_it_is(page):
    for fence in fences(page):
        assert fence.kind in KINDS, f"{fence}: {fence.kind}"
        assert fence.kind == "console" or not fence.more, fence
        if fence.kind == "console":
            assert not fence.more or fence.fails or \
                len(fence.more.split(NOT_RUN)[-1]) > 5, fence
    assert not re.search(r"^\n    (?!\s|\d|[*-])(splitmail|apt|systemctl|curl)",
                         text_of(page), re.M), "commands without a fence"


@pytest.mark.parametrize("page", filter(is_of_the_manual, pages()))
def test_what_is_not_run_is_a_command(page):
    for fence in fences(page):
        if fence.kind != "console" or fence.is_run:
            continue
        for command in fence.commands():
            for part in re.findall(r"(?:^|&& |\$\()splitmail ([^&|;)]*)",
                                   command):
                words = re.sub(r"^--data \S+ ", "", part).split()
                assert_known(words, f"{fence}: {command}")


@pytest.mark.parametrize("page", filter(is_of_the_manual, pages()))
def test_what_is_named_in_a_sentence_is_a_command(page):
    text = re.sub(r"^ *```.*?^ *```$", "", text_of(page), flags=re.S | re.M)
    for quoted in re.findall(r"`splitmail ([^`]+)`", text):
        words = quoted.split()
        if words[0].startswith("-") or words[0].isupper() or words[0] == "…":
            continue
        assert_known([w for w in words if re.match(r"[a-z-]", w)],
                     f"{page}: {quoted}")


def test_lines_of_the_configuration_are_read(world):
    """What a page says of splitmail.conf: settings, each with a value it may
    have.  A file that is named has to be nowhere."""
    data = os.path.join(world.subfolder("conf"), "data")
    subprocess.run([binary(), "--data", data, "init", "--hostname", "m.test",
                    "--bind", "127.0.0.1", "--port-base", "20000"], check=True,
                   capture_output=True)
    for fence in ALL:
        if fence.kind != "conf" or not is_of_the_manual(fence.page):
            continue
        with open(os.path.join(data, "splitmail.conf"), "w") as file:
            file.write('hostname = "m.test"\n' + fence.text)
        done = subprocess.run([binary(), "--data", data, "route",
                               "x@example.org"], capture_output=True, text=True)
        assert "splitmail.conf" not in done.stderr, f"{fence}: {done.stderr}"


def test_there_is_something_to_do_about_each_trouble():
    """What /health and the overview can say is quoted, and said what to do."""
    with open(os.path.join(ROOT, "src", "show", "troubles.def")) as file:
        troubles = re.findall(r'^TROUBLE\(\w+, \w+, "(.*)"\)$', file.read(), re.M)
    first = re.findall(r"^\| (`[^|]*) \|", text_of("operations.md"), re.M)
    quoted = [".*".join(re.escape(part.strip()) for part in words.split("…"))
              for cell in first for words in re.findall("`([^`]*)`", cell)]
    assert len(troubles) > 10
    for sentence in troubles:
        assert any(re.match(pattern, part) for pattern in quoted
                   for part in sentence.split("|")), sentence


# ---- the commands

RUN = sorted({fence.page for fence in ALL if fence.is_run and
              is_of_the_manual(fence.page)})


def test_no_page_does_what_it_should_not():
    """root runs them."""
    for fence in filter(lambda f: f.is_run, ALL):
        for command in fence.commands():
            assert program_of(command) in PROGRAMS | {""}, \
                f"{fence}: {command}: {program_of(command)}"


@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_a_page(own_network, world, page):
    server = people(world)
    shell = root_shell(server)
    try:
        for command in beforehand(page):
            said, status = shell.run(command)
            assert status == 0, f"{page}: {command}: {said}"
        for fence in fences(page):
            if fence.is_run:
                run_fence(shell, fence)
    finally:
        shell.end()


# ---- the API

@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The folder with the pages that are made of tables."""
    folder = tmp_path_factory.mktemp("pages")
    subprocess.run([MAKER, "pages", tables(), folder], check=True)
    return folder / "reference"


@pytest.fixture(scope="module")
def requests(reference):
    """The examples of the API's page, as commands for a shell."""
    text = (reference / "api.md").read_text()
    return [match[1].replace("\\\n", "") for match in
            re.finditer(r"^```sh\n(curl.*?)\n```$", text, re.S | re.M)]


PASSWORD = "a long password of yours"      # the examples'
# A request that has none of these faults is one that could be made: what it
# speaks of may be gone, or taken.
MALFORMED = {400, 405, 406, 411, 413, 415, 421, 429, 431, 500, 503}
FORMS = {"not-json", "not-an-object", "not-a-text", "key-missing", "bad-limit",
         "bad-cursor", "bad-parameter", "wrong-type", "unknown-key",
         "bad-address-entry", "not-one-of", "not-yes-or-no"}


@pytest.fixture(scope="module")
def api_server(shared_world):
    """With what the examples speak of."""
    server = shared_world.server("api")
    server.cli("domain", "create", "example.org", "relay=mail.other.example")
    server.cli("system", "create", "exchange", "--hosts", "192.0.2.20")
    for user in "alice", "bob":
        server.user(f"{user}@example.org")
    server.cli("group", "create", "team@example.org")
    server.cli("shared", "create", "office@example.org")
    server.cli("admin", "password", "admin0", "--password-stdin",
               input=PASSWORD + "\n")
    return server


def order_of(request):
    """Signing in, what is made, looked at and deleted; signing out."""
    method = (re.search(r"-X (\w+)", request) or [None, "GET"])[1]
    return ("-c cookies" not in request, method == "DELETE" and "session" in
            request, request.endswith(("session/password", "tokens/1")),
            ["PUT", "PATCH", "POST", "GET", "DELETE"].index(method))


def ask(server, request, environment):
    """Status and answer of an example, as a shell makes it."""
    command = request.replace("http://127.0.0.1:8025", "http://%s:%d" % (
        server.address, server.ports["console"])).replace(
        "curl", "curl -s -w '\\n%{http_code}'", 1)
    # what is watched has no end
    limit = "0.5" if "/events" in request else "60"
    done = subprocess.run(["bash", "-c", command.replace(
        "curl", f"curl -m {limit}", 1)], capture_output=True, text=True,
        cwd=server.folder, env={**os.environ, **environment})
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_the_examples_of_the_api_are_understood(api_server, requests):
    """None is malformed, of another type, or to a place that is not there; and
    most do what they say."""
    token = api_server.cli("admin", "token", "create", "admin0", "manual",
                           "--scope", "write")["token"]
    environment, done, bad = {"TOKEN": token, "CSRF": ""}, 0, []
    assert len(requests) > 70
    for request in sorted(requests, key=order_of):
        status, body = ask(api_server, request, environment)
        if "-c cookies" in request:
            assert status == 201, body[:300]
            environment["CSRF"] = json.loads(body)["csrf_token"]
        done += status < 300
        reason = re.search(r'"reason":"([^"]+)"', body)
        if status in MALFORMED or reason and reason[1] in FORMS or \
                status == 401 and "totp" not in request:
            bad.append((status, request, body[:300]))
    assert not bad
    assert done > len(requests) * 0.75


def test_every_metric_is_in_the_reference_once(api_server, reference):
    token = api_server.cli("admin", "token", "create", "admin0", "figures")
    _, text = ask(api_server, "curl -H \"Authorization: Bearer $TOKEN\" "
                  "http://127.0.0.1:8025/metrics", {"TOKEN": token["token"]})
    page = (reference / "metrics.md").read_text()
    found = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M)
    assert len(found) > 30
    assert [each for each in found
            if page.count(f"| `{each[0]}` | {each[1]} |") != 1] == []
