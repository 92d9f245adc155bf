"""Run a program as on a kernel that lacks something.

    python3 old_kernel.py landlock=ENOSYS,inet6=EAFNOSUPPORT PROGRAM ARGUMENTS...

The calls named end with that error for the program and all it starts."""

import ctypes
import errno
import os
import struct
import sys

ANY = None


def number(x86_64, aarch64):
    return {"x86_64": x86_64, "aarch64": aarch64}.get(os.uname().machine)


# Number of a call, and its first argument.
CALLS = {
    "landlock": [(444, ANY), (445, ANY), (446, ANY)],
    "seccomp": [(number(317, 277), ANY)],
    "inet6": [(number(41, 198), 10)],       # socket(AF_INET6)
}


def steps_of(call, argument, error):
    """A filter's; what is another call goes on behind them."""
    steps = [(0x06, 0, 0, 0x50000 | error)]
    if argument is not ANY:
        steps = [(0x20, 0, 0, 16), (0x15, 0, 1, argument)] + steps
    return [(0x20, 0, 0, 0), (0x15, 0, len(steps), call)] + steps


def deny(steps):
    steps = [*steps, (0x06, 0, 0, 0x7fff0000)]
    program = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *step) for step in steps))
    filter = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    # no new privileges; a filter
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filter, 0, 0):
        sys.exit("no seccomp")


if __name__ == "__main__":
    words = [word.split("=") for word in sys.argv[1].split(",")]
    deny([step for what, error in words for call in CALLS[what]
          for step in steps_of(*call, getattr(errno, error))])
    os.execv(sys.argv[2], sys.argv[2:])
