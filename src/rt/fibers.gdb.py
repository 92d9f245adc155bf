"""gdb command `fibers`: every fiber of the selected thread, parked ones with
their frames.

    gdb -p $(pgrep -f 'splitmail engine') -x src/rt/fibers.gdb.py
    (gdb) thread 1
    (gdb) fibers

jmp_buf is mangled by libc, so fiber.c notes the frame pointer when a fiber
parks, and everything is built with -fno-omit-frame-pointer.
"""

import gdb

DEEPEST = 30


def frames(frame):
    """Return addresses along the chain of saved frame pointers."""
    word = gdb.lookup_type("unsigned long")
    at = int(frame)
    for _ in range(DEEPEST):
        if at == 0:
            return
        try:
            slot = gdb.Value(at).cast(word.pointer())
            yield int((slot + 1).dereference())
            above = int(slot.dereference())
        except gdb.MemoryError:
            return
        if above <= at:
            return
        at = above


def place(address):
    line = gdb.find_pc_line(address)
    block = gdb.block_for_pc(address)
    while block and not block.function:
        block = block.superblock
    name = block.function.name if block else hex(address)
    file = line.symtab.filename if line.symtab else "?"
    return "%s (%s:%d)" % (name, file, line.line)


class Fibers(gdb.Command):
    """List the fibers of this thread and where they are parked."""

    def __init__(self):
        super().__init__("fibers", gdb.COMMAND_STACK)

    def invoke(self, _argument, _tty):
        fiber = gdb.parse_and_eval("'fiber.c'::here.all")
        while fiber:
            state = str(fiber["state"]).replace("FIBER_", "").lower()
            print("%s %s, %s for %s" % (fiber, fiber["name"].string(), state,
                                        fiber["why"].string()))
            if state in ("parked", "ready") and fiber["frame"]:
                for address in frames(fiber["frame"]):
                    where = place(address)
                    if where.startswith("fiber_body"):
                        break
                    print("    " + where)
            fiber = fiber["next"]


Fibers()
