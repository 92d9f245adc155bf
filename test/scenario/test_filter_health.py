"""A filter that is down or silent is named where an administrator looks, as long
as it is so."""

import smtplib
import subprocess

import pytest

from test_health import (await_health, await_trouble, health, log_count,
                         overview, troubles)
from world import wait_until

DOMAIN = "example.test"
BOB = f"bob@{DOMAIN}"


@pytest.fixture
def server(world):
    """One that has a mail in hand: its sink takes all."""
    server = world.server("a")
    server.cli("domain", "create", DOMAIN, "--relay", world.sink().at)
    server.user(BOB, "--mail-system", "alternate")
    return server


def reply(server):
    with server.smtp() as smtp:
        try:
            smtp.sendmail("x@y.test", BOB, "Subject: one\r\n\r\none\r\n")
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code
        except smtplib.SMTPRecipientsRefused as refused:
            return refused.recipients[BOB][0]
    return 250


def test_a_real_filter_is_stopped_and_started(server, world, tmp_path):
    key = str(tmp_path / "key")
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True,
                   capture_output=True)
    signing = world.opendkim(key=key)
    server.cli("filter", "create", "dkim", "--socket", signing.socket)
    await_health(server)
    signing.down()
    trouble = await_trouble(server, "filter-stops", 503)
    assert trouble["values"] == {"filter": "dkim"}
    assert reply(server) == 451
    said = server.run("status").stdout
    assert ("TROUBLE: The filter dkim does not answer: mail from outside is "
            "put off (451).") in said
    [shown] = overview(server)["trouble"]
    assert shown["what"] == "filter-stops"
    assert "onnection" in shown["detail"] and shown["detail"] in said
    signing.start()
    await_health(server)
    # mail after mail: libmilter wants a connection for each
    assert [reply(server) for _ in range(5)] == [250] * 5
    assert "TROUBLE" not in server.run("status").stdout
    assert log_count(server, "error: The filter dkim does not answer: ") == 1
    wait_until(lambda: log_count(server, "The filter dkim answers again"), 10,
               "the log")


@pytest.mark.parametrize("settings, what, status, says", [
    (["--when-down", "later", "--direction", "out"], "filter-puts-off", 200,
     250),
    (["--when-down", "later", "--direction", "in"], "filter-stops", 503, 451),
    (["--when-down", "hold"], "filter-holds", 200, 250),
    (["--when-down", "accept"], "filter-passed-by", 200, 250),
])
def test_what_becomes_of_mail_is_said(server, world, settings, what, status,
                                      says):
    milter = world.milter()
    server.cli("filter", "create", "f", "--socket", milter.socket, *settings)
    await_health(server)
    milter.end()
    await_trouble(server, what, status)
    assert reply(server) == says
    # one that nobody asks is not missed
    server.cli("filter", "set", "f", "enabled=no")
    await_health(server)


def test_one_that_answers_and_says_nothing_to_mail(server, world):
    milter = world.milter()
    server.cli("filter", "create", "f", "--socket", milter.socket,
               "--timeout", "1", "--when-down", "accept")
    milter.on["R"] = []
    assert reply(server) == 250
    await_trouble(server, "filter-passed-by", 200)
    assert server.cli("filter", "show", "f")["answers"]
    [shown] = overview(server)["trouble"]
    assert shown["detail"] == "it does not answer"
    del milter.on["R"]
    assert reply(server) == 250
    await_health(server)


def test_twenty_of_which_some_are_silent(server, world):
    """They are asked at once: seven silent ones take no longer than one."""
    milters = [world.milter() for _ in range(20)]
    for n, milter in enumerate(milters):
        server.cli("filter", "create", f"f{n}", "--socket", milter.socket,
                   "--timeout", "5", "--when-down", "accept")
    await_health(server)
    for milter in milters[3:10]:
        milter.on["O"] = []
    wait_until(lambda: len(troubles(server)) == 7, 20, "seven", pause=0.2)
    assert [t["values"]["filter"] for t in health(server)[1]["trouble"]] == [
        f"f{n}" for n in range(3, 10)]
    for milter in milters:
        milter.on.pop("O", None)
    await_health(server)
