"""A real Splitmail: init, serve, the command line, and its users' clients.

    a = world.server("a")
    a.cli("domain", "create", "example.test")
    a.user("alice@example.test")              hosted, password "secret-alice"
    with a.smtp() as smtp:
        smtp.sendmail("x@y.test", ["alice@example.test"], text)
    [mail] = a.wait_for_mail("alice@example.test")

The binary is $SPLITMAIL_BINARY, else build-test/splitmail.
"""

import atexit
import collections
import contextlib
import functools
import glob
import imaplib
import json
import os
import poplib
import re
import secrets
import select
import signal
import shutil
import smtplib
import sqlite3
import ssl
import subprocess
import tempfile
import time

from world import (PATIENCE, children, claim_address, descendants, end_process,
                   gone, tail, wait_until, within)

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
OFFSETS = {"smtp": 25, "submission": 587, "submissions": 465, "imap": 143,
           "imaps": 993, "pop3": 110, "pop3s": 995, "sieve": 4190,
           "console": 80}
ANSWER = 120        # seconds a client waits for one
# Where Dovecot has the messages of an INBOX, below a mailbox (main/dovecot_*.c).
INBOX = "Maildir/folders/INBOX/maildir-Mails"
COMPLAINT = re.compile(r"ERROR: \w+Sanitizer|runtime error:|"
                       r"check failed|LeakSanitizer: detected|"
                       r"Segmentation fault|core dumped")


def parents(path):
    while path != "/":
        path = os.path.dirname(path)
        yield path


@functools.cache
def binary():
    """The binary, where the user that root's servers become can run it: a
    copy when the checkout lies in a closed folder, such as /root."""
    path = os.path.realpath(os.environ.get("SPLITMAIL_BINARY") or os.path.join(
        ROOT, "build-test", "splitmail"))
    if os.geteuid() != 0 or not os.path.exists(path) or all(
            os.stat(folder).st_mode & 0o1 for folder in parents(path)):
        return path
    folder = tempfile.mkdtemp(prefix="splitmail-binary-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.chmod(folder, 0o711)
    return shutil.copy(path, folder)


@functools.cache
def few_roots():
    """Reading all root certificates costs a sanitized server more than the rest
    of its start: one as the file, all others where they are looked for by name
    (/etc/ssl/certs)."""
    found = sorted(glob.glob("/usr/share/ca-certificates/*/*.crt"))
    return {"SSL_CERT_FILE": found[0]} if found else {}


inits = {}          # what init made: folder, address and word


@functools.cache
def folder_of_inits():
    folder = tempfile.mkdtemp(prefix="splitmail-inits-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class Refused(Exception):
    """Exit status 1 or 2, and the sentence that says why."""

    def __init__(self, arguments, status, text):
        super().__init__(f"splitmail {' '.join(arguments)}: "
                         f"exit {status}: {text}")
        self.status, self.text = status, text


def no_checks():
    # The default context has read all root certificates, for 30 ms.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def sort_key(login):
    """As src/directory/sort_key.h has it."""
    def number(found):
        digits = found[0].lstrip("0")
        return f"{len(digits):02}{digits}"
    return re.sub("[0-9]+", number, login.rpartition("@")[0]) + "\1" + login


class Server:
    def __init__(self, folder, name="a", hostname=None, base=20000, conf="",
                 environment=None, start=True, data=None, init=(),
                 cheap_passwords=True):
        self.name = name
        self.folder = folder
        self.data = data or os.path.join(folder, "data")
        self.log_path = os.path.join(folder, "log")
        self.hostname = hostname or f"{name}.splitmail.test"
        self.base = base
        self.ports = {what: base + n for what, n in OFFSETS.items()}
        self.address, self.claim = claim_address(self.ports.values())
        self.at = f"{self.address}:{self.ports['smtp']}"
        self.conf = conf
        self.init = init            # more options of `splitmail init`
        self.environment = {**os.environ, **few_roots(), **(environment or {})}
        self.cheap_passwords = cheap_passwords
        if cheap_passwords:         # in builds with tests (password.h)
            self.environment["SPLITMAIL_CHEAP_PASSWORDS"] = "1"
        self.leaks_matter = bool(os.environ.get("SPLITMAIL_ALL"))
        self.passwords = {}
        self.admin_password = None
        self.process = None
        self.serve_at_start = start
        self.prefix = []    # a program that ends by running its arguments

    # ---- life

    def start(self):
        if not os.path.exists(binary()):
            raise AssertionError(f"no binary at {binary()}: ./dev test")
        if not os.path.exists(self.data):
            self.make_data()
            if self.conf:
                self.configure(self.conf)
        if self.serve_at_start:
            self.serve()

    def make_data(self):
        """By init; a second one that is called so is a copy with an address and
        a node of its own."""
        key = (self.hostname, self.base, self.cheap_passwords, *self.init)
        if key in inits:
            folder, address, self.admin_password = inits[key]
            subprocess.run(["cp", "-a", folder, self.data], check=True)
            path = os.path.join(self.data, "splitmail.conf")
            with open(path, "r+") as file:
                text = file.read().replace(f'"{address}"', f'"{self.address}"')
                file.seek(0)
                file.truncate()
                file.write(text)
            with contextlib.closing(sqlite3.connect(os.path.join(
                    self.data, "directory.db"))) as db, db:
                db.execute("UPDATE node SET id = ?, key = ?",
                           (secrets.token_hex(8), secrets.token_hex(32)))
            return
        made = self.cli("init", "--hostname", self.hostname, "--bind",
                        self.address, "--port-base", str(self.base),
                        *self.init)
        self.admin_password = made["password"]
        folder = os.path.join(folder_of_inits(), str(len(inits)))
        subprocess.run(["cp", "-a", self.data, folder], check=True)
        inits[key] = folder, self.address, self.admin_password

    def configure(self, text):
        """Append TEXT to splitmail.conf; reload() or restart() follows."""
        with open(os.path.join(self.data, "splitmail.conf"), "a") as file:
            file.write(f"\n{text}\n")

    def serve_as_owner(self):
        """As under systemd, from now on: it reads no file of root's."""
        owner = os.stat(self.data)
        if os.geteuid() == 0:
            os.chown(self.folder, owner.st_uid, owner.st_gid)
            self.prefix = ["setpriv", f"--reuid={owner.st_uid}",
                           f"--regid={owner.st_gid}", "--clear-groups", "--"]

    def serve(self, timeout=PATIENCE):
        log = open(self.log_path, "a")
        self.process = subprocess.Popen(
            [*self.prefix, binary(), "--data", self.data, "serve"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            env=self.environment, cwd=self.folder, start_new_session=True)
        log.close()
        end, said = time.monotonic() + within(timeout), b""
        while b"ready" not in said.split(b"\n")[:-1]:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [],
                                              left)[0]:
                raise AssertionError(f"{self.name}: no \"ready\" within "
                                     f"{timeout} s, said {said!r}")
            more = os.read(self.process.stdout.fileno(), 4096)
            if not more:
                raise AssertionError(
                    f"{self.name}: ended with {self.process.wait()} before "
                    f"it was ready:\n{tail(self.log_path)}")
            said += more

    def stop(self, patience=100):       # the engine alone has 60
        """SIGTERM.  Has to end in order, with status 0."""
        if not self.process:
            return
        process, self.process = self.process, None
        orderly = end_process(process, patience)
        process.stdout.close()
        if not orderly:
            raise AssertionError(f"{self.name}: still there {patience} s "
                                 "after SIGTERM")
        if process.returncode:
            raise AssertionError(f"{self.name}: serve ended with status "
                                 f"{process.returncode}")

    def restart(self):
        self.stop()
        self.serve()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def kill(self):
        """A crash of everything at once: SIGKILL for the whole family."""
        process, self.process = self.process, None
        family = [process.pid] + descendants(process.pid)
        # The supervisor first, lest it starts a new engine.
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        # Dovecot takes a dead process that nobody has reaped for a live one.
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}")
                                   for pid in family), 10,
                   f"{self.name}: the end of {family}")

    def child_pid(self, word):
        """Of what the supervisor runs as `splitmail WORD`, or None."""
        for pid in children(self.process.pid):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if word.encode() in words[1:] and not gone(pid):
                return pid
        return None

    def engine_pid(self):
        """None while there is none."""
        return self.child_pid("engine")

    def console_pid(self):
        return self.child_pid("console")

    def kill_engine(self, number=signal.SIGKILL, wait=True):
        """Kill the engine; the supervisor starts another.  Its pid."""
        old = wait_until(self.engine_pid, 10, f"{self.name}: an engine")
        os.kill(old, number)
        if wait:
            wait_until(lambda: self.engine_pid() not in (None, old), 20,
                       f"{self.name}: a new engine after {old}")
            wait_until(self.answers, 20, f"{self.name}: SMTP after a kill")
        return old

    def dovecot_pid(self):
        """Of its master process; None while there is none."""
        for pid in children(self.process.pid):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/comm") as file:
                    if file.read() == "dovecot\n" and not gone(pid):
                        return pid
        return None

    def answers(self):
        try:
            with self.smtp(timeout=20):
                return True
        except (OSError, smtplib.SMTPException):
            return False

    def end(self):
        complaints = []
        try:
            self.stop()
        except AssertionError as trouble:
            complaints.append(str(trouble))
        self.claim.close()
        return complaints + self.complaints()

    def complaints(self):
        """What a sanitizer, or our own check(), said in the log."""
        found = []
        with contextlib.suppress(OSError):
            with open(self.log_path, errors="replace") as file:
                lines = file.readlines()
            for number, line in enumerate(lines):
                if COMPLAINT.search(line):
                    found.append(f"{self.name}: " + "".join(
                        lines[number:number + 25]))
                    break
        return found

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def counters(self):
        """What the engines that have stopped in order counted, summed."""
        sum = collections.Counter()
        for words in re.findall(r"engine\[\d+\]: counters: (.*)", self.log()):
            for name, number in re.findall(r"(\w+)=(\d+)", words):
                sum[name] += int(number)
        return sum

    def log_tail(self):
        return tail(self.log_path)

    # ---- the command line

    def run(self, *arguments, input=None):
        return subprocess.run(
            [binary(), "--data", self.data, *arguments], input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True, text=True,
            env=self.command_environment(arguments),
            cwd=self.folder, timeout=200)

    def command_environment(self, arguments):
        """What ends at once may leak: to look for it is a third of what a
        command costs.  Servers look, and the tests of the command line."""
        if self.leaks_matter or "serve" in arguments:
            return self.environment
        options = self.environment.get("ASAN_OPTIONS", "")
        return {**self.environment, "ASAN_OPTIONS":
                f"{options}:detect_leaks=0".lstrip(":")}

    def cli(self, *arguments, input=None):
        """splitmail ARGUMENTS --json: what it says, parsed.  Refused when
        the exit status is not 0."""
        done = self.run(*arguments, "--json", input=input)
        bad = COMPLAINT.search(done.stderr)
        assert not bad, done.stderr
        if done.returncode:
            raise Refused(arguments, done.returncode, done.stderr.strip())
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, *arguments, input=None):
        """The sentence on stderr of a command that must be refused."""
        try:
            answer = self.cli(*arguments, input=input)
        except Refused as refusal:
            assert refusal.status == 1, refusal
            assert refusal.text, "refused without a word"
            return refusal.text
        raise AssertionError(f"{arguments} was not refused: {answer}")

    def user(self, address, *arguments, password=None):
        """user create; the password is remembered for submit(), imap()."""
        password = password or "secret-" + address.split("@")[0]
        self.cli("user", "create", address, *arguments, "--password-stdin",
                 input=password + "\n")
        self.passwords[address] = password
        return address

    def fill(self, domain, count, mail_system="i % 2", left="'user'"):
        """COUNT users of DOMAIN, straight into the directory: user1@... to
        userCOUNT@..., every other one on the alternate mail server."""
        with sqlite3.connect(os.path.join(self.data, "directory.db"),
                             timeout=ANSWER) as db:
            db.create_function("sort_key", 1, sort_key, deterministic=True)
            db.executescript(f"""
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL
                    SELECT i + 1 FROM n WHERE i < {count})
                INSERT INTO holder (kind, domain, login, sort_key, name,
                    mail_system)
                    SELECT 0, d.id, {left} || i || '@' || d.name,
                    sort_key({left} || i || '@' || d.name),
                    'Person ' || (i * 7919 % 100000), {mail_system}
                    FROM n, domain d WHERE d.name = '{domain}';
                INSERT INTO address (domain, local, name, holder, is_default)
                    SELECT h.domain, substr(login, 1, instr(login, '@') - 1),
                    '*', h.id, 1 FROM holder h
                    JOIN domain d ON d.id = h.domain
                    WHERE d.name = '{domain}' AND NOT builtin AND NOT EXISTS
                    (SELECT * FROM address WHERE holder = h.id);""")

    def route(self, address, *arguments):
        return self.cli("route", address, *arguments)

    def queue(self):
        return self.cli("queue", "list")

    def waiting(self, domain=None):
        """How many messages are in the queue, or recipients in DOMAIN, without a
        process that says it."""
        question = "SELECT count(*) FROM message" if domain is None else \
            f"SELECT count(*) FROM recipient WHERE domain = '{domain}'"
        with contextlib.closing(sqlite3.connect(
                f"file:{self.data}/queue.db?mode=ro", uri=True,
                timeout=ANSWER)) as db:
            return db.execute(question).fetchone()[0]

    def wait_for_queue(self, count, timeout=20):
        """The list, once it has exactly COUNT entries."""
        wait_until(lambda: self.waiting() == count, timeout,
                   f"{self.name}: {count} in the queue", pause=0.1)
        return self.queue() if count else []

    # ---- clients

    def smtp(self, timeout=ANSWER, source=None):
        source = (source, 0) if source else None
        return smtplib.SMTP(self.address, self.ports["smtp"],
                            local_hostname="client.test", timeout=timeout,
                            source_address=source)

    def submit(self, user, password=None, timeout=ANSWER):
        """Port 587, STARTTLS, logged in."""
        smtp = smtplib.SMTP(self.address, self.ports["submission"],
                            local_hostname="client.test", timeout=timeout)
        try:
            smtp.starttls(context=no_checks())
            smtp.login(user, password or self.passwords[user])
        except BaseException:
            smtp.close()
            raise
        return smtp

    def submits(self, user, password=None, timeout=ANSWER):
        """Port 465, TLS from the first byte, logged in."""
        smtp = smtplib.SMTP_SSL(self.address, self.ports["submissions"],
                                local_hostname="client.test", timeout=timeout,
                                context=no_checks())
        try:
            smtp.login(user, password or self.passwords[user])
        except BaseException:
            smtp.close()
            raise
        return smtp

    def send(self, sender, recipients, text="Subject: t\r\n\r\nhello\r\n",
             user=None):
        """Send by port 25, or as USER by submission.  Returns smtplib's
        dict of refused recipients."""
        if isinstance(recipients, str):
            recipients = [recipients]
        with (self.submit(user) if user else self.smtp()) as smtp:
            return smtp.sendmail(sender, recipients, text)

    def mail_files(self):
        """[(login, path)]: every message in an INBOX, as Dovecot keeps it,
        also of those who cannot log in."""
        with contextlib.closing(sqlite3.connect(
                f"file:{self.data}/directory.db?mode=ro", uri=True,
                timeout=ANSWER)) as db:
            login_of = dict(db.execute("SELECT mailbox, login FROM holder"))
        return [(login_of[path[len(self.data):].split("/")[2]], path)
                for kind in ("new", "cur")
                for path in glob.glob(
                    f"{self.data}/mail/*/{INBOX}/{kind}/*")]

    def imap(self, user, password=None, tls=True):
        if tls:
            imap = imaplib.IMAP4_SSL(self.address, self.ports["imaps"],
                                     ssl_context=no_checks(), timeout=ANSWER)
        else:
            imap = imaplib.IMAP4(self.address, self.ports["imap"], timeout=ANSWER)
            imap.starttls(ssl_context=no_checks())
        try:
            imap.login(user, password or self.passwords[user])
        except BaseException:
            imap.shutdown()
            raise
        return imap

    def pop3(self, user, password=None):
        pop = poplib.POP3_SSL(self.address, self.ports["pop3s"], timeout=ANSWER,
                              context=no_checks())
        try:
            pop.user(user)
            pop.pass_(password or self.passwords[user])
        except BaseException:
            pop.close()
            raise
        return pop

    def fetch(self, user, what, folder="INBOX", password=None):
        """One item of every message, oldest first, as bytes."""
        imap = self.imap(user, password)
        try:
            status, [count] = imap.select(f'"{folder}"', readonly=True)
            if status != "OK" or int(count) == 0:
                return []
            _, parts = imap.fetch("1:*", what)
            return [part[1] for part in parts if isinstance(part, tuple)]
        finally:
            with contextlib.suppress(Exception):
                imap.logout()

    def mailbox(self, user, folder="INBOX", password=None):
        """The messages as bytes, as IMAP shows them."""
        return self.fetch(user, "(BODY.PEEK[])", folder, password)

    def subjects(self, user, folder="INBOX"):
        lines = self.fetch(user, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])",
                           folder)
        return [line.partition(b":")[2].strip().decode() for line in lines]

    def wait_for_mail(self, user, count=1, timeout=20, folder="INBOX"):
        """The mailbox once it has COUNT messages; more are a failure.

        Dovecot 2.3 makes a new INBOX at its first opening.  Two processes that
        do so at once take the locks of mailboxes.lock and dovecot.list.index.log
        in different orders, and one of them dies: a client has to come again, as
        real ones do."""
        def come():
            try:
                mails = self.mailbox(user, folder)
            except imaplib.IMAP4.abort:
                return None
            return (mails,) if len(mails) >= count else None

        mails, = wait_until(come, timeout,
                            f"{self.name}: {count} mails for {user}",
                            pause=0.2)
        assert len(mails) == count, f"{user} has {len(mails)}, not {count}"
        return mails
