"""A world: the servers of one test, a folder they live in, and their end.

    def test_something(world):
        a = world.server("a")
        sink = world.sink()
        a.cli("domain", "create", "example.test", "--relay", sink.at)

Each server has a loopback address of its own (claim_address()), so that the
same ports serve all of them and tests may run side by side.  Everything that
was started is ended by its process id when the world ends, and a server that
complained (AddressSanitizer, UBSan, a failed check) fails its test then.
"""

import contextlib
import glob
import os
import random
import shutil
import signal
import socket
import tempfile
import time

LOG_LINES = 60
PATIENCE = 180      # a wait for what comes costs nothing, however long it may be
COUNTED, COUNTED_IN = 200000, 0.004     # s, by a processor that is ours alone


def slowness():
    """How many times longer a count takes than on a quiet machine of 2020: the
    processors are slow, or others have them (outside of what /proc says)."""
    begun = time.monotonic()
    for _ in range(COUNTED):
        pass
    return (time.monotonic() - begun) / COUNTED_IN


def within(seconds):
    """So long on a machine that is not busy; longer where it is slow, or more
    wants to run than there are processors, in the last minute or now.  To say
    that something took no longer than a limit of the server's own, never that
    it is fast."""
    with open("/proc/loadavg") as file:
        words = file.read().split()
    wanted = max(float(words[0]), int(words[3].split("/")[0]))
    busy = wanted / (2 * os.cpu_count())
    return seconds * min(max(2, busy, *(slowness() for _ in range(3))), 20)


def wait_until(question, timeout=PATIENCE, what="it", pause=0.05):
    """The first true answer of QUESTION(); AssertionError after TIMEOUT s, or
    after PATIENCE where that is more: it is no way to say that something is
    quick.  WHAT may be a function that finds the words for it."""
    begun = time.monotonic()
    while True:
        answer = question()
        if answer:
            return answer
        waited = time.monotonic() - begun
        if waited > max(PATIENCE, within(timeout)):
            said = what() if callable(what) else what
            raise AssertionError(f"{said}: still not so after {waited:.0f} s "
                                 f"(last answer: {answer!r})")
        time.sleep(pause)


def claim_address(ports=()):
    """(address, claim): a 127.x.y.z nobody else claims, PORTS free on it.
    It stays ours until CLAIM is closed."""
    while True:
        address = "127.%d.%d.%d" % (random.randint(1, 254),
                                    random.randint(0, 254),
                                    random.randint(1, 254))
        claim = socket.socket()
        try:
            claim.bind((address, 19999))
            claim.listen()
            for port in ports:
                with socket.socket() as probe:
                    probe.bind((address, port))
            return address, claim
        except OSError:
            claim.close()


def free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def quiet_port():
    """On all addresses; none that the kernel gives to a client meanwhile."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("0.0.0.0", random.randrange(10000, 19000)))
            return probe.getsockname()[1]


def can_connect(address, port):
    try:
        socket.create_connection((address, port), timeout=5).close()
        return True
    except OSError:
        return False


def children(pid):
    """Whichever of its threads has started them."""
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        with contextlib.suppress(OSError), open(path) as file:
            found += [int(child) for child in file.read().split()]
    return found


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child] + descendants(child)
    return found


def end_process(process, patience=PATIENCE):
    """SIGTERM, then SIGKILL for it and what it started.  True: in order."""
    family = descendants(process.pid)
    process.terminate()
    try:
        process.wait(patience)
        orderly = True
    except Exception:
        orderly = False
        family += descendants(process.pid)
        process.kill()
        process.wait()
    for pid in family:
        wait_a_moment = time.monotonic() + 2
        while os.path.exists(f"/proc/{pid}") and not gone(pid):
            if time.monotonic() > wait_a_moment:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                break
            time.sleep(0.02)
    return orderly


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def processor_seconds(pid):
    """That process PID has used so far: what a loaded machine does not
    stretch much."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tail(path, lines=LOG_LINES):
    try:
        with open(path, errors="replace") as file:
            return "".join(file.readlines()[-lines:])
    except OSError as trouble:
        return f"({trouble})"


class World:
    def __init__(self):
        # Servers that are started as root go on as another user, who has to
        # be able to search this folder.
        self.folder = tempfile.mkdtemp(prefix="splitmail-test-")
        os.chmod(self.folder, 0o711)
        self.members = []

    # Imported late: those modules use this one.
    def server(self, name="a", **settings):
        from splitmail import Server
        return self.add(Server(self.subfolder(name), name, **settings))

    def sink(self, **behaviour):
        from sink import Sink
        return self.add(Sink(**behaviour))

    def postfix(self, name="postfix", **settings):
        from peers import Postfix
        return self.add(Postfix(self.subfolder(name), **settings))

    def stock_postfix(self, name="stock", **settings):
        from peers import StockPostfix
        return self.add(StockPostfix(self.subfolder(name), **settings))

    def exim(self, name="exim", **settings):
        from peers import Exim
        return self.add(Exim(self.subfolder(name), **settings))

    def milter(self, **behaviour):
        from milter import Milter
        return self.add(Milter(**behaviour))

    def rspamd(self, name="rspamd", **settings):
        from filter_programs import Rspamd
        return self.add(Rspamd(self.subfolder(name), name, **settings))

    def opendkim(self, name="opendkim", **settings):
        from filter_programs import OpenDKIM
        return self.add(OpenDKIM(self.subfolder(name), name, **settings))

    def clamav(self, name="clamav"):
        from filter_programs import ClamAV
        return self.add(ClamAV(self.subfolder(name), name))

    def names(self, zone="", **settings):
        from network import Names
        return self.add(Names(zone, **settings))

    def signed_names(self, zone, name="nsd", **settings):
        from signed import SignedNames
        return self.add(SignedNames(self.subfolder(name), zone, **settings))

    def subfolder(self, name):
        folder = os.path.join(self.folder, name)
        os.mkdir(folder, 0o711)
        os.chmod(folder, 0o711)
        return folder

    def add(self, member):
        # Known before it starts: what half started is ended, too.
        self.members.append(member)
        member.start()
        return member

    def logs(self):
        """[(title, text)] of everything that lives here."""
        return [(f"{type(m).__name__} {m.name}", m.log_tail())
                for m in self.members]

    def end(self):
        complaints = []
        for member in reversed(self.members):
            try:
                complaints += member.end() or []
            except Exception as trouble:    # the others have to end as well
                complaints.append(f"{member.name}: {trouble!r}")
        logs = self.logs() if complaints else []
        self.members = []
        if os.environ.get("SPLITMAIL_KEEP"):
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        if complaints:
            for title, text in logs:
                print(f"---- {title}\n{text}")
            raise AssertionError("\n".join(complaints))
