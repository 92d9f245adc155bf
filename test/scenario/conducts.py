"""The gallery of conducts over real sockets: what other mail systems do beside
saying 250.

    conduct = CONDUCTS["2 mails a connection, then 452 at DATA"]
    sink = world.sink(**conduct.sink())

They are data, a file each: test/sim/peers/, where README.md says what may stand
in one; test/sim/peer.c plays the same files in simulated worlds.  Here they
become scripts for sink.py.  Whatever it is, mail for its users arrives: once
each, and within `seconds` (with one connection and without a retry from the
queue; `retries` when it cannot be without, as with greylisting).  Its users are
all whose name does not begin with "no"; what it should give back it keeps.

A conduct of your own is a file there, and test_conducts.py tries it.
"""

import dataclasses
import itertools
import json
import pathlib
import re
import threading
import time

from sink import Cut, Delay, Drop, Hang, Nothing, Reset, Take

PEERS = pathlib.Path(__file__).resolve().parents[1] / "sim" / "peers"
EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 104857600",
              "ENHANCEDSTATUSCODES", "DSN", "CHUNKING")
COMMANDS = ("EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "DATA", "DOT", "BDAT",
            "RSET", "NOOP", "VRFY", "QUIT")
# Where nothing is said unless it is in the script.
SILENT = ("NEXT", "BODY", "TLS", "CHUNK")


# ---- a script

def is_unknown(session, moment, address):
    addresses = [address] if moment == "RCPT" else \
        [address for address, _ in session.recipients]
    return any(address.startswith("no") for address in addresses)


class Rule:
    def __init__(self, at, do, when=()):
        self.moments = [at] if isinstance(at, str) else at
        if "ANY" in self.moments:
            self.moments = COMMANDS
        self.when, self.do = dict(when), do
        self.first, self.times = None, 0

    def is_met(self, session, moment, address, words):
        """...but for what the script remembers."""
        counted = {"mails": session.mails, "errors": session.errors,
                   "recipients": len(session.recipients),
                   "junk": session.junk, "seen": session.seen[moment],
                   "bytes": session.body_bytes}
        met = {"more_recipients": lambda n: len(session.recipients) > n,
               "unknown": lambda _: is_unknown(session, moment, address),
               "parameters": lambda _: bool(words),
               "clear": lambda _: not session.tls}
        return all(counted[key] >= value if key in counted
                   else met[key](value) if key in met else True
                   for key, value in self.when.items())

    def answer(self):
        """What is said and done, as sink.py has it; None: nothing."""
        text = self.do.get("say", self.do["raw"].encode()
                           if "raw" in self.do else None)
        answer = {None: text, "reset": Reset(), "silence": Hang(),
                  "close": Drop() if text is None else Cut(text)}[
                      self.do.get("then")]
        return Take(answer) if self.do.get("takes") else answer


class Script:
    """The rules of one system, with what it remembers over connections."""

    def __init__(self, rules):
        self.rules = [Rule(**rule) for rule in rules]
        self.lock = threading.Lock()
        self.sights, self.refused = {}, 0

    def on(self):
        return {moment: self.at(moment) for moment in dict.fromkeys(
            itertools.chain(*(rule.moments for rule in self.rules)))}

    def at(self, moment, rules=None):
        def play(session, argument):
            with self.lock:
                return self.play(session, moment, argument,
                                 self.rules if rules is None else rules)
        return play

    def play(self, session, moment, argument, rules):
        address, words = session.path(argument)
        for n, rule in enumerate(rules):
            if not self.applies(rule, session, moment, address, words):
                continue
            session.errors += rule.do.get("error", False)
            answer = rule.answer()
            self.refused += moment == "RCPT" and \
                rule.do.get("say", "").startswith("5")
            if "wait" in rule.do:
                return Delay(rule.do["wait"],
                             self.at(moment, rules[n + 1:])
                             if answer is None else answer)
            if answer is not None:
                return answer
        return Nothing() if moment in SILENT else None

    def applies(self, rule, session, moment, address, words):
        when, now = rule.when, time.monotonic()
        if moment not in rule.moments or self.refused < when.get("refused", 0):
            return False
        if not rule.is_met(session, moment, address, words):
            return False
        if "new_for" in when and now - self.sights.setdefault(
                address, now) >= when["new_for"]:
            return False
        rule.first = rule.first or now
        if "for" in when and now - rule.first >= when["for"]:
            return False
        if rule.times >= when.get("times", rule.times + 1):
            return False
        rule.times += 1
        return True


def greylist(seconds):
    [rule] = CONDUCTS["greylists for 1 s"].rules
    return Script([{**rule, "when": {"new_for": seconds}}]).on()


# ---- the files

@dataclasses.dataclass
class Conduct:
    name: str
    source: str
    seconds: float = 20
    retries: bool = False
    most: int = 50                  # recipients it is tried with
    answers: bool = True            # questions at RCPT, at once
    open: bool = False
    long: bool = False
    extensions: tuple = EXTENSIONS
    tls: bool = False
    connections: int = None
    beyond: dict = None
    idle: float = None
    idle_says: str = None
    forwards_unknown: bool = False
    rules: list = ()

    def sink(self):
        """Its script, with nothing remembered yet."""
        settings = {"extensions": self.extensions, "tls": self.tls,
                    "idle": self.idle, "idle_says": self.idle_says,
                    "on": Script(self.rules).on()}
        if self.connections:
            settings["at_once"] = self.connections
        if self.beyond and self.beyond.get("then") == "refuse":
            settings["beyond"] = None
        elif self.beyond:
            settings["beyond"] = Rule((), self.beyond).answer()
        return settings


def labelled(text, choices):
    return re.sub(r"\$([A-Z_]+)", lambda m: choices[m[1]][0], text)


def fill_in(value, choices):
    """VALUE with the words that "with" has replaced."""
    if isinstance(value, dict):
        return {key: labelled(v, choices) if key == "name" else
                fill_in(v, choices) for key, v in value.items()}
    if isinstance(value, list):
        return [fill_in(v, choices) for v in value]
    if not isinstance(value, str):
        return value
    if value[:1] == "$" and value[1:] in choices:
        return choices[value[1:]][1]
    return labelled(value, choices)


def of_file(path):
    """Each conduct a file stands for."""
    file = json.loads(path.read_text(encoding="utf-8"))
    words, excepted = file.pop("with", {}), file.pop("except", [])
    values = [[(str(v), v) for v in values] if isinstance(values, list)
              else list(values.items()) for values in words.values()]
    for combination in itertools.product(*values):
        choices = dict(zip(words, combination))
        if not any(all(choices[word][0] == label
                       for word, label in one.items()) for one in excepted):
            yield Conduct(**fill_in(file, choices))


CONDUCTS = {conduct.name: conduct for path in sorted(PEERS.glob("*.json"))
            for conduct in of_file(path)}
