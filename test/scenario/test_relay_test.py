"""A relay's Test meets what mail would meet: both have the same client."""

import socket
import threading

import pytest

from api import Api
from sink import Cut, Delay, Drop, Hang, Sink


@pytest.fixture(scope="module")
def a(shared_world):
    a = shared_world.server("a")
    a.cli("domain", "create", "d.test", "--relay", "192.0.2.1")
    a.cli("user", "create", "ann@d.test", "--mail-system", "alternate")
    return a


@pytest.fixture(scope="module")
def root(a):
    api = Api(a)
    api.sign_in("admin0", a.admin_password)
    return api


def tried(root, *sinks, **more):
    """One trial of all of them: only so many trials a minute are allowed."""
    return root.post("/relay-test", {
        "hosts": ", ".join(sink.at for sink in sinks), "domain": "d.test",
        **more}).json["items"]


class Sink6(Sink):
    """On ::1."""

    def __init__(self, **behaviour):
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            port = probe.getsockname()[1]
        super().__init__(address="::1", port=port, **behaviour)
        self.at = f"[::1]:{port}"

    def listen(self):
        self.listener = socket.create_server(
            (self.address, self.port), family=socket.AF_INET6)
        threading.Thread(target=self.accept, args=(self.listener,),
                         daemon=True).start()


def test_test_and_mail_go_by_the_other_address_family(a, root, shared_world):
    """The server's own address, for outgoing mail, is one of IPv4."""
    sink = shared_world.add(Sink6())
    root.patch("/domains/d.test", {"relay": sink.at})
    item, = tried(root, sink)
    assert item["connected"] and item["address"] == "::1"
    assert item["reason"] is None
    a.send("x@y.test", "ann@d.test")
    assert sink.wait(1)[0].recipients == ["ann@d.test"]


@pytest.mark.parametrize("n", (1, 2, 7, 16))
def test_every_host_is_tried_and_told_of_in_order(root, shared_world, n):
    sinks = [shared_world.sink(on={
        "CONNECT": [Delay(1, "220 slow.test"), "554 5.7.1 go away", Drop(),
                    "220 quick.test"][i % 4]}) for i in range(n)]
    items = tried(root, *sinks)
    assert [item["host"] for item in items] == [sink.at for sink in sinks]
    assert [(item["banner"], item["reason"]) for item in items] == [
        [("220 slow.test", None), (None, "greeting-refuses"),
         (None, "closed"), ("220 quick.test", None)][i % 4]
        for i in range(n)]


# Conduct, its settings, reason, is an address asked for, is there TLS.
CONDUCTS = {
    "knows HELO only": ({"EHLO": "502 5.5.1 what?"}, {}, None, True, False),
    "refuses EHLO and HELO": (
        {"EHLO": "502 5.5.1 what?", "HELO": "550 5.7.1 not you"}, {},
        "ehlo-refused", False, False),
    "cuts after EHLO": ({"EHLO": Drop()}, {}, "closed", False, False),
    "is not ready": ({"CONNECT": "421 4.3.2 later"}, {}, "greeting-refuses",
                     False, False),
    "says 421 to EHLO": ({"EHLO": Cut(b"421 4.7.0 enough\r\n")}, {},
                         "ehlo-refused", False, False),
    "TLS works": ({}, {"tls": True}, None, True, True),
    "TLS is refused": ({"STARTTLS": "454 4.7.0 not now"}, {"tls": True},
                       "starttls-refused", True, False),
    "TLS is closed": ({"TLS": Drop()}, {"tls": True}, "tls-fails", True,
                      False),
    "STARTTLS is silence": ({"STARTTLS": Hang()}, {"tls": True}, "tls-fails",
                            True, False),
    "TLS is silence": ({"TLS": Hang()}, {"tls": True}, "tls-fails", True,
                       False),
    "RCPT is silence": ({"RCPT": Hang()}, {}, "no-answer", False, False),
    "RCPT is no SMTP": ({"RCPT": b"hello?\r\n"}, {}, "no-smtp", False, False),
    "MAIL is closed": ({"MAIL": Drop()}, {}, "closed", False, False),
}


def test_conducts(root, shared_world):
    sinks = [shared_world.sink(name=name, on=dict(on), **settings)
             for name, (on, settings, *_) in CONDUCTS.items()]
    for sink, item in zip(sinks, tried(root, *sinks)):
        _, _, *expected = CONDUCTS[sink.name]
        assert [item["reason"], bool(item["unknown_address"]),
                bool(item["tls"])] == expected, sink.name
        if item["tls"]:     # its certificate is its own
            assert item["tls"]["verified"] is False


# Policy: conduct, its settings, reason, is an address asked for.
POLICIES = {
    "required": [({}, {}, "tls-not-offered", False),
                 ({}, {"tls": True}, None, True),
                 ({"STARTTLS": "454 4.7.0 not now"}, {"tls": True},
                  "tls-not-offered", False),
                 ({"TLS": Drop()}, {"tls": True}, "tls-fails", False)],
    "verified": [({}, {"tls": True}, "tls-fails", False)],
    "none": [({}, {"tls": True}, None, True),
             ({"TLS": Drop()}, {"tls": True}, None, True)],
}


@pytest.mark.parametrize("policy", POLICIES)
def test_tls_as_it_is_set(root, shared_world, policy):
    sinks = [shared_world.sink(on=dict(on), **settings)
             for on, settings, *_ in POLICIES[policy]]
    items = tried(root, *sinks, tls=policy)
    assert [(item["reason"], bool(item["unknown_address"]))
            for item in items] == [(reason, asked) for _, _, reason, asked
                                   in POLICIES[policy]]


def test_address_family_as_it_is_set(root, shared_world):
    sink = shared_world.sink()
    for family, reason in (("any", None), ("ipv4", None),
                           ("ipv6", "no-address")):
        item, = tried(root, sink, address_family=family)
        assert item["reason"] == reason
    assert sink.connections == 2


def test_what_is_set_wrong(root):
    for key in ("tls", "address_family"):
        for bad in ("some", "", 1, None):
            answer = root.refused("POST", "/relay-test", {
                "hosts": "192.0.2.1", key: bad}, key)
            assert answer.json["reason"] == "wrong-type"
