"""The console as a process: beside the mail, with TLS, at its end, and with
very many users."""

import contextlib
import http.client
import json
import os
import re
import socket
import sqlite3
import subprocess
import threading
import time

from api import PREFIX, Api
from splitmail import binary, no_checks
from world import (children, processor_seconds, quiet_port, wait_until,
                   within)


def test_mail_flows_while_the_console_is_down(world):
    server = world.server("c")
    server.cli("domain", "create", "example.test")
    server.user("alice@example.test")
    # Its port is somebody else's at the next start.
    server.stop()
    with socket.socket() as taken:
        taken.bind((server.address, server.ports["console"]))
        taken.listen()
        server.serve()
        server.send("x@elsewhere.example", "alice@example.test")
        server.wait_for_mail("alice@example.test")
        assert "console" in server.log()
    wait_until(lambda: answers(server), 30, "a console once the port is free")
    os.kill(server.console_pid(), 9)
    server.send("x@elsewhere.example", "alice@example.test")
    server.wait_for_mail("alice@example.test", 2)
    wait_until(lambda: answers(server), 30, "a console after a kill")


def answers(server):
    try:
        return Api(server).raw("GET", "/health").status == 200
    except OSError:
        return False


def peer_certificate(port):
    with socket.create_connection(("127.0.0.1", port), 120) as plain:
        with no_checks().wrap_socket(plain) as tls:
            return tls.getpeercert(binary_form=True)


def test_tls_where_others_can_reach_it(world):
    server = world.server("c", start=False)
    port = quiet_port()
    server.start()
    server.stop()
    path = os.path.join(server.data, "splitmail.conf")
    with open(path) as file:
        text = file.read()
    text = re.sub(r"console \{[^}]*\}", "console {\n\taddress = \"*\"\n"
                  f"\tport = {port}\n\tnames = {{\"mail.example\"}}\n}}", text)
    with open(path, "w") as file:
        file.write(text)
    server.serve()
    https = http.client.HTTPSConnection("127.0.0.1", port, timeout=120,
                                        context=no_checks())
    https.request("GET", "/health", headers={"Host": "mail.example"})
    assert json.loads(https.getresponse().read())["status"] == "ok"
    https.request("POST", "/api/v1/session", json.dumps(
        {"name": "admin0", "password": server.admin_password}),
        {"Content-Type": "application/json"})
    answer = https.getresponse()
    answer.read()
    cookie, = re.findall(r"^\w+=\w+; ", answer.getheader("set-cookie"))
    assert "; Secure" in answer.getheader("set-cookie")
    https.request("GET", "/api/v1/events?topics=overview",
                  headers={"Cookie": cookie.strip("; ")})
    events = https.getresponse()
    while "overview" not in events.readline().decode():
        assert not events.closed
    https.close()
    with socket.create_connection(("127.0.0.1", port), 120) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" not in plain.recv(1000)

    # A new certificate is shown after a reload; a broken one is not.
    old = peer_certificate(port)
    files = [os.path.join(server.data, "tls", name)
             for name in ("cert.pem", "key.pem")]
    with open(files[0], "w") as file:
        file.write("broken")
    server.reload()
    wait_until(lambda: "the old certificate stays" in server.log(), 10,
               "a complaint")
    assert peer_certificate(port) == old
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-subj", "/CN=new.test", "-keyout", files[1] + ".new",
                    "-out", files[0] + ".new", "-days", "2"], check=True,
                   capture_output=True)
    for name in files:
        owner = os.stat(name)
        os.chown(name + ".new", owner.st_uid, owner.st_gid)
        os.replace(name + ".new", name)
    server.reload()
    wait_until(lambda: peer_certificate(port) != old, 10,
               "the new certificate")


def signed_in(server):
    api = Api(server)
    api.sign_in("admin0", server.admin_password)
    return api


class Trial:
    """A trial of a mail server that says nothing until it hangs up."""

    def __init__(self, api):
        with socket.socket() as silent:
            silent.bind((api.server.address, 0))
            silent.listen()
            host = f"{api.server.address}:{silent.getsockname()[1]}"
            self.asking = threading.Thread(target=self.ask, args=(api, host))
            self.asking.start()
            self.held, _ = silent.accept()

    def ask(self, api, host):
        self.answer = api.post("/relay-test", {"hosts": host})

    def hang_up(self):
        self.held.close()

    def problem(self):
        self.asking.join()
        self.hang_up()
        return self.answer.json["items"][0]["problem"]


def test_stopping_waits_for_a_trial(world):
    server = world.server("c")
    trial = Trial(signed_in(server))
    server.stop()
    assert "does not answer" in trial.problem()


@contextlib.contextmanager
def all_threads_wait(api, path, body):
    """Every thread of the console is in a change that waits for the
    directory: somebody else writes, until the block ends."""
    changes = []
    headers = dict(api.headers("PATCH", None),
                   **{"Content-Type": "application/json"})

    def nobody_answers():
        changes.append(api.connect())
        changes[-1].request("PATCH", PREFIX + path, json.dumps(body), headers)
        probe = api.connect()
        probe.timeout = 1
        try:
            probe.request("GET", "/health")
            probe.getresponse().read()
            return False
        except TimeoutError:
            return True
        finally:
            probe.close()

    with contextlib.closing(sqlite3.connect(
            os.path.join(api.server.data, "directory.db"), timeout=30,
            isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        wait_until(nobody_answers, 20, "a console without a free thread", 0)
        yield changes


def test_stopping_cuts_no_answer_off(world):
    """Neither of a change that is being made, nor of a trial that has ended
    while no thread could send it."""
    server = world.server("c")
    server.cli("domain", "create", "example.test")
    server.user("alice@example.test")
    api = signed_in(server)
    trial = Trial(api)
    stop = threading.Thread(target=server.stop)
    with all_threads_wait(api, "/users/alice@example.test",
                          {"name": "Alice"}) as changes:
        stop.start()
        trial.hang_up()
        time.sleep(0.5)     # for the one that would not wait
    assert "closed the connection" in trial.problem()
    for change in changes:
        answer = change.getresponse()
        assert answer.status == 200
        assert json.load(answer)["name"] == "Alice"
        change.close()
    stop.join()


def test_stopping_does_not_wait_for_those_who_do_not_go_on(world):
    server = world.server("c")
    with socket.create_connection((server.address, server.ports["console"]),
                                  120) as half:
        half.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                     b"Content-Type: application/json\r\n"
                     b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n")
        assert half.recv(100).startswith(b"HTTP/1.1 100 ")
        server.stop()
        assert "does not stop" not in server.log()


def test_a_hundred_thousand_users(world):
    server = world.server("c")
    server.cli("domain", "create", "big.test", "--relay", "192.0.2.1")
    server.fill("big.test", 100000)
    api = Api(server)
    api.sign_in("admin0", server.admin_password)

    def timed(**query):
        """By the console's processor: the machine may be busy."""
        best, pid = 10, server.console_pid()
        for _ in range(3):
            before = processor_seconds(pid)
            page = api.get("/entries", domain="big.test", **query).json
            best = min(best, processor_seconds(pid) - before)
        return page, best

    with open(binary(), "rb") as file:
        slow = 4 if b"__asan_init" in file.read() else 1
    for query in ({}, {"sort": "name"}, {"sort": "-name"},
                  {"search": "user99999"}, {"search": "no such person"},
                  {"mail_system": "alternate", "count": "true"},
                  {"sort": "name", "search": "person 4242"}):
        page, seconds = timed(**query)
        assert seconds < within(0.1 * slow), (query, seconds)
        if page["next_cursor"]:
            _, seconds = timed(cursor=page["next_cursor"], **query)
            assert seconds < within(0.1 * slow), (query, seconds)


def test_a_network_of_ipv6_is_one_client(own_network, world):
    """Who has one address has all of its /64, and may hold no more places by
    dialling from many of them."""
    network = [f"fd00:66::{n:x}" for n in range(1, 9)]
    for address in ["fd00:1::1", "fd00:99::5"] + network:
        subprocess.run(["ip", "-6", "addr", "add", f"{address}/128", "dev",
                        "lo", "nodad"], check=True)
    server = world.server("a", start=False)
    path = os.path.join(server.data, "splitmail.conf")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace(
            f'console {{\n\taddress = "{server.address}"',
            'console {\n\taddress = "fd00:1::1"'))
    server.serve()
    port = server.ports["console"]

    def dial(source, patience=10):
        return socket.create_connection(("fd00:1::1", port), patience,
                                        source_address=(source, 0))

    def answers(source, patience=10):
        try:
            with no_checks().wrap_socket(dial(source, patience)) as tls:
                tls.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
                            b"Connection: close\r\n\r\n")
                return tls.recv(100).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    held = [dial(network[n % len(network)]) for n in range(400)]
    wait_until(lambda: not answers(network[0]), 10, "its places are taken")
    assert answers("fd00:99::5", 120)
    for connection in held:
        connection.close()
    wait_until(lambda: answers(network[0]), 10, "they are free again")
