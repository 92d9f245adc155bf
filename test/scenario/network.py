"""A network of one's own, and a scripted name server.

    def test_mx(own_network, world):              first own_network, then world
        names = world.names('''
            example.net.      MX 10 mx1.example.net.
            mx1.example.net.  A  127.0.0.25
        ''')
        sink = world.sink(address="127.0.0.25", port=25)

own_network moves the test's thread, and whatever it starts from then on, into
an empty network namespace with only loopback: ports 25 and 53 are free there
and nothing reaches the outside.  It needs root; without it the test is skipped.
"""

import contextlib
import ctypes
import os
import re
import subprocess
import time

import pytest

CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def own_network():
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            pytest.skip("a network namespace needs root: "
                        + os.strerror(ctypes.get_errno()))
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            if libc.setns(before, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(before)


class Names:
    """An authoritative answer for everything: what is not in the zone does
    not exist.  `trouble[name]` may be "SERVFAIL", "REFUSED" or "silence"."""

    def __init__(self, zone="", address="127.0.0.1", port=53, name="names"):
        self.name, self.address, self.port = name, address, port
        self.asked = []         # (name, type)
        self.trouble = {}
        self.servers = []
        self.zone(zone)

    def zone(self, text):
        """Replace the zone.  Lines: NAME [TTL] TYPE DATA."""
        from dnslib import RR
        self.records = []
        for line in text.splitlines():
            line = re.match(r'(?:"[^"]*"|[^;"])*', line)[0].strip()
            if line:
                # dnslib reads a TTL only after the class.
                line = re.sub(r"^(\S+)\s+(?:(\d+)\s+)?(?:IN\s+)?(?=[A-Z])",
                              lambda m: f"{m[1]} {m[2] or 1} IN ", line)
                self.records += RR.fromZone(line)

    def resolve(self, request, handler):
        from dnslib import QTYPE, RCODE
        name, kind = request.q.qname, QTYPE[request.q.qtype]
        self.asked.append((str(name), kind))
        reply = request.reply()
        trouble = self.trouble.get(str(name))
        if trouble == "silence":
            time.sleep(3600)
        if trouble:
            reply.header.rcode = getattr(RCODE, trouble)
            return reply
        known = set()
        for record in self.records:
            labels = str(record.rname).lower().rstrip(".").split(".")
            known |= {".".join(labels[n:]) for n in range(len(labels) + 1)}
        for _ in range(8):      # aliases
            mine = [r for r in self.records if r.rname == name]
            wanted = [r for r in mine if QTYPE[r.rtype] == kind]
            reply.add_answer(*wanted)
            alias = [r for r in mine if QTYPE[r.rtype] == "CNAME"]
            if wanted or not alias:
                break
            reply.add_answer(*alias)
            name = alias[0].rdata.label
        if str(name).lower().rstrip(".") not in known:
            reply.header.rcode = RCODE.NXDOMAIN
        return reply

    def start(self):
        from dnslib.server import DNSLogger, DNSServer
        for tcp in (False, True):
            server = DNSServer(self, address=self.address, port=self.port,
                               tcp=tcp, logger=DNSLogger("-recv,-send,-request,"
                                                         "-reply,-truncated"))
            server.server.daemon_threads = True
            server.server.block_on_close = False
            server.start_thread()
            self.servers.append(server)

    def end(self):
        for server in self.servers:
            server.stop()
            server.server.server_close()
        self.servers = []

    def log_tail(self):
        return "\n".join(f"{name} {kind}" for name, kind in self.asked[-40:])
