"""Figures for Prometheus: what the alerts and the dashboard name is there, and
a real Prometheus, unpacked, reads it with a token that reads nothing else."""

import contextlib
import imaplib
import json
import os
import re
import smtplib
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from api import Api
from splitmail import ROOT, no_checks
from world import end_process, free_port, wait_until

PACKAGING = os.path.join(ROOT, "packaging")
RULES = os.path.join(PACKAGING, "prometheus", "splitmail.rules.yml")
BOARD = os.path.join(PACKAGING, "grafana", "splitmail.json")
BIN = os.path.join(ROOT, "build-peers", "prometheus", "usr", "bin")


@pytest.fixture(scope="module")
def server(shared_world):
    """One that has taken, refused, handed on, kept and held something."""
    server = shared_world.server("a", start=False)
    server.dovecot = f"127.0.0.1:{free_port('127.0.0.1')}"
    with open(f"{server.data}/splitmail.conf", "r+") as file:
        text = file.read()
        assert "\ndovecot {\n" in text
        file.seek(0)
        file.write(text.replace("\ndovecot {\n", "\ndovecot {\n\tmetrics = "
                                f"{server.dovecot.split(':')[1]}\n"))
    server.serve()
    sink = shared_world.sink()
    server.cli("domain", "create", "here.test", "--relay", sink.at)
    server.cli("domain", "create", "away.test", "--relay", "127.0.0.1:1")
    server.user("alice@here.test")
    server.user("bob@here.test", "--mail-system", "alternate")
    server.user("far@away.test", "--mail-system", "alternate")
    for to in ("alice@here.test", "bob@here.test", "far@away.test"):
        with server.smtp() as smtp:
            smtp.sendmail("x@y.test", [to], "Subject: x\r\n\r\nx\r\n")
    server.submit("alice@here.test").close()
    server.token = server.run("admin", "token", "create", "admin0",
                              "prometheus", "--scope",
                              "metrics").stdout.strip().split()[-1]
    wait_until(lambda: len(server.cli("queue", "list")) == 1, 20,
               "what cannot leave")
    assert not [name for name in figures(server) if "backup" in name]
    assert server.run("backup", f"{server.folder}/backup").returncode == 0
    return server


def text_of(server):
    request = urllib.request.Request(
        f"http://{server.address}:{server.ports['console']}/metrics",
        headers={"Authorization": f"Bearer {server.token}"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.read().decode()


def figures(server):
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in text_of(server).splitlines() if line[:1] != "#"}


def test_a_token_for_nothing_else_is_enough(server):
    found = figures(server)
    assert found["splitmail_engine_up"] == 1
    assert [name for name in found if re.fullmatch(
        r'splitmail_build_info\{version="[0-9.]+"\}', name)]
    assert found["splitmail_submission_logins_total"] == 1
    assert found["splitmail_disk_free_bytes"] > 0
    assert 0 <= found["splitmail_backup_age_seconds"] < 600
    assert 0 <= time.time() - found["splitmail_start_time_seconds"] < 600
    left = found["splitmail_certificate_expiry_timestamp_seconds"] - time.time()
    assert 9 * 365 * 86400 < left < 11 * 365 * 86400
    [oldest] = [found[name] for name in found
                if name.startswith("splitmail_queue_system_oldest_seconds")]
    assert abs(oldest - found["splitmail_queue_oldest_seconds"]) <= 1


@pytest.mark.parametrize("path", ["/users", "/session", "/overview", "/tokens",
                                  "/queue"])
def test_it_reads_nothing_else(server, path):
    api = Api(server)
    api.token = server.token
    assert api.get(path, status=403).json["reason"] == "token-is-for-metrics"
    assert api.put("/users/new@here.test", {}, status=403).json["reason"] in (
        "token-is-for-metrics", "token-may-only-read")


def test_a_domains_administrator_has_no_such_token_that_works(server):
    server.cli("admin", "create", "jane", "--domain", "here.test",
               "--password-stdin", input="a long password\n")
    token = server.run("admin", "token", "create", "jane", "p", "--scope",
                       "metrics").stdout.strip().split()[-1]
    request = urllib.request.Request(
        f"http://{server.address}:{server.ports['console']}/metrics",
        headers={"Authorization": f"Bearer {token}"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=120)


def test_a_login_that_fails_is_counted(server):
    before = figures(server)["splitmail_submission_logins_failed_total"]
    with pytest.raises(smtplib.SMTPAuthenticationError):
        server.submit("alice@here.test", "wrong")
    wait_until(lambda: figures(server)[
        "splitmail_submission_logins_failed_total"] > before, 20, "it")


def settled(server):
    """They may be a second old: until they stay as they are."""
    def look():
        one = figures(server)
        time.sleep(1.5)
        two = figures(server)
        return None if changed(one, two, "splitmail_",
                               "_(seconds|bytes)") else two
    return wait_until(look, 20, "figures that stay")


def changed(before, after, begin, but="_bytes"):
    return {name: after[name] - before.get(name, 0) for name in after
            if name.startswith(begin) and not re.match(r"\w+" + but, name)
            and after[name] != before.get(name, 0)}


@pytest.mark.parametrize("service", ["smtp", "submission", "submissions"])
@pytest.mark.parametrize("tls", ["yes", "no"])
def test_open_sessions_are_seen_by_port_and_encryption(server, service, tls):
    if (service, tls) == ("submissions", "no"):
        pytest.skip("there are none")
    before = settled(server)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(session(server, service, tls))
        name = f'splitmail_sessions{{service="{service}",tls="{tls}"}}'
        wait_until(lambda: changed(before, figures(server),
                                   "splitmail_sessions") == {name: 3}, 20,
                   lambda: f"three in {figures(server)}")


def session(server, service, tls):
    if service == "submissions":
        return smtplib.SMTP_SSL(server.address, server.ports[service],
                                context=no_checks())
    smtp = smtplib.SMTP(server.address, server.ports[service])
    if tls == "yes":
        smtp.starttls(context=no_checks())
    return smtp


@pytest.mark.parametrize("mails", [1, 7])
def test_how_long_mail_takes_is_in_histograms(server, mails):
    before = settled(server)
    for _ in range(mails):
        server.send("x@y.test", "alice@here.test")
    after = settled(server)
    for name in ("splitmail_answer_seconds", "splitmail_delivery_delay_seconds"):
        new = changed(before, after, name)
        assert new[f"{name}_count"] == mails
        assert new[name + '_bucket{le="+Inf"}'] == mails
        assert 0 <= new.get(f"{name}_sum", 0) < 180 * mails
        buckets = [after[one] for one in after if one.startswith(name + "_b")]
        assert buckets == sorted(buckets) and len(buckets) > 10


def test_what_a_system_said_before_is_counted(server):
    name = "splitmail_probe_hits_total"
    server.send("x@y.test", "bob@here.test")
    before = settled(server)[name]
    for _ in range(2):
        server.send("x@y.test", "bob@here.test")
    assert settled(server)[name] == before + 2


def test_jobs_are_counted_by_state(server):
    def jobs():
        return {name: n for name, n in figures(server).items()
                if name.startswith("splitmail_jobs")}
    assert set(jobs()) == {f'splitmail_jobs{{state="{state}"}}' for state in (
        "waiting", "running", "done", "cancelled", "failed")}
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    before = jobs()
    api.finish({"addresses": ["alice@here.test"], "change": {"quota": "1G"}})
    assert changed(before, jobs(), "") == {'splitmail_jobs{state="done"}': 1}


def expressions():
    with open(RULES) as file:
        yield "the alerts", re.sub("#.*", "", file.read())
    with open(BOARD) as file:
        for panel in json.load(file)["panels"]:
            for target in panel.get("targets", []):
                yield panel["title"], target["expr"]


def test_what_they_name_is_there(server):
    names = {re.split("[{ ]", name)[0] for name in settled(server)}
    named = {(where, name) for where, text in expressions()
             for name in re.findall(r"splitmail_\w+", text)}
    assert len(named) > 25
    assert sorted(one for one in named if one[1] not in names
                  | {"splitmail_certificate_unusable"}) == []  # when there is one


def test_the_dashboard_is_one_page_in_order():
    with open(BOARD) as file:
        board = json.load(file)
    rows = [panel["title"] for panel in board["panels"]
            if panel["type"] == "row"]
    assert rows == ["Is mail flowing?", "What waits?", "Who logs in?",
                    "TLS and resources"]
    taken = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def tool(*words):
    return subprocess.run([os.path.join(BIN, "promtool"), *words], text=True,
                          cwd=os.path.dirname(RULES), capture_output=True,
                          timeout=300)


def logins(server):
    with urllib.request.urlopen(f"http://{server.dovecot}/metrics",
                                timeout=120) as answer:
        text = answer.read().decode()
    return {name: int(n) for name, n in re.findall(
        r"^dovecot_(\w+_logins(?:_failed)?)_total (\d+)$", text, re.M)}


def test_who_logs_in_is_dovecots_to_say(server):
    before = logins(server)
    assert set(before) == {f"{service}_logins{failed}" for failed in (
        "", "_failed") for service in ("imap", "pop3", "sieve")}
    for _ in range(3):
        server.imap("alice@here.test").logout()
    server.pop3("alice@here.test").quit()
    with pytest.raises(imaplib.IMAP4.error):
        server.imap("alice@here.test", "wrong")
    wait_until(lambda: changed(before, logins(server), "") == {
        "imap_logins": 3, "imap_logins_failed": 1, "pop3_logins": 1}, 20,
        lambda: f"the logins in {logins(server)}")


@pytest.mark.long
def test_promtool_agrees(server):
    for words in (["check", "rules", RULES],
                  ["test", "rules", "splitmail.test.yml"]):
        done = tool(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run([os.path.join(BIN, "promtool"), "check", "metrics"],
                          input=text_of(server), text=True, timeout=300,
                          capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_a_real_prometheus(server, tmp_path):
    (tmp_path / "token").write_text(server.token)
    (tmp_path / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ['{RULES}']
scrape_configs:
- job_name: splitmail
  authorization: {{credentials_file: {tmp_path}/token}}
  static_configs: [{{targets: ['{server.address}:{server.ports["console"]}']}}]
- job_name: dovecot
  static_configs: [{{targets: ['{server.dovecot}']}}]
""")
    with socket.socket() as free:
        free.bind((server.address, 0))
        at = f"{server.address}:{free.getsockname()[1]}"
    log = open(tmp_path / "log", "w")
    process = subprocess.Popen(
        [os.path.join(BIN, "prometheus"), f"--web.listen-address={at}",
         f"--config.file={tmp_path}/prometheus.yml",
         f"--storage.tsdb.path={tmp_path}/data"], stdout=log, stderr=log)

    def ask(query):
        url = f"http://{at}/api/v1/query?" + urllib.parse.urlencode(
            {"query": query})
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)["data"]["result"]
        except OSError:
            return []

    try:
        wait_until(lambda: [one["value"][1] for one in
                            ask("splitmail_engine_up")] == ["1"], 60,
                   "a scrape")
        # every expression of the dashboard is one, and those about now answer
        for where, text in expressions():
            if where == "the alerts":
                continue
            text = text.replace("$__rate_interval", "10s").replace(
                "$instance", f"{server.address}:{server.ports['console']}")
            found = wait_until(lambda: ask(text) or ("> 0" in text), 60,
                               f"{where}: {text}")
            assert found, where
        wait_until(lambda: ask('ALERTS{alertname="SplitmailSystemDown"}'), 60,
                   "an alert that is to come")
    finally:
        assert end_process(process, 60)
        log.close()
