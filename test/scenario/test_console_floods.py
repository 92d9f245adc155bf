"""Too much for the console: what has no end, or hurts whoever reads it."""

import socket

import pytest

from api import Api
from test_console_attacks import From, ask

USER = "u@here.test"


@pytest.fixture(scope="module")
def a(shared_world):
    server = shared_world.server("a")
    server.cli("domain", "create", "here.test")
    server.user(USER)
    return server


@pytest.fixture(scope="module")
def root(a):
    api = Api(a)
    api.sign_in("admin0", a.admin_password)
    return api


def test_json_that_hurts(a, root):
    """100,000 levels, a text of 10 MB, a key given twice, bytes that are no
    UTF-8, \\u0000, 1e999: refused, before and after signing in; -0 is 0."""
    signed_in = root.headers("PATCH", {"Content-Type": "application/json"})
    stranger = {"Content-Type": "application/json"}
    for method, path, headers, key in (
            ("PATCH", "/domains/here.test", signed_in, "description"),
            ("POST", "/session", stranger, "name")):
        pair = b'"%s":' % key.encode()
        for body in (b"[" * 100000, b'{"a":' * 100000,
                     b"{" + pair + b"[" * 100000 + b"]" * 100000 + b"}",
                     b"{" + pair + b'"a",' + pair + b'"b"}',
                     b"{" + pair + b'"\xff\xfe"}', b"{" + pair + b'"\xc0\xaf"}',
                     b"{" + pair + b'"\xed\xa0\x80"}',
                     b"{" + pair + b'"\\ud800"}', b"{" + pair + b'"a\\u0000"}',
                     b"{" + pair + b"1e999}", b"{" + pair + b"-1e999}",
                     b"{" + pair + b"01}", b"{" + pair + b"0x1}",
                     b"\xef\xbb\xbf{}", b"{}{}", b"{" + pair + b"'a'}"):
            answer = root.raw(method, "/api/v1" + path, body, headers)
            assert answer.status == 400, (body[:40], answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
        said = ask(a, f"{method} /api/v1{path} HTTP/1.1".encode(),
                   b"Host: localhost", b"Content-Length: 10000020",
                   *(f"{name}: {value}".encode()
                     for name, value in headers.items()))
        assert " 413 " in said, said
    for text, status in (("-0", 200), ("-0.0", 422), ("-1", 422),
                         ("1e2", 422), ("99999999999999999999", 400)):
        answer = root.raw("PATCH", "/api/v1/domains/here.test",
                          '{"max_message_size": %s}' % text, signed_in)
        assert answer.status == status, (text, answer.text)
    assert root.get("/domains/here.test").json["max_message_size"] == 0


def test_a_body_without_an_end(a, root):
    """64 MB in pieces, with no length said beforehand: 413, and the server
    keeps none of what is too much."""
    with socket.create_connection((a.address, a.ports["console"]), 60) as s:
        s.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                  b"Content-Type: application/json\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n")
        piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        try:
            for _ in range(64):
                s.sendall(piece)
            s.sendall(b"0\r\n\r\n")
            assert b" 413 " in s.recv(1000)
        except ConnectionError:
            pass
    root.get("/session")


def test_500_slow_clients_stop_neither_mail_nor_others(a, root):
    """500 connections from one address that never finish their request:
    those over the limit are closed, an administrator elsewhere works, and
    mail comes in and is delivered meanwhile."""
    slow = []
    try:
        for number in range(500):
            s = socket.socket()
            s.bind(("127.0.0.6", 0))
            s.settimeout(120)
            s.connect((a.address, a.ports["console"]))
            slow.append(s)
            try:
                s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-%d:" %
                          number)
            except ConnectionError:
                pass
        other = From(a, "127.0.0.7")
        other.sign_in("admin0", a.admin_password)
        other.get("/domains")
        a.send("x@elsewhere.example", USER)
        a.wait_for_mail(USER)
    finally:
        for s in slow:
            s.close()


def test_heads_have_a_limit(a, root):
    """100,000 header lines and an address of 1 MB: 431, 414, or the
    connection is closed; mail goes on."""
    lines = [b"X-%d: y" % number for number in range(100000)]
    said = ask(a, b"GET /health HTTP/1.1", b"Host: localhost", *lines)
    assert said == "" or " 431 " in said, said
    said = ask(a, b"GET /" + b"x" * 1000000 + b" HTTP/1.1",
               b"Host: localhost")
    assert said == "" or " 414 " in said, said
    with a.smtp() as smtp:
        assert smtp.noop()[0] == 250
    root.get("/session")
