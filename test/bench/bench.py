#!/usr/bin/python3
"""Splitmail and a tuned Postfix on the same job, in turns.

    ./dev bench                 every case, five pairs of runs each
    ./dev bench --quick         fewer messages, two pairs
    ./dev bench handover idle   only cases with such a word in their name
    --against SPLITMAIL         another binary of ours instead of Postfix
    --profile CASE              only ours, under perf; the report's path
    --syscalls                  count system calls of ours in each case

The job: take a message for one of 100,000 users of a domain, all of whom live
on two other systems (a sink that counts), and relay it.  Rates of a machine
move by a quarter from one minute to the next, so what counts is the ratio of
two runs side by side; the table has the median of the pairs.  "End to end" is
from the first connection to the last message at the sink.  Nothing is judged
here; a message that was acknowledged and did not arrive is pointed out.
"""

import argparse
import base64
import contextlib
import hashlib
import json
import mmap
import os
import signal
import statistics
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build")
TOOLS = os.path.join(BUILD, "test", "bench")
sys.path.insert(0, os.path.join(ROOT, "test", "scenario"))

from peers import UID, Postfix    # noqa: E402 (needs the path above)
from world import World, claim_address, descendants, end_process, \
    wait_until    # noqa: E402

USERS, TLS_USERS, HOSTED_USERS = 100000, 1000, 1000
DOMAIN, TLS_DOMAIN, ELSEWHERE = "split.test", "tls.test", "elsewhere.test"
HOSTED = "hosted.test"
SENDER, PASSWORD = f"sender@{DOMAIN}", "bench-password"
TICKS = os.sysconf("SC_CLK_TCK")


class Case:
    """MESSAGES are ours and Postfix's: enough for some seconds each.
    FILTERED: by which program, as the world names it."""

    def __init__(self, name, arguments, messages, kept=False, tls=False,
                 known=True, filtered=None):
        self.name, self.arguments, self.messages = name, arguments, messages
        self.kept, self.tls, self.known = kept, tls, known
        self.filtered = filtered


CASES = [
    Case("handover, 4K, 20 sessions, reuse",
         ["--sessions", "20", "--reuse"], (20000, 1500)),
    Case("the same, every address for the first time",
         ["--sessions", "20", "--reuse"], (20000, 1500), known=False),
    Case("the same, the client pipelines",
         ["--sessions", "20", "--reuse", "--pipeline"], (20000, 1500)),
    Case("kept first (queue on disk), 4K, 20, reuse",
         ["--sessions", "20", "--reuse"], (8000, 1500), kept=True),
    Case("a new connection for each, 4K, 20",
         ["--sessions", "20"], (12000, 1500)),
    Case("one session, 4K, reuse",
         ["--sessions", "1", "--reuse"], (8000, 1500)),
    Case("64K, 20, reuse",
         ["--sessions", "20", "--reuse", "--size", "65536"], (10000, 1500)),
    Case("100 sessions, 4K, reuse",
         ["--sessions", "100", "--reuse"], (20000, 1500)),
    Case("TLS in and out, 4K, 20, reuse",
         ["--sessions", "20", "--reuse", "--tls"], (12000, 1500), tls=True),
    Case("filtered (OpenDKIM), 4K, 20, reuse",
         ["--sessions", "20", "--reuse"], (8000, 1500), filtered="opendkim"),
    Case("filtered (Rspamd), 4K, 20, reuse",
         ["--sessions", "20", "--reuse"], (2000, 1500), filtered="rspamd"),
]


# ---- the next system ----------------------------------------------------

class Sink:
    """Two ports, so that half of the users are on each."""

    def __init__(self, folder, name, tls=()):
        self.name = name
        self.path = os.path.join(folder, f"{name}.counters")
        self.address, self.claim = claim_address([2601, 2602])
        self.at = [f"{self.address}:{port}" for port in (2601, 2602)]
        self.command = [os.path.join(TOOLS, "sink"), self.path, *tls, *self.at]

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(self.path)
                   and os.path.getsize(self.path) == 40, 5, "the sink")
        with open(self.path, "rb") as file:
            self.counters = mmap.mmap(file.fileno(), 40, prot=mmap.PROT_READ)

    def numbers(self):
        """messages, bytes, connections, recipients, last_ns"""
        return struct.unpack("<5Q", self.counters)

    def wait_for(self, messages, before, patience=20):
        """How many came since BEFORE, once they are all or no more come."""
        last, since = -1, time.monotonic()
        while True:
            got = self.numbers()[0] - before
            if got >= messages:
                return got
            if got != last:
                last, since = got, time.monotonic()
            if time.monotonic() - since > patience:
                return got
            time.sleep(0.01)

    def end(self):
        end_process(self.process)
        self.claim.close()

    def log_tail(self):
        return ""


# ---- the two servers ----------------------------------------------------

class Ours:
    def __init__(self, world, name="Splitmail", binary=None):
        self.name = name
        self.binary = binary or os.path.join(BUILD, "splitmail")
        self.use_binary()
        self.server = world.server(name.lower(), start=False, conf="""
limits { connections_per_address = 20000 recipients_per_minute = 0 }
auth_without_tls = true
""")
        self.certificate = [os.path.join(self.server.data, "tls", name)
                            for name in ("cert.pem", "key.pem")]

    def use_binary(self):
        os.environ["SPLITMAIL_BINARY"] = self.binary

    def start(self, sink, tls_sink):
        self.use_binary()
        server = self.server
        database = os.path.join(server.data, "directory.db")
        for domain, users, at in ((DOMAIN, USERS, sink.at),
                                  (TLS_DOMAIN, TLS_USERS, tls_sink.at),
                                  (HOSTED, HOSTED_USERS, [])):
            subprocess.run([os.path.join(TOOLS, "fill"), database, domain,
                            str(users), *at], check=True)
        # What goes to the Internet is kept first; this is the way there.
        server.cli("system", "create", "internet", "--hosts", sink.at[0],
                   "--smart-host")
        server.user(SENDER, password=PASSWORD)
        # One that takes no time to verify: the sessions log in, and what is
        # measured is mail.
        digest = hashlib.sha512(PASSWORD.encode()).hexdigest()
        server.cli("user", "set", SENDER,
                   "password_hash={SHA512.HEX}" + digest)
        server.serve()

    @property
    def pid(self):
        return self.server.process.pid

    def fresh(self):
        """A new engine, which remembers nothing of other systems."""
        self.use_binary()
        self.server.restart()

    def port(self, case):
        return self.server.ports["submission" if case.kept else "smtp"]

    def address(self, case):
        return f"{self.server.address}:{self.port(case)}"

    def filter(self, socket):
        """All mail passes it; None: none."""
        self.use_binary()
        if socket:
            self.server.cli("filter", "create", "bench", "--socket", socket)
        else:
            self.server.cli("filter", "delete", "bench", "--yes")

    def arguments(self, case):
        if not case.kept:
            return []
        login = base64.b64encode(f"\0{SENDER}\0{PASSWORD}".encode())
        return ["--auth", login.decode(), "--from", SENDER]


class TunedPostfix(Postfix):
    """As its manuals say for much mail: more processes and connections, no
    limits for the client, nothing asked of DNS, indexed maps."""

    def __init__(self, folder, sink, tls_sink, certificate):
        self.sink, self.tls_sink = sink, tls_sink
        super().__init__(folder, domain=DOMAIN, settings={
            "smtpd_tls_cert_file": certificate[0],
            "smtpd_tls_key_file": certificate[1],
            "smtpd_tls_security_level": "may",
            "smtp_tls_security_level": "may",
            "smtp_tls_session_cache_database":
                f"btree:{folder}/data/smtp_scache",
            "smtp_tls_connection_reuse": "yes",
            "relay_domains": f"{DOMAIN}, {TLS_DOMAIN}, {ELSEWHERE}",
            "relay_recipient_maps": f"hash:{folder}/etc/recipients",
            "transport_maps": f"hash:{folder}/etc/transport",
            "virtual_mailbox_maps": "",
            "mynetworks": "127.0.0.0/8",
            "smtpd_relay_restrictions": "reject_unauth_destination",
            "smtpd_recipient_restrictions": "reject_unauth_destination",
            "default_process_limit": "400",
            "initial_destination_concurrency": "20",
            "default_destination_concurrency_limit": "50",
            "relay_destination_concurrency_limit": "50",
            "in_flow_delay": "0",
            "max_use": "10000",
            "qmgr_message_active_limit": "40000",
            "qmgr_message_recipient_limit": "40000",
            "smtpd_client_connection_rate_limit": "0",
            "smtpd_client_event_limit_exceptions": "127.0.0.0/8",
            "smtp_connection_cache_on_demand": "yes",
            "local_header_rewrite_clients": "",
            "smtputf8_enable": "no",
        })

    def write_maps(self):
        with open(self.path("etc/recipients"), "w") as recipients, \
                open(self.path("etc/transport"), "w") as transport:
            transport.write(f"{ELSEWHERE} relay:{bracket(self.sink.at[0])}\n")
            for domain, users, sink in ((DOMAIN, USERS, self.sink),
                                        (TLS_DOMAIN, TLS_USERS,
                                         self.tls_sink)):
                for k in range(users):
                    recipients.write(f"{k}user@{domain} OK\n")
                    transport.write(f"{k}user@{domain} "
                                    f"relay:{bracket(sink.at[k % 2])}\n")
            for k in range(USERS):
                recipients.write(f"{k}user@{ELSEWHERE} OK\n")
        for name in ("recipients", "transport"):
            self.run([f"{self.unpacked}/usr/sbin/postmap", "-c",
                      self.path("etc"), f"hash:{self.path('etc', name)}"])

    def configure(self):
        super().configure()
        with open(self.path("etc/master.cf"), "a") as file:
            file.write("tlsproxy unix - - n - 0 tlsproxy\n")
        self.write_maps()


def bracket(at):
    host, _, port = at.rpartition(":")
    return f"[{host}]:{port}"


class Theirs:
    name = "Postfix"

    def __init__(self, postfix):
        self.postfix = postfix

    @property
    def pid(self):
        return self.postfix.process.pid

    def fresh(self):
        self.postfix.down()
        self.postfix.up()

    def filter(self, socket):
        self.postfix.run([f"{self.postfix.unpacked}/usr/sbin/postconf", "-c",
                          self.postfix.path("etc"),
                          f"smtpd_milters={socket or ''}"])
        self.fresh()

    def address(self, case):
        return self.postfix.at

    def arguments(self, case):
        return []


# ---- what it costs ------------------------------------------------------

def family(pid):
    return [pid, *descendants(pid)]


def cpu_seconds(pid):
    """Of all processes, also of those that have ended and were waited for."""
    ticks = 0
    for each in family(pid):
        with contextlib.suppress(OSError):
            with open(f"/proc/{each}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS


def memory_kib(pid):
    """Private and shared pages, the latter divided among who shares them."""
    total = 0
    for each in family(pid):
        with contextlib.suppress(OSError):
            with open(f"/proc/{each}/smaps_rollup") as file:
                total += sum(int(line.split()[1]) for line in file
                             if line.startswith("Pss:"))
    return total


def load_command(server, case, *more):
    domain = ELSEWHERE if case.kept else TLS_DOMAIN if case.tls else DOMAIN
    return [os.path.join(TOOLS, "load"), *case.arguments, "--domain", domain,
            "--users", str(TLS_USERS if case.tls else USERS),
            *server.arguments(case), *more, server.address(case)]


class Run:
    """One load of one server, from beginning to end."""

    def __init__(self, server, case, sink, messages):
        before = sink.numbers()[0]
        cpu = cpu_seconds(server.pid)
        done = subprocess.run(
            load_command(server, case, "--messages", str(messages)),
            stdout=subprocess.PIPE, text=True, timeout=300, check=True)
        said = json.loads(done.stdout)
        self.acked = said["acked"]
        self.p50_ms, self.p99_ms = said["p50_ms"], said["p99_ms"]
        self.received = sink.wait_for(self.acked, before)
        last_ns = max(sink.numbers()[4], said["ended_ns"])
        self.seconds = (last_ns - said["began_ns"]) / 1e9
        self.rate = self.acked / self.seconds
        time.sleep(0.1)     # what is written after the last message
        self.cpu = (cpu_seconds(server.pid) - cpu) / max(self.acked, 1) * 1000
        self.complaint = ""
        if said["refused"] or said["lost"]:
            self.complaint = (f"{server.name}: {said['refused']} refused, "
                              f"{said['lost']} connections lost")
        if self.received != self.acked:
            self.complaint += (f" {server.name}: {self.acked} acknowledged, "
                               f"{self.received} received")


def syscalls_per_message(server, case, sink, folder, messages=2000):
    """By name, most first; strace slows it, so nothing else is taken."""
    out = os.path.join(folder, "strace")
    pids = [word for pid in family(server.pid) for word in ("-p", str(pid))]
    tracer = subprocess.Popen(["strace", "-f", "-c", "-o", out, *pids],
                              stderr=subprocess.DEVNULL,
                              start_new_session=True)
    time.sleep(1)
    run = Run(server, case, sink, messages)
    tracer.send_signal(signal.SIGINT)
    tracer.wait()
    counts = {}
    with open(out) as file:
        for line in file:
            words = line.split()
            if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
                counts[words[-1]] = int(words[3]) / run.acked
    return sum(counts.values()), sorted(counts.items(), key=lambda c: -c[1])


# ---- the table ----------------------------------------------------------

ROW = "{:<44} {:>9} {:>9} {:>7} {:>9} {:>9} {:>7}  {}"


def print_head(other):
    print(ROW.format("", "messages/s", "", "times", "CPU-s/1000", "", "1/n",
                     "milliseconds"))
    print(ROW.format("case", "ours", other, "", "ours", other, "",
                     "p50 p99 (ours)"), flush=True)


def median(runs, field):
    return statistics.median(getattr(run, field) for run in runs)


def print_row(case, ours, theirs):
    ratio = statistics.median(a.rate / b.rate for a, b in zip(ours, theirs))
    cpu = [median(runs, "cpu") for runs in (ours, theirs)]
    print(ROW.format(
        case.name, f"{median(ours, 'rate'):.0f}",
        f"{median(theirs, 'rate'):.0f}", f"{ratio:.1f}", f"{cpu[0]:.3f}",
        f"{cpu[1]:.3f}", f"{cpu[1] / max(cpu[0], 1e-6):.1f}",
        f"{median(ours, 'p50_ms'):.1f} {median(ours, 'p99_ms'):.1f}"))
    for run in ours + theirs:
        if run.complaint:
            print(f"    !! {run.complaint}")
    sys.stdout.flush()


class Bench:
    def __init__(self, world, options):
        self.world, self.options = world, options
        self.sink = world.add(Sink(world.folder, "sink"))
        self.ours = Ours(world)
        certificate = self.ours.certificate
        self.tls_sink = world.add(Sink(world.folder, "tls-sink",
                                       ("--tls", *certificate)))
        self.ours.start(self.sink, self.tls_sink)
        self.servers = [self.ours]
        if options.against:
            self.servers.append(Ours(world, "Other", options.against))
            self.servers[1].start(self.sink, self.tls_sink)
        elif not (options.profile or options.alone):
            postfix = world.add(TunedPostfix(
                world.subfolder("postfix"), self.sink, self.tls_sink,
                certificate))
            self.servers.append(Theirs(postfix))

    def messages(self, case, server):
        n = case.messages[isinstance(server, Theirs)]
        return n // 5 if self.options.quick else n

    def run(self, case, server):
        sink = self.tls_sink if case.tls else self.sink
        return Run(server, case, sink, self.messages(case, server))

    def warm_up(self, case):
        for server in self.servers * 2:
            self.run(case, server)

    def pairs(self, case):
        results = [[] for _ in self.servers]
        for _ in range(2 if self.options.quick else 5):
            for server, runs in zip(self.servers, results):
                if not case.known and isinstance(server, Ours):
                    server.fresh()
                runs.append(self.run(case, server))
        return results

    @contextlib.contextmanager
    def filter(self, name):
        """The same for both; what it takes itself is not counted."""
        key = os.path.join(self.world.folder, f"{name}.key")
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True,
                       capture_output=True)
        program = getattr(self.world, name)(key=key)
        for server in self.servers:
            server.filter(program.socket)
        try:
            yield
        finally:
            for server in self.servers:
                server.filter(None)

    def measure(self, case):
        if not case.filtered:
            self.compare(case)
            return
        with self.filter(case.filtered):
            self.compare(case)

    def compare(self, case):
        if case.known:
            self.warm_up(case)
        ours, *theirs = self.pairs(case)
        print_row(case, ours, theirs[0] if theirs else ours)
        if self.options.syscalls:
            sink = self.tls_sink if case.tls else self.sink
            total, names = syscalls_per_message(self.ours, case, sink,
                                                self.world.folder)
            print(f"    {total:.1f} system calls a message: " + ", ".join(
                f"{name} {count:.1f}" for name, count in names[:8]))

    @contextlib.contextmanager
    def idle(self, server, connections, tls):
        case = Case("idle", ["--tls"] if tls else [], (0, 0))
        load = subprocess.Popen(
            load_command(server, case, "--idle", "--sessions",
                         str(connections)), stdout=subprocess.PIPE, text=True)
        try:
            json.loads(load.stdout.readline())
            time.sleep(1)
            yield
        finally:
            load.kill()
            load.wait()
            load.stdout.close()

    def idle_kib(self, server, connections, tls):
        """Of one more connection, when there are some already."""
        server.fresh()
        with self.idle(server, 50, tls):
            before = memory_kib(server.pid)
            with self.idle(server, connections, tls):
                return (memory_kib(server.pid) - before) / connections

    def measure_idle(self):
        for tls in (False, True):
            kib = []
            for server in self.servers:
                # Postfix takes a process for each: not so many of them.
                n = 150 if isinstance(server, Theirs) else 2000
                kib.append(f"{server.name} "
                           f"{self.idle_kib(server, n, tls):.1f} KiB")
            print(f"idle connection{' with TLS' if tls else ''}: "
                  + ", ".join(kib) + " (without the kernel's)", flush=True)

    def mailbox_rate(self, *arguments):
        """Messages a second that are in a mailbox when they are answered."""
        done = subprocess.run(
            [os.path.join(TOOLS, "load"), "--sessions", "20", "--reuse",
             "--messages", "400" if self.options.quick else "2000",
             "--domain", HOSTED, "--users", str(HOSTED_USERS), *arguments],
            stdout=subprocess.PIPE, text=True, timeout=300, check=True)
        said = json.loads(done.stdout)
        if said["refused"] or said["lost"]:
            print(f"    !! {said}")
        return said["acked"] * 1e9 / (said["ended_ns"] - said["began_ns"])

    def measure_mailboxes(self):
        """Through Splitmail, and straight into its Dovecot."""
        server = self.ours.server
        lmtp = os.path.join(server.data, "dovecot", "run", "lmtp")
        pairs = []
        for _ in range(2 if self.options.quick else 5):
            pairs.append((self.mailbox_rate(server.at),
                          self.mailbox_rate("--lmtp", lmtp)))
        ours, theirs = (statistics.median(rates) for rates in zip(*pairs))
        part = statistics.median(a / b for a, b in pairs)
        print(f"mailboxes, 4K, 20 sessions: {ours:.0f} messages/s, straight "
              f"into Dovecot {theirs:.0f}: {part:.0%}", flush=True)

    def profile(self, case):
        """perf record of the engine; returns the report's path."""
        self.warm_up(case)
        data = os.path.join("/tmp", "splitmail-bench.perf")
        perf = subprocess.Popen(
            ["perf", "record", "-q", "-g", "-o", data, "-p",
             str(self.ours.server.engine_pid())])
        time.sleep(0.5)
        run = self.run(case, self.ours)
        perf.send_signal(signal.SIGINT)
        perf.wait()
        print(f"{case.name}: {run.rate:.0f}/s, {run.cpu:.3f} CPU-s per 1000; "
              f"perf report -i {data}")


def wanted(name, words):
    return not words or any(word in name for word in words)


def main():
    parser = argparse.ArgumentParser(
        usage=__doc__.replace("%", "%%"))
    parser.add_argument("words", nargs="*")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--alone", action="store_true",
                        help="without Postfix")
    parser.add_argument("--against", metavar="SPLITMAIL",
                        help="another binary instead of Postfix")
    parser.add_argument("--profile", metavar="CASE")
    parser.add_argument("--syscalls", action="store_true")
    options = parser.parse_args()
    words = [options.profile] if options.profile else options.words
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    world = World()
    try:
        bench = Bench(world, options)
        cases = [case for case in CASES if wanted(case.name, words)]
        if options.profile:
            bench.profile(cases[0])
            return
        if cases:
            print_head(bench.servers[-1].name)
        for case in cases:
            bench.measure(case)
        if wanted("mailboxes", words):
            bench.measure_mailboxes()
        if wanted("idle", words):
            bench.measure_idle()
    finally:
        world.end()


if __name__ == "__main__":
    main()
