"""A real name server (NSD), and a root zone that is signed with a key of its own.

    names = world.signed_names('''
        one.example.           MX 10 mx.one.example.
        mx.one.example.        A 127.0.25.1
        _25._tcp.mx.one.example. TLSA 3 1 1 0123...
    ''')
    names.conf              what splitmail.conf says: ask it, believe its key
    names.zone("plain.example.", ZONE)                  below it, not signed
    names.zone("late.example.", ZONE, expired=True)     signed, long ago
    names.forged = {"0123": "4567"}                     in what is signed
    names.up()              after either

Like network.Names it needs own_network for port 53.  NSD and ldns-signzone come
from build-peers/.
"""

import os
import subprocess

import pytest

from peers import ROOT, library_path
from world import can_connect, end_process, tail, wait_until

HEAD = """{origin} 5 IN SOA ns.root-servers.test. root.test. {serial} 60 60 600 1
{origin} 5 IN NS ns.root-servers.test.
"""


class SignedNames:
    name = "nsd"

    def __init__(self, folder, zone, address="127.0.0.1"):
        self.folder, self.address = folder, address
        self.log_path = os.path.join(folder, "log")
        self.process, self.serial = None, 0
        self.forged = {}
        self.unpacked = [os.path.join(ROOT, "build-peers", package)
                         for package in ("nsd", "ldnsutils")]
        self.keys, self.zones = {}, {}
        self.zone(".", zone)

    def zone(self, origin, text, signed=None, expired=False):
        """Signed are the root and what has expired; the root says so."""
        self.zones[origin] = (text, origin == "." or expired or signed,
                              expired)

    @property
    def conf(self):
        return (f"dns {{\n\tservers = {{ \"{self.address}\" }}\n"
                f"\tdnssec = yes\n\ttrust_anchor = \"{self.anchor}\"\n}}")

    @property
    def anchor(self):
        return self.path(self.key(".") + ".key")

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *command):
        program = f"{self.unpacked[1]}/usr/bin/{command[0]}"
        return subprocess.run([program, *command[1:]], cwd=self.folder,
                              env=self.environment(), check=True,
                              capture_output=True, text=True).stdout.strip()

    def environment(self):
        return {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": ":".join(
            library_path(folder) for folder in self.unpacked)}

    def key(self, origin):
        if origin not in self.keys:
            self.keys[origin] = self.run("ldns-keygen", "-k", "-a",
                                         "ECDSAP256SHA256", origin)
        return self.keys[origin]

    def file_of(self, origin):
        return self.path("zone-" + (origin.strip(".") or "root"))

    def delegations(self):
        """To the zones below, and what is signed there."""
        for origin, (_, signed, _) in self.zones.items():
            if origin != ".":
                yield f"{origin} 5 IN NS ns.root-servers.test.\n"
                if signed:
                    with open(self.path(self.key(origin) + ".ds")) as file:
                        yield file.read()

    def write(self, origin):
        text, signed, expired = self.zones[origin]
        lines = [HEAD.format(origin=origin, serial=self.serial)]
        for line in filter(None, map(str.strip, text.splitlines())):
            owner, data = line.split(None, 1)
            if not data.startswith("IN "):
                data = f"IN {data}"
            lines.append(f"{owner} 5 {data}\n")
        if origin == ".":
            lines.append(f"ns.root-servers.test. 5 IN A {self.address}\n")
            lines += self.delegations()
        with open(self.file_of(origin), "w") as file:
            file.writelines(lines)
        if not signed:
            return self.file_of(origin)
        long_ago = ("-i", "20200101", "-e", "20200201") if expired else ()
        self.run("ldns-signzone", *long_ago, self.file_of(origin),
                 self.key(origin))
        return self.file_of(origin) + ".signed"

    def forge(self, path):
        with open(path) as file:
            text = file.read()
        for true, false in self.forged.items():
            assert true in text
            text = text.replace(true, false)
        with open(path, "w") as file:
            file.write(text)

    def configure(self):
        self.serial += 1
        conf = (f"server:\n\tip-address: {self.address}\n\tport: 53\n"
                f"\tusername: \"\"\n\tzonesdir: \"{self.folder}\"\n"
                "\tserver-count: 1\n\tpidfile: \"\"\n\tdatabase: \"\"\n"
                f"\txfrdfile: \"{self.path('xfrd')}\"\n"
                f"\tzonelistfile: \"{self.path('list')}\"\n"
                "remote-control:\n\tcontrol-enable: no\n")
        for origin in sorted(self.zones):
            path = self.write(origin)
            if origin == ".":
                self.forge(path)
            conf += (f"zone:\n\tname: \"{origin}\"\n"
                     f"\tzonefile: \"{path}\"\n")
        with open(self.path("nsd.conf"), "w") as file:
            file.write(conf)

    def start(self):
        if os.geteuid() != 0:
            pytest.skip("port 53 needs root")
        for folder in self.unpacked:
            if not os.path.exists(f"{folder}/.complete"):
                raise AssertionError(f"no {folder}: run ./dev test once")
        self.up()

    def up(self):
        self.down()
        self.configure()
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen(
                [f"{self.unpacked[0]}/usr/sbin/nsd", "-d", "-c",
                 self.path("nsd.conf")], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self.environment(), start_new_session=True)
        wait_until(lambda: can_connect(self.address, 53)
                   or self.process.poll() is not None, 20, "nsd")
        assert self.process.poll() is None, self.log_tail()

    def down(self):
        if self.process:
            end_process(self.process)
            self.process = None

    def end(self):
        self.down()

    def log_tail(self):
        return tail(self.log_path)
