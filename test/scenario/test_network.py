"""The network of one's own and the scripted name server do what they say."""

import os
import smtplib
import socket

import pytest
from dnslib import DNSRecord, RCODE

OUTSIDE = os.readlink("/proc/thread-self/ns/net")


def ask(name, kind, tcp=False, timeout=60):
    question = DNSRecord.question(name, kind)
    return DNSRecord.parse(question.send("127.0.0.1", 53, tcp=tcp,
                                         timeout=timeout))


def rdata(answer):
    return sorted(str(record.rdata) for record in answer.rr)


def test_ports_25_and_53_are_ours(own_network, world):
    names = world.names("""
        example.net.       MX 10 mx1.example.net.
        example.net.       MX 20 mx2.example.net.
        mx1.example.net.   300 IN A 127.0.0.25
        www.example.net.   CNAME mx1.example.net.
    """)
    sink = world.sink(address="127.0.0.25", port=25)
    assert rdata(ask("example.net", "MX")) == ["10 mx1.example.net.",
                                               "20 mx2.example.net."]
    assert rdata(ask("mx1.example.net", "A", tcp=True)) == ["127.0.0.25"]
    assert "127.0.0.25" in rdata(ask("www.example.net", "A"))
    assert ask("nowhere.test", "A").header.rcode == RCODE.NXDOMAIN
    nothing = ask("mx1.example.net", "AAAA")
    assert nothing.header.rcode == RCODE.NOERROR and not nothing.rr
    names.trouble["example.net."] = "SERVFAIL"
    assert ask("example.net", "MX").header.rcode == RCODE.SERVFAIL
    names.trouble["example.net."] = "silence"
    with pytest.raises(OSError):
        ask("example.net", "MX", timeout=2)
    assert ("example.net.", "MX") in names.asked

    with smtplib.SMTP("127.0.0.25", 25, timeout=60) as smtp:
        smtp.sendmail("x@y.test", ["a@example.net"], "Subject: t\r\n\r\n")
    sink.wait(1)


def test_no_way_out_and_the_way_back(own_network):
    assert os.readlink("/proc/thread-self/ns/net") != OUTSIDE
    with pytest.raises(OSError):
        socket.create_connection(("192.0.2.1", 25), timeout=2)


def test_the_next_test_is_outside_again():
    assert os.readlink("/proc/thread-self/ns/net") == OUTSIDE
