"""Real filters: Rspamd and OpenDKIM, unpacked, not installed.

    rspamd = world.rspamd(key=path)     signs what users of example.test send
    opendkim = world.opendkim(key=path) the same
    rspamd.socket                       "inet:127.3.4.5:11332"

    world.rspamd(judges=True)           SPF, DKIM, DMARC; asks 127.0.0.1:53

Rspamd has a configuration of its own that needs neither the network nor a
database and compiles no list of top-level domains, so that it is there at once.
"""

import glob
import os
import subprocess

from peers import ROOT, library_path
from world import (can_connect, claim_address, end_process, tail, wait_until)

SELECTOR = "s1"

RSPAMD = """
options {{
    pidfile = "{folder}/pid"; tempdir = "{folder}";
    cache_file = "{folder}/cache"; hs_cache_dir = "{folder}";
    control_socket = "{folder}/control mode=0600"; url_tld = "{folder}/tld";
    filters = "dkim"; explicit_modules = ["settings"]; history_rows = 1;
    disable_hyperscan = true; disable_monitoring = true;
    allow_raw_input = true; local_addrs = "192.0.2.1/32";
    dns {{ nameserver = ["127.0.0.1:1"]; timeout = 0.1s; }}
}}
logging {{ type = "console"; level = "info"; }}
worker "rspamd_proxy" {{
    milter = yes; count = 1; bind_socket = "{address}:{port}";
    upstream "local" {{ default = yes; self_scan = yes; }}
}}
lua = "$RULESDIR/rspamd.lua"
modules {{
    path = "$PLUGINSDIR/dkim_signing.lua";
    path = "$PLUGINSDIR/milter_headers.lua";
    path = "$PLUGINSDIR/settings.lua";
}}
actions {{ reject = 15; add_header = 6; greylist = null; }}
metric {{ name = "default"; }}
dkim {{ }}
dkim_signing {{
    path = "{key}"; selector = "{selector}"; sign_authenticated = true;
    sign_local = false; use_esld = false; use_domain = "header";
    allow_username_mismatch = true;
}}
milter_headers {{
    use = ["x-spamd-result"]; skip_local = false; skip_authenticated = false;
    authenticated_headers = ["x-spamd-result"];
}}
"""

JUDGES = """
options {{
    pidfile = "{folder}/pid"; tempdir = "{folder}";
    cache_file = "{folder}/cache"; hs_cache_dir = "{folder}";
    control_socket = "{folder}/control mode=0600"; url_tld = "{folder}/tld";
    filters = "dkim"; explicit_modules = ["settings"]; history_rows = 1;
    disable_hyperscan = true; disable_monitoring = true;
    allow_raw_input = true; local_addrs = "192.0.2.1/32";
    dns {{ nameserver = ["127.0.0.1:53"]; timeout = 2s; }}
}}
logging {{ type = "console"; level = "info"; }}
worker "rspamd_proxy" {{
    milter = yes; count = 1; bind_socket = "{address}:{port}";
    upstream "local" {{ default = yes; self_scan = yes; }}
}}
lua = "$RULESDIR/rspamd.lua"
modules {{
    path = "$PLUGINSDIR/spf.lua"; path = "$PLUGINSDIR/dmarc.lua";
    path = "$PLUGINSDIR/milter_headers.lua"; path = "$PLUGINSDIR/settings.lua";
}}
actions {{ reject = 150; add_header = 60; greylist = null; }}
metric {{ name = "default"; }}
dkim {{ check_local = true; }}
spf {{ check_local = true; }}
dmarc {{ check_local = true; }}
milter_headers {{ use = ["authentication-results"]; skip_local = false; }}
"""

OPENDKIM = """
Socket inet:{port}@{address}
Domain {domain}
Selector {selector}
KeyFile {key}
Canonicalization relaxed/simple
Mode s
Syslog no
RequireSafeKeys no
"""


class FilterProgram:
    package = None

    def __init__(self, folder, name, key=None, domain="example.test",
                 port=11332, judges=False):
        self.name, self.folder, self.key = name, folder, key
        self.judges = judges
        self.domain, self.port = domain, port
        self.address, self.claim = claim_address([port])
        self.socket = f"inet:{self.address}:{port}"
        self.log_path = self.path("log")
        self.unpacked = os.path.join(ROOT, "build-peers", self.package)
        self.process = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text.format(selector=SELECTOR, **vars(self)))

    def start(self):
        if not os.path.exists(f"{self.unpacked}/.complete"):
            raise AssertionError(f"no {self.unpacked}: run ./dev test once")
        self.configure()
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.folder, start_new_session=True,
                env={"PATH": "/usr/bin:/bin", "LANG": "C",
                     "LD_LIBRARY_PATH": library_path(self.unpacked)})
        wait_until(lambda: can_connect(self.address, self.port)
                   or self.process.poll() is not None, 20, self.name)
        assert self.process.poll() is None, self.log_tail()

    def down(self):
        if self.process:
            end_process(self.process)
            self.process = None

    def end(self):
        self.down()
        self.claim.close()

    def log_tail(self):
        return tail(self.log_path)


class Rspamd(FilterProgram):
    package = "rspamd"

    def configure(self):
        self.write("tld", "test\n")
        self.write("conf", JUDGES if self.judges else RSPAMD)

    def command(self):
        share = f"{self.unpacked}/usr/share/rspamd"
        variables = {"CONFDIR": f"{self.unpacked}/etc/rspamd",
                     "LOCAL_CONFDIR": self.folder, "DBDIR": self.folder,
                     "RUNDIR": self.folder, "LOGDIR": self.folder,
                     "SHAREDIR": share, "PLUGINSDIR": f"{share}/plugins",
                     "RULESDIR": f"{share}/rules",
                     "LUALIBDIR": f"{share}/lualib", "WWWDIR": f"{share}/www"}
        return [f"{self.unpacked}/usr/bin/rspamd", "-f", "-i", "-c",
                self.path("conf"),
                *(f"--var={name}={value}" for name, value in variables.items())]


class OpenDKIM(FilterProgram):
    package = "opendkim"

    def configure(self):
        self.write("conf", OPENDKIM)

    def command(self):
        [program] = glob.glob(f"{self.unpacked}/usr/*bin/opendkim")
        return [program, "-f", "-x", self.path("conf")]


CLAMD = """
LocalSocket {folder}/clamd
DatabaseDirectory {folder}/db
Foreground yes
"""

CLAMAV_MILTER = """
MilterSocket inet:{port}@{address}
ClamdSocket unix:{folder}/clamd
Foreground yes
OnInfected Reject
RejectMsg Virus %v
OnFail Defer
AddHeader Replace
"""

EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!"
         "$H+H*")


class ClamAV(FilterProgram):
    """With one signature, of our own."""
    package = "clamav-milter"

    def __init__(self, folder, name):
        super().__init__(folder, name, None, port=8890)
        self.clamd = None

    def configure(self):
        self.write("milter.conf", CLAMAV_MILTER)
        self.write("clamd.conf", CLAMD)
        os.makedirs(self.path("db"), exist_ok=True)
        with open(self.path("db/own.ndb"), "w") as file:
            file.write(f"Own.Test:0:*:{EICAR.encode().hex()}\n")

    def start(self):
        self.configure()
        unpacked = os.path.join(ROOT, "build-peers", "clamav-daemon")
        with open(self.path("clamd.log"), "a") as log:
            self.clamd = subprocess.Popen(
                [f"{unpacked}/usr/sbin/clamd", "-c", self.path("clamd.conf")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
                env={"LD_LIBRARY_PATH": library_path(unpacked)})
        wait_until(lambda: os.path.exists(self.path("clamd")), 60, "clamd")
        super().start()

    def down(self):
        super().down()
        if self.clamd:
            end_process(self.clamd)
            self.clamd = None

    def command(self):
        return [f"{self.unpacked}/usr/sbin/clamav-milter", "-c",
                self.path("milter.conf")]

    def log_tail(self):
        return tail(self.log_path) + tail(self.path("clamd.log"))
