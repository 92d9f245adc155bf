"""Every case of wire/cases.jsonl, against a real server with its Dovecot."""

import json
import os
import random
import re
import time

import pytest

from dialogue import Dialogue
from splitmail import ROOT
from world import PATIENCE

OWN = "own.test"
SETTLE = 0.4           # after a hang-up: what is delivered at all, is by then


SLOW = {"M01", "M05", "M07"}     # the server takes its time, or the client


def cases():
    path = os.path.join(ROOT, "test/scenario/wire/cases.jsonl")
    with open(path) as file:
        return [pytest.param(case, id=case["id"], marks=[pytest.mark.apart] *
                             (case["id"] in SLOW))
                for case in map(json.loads, file)]


@pytest.fixture(scope="module")
def server(shared_world):
    sink = shared_world.sink()
    sink.on["RCPT"] = {f"bob@{OWN}": "250 2.1.5 ok",
                       None: "550 5.1.1 no such user"}
    server = shared_world.server(
        "own", hostname=OWN, conf="limits {\n\tmessage_bytes = 1048576\n}")
    server.cli("domain", "create", OWN, "--relay", sink.at)
    server.user(f"alice@{OWN}")
    server.user(f"postmaster@{OWN}")
    server.cli("user", "create", f"bob@{OWN}", "--mail-system", "alternate")
    return server


def with_subject(server, token):
    pattern = re.compile(rb"(?mi)^Subject: " + re.escape(token.encode()))
    found = []
    for _, path in server.mail_files():
        with open(path, "rb") as file:
            mail = file.read()
        if pattern.search(re.split(rb"\r?\n\r?\n", mail, maxsplit=1)[0]):
            found.append(mail)
    return found


def check_mailboxes(server, post, variables, is_over):
    end = time.monotonic() + PATIENCE
    for name in ("T", "S", "T6"):
        least, most = post.get(name, (0, 1000000))
        while len(with_subject(server, variables[name])) < least and \
                time.monotonic() < end:
            time.sleep(0.1)
    if not is_over:
        time.sleep(SETTLE)
    for name in ("T", "S", "T6"):
        if name in post:
            least, most = post[name]
            count = len(with_subject(server, variables[name]))
            assert least <= count <= most, f"{count} mails {name}"
    mails = with_subject(server, variables["T"])
    if "body" in post and mails:
        body = re.split(rb"\r?\n\r?\n", mails[0], maxsplit=1)[1]
        assert re.search(post["body"], body.decode("latin1")), body[:100]
    if "bytes" in post and mails:
        assert bytes.fromhex(post["bytes"]) in mails[0], "bytes changed"


@pytest.mark.parametrize("case", cases())
def test_case(server, case):
    token = "%s%06x" % (case["id"], random.randrange(1 << 24))
    variables = {
        "OWN": OWN, "U": f"alice@{OWN}", "A": f"bob@{OWN}",
        "BAD": f"nosuch@{OWN}", "IP": server.address, "T": f"T{token}",
        "S": f"S{token}", "T6": "%06x" % random.randrange(1 << 24),
        "PLAIN_OK": "AGFsaWNlQG93bi50ZXN0AHNlY3JldC1hbGljZQ==",
    }
    is_over = Dialogue(server.address, server.ports["smtp"], OWN,
                       variables).run(case["steps"])
    if "post" in case:
        check_mailboxes(server, case["post"], variables, is_over)
