"""A scripted filter: milter by plain sockets, as helpful or hostile as asked.

    milter = world.milter()                     lets everything pass
    milter.on["E"] = [b"hX-Spam\\0 yes\\0", b"c"]   packets, the length left out
    milter.on["R"] = [b"y451 4.7.1 later\\0"]
    milter.on["E"] = None                       hangs up
    a.cli("filter", "create", "f", "--socket", milter.socket)

`steps` and `actions` are what it negotiates (SMFIP_*, SMFIF_*).  What came is in
milter.heard, [(command, data)], macros among them, and in milter.mails() one text
of commands each: "CHMRTLLNBE".
"""

import re
import socket
import struct
import threading

SILENT = 0xff080        # no answer before the end of the body
KEEPS_BLANKS = 0x100000
ANSWERED = {"C": 0x1000, "H": 0x2000, "M": 0x4000, "R": 0x8000, "T": 0x10000,
            "L": 0x80, "N": 0x40000, "B": 0x80000, "E": 0}


class Milter:
    def __init__(self, name="milter", steps=0, actions=0x1ff):
        self.name, self.steps, self.actions = name, steps, actions
        self.on, self.heard = {}, []

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.socket = "inet:127.0.0.1:%u" % self.listener.getsockname()[1]
        self.visits = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                visit, _ = self.listener.accept()
            except OSError:
                return
            self.visits.append(visit)
            threading.Thread(target=self.run, args=(visit,),
                             daemon=True).start()

    def run(self, visit):
        with visit, visit.makefile("rb") as input:
            while head := input.read(4):
                packet = input.read(*struct.unpack(">I", head))
                command, data = chr(packet[0]), packet[1:]
                self.heard.append((command, data))
                answer = self.answer(command)
                if answer is None:
                    return
                visit.sendall(b"".join(struct.pack(">I", len(each)) + each
                                       for each in answer))

    def answer(self, command):
        if command in self.on:
            return self.on[command]
        if command == "O":
            return [b"O" + struct.pack(">III", 6, self.actions, self.steps)]
        if command == "Q":
            return None
        silent = command not in ANSWERED or self.steps & ANSWERED[command]
        return [] if silent else [b"c"]

    def mails(self):
        commands = "".join(c for c, _ in self.heard if c not in "ODKQA")
        return re.findall("C[^C]*", commands)

    def said(self, command):
        return [data for c, data in self.heard if c == command]

    def end(self):
        if self.listener.fileno() < 0:
            return
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for visit in self.visits:
            try:
                visit.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def log_tail(self):
        return "\n".join(f"{c} {data!r}" for c, data in self.heard[-60:])
