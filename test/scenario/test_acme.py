"""Certificates by ACME (RFC 8555): real clients get them from a real authority,
pebble, for a server that serves; nobody tells it, it is not started again, and no
session ends."""

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading

import pytest

from peers import ROOT, library_path
from test_certificates import Site, make, print_of
from traffic import ALICE, DOMAIN, old_sessions
from world import can_connect, claim_address, end_process, wait_until

pytestmark = pytest.mark.long

HOOK = os.path.join(ROOT, "packaging", "certificates", "deploy-certificate")
CHALLENGE = 5002            # the port that stands for 80


def unpacked(package):
    folder = os.path.join(ROOT, "build-peers", package)
    assert os.path.exists(f"{folder}/.complete"), \
        f"no {folder}: run ./dev test once"
    return folder


def environment(package, **more):
    folder = unpacked(package)
    return {"PATH": f"{folder}/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8", "LD_LIBRARY_PATH": library_path(folder), **more}


class Pebble:
    """An authority on an address of its own; every name there is leads to the
    server's, where a client answers on CHALLENGE."""

    def __init__(self, folder, server):
        self.folder = os.path.join(folder, "pebble")
        self.address, self.claim = claim_address([14000, 15000, 8053, 8055])
        make(self.folder, "pebble.test", self.address, chain="cert.pem",
             private="key.pem")
        self.ca = f"{self.folder}/cert.pem"
        self.directory = f"https://{self.address}:14000/dir"
        with open(f"{self.folder}/config.json", "w") as file:
            json.dump({"pebble": {
                "listenAddress": f"{self.address}:14000",
                "managementListenAddress": f"{self.address}:15000",
                "certificate": self.ca,
                "privateKey": f"{self.folder}/key.pem",
                "httpPort": CHALLENGE, "tlsPort": 5001,
                "ocspResponderURL": "",
                "externalAccountBindingRequired": False}}, file)
        self.processes = [
            self.launch("pebble-challtestsrv", "-dns01",
                        f"{self.address}:8053", "-http01", "", "-https01", "",
                        "-tlsalpn01", "", "-management",
                        f"{self.address}:8055", "-defaultIPv4",
                        server.address, "-defaultIPv6", ""),
            self.launch("pebble", "-config", f"{self.folder}/config.json",
                        "-dnsserver", f"{self.address}:8053")]
        wait_until(lambda: can_connect(self.address, 14000)
                   and can_connect(self.address, 8055), 20, "pebble")

    def launch(self, program, *arguments):
        with open(f"{self.folder}/log", "a") as log:
            return subprocess.Popen(
                [f"{unpacked('pebble')}/usr/bin/{program}", *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env=environment(
                    "pebble", PEBBLE_VA_NOSLEEP="1",
                    PEBBLE_WFE_NONCEREJECT="0"))

    def end(self):
        for process in self.processes:
            end_process(process)
        self.claim.close()


class Client:
    """Has what it needs below FOLDER; LIVE is where its certificates are."""

    def __init__(self, folder, pebble, server, hook):
        self.folder, self.pebble = os.path.join(folder, "acme"), pebble
        self.server, self.hook = server, hook
        os.makedirs(self.folder)

    def run(self, *command, **more):
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=180, cwd=self.folder, env=environment(
                self.package, SPLITMAIL_DATA=self.server.data, **more))
        assert done.returncode == 0, (done.stdout, done.stderr)

    def end(self):
        pass


class Certbot(Client):
    """Answers itself (--standalone)."""
    package = "certbot"

    @property
    def live(self):
        return f"{self.folder}/etc/live"

    def certbot(self, *arguments):
        self.run("/usr/bin/python3", f"{unpacked('certbot')}/usr/bin/certbot",
                 "--config-dir", f"{self.folder}/etc", "--work-dir",
                 f"{self.folder}/work", "--logs-dir", f"{self.folder}/log",
                 "--non-interactive", *arguments,
                 PYTHONPATH=f"{unpacked('certbot')}"
                 "/usr/lib/python3/dist-packages",
                 REQUESTS_CA_BUNDLE=self.pebble.ca)

    def get(self, *names):
        self.certbot("certonly", "--standalone", "--http-01-address",
                     self.server.address, "--http-01-port", str(CHALLENGE),
                     "--server", self.pebble.directory, "--agree-tos",
                     "--register-unsafely-without-email",
                     *[word for name in names for word in ("-d", name)],
                     *(["--deploy-hook", HOOK] if self.hook else []))

    def renew(self, *_):
        self.certbot("renew", "--force-renewal", "--no-random-sleep-on-renew")

    def print_of(self, name):
        return print_of(f"{self.live}/{name}/fullchain.pem")


class Dehydrated(Client):
    """Puts its answers into a folder of a web server's."""
    package = "dehydrated"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.live = f"{self.folder}/certs"
        challenges = f"{self.folder}/web/.well-known/acme-challenge"
        os.makedirs(challenges)
        self.web = http.server.ThreadingHTTPServer(
            (self.server.address, CHALLENGE), functools.partial(
                http.server.SimpleHTTPRequestHandler,
                directory=f"{self.folder}/web"))
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        with open(f"{self.folder}/config", "w") as file:
            file.write(f'CA="{self.pebble.directory}"\n'
                       f'BASEDIR="{self.folder}"\n'
                       f'WELLKNOWN="{challenges}"\nKEY_ALGO=rsa\n'
                       f'CURL_OPTS="--cacert {self.pebble.ca}"\n'
                       + (f'HOOK="{HOOK}"\n' if self.hook else ""))

    def dehydrated(self, *arguments):
        self.run("bash", f"{unpacked('dehydrated')}/usr/bin/dehydrated",
                 "--config", f"{self.folder}/config", *arguments)

    def get(self, *names):
        self.dehydrated("--register", "--accept-terms")
        self.dehydrated("--cron", "--domain", " ".join(names))

    def renew(self, *names):
        self.dehydrated("--cron", "--force", "--domain", " ".join(names))

    def print_of(self, name):
        return print_of(f"{self.live}/{name}/fullchain.pem")

    def end(self):
        self.web.shutdown()
        self.web.server_close()


class Lego(Client):
    """Answers itself (--http)."""
    package = "lego"

    @property
    def live(self):
        return f"{self.folder}/certificates"

    def lego(self, names, command, hook, *more):
        self.run("lego", "--server", self.pebble.directory, "--accept-tos",
                 "--email", "postmaster@example.test", "--path", self.folder,
                 *[word for name in names for word in ("--domains", name)],
                 "--http", "--http.port", f"{self.server.address}:{CHALLENGE}",
                 command, *([hook, HOOK] if self.hook else []), *more,
                 LEGO_CA_CERTIFICATES=self.pebble.ca)

    def get(self, *names):
        self.lego(names, "run", "--run-hook")

    def renew(self, *names):
        self.lego(names, "renew", "--renew-hook", "--days", "10000",
                  "--no-random-sleep")

    def print_of(self, name):
        return print_of(f"{self.live}/{name}.crt")


@pytest.mark.parametrize("hook", [True, False], ids=["hook", "folder"])
@pytest.mark.parametrize("kind", [Certbot, Dehydrated, Lego])
def test_a_certificate_comes_and_is_renewed(world, kind, hook):
    site = Site(world)
    server = site.server
    site.open_console()
    pebble = Pebble(server.folder, server)
    client = kind(server.folder, pebble, server, hook)
    names = "mail.example.org", "imap.example.org"
    try:
        if hook:
            server.serve_as_owner()
        else:
            os.makedirs(client.live, exist_ok=True)
            server.configure(f'tls {{\n\tcertificates = "{client.live}"\n}}')
        server.serve()
        server.cli("domain", "create", DOMAIN)
        server.user(ALICE)
        assert site.everywhere(names[0]) == site.default
        pid = server.process.pid, server.engine_pid()
        with old_sessions(server, ALICE):
            shown = set()
            for step in (client.get, client.renew):
                step(*names)
                wanted = client.print_of(names[0])
                assert wanted not in shown
                shown.add(wanted)
                wait_until(lambda: site_shows(site, names[0], wanted), 60,
                           "it on all ports")
                assert site.everywhere(names[1]) == wanted
                assert site.everywhere() == site.default
        assert pid == (server.process.pid, server.engine_pid())
        assert site.status()["trouble"] == []
        [told] = [c for c in site.status()["certificates"] if c["name"]]
        assert set(told["names"]) == set(names)
        if hook:
            copy, = os.listdir(site.folder)
            owner = os.stat(os.path.join(site.folder, copy))
            assert copy == f"{names[0]}.pem" and owner.st_mode & 0o777 == 0o600
            assert owner.st_uid == os.stat(server.data).st_uid
    finally:
        client.end()
        pebble.end()


def site_shows(site, name, wanted):
    try:
        return site.everywhere(name) == wanted
    except AssertionError:      # not the same everywhere yet
        return False


def test_the_hook_by_hand(world, tmp_path):
    site = Site(world)
    made = make(str(tmp_path), "hand.test")
    chain, key = f"{tmp_path}/fullchain.pem", f"{tmp_path}/privkey.pem"
    shutil.rmtree(site.folder)
    site.server.serve_as_owner()

    def hook(*arguments):
        return subprocess.run([HOOK, *arguments], capture_output=True,
                              text=True, env={
                                  "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                                  "SPLITMAIL_DATA": site.server.data})

    assert hook("hand.test", chain, key).returncode == 0
    site.server.serve()
    assert site.everywhere("hand.test") == made
    for wrong, words in (
            (["hand.test", chain, f"{tmp_path}/none"], "none cannot be read"),
            (["../x", chain, key], "cannot be the name of a file"),
            ([".x", chain, key], "cannot be the name of a file"),
            (["hand.test", chain, str(tmp_path)], "Is a directory"),
            ([], "usage: "), (["hand.test"], "usage: ")):
        done = hook(*wrong)
        assert done.returncode == 1 and words in done.stderr
    assert print_of(f"{site.folder}/hand.test.pem") == made
    with open(f"{site.folder}/hand.test.pem") as file:
        assert "PRIVATE KEY" in file.read()
    # What dehydrated says besides is none of its business.
    for other in ("startup_hook", "exit_hook", "unchanged_cert",
                  "deploy_challenge"):
        done = hook(other, "hand.test", key, chain, chain, chain)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # The folder is its owner's: a link there leads root nowhere.
    victim = tmp_path / "victim"
    victim.write_text("precious")
    victim.chmod(0o600)
    link = f"{site.folder}/.hand.test.new"
    os.symlink(victim, link)
    done = hook("hand.test", chain, key)
    if os.geteuid() == 0:
        assert done.returncode != 0 and victim.read_text() == "precious"
    os.remove(link)
    assert site.everywhere("hand.test") == made
