"""What the engine says of itself on its control socket: splitmail status."""

import contextlib
import os
import re
import socket
import stat
import subprocess

import pytest

from splitmail import Refused, binary
from world import wait_until


def status(server):
    return server.cli("status")


def system(server, name, kind="system"):
    """What is said of one next hop; None: nothing."""
    for each in status(server)["systems"]:
        if (each["kind"], each["name"]) == (kind, name):
            return each
    return None


def test_figures_of_a_day(world):
    sink = world.sink()
    sink.on["RCPT"] = lambda session, argument: (
        "550 5.1.1 not here" if "<no" in argument else "250 2.1.5 ok")
    a = world.server("a")
    a.cli("system", "create", "other", "--hosts", sink.at)
    a.cli("domain", "create", "example.test", "--relay", "other")
    a.cli("domain", "set", "example.test", f"relay={sink.at}")
    a.user("alice@example.test")
    for name in ("bob", "carl"):
        a.cli("user", "create", f"{name}@example.test", "--mail-system",
              "alternate")
    a.cli("user", "set", "carl@example.test", "system=other")

    said = status(a)
    assert said["hostname"] == a.hostname and said["sessions"] == 0
    assert said["systems"] == [] and said["domains"] == []

    a.send("x@y.test", ["alice@example.test", "bob@example.test",
                        "carl@example.test"])
    with pytest.raises(Exception, match="nobody"):
        a.send("x@y.test", "nobody@example.test")
    relay = system(a, sink.at)
    assert relay["state"] == "up" and relay["since"]
    assert relay["delivered"] == 1 and relay["hosts"] == sink.at
    assert relay["idle"] == 1 and relay["connections"] == 0
    assert system(a, "other")["hosts"] == sink.at
    assert system(a, "", "mailboxes")["delivered"] == 1
    assert status(a)["domains"] == [
        {"name": "example.test", "handed_over": 3, "kept": 0, "refused": 1}]
    counters = status(a)["counters"]
    assert counters["splitmail_recipients_handed_over_total"] == 3
    assert counters["splitmail_recipients_refused_total"] == 1
    with a.smtp():
        assert status(a)["sessions"] == 1
    wait_until(lambda: status(a)["sessions"] == 0, 10, "no session")


def test_a_system_that_goes_and_comes_back(world):
    sink = world.sink()
    a = world.server("a", conf="limits {\n\tretry_min = 1\n"
                               "\tretry_max = 2\n}")
    a.cli("domain", "create", "example.test", "--relay", sink.at)
    a.cli("user", "create", "bob@example.test", "--mail-system", "alternate")
    a.send("x@y.test", "bob@example.test")
    up = system(a, sink.at)
    assert up["state"] == "up" and up["problem"] == ""

    sink.down()
    a.send("x@y.test", "bob@example.test")
    down = wait_until(lambda: (s := system(a, sink.at))["state"] == "down"
                      and s, 20, "it is down")
    assert "efused" in down["problem"] and down["deferred"] >= 1
    assert status(a)["domains"][0]["kept"] == 1
    leg, = a.cli("route", "bob@example.test")["legs"]
    assert {key: leg[key] for key in ("state", "since", "problem")} == {
        key: down[key] for key in ("state", "since", "problem")}
    assert f"down since {down['since']}: mail would wait" in a.run(
        "route", "bob@example.test").stdout

    sink.up()
    wait_until(lambda: system(a, sink.at)["state"] == "up", 30, "it is up")
    again = wait_until(lambda: (s := system(a, sink.at))["delivered"] == 2
                       and s, 20, "the one that waited")
    assert again["problem"] == "" and again["since"] >= down["since"]


def test_mailboxes_that_do_not_answer(world):
    a = world.server("a")
    a.cli("domain", "create", "example.test")
    a.user("alice@example.test")
    lmtp = os.path.join(a.data, "dovecot", "run", "lmtp")
    os.rename(lmtp, lmtp + ".away")
    a.send("x@y.test", "alice@example.test")
    down = system(a, "", "mailboxes")
    assert down["state"] == "down" and "lmtp" in down["problem"]
    os.rename(lmtp + ".away", lmtp)
    wait_until(lambda: system(a, "", "mailboxes")["state"] == "up" or
               a.cli("queue", "retry"), 30, "mailboxes that are up")


def test_the_socket_is_ours_and_bounded(world):
    a = world.server("a")
    a.cli("domain", "create", "example.test")
    a.user("alice@example.test")
    path = os.path.join(a.data, "run", "control")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600

    def call(line):
        text = b""
        with (socket.socket(socket.AF_UNIX) as s,
              contextlib.suppress(ConnectionError)):
            s.settimeout(120)
            s.connect(path)
            s.sendall(line)
            while some := s.recv(65536):
                text += some
        return text
    assert b"no such question" in call(b"weather\n")
    # Those who say nothing take all places, for a moment; mail flows.
    stalled = [socket.socket(socket.AF_UNIX) for _ in range(40)]
    for each in stalled:
        each.connect(path)
    assert "The engine does not answer" in a.refused("status")
    a.send("x@y.test", "alice@example.test")
    a.wait_for_mail("alice@example.test")
    wait_until(lambda: call(b"status\n"), 20, "an answer again")
    for each in stalled:
        each.close()
    # One who never reads does not keep it from stopping.
    deaf = socket.socket(socket.AF_UNIX)
    deaf.connect(path)
    a.stop()
    deaf.close()
    assert f"Start it: `splitmail --data {a.data} serve`." in a.refused("status")
    with pytest.raises(Refused) as refusal:
        a.cli("status", "now")
    assert refusal.value.status == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize("is_made, command", [
    (False, "splitmail init --hostname NAME"),
    (True, "systemctl start splitmail")])
def test_what_comes_first_fits_the_machine(world, is_made, command):
    """Where the unit is installed and systemd runs, in the usual folder."""
    a = world.server("a", start=False)
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", """
            for each in /run /etc /var/lib; do mount -t tmpfs none $each; done
            mkdir -p /run/systemd/system /etc/systemd/system /var/lib/splitmail
            touch /etc/systemd/system/splitmail.service
            [ -z "$1" ] || mount --bind "$1" /var/lib/splitmail
            unset SPLITMAIL_DATA
            exec "$0" status""", binary(), a.data if is_made else ""],
        capture_output=True, text=True, env=a.environment)
    assert done.returncode == 1 and f"`{command}`" in done.stderr, done


# ---- for monitoring

def nagios(server, *arguments, status=0):
    """The words before and the figures behind the "|"."""
    done = server.run("status", "--nagios", *arguments)
    assert done.returncode == status, (done.stdout, done.stderr)
    line, = done.stdout.splitlines()
    words, _, figures = line.partition(" | ")
    for figure in figures.split():      # as the guidelines for plugins have it
        assert re.fullmatch(r"\w+=-?\d+(\.\d+)?(s|%|B|c)?(;\d*(;\d*(;\d*(;\d*)?"
                            r")?)?)?", figure), figure
    return words, dict(figure.split("=", 1) for figure in figures.split())


def test_a_monitor_is_told_in_one_line(world):
    sink = world.sink()
    a = world.server("a")
    a.cli("domain", "create", "example.test", "--relay", sink.at)
    a.cli("user", "create", "bob@example.test", "--mail-system", "alternate")
    # The test's certificate is good for years.
    words, figures = nagios(a)
    assert words == "SPLITMAIL OK - 0 sessions, 0 mails wait"
    assert figures["mails"] == "0;;;0" and figures["systems_down"] == "0;;;0"
    assert int(figures["certificate"].rstrip("s")) > 30 * 86400

    sink.down()
    a.send("x@y.test", "bob@example.test")
    wait_until(lambda: system(a, sink.at)["state"] == "down", 20, "it is down")
    words, figures = nagios(a, status=1)
    assert words.startswith(f"SPLITMAIL WARNING - {sink.at} has taken no mail")
    assert words.endswith(" 0 sessions, 1 mail waits")
    assert figures["systems_down"] == "1;;;0"
    assert figures["mails_kept"] == "1c"
    assert nagios(a, "--critical", "2", status=1)[1]["mails"] == "1;;2;0"
    words, figures = nagios(a, "--warning", "1", "--critical", "1", status=2)
    assert "CRITICAL" in words and "Too many mails wait." in words
    assert figures["mails"] == "1;1;1;0"
    assert "Many mails wait." in nagios(a, "--warning", "1", status=1)[0]

    for wrong in ("0", "many", "-1"):
        done = a.run("status", "--nagios", f"--warning={wrong}")
        assert done.returncode == 2 and "no number of mails" in done.stderr
    assert a.run("status", "--warning", "3").returncode == 2
    assert a.run("status", "--nagios", "--json").returncode == 2
    a.stop()
    words, figures = nagios(a, status=2)
    assert words.startswith("SPLITMAIL CRITICAL - The engine does not answer: ")
    assert not figures


@pytest.mark.skipif(os.geteuid() != 0, reason="root becomes somebody else")
def test_a_monitor_that_may_not_ask_knows_nothing(world):
    a = world.server("a")
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
         binary(), "--data", a.data, "status", "--nagios"],
        capture_output=True, text=True, timeout=200, env=a.environment)
    assert done.returncode == 3, (done.stdout, done.stderr)
    assert done.stdout.startswith("SPLITMAIL UNKNOWN - The engine does not "
                                  "answer: ")
