"""A folder of certificates: who names a host is shown its own on every port;
what is no good in the folder harms nothing else and is named wherever an
administrator looks; a renewal is noticed."""

import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import threading

import pytest

from api import Api
from splitmail import binary
from test_console_process import quiet_port
from traffic import ALICE, DOMAIN, old_sessions
from world import wait_until

STARTTLS = {"smtp": "smtp", "submission": "smtp", "imap": "imap",
            "pop3": "pop3", "sieve": "sieve"}


def make(folder, *names, key="ec", days=90, chain="fullchain.pem",
         private="privkey.pem"):
    """A certificate for NAMES, in FOLDER as certbot has it; its print."""
    os.makedirs(folder, exist_ok=True)
    kind = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "rsa": ["rsa:2048"], "ed25519": ["ed25519"]}[key]
    key_file = os.path.join(folder, private)
    chain_file = os.path.join(folder, chain)
    request = subprocess.run(
        ["openssl", "req", "-new", "-newkey", *kind, "-nodes", "-subj",
         "/CN=x", "-keyout", key_file + ".new"], check=True,
        capture_output=True).stdout
    extensions = os.path.join(folder, ".extensions")
    with open(extensions, "w") as file:
        if names:
            file.write("subjectAltName=" + ",".join(
                ("IP:" if re.fullmatch(r"[0-9.]+", n) else "DNS:") + n
                for n in names))
    sign = ["openssl", "x509", "-req", "-signkey", key_file + ".new",
            "-extfile", extensions, "-out", chain_file + ".new"]
    done = subprocess.run([*sign, "-days", str(days)], input=request,
                          capture_output=True)
    if done.returncode:         # OpenSSL 3.5 makes none that is over so
        subprocess.run([*sign, "-not_before", "20200101000000Z", "-not_after",
                        "20200102000000Z"], check=True, input=request,
                       capture_output=True)
    os.remove(extensions)
    for file in (key_file, chain_file):
        give(file + ".new", folder)
        os.replace(file + ".new", file)
    return print_of(chain_file)


def give(path, like):
    owner = os.stat(like)
    os.chown(path, owner.st_uid, owner.st_gid)


def print_of(chain):
    with open(chain) as file:
        first = re.search("-----BEGIN CERT.*?END CERTIFICATE-----",
                          file.read(), re.S)[0]
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()


def shown(address, port, name=None, starttls=None, options=()):
    """The print of what openssl's client is shown; None: no handshake."""
    said = subprocess.run(
        ["openssl", "s_client", "-connect", f"{address}:{port}",
         *(["-servername", name] if name else ["-noservername"]),
         *(["-starttls", starttls] if starttls else []), *options],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=120).stdout
    found = re.search("-----BEGIN CERT.*?END CERTIFICATE-----", said, re.S)
    return found and hashlib.sha256(
        ssl.PEM_cert_to_DER_cert(found[0])).hexdigest()


class Site:
    """A server with a folder of certificates, and a console others reach."""

    def __init__(self, world, folder=None):
        self.server = world.server("a", start=False)
        self.folder = folder or os.path.join(self.server.data, "tls",
                                             "certificates")
        os.makedirs(self.folder, exist_ok=True)
        give(self.folder, self.server.data)
        if folder:
            self.server.configure(
                f'tls {{\n\tcertificates = "{folder}"\n}}')
        self.default = print_of(f"{self.server.data}/tls/cert.pem")
        self.https = None

    def open_console(self):
        self.https = quiet_port()
        path = os.path.join(self.server.data, "splitmail.conf")
        with open(path) as file:
            conf = file.read()
        with open(path, "w") as file:
            file.write(re.sub(
                r"console \{[^}]*\}", "console {\n\taddress = \"*\"\n"
                f"\tport = {self.https}\n}}", conf))

    def entry(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path, exist_ok=True)
        give(path, self.server.data)
        return path

    def add(self, name, *names, **options):
        return make(self.entry(name), *(names or [name]), **options)

    def shown(self, name=None, ports=("smtp",), options=()):
        """What PORTS, and an open console, show: one and the same."""
        at = {port: (self.server.address, self.server.ports[port],
                     name, STARTTLS.get(port)) for port in ports}
        if self.https:
            at["https"] = "127.0.0.1", self.https, name
        prints = {port: shown(*where, options=options)
                  for port, where in at.items()}
        assert len(set(prints.values())) == 1, (name, prints)
        return prints[ports[0]]

    def everywhere(self, name=None, options=()):
        return self.shown(name, ("smtp", "submission", "submissions", "imap",
                                 "imaps", "pop3", "pop3s", "sieve"), options)

    def await_shown(self, name, wanted):
        wait_until(lambda: self.shown(name) == wanted, 60,
                   f"another certificate for {name}")

    def status(self):
        return json.loads(self.server.run("status", "--json").stdout)

    def told(self):
        return {c["name"]: c for c in self.status()["certificates"]}


@pytest.fixture
def site(world):
    return Site(world)


def signed_in(site):
    api = Api(site.server)
    api.sign_in("admin0", site.server.admin_password)
    return api


def metrics_of(site):
    token = site.server.run("admin", "token", "create", "admin0",
                            "prometheus").stdout.strip().split()[-1]
    return Api(site.server).raw(
        "GET", "/metrics", headers={"Authorization": f"Bearer {token}"}).text


# ---- names

def test_each_name_is_shown_its_own_on_every_port(site):
    site.open_console()
    mail = site.add("mail.example.org", "mail.example.org", "MX.example.org")
    wild = site.add("all", "*.example.org", "example.org", "192.0.2.7")
    idn = site.add("idn", "xn--mller-kva.example", "*.xn--mller-kva.example")
    site.server.serve()
    for name, wanted in {
            None: site.default, "mail.example.org": mail,
            "mx.example.org": mail, "MAIL.Example.ORG": mail,
            "mail.example.org.": mail, "imap.example.org": wild,
            "example.org": wild, "a.imap.example.org": site.default,
            "org": site.default, "elsewhere.test": site.default,
            "xn--mller-kva.example": idn, "XN--MLLER-KVA.example": idn,
            "mail.xn--mller-kva.example": idn}.items():
        assert site.everywhere(name) == wanted, name
    told = site.told()
    assert told["all"]["names"] == ["*.example.org", "example.org"]
    assert told["mail.example.org"]["names"] == ["mail.example.org",
                                                 "mx.example.org"]
    assert told[None]["names"] == [site.server.hostname]
    assert site.status()["trouble"] == []


@pytest.mark.parametrize("count", [1, 2, 7, 50])
def test_any_number_of_them(site, count):
    names = [f"mail.customer{i}.test" for i in range(count)]
    prints = {name: site.add(name) for name in names}
    site.server.serve()
    for name in {names[0], names[count // 2], names[-1]}:
        assert site.shown(name, ("smtp", "submissions", "imaps")) == prints[name]
    assert site.shown("mail.customer50.test",
                      ("smtp", "imaps")) == site.default
    told = site.told()
    assert len(told) == count + 1
    for name in names:
        assert told[name]["names"] == [name]
        assert told[name]["key"] == "ECDSA" and told[name]["ends"]
    said = site.server.run("status").stdout
    assert len(re.findall(r"the certificate \S+ \(ECDSA\) for \S+ ends at "
                          r"20", said)) == count
    metrics = metrics_of(site)
    assert len(re.findall(
        r'^splitmail_certificate_expiry_timestamp_seconds\{certificate="mail'
        r'\.customer\d+\.test"\} \d+$', metrics, re.M)) == count


def test_other_ways_to_lie_in_the_folder(site):
    """NAME.pem with both, in either order; lego's NAME.crt and NAME.key; and
    what is no certificate."""
    both = make(site.folder, "both.example.org", chain="c", private="k")
    for order, name in (("ck", "one.pem"), ("kc", "two.pem")):
        path = os.path.join(site.folder, name)
        with open(path, "w") as file:
            for part in order:
                file.write(open(os.path.join(site.folder, part)).read())
        give(path, site.folder)
    os.remove(os.path.join(site.folder, "c"))
    os.remove(os.path.join(site.folder, "k"))
    lego = make(site.folder, "lego.example.org", chain="lego.example.org.crt",
                private="lego.example.org.key")
    for other in ("README", "lego.example.org.json", ".hidden.pem",
                  "lego.example.org.issuer.crt", "half.pem.new"):
        with open(os.path.join(site.folder, other), "w") as file:
            file.write("nothing\n")
    site.server.serve()
    assert site.shown("both.example.org", ("smtp", "imaps")) == both
    assert site.shown("lego.example.org", ("smtp", "imaps")) == lego
    assert set(site.told()) == {None, "one.pem", "two.pem",
                                "lego.example.org.crt"}
    assert site.status()["trouble"] == []


def test_ecdsa_and_rsa_for_one_name(site):
    site.open_console()
    ec = site.add("mail.ec", "mail.example.org")
    rsa = site.add("mail.rsa", "mail.example.org", key="rsa")
    alone = site.add("alone", "alone.example.org", key="rsa")
    ed = site.add("ed", "ed.example.org", key="ed25519")
    site.server.serve()
    for version in ("-tls1_2", "-tls1_3"):
        for name, sigalgs, wanted in (
                ("mail.example.org", "ECDSA+SHA256", ec),
                ("mail.example.org", "RSA-PSS+SHA256:RSA+SHA256", rsa),
                ("alone.example.org", "RSA-PSS+SHA256:RSA+SHA256", alone),
                ("ed.example.org", "ed25519", ed)):
            assert site.everywhere(name, (version, "-sigalgs", sigalgs)) == \
                wanted, (version, name, sigalgs)
    assert {site.told()[n]["key"] for n in ("mail.ec", "mail.rsa", "ed")} == \
        {"ECDSA", "RSA", "other"}


def test_of_two_for_one_name_the_better_one(site):
    """One that has not ended, if only a wildcard; then the one that ends last."""
    site.add("a", "mail.example.org", days=-1)
    wild = site.add("b", "*.example.org", days=40)
    site.add("c", "imap.example.org", days=50)
    last = site.add("d", "imap.example.org", days=60)
    site.add("e", "imap.example.org", days=50)
    over = site.add("f", "over.test", days=-1)
    site.server.serve()
    assert site.everywhere("mail.example.org") == wild
    assert site.everywhere("imap.example.org") == last
    assert site.everywhere("over.test") == over


# ---- the host's own name

def test_the_folder_s_is_for_everybody_when_it_is_the_host_s(site):
    own = site.add("own", site.server.hostname, "*.example.org")
    other = site.add("other", "other.test")
    site.server.serve()
    for name in (None, site.server.hostname, "mail.example.org", "no.test"):
        assert site.everywhere(name) == own
    assert site.everywhere("other.test") == other
    # gone: the one of splitmail.conf again
    shutil.rmtree(site.entry("own"))
    site.await_shown(None, site.default)
    assert site.everywhere("mail.example.org") == site.default


def test_but_not_when_splitmail_conf_names_one(site):
    own = site.add("own", site.server.hostname)
    site.server.configure('tls {\n\tcertificate = "tls/cert.pem"\n}')
    site.server.serve()
    assert site.everywhere() == site.default
    assert site.everywhere(site.server.hostname) == own


# ---- what is no good

def spoil(site, what):
    """Put an entry "bad" there that is WHAT; the reason that is given."""
    path = site.entry("bad")
    make(path, *([] if what == "nameless" else ["bad.test"]))
    key, chain = f"{path}/privkey.pem", f"{path}/fullchain.pem"
    if what == "no key":
        os.remove(key)
        return "privkey.pem: No such file"
    if what == "no chain":
        os.remove(chain)
        return "fullchain.pem: No such file"
    if what == "other key":
        make(f"{path}/x", "bad.test")
        os.replace(f"{path}/x/privkey.pem", key)
        return "the key is not the certificate's"
    if what == "unreadable":
        os.chmod(key, 0)
        return "privkey.pem: Permission denied; let this user read it"
    if what == "garbage":
        with open(chain, "w") as file:
            file.write("-----BEGIN CERTIFICATE-----\nabc\n")
        return "no certificate in PEM form"
    if what == "encrypted":
        subprocess.run(["openssl", "pkey", "-in", key, "-aes256", "-passout",
                        "pass:x", "-out", key + ".new"], check=True)
        os.replace(key + ".new", key)
        give(key, path)
        return "the key has a passphrase"
    if what == "fifo":
        os.remove(chain)
        os.mkfifo(chain)
        return "is no file"
    if what == "dangling":
        os.remove(chain)
        os.symlink("/nonexistent", chain)
        return "No such file"
    if what == "weak":
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:512",
                        "-nodes", "-subj", "/CN=x", "-addext",
                        "subjectAltName=DNS:bad.test", "-keyout", key, "-out",
                        chain], check=True, capture_output=True)
        return "too small"
    assert what == "nameless"
    return "no host's name is in it"


def health(site):
    answer = Api(site.server).raw("GET", "/health")
    return answer.status, answer.json["trouble"]


def await_trouble(site, what):
    """The one trouble of which /health, whose answer is a look's that may be
    seconds old, comes to know."""
    wait_until(lambda: [t["what"] for t in health(site)[1]] == [what], 60,
               what)
    return health(site)[1][0]


@pytest.mark.parametrize("what", [
    "no key", "no chain", "other key", "unreadable", "garbage", "encrypted",
    "fifo", "dangling", "weak", "nameless"])
def test_what_is_no_good_is_named_and_harms_nothing_else(site, what):
    good = site.add("good.test")
    why = spoil(site, what)
    if what == "unreadable":
        site.server.serve_as_owner()
    site.server.serve()
    assert site.everywhere("good.test") == good
    assert site.everywhere("bad.test") == site.default
    told = site.told()["bad"]
    assert told["ends"] is None and told["names"] == []
    assert why in told["trouble"], told
    log = site.server.log()
    assert re.search("error: the certificate bad is not served: .*" + why,
                     log), log
    assert why in site.server.run("status").stdout
    trouble = await_trouble(site, "named-certificate-unusable")
    assert trouble["values"] == {"name": "bad"}
    assert "detail" not in trouble
    assert health(site)[0] == 200
    metrics = metrics_of(site)
    assert 'splitmail_certificate_unusable{certificate="bad"} 1\n' in metrics
    assert 'splitmail_certificate_unusable{certificate="good.test"} 0\n' \
        in metrics
    shown_there = {c["name"]: c for c in
                   signed_in(site).get("/overview").json
                   ["engine"]["certificates"]}
    assert why in shown_there["bad"]["trouble"]
    assert shown_there["good.test"]["names"] == ["good.test"]
    # Mended, and nobody said so.
    shutil.rmtree(site.entry("bad"))
    mended = site.add("bad", "bad.test")
    site.await_shown("bad.test", mended)
    assert site.everywhere("bad.test") == mended
    wait_until(lambda: health(site) == (200, []), 60, "good health")
    assert "the certificate bad is good again" in site.server.log()


@pytest.mark.parametrize("days, what", [(20, "named-certificate-ends"),
                                        (-1, "named-certificate-ended")])
def test_the_end_of_one_is_said(site, days, what):
    site.add("soon", "soon.test", days=days)
    site.add("later", "later.test")
    site.server.serve()
    assert await_trouble(site, what)["values"]["name"] == "soon"
    assert re.search("the certificate soon (ends in 19 days|has ended), at 20",
                     site.server.log())
    said = site.server.run("status", "--nagios")
    assert said.returncode == 1 and "The certificate soon" in said.stdout
    left = int(re.search(r" certificate=(-?\d+)s", said.stdout)[1])
    assert (left < 0) == (days < 0) and left <= 20 * 86400


@pytest.mark.apart
def test_a_folder_that_is_not_there(world):
    site = Site(world, os.path.join(world.folder, "certs"))
    good = site.add("good.test")
    site.server.serve()
    assert site.shown("good.test") == good
    os.rename(site.folder, site.folder + ".away")
    await_trouble(site, "certificates-unusable")
    assert site.everywhere("good.test") == good     # what was served still is
    site.server.restart()
    assert site.everywhere("good.test") == good
    os.rename(site.folder + ".away", site.folder)
    wait_until(lambda: health(site) == (200, []), 60, "good health")
    assert site.everywhere("good.test") == good


# ---- renewal

@pytest.mark.apart
def test_one_is_renewed_by_a_link_and_nobody_else_notices(site):
    """As certbot does: live/NAME holds links into archive/."""
    archive = os.path.join(site.server.folder, "archive")
    live = site.entry("mail.example.org")

    def renew(number):
        made = make(f"{archive}/{number}", "mail.example.org")
        for name in ("fullchain.pem", "privkey.pem"):
            give(f"{archive}/{number}/{name}", site.server.data)
            os.symlink(f"{archive}/{number}/{name}", f"{live}/{name}.new")
            os.replace(f"{live}/{name}.new", f"{live}/{name}")
        return made

    os.makedirs(archive)
    os.chmod(archive, 0o755)
    first, other = renew(1), site.add("other.test")
    site.server.serve()
    site.server.cli("domain", "create", DOMAIN)
    site.server.user(ALICE)
    assert site.everywhere("mail.example.org") == first
    with old_sessions(site.server, ALICE):
        second = renew(2)
        site.await_shown("mail.example.org", second)
        wait_until(lambda: site.shown("mail.example.org", ("imaps",)) == second,
                   60, "Dovecot's")
        assert site.everywhere("mail.example.org") == second
        assert site.everywhere("other.test") == other
    assert len(re.findall("a new certificate mail.example.org for mail.example"
                          r"\.org, until 20", site.server.log())) == 2
    assert site.server.log().count("a new certificate other.test") == 1
    # Half of a renewal leaves the old one, over a restart, too.
    make(f"{archive}/3", "mail.example.org")
    os.symlink(f"{archive}/3/fullchain.pem", f"{live}/fullchain.pem.new")
    os.replace(f"{live}/fullchain.pem.new", f"{live}/fullchain.pem")
    wait_until(lambda: "the certificate mail.example.org stays the old one: "
               in site.server.log(), 60, "a word")
    assert site.everywhere("mail.example.org") == second
    site.server.restart()
    assert site.everywhere("mail.example.org") == second
    assert site.everywhere("other.test") == other
    fourth = renew(4)
    site.await_shown("mail.example.org", fourth)


def test_they_come_and_go_while_mail_is_served(site):
    site.server.serve()
    assert site.everywhere("late.test") == site.default
    late = site.add("late.test")
    site.await_shown("late.test", late)
    assert site.everywhere("late.test") == late
    kept = os.path.join(site.server.data, "dovecot", "certificates")
    assert len(os.listdir(kept)) == 1
    for folder in (kept, site.server.data + "/run"):
        for name in os.listdir(folder):
            if name.endswith((".pem", ".json")):
                assert os.stat(f"{folder}/{name}").st_mode & 0o777 == 0o600
    shutil.rmtree(site.entry("late.test"))
    site.await_shown("late.test", site.default)
    assert site.everywhere("late.test") == site.default
    assert os.listdir(kept) == []


@pytest.mark.long
def test_one_that_is_moved_while_the_folder_is_read_ends_nobody(site):
    good = site.add("good.test")
    restless = site.entry("restless")
    for number in range(40):
        shutil.copytree(site.entry("good.test"), f"{site.folder}/copy{number}",
                        copy_function=shutil.copy)
    spoil(site, "no key")       # is said at each look that somebody asks for
    site.server.serve()
    done = threading.Event()

    def move():
        while not done.is_set():
            os.rename(restless, f"{site.folder}/.away")
            os.rename(f"{site.folder}/.away", restless)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        for looks in range(2, 32):
            site.server.reload()
            wait_until(lambda n=looks: site.server.log().count(
                "the certificate bad is not served") >= n, 60, "a look")
    finally:
        done.set()
        mover.join()
    assert site.everywhere("good.test") == good


def test_they_are_in_a_backup(site):
    """Folders, files and links, as they are."""
    mail = site.add("mail.test")
    make(site.folder, "other.test", chain="other.crt", private="other.key")
    os.symlink("mail.test", f"{site.folder}/linked")
    os.symlink("/nonexistent", f"{site.entry('broken')}/fullchain.pem")
    copy, again = (os.path.join(site.server.folder, name)
                   for name in ("backup", "again"))
    assert site.server.run("backup", copy).returncode == 0
    assert site.server.run("backup", "verify", copy).returncode == 0
    done = subprocess.run([binary(), "--data", again, "restore", copy],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    restored = f"{again}/tls/certificates"
    assert print_of(f"{restored}/mail.test/fullchain.pem") == mail
    assert os.readlink(f"{restored}/linked") == "mail.test"
    assert os.readlink(f"{restored}/broken/fullchain.pem") == "/nonexistent"
    assert sorted(os.listdir(restored)) == [
        "broken", "linked", "mail.test", "other.crt", "other.key"]
