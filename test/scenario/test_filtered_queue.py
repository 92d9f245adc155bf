"""A message that a filter has changed and that waits: what is listed, survives
a crash, goes out and comes back is what the filter made of it."""

import pytest

DOMAIN = "example.test"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
CHANGED = [b"m\0\0\0\1Subject\0changed\0", b"hX-Spam\0no\0", b"c"]
NOW = b"Subject: changed\r\nFrom: x@y.test\r\nX-Spam: no\r\n\r\n"


@pytest.fixture(scope="module")
def server(shared_world):
    sink = shared_world.sink()
    server = shared_world.server(
        "a", conf="limits {\n\tretry_min = 1\n\tretry_max = 1\n}")
    server.sink = sink
    server.cli("domain", "create", DOMAIN, "--relay", sink.at)
    server.user(ALICE)
    server.user(BOB, "--mail-system", "alternate")
    milter = shared_world.milter()
    milter.on["E"] = CHANGED
    server.cli("filter", "create", "f", "--socket", milter.socket)
    return server


def body_of(lines):
    return b"".join(b"line %06u of the text\r\n" % n for n in range(lines))


def keep(server, body):
    """Its id: the other system is not there."""
    server.sink.down()
    server.sink.messages.clear()
    with server.smtp() as smtp:
        smtp.sendmail(ALICE, [BOB], b"Subject: as it came\r\n"
                      b"From: x@y.test\r\n\r\n" + body)
    [entry] = server.wait_for_queue(1)
    assert entry["subject"] == "changed"
    return entry["id"]


# In the queue's row, and in a file of its own.
LINES = pytest.mark.parametrize("lines", [
    pytest.param(3, marks=pytest.mark.long), 15000])


@LINES
def test_it_goes_out_as_the_filter_left_it(server, lines):
    body = body_of(lines)
    id = keep(server, body)
    server.kill_engine()
    header = server.cli("queue", "show", id)["header"]
    assert header.endswith(NOW.decode()[:-2]) and "as it came" not in header
    raw = server.run("queue", "show", id, "--raw").stdout
    assert raw.replace("\r\n", "\n").endswith(
        (NOW + body).decode().replace("\r\n", "\n"))
    server.sink.up()
    [message] = server.sink.wait(1)
    assert message.data.endswith(NOW + body)
    assert message.data.count(b"\r\nSubject:") == 1


@LINES
def test_it_comes_back_as_the_filter_left_it(server, lines):
    before = len(server.mailbox(ALICE))
    id = keep(server, body_of(lines))
    server.cli("queue", "bounce", "--id", id, "--yes")
    report = server.wait_for_mail(ALICE, before + 1)[-1]
    report = report.replace(b"\r\n", b"\n")
    assert NOW[:-4].replace(b"\r\n", b"\n") in report
    assert b"as it came" not in report
