"""Mail to a domain with a policy of MTA-STS goes to its verified hosts only."""

import contextlib
import http.server
import threading

import pytest

from certificate import Certificate
from world import wait_until

ALICE = "alice@example.test"
CONF = ("dns {\n\tservers = { \"127.0.0.1\" }\n}\n"
        "limits {\n\tretry_min = 1\n\tretry_max = 2\n}")
TEXT = "Subject: hello\r\n\r\nhello\r\n"
ZONE = """
    one.example.          MX 10 mx.one.example.
    mx.one.example.       A 127.0.25.1
    _mta-sts.one.example. TXT "v=STSv1; id=1;"
    mta-sts.one.example.  A 127.0.44.1
"""


class Policies(http.server.BaseHTTPRequestHandler):
    """What mta-sts.one.example says, to whoever asks."""

    def do_GET(self):
        self.server.asked.append((self.headers["Host"], self.path))
        status, headers, body = self.server.says
        self.send_response(status)
        for header in headers.items():
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *words):
        pass


class Web:
    name = "web"

    def __init__(self, certificate, address="127.0.44.1"):
        self.certificate, self.address = certificate, address
        self.asked = []
        self.server = None
        self.policy()

    def policy(self, mode="enforce", mx="mx.one.example", age=86400):
        self.say(f"version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\n"
                 f"max_age: {age}\r\n")

    def say(self, body, status=200, **headers):
        self.says = (status, {"Content-Type": "text/plain", **{
            name.replace("_", "-"): value for name, value in
            headers.items()}}, body)
        if self.server:
            self.server.says = self.says

    def start(self):
        self.server = http.server.ThreadingHTTPServer((self.address, 443),
                                                      Policies)
        self.server.daemon_threads = True
        self.server.socket = self.certificate.tls.wrap_socket(
            self.server.socket, server_side=True,
            do_handshake_on_connect=False)
        self.server.says, self.server.asked = self.says, self.asked
        threading.Thread(target=self.server.serve_forever, args=(0.05,),
                         daemon=True).start()

    def end(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def log_tail(self):
        return "\n".join(map(str, self.asked))


@pytest.fixture
def internet(own_network, world):
    class Internet:
        folder = world.subfolder("certificates")
        ca = Certificate(folder, "ca.example")
        good = Certificate(folder, "mx.one.example", ca)
        bad = Certificate(folder, "mx.other.example", ca)
        names = world.names(ZONE)
        web = world.add(Web(Certificate(folder, "mta-sts.one.example", ca)))
        server = world.server("a", conf=CONF,
                              environment={"SSL_CERT_FILE": ca.pem})
        mx = world.sink(name="mx", address="127.0.25.1", port=25, tls=good.tls)

        def send(self):
            assert self.server.send(ALICE, ["x@one.example"], TEXT,
                                    user=ALICE) == {}

        def why(self, word):
            """It waits, and says this."""
            wait_until(lambda: word in str(self.server.queue()), 60,
                       lambda: f"{word} in {self.server.queue()}")

        def log_says(self, word):
            wait_until(lambda: word in self.server.log(), 30, word)

        def is_written_down(self):
            with contextlib.suppress(FileNotFoundError):
                with open(f"{self.server.data}/mta-sts") as file:
                    return " one.example " in file.read()

        def never_in_clear(self):
            assert all(message.tls for message in self.mx.seen)
            assert not self.mx.messages

    Internet.server.cli("domain", "create", "example.test")
    Internet.server.user(ALICE)
    return Internet()


def test_a_host_that_is_verified(internet):
    internet.send()
    [message] = internet.mx.wait(1, timeout=60)
    assert message.tls
    internet.log_says("(MTA-STS)")
    assert internet.web.asked == [
        ("mta-sts.one.example", "/.well-known/mta-sts.txt")]
    internet.send()                     # it is known
    internet.mx.wait(2, timeout=60)
    assert len(internet.web.asked) == 1


@pytest.mark.parametrize("tls, mx, why", [
    ("bad", "mx.one.example", "as MTA-STS wants it: "),
    ("none", "mx.one.example", "TLS is required, as MTA-STS wants it"),
    ("good", "*.two.example", "does not name its host mx.one.example"),
])
def test_mail_waits_and_says_why(internet, tls, mx, why):
    internet.mx.tls = {"bad": internet.bad.tls, "none": None,
                       "good": internet.good.tls}[tls]
    internet.web.policy(mx=mx)
    internet.send()
    internet.why(why)
    internet.never_in_clear()
    internet.mx.tls = internet.good.tls
    internet.web.policy()
    internet.names.zone(ZONE.replace("id=1", "id=2"))
    [message] = internet.mx.wait(1, timeout=60)
    assert message.tls


def test_a_policy_holds_until_it_ends(internet):
    """Whatever becomes of its server, its record and ours."""
    internet.send()
    internet.mx.wait(1, timeout=60)
    wait_until(internet.is_written_down, 30, "the policy in its file")
    internet.web.end()
    internet.names.zone(ZONE.replace("_mta-sts.", "_nothing."))
    internet.mx.recovers()
    internet.mx.messages.clear()
    internet.mx.seen.clear()
    internet.mx.tls = internet.bad.tls
    internet.server.restart()
    internet.send()
    internet.why("as MTA-STS wants it")
    internet.never_in_clear()


def test_a_policy_that_has_ended(internet):
    internet.web.policy(age=4)
    internet.mx.tls = internet.bad.tls
    internet.send()
    internet.why("as MTA-STS wants it")
    internet.web.end()
    internet.mx.wait(1, timeout=90)     # as if there had been none


def test_a_policy_that_is_only_tested(internet):
    internet.web.policy(mode="testing", mx="mx.two.example")
    internet.mx.tls = internet.bad.tls
    internet.send()
    internet.mx.wait(1, timeout=60)
    for why in ("the policy does not name it",
                "its certificate is not verified"):
        internet.log_says(f"would keep mail from mx.one.example: {why}")


def long(*values):
    return pytest.param(*values, marks=pytest.mark.long)


@pytest.mark.parametrize("says, why", [
    long({"body": "gone", "status": 404}, "it answers 404"),
    ({"body": "", "status": 301, "Location": "https://127.0.44.1/"},
     "it answers 301"),
    long({"body": "<html>", "Content_Type": "text/html"},
         "it is no text/plain"),
    ({"body": "x" * 70000}, "it is too long"),
    long({"body": "version: STSv9"}, "version is"),
    ({"certificate": "mx.other.example"}, "SSL"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_no_policy(internet, says, why):
    """Then there is none, and the log says why."""
    if says.pop("certificate", None):
        internet.web.end()
        internet.web.certificate = internet.bad
        internet.web.start()
    else:
        internet.web.say(**says)
    internet.mx.tls = internet.bad.tls
    internet.send()
    internet.mx.wait(1, timeout=60)
    internet.log_says("MTA-STS of one.example: ")
    assert why in next(line for line in internet.server.log().splitlines()
                       if "MTA-STS of one.example" in line)


def test_a_name_server_that_says_nothing_about_it(internet):
    internet.names.trouble["_mta-sts.one.example."] = "silence"
    internet.send()
    internet.mx.wait(1, timeout=60)
    internet.server.wait_for_queue(0)
